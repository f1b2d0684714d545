"""``dynoracle run``, and where all commands about conformance come together."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from conformance.commands import aws, fleet, judge, known, runs, targets
from conformance.commands.base import exit_code, fail, finish, seconds_of, severities_of
from conformance.launch import Finished, Order, Progress, launch, read_order
from conformance.record.codec import RecordError
from conformance.record.finding import SEVERITIES
from conformance.record.folder import RunFolder, file_trouble
from conformance.search.baseline import gather, write_known
from conformance.search.campaign import part_of
from conformance.targets.costs import estimate
from conformance.targets.target import DEFAULT_REGION, MAX_COST, Access, TargetError, permit

app = typer.Typer()


@app.command()
def run(
    target: Annotated[
        str, typer.Argument(help="A catalogue name (`dynoracle targets list`) or an http(s) URL.", show_default=False)
    ] = "",
    budget: Annotated[str, typer.Option(help="How long to search: 90s, 2m, 1h.")] = "2m",
    seed: Annotated[int, typer.Option(help="Seed of the campaign; the same seed draws the same programs.")] = 0,
    capability: Annotated[list[str] | None, typer.Option(help="Search only this capability (repeat for more).")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Run only the directed checks of this rule.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Severities that make the exit code 1: a comma list, any, none.")
    ] = "any",
    baseline: Annotated[
        Path | None, typer.Option(help="File of accepted findings: replayed first, and no failures of the run.")
    ] = None,
    previous: Annotated[
        Path | None, typer.Option(help="Folder of an earlier run: its findings are replayed first.")
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(help="Search over your own tables: DescribeTable JSON, or a CloudFormation template."),
    ] = None,
    shard: Annotated[str, typer.Option(help="i/n: search the i-th of n disjoint parts (`dynoracle merge`).")] = "1/1",
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run of this folder: its target, seed and remaining budget.")
    ] = None,
    workers: Annotated[int, typer.Option("-n", help="Worker processes, each with a target of its own.", min=1)] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Run folder to write; runs/<time>-<target>-<seed> by default.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
    allow_aws: Annotated[
        bool, typer.Option("--allow-aws", help="The endpoint is AWS: make tables there, and pay for them.")
    ] = False,
    account_id: Annotated[str, typer.Option(help="The account that pays, with --allow-aws.")] = "",
    region: Annotated[str, typer.Option(help="AWS region.")] = "",
    max_cost: Annotated[float, typer.Option(help="USD that a run on AWS may cost, by estimate.", min=0)] = MAX_COST,
) -> None:
    """Search a target for differences from DynamoDB, and write a report."""
    wanted = severities_of(fail_on)
    if resume is not None:
        if target or out:
            fail("--resume says which run to go on with: give no target and no --out")
        _go(_resumed(resume), wanted)
    seconds = seconds_of(budget)
    _check(target, capability or (), rule or (), shard)
    _check_access(target, Access(allow_host or (), allow_aws=allow_aws, account_id=account_id, region=region))
    order = Order(
        target, RunFolder(Path()), seconds, seed, workers, capability or (), rule or (), timeout,
        command=shlex.join(["dynoracle", *sys.argv[1:]]), allow_hosts=allow_host or (), ca_file=ca_file,
        insecure=insecure, search=not rule, checks=True, shard=shard, allow_aws=allow_aws, account_id=account_id,
        region=region, max_cost=max_cost,
    )  # fmt: skip
    _go(_begun(order, out, baseline, previous, schema), wanted)


def _begun(
    order: Order, out: Path | None, baseline: Path | None, previous: Path | None, schema: Path | None = None
) -> Order:
    """The order with a fresh run folder that holds what is known of the target, and the user's own tables."""
    from conformance.definitions import DefinitionError, read_definitions, write_definitions
    from conformance.search.campaign import new_folder

    try:
        own = [] if schema is None else read_definitions(schema)
        known = gather(baseline, previous)  # Before the folder is emptied: it may be the one of the earlier run.
        folder = new_folder(out, order.target, order.seed)
        write_known(folder, known)
        if own:
            write_definitions(folder.path, own)
    except (OSError, RecordError, DefinitionError) as error:
        fail(file_trouble(error))
    return replace(order, folder=folder)


def _resumed(folder: Path) -> Order:
    try:
        return read_order(RunFolder(folder))
    except RecordError as error:
        fail(str(error))


def _go(order: Order, wanted: set[str]) -> None:
    """Run, render the reports, and exit."""
    console = Console()
    finished = _carried_out(order, console)
    raise typer.Exit(exit_code(finished.run, finished.status, wanted, console, finished.output))


def _carried_out(order: Order, console: Console) -> Finished:
    """Run, and render the reports."""
    if order.allow_aws:
        cost = estimate(order.budget, order.workers)
        console.print(
            f"This is paid for by account {order.account_id or '(none given)'}: about ${cost:.2f} by estimate; "
            f"it stops at ${order.max_cost:.2f} (--max-cost)"
        )
    part = "" if order.shard == "1/1" else f", part {order.shard}"
    console.print(
        f"Testing [bold]{order.target}[/] for {order.budget:.0f} s, seed {order.seed}{part}; "
        f"results in {order.folder.path}"
    )
    finished = _watched(console, order, order.budget)
    finish(order.folder, finished.run, console)
    return finished


aws.wire_run(lambda order, out: _carried_out(_begun(order, out, None, None), Console()))


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


def _check(target: str, capabilities: Sequence[str], rules: Sequence[str], shard: str) -> None:
    """Say what is wrong with what was asked for, before anything is started."""
    from conformance.checks import all_checks
    from conformance.machines import MACHINES

    if not target:
        fail("name a target: a catalogue name (`dynoracle targets list`) or an http(s) URL")
    known = dict.fromkeys([*MACHINES, *(check.capability for check in all_checks())])
    for name in capabilities:
        if name not in known:
            fail(f"nothing tests the capability {name!r}; known: {', '.join(known)}")
    try:
        part_of(shard)
    except ValueError as error:
        fail(f"--shard: {error}")
    _check_rules(rules)
    _check_target(target)


def _check_access(spec: str, access: Access) -> None:
    """Say so at once when an endpoint must not be called, or may be paid for by who knows whom."""
    from conformance.targets.catalogue import find

    endpoint = spec if "://" in spec else find(spec.removesuffix(":inprocess")).endpoint
    try:
        if endpoint:
            permit(endpoint.replace("{region}", access.region or DEFAULT_REGION), access)
    except TargetError as error:
        fail(str(error))


def _check_rules(names: Sequence[str]) -> None:
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

    scheme, apart, _ = spec.partition("://")
    if apart:
        if scheme.lower() not in ("http", "https"):
            fail(f"{spec!r} is no endpoint: give its http:// or https:// URL")
        return
    try:
        find(spec.removesuffix(":inprocess"))
    except CatalogueError as error:
        fail(str(error))


for _part in (aws.app, fleet.app, known.app, judge.app, runs.app, targets.app):
    app.registered_commands += _part.registered_commands
    app.registered_groups += _part.registered_groups
