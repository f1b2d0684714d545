"""What a read asked and what it was answered, over all its pages: whoever asks the same must be told the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.oracle.compare import canonical
from reference.api import Call, Item, Json

MAX_ROWS = 2000
"""Rows of one reading; longer ones are not looked at."""
MAX_CHAINS = 64
ALL = "all"

_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
_EQUALITY = re.compile(r"\s*(\{[^{}]*\}|[A-Za-z]\w*)\s*=\s*(:\w+)\s*\Z")
_SELECT = re.compile(r'SELECT (\*|[\w, ]+) FROM "([^"]+)"(?:\."([^"]+)")?(?: WHERE (.+))?\Z')
_COMPARED = re.compile(r"(\w+) (=|<|>=) \?\Z|begins_with\((\w+), \?\)\Z")
_VARIED = frozenset({"Limit", "ExclusiveStartKey", "ReturnConsumedCapacity"})
"""Members that pages of one reading may have in different ways; all of them must be consistent, or none."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table or index as its definition has it: key attributes (name, type), and what it stores (None: all)."""

    keys: tuple[tuple[str, str], ...]
    hashes: int = 1
    stored: frozenset[str] | None = None
    limits: tuple[int, ...] = ()
    kind: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the key attributes."""
        return tuple(name for name, _ in self.keys)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for, however it was asked: of which table or index, which rows, and what of them."""

    table: str
    index: str
    chosen: str
    filter: str = ""
    projection: str = ""
    select: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An item that was shown, its canonical text, and the symbol of where it was shown."""

    item: Item
    text: bytes
    place: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The whole answer to a question. ``rows`` is None where only counts were asked for.

    ``at`` is the op that completed it, ``call`` its first call, ``before`` how many rows came before its last page.
    ``forward`` is None where no order is promised; ``member`` is where the answer holds its rows; ``key`` that of the
    one item asked for. ``segment`` is (number, of how many) of a parallel Scan.
    """

    question: Question
    call: Call
    at: int
    rows: tuple[Row, ...] | None
    count: int
    scanned: int | None = None
    forward: bool | None = None
    pages: int = 1
    before: int = 0
    segment: tuple[int, int] | None = None
    limit: int | None = None
    member: str = "Items"
    key: Item | None = None

    @property
    def statement(self) -> bool:
        """Whether it was asked in PartiQL."""
        return self.call.operation == "ExecuteStatement"


@dataclass(slots=True)
class Reader:
    """Turns calls and their answers into readings; ``tables`` are the definitions by table and index name."""

    tables: dict[str, dict[str, Source]] = field(default_factory=dict)
    _begun: dict[bytes, Reading] = field(default_factory=dict)

    def forget(self) -> None:
        """Chains of pages that began before a write are read no further."""
        self._begun.clear()

    def readings(self, at: int, call: Call, body: Json) -> Iterator[Reading]:
        """The readings that an answer completes: none for a page that is not the last."""
        if not isinstance(call.body, dict) or not isinstance(body, dict):
            return
        if call.operation in ("Query", "Scan"):
            yield from self._page(at, call, body)
        elif call.operation == "ExecuteStatement":
            yield from self._statement(at, call, body)
        elif call.operation == "GetItem":
            yield from self._item(at, call, call.body, body, "Item")
        elif call.operation == "BatchGetItem" and not body.get("UnprocessedKeys"):
            yield from self._batch(at, call, body)
        elif call.operation == "TransactGetItems":
            answers = body.get("Responses")
            for position, (action, answer) in enumerate(
                zip(call.body["TransactItems"], answers if isinstance(answers, list) else (), strict=False)
            ):
                yield from self._item(at, call, action["Get"], answer, f"Responses[{position}].Item")

    # One item

    def _item(self, at: int, call: Call, asked: Mapping[str, Any], body: Json, member: str) -> Iterator[Reading]:
        table = self.tables.get(asked["TableName"])
        if table is None or not isinstance(body, dict):
            return
        item = body.get("Item")
        rows = (Row(item, canonical(item), _symbol(at, member)),) if isinstance(item, dict) and item else ()
        projection = _written(asked, "ProjectionExpression") or _listed(asked.get("AttributesToGet"))
        question = Question(asked["TableName"], "", _one(asked["Key"]), projection=projection)
        yield Reading(question, call, at, rows, len(rows), member=member, key=asked["Key"])

    def _batch(self, at: int, call: Call, body: Json) -> Iterator[Reading]:
        for name, asked in call.body["RequestItems"].items():
            table, shown = self.tables.get(name), (body.get("Responses") or {}).get(name)
            if table is None or not isinstance(shown, list) or _projected(asked):
                continue
            keys = {_one({k: i[k] for k in table[""].names if k in i}): i for i in shown if isinstance(i, dict)}
            for key in asked["Keys"]:
                item = keys.get(_one(key))
                rows = () if item is None else (Row(item, canonical(item), ""),)
                yield Reading(Question(name, "", _one(key)), call, at, rows, len(rows), member="Responses", key=key)

    # Pages

    def _page(self, at: int, call: Call, body: Json) -> Iterator[Reading]:
        asked = call.body
        table = self.tables.get(asked["TableName"], {})
        source = table.get(asked.get("IndexName") or "")
        items, count, scanned = body.get("Items"), body.get("Count"), body.get("ScannedCount")
        if source is None or not isinstance(count, int) or not isinstance(scanned, int):
            return
        counting = asked.get("Select") == "COUNT"
        if not counting and not isinstance(items, list):
            return
        rows = () if counting else tuple(_rows(at, items or ()))
        thread = {name: value for name, value in asked.items() if name not in _VARIED}
        if (start := asked.get("ExclusiveStartKey")) is not None:
            begun = self._begun.pop(canonical([call.operation, thread, start]), None)
            if begun is None:
                return
            whole = (*(begun.rows or ()), *rows)
            reading = replace(begun, at=at, rows=whole, count=begun.count + count, pages=begun.pages + 1,
                              scanned=(begun.scanned or 0) + scanned, before=len(whole) - len(rows))  # fmt: skip
        else:
            reading = Reading(
                self._question(call, source), call, at, rows, count, scanned, self._forward(call),
                segment=_segment(asked), limit=asked.get("Limit"),
            )  # fmt: skip
        if (last := body.get("LastEvaluatedKey")) is not None:
            if len(self._begun) < MAX_CHAINS and len(reading.rows or ()) <= MAX_ROWS:
                self._begun[canonical([call.operation, thread, last])] = reading
        else:
            yield replace(reading, rows=None) if counting else reading

    def _forward(self, call: Call) -> bool | None:
        return None if call.operation == "Scan" else call.body.get("ScanIndexForward") is not False

    def _question(self, call: Call, source: Source) -> Question:
        asked = call.body
        legacy = canonical([asked.get("QueryFilter") or asked.get("ScanFilter"), asked.get("ConditionalOperator")])
        plain = not (asked.get("QueryFilter") or asked.get("ScanFilter"))
        return Question(
            asked["TableName"], asked.get("IndexName") or "", self._chosen(call, source),
            filter=_written(asked, "FilterExpression") if plain else f"legacy {legacy.decode()}",
            projection=_written(asked, "ProjectionExpression") or _listed(asked.get("AttributesToGet")),
            select="fetched" if asked.get("IndexName") and asked.get("Select") == "ALL_ATTRIBUTES" else "",
        )  # fmt: skip

    def _chosen(self, call: Call, source: Source) -> str:
        """All rows, one partition by its single key attribute, or whatever the conditions say."""
        if call.operation == "Scan":
            return ALL
        asked = call.body
        if "KeyConditionExpression" not in asked:
            return f"legacy {canonical(asked.get('KeyConditions')).decode()}"
        found = _EQUALITY.match(_named(asked, asked["KeyConditionExpression"]))
        value = (asked.get("ExpressionAttributeValues") or {}).get(found[2]) if found is not None else None
        if found is not None and value is not None and source.hashes == 1:
            return partition(found[1].strip("{}"), value)
        return f"text {_written(asked, 'KeyConditionExpression')}"

    # Statements

    def _statement(self, at: int, call: Call, body: Json) -> Iterator[Reading]:
        asked = call.body
        found = _SELECT.match(str(asked.get("Statement")))
        if found is None or any(asked.get(name) for name in ("Limit", "NextToken")) or "NextToken" in body:
            return
        columns, name, index, where = found.groups()
        table = self.tables.get(name, {})
        source, items = table.get(index or ""), body.get("Items")
        given = _compared(where, asked.get("Parameters") or [])
        if source is None or not isinstance(items, list) or given is None:
            return
        equal = {attribute: value for attribute, comparator, value in given if comparator == "="}
        keys = source.names[: source.hashes]
        chosen, used, key = ALL, frozenset[str](), None
        if not index and set(source.names) <= equal.keys():
            key = {name: equal[name] for name in source.names}
            chosen, used = _one(key), frozenset(source.names)
        elif source.hashes == 1 and keys[0] in equal:
            chosen, used = partition(keys[0], equal[keys[0]]), frozenset(keys)
        rest = [each for each in given if each[0] not in used]
        if len(rest) > 1 or any(attribute in source.names for attribute, _, _ in rest):
            return
        written = "".join(_filter(*each) for each in rest)
        rows = tuple(row for row in _rows(at, items) if row.item or not chosen.startswith("item "))
        question = Question(name, index or "", chosen, written, "" if columns == "*" else columns)
        yield Reading(question, call, at, rows, len(rows), key=key)


_KEY_TYPES = ("S", "N", "B")


def partition(name: str, value: Json) -> str:
    """How a question says that it asks for one partition."""
    return f"partition {name} {canonical(_plain(value)).decode()}"


def _one(key: Json) -> str:
    plain = {name: _plain(value) for name, value in key.items()} if isinstance(key, dict) else key
    return f"item {canonical(plain).decode()}"


def _plain(value: Json) -> Json:
    """A value of a key without the members that name no type, which the service passes over."""
    return {kind: held for kind, held in value.items() if kind in _KEY_TYPES} if isinstance(value, dict) else value


def in_partition(chosen: str, item: Item) -> bool | None:
    """Whether an item is in the partition that a question asks for; None when it asks for no partition."""
    if not chosen.startswith("partition "):
        return None
    name = chosen.split(" ", 2)[1]
    return name in item and partition(name, item[name]) == chosen


def is_item(chosen: str, item: Item, names: Sequence[str]) -> bool | None:
    """Whether an item is the one that a question asks for; None when it asks for no single item."""
    if not chosen.startswith("item "):
        return None
    return _one({name: item.get(name) for name in names}) == chosen


def _rows(at: int, items: Sequence[Json]) -> Iterator[Row]:
    for place, item in enumerate(items[: MAX_ROWS + 1]):
        if isinstance(item, dict):
            yield Row(item, canonical(item), _symbol(at, f"Items[{place}]"))


def _symbol(at: int, member: str) -> str:
    return f"${{reply:{at}:{member}}}"


def _segment(asked: Mapping[str, Any]) -> tuple[int, int] | None:
    if asked.get("TotalSegments") is None:
        return None
    return asked.get("Segment", 0), asked["TotalSegments"]


def _named(asked: Mapping[str, Any], text: str) -> str:
    """The text of an expression with its aliases written out, in braces."""
    names = asked.get("ExpressionAttributeNames") or {}
    return _PLACEHOLDER.sub(lambda found: f"{{{names[found[0]]}}}" if found[0] in names else found[0], text)


def _written(asked: Mapping[str, Any], member: str) -> str:
    """An expression with its placeholders written out, so that equal ones have equal texts."""
    text = asked.get(member)
    if not isinstance(text, str):
        return ""
    held = asked.get("ExpressionAttributeValues") or {}
    return _PLACEHOLDER.sub(
        lambda found: canonical(held[found[0]]).decode() if found[0] in held else found[0], _named(asked, text)
    )


def _listed(names: Json) -> str:
    return ", ".join(map(str, names)) if names else ""


def _projected(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("ProjectionExpression") or asked.get("AttributesToGet"))


def _compared(where: str | None, parameters: Sequence[Json]) -> list[tuple[str, str, Json]] | None:
    """The comparisons of a WHERE that is a plain conjunction over parameters; None where it is anything else."""
    if where is None:
        return [] if not parameters else None
    found = [_COMPARED.match(part) for part in where.split(" AND ")]
    if len(found) != len(parameters):
        return None
    given = []
    for part, value in zip(found, parameters, strict=True):
        if part is None:
            return None
        given.append((part[1] or part[3], part[2] or "begins_with", value))
    return given


def _filter(attribute: str, comparator: str, value: Json) -> str:
    written = canonical(value).decode()
    if comparator == "begins_with":
        return f"begins_with({attribute}, {written})"
    return f"{attribute} {comparator} {written}"
