"""The rows that a key condition asks for, and whether a start key lies among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reference.api import AttributeValue, Item
from reference.expressions.condition import begins_with
from reference.expressions.key_condition import KeyCondition
from reference.rules import Violation, violation
from reference.tables.keys import too_long
from reference.tables.schema import KeySchema
from reference.tables.view import TOP, AfterPrefix, RowKey, View
from reference.values.value import compare, sort_key


@dataclass(frozen=True, slots=True)
class Span:
    """A run of row keys; ``low`` and ``high`` may be beginnings of row keys or end in a mark such as TOP."""

    low: RowKey
    high: RowKey
    include_high: bool = True

    def rows(self, view: View, start: RowKey | None, *, forward: bool) -> Iterator[RowKey]:
        """The rows in order or backwards, after ``start`` where there is one."""
        if forward:
            low, include_low = (self.low, True) if start is None else (start, False)
            return view.between(low, self.high, include_low=include_low, include_high=self.include_high)
        high, include_high = (self.high, self.include_high) if start is None else (start, False)
        return view.between(self.low, high, include_high=include_high, reverse=True)


def span_of(view: View, condition: KeyCondition) -> Span:
    """The rows that meet a key condition which the schema allows."""
    prefix = view.prefix(condition.hash)
    if condition.prefix:
        prefix += tuple([sort_key(value) for value in condition.prefix])
    operator = condition.operator
    if operator is None:
        return Span(prefix, (*prefix, TOP))
    first = sort_key(condition.operands[0])
    if operator == "<":
        return Span(prefix, (*prefix, first), include_high=False)
    if operator == "<=":
        return Span(prefix, (*prefix, first, TOP))
    if operator == ">":
        return Span((*prefix, first, TOP), (*prefix, TOP))
    if operator == ">=":
        return Span((*prefix, first), (*prefix, TOP))
    if operator == "BETWEEN":
        return Span((*prefix, first), (*prefix, sort_key(condition.operands[1]), TOP))
    assert isinstance(first, str | bytes), "the schema's checks let begins_with only at texts and bytes"
    return Span((*prefix, first), (*prefix, AfterPrefix(first)))


def length_faults(schema: KeySchema, condition: KeyCondition) -> Iterator[Violation]:
    """Values of a key condition that are longer than a key may be: lookups are measured too (dataplane:KEY-2)."""
    if any(too_long(a, value, hashed=True) for a, value in zip(schema.hash, condition.hash, strict=True)):
        yield violation("keys.hash-too-long")
    ranged = zip(schema.range, condition.prefix, strict=False)
    last = [(schema.range[len(condition.prefix)], value) for value in condition.operands]
    if any(too_long(a, value, hashed=False) for a, value in [*ranged, *last]):
        yield violation("keys.range-too-long")


def start_faults(schema: KeySchema, condition: KeyCondition, start: Item) -> Iterator[Violation]:
    """Whether a start key lies among the rows that a Query walks (dataplane:QRY-8, conflicts:67)."""
    inside = all(start[a.name] == value for a, value in zip(schema.hash, condition.hash, strict=True))
    if not condition.prefix and condition.operator is None:
        if not inside:
            yield violation("queries.start-key-outside")
        return
    values = [start[a.name] for a in schema.range]
    met = values[: len(condition.prefix)] == list(condition.prefix)
    if condition.operator is not None:
        met = met and _meets(values[len(condition.prefix)], condition.operator, condition.operands)
    if not met:
        yield violation("queries.start-key-predicate")
    if not inside:
        yield violation("queries.start-key-restart")


def _meets(value: AttributeValue, operator: str, operands: tuple[AttributeValue, ...]) -> bool:
    if operator == "begins_with":
        return begins_with(value, operands[0])
    order = compare(value, operands[0])
    if order is None:
        return False
    if operator == "BETWEEN":
        upper = compare(value, operands[1])
        return order >= 0 and upper is not None and upper <= 0
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]
