"""JUnit, Markdown and terminal: text that is compared with snapshots, and that stays text whatever a target said."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

import reports
from conformance.record.folder import RecordError, RunFolder
from conformance.record.run import CapabilityResult, CheckResult, Run
from reports import junit, markdown, terminal
from reports.claims import claims
from reports.notation import titled
from reports.outline import counts, duration, moment, outline, replay_command
from tests.unit.record_samples import ACCEPTS, DATA, HOSTILE, MESSAGE, RUN, UNSETTLED, hostile_run

SNAPSHOTS = Path(__file__).parents[1] / "snapshots" / "reports"
FOLDER = Path("runs/demo")


def shown(run: Run, folder: Path | None = FOLDER, width: int = 110) -> str:
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(terminal.render(run, folder))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("junit.xml", junit.render(RUN, FOLDER)),
        ("summary.md", markdown.render(RUN, FOLDER)),
        ("terminal.txt", shown(RUN)),
    ],
)
def test_snapshot(name: str, text: str) -> None:
    """``SNAPSHOTS=write pytest`` writes them anew; read the difference before it is committed."""
    path = SNAPSHOTS / name
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def cases(run: Run) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(junit.render(run, FOLDER))
    return {f"{case.get('classname')}.{case.get('name')}": case for case in root.iter("testcase")}


def test_junit_tells_failures_errors_and_skipped_apart() -> None:
    told = {name: [(outcome.tag, outcome.get("type")) for outcome in case] for name, case in cases(RUN).items()}
    assert told == {
        "dynoracle.run.run.the run came to its end": [("error", "unknown")],
        "dynoracle.checks.keys.keys.empty-string#put": [("failure", "violated")],
        "dynoracle.checks.items.items.put#plain": [],
        "dynoracle.checks.partiql.partiql.select#one": [("error", "unknown")],
        "dynoracle.checks.streams.streams.shards#one": [("skipped", "not-reached")],
        "dynoracle.checks.vectors.vectors.search#one": [("skipped", "unsupported")],
        "dynoracle.search.expressions.expressions.addition": [("failure", "data")],
        "dynoracle.search.keys.keys.empty-string": [("failure", "accepts")],
        "dynoracle.search.tables.tables.short-name": [("skipped", "unsettled")],
        "dynoracle.search.wire.wire.deep-json": [("failure", "crash")],
        "dynoracle.search.items.programs": [],
        "dynoracle.search.partiql.programs": [("error", "unknown")],
        "dynoracle.search.streams.programs": [("skipped", "not-reached")],
        "dynoracle.search.vectors.programs": [("skipped", "unsupported")],
    }


def test_junit_counts_are_those_of_its_cases() -> None:
    root = ElementTree.fromstring(junit.render(RUN, FOLDER))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.get(attribute, "")) == len(list(root.iter(tag)))
        assert sum(int(suite.get(attribute, "")) for suite in root) == len(list(root.iter(tag)))


def test_junit_holds_all_findings_of_a_rule_in_one_case() -> None:
    text = cases(RUN)["dynoracle.search.keys.keys.empty-string"][0].text or ""
    assert "accepts: PutItem is accepted" in text
    assert "message: PutItem is refused with other words" in text
    assert "dynoracle replay runs/demo/findings/1111aaaa2222" in text
    assert "dynoracle replay runs/demo/findings/3333bbbb4444" in text
    assert 'PutItem t0 Item={pk: ""}' in text


def test_junit_of_unsupported_and_unsettled_findings_does_not_fail() -> None:
    unsupported = replace(DATA, severity="unsupported", rule="vectors.search", capability="vectors")
    told = cases(replace(RUN, findings=(UNSETTLED, unsupported)))
    assert [o.tag for o in told["dynoracle.search.vectors.vectors.search"]] == ["skipped"]
    assert [o.tag for o in told["dynoracle.search.tables.tables.short-name"]] == ["skipped"]
    both = cases(replace(RUN, findings=(replace(MESSAGE, unsettled=True), ACCEPTS)))
    text = both["dynoracle.search.keys.keys.empty-string"][0].text or ""
    assert both["dynoracle.search.keys.keys.empty-string"][0].tag == "failure"
    assert "other words" not in text


def test_junit_stays_xml_whatever_a_target_said() -> None:
    run = hostile_run("\x00\x08\x0b\x1f\x7f\x85\ud800\udfff\ufffe\uffff]]><!--&amp;" + HOSTILE)
    text = junit.render(run, FOLDER)
    root = ElementTree.fromstring(text)
    assert re.search("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text) is None
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
    assert root.get("tests") == ElementTree.fromstring(junit.render(RUN, FOLDER)).get("tests")


def test_junit_is_bounded() -> None:
    many = replace(RUN, findings=tuple(replace(ACCEPTS, fingerprint=f"{i:04}", says="x" * 999) for i in range(300)))
    text = junit.render(many, FOLDER)
    assert "280 more findings of this rule" in text or "characters)" in text
    assert len(text) < 100_000


def test_markdown_stays_text_whatever_a_target_said() -> None:
    text = markdown.render(hostile_run(HOSTILE + "\n\n# Title\n| a | b |\n```\n@all www.x.example $x$ [a](b)"), FOLDER)
    assert text.count("```") == 2
    text = text.partition("```")[0]
    assert "<" not in text
    assert "\n# " not in text
    assert "@all" not in text
    assert "www.x" not in text
    assert "](b)" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {3, 6, 7}
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_markdown_is_bounded_and_says_so() -> None:
    many = replace(RUN, findings=tuple(replace(DATA, fingerprint=f"{i:04}", summary="x" * 9999) for i in range(500)))
    text = markdown.render(many, FOLDER)
    assert "440 more are in report.html." in text
    assert len(text) < 60_000


def test_the_terminal_gets_no_control_sequences() -> None:
    text = shown(hostile_run("\x1b[2J\x1b]0;title\x07[bold red]x[/]" + HOSTILE), Path("runs/\x1b[2J"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[bold red]x[/]" in text


def test_the_terminal_keeps_fingerprints_whole_when_it_is_narrow() -> None:
    for width in (80, 110, 200):
        text = shown(RUN, width=width)
        for finding in RUN.findings:
            assert finding.fingerprint in text
        assert max(map(len, text.splitlines())) <= width


def test_the_terminal_says_where_the_rest_is() -> None:
    many = replace(RUN, findings=tuple(replace(DATA, fingerprint=f"{i:04}") for i in range(50)))
    assert "… and 10 more in the report" in shown(many)
    assert "Report:" not in shown(RUN, None)


def ok(capability: str, verdict: str = "ok") -> CapabilityResult:
    return CapabilityResult(capability, verdict, 1, 1)


WAIVED = replace(DATA, notes={"accepted": {"reason": "known"}})
ALSO = replace(ACCEPTS, notes={"accepted": {"reason": "known"}})
VIOLATED = ok(DATA.capability, "violated")
OF_WAIVED = CheckResult("a", DATA.rule, DATA.capability, "violated")
OF_UNSETTLED = CheckResult("a", UNSETTLED.rule, UNSETTLED.capability, "violated")
ANOTHER = CheckResult("a", "tables.other", "tables", "violated", "ffff")
BY_NUMBER = replace(ANOTHER, fingerprint=DATA.fingerprint)


@pytest.mark.parametrize(
    ("change", "verdict", "headline"),
    [
        ({}, "ok", "No divergence from DynamoDB found in this run"),
        ({"findings": (DATA,)}, "violated", "1 distinct divergence from DynamoDB"),
        ({"findings": (DATA, ACCEPTS)}, "violated", "2 distinct divergences from DynamoDB"),
        ({"findings": (UNSETTLED,)}, "ok", "No divergence from DynamoDB found in this run"),
        ({"findings": (replace(DATA, severity="unsupported"),)}, "ok", "No divergence from DynamoDB found in this run"),
        ({"checks": (CheckResult("a", "b", "c", "violated"),)}, "violated", "Directed checks are violated"),
        ({"findings": (WAIVED,), "capabilities": (VIOLATED,)}, "ok", "Nothing new: the 1 divergence accepted before"),
        ({"findings": (WAIVED,), "checks": (OF_WAIVED,)}, "ok", "Nothing new: the 1 divergence accepted before"),
        ({"findings": (WAIVED,), "checks": (BY_NUMBER,)}, "ok", "Nothing new: the 1 divergence accepted before"),
        ({"findings": (WAIVED, ALSO)}, "ok", "Nothing new: all 2 divergences accepted before"),
        ({"findings": (WAIVED, ACCEPTS)}, "violated", "2 distinct divergences from DynamoDB, 1 accepted"),
        ({"findings": (WAIVED,), "errors": ("x",)}, "unknown", "No verdict: the run itself had errors; 1 accepted"),
        ({"findings": (WAIVED,), "checks": (ANOTHER,)}, "violated", "Directed checks are violated"),
        ({"findings": (UNSETTLED,), "checks": (OF_UNSETTLED,)}, "ok", "No divergence from DynamoDB found in this run"),
        ({"checks": (CheckResult("a", "b", "c", "unknown"),)}, "unknown", "No verdict: not enough could be judged"),
        (
            {"checks": tuple(CheckResult("a", "b", "c", verdict) for verdict in ("ok", "unknown"))},
            "ok",
            "No divergence from DynamoDB found in this run",
        ),
        ({"errors": ("x",)}, "unknown", "No verdict: not enough could be judged"),
        ({"capabilities": ()}, "unknown", "No verdict: not enough could be judged"),
        ({"capabilities": (ok("a", "not-reached"),)}, "unknown", "No verdict: not enough could be judged"),
        ({"capabilities": (ok("a"), ok("b", "not-reached"), ok("c", "unsupported"))}, "ok", "No divergence"),
        ({"capabilities": (ok("a"), ok("b", "unknown"))}, "unknown", "No verdict"),
        ({"capabilities": (ok("a", "fine"),)}, "unknown", "No verdict"),
    ],
)
def test_the_verdict_of_a_run(change: dict[str, object], verdict: str, headline: str) -> None:
    run = replace(RUN, findings=(), checks=(), errors=(), capabilities=(ok("items"),))
    view = outline(replace(run, **change))  # type: ignore[arg-type]
    assert view.verdict == verdict
    assert view.headline.startswith(headline)


def test_no_mark_of_a_violation_stands_over_what_is_accepted() -> None:
    run = replace(RUN, findings=(WAIVED, ALSO, UNSETTLED), checks=(OF_WAIVED, OF_UNSETTLED), errors=())
    run = replace(run, capabilities=(VIOLATED, ok("items")))
    assert shown(run).lstrip().startswith("✓ Nothing new")
    assert markdown.render(run, FOLDER).startswith("## ✅ Nothing new")


def test_what_is_typed_is_never_cut() -> None:
    finding = replace(DATA, rule="expressions." + "a-very-long-name-" * 2, summary="It differs " * 20)
    for width in (80, 100, 140, 200):
        lines = shown(replace(RUN, findings=(finding,)), width=width).splitlines()
        assert any(finding.rule in line for line in lines)
        assert any(finding.fingerprint in line for line in lines)
        assert max(map(len, lines)) <= width


def test_a_summary_says_in_words_how_answers_differ() -> None:
    assert [
        titled(text)
        for text in (
            "DescribeBackup (x): OnDemandThroughput:missing: expected {'A': 7}, got None",
            "Scan: Items.*:unexpected: expected None, observed {'pk': 1}",
            "Query: Items:fewer: expected [1], observed []",
            "Query: Items:more: expected [], observed [1]",
            "UpdateItem: item.*.N:value: expected 1, observed 2",
            "PutItem is answered with HTTP 500",
        )
    ] == [
        "DescribeBackup (x): OnDemandThroughput is missing, expected {'A': 7}",
        "Scan: Items.* must not be there, observed {'pk': 1}",
        "Query: Items: too few, expected [1], observed []",
        "Query: Items: too many, expected [], observed [1]",
        "UpdateItem: item.*.N: expected 1, observed 2",
        "PutItem is answered with HTTP 500",
    ]


def test_what_a_target_was_given_is_told_in_sentences() -> None:
    profile = {
        "latitude": {"state_lag": 10.0, "partial_batches": True, "buckets": True, "novel": 3},
        "cohorts": {"Scan": "older", "PutItem/values": "current", "Query": "current/older"},
        "capabilities": ["items", "keys"],
        "unsupported": ["ListImports", "SearchVectors"],
        "durability": "process", "clock": "driven", "settings": ["dax"], "auth": True, "region": "us-east-1",
        "staleness": 0.0, "throttles": False,
    }  # fmt: skip
    assert [row for row in claims(profile) if row[1]] == [
        (
            "Latitude",
            "A table or index may stay in a passing state for 10 s; batches may be answered in part; novel: 3.",
        ),
        ("Refusals", "In today's words: PutItem (values); in both: Query; in the words of before 2026: Scan."),
        ("Asked for", "items, keys."),
        ("Not asked for", "2 operations it lacks: ListImports, SearchVectors."),
        ("Durability", "What was written has to survive the end of the process."),
        ("Clock", "Ours to set: no time is waited for."),
        ("Served with", "dax, checked signatures."),
        ("region", "us-east-1"),
    ]
    assert claims({})[0] == ("Latitude", "None: each answer had to be one that DynamoDB could give.")
    assert not any(text for _, text in claims({})[1:])
    nested = {"profile": {"clock": "wall"}, "latitude": {}, "cohorts": "older"}
    assert ("Clock", "Real: what needs time is waited for.") in claims(nested)


def test_times_are_told_as_people_write_them() -> None:
    assert moment("2026-11-22T17:18:47+00:00") == "2026-11-22 17:18 UTC"
    assert moment("2026-11-22T17:18:47+02:00") == "2026-11-22 15:18 UTC"
    assert [moment(text) for text in ("", "soon", "2026-11-22T17:18:47")] == ["", "soon", "2026-11-22T17:18:47"]


def test_findings_come_worst_first_and_unsettled_ones_apart() -> None:
    view = outline(replace(RUN, findings=(*RUN.findings, replace(DATA, severity="novel", fingerprint="0"))))
    assert [f.severity for f in view.findings] == ["crash", "data", "accepts", "message", "novel"]
    assert [f.rule for f in view.unsettled] == ["tables.short-name"]
    assert view.severities == {"crash": 1, "data": 1, "accepts": 1, "message": 1, "novel": 1}


def test_words() -> None:
    assert [duration(s) for s in (0.04, 9.96, 61.2, 125, 120, 3600, 5400)] == [
        "0.0 s", "10.0 s", "61 s", "2 min 5 s", "2 min", "1 h", "1 h 30 min",
    ]  # fmt: skip
    assert counts({"crash": 1, "data": 2000}) == "1 crash, 2,000 data"
    assert counts({}) == "none"
    assert replay_command(Path("a b/run"), replace(DATA, fingerprint="0f")) == "dynoracle replay 'a b/run/findings/0f'"


def test_all_reports_are_written_from_the_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_run(RUN)
    reports.write_all(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "report.html", "junit.xml", "summary.md"}
    ElementTree.parse(folder.junit)
    assert f"dynoracle replay {tmp_path}/findings/7777dddd8888" in folder.summary.read_text()
    with pytest.raises(RecordError, match="cannot be read"):
        reports.write_all(tmp_path / "elsewhere")
