"""The calls of a program as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.notation import answer, compact, one_line, readable

LINE_LIMIT = 2000
"""Characters of one parameter that are shown."""
STEP_LIMIT = 60
"""Calls of one program that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter of a call: its name and its value in few words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One call: its number in the program, operation, table, parameters and, except for the one judged, its answer."""

    number: int
    operation: str
    table: str
    lines: tuple[Line, ...]
    answer: str

    @property
    def text(self) -> str:
        """The call on one line."""
        parts = [self.operation, self.table, *(f"{line.name}={line.text}" for line in self.lines)]
        return " ".join(part for part in parts if part)


def steps(program: Iterable[Mapping[str, Any]], *, judged: bool = True) -> list[StepView]:
    """The calls of a finding's program; at most ``STEP_LIMIT``, always with the last one.

    ``judged``: the last is the one that the finding is about, whose answer stands elsewhere.
    """
    ops = list(program)
    shown = [_step(op, last=judged and op is ops[-1]) for op in ops]
    if len(shown) > STEP_LIMIT:
        left = len(shown) - STEP_LIMIT
        gap = StepView(shown[STEP_LIMIT - 1].number, f"… {left:,} more calls …", "", (), "")
        shown = [*shown[: STEP_LIMIT - 1], gap, shown[-1]]
    return shown


def _step(op: Mapping[str, Any], *, last: bool) -> StepView:
    body = op.get("body")
    table, lines = "", [Line("", _text(body))]
    if isinstance(body, Mapping):
        table = one_line(readable(body["TableName"])) if isinstance(body.get("TableName"), str) else ""
        special = _create_table(body) if op.get("operation") == "CreateTable" else None
        lines = special or [Line(one_line(str(k)), _text(v)) for k, v in body.items() if k != "TableName" or not table]
    if op.get("raw"):
        lines = [Line("as raw HTTP", _text(op["raw"]))]
    told = "" if last or "reply" not in op else _answer(op["reply"])
    return StepView(op.get("index", 0), one_line(str(op.get("operation"))), table, tuple(lines), told)


def _answer(reply: Mapping[str, Any]) -> str:
    """The answer to a call before the last: what a table's description says is of no interest here."""
    body = reply.get("success")
    return "200" if isinstance(body, Mapping) and "TableDescription" in body else answer(reply, 160)


def _text(value: Any) -> str:
    text = readable(value) if isinstance(value, str) else compact(value)
    return one_line(text, LINE_LIMIT)


def _create_table(body: Mapping[str, Any]) -> list[Line] | None:
    """A table's keys and indexes in a line each, or None where the request is not a plain one."""
    try:
        types = {d["AttributeName"]: d["AttributeType"] for d in body["AttributeDefinitions"]}
        lines = [Line("keys", _keys(body["KeySchema"], types))]
        lines += _indexes("LSI", body.get("LocalSecondaryIndexes", ()), types)
        lines += _indexes("GSI", body.get("GlobalSecondaryIndexes", ()), types)
        unused = set(types) - _key_names(body)
    except (KeyError, TypeError, AttributeError):
        return None
    plain = {"TableName", "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"}
    if unused:
        plain.discard("AttributeDefinitions")
    if body.get("BillingMode") == "PAY_PER_REQUEST":
        plain.add("BillingMode")
    return lines + [Line(one_line(str(name)), _text(value)) for name, value in body.items() if name not in plain]


def _key_names(body: Mapping[str, Any]) -> set[str]:
    schemas = [body["KeySchema"]]
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        schemas += [index["KeySchema"] for index in body.get(member, ())]
    return {element["AttributeName"] for schema in schemas for element in schema}


def _indexes(kind: str, indexes: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> Iterator[Line]:
    for index in indexes:
        more = {k: v for k, v in index.items() if k not in ("IndexName", "KeySchema", "Projection")}
        projection = index.get("Projection", {})
        names = f" {compact(projection['NonKeyAttributes'])}" if "NonKeyAttributes" in projection else ""
        projected = f"; projects {_word(projection.get('ProjectionType'))}{names}" if projection else ""
        text = f"{_keys(index['KeySchema'], types)}{projected}{f'; {compact(more)}' if more else ''}"
        yield Line(one_line(f"{kind} {readable(index['IndexName'])}"), one_line(text, LINE_LIMIT))


def _keys(schema: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> str:
    roles = {"HASH": "partition", "RANGE": "sort"}
    parts = []
    for element in schema:
        name, role = element["AttributeName"], element["KeyType"]
        parts.append(f"{_word(name)} {_word(types.get(name, '?'))} {roles.get(role) or _word(role)}")
    return one_line(", ".join(parts), LINE_LIMIT)


def _word(value: Any) -> str:
    return one_line(readable(str(value)))
