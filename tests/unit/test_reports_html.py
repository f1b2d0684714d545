from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from conformance.record.run import CapabilityResult, CheckResult, Run
from reports import html
from tests.unit.record_samples import ACCEPTS, CRASH, CREATE, DATA, HOSTILE, PUT, RUN, UNSETTLED, hostile_run

FOLDER = Path("runs/demo")
VOID = {"meta", "br", "wbr"}


class Page(HTMLParser):
    """Elements with their attributes, and the text in each kind of element; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *without: str) -> str:
        return "".join(data for tag, data in self.texts if tag not in (*without, "script", "style"))


def page(run: Run = RUN) -> Page:
    return Page(html.render(run, FOLDER))


def test_everything_of_a_run_is_there() -> None:
    text = page().text()
    for told in (
        "moto 5.2.5", "http://127.0.0.1:8000", "9c2e51ab (1432 rules)", "61 s of a budget of 60 s", "412", "6,180",
        "the time budget was used up", "Batches may be answered in part.",
        "In today's words: PutItem; in the words of before 2026: Scan.", "Nothing has to survive a restart.",
        "Real: what needs time is waited for.", "dynoracle run moto --seconds 60 --seed 7",
        "4 distinct divergences from DynamoDB", "worker 2 ended: the target did not start in 30 s",
        "SET a = a + :v stores the exact sum.", "dynoracle replay runs/demo/findings/0a1b2c3d4e5f",
        "5/5 replays", "seen 17×", "2026-11-22 09:58 UTC, chunk 4; made smaller with 23 requests",
        "dataplane:UPD-4, conflicts:35", "A Scan over one tiny item costs 2 units.", "rules: 512 of 1,432 reached",

            "operations: 3 of 4 reached", "DeleteItem", "errors: 2 of 3 reached",
            "partiql.select#one no answer in 10 s",
            "Not held against the target",
        "client.update_item(", "UpdateExpressionSET #n = #n + :one", "boto3 cannot send this program as it is",
        '"TableStatus": "CREATING"',
    ):  # fmt: skip
        assert told in text, told


def test_only_what_differs_is_shown_side_by_side() -> None:
    text = html.render(replace(RUN, findings=(DATA,)), FOLDER)
    row = '<tr><th scope="row">Attributes.n</th>\n<td class="want">2</td><td class="got">1</td>\n</tr>'
    assert row in text
    assert text.count('<td class="want">') == 1
    message = html.render(replace(RUN, findings=(UNSETTLED,)), FOLDER)
    assert "Key: <mark>pk</mark></td>" in message
    assert "Key: <mark>&#39;&#39;</mark></td>" in message


def test_it_is_one_file_that_loads_nothing() -> None:
    text = html.render(RUN, FOLDER)
    read = Page(text)
    assert read.all("link") == read.all("img") == read.all("iframe") == []
    assert all("src" not in attributes for _, attributes in read.elements)
    assert "url(" not in text
    assert "@import" not in text
    script, style = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("script", "style"))
    assert script is not None
    assert style is not None
    policy = next(a["content"] for a in read.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    for kind, code in (("script", script[1]), ("style", style[1])):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"fetch\(|XMLHttpRequest|eval\(|innerHTML|document\.write", script[1])


def test_hostile_texts_stay_texts() -> None:
    plain, spoilt = page(), page(hostile_run(HOSTILE))
    assert Counter(tag for tag, _ in spoilt.elements)["script"] == 1
    assert {tag for tag, _ in spoilt.elements} <= {tag for tag, _ in plain.elements} | {"small", "div", "wbr"}
    names = {name for _, attributes in spoilt.elements for name in attributes}
    assert not any(name.startswith("on") or name == "style" for name in names)
    text = spoilt.text()
    assert "alert(1)</script>" in text
    assert "{{7*7}}" in text
    assert "49" not in text.replace("6,149", "")
    assert all(letter.isprintable() or letter in "\n\t" for letter in html.render(hostile_run(HOSTILE), FOLDER))
    for attributes in spoilt.all("a"):
        assert re.match(r"#|findings/[\w%.~-]+/|https://", attributes["href"]), attributes


def test_links_go_to_sources_and_files_only() -> None:
    links = [attributes["href"] for attributes in page().all("a")]
    assert "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_number.py" in links
    assert "https://example.org/capture?a=1&b=2" in links
    assert "findings/0a1b2c3d4e5f/reproduce.py" in links
    script = replace(DATA, evidence=({"kind": "recorded", "source": "javascript:alert(1)", "on": ""},))
    assert not any("javascript:" in a["href"] for a in page(replace(RUN, findings=(script,))).all("a"))
    away = replace(DATA, fingerprint="../../etc")
    assert "findings/..%2F..%2Fetc/" in [a["href"] for a in page(replace(RUN, findings=(away,))).all("a")]


def test_every_finding_is_listed_without_javascript() -> None:
    read = page()
    cards = [a for a in read.all("details") if a.get("class") == "finding"]
    assert [card["data-severity"] for card in cards] == ["crash", "data", "accepts", "message", "message"]
    assert all("hidden" not in card for card in cards)
    assert all("hidden" in form for form in read.all("form"))
    assert cards[1] == {
        "class": "finding", "id": "finding-0a1b2c3d4e5f", "data-severity": "data", "data-capability": "expressions",
        "data-rule": "expressions.addition", "data-operation": "UpdateItem", "open": "",
    }  # fmt: skip


def test_filters_offer_what_there_is() -> None:
    read = page()
    assert [select["name"] for select in read.all("select")] == ["severity", "capability", "rule", "operation"]
    values = [option["value"] for option in read.all("option")]
    assert values[: values.index("expressions")] == ["", "crash", "data", "accepts", "message", ""]


def test_it_can_be_read_aloud_and_by_keyboard() -> None:
    text = html.render(RUN, FOLDER)
    read = Page(text)
    assert read.all("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in read.all("a") if a["href"].startswith("#")} <= set(ids)
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later - level <= 1 for level, later in pairwise(levels))
    assert all("scope" in cell for cell in read.all("th"))
    for section in read.all("section"):
        assert section["aria-labelledby"] in ids
    assert len(read.all("select")) == text.count("<label>")


@pytest.mark.parametrize("verdict", ["unknown", "unsupported", "not-reached", "fine", ""])
def test_what_is_not_known_is_never_green(verdict: str) -> None:
    run = replace(RUN, findings=(), checks=(), errors=(), capabilities=(CapabilityResult("items", verdict),))
    text = html.render(run, FOLDER).partition('<p class="legend">')[0]
    text = text.partition("</style>")[2]
    assert "v-ok" not in text
    assert "row-ok" not in text


def test_nothing_found_is_no_proof() -> None:
    run = replace(RUN, findings=(), checks=(), errors=(), suspects=(), capabilities=(CapabilityResult("items", "ok"),))
    text = page(run).text()
    assert "No divergence from DynamoDB found in this run" in text
    assert "That is no proof that there are none." in text
    assert "Unsettled" not in text
    assert "Errors of the run" not in text


def test_an_empty_run_has_a_page() -> None:
    run = replace(
        RUN, findings=(), checks=(), errors=(), suspects=(), capabilities=(), coverage={}, timing={}, profile={},
        target={}, programs=0, calls=0,
    )  # fmt: skip
    text = page(run).text()
    assert "unnamed target" in text
    assert "No capability was reached." in text
    assert "No coverage was recorded." in text


def test_remarks_say_how_sure_and_how_small() -> None:
    unsure = replace(DATA, replayed=2, notes={"exhausted": True})
    text = page(replace(RUN, findings=(unsure,))).text()
    assert "It does not show on every replay." in text
    assert "a smaller one may show the same" in text
    assert "2/5 replays" in text
    gone = replace(DATA, replays=0, replayed=0, notes={"reproduced": False, "unreduced": True})
    text = page(replace(RUN, findings=(gone,))).text()
    assert "It did not show again" in text
    assert "The run ended before this program was made smaller." in text
    assert "not replayed" in text


def test_what_to_look_at_first_is_the_worst_of_each_rule_and_what_is_new() -> None:
    waived = replace(CRASH, fingerprint="aa01", notes={"accepted": {"reason": "known"}}, rule="items.waived")
    again = replace(DATA, fingerprint="zz02")
    run = replace(RUN, findings=(waived, DATA, again, ACCEPTS), known=({"fingerprint": DATA.fingerprint},))
    text = html.render(run, FOLDER)
    start = text[text.index('<ol class="start">') : text.index("</ol>", text.index('<ol class="start">'))]
    assert re.findall(r'href="#finding-(\w+)"', start) == [ACCEPTS.fingerprint, DATA.fingerprint]
    assert "known before" in start
    assert text.index('id="start"') < text.index('id="capabilities"') < text.index('id="findings"')
    assert text.index('id="findings"') < text.index('id="run"')
    assert 'id="start"' not in html.render(replace(RUN, findings=(waived,)), FOLDER)


def test_members_that_a_check_does_not_name_do_not_differ() -> None:
    expected = {"success": {"Table": {"Throughput": {"Max": 7}}}}
    observed = {"success": {"Table": {"Name": "t", "Replicas": []}, "More": 1}}

    def places(answer: dict[str, object]) -> list[str]:
        finding = replace(DATA, expected=expected, observed=observed, accepted=({"answer": answer},))
        return [row.place for row in html._differing(finding)]

    has = {"has": {"Throughput": {"Max": 7}}, "at": "Table"}
    assert places(has) == ["Table.Throughput"]
    assert places({**has, "lacks": ["Replicas"]}) == ["Table.Throughput", "Table.Replicas"]
    assert places({"body": {}}) == ["Table.Throughput", "Table.Name", "Table.Replicas", "More"]


def test_five_hundred_findings_fit_beside_all_checks() -> None:
    findings = tuple(replace(f, fingerprint=f"{i:06x}{n}") for i in range(100) for n, f in enumerate(RUN.findings))
    checks = tuple(
        CheckResult(f"expressions.some-long-name-of-a-rule#{n}", f"expressions.some-long-name-of-a-rule-{n // 3}",
                    "expressions", "violated")
        for n in range(2400)
    )  # fmt: skip
    text = html.render(replace(RUN, findings=findings, checks=checks), FOLDER)
    assert len(text.encode()) < 2_000_000


def test_five_hundred_findings_fit_and_keep_what_matters() -> None:
    findings = tuple(replace(f, fingerprint=f"{i:06x}") for i in range(100) for f in RUN.findings)
    text = html.render(replace(RUN, findings=findings), FOLDER)
    assert len(text.encode()) < 2_000_000
    assert text.count('<details class="finding"') == 500
    assert text.count("<summary>boto3 code</summary>") == 400
    assert text.count("dynoracle replay runs/demo/findings/") == 501  # The first is told twice.


def test_five_hundred_monsters_fit() -> None:
    item = {f"a{n}": {"L": [{"S": "\u202e<&\"'" * 20}] * 20} for n in range(200)}
    put = {**PUT, "body": {"TableName": "${table:t0}", "Item": item}}
    monster = replace(
        DATA, program=(CREATE, *[put] * 20), summary="<" * 400, expected={"success": {"Item": item}}, accepted=(),
        observed={"success": {"Item": {**item, **{f"b{n}": {"S": "<&" * 2000} for n in range(30)}}}},
    )  # fmt: skip
    findings = tuple(replace(monster, fingerprint=f"{i:06x}") for i in range(4))
    one = len(html.render(replace(RUN, findings=(CRASH,)), FOLDER).encode())
    every = len(html.render(replace(RUN, findings=findings), FOLDER).encode())
    assert (every - one) / 4 < html.ROOM_MOST * 1.5
    view = html._view(monster, FOLDER, html.SIZE_AIM // 500)
    assert sum(len(step.text) for step in view.steps) < 3_000
    assert view.code is None
    assert view.json is None


def test_the_full_answers_are_left_to_the_file_when_they_are_long() -> None:
    long = replace(ACCEPTS, observed={"success": {"Item": {"a": {"S": "x" * 100_000}}}})
    text = page(replace(RUN, findings=(long,))).text()
    assert "The full answers are in finding.json." in text
    assert "x" * 200 not in text
    assert "(100,000 characters)" in text
