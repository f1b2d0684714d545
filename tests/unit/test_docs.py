"""The generated pages account for every statement of the specification; the committed ones have their shape."""

from __future__ import annotations

import re

import pytest

from docs import generate
from reference.rules import Evidence, Rule, ledger

FOUND = generate.standings(ledger().values())
KEYS = {statement.key for statement in generate.statements()}


def headings(page: str) -> set[str]:
    return {line for line in page.splitlines() if line.startswith("#")}


@pytest.mark.parametrize("name", generate.PAGES)
def test_committed_pages_have_the_shape_of_generated_ones(name: str) -> None:
    # Not their very text: with it, whoever adds a rule would also have to commit these pages. `make docs` renews them.
    committed = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert headings(committed) <= headings(generate.PAGES[name]())


def test_every_statement_is_a_rule_or_has_a_reason() -> None:
    assert [key for key, each in FOUND.items() if each.reason == "no reason is written down"] == []


def test_every_reason_is_about_some_statement() -> None:
    patterns = generate.unmapped()
    assert [p for p in patterns if not any(k == p or (p[-1] == "*" and k.startswith(p[:-1])) for k in KEYS)] == []


def test_rules_name_statements_that_exist() -> None:
    named = {key for rule in ledger().values() for key in rule.spec if key.startswith(("dataplane:", "beyond:"))}
    # A letter at the end is a part of a statement; the reserved words are a list without a number.
    whole = {re.sub(r"(\d)[a-z]$", r"\1", key) for key in named}
    assert whole - KEYS - {"dataplane:RES"} == set()


def test_little_of_the_data_plane_is_not_built_yet() -> None:
    kinds = [each.kind for key, each in FOUND.items() if key.startswith("dataplane:")]
    assert kinds.count("not-yet") <= 0.02 * len(kinds)


def test_a_rule_counts_before_a_reason_and_the_longest_reason_before_a_shorter_one() -> None:
    rule = Rule("dax.ttl", "Entries expire.", spec=("beyond:DAX-13",), evidence=(Evidence("documented", "AWS"),))
    assert generate.standings([rule])["beyond:DAX-13"].rules == ("dax.ttl",)
    assert generate.standings([])["beyond:DAX-13"].kind == "not-observable"
    assert generate.standings([])["beyond:DAX-12"].kind == "not-yet"


def test_cells_keep_a_table_whole() -> None:
    assert generate._cell("a | b\n<c>") == "a \\| b &lt;c>"


def test_check_tells_stale_pages(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"page.md": lambda: "text\n"})
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "page.md").write_text("other\n")
    assert generate.main(["--check"]) == 1
