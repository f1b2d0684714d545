"""The article's claims in the reports: all of them, what is so, and how the target stands; as text, whatever it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from conformance.claims import told
from conformance.record.run import CheckResult, Run, run_from_json, run_to_json
from reports import html, markdown, terminal
from reports.article import parts, standing, totals
from tests.unit.record_samples import HOSTILE, RUN

CHECKS = (
    CheckResult("claims.C108", "indexes.consistent-read", "article", "ok"),
    CheckResult("claims.C111[strongly]", "capacity.index-read-units", "article", "violated"),
)
ARTICLE = replace(RUN, claims=told(CHECKS))


def page(run: Run) -> str:
    return html.render(run, Path("runs/x"))


def printed(run: Run, width: int = 120) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(terminal.render(run))
    return captured.get()


def rows(run: Run) -> dict[str, Any]:
    return {row.id: row for part in parts(run) for row in part.rows}


def test_a_run_keeps_its_claims() -> None:
    assert run_from_json(run_to_json(ARTICLE)).claims == ARTICLE.claims


def test_every_claim_has_a_row_with_what_is_so_and_how_it_is_shown() -> None:
    held = rows(ARTICLE)
    assert len(held) == 286
    assert (held["C108"].verdict, held["C108"].shown) == ("contradicted", "ok")
    assert held["C108"].truth == "EC only; ConsistentRead=true → ValidationException"
    assert held["C111"].shown == "violated"
    assert held["C39"].shown == "not-reached"
    assert (held["C1"].shown, held["C1"].how) == ("", "no answer shows it: a service level agreement")
    assert held["C74"].how.startswith("shown by tests/unit/test_claims.py")


def test_counts() -> None:
    held = list(rows(ARTICLE).values())
    assert sum(totals(held).values()) == 286
    assert standing(held)["ok"] == standing(held)["violated"] == 1


def test_the_page_has_the_whole_article() -> None:
    text = page(ARTICLE)
    assert '<h2 id="article">' in text
    assert '<a href="#article">' in text
    assert text.count('<tr id="claim-') == 286
    assert "EC only; ConsistentRead=true → ValidationException" in text


def test_the_summary_has_the_whole_article() -> None:
    text = markdown.render(ARTICLE, Path("runs/x"))
    assert "### The article" in text
    assert "| C286 |" in text
    line = next(line for line in text.splitlines() if line.startswith("| C108 |"))
    assert "contradicted" in line
    assert line.endswith("✅ ok |")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_terminal_counts_and_names_what_is_not_so(width: int) -> None:
    lines = printed(ARTICLE, width).splitlines()
    assert "The article" in lines
    assert any("286 claims: 107 confirmed" in line for line in lines)
    assert any(line.startswith("  ✗ C111 contradicted") for line in lines)
    assert any(line.startswith("  ✓ C108 contradicted") for line in lines)
    assert not any(" C39 " in line for line in lines), "what is so, and was not tried, needs no line"


def test_without_the_article_nothing_is_said_of_it() -> None:
    assert "article" not in page(RUN).lower()
    assert "The article" not in markdown.render(RUN, Path("runs/x"))
    assert "The article" not in printed(RUN)


def test_claims_of_a_foreign_folder_are_text() -> None:
    row = dict.fromkeys(("id", "part", "says", "verdict", "truth", "way", "why", "shown"), HOSTILE)
    foreign = replace(RUN, claims=(row,))
    assert page(foreign).count("<script>") == page(RUN).count("<script>")
    assert all(letter.isprintable() or letter == "\n" for letter in printed(foreign))
    assert "<script>" not in markdown.render(foreign, Path("runs/x"))
