"""The article's failures as scenarios: every row has one, each arm shows what it should, and can fail to."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import reports
from chaos import arms, comparison, load, scenario
from chaos.arms import ArmError, Comparison, Expectation
from chaos.comparison import Comparisons, Side, judged
from chaos.load import Series
from conformance.claims import claims
from conformance.record.folder import RunFolder, read_run
from conformance.record.run import run_to_json
from dynoracle import app
from reference.rules import ledger

ROWS = {
    "Hot partition key": "hot-partition",
    "Provisioned capacity exceeded": "capacity-exceeded",
    "On-demand mode cost spike": "cost-spike",
    "DynamoDB outage in single region": "region-outage",
    "Cache invalidation race": "stale-cache",
    "Transaction conflict": "transaction-conflict",
    "TTL expired but not deleted immediately": "expired-items",
}
"""The article's table of failures, row by row."""
SMALL: dict[str, Any] = {
    "says": "Three puts, and one of them too late.", "seconds": 4, "step": 1, "bucket": 1, "rules": ["ttl.expiry"],
    "setup": [{"operation": "CreateTable", "body": {
        "TableName": "tab", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }}],
    "load": {"puts": {
        "operation": "PutItem", "rate": [[0, 2], [2, 0]], "pick": {"who": 1},
        "body": {"TableName": "tab", "Item": {"pk": {"S": "{who}-{n}"}, "at": {"N": "{now+10}"}}},
    }},
    "arms": {
        "plain": {"shows": "failure", "says": "All.", "expect": [{"says": "four", "measure": "served", "least": 4}]},
        "late": {
            "shows": "mitigation", "says": "From the second second on.", "load": {"puts": {"rate": [[1, 2], [2, 0]]}},
            "expect": [{"says": "two", "measure": "served", "least": 1, "most": 2}],
        },
    },
}  # fmt: skip


def compared(name: str) -> Comparison:
    found = scenario.load(name)
    assert isinstance(found, Comparison)
    return found


def with_(**members: Any) -> dict[str, Any]:
    return {**SMALL, **members}


# --- the article's rows -------------------------------------------------------------------------------------------


def test_every_row_of_the_articles_table_has_its_scenario() -> None:
    assert [(compared(name).row, name) for name in scenario.failures()] == list(ROWS.items())
    told = {id for name in scenario.failures() for id in compared(name).claims}
    assert {id for id, claim in claims().items() if claim.part == "Failure scenarios"} <= told <= claims().keys()


@pytest.mark.parametrize("name", ROWS.values())
def test_each_names_what_is_so_and_the_rules_that_it_shows(name: str) -> None:
    found = compared(name)
    assert set(found.rules) <= ledger().keys()
    assert all(text.endswith(".") for text in (found.says, found.truth, *(arm.says for arm in found.arms)))
    if all(claims()[id].verdict == "contradicted" for id in found.claims):
        assert found.truth.startswith("Contradicted")
    elif all(claims()[id].verdict == "confirmed" for id in found.claims):
        assert found.truth.startswith("Confirmed")
    elif any(claims()[id].verdict == "confirmed" for id in found.claims):
        assert found.truth.startswith("Confirmed, against what the article says elsewhere")


@pytest.mark.parametrize("name", ROWS.values())
def test_the_failure_shows_and_the_mitigation_helps(name: str) -> None:
    found = compared(name)
    sides = [judged(arm, load.run(found, arm, seed=0)) for arm in found.arms]
    for side in sides:
        assert [each for each in side.judged if each.verdict != "ok"] == []
    # The control: what one arm is there to show does not show in an arm that is there for the opposite.
    for side in sides:
        for other in sides:
            if side.arm.shows != other.arm.shows:
                assert judged(side.arm, other.ran).verdict == "violated", (side.arm.name, other.arm.name)
    asked = {tuple(side.ran.series.of(f"{each}.asked")) for side in sides for each in side.arm.load}
    assert len(asked) <= len(found.arms[0].load)


def test_the_same_seed_gives_the_same_history() -> None:
    found = compared("stale-cache")
    short = replace(found, seconds=30.0)
    one, again, other = (load.run(short, short.arms[1], seed).history for seed in (3, 3, 4))
    assert one == again
    assert one != other


# --- files --------------------------------------------------------------------------------------------------------


def test_an_arm_is_the_scenario_with_what_it_lays_over_it() -> None:
    found = arms.parse(
        with_(serve={"dax": True, "dax_item_ttl": 9}, arms={
            **SMALL["arms"],
            "own": {
                "shows": "mitigation", "says": "Its own.", "serve": {"dax_item_ttl": 1},
                "setup": [{"operation": "PutItem", "body": {"TableName": "tab"}}],
                "load": {"puts": {"pick": {"which": 2}, "body": {"Item": {"pk": {"S": "z"}}}}},
                "expect": [{"says": "some", "measure": "served", "least": 1}],
            },
        }),
        "here",
    )  # fmt: skip
    own = found.arms[2]
    assert own.serve == {"dax": True, "dax_item_ttl": 1}
    assert [each.operation for each in own.setup] == ["CreateTable", "PutItem"]
    assert own.load["puts"].pick == {"who": 1, "which": 2}
    assert own.load["puts"].body == {"TableName": "tab", "Item": {"pk": {"S": "z"}, "at": {"N": "{now+10}"}}}
    assert own.differs == (
        ("serve.dax_item_ttl", "1"),
        ("setup", "PutItem TableName=tab"),
        ("load.puts.pick.which", "2"),
        ("load.puts.body.Item.pk.S", "z"),
    )
    assert found.arms[0].differs == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (with_(colour=1), "'colour' is unknown"),
        (with_(seconds="x"), "here: "),
        ({name: value for name, value in SMALL.items() if name != "rules"}, "rules is missing"),
        (with_(rules=["no.such"]), "no rule is called 'no.such'"),
        (with_(claims=["C999"]), "no claim is called 'C999'"),
        (with_(step=9), "none longer than the next"),
        (with_(arms={"plain": SMALL["arms"]["plain"]}), "arms must show each of failure, mitigation"),
        (with_(plots=[{"title": "x", "unit": "y", "lines": {"a": "puts.nope"}}]), "no series 'puts.nope'"),
        (with_(gauges={"puts": {"operation": "x"}}), "here: "),
        (with_(billed="weekly"), "billed is 'weekly'"),
        (with_(load={"puts": {**SMALL["load"]["puts"], "rate": 1e6}}, arms={
            name: {key: value for key, value in arm.items() if key != "load"} for name, arm in SMALL["arms"].items()
        }), "more than 200,000 requests"),
        (with_(arms={**SMALL["arms"], "x": {"shows": "failure", "says": "", "expect": [
            {"says": "nothing", "measure": "served"}
        ]}}), "expects nothing"),
        (with_(arms={**SMALL["arms"], "x": {"shows": "failure", "says": "", "colour": 1}}), "the arm 'x' has"),
    ],
)  # fmt: skip
def test_scenarios_that_cannot(row: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ArmError, match=why):
        arms.parse(row, "here")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"serve": {"colour": 1}}, "colour is no setting"),
        ({"setup": [{"operation": "PutItem", "body": {"TableName": "none", "Item": {}}}]}, "PutItem was refused"),
        ({"events": [{"at": 0, "control": "nothing"}]}, "/_dynoracle/nothing refused"),
        ({"gauges": {"g": {"operation": "DescribeTable", "body": {"TableName": "no"}, "path": "x"}}}, "a gauge asks"),
        ({"load": {"more": {"operation": "GetItem", "rate": 1, "body": {"TableName": "{nobody}"}}}}, "nobody"),
    ],
)
def test_arms_that_cannot_run(change: dict[str, Any], why: str) -> None:
    own = {**SMALL["arms"]["plain"], **change}
    found = arms.parse(with_(arms={**SMALL["arms"], "plain": own}), "here")
    with pytest.raises(ArmError, match=why):
        load.run(found, found.arms[0], 0)


def test_placeholders() -> None:
    known = {"n": 3, "now": 100, "shard": 7}
    body = {"a": [{"S": "k#{shard}#{n}"}], "b": {"N": "{now+60}"}, "c": "{now-1}", "d": 5, "e": "{ }"}
    assert arms.filled(body, known) == {
        "a": [{"S": "k#7#3"}], "b": {"N": "160"}, "c": "99", "d": 5, "e": "{ }",
    }  # fmt: skip


# --- measures -----------------------------------------------------------------------------------------------------


def test_what_is_expected_is_measured_between_its_seconds() -> None:
    series = Series(4, 10.0)
    for at, count in ((0, 1), (9, 1), (10, 4), (39, 8)):
        series.add("one", "served", at, count)
        series.add("one", "sent", at, 2 * count)
    series.add("other", "served", 5, 100)
    series.add("one", "wait", 12, 3.0)
    series.add("one", "wait", 14, 2.0)

    def value(**wanted: Any) -> float:
        return series.value(Expectation("x", **wanted))

    assert value(measure="served") == 114
    assert value(measure="served", load="one") == 14
    assert value(measure="served", load="one", after=10, before=30) == 4
    assert value(measure="served", load="one", per="sent") == 0.5
    assert value(measure="served", load="one", per="stale") == 0
    assert value(measure="wait") == 3.0
    assert value(measure="wait", take="last") == 0.0
    assert value(measure="wait", take="min") == 0.0


def test_bounds_hold_on_both_sides() -> None:
    both = Expectation("x", "served", least=1, most=2)
    assert [both.holds(value) for value in (0.9, 1, 2, 2.1)] == [False, True, True, False]


def test_a_client_gives_up_after_its_attempts_and_goes_elsewhere_when_nobody_answers() -> None:
    own = {
        **SMALL["arms"]["plain"], "serve": {"regions": ["eu-west-1"]},
        "events": [{"at": 0, "control": "outages", "body": {"region": "us-east-1", "seconds": 9}}],
        "load": {"puts": {"attempts": 2, "backoff": 0.0, "paths": ["/us-east-1", "/eu-west-1"]}},
    }  # fmt: skip
    found = arms.parse(with_(arms={**SMALL["arms"], "plain": own}), "here")
    ran = load.run(found, found.arms[0], 0)
    # There is no table in the other region, so that it refuses what is asked, and that is not tried again.
    assert [(each.attempt, each.path, each.outcome) for each in ran.history][:2] == [
        (1, "/us-east-1", "failed"), (1, "/eu-west-1", "refused"),
    ]  # fmt: skip
    assert ran.series.totals() == {
        "asked": 4, "sent": 5, "failed": 1, "refused": 4, "retries": 1, "given-up": 4,
    }  # fmt: skip


# --- runs ---------------------------------------------------------------------------------------------------------


def written(folder: Path, *, least: float = 4.0) -> Comparisons:
    row = json.loads(json.dumps(SMALL))
    row["arms"]["plain"]["expect"][0]["least"] = least
    row["plots"] = [{"title": "Puts", "unit": "a second", "lines": {"served": "puts.served"}}]
    made = Comparisons(RunFolder(folder))
    made.one("small", arms.parse(row, "here"))
    made.write(command="dynoracle", started="2026-11-22T00:00:00+00:00", seconds=1.0, stopped="comparisons")
    return made


def test_a_run_is_on_disk_with_its_series_and_histories(tmp_path: Path) -> None:
    written(tmp_path)
    run = read_run(tmp_path)
    schema = json.loads((Path(reports.__file__).parent / "schema" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(run_to_json(run))))
    assert [(check.check, check.verdict) for check in run.checks] == [
        ("scenario:small/plain: four", "ok"), ("scenario:small/late: two", "ok"),
    ]  # fmt: skip
    assert run.calls == 6
    assert run.coverage == {"operations": {"PutItem": 6}}
    assert run.comparisons[0]["arms"][1]["series"] == [{"served": [0.0, 2.0, 0.0, 0.0]}]
    rows = list(csv.DictReader((tmp_path / "arms" / "small-plain.csv").open()))
    assert [row["puts.served"] for row in rows] == ["2", "2", "0", "0"]
    history = [json.loads(line) for line in (tmp_path / "arms" / "small-late.jsonl").read_text().splitlines()]
    assert history == [
        {"at": 1.0, "load": "puts", "n": 1, "attempt": 1, "outcome": "served"},
        {"at": 1.0, "load": "puts", "n": 2, "attempt": 1, "outcome": "served"},
    ]


def test_what_does_not_show_is_told(tmp_path: Path) -> None:
    made = written(tmp_path, least=5.0)
    sides: tuple[Side, ...] = made.ran[0][2]
    assert list(comparison.told(sides[0])) == ["violated: four (served: 4, expected at least 5)"]
    run = read_run(tmp_path)
    assert [check.verdict for check in run.checks] == ["violated", "ok"]
    assert run.capabilities[0].verdict == "violated"
    assert run.comparisons[0]["verdict"] == "violated"


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def file_of(row: Mapping[str, Any]) -> str:
    text = "\n".join(f"{name} = {toml(value)}" for name, value in row.items())
    assert tomllib.loads(text) == row
    return text


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    own, wrong = tmp_path / "own.toml", tmp_path / "wrong.toml"
    own.write_text(file_of(SMALL))
    wrong.write_text(file_of(with_(arms={
        **SMALL["arms"], "plain": {**SMALL["arms"]["plain"], "expect": [{"says": "x", "measure": "served", "most": 0}]}
    })))  # fmt: skip
    out = str(tmp_path / "run")
    done = run(app, ["chaos", "reference", "--scenario", str(own), "--out", out])
    assert done.exit_code == 0, done.output
    assert "ok: four (served: 4, expected at least 4)" in done.output
    assert read_run(out).comparisons[0]["name"] == "own"
    assert run(app, ["chaos", "reference", "--scenario", f"{own},{wrong}", "--out", out]).exit_code == 1
    assert run(app, ["chaos", "moto", "--scenario", str(own), "--out", out]).exit_code == 2
    assert run(app, ["chaos", "reference", "--scenario", str(own), "--faults", "kill", "--out", out]).exit_code == 2
    assert run(app, ["chaos", "reference", "--scenario", f"{own},races", "--out", out]).exit_code == 2


def test_several_scenarios_run_together_only_if_they_have_arms() -> None:
    assert list(scenario.chosen("failures")[1]) == list(ROWS.values())
    assert list(scenario.chosen("stale-cache,cost-spike")[1]) == ["stale-cache", "cost-spike"]
    assert scenario.chosen("races")[1] == {}
    for wrong in ("races,kill", "races,stale-cache"):
        with pytest.raises(scenario.ScenarioError, match="only scenarios with arms run together"):
            scenario.chosen(wrong)
