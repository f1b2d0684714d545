"""``dynoracle calibrate`` and ``dynoracle clean``: what is done on endpoints that are paid for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from conformance.commands.base import FINDINGS, OK, fail, seconds_of
from conformance.launch import Finished, Order
from conformance.record.codec import RecordError
from conformance.record.folder import RunFolder
from conformance.targets.target import MAX_COST, Access, TargetError

app = typer.Typer()
Runs = Callable[[Order, Path | None], Finished]
_runs: list[Runs] = []
LISTED = 30
"""Rules that are listed by name."""


def wire_run(run: Runs) -> None:
    """How an order is carried out: set where ``dynoracle run`` is."""
    _runs.append(run)


@app.command()
def calibrate(
    target: Annotated[str, typer.Argument(help="`aws`, or the URL of an endpoint whose word is evidence.")] = "aws",
    account_id: Annotated[str, typer.Option(help="The account that pays, which you hereby name.")] = "",
    allow_aws: Annotated[bool, typer.Option("--allow-aws", help="Yes: make tables there, and pay for them.")] = False,
    region: Annotated[str, typer.Option(help="AWS region.")] = "us-east-1",
    max_cost: Annotated[float, typer.Option(help="USD that may be spent, by estimate.", min=0)] = MAX_COST,
    budget: Annotated[str, typer.Option(help="How long: 90s, 10m, 1h. Directed checks come first.")] = "10m",
    seed: Annotated[int, typer.Option(help="Seed of the campaign.")] = 0,
    capability: Annotated[list[str] | None, typer.Option(help="Only this capability (repeat for more).")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only the directed checks of this rule.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to write.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be asked.")] = None,
) -> None:
    """Put the suite to AWS and record its answers: whatever differs there is a fault of the reference."""
    from conformance.calibration import collect

    if not allow_aws:
        fail("tables on AWS are paid for: give --allow-aws, and --account-id with the account that pays")
    order = Order(
        target, RunFolder(Path()), seconds_of(budget), seed, 1, capability or (), rule or (), timeout,
        command=shlex.join(["dynoracle", *sys.argv[1:]]), allow_hosts=allow_host or (), search=not rule,
        allow_aws=True, account_id=account_id, region=region, max_cost=max_cost, recording=True,
    )  # fmt: skip
    finished = _runs[0](order, out)
    run, folder = finished.run, finished.folder
    if run.calls == 0 and run.errors:
        fail(run.errors[0])
    console = Console()
    done = collect(folder, run, region)
    told = f"{done.recorded} checks recorded in {done.path}: {len(done.confirmed)} rules confirmed"
    console.print(Text(f"{told}, {len(done.contradicted)} contradicted", style="bold"))
    for name in done.contradicted[:LISTED]:
        console.print(Text(f"  the reference is wrong, or the region is of another cohort: {name}"))
    if len(done.contradicted) > LISTED:
        console.print(Text(f"  and {len(done.contradicted) - LISTED} more"))
    raise typer.Exit(FINDINGS if done.contradicted else OK)


@app.command()
def clean(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    account_id: Annotated[str, typer.Option(help="The account that the tables are in.")] = "",
    allow_aws: Annotated[bool, typer.Option("--allow-aws", help="The tables are on AWS, in --account-id.")] = False,
    region: Annotated[str, typer.Option(help="AWS region; that of the run by default.")] = "",
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Delete the tables that a run made and left behind, as its ledger lists them."""
    from conformance.clean import clean as cleaned
    from conformance.targets.catalogue import CatalogueError

    access = Access(
        allow_hosts=allow_host or (), allow_aws=allow_aws, account_id=account_id or None, region=region or None,
        ca_file=ca_file, insecure=insecure,
    )  # fmt: skip
    console, there, count = Console(), 0, 0
    try:
        for table in cleaned(run, access):
            console.print(Text(f"{table.name}: {table.state}"))
            count, there = count + 1, there + table.there
    except (RecordError, TargetError, CatalogueError) as error:
        fail(str(error))
    console.print(Text(f"{count} tables were listed, {there} are left", style="bold"))
    raise typer.Exit(FINDINGS if there else OK)
