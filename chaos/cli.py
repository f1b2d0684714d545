"""``dynoracle chaos``: concurrent clients under faults; ``lockstep``: one client; ``proxy``: the proxy by itself."""

from __future__ import annotations

import errno
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from conformance.commands.base import FINDINGS, NOTHING, OK, fail, finish, seconds_of
from conformance.record.folder import RunFolder, file_trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaos.arms import Comparison
    from chaos.experiment import Settings, Trial
    from chaos.faults import Fault
    from chaos.scenario import Scenario
    from chaos.trials import Campaign
    from conformance.targets.profile import Profile
    from conformance.targets.target import Access, Target

app = typer.Typer()

USUAL = (
    "drop-reply",
    "error-before",
    "error-after",
    "reset-request",
    "delay-delivery",
    "duplicate",
    "reorder",
    "jitter",
)
"""The faults of a run that names none, as far as the target can have them."""


@app.command()
def proxy(
    upstream: Annotated[str, typer.Option(help="The endpoint behind the proxy: http(s)://host[:port].")],
    schedule: Annotated[Path | None, typer.Option(help="Which faults when, as TOML; without it, none.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of what the schedule leaves to chance.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write the traffic here, as a trace for `dynoracle judge`.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen on; a free one by default.", min=0, max=65535)] = 0,
    clients: Annotated[int, typer.Option(help="Clients to tell apart: each gets a port of its own.", min=1)] = 1,
    control_port: Annotated[int, typer.Option(help="Port of the control interface.", min=0, max=65535)] = 0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be reached.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Put faults between any client and an endpoint, until Ctrl-C; say what was done."""
    from chaos.recording import RecordingError
    from chaos.schedule import Schedule, ScheduleError, load
    from chaos.standalone import Settings, serve
    from conformance.targets.target import Access, TargetError

    try:
        plan = load(schedule, seed) if schedule is not None else Schedule()
        access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
        settings = Settings(
            upstream, plan, access, port=port, clients=clients, control_port=control_port, record=record
        )
        serve(settings, Console())
    except (ScheduleError, RecordingError, TargetError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            fail(f"{error.strerror}: choose another --port or --control-port")
        fail(file_trouble(error))


@app.command()
def chaos(
    target: Annotated[str, typer.Argument(help="A catalogue name (`dynoracle targets list`) or an http(s) URL.")],
    workload: Annotated[str, typer.Option(help="Workloads, comma-separated; all that the target claims.")] = "",
    faults: Annotated[str, typer.Option(help="Faults, comma-separated, or `none`; the usual ones by default.")] = "",
    scenario: Annotated[
        str,
        typer.Option(
            help="A named scenario, or a .toml file: workloads, faults and sizes; or, on `reference`, one load with "
            "and without what helps (comma-separated, or `failures` for all of them)."
        ),
    ] = "",
    budget: Annotated[str, typer.Option(help="How long to experiment: 90s, 2m, 1h.")] = "60s",
    seed: Annotated[int, typer.Option(help="The first seed; the same seed draws the same plans.")] = 0,
    rounds: Annotated[int, typer.Option(help="End after so many rounds of all workloads; 0: by the budget.")] = 0,
    clients: Annotated[int, typer.Option(help="Concurrent clients.", min=2, max=32)] = 4,
    acts: Annotated[int, typer.Option(help="What each client does in one experiment.", min=1, max=2000)] = 30,
    black_box: Annotated[
        bool, typer.Option("--black-box", help="Judge by what clients know, without the proxy's ledger.")
    ] = False,
    persist: Annotated[bool, typer.Option("--persist", help="Start the target so that it keeps its data.")] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/<time>-<target>-<seed> by default.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Run the experiment of a finding's folder again.")] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Run concurrent clients against a target under faults, check what they saw, and write a report."""
    from chaos.experiment import Settings
    from chaos.scenario import Scenario, ScenarioError, chosen
    from chaos.workloads import WORKLOADS
    from conformance.search.campaign import new_folder
    from conformance.targets.target import Access

    try:
        named, compared = chosen(scenario) if scenario else (Scenario("", clients=clients, acts=acts), {})
        if compared and (target != "reference" or workload or faults or replay is not None):
            raise ScenarioError(
                f"{scenario}: its arms are loads of their own on the reference, served anew for each with time by "
                "hand: name the target `reference`, and neither workloads nor faults nor a replay"
            )
        seconds = seconds_of(budget)
        folder = None if replay is not None else new_folder(out, target, seed)
    except (ScenarioError, OSError) as error:
        fail(file_trouble(error))
    if compared:
        assert folder is not None
        raise typer.Exit(_compared(folder, compared, seed))
    names = tuple(name for name in workload.split(",") if name) or named.workloads
    for name in names:
        if name not in WORKLOADS:
            fail(f"no workload is called {name!r}; known: {', '.join(WORKLOADS)}")
    access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
    settings = Settings(share=named.share, black_box=black_box, access=access)
    asked = faults or (",".join(named.faults) or "none" if scenario else "")
    keeps = _keeps(target)
    if named.persist and not keeps:
        told = f"{target} keeps nothing over a restart: where it is killed, only what it comes back with is judged"
        Console().print(Text(told))
    with _opened(target, access, folder, persist=persist or (named.persist and keeps)) as opened:
        if folder is None:
            assert replay is not None
            raise typer.Exit(_again(opened, replay, settings))
        campaign = _campaign(opened, folder, _with_faults(settings, asked, opened), named, names, seed)
        started, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        stopped = "budget"
        try:
            campaign.run(seconds, rounds or None)
        except KeyboardInterrupt:
            stopped = "interrupted"
        raise typer.Exit(_end(campaign, seconds, started, time.monotonic() - began, stopped))


def _compared(folder: RunFolder, found: Mapping[str, Comparison], seed: int) -> int:
    """Run scenarios with arms and write their report; the exit code."""
    from chaos.arms import ArmError
    from chaos.comparison import Comparisons, Side, told

    console = Console()

    def watch(name: str, side: Side) -> None:
        console.print(Text(f"{name}, {side.arm.name} ({side.arm.shows}): {len(side.ran.history):,} requests"))
        for line in told(side):
            console.print(Text(f"    {line}"), soft_wrap=True)

    console.print(Text(f"Comparing on the reference: {', '.join(found)}; results in {folder.path}"))
    comparisons = Comparisons(folder, seed, watch)
    started, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    stopped = "comparisons"
    try:
        for name, each in found.items():
            comparisons.one(name, each)
    except KeyboardInterrupt:
        stopped = "interrupted"
    except ArmError as error:
        fail(str(error))
    command = shlex.join(["dynoracle", *sys.argv[1:]])
    run = comparisons.write(command=command, started=started, seconds=time.monotonic() - began, stopped=stopped)
    finish(folder, run, console)
    if any(check.verdict == "violated" for check in run.checks):
        return FINDINGS
    return OK if run.checks else NOTHING


def _keeps(spec: str) -> bool:
    """Whether a target of the catalogue can be started so that its data outlives the process."""
    from conformance.targets.catalogue import CatalogueError, find

    try:
        return find(spec).persists
    except CatalogueError:
        return False


def _opened(spec: str, access: Access, folder: RunFolder | None, *, persist: bool) -> Target:
    from conformance.targets.catalogue import CatalogueError
    from conformance.targets.install import InstallError
    from conformance.targets.process import ProcessError
    from conformance.targets.target import TargetError, open_target

    try:
        run_dir = None if folder is None else folder.path / "targets"
        return open_target(spec, run_dir=run_dir, access=access, persist=persist)
    except (CatalogueError, InstallError, ProcessError, TargetError) as error:
        fail(str(error))


def _with_faults(settings: Settings, asked: str, target: Target) -> Settings:
    """The settings with the faults asked for; of the usual ones those that the target can have."""
    from dataclasses import replace

    from chaos.faults import FaultError, find

    chosen: list[Fault] = []
    try:
        for name in [part for part in asked.split(",") if part and part != "none"]:
            fault = find(name)
            if fault.missing(target):
                fail(f"{fault.name} can't be put into {target.name}: {fault.missing(target)}")
            chosen.append(fault)
    except FaultError as error:
        fail(str(error))
    if not asked:
        chosen = [fault for fault in map(find, USUAL) if fault.available(target)]
    return replace(settings, faults=tuple(chosen))


def _campaign(
    target: Target, folder: RunFolder, settings: Settings, named: Scenario, names: tuple[str, ...], seed: int
) -> Campaign:
    from chaos.trials import Campaign
    from chaos.workloads import WORKLOADS
    from chaos.workloads.base import Size
    from conformance.targets.probe import OPERATIONS_OF, informed, probe

    needs = {need for name in names for need in WORKLOADS[name].needs}
    asked = {operation for need in needs for operation in OPERATIONS_OF.get(need, ())}
    known = informed(target.profile, probe(target, sorted(asked)))
    claimed = [name for name in names if _claims(known, WORKLOADS[name].needs)]
    if not claimed:
        fail(f"{target.name} has nothing that these workloads need: {', '.join(names)}")
    console = Console()
    for name in names:
        if name not in claimed:
            console.print(Text(f"{target.name} lacks what {name} needs: {', '.join(sorted(WORKLOADS[name].needs))}"))
    told = ", ".join(fault.name for fault in settings.faults) or "none"
    console.print(Text(f"Testing {target.name}: {', '.join(claimed)}; faults: {told}; results in {folder.path}"))

    def watch(trial: Trial, control: bool) -> None:
        kind = "control" if control else "faults"
        fired = ", ".join(f"{name} {count}" for name, count in sorted(trial.fired.items()))
        text = (
            f"{trial.plan.workload:<10} seed {trial.plan.seed:<4} {kind:<8} {trial.verdict:<9} {len(trial.ops)} calls"
        )
        console.print(Text(f"{text}  {fired}".rstrip()))
        for anomaly in trial.anomalies()[:3]:
            console.print(Text(f"    {anomaly.kind}: {anomaly.summary}"))
        for reason in trial.reasons()[:2]:
            console.print(Text(f"    unknown: {reason}"))

    size = Size(named.clients, named.acts, named.keys)
    return Campaign(target, folder, settings, claimed, size, seed, watch)


def _claims(profile: Profile, needs: frozenset[str]) -> bool:
    """Whether a target has capabilities, and the operations without which they are nothing."""
    operations = {"transactions": "TransactWriteItems", "streams": "GetRecords", "ttl": "UpdateTimeToLive"}
    lacking = profile.unsupported
    return all(profile.claims(need) and operations.get(need, "") not in lacking for need in needs)


def _end(campaign: Campaign, budget: float, started: str, seconds: float, stopped: str) -> int:
    """Write the run and its reports; the exit code."""
    from chaos.trials import write_run

    command = shlex.join(["dynoracle", *sys.argv[1:]])
    run = write_run(campaign, command=command, budget=budget, started=started, seconds=seconds, stopped=stopped)
    finish(campaign.folder, run, Console())
    if any(not finding.unsettled for finding in run.findings):
        return FINDINGS
    return OK if any(check.verdict == "ok" for check in run.checks) else NOTHING


ATTEMPTS = 5
"""Experiments of a replay: what takes two calls at one moment to show, does not show every time."""


def _again(target: Target, place: Path, settings: Settings) -> int:
    """Run a finding's experiment again until it shows, a few times; the exit code."""
    from chaos.experiment import experiment
    from chaos.trials import Problem, met, saved
    from conformance.record.folder import read_finding

    console = Console()
    try:
        plan, schedule = saved(place)
        wanted = read_finding(place).fingerprint
    except (OSError, ValueError, KeyError) as error:
        fail(f"{place}: holds no experiment of `dynoracle chaos` ({error}): name a folder under a run's findings/")
    attempts = 0
    while True:
        attempts += 1
        trial = experiment(target, plan, schedule, settings)
        problems = [Problem(trial, anomaly) for anomaly in trial.anomalies()]
        problems.sort(key=lambda problem: problem.fingerprint != wanted)
        for problem in problems[:3]:
            lines = [f"{problem.anomaly.kind}: {problem.anomaly.summary}", *problem.anomaly.prose, *met(problem)]
            console.print(Text("\n".join(lines)), soft_wrap=True)
        for reason in trial.reasons():
            console.print(Text(f"unknown: {reason}"))
        if trial.verdict != "ok" or attempts == ATTEMPTS:
            break
    tries = f"in {attempts} experiment{'' if attempts == 1 else 's'}"
    other = ", but not this finding" if problems and problems[0].fingerprint != wanted else ""
    console.print(Text(f"{trial.plan.workload}: {trial.verdict}{other}, {tries}", style="bold"))
    return {"ok": OK, "violated": FINDINGS}.get(trial.verdict, NOTHING)


@app.command()
def lockstep(
    target: Annotated[str, typer.Argument(help="A catalogue name (`dynoracle targets list`) or an http(s) URL.")],
    faults: Annotated[
        str, typer.Option(help="Faults, comma-separated, or `none`; all of the proxy's by default.")
    ] = "",
    schedule: Annotated[Path | None, typer.Option(help="Which faults when, as TOML, for every program.")] = None,
    share: Annotated[float, typer.Option(help="How many requests meet a fault.", min=0, max=1)] = 0.25,
    budget: Annotated[str, typer.Option(help="How long to search: 90s, 2m, 1h.")] = "60s",
    seed: Annotated[int, typer.Option(help="The same seed draws the same programs and faults.")] = 0,
    capability: Annotated[list[str] | None, typer.Option(help="Search only this capability (repeat for more).")] = None,
    black_box: Annotated[
        bool, typer.Option("--black-box", help="Judge by what the client knows, without the proxy's ledger.")
    ] = False,
    persist: Annotated[bool, typer.Option("--persist", help="Start the target so that it keeps its data.")] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="File of accepted findings: replayed first, with their faults.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="Folder of an earlier run: its findings are replayed first, with their faults.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/<time>-<target>-<seed> by default.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Replay a finding's folder with its faults.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 5.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Search a target under faults with one client, each answer judged against the reference, and write a report."""
    from chaos.campaign import CAPABILITIES, Faults, search
    from chaos.faults import FaultError
    from chaos.schedule import ScheduleError, load
    from conformance.machines import MACHINES
    from conformance.record.codec import RecordError
    from conformance.search.baseline import failing, gather, severities_of, write_known
    from conformance.search.campaign import new_folder
    from conformance.targets.target import Access

    for name in capability or ():
        if name not in MACHINES:
            fail(f"no machine searches the capability {name!r}; known: {', '.join(MACHINES)}")
    access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
    seconds, console = seconds_of(budget), Console()
    try:
        plan = load(schedule, seed) if schedule is not None else None
        told_before = gather(baseline, previous)
        folder = None if replay is not None else new_folder(out, target, seed)
        if folder is not None:
            write_known(folder, told_before)
    except (ScheduleError, RecordError, OSError) as error:
        fail(file_trouble(error))
    with _opened(target, access, folder, persist=persist) as opened:
        if folder is None:
            assert replay is not None
            raise typer.Exit(_replayed(opened, replay, access))
        names = [part for part in faults.split(",") if part and part != "none"]
        try:
            chosen = Faults.named(
                names, opened, share=0.0 if faults == "none" else share, schedule=plan, black_box=black_box
            )
        except (FaultError, ValueError) as error:
            fail(str(error))
        told = ", ".join(fault.name for fault in chosen.all()) if chosen.share or plan else "none"
        console.print(Text(f"Testing {opened.name} for {seconds:.0f} s; faults: {told}; results in {folder.path}"))
        found = search(
            opened, folder, chosen, seed=seed, budget=seconds, capabilities=capability or CAPABILITIES,
            timeout=timeout, access=access,
        )  # fmt: skip
    fired = ", ".join(f"{count} {name}" for name, count in sorted(found.fired.items())) or "no fault"
    console.print(Text(f"{found.run.programs} programs, {found.run.calls} calls, {fired}"))
    for reason, count in found.unknown.items():
        console.print(Text(f"unknown, {count} times: {reason}"))
    finish(folder, found.run, console)
    if failing(found.run, severities_of("any")):
        raise typer.Exit(FINDINGS)
    raise typer.Exit(OK if found.run.calls else NOTHING)


def _replayed(target: Target, place: Path, access: Access) -> int:
    """Replay a finding with its faults; the exit code."""
    from chaos.campaign import replay_on
    from conformance.record.codec import RecordError
    from conformance.replay import ReplayError

    console = Console()
    try:
        result = replay_on(target, place, access)
    except (RecordError, ReplayError) as error:
        fail(str(error))
    for line in result.lines:
        console.print(Text(line))
    console.print(Text(f"{result.verdict}: {result.text}", style="bold"))
    return OK if result.verdict == "fixed" else FINDINGS
