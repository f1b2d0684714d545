"""In which order the service checks, as far as that is recorded: only then is another order a finding."""

from __future__ import annotations

from reference.rules import Rule

SERIALIZATION, CONSTRAINTS, REQUEST, TABLE, SCHEMA, ITEM = range(6)
"""Stages of a request (dataplane:ORD-1). Inside a stage the order is mostly of 2020 or older (dataplane:OPEN-23)."""

_RULES = {
    "items.table-missing": TABLE,
    "tables.missing": TABLE,
    "keys.schema-mismatch": SCHEMA,
    "keys.missing": SCHEMA,
    "keys.type-mismatch": SCHEMA,
    "items.condition-failed": ITEM,
    "expressions.invalid-path": ITEM,
    "expressions.missing-attribute": ITEM,
    "expressions.stored-type": ITEM,
    "transactions.cancelled": ITEM,
}
_REQUEST_AREAS = ("expressions", "legacy", "values")


def stage(rule: Rule) -> int | None:
    """The stage a rule is checked in; None where no recording tells."""
    if rule.name in _RULES:
        return _RULES[rule.name]
    if rule.error == "SerializationException":
        return SERIALIZATION
    if rule.capability == "wire":
        return CONSTRAINTS
    return REQUEST if rule.capability in _REQUEST_AREAS and rule.error is not None else None


def before(rule: Rule, other: Rule) -> bool:
    """Whether the service is known to check the one before the other."""
    if rule.disputed or other.disputed or "inferred" in (rule.strength, other.strength):
        return False
    first, second = stage(rule), stage(other)
    return first is not None and second is not None and first < second
