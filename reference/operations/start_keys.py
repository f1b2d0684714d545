"""ExclusiveStartKey against the schema, and against what a Query or Scan reads (dataplane:QRY-8 to QRY-10, SCAN-2)."""

from __future__ import annotations

from collections.abc import Iterator

from reference.api import Item
from reference.operations.pages import Source
from reference.rules import Violation, violation
from reference.tables.keys import value_faults
from reference.tables.schema import KeyAttribute
from reference.tables.view import TOKENS, RowKey
from reference.values.value import type_of


def query_start_faults(source: Source, key: Item) -> Iterator[Violation]:
    """What is wrong with the start key of a Query as a key: names, then types, then values (conflicts:67, 69)."""
    wrong = set(key) != set(source.key_names)
    if wrong:
        yield violation("queries.start-key-shape")
    if any(a.name in key and a.type not in key[a.name] for a in _attributes(source)):
        yield violation("queries.start-key-type")
    elif not wrong and source.index is None and not source.key.range:
        yield violation("queries.start-key-hash-only", key=_shown(key))
    yield from _value_faults(source, key)


def scan_start_faults(source: Source, key: Item) -> Iterator[Violation]:
    """What is wrong with the start key of a Scan as a key (conflicts:68)."""
    wrong_type = any(a.name in key and a.type not in key[a.name] for a in _attributes(source))
    if wrong_type or set(key) != set(source.key_names):
        yield violation("scans.start-key-shape")
    yield from _value_faults(source, key)


def segment_fault(row: RowKey, segment: int, total: int) -> Violation | None:
    """Whether a start row lies outside the scanned segment (dataplane:SCAN-2)."""
    if row[0] * total // TOKENS == segment:
        return None
    return violation("scans.start-key-segment", total=total, segment=segment)


def segment_bounds(segment: int, total: int) -> tuple[RowKey, RowKey]:
    """The first row key of a segment and the one after its last; segments share out the tokens evenly."""
    return (-(-segment * TOKENS // total),), (-(-(segment + 1) * TOKENS // total),)


def _attributes(source: Source) -> tuple[KeyAttribute, ...]:
    attributes = source.table.key.attributes
    return attributes if source.index is None else attributes + source.index.schema.key.attributes


def _value_faults(source: Source, key: Item) -> Iterator[Violation]:
    yield from value_faults(source.table.key, key)
    if source.index is not None:
        known = source.table.key.names
        rest = {name: value for name, value in key.items() if name not in known}
        yield from value_faults(source.index.schema.key, rest)


def _shown(key: Item) -> str:
    parts = (f"{name}=AttributeValue: {{{type_of(value)}:{value[type_of(value)]}}}" for name, value in key.items())
    return ", ".join(parts)
