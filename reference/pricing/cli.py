"""``dynoracle cost``: what a workload costs a month in either capacity mode, and where they cost the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from reference.pricing import article, plot
from reference.pricing.calculator import (
    Bill,
    PriceError,
    Prices,
    Workload,
    auto_scaled,
    break_even,
    dollars,
    on_demand,
    prices,
    provisioned,
)


def cost(
    rcu: Annotated[float, typer.Option(min=0, help="Read units a second at the peak.")] = 100.0,
    wcu: Annotated[float, typer.Option(min=0, help="Write units a second at the peak.")] = 50.0,
    utilisation: Annotated[
        float, typer.Option(min=0, max=100, help="How much of the peak is used on average, in per cent.")
    ] = 100.0,
    replicas: Annotated[int, typer.Option(min=0, help="Further regions that writes go to.")] = 0,
    storage: Annotated[float, typer.Option(min=0, help="GB that the table holds.")] = 0.0,
    region: Annotated[str, typer.Option(help="AWS region whose prices count.")] = "us-east-1",
    table_class: Annotated[str, typer.Option(help="STANDARD or STANDARD_INFREQUENT_ACCESS.")] = "STANDARD",
    on: Annotated[str, typer.Option(help="Prices of that day, as in 2024-10-31; the latest by default.")] = "",
    target: Annotated[float, typer.Option(min=20, max=90, help="Utilisation that auto scaling aims at.")] = 70.0,
    svg: Annotated[Path | None, typer.Option(help="Write the break-even curve there, as SVG.", dir_okay=False)] = None,
    claims: Annotated[
        bool, typer.Option("--article", help="Also an article's figures for 100 RCU and 50 WCU, worked out anew.")
    ] = False,
) -> None:
    """What a workload costs a month, provisioned, with auto scaling and on-demand, in US dollars."""
    try:
        day = date.fromisoformat(on) if on else None
    except ValueError as error:
        raise typer.BadParameter(f"{on!r} is no day: write 2024-10-31", param_hint="--on") from error
    try:
        at = prices(region, table_class, day)
    except PriceError as error:
        raise typer.BadParameter(str(error)) from error
    work = Workload(rcu, wcu, utilisation / 100, replicas, storage)
    console = Console()
    bills = (provisioned(work, at), auto_scaled(work, at, target=target / 100), on_demand(work, at))
    console.print(_table(work, at, bills))
    console.print(_verdict(work, at), highlight=False)
    if claims:
        console.print(_article())
    if svg is not None:
        try:
            svg.write_text(plot.picture(work, at), encoding="utf-8")
        except OSError as error:
            typer.echo(f"dynoracle: cannot write {svg}: {error.strerror}", err=True)
            raise typer.Exit(2) from error
        typer.echo(f"curve: {svg}")


def _table(work: Workload, at: Prices, bills: tuple[Bill, ...]) -> Table:
    about = " (approximate)" if at.approximate else ""
    table = Table(
        title=f"A month of {work.reads:g} RCU and {work.writes:g} WCU, {100 * work.utilisation:g} % used",
        caption=f"{at.region}, {at.table_class}, prices since {at.since}{about}, seen {at.seen}: {at.source}",
    )
    table.add_column("mode")
    for name in ("reads", "writes", "replicated", "storage", "total"):
        table.add_column(name, justify="right")
    for bill in bills:
        figures = (bill.reads, bill.writes, bill.replicated, bill.storage, bill.total)
        table.add_row(bill.mode, *map(dollars, figures))
    return table


def _verdict(work: Workload, at: Prices) -> str:
    even = break_even(work, at)
    if even is None:
        return "On-demand is cheaper whatever is used."
    return (
        f"On-demand is cheaper while less than {100 * even:.1f} % of the peak is used on average; "
        f"at full use it costs {1 / even:.2f} times as much."
    )


def _article() -> Table:
    table = Table(title="An article's figures, a month")
    for name in ("what", "it says", "its formula gives", "right", "why"):
        table.add_column(name)
    for claim in article.claims():
        table.add_row(claim.what, claim.says, claim.formula, claim.right, claim.why)
    return table
