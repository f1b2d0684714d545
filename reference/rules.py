"""The ledger: every rule of DynamoDB that the reference knows, with its words and its evidence.

Rules live in ``reference/rules/<capability>.toml`` and are named ``<capability>.<slug>``. Code holds conditions;
the ledger holds sentences, error codes, message templates and sources.
"""

from __future__ import annotations

import functools
import re
import string
import tomllib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from reference.api import Json, Refusal

Cohort = Literal["current", "older"]
"""Which of two generations of AWS's front end speaks (dataplane:DRIFT-1)."""

COHORTS: tuple[Cohort, ...] = ("current", "older")
STRENGTHS = ("recorded", "documented", "modelled", "inferred")
_TEXT = re.compile(r"\btexts?\b")
_FOLDER = Path(__file__).parent / "rules"
_FIELDS = {
    "says", "error", "message", "status", "layer", "envelope", "phrase", "accept", "accept_codes",
    "disputed", "quota", "spec", "evidence", "variants", "was", "observable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a rule comes from: how it is known, a citation a reader can follow, and the month it was seen."""

    kind: str
    source: str
    on: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence about what DynamoDB does.

    ``message`` is a template for ``str.format`` in today's wording and ``older`` the one of the older cohort, where
    it differs. ``layer`` is ``values`` when the value layer, not the operation's cohort, chooses the wording
    (conflicts.md G2). ``envelope`` marks texts that single-item writes prefix with ``1 validation error detected: ``.
    ``phrase`` limits comparison of a target's message to that part; ``accept`` lists further full texts,
    ``accept_codes`` further error codes. A ``disputed`` rule is never a finding. A ``quota`` is AWS's to raise for an
    account: going beyond it is none either.
    """

    name: str
    says: str
    error: str | None = None
    message: str | None = None
    older: str | None = None
    status: int = 400
    layer: str = ""
    envelope: bool = False
    phrase: str | None = None
    accept: tuple[str, ...] = ()
    accept_codes: tuple[str, ...] = ()
    disputed: bool = False
    quota: bool = False
    observable: bool = True
    spec: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    was: tuple[str, ...] = ()

    @property
    def capability(self) -> str:
        """The area of the service this rule belongs to: the part of the name before the dot."""
        return self.name.split(".", 1)[0]

    @property
    def open(self) -> bool:
        """Whether no answer that breaks it is a finding."""
        return self.disputed or self.quota

    @property
    def strength(self) -> str:
        """The best kind of evidence: recorded, documented, modelled or inferred."""
        kinds = {e.kind for e in self.evidence}
        return next((kind for kind in STRENGTHS if kind in kinds), "inferred")

    @property
    def worded(self) -> bool:
        """Whether its words are recorded too, not only that it is so: inferred evidence says where the text is not."""
        told = any(e.kind == "inferred" and _TEXT.search(e.source) for e in self.evidence)
        return self.strength == "recorded" and not told


@dataclass(frozen=True, slots=True)
class Surface:
    """How one operation words its refusals: its cohort, its value layer, its envelope (conflicts.md G1, G2)."""

    operation: str
    cohort: Cohort
    values: Cohort
    envelope: bool
    wraps_values: bool


_SINGLE_WRITES = ("PutItem", "UpdateItem", "DeleteItem")
_READS = ("GetItem", "BatchGetItem", "Query")
_OLDER_BY_DEFAULT = ("BatchWriteItem", "TransactWriteItems", "TransactGetItems")
_NO_WRAPPER = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")


@functools.cache
def surface(operation: str, cohort: Cohort | None = None) -> Surface:
    """The wording of an operation, in the given cohort or in the one most regions speak (conflicts.md G1)."""
    if cohort is None:
        cohort = "older" if operation in _OLDER_BY_DEFAULT else "current"
    if operation in _SINGLE_WRITES or operation in _READS:
        single = operation in _SINGLE_WRITES
        current = cohort == "current"
        return Surface(operation, cohort, values=cohort, envelope=single and current, wraps_values=not current)
    return Surface(operation, cohort, values="older", envelope=False, wraps_values=operation not in _NO_WRAPPER)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a request breaks, with what the message needs to name it.

    ``parts`` holds the single constraints of an aggregated ``N validation errors detected`` answer, ``fields`` further
    members of the error body, ``placeholder`` the expression value (``:v``) in which a value error sits. ``older`` is
    what the older cohort reports in its place, where the cohorts differ in more than words: which constraints they
    join, and in which order (dataplane:DRIFT-2e). ``causes`` are the faults for which a transaction is cancelled.
    """

    rule: Rule
    params: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Violation, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)
    placeholder: str | None = None
    older: Violation | None = None
    causes: tuple[Violation, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The rules it names, those of its parts and of what the older cohort reports included."""
        inner = (*self.parts, *((self.older,) if self.older is not None else ()))
        return frozenset({self.rule.name}.union(*(part.names for part in inner)))

    def at(self, placeholder: str) -> Violation:
        """The same violation, found in the expression value with that placeholder."""
        return replace(self, placeholder=placeholder)

    def message(self, speak: Surface) -> str | None:
        """The text the service answers with when it speaks like ``speak``."""
        if self.older is not None and speak.cohort == "older":
            return self.older.message(speak)
        if self.parts:
            count = len(self.parts)
            listed = "; ".join(part.message(speak) or "" for part in self.parts)
            return f"{count} validation error{'s' if count > 1 else ''} detected: {listed}"
        rule = self.rule
        cohort = speak.values if rule.layer == "values" else speak.cohort
        template = rule.older if cohort == "older" and rule.older is not None else rule.message
        if template is None:
            return None
        text = fill(template, self.params)
        if self.placeholder is not None and speak.wraps_values and rule.layer == "values":
            text = f"ExpressionAttributeValues contains invalid value: {text} for key {self.placeholder}"
        return f"1 validation error detected: {text}" if rule.envelope and speak.envelope else text

    def refusal(self, speak: Surface) -> Refusal:
        """The error answer of the service."""
        if self.older is not None and speak.cohort == "older":
            return self.older.refusal(speak)
        return Refusal(self.rule.error or "", self.message(speak), self.rule.status, self.fields, (self.rule.name,))


def fill(template: str, params: Mapping[str, Any]) -> str:
    """The template with its parameters, or as it stands where it takes none."""
    return template.format_map(params) if "{" in template or "}" in template else template


T = TypeVar("T")
Checks = Generator[Violation, None, T]
"""A generator of violations in the order the service checks; its return value is what the checks built."""


def violation(name: str, **params: Any) -> Violation:
    """The violation of a named rule of the ledger; KeyError when there is no such rule."""
    return Violation(ledger()[name], params)


def first(checks: Checks[T]) -> tuple[Violation | None, T | None]:
    """What the service does: stop at the first violation, or take what the checks built."""
    try:
        return next(checks), None
    except StopIteration as stop:
        return None, stop.value


def every(checks: Checks[T]) -> tuple[list[Violation], T | None]:
    """All true violations, in order, and what the checks built where they could."""
    found: list[Violation] = []
    while True:
        try:
            found.append(next(checks))
        except StopIteration as stop:
            return found, stop.value


class LedgerError(Exception):
    """A rule file that cannot be used; the message names file, rule and field."""


@functools.cache
def ledger() -> dict[str, Rule]:
    """Every rule by name."""
    rules: dict[str, Rule] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for rule in _read(path):
            rules[rule.name] = rule
    return rules


def _read(path: Path) -> Iterable[Rule]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LedgerError(f"{path.name}: not TOML: {error}") from error
    for area, rules in table.items():
        if area != path.stem:
            raise LedgerError(f"{path.name}: rule area {area!r} must be the file's name, {path.stem!r}")
        for slug, fields in rules.items():
            yield _rule(f"{area}.{slug}", fields, path)


def _rule(name: str, fields: dict[str, Any], path: Path) -> Rule:
    unknown = set(fields) - _FIELDS
    if unknown:
        raise LedgerError(f"{path.name}: {name}: unknown field {sorted(unknown)[0]!r}; known: {sorted(_FIELDS)}")
    if not fields.get("says"):
        raise LedgerError(f"{path.name}: {name}: 'says' must hold a sentence")
    values = {k: v for k, v in fields.items() if k not in ("variants", "evidence")}
    for key in ("accept", "accept_codes", "spec", "was"):
        values[key] = tuple(values.get(key, ()))
    evidence = tuple(Evidence(**entry) for entry in fields.get("evidence", ()))
    older = next((v["message"] for v in fields.get("variants", ()) if v["cohort"] == "older"), None)
    return Rule(name=name, older=older, evidence=evidence, **values)


def pattern(template: str) -> re.Pattern[str]:
    """A pattern that matches every text made from the template, for recognising what a target answered."""
    parts = (
        re.escape(text) + (".*" if name is not None else "") for text, name, _, _ in string.Formatter().parse(template)
    )
    return re.compile("".join(parts), re.DOTALL)
