"""``dynoracle judge``: recorded traffic against the reference."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from conformance.commands.base import FINDINGS, NOTHING, OK, fail
from conformance.targets.target import Access

app = typer.Typer()
SHOWN = 50
"""Divergences that are shown."""


@app.command()
def judge(
    trace: Annotated[Path, typer.Argument(help="A trace that `dynoracle proxy --record` wrote.")],
    target: Annotated[str, typer.Option(help="Put the calls to this target too, on tables of its own.")] = "",
    schema: Annotated[
        Path | None, typer.Option(help="Definitions of tables that the trace does not describe (as for `run`).")
    ] = None,
    like: Annotated[
        str, typer.Option(help="Allow the recorded endpoint what this target of the catalogue may do: aws.")
    ] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer of --target.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Judge recorded traffic: could DynamoDB have answered so? Nothing but the recorded traffic may have written."""
    from conformance.replay import ReplayError
    from conformance.traffic.judging import tally
    from conformance.traffic.traces import judged, profile_of, read_recording, replayed

    console = Console()
    try:
        recording = read_recording(trace, schema)
        words = judged(recording, profile_of(recording, like))
        found = _shown(console, ((w.op.index, w.op.called, w.verdict.divergence) for w in words))
        counts, reasons = tally(words)
        told = f"{len(words)} calls: {counts['ok']} ok, {counts['violated']} violated, {counts['unknown']} unknown"
        console.print(Text(told, style="bold"))
        for why, count in reasons.most_common():
            console.print(Text(f"  {count} unknown: {why}"))
        if target:
            access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
            ops = replayed(recording, target, access, timeout)
            console.print(Text(f"\nThe same calls on {target}:"))
            again = _shown(console, ((j.op.index, j.op.called, j.verdict.divergence) for j in ops))
            console.print(Text(f"{len(ops)} calls, {again} differ", style="bold"))
            found += again
    except ReplayError as error:
        fail(str(error))
    raise typer.Exit(FINDINGS if found else OK if counts["ok"] else NOTHING)


def _shown(console: Console, rows: Iterable[tuple[int, float, object]]) -> int:
    """Print what differs; how much that is."""
    from conformance.oracle.divergence import Divergence

    found = [(index, at, d) for index, at, d in rows if isinstance(d, Divergence)]
    for index, at, divergence in found[:SHOWN]:
        console.print(Text(f"call {index} at +{at:.3f} s: {divergence.severity}: {divergence.summary}"))
        console.print(Text(f"    [{divergence.rule}] {divergence.fingerprint}", style="dim"))
    if len(found) > SHOWN:
        console.print(Text(f"and {len(found) - SHOWN} more"))
    return len(found)
