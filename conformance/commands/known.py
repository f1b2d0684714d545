"""``dynoracle replay``, ``baseline`` and ``bisect``: what is known, and whether it still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from conformance.commands.base import FINDINGS, OK, fail
from conformance.record.codec import RecordError
from conformance.targets.target import Access

app = typer.Typer()
baseline_app = typer.Typer(help="Files of accepted findings.", no_args_is_help=True)
app.add_typer(baseline_app, name="baseline")


@app.command()
def replay(
    trace: Annotated[
        Path, typer.Argument(help="A trace.jsonl, a finding.json, or a finding's folder; with --all, a run's folder.")
    ],
    target: Annotated[str, typer.Option(help="Where to replay; the finding's own target by default.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Replay every finding of a run.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Run a recorded program again: is the difference fixed, still there, or another one?"""
    from conformance.replay import ReplayError, replay_all, replay_path

    console = Console()
    access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
    try:
        if every:
            shown = 0
            for finding, state in replay_all(trace, target, access, timeout):
                shown += state in ("still there", "flaky")
                console.print(
                    Text(f"{state:<12} {finding.fingerprint}  {finding.severity:<10} {finding.summary}"),
                    no_wrap=True, overflow="ellipsis",
                )  # fmt: skip
            console.print(Text(f"{shown} still show" if shown else "none shows any more", style="bold"))
            raise typer.Exit(FINDINGS if shown else OK)
        result = replay_path(trace, target, access, timeout)
    except (ReplayError, RecordError) as error:
        fail(str(error))
    for line in result.lines:
        console.print(Text(line))
    console.print(Text(f"{result.verdict}: {result.text}", style="bold"))
    raise typer.Exit(OK if result.verdict == "fixed" else FINDINGS)


@baseline_app.command("update")
def update_baseline(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    file: Annotated[Path, typer.Option(help="The baseline: a .toml or .json file; made when it is not there.")],
    reason: Annotated[str, typer.Option(help="Why these findings are accepted.")] = "",
    link: Annotated[str, typer.Option(help="Where more is said, such as an issue.")] = "",
    expires: Annotated[str, typer.Option(help="Last day on which they are accepted, as 2027-01-31.")] = "",
    finding: Annotated[list[str] | None, typer.Option(help="Take in only this fingerprint (repeat for more).")] = None,
) -> None:
    """Accept a run's findings: take them into a baseline, and drop entries that the run found vanished."""
    from conformance.record.folder import read_run
    from conformance.search.baseline import Baseline, expiry_of, read_baseline, updated, write_baseline

    if file.suffix not in (".toml", ".json"):
        fail(f"--file: {file.name!r} says neither TOML nor JSON; end its name in .toml or .json")
    try:
        told = read_run(run)
        before = read_baseline(file) if file.exists() else Baseline()
        until = expiry_of(expires)
    except (RecordError, ValueError) as error:
        fail(str(error))
    unknown = set(finding or ()) - {f.fingerprint for f in told.findings}
    if unknown:
        fail(f"the run has no finding {sorted(unknown)[0]!r}; `dynoracle report {run}` lists them")
    after, added, removed = updated(before, told, reason=reason, link=link, expires=until, only=finding or ())
    write_baseline(file, after)
    Console().print(
        Text(f"{file}: {len(after.entries)} accepted findings, {len(added)} new, {len(removed)} vanished and removed")
    )


@app.command()
def bisect(
    finding: Annotated[Path, typer.Argument(help="A finding's folder, finding.json or trace.jsonl.")],
    versions: Annotated[str, typer.Option(help="Versions, oldest first, with commas: 5.1.0,5.2.0.")],
    target: Annotated[str, typer.Option(help="A catalogue name; each version is installed.")] = "",
    start: Annotated[str, typer.Option(help="Or a command with {version} and {port} that starts one.")] = "",
    every: Annotated[bool, typer.Option("--every", help="Try every version, not only those that decide.")] = False,
) -> None:
    """Name the first version of a target that shows a finding."""
    from conformance.bisect import by_command, by_name, first_showing
    from conformance.replay import ReplayError, recorded

    names = [name.strip() for name in versions.split(",") if name.strip()]
    if not names:
        fail("--versions names none; write them oldest first: 5.1.0,5.2.0")
    console = Console()
    try:
        known = recorded(finding)
        opener = by_command(start) if start else by_name(target or known.target)
        result = first_showing(
            known, names, opener, lambda name, state: console.print(Text(f"{name:<16} {state}")), every=every
        )
    except (ReplayError, RecordError) as error:
        fail(str(error))
    console.print(Text(result.text, style="bold"))
    raise typer.Exit(FINDINGS if result.first else OK)
