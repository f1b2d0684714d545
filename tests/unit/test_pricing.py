"""What workloads cost: prices by day, both modes, break-even, and an article's figures worked out anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from reference.pricing import article, plot
from reference.pricing.calculator import (
    PriceError,
    Workload,
    auto_scaled,
    break_even,
    curve,
    dollars,
    known,
    on_demand,
    prices,
    provisioned,
    read_units,
    write_units,
)
from reference.pricing.cli import cost

STEADY = Workload(100, 50)
BEFORE = date(2024, 10, 31)


def test_a_steady_workload_in_both_modes() -> None:
    bill = provisioned(STEADY, prices())
    assert (dollars(bill.reads), dollars(bill.writes), dollars(bill.total)) == ("$9.49", "$23.73", "$33.22")
    assert dollars(on_demand(STEADY, prices(), hours=720).total) == "$113.40"
    assert dollars(on_demand(STEADY, prices(on=BEFORE), hours=720).total) == "$226.80"


def test_prices_are_those_of_the_day() -> None:
    assert prices(on=date(2024, 11, 1)).million_wru == 0.625
    assert prices(on=BEFORE).million_wru == 1.25
    assert prices().since == date(2024, 11, 1)
    with pytest.raises(PriceError, match="the first are of 2018-11-28"):
        prices(on=date(2018, 1, 1))
    with pytest.raises(PriceError, match="known: us-east-1 STANDARD"):
        prices("mars-north-1")


def test_every_price_says_where_it_is_from() -> None:
    for each in known():
        assert each.source
        assert each.since <= each.seen
        assert min(each.rcu_hour, each.wcu_hour, each.million_rru, each.million_wru, each.storage) > 0


@pytest.mark.parametrize(("day", "times", "share"), [(None, 3.46, 28.9), (BEFORE, 6.92, 14.4)])
def test_break_even(day: date | None, times: float, share: float) -> None:
    at = prices(on=day)
    assert tuple(round(each, 2) for each in at.ratio) == (times, times)
    even = break_even(STEADY, at)
    assert even is not None
    assert round(100 * even, 1) == share
    used = Workload(100, 50, even)
    assert provisioned(used, at).total == pytest.approx(on_demand(used, at).total)


def test_where_next_to_nothing_is_asked_for_on_demand_is_cheaper() -> None:
    assert break_even(Workload(0.1, 0.1), prices()) is None
    assert provisioned(Workload(0, 0), prices()).total == pytest.approx(730 * (0.00013 + 0.00065))


def test_units_of_items() -> None:
    assert [read_units(size) for size in (0.1, 4, 4.1, 400)] == [1, 1, 2, 100]
    assert read_units(5, consistent=False) == 1.0
    assert read_units(5, transactional=True) == 4.0
    assert [write_units(size) for size in (0.1, 1, 1.5)] == [1, 1, 2]
    assert write_units(1.5, transactional=True) == 4.0


def test_replicas_storage_and_scaling() -> None:
    at = prices()
    assert on_demand(Workload(0, 1_000_000 / 2_628_000, replicas=2), at).replicated == pytest.approx(1.25)
    assert provisioned(Workload(1, 1, replicas=1), at).replicated == pytest.approx(730 * 0.00065)
    assert provisioned(Workload(1, 1, storage_gb=125), at).storage == pytest.approx(25.0)
    assert auto_scaled(Workload(100, 50, 0.35), at, target=0.7).total == pytest.approx(33.215 / 2)


def test_the_curve_meets_where_the_modes_cost_the_same() -> None:
    points = list(curve(STEADY, prices()))
    assert points[0][1:] == (pytest.approx(33.215), 0.0)
    cheaper = [share for share, fixed, asked in points if asked < fixed]
    assert max(cheaper) == 0.28


def test_the_article_worked_out_anew() -> None:
    found = {claim.what: claim for claim in article.claims()}
    first = found["100 RCU and 50 WCU, provisioned"]
    assert (first.says, first.formula, first.right) == ("$12.47", "$11.86", "$33.22")
    second = found["the same, on-demand"]
    assert (second.says, second.formula, second.right) == ("$52.19", "$226.80", "$113.40")
    third = found["on-demand at full use costs"]
    assert (third.formula, third.right) == ("19.1 times", "3.46 times")
    assert found["1M reads and 100k writes a day, on-demand"].right in ("$5.62", "$5.63")
    assert found["the same, provisioned without peaks"].right == "$2.09"


@pytest.mark.parametrize("work", [STEADY, Workload(0.1, 0.1), Workload(40_000, 40_000, storage_gb=500)])
def test_the_picture_is_a_whole_document(work: Workload) -> None:
    root = ElementTree.fromstring(plot.picture(work, prices()))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    for line in lines:
        places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        assert len(places) == 101
        assert all(0 <= x <= plot.WIDTH and 0 <= y <= plot.HEIGHT for x, y in places)


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(cost)
    return CliRunner().invoke(app, arguments)


def test_the_command_shows_a_table_and_writes_the_curve(tmp_path: Path) -> None:
    svg = tmp_path / "curve.svg"
    result = run("--rcu", "100", "--wcu", "50", "--article", "--svg", str(svg))
    assert result.exit_code == 0
    assert "$33.22" in result.output
    assert "28.9 %" in result.output
    assert svg.read_text().startswith("<svg")


@pytest.mark.parametrize("arguments", [("--on", "yesterday"), ("--region", "mars-north-1"), ("--utilisation", "101")])
def test_what_it_can_not_use_is_said(arguments: tuple[str, str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_curve_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    assert run("--svg", str(tmp_path / "no-such-folder" / "curve.svg")).exit_code == 2
