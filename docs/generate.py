"""Writes the pages that follow from the ledger and the code, ``docs/status.md`` first: ``python -m docs.generate``.

``docs/spec-index.tsv`` lists the statements of the specification by id. Each is either the source of a rule of the
ledger (its ``spec`` field) or stands in ``docs/unmapped.toml`` with the reason why it is not: by id, or for a family of
ids by their common beginning and ``*``. ``--check`` writes nothing and says whether the pages are up to date.
"""

from __future__ import annotations

import argparse
import csv
import functools
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.arms import Comparison
from chaos.scenario import failures, load
from conformance.checks import all_checks
from conformance.checks.base import ARTICLE
from conformance.claims import VERDICTS, WAYS, claims
from conformance.machines import MACHINES
from conformance.targets.profile import CAPABILITIES
from reference.operations import OPERATIONS
from reference.requests.model import inputs
from reference.rules import STRENGTHS, Rule, ledger

FOLDER = Path(__file__).parent
REASONS = ("not-observable", "disputed", "not-yet")
"""Why a statement is no rule: nobody outside can see it; the sources contradict each other; it is still to be built."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the specification: ``key`` is ``file:id``, ``starts`` how it begins."""

    key: str
    starts: str

    @property
    def file(self) -> str:
        """The part of the specification it stands in."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a statement stands: the rules that come from it, or else the kind of reason and the reason itself."""

    rules: tuple[str, ...] = ()
    kind: str = ""
    reason: str = ""


@functools.cache
def statements() -> tuple[Statement, ...]:
    """All statements of the specification."""
    with (FOLDER / "spec-index.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(Statement(f"{row['file']}:{row['id']}", row["starts"]) for row in rows)


@functools.cache
def unmapped() -> Mapping[str, tuple[str, str]]:
    """Pattern of ids → kind and reason; ValueError for a kind that is none."""
    table = tomllib.loads((FOLDER / "unmapped.toml").read_text(encoding="utf-8"))
    wrong = sorted(set(table) - set(REASONS))
    if wrong:
        raise ValueError(f"unmapped.toml: {wrong[0]!r} is no kind of reason; known: {', '.join(REASONS)}")
    return {pattern: (kind, reason) for kind, reasons in table.items() for pattern, reason in reasons.items()}


def standings(rules: Iterable[Rule]) -> dict[str, Standing]:
    """Where every statement stands; one that is neither mapped nor explained is ``not-yet`` without a reason."""
    sources: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        for key in rule.spec:
            sources[key].append(rule.name)
    return {each.key: _standing(each.key, sources.get(each.key, ())) for each in statements()}


def _standing(key: str, rules: Sequence[str]) -> Standing:
    if rules:
        return Standing(tuple(sorted(rules)))
    found = unmapped().get(key)
    if found is None:
        fitting = (p for p in unmapped() if p.endswith("*") and key.startswith(p[:-1]))
        longest = max(fitting, key=len, default=None)
        found = ("not-yet", "no reason is written down") if longest is None else unmapped()[longest]
    return Standing((), *found)


def _cell(text: str) -> str:
    """Text as it can stand in a table of a page."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield "| " + " | ".join(_cell(str(each)) for each in row) + " |"
    yield ""


def _by_capability(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {name: [] for name in CAPABILITIES}
    for rule in rules:
        found.setdefault(rule.capability, []).append(rule)
    return found


def status() -> str:
    """The page that says what is and isn't built."""
    rules = tuple(ledger().values())
    lines = [
        "# Status",
        "",
        "Written by `make docs` from the ledger, the machines, the checks and `docs/unmapped.toml`. Don't edit it.",
        "",
        *_operations(),
        *_capabilities(rules),
        *_evidence(rules),
        *_coverage(standings(rules)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _operations() -> Iterator[str]:
    known, modelled = set(inputs()), set(OPERATIONS)
    yield from ("## Operations", "")
    yield f"{len(modelled & known)} of the {len(known)} operations of DynamoDB and DynamoDB Streams are modelled."
    yield ""
    missing = sorted(known - modelled)
    yield f"Not modelled: {', '.join(missing)}." if missing else "None is missing."
    yield ""


def _capabilities(rules: Iterable[Rule]) -> Iterator[str]:
    checks = Counter(check.capability for check in all_checks())
    rows = []
    lacking: dict[str, list[str]] = {"rules": [], "directed checks": [], "machine of its own": []}
    for name, held in _by_capability(rules).items():
        machine = name in MACHINES
        rows.append((name, len(held), sum(1 for r in held if r.error), checks[name] or "–", "yes" if machine else "no"))
        for what, there in zip(lacking, (held, checks[name], machine), strict=True):
            if not there:
                lacking[what].append(name)
    yield from ("## Capabilities", "")
    yield "A machine draws programs for a capability; without one, its rules are tried by directed checks alone."
    yield ""
    yield from _table(("capability", "rules", "of them refusals", "directed checks", "machine"), rows)
    for what, names in lacking.items():
        yield f"* Without {what}: {', '.join(names) or 'none'}."
    others = sorted(set(MACHINES) - set(CAPABILITIES))
    yield f"* Directed checks of the article's claims, besides: {checks[ARTICLE]}."
    yield f"* Machines across capabilities: {', '.join(others) or 'none'}."
    yield ""


def _evidence(rules: Sequence[Rule]) -> Iterator[str]:
    counts = Counter("disputed" if rule.disputed else rule.strength for rule in rules)
    yield from ("## Evidence", "", f"The ledger holds {len(rules)} rules.", "")
    yield from _table(("best evidence", "rules"), [(kind, counts[kind]) for kind in (*STRENGTHS, "disputed")])


def _coverage(found: Mapping[str, Standing]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in statements():
        counts[each.file][found[each.key].kind or "rules"] += 1
    yield from ("## The specification", "", "What became of the statements the model was built from, by part.", "")
    rows = [
        (file, held.total(), *(held[kind] for kind in ("rules", *REASONS)), f"{held['not-yet'] / held.total():.1%}")
        for file, held in counts.items()
    ]
    yield from _table(("part", "statements", "in rules", "not observable", "disputed", "not yet", "share"), rows)
    for kind, title in zip(REASONS, ("Not observable", "Disputed", "Not yet"), strict=True):
        yield from (f"### {title}", "")
        listed = [(s.key, s.starts, found[s.key].reason) for s in statements() if found[s.key].kind == kind]
        yield from _table(("statement", "begins", "why"), listed) if listed else ("None.", "")


def rules_page() -> str:
    """The page with every rule, and every statement of the specification with its rules."""
    rules = tuple(ledger().values())
    lines = [
        "# Rules",
        "",
        "What DynamoDB does, as far as this project knows: written by `make docs` from the ledger, `reference/rules/`.",
        "`dynoracle rules NAME` shows a rule with its texts and evidence.",
        "",
    ]
    for capability, held in _by_capability(rules).items():
        if held:
            lines += [f"## {capability}", ""]
            rows = (_row(rule) for rule in sorted(held, key=lambda rule: rule.name))
            lines += _table(("rule", "says", "error", "evidence", "specification"), rows)
    lines += ["## By statement of the specification", ""]
    found = standings(rules)
    stated = (
        (s.key, s.starts, ", ".join(found[s.key].rules) or found[s.key].kind.replace("-", " ")) for s in statements()
    )
    lines += _table(("statement", "begins", "rules"), stated)
    return "\n".join(lines).rstrip() + "\n"


def _row(rule: Rule) -> tuple[str, ...]:
    evidence = "disputed" if rule.disputed else rule.strength
    return (f"`{rule.name}`", rule.says, rule.error or "", evidence, ", ".join(rule.spec))


_WAYS = dict(zip(WAYS, ("shown by", "no answer shows it:", "another service's:", "not yet:"), strict=True))


def article() -> str:
    """The page with every claim of the article, what is so, and how that is shown."""
    held = tuple(claims().values())
    checks = Counter(check.claim for check in all_checks() if check.claim)
    counted = Counter(claim.verdict for claim in held)
    tried = Counter(claim.way for claim in held)
    lines = [
        "# The article",
        "",
        "What a widely read article claims of DynamoDB, and what is so: written by `make docs` from",
        "`conformance/claims.toml` and the directed checks. `dynoracle run TARGET --capability article` tries them",
        "on a target; what is throttled, measured or cached shows on targets that are served so, such as",
        "`reference-throttled` and `reference-dax`.",
        "",
        *_table(("verdict", "means", "claims"), ((name, means, counted[name]) for name, means in VERDICTS.items())),
        f"Directed checks show {tried['']} claims, other tests {tried['tests']}; of {tried['unseen']} no answer tells; "
        f"{tried['elsewhere']} are about other services, {tried['not-yet']} about what is not built yet.",
        "",
    ]
    for part in dict.fromkeys(claim.part for claim in held):
        lines += [f"## {part}", ""]
        lines += _failures() if part == FAILURES else []
        rows = (
            (
                claim.id,
                claim.says,
                claim.verdict,
                claim.truth,
                f"{_WAYS[claim.way]} {claim.why}" if claim.way else f"{checks[claim.id]} checks",
                ", ".join(claim.sources),
            )
            for claim in held
            if claim.part == part
        )
        lines += _table(("claim", "it says", "verdict", "what is so", "shown", "sources"), rows)
    return "\n".join(lines).rstrip() + "\n"


FAILURES = "Failure scenarios"


def _failures() -> Iterator[str]:
    """The rows of the article's table of failures, each with its scenario."""
    yield "`dynoracle chaos reference --scenario NAME` shows a row of the article's table, as it fails and mitigated,"
    yield "side by side; `--scenario failures` shows all of them."
    yield ""
    found = {name: load(name) for name in failures()}
    rows = ((each.row, f"`{name}`", each.truth) for name, each in found.items() if isinstance(each, Comparison))
    yield from _table(("failure", "scenario", "what is so"), rows)


PAGES = {"status.md": status, "rules.md": rules_page, "article.md": article}
"""File name → what writes it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or check them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the pages are up to date")
    options = parser.parse_args(arguments)
    stale = []
    for name, write in PAGES.items():
        path, text = FOLDER / name, write()
        if options.check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not options.check:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"docs: {', '.join(stale)} not up to date: run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
