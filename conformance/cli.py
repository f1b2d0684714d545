"""``dynoracle run``, ``replay``, ``targets`` and ``rules``."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from conformance.launch import Finished, Order, Progress, launch
from conformance.record.finding import SEVERITIES
from conformance.record.folder import RunFolder
from conformance.record.run import Run

app = typer.Typer()
targets_app = typer.Typer(help="The emulators dynoracle can install and start.", no_args_is_help=True)
app.add_typer(targets_app, name="targets")

OK, FINDINGS, USAGE, NOTHING = 0, 1, 2, 3
"""Exit codes: fine; findings; usage or environment; nothing reached or only unknowns."""

Finish = Callable[[RunFolder, Run, Console], None]
_finish: list[Finish] = []


def wire_reports(finish: Finish) -> None:
    """What to do with a finished run: render its reports. Set by the composition root."""
    _finish.append(finish)


def fail(text: str) -> NoReturn:
    """Say what is wrong and exit with the code for usage and environment."""
    Console(stderr=True).print(Text(f"dynoracle: {text}", style="bold red"))
    raise typer.Exit(USAGE)


def seconds_of(text: str) -> float:
    """A duration such as ``90``, ``90s``, ``2m`` or ``1h30m`` in seconds; BadParameter for anything else."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text)
    if not text or parts is None:
        raise typer.BadParameter(f"{text!r} is no duration; write 90s, 2m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def severities_of(text: str) -> set[str]:
    """A comma list of severities, ``any`` or ``none``; BadParameter for an unknown one."""
    if text in ("any", "none"):
        return set(SEVERITIES) - {"unsupported"} if text == "any" else set()
    chosen = {part.strip() for part in text.split(",") if part.strip()}
    unknown = chosen - set(SEVERITIES)
    if unknown:
        raise typer.BadParameter(f"{sorted(unknown)[0]!r} is no severity; known: any, none, {', '.join(SEVERITIES)}")
    return chosen


@app.command()
def run(
    target: Annotated[str, typer.Argument(help="A catalogue name (`dynoracle targets list`) or an http(s) URL.")],
    budget: Annotated[str, typer.Option(help="How long to search: 90s, 2m, 1h.")] = "2m",
    seed: Annotated[int, typer.Option(help="Seed of the campaign; the same seed draws the same programs.")] = 0,
    capability: Annotated[list[str] | None, typer.Option(help="Search only this capability (repeat for more).")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Run only the directed checks of this rule.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Severities that make the exit code 1: a comma list, any, none.")
    ] = "any",
    workers: Annotated[int, typer.Option("-n", help="Worker processes, each with a target of its own.", min=1)] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Run folder to write; runs/<time>-<target>-<seed> by default.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Search a target for differences from DynamoDB, and write a report."""
    from conformance.machines import MACHINES
    from conformance.search.campaign import new_folder

    wanted = severities_of(fail_on)
    seconds = seconds_of(budget)
    for name in capability or ():
        if name not in MACHINES:
            fail(f"no machine searches the capability {name!r}; known: {', '.join(MACHINES)}")
    _check_rules(rule or [])
    _check_target(target)
    try:
        folder = new_folder(out, target, seed)
    except OSError as error:
        fail(str(error))
    order = Order(
        target, folder, seconds, seed, workers, capability or (), rule or (), timeout,
        command=shlex.join(["dynoracle", *sys.argv[1:]]), allow_hosts=allow_host or (), ca_file=ca_file,
        insecure=insecure, search=not rule, checks=True,
    )  # fmt: skip
    console = Console()
    console.print(f"Testing [bold]{target}[/] for {seconds:.0f} s, seed {seed}; results in {folder.path}")
    finished = _watched(console, order, seconds)
    for finish in _finish:
        finish(folder, finished.run, console)
    raise typer.Exit(exit_code(finished.run, finished.status, wanted, console, finished.output))


def _watched(console: Console, order: Order, seconds: float) -> Finished:
    if not console.is_terminal:
        return launch(order)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        return launch(order, lambda progress: live.update(_progress(progress, seconds)))


def _progress(progress: Progress, seconds: float) -> Text:
    left = max(0.0, seconds - progress.seconds)
    rate = progress.calls / progress.seconds if progress.seconds else 0.0
    found = progress.by_severity()
    listed = ", ".join(f"{found[s]} {s}" for s in SEVERITIES if found[s]) or "none yet"
    return Text(
        f"{left:4.0f} s left · {progress.programs} programs · {progress.calls} calls · {rate:.0f} calls/s · "
        f"divergences: {listed}"
    )


def exit_code(run: Run, status: int, wanted: set[str], console: Console, output: str) -> int:
    """The exit code of a finished run; says why when nothing was reached."""
    if run.calls == 0 and not run.checks:
        tail = "\n".join(output.strip().splitlines()[-15:])
        Console(stderr=True).print(
            f"dynoracle: nothing was reached on {run.target.get('name', 'the target')}", style="bold red"
        )
        Console(stderr=True).print(Text(tail))
        return USAGE if status not in (0, 5) else NOTHING
    for error in run.errors:
        Console(stderr=True).print(Text(f"dynoracle: {error}", style="bold red"))
    if any(f.severity in wanted and not f.unsettled for f in run.findings):
        return FINDINGS
    if run.errors:
        return USAGE
    verdicts = {result.verdict for result in run.capabilities}
    return OK if verdicts & {"ok", "violated"} else NOTHING


def _check_rules(names: list[str]) -> None:
    from reference.rules import ledger

    for name in names:
        if name not in ledger():
            close = [known for known in ledger() if name.split(".")[-1] in known][:5]
            fail(
                f"no rule is called {name!r}; "
                + (f"did you mean {', '.join(close)}?" if close else "see `dynoracle rules`")
            )


def _check_target(spec: str) -> None:
    from conformance.targets.catalogue import CatalogueError, find

    if "://" in spec:
        return
    try:
        find(spec.removesuffix(":inprocess"))
    except CatalogueError as error:
        fail(str(error))


@app.command()
def replay(
    trace: Annotated[Path, typer.Argument(help="A trace.jsonl, a finding.json, or a finding's folder.")],
    target: Annotated[str, typer.Option(help="Where to replay; the finding's own target by default.")] = "",
) -> None:
    """Run a recorded program again: is the difference fixed, still there, or another one?"""
    from conformance.replay import ReplayError, replay_path

    console = Console()
    try:
        result = replay_path(trace, target)
    except ReplayError as error:
        fail(str(error))
    for line in result.lines:
        console.print(Text(line))
    console.print(Text(f"{result.verdict}: {result.text}", style="bold"))
    raise typer.Exit(OK if result.verdict == "fixed" else FINDINGS)


@app.command()
def rules(name: Annotated[str, typer.Argument(help="A rule, or the beginning of some.")] = "") -> None:
    """List the rules of the ledger, or show one with its evidence."""
    from reference.rules import ledger

    console = Console()
    found = [rule for key, rule in sorted(ledger().items()) if key == name] or [
        rule for key, rule in sorted(ledger().items()) if key.startswith(name)
    ]
    if not found:
        fail(f"no rule begins with {name!r}; `dynoracle rules` lists them all")
    if len(found) > 1:
        table = Table("rule", "evidence", "says")
        for rule in found:
            table.add_row(rule.name, "disputed" if rule.disputed else rule.strength, rule.says)
        console.print(table)
        return
    rule = found[0]
    shown = {
        "rule": rule.name,
        "says": rule.says,
        "error": rule.error,
        "message": rule.message,
        "older wording": rule.older,
        "spec": ", ".join(rule.spec),
        "disputed": "yes" if rule.disputed else None,
    }
    for label, value in shown.items():
        if value:
            console.print(Text.assemble((f"{label:>14}  ", "bold"), value))
    for evidence in rule.evidence:
        console.print(Text.assemble((f"{evidence.kind:>14}  ", "bold"), f"{evidence.source} {evidence.on}".strip()))


@targets_app.command("list")
def list_targets() -> None:
    """List the catalogue, and what is installed."""
    from conformance.targets.catalogue import catalogue
    from conformance.targets.install import located, missing

    table = Table("target", "version", "installed", "keeps data", "missing here")
    for name, entry in sorted(catalogue().items()):
        place = located(entry)
        lacking = ", ".join(missing(entry))
        table.add_row(
            name,
            place.version if place else entry.version,
            "yes" if place else "no",
            "yes" if entry.persists else "no",
            lacking,
        )
    Console().print(table)


@targets_app.command("install")
def install_target(names: Annotated[list[str], typer.Argument(help="Catalogue names.")]) -> None:
    """Install emulators into the cache folder."""
    from conformance.targets.catalogue import CatalogueError, find
    from conformance.targets.install import InstallError, install

    for name in names:
        try:
            place = install(find(name))
        except (CatalogueError, InstallError) as error:
            fail(str(error))
        Console().print(f"{name} {place.version} is installed")


@targets_app.command("start")
def start_target(name: Annotated[str, typer.Argument(help="A catalogue name.")]) -> None:
    """Start an emulator on a free loopback port and keep it until Ctrl-C."""
    import signal

    from conformance.targets.catalogue import CatalogueError
    from conformance.targets.install import InstallError
    from conformance.targets.process import ProcessError
    from conformance.targets.target import TargetError, open_target

    try:
        target = open_target(name)
    except (CatalogueError, InstallError, ProcessError, TargetError) as error:
        fail(str(error))
    with target:
        Console().print(f"{target.name} {target.version} answers at {target.endpoint}; Ctrl-C ends it")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
