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
    "keys.empty-string": SCHEMA,
    "keys.empty-binary": SCHEMA,
    "keys.update-key": SCHEMA,
    "expressions.key-condition-count": SCHEMA,
    "expressions.key-condition-missing": SCHEMA,
    "expressions.key-condition-hash-operator": SCHEMA,
    "expressions.key-condition-hash-equality": SCHEMA,
    "expressions.key-condition-range-equality": SCHEMA,
    "expressions.key-condition-type": SCHEMA,
    "expressions.filter-on-key": SCHEMA,
    "items.condition-failed": ITEM,
    "expressions.invalid-path": ITEM,
    "expressions.missing-attribute": ITEM,
    "expressions.stored-type": ITEM,
    "expressions.fallback-type": ITEM,
    "values.arithmetic-overflow": ITEM,
    "values.arithmetic-precision": ITEM,
    "values.arithmetic-underflow": ITEM,
    "legacy.update-type-mismatch": ITEM,
    "transactions.cancelled": ITEM,
}
_UNKNOWN = frozenset({
    ("wire.size-min", "tables.units-missing"),
    ("wire.length-max", "tables.units-missing"),
})  # fmt: skip
"""Pairs of checks in different stages whose order differs from host to host (dataplane:TBL-3)."""
_LOOKUP = "keys.schema-mismatch"
"""What is wrong with a key is recorded in no order for lookups: for transactions at most (conflicts.md 128)."""
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
    if (rule.name, other.name) in _UNKNOWN or (rule.capability == "values" and other.name == _LOOKUP):
        return False
    first, second = stage(rule), stage(other)
    return first is not None and second is not None and first < second


def evaluated(rule: Rule, other: Rule) -> bool:
    """Whether the reference, when it finds that ``other`` is broken, has already looked whether ``rule`` is.

    Inside a stage a check may stand back for want of what another one refused; the condition is an exception, it is
    always decided before the update is applied.
    """
    first, second = stage(rule), stage(other)
    if first is None or second is None:
        return False
    return first < second or (rule.name == "items.condition-failed" and second == ITEM)


def constrains(rule: Rule, other: Rule) -> bool:
    """Whether a rule is a constraint of the model: all of these are looked at before anything else is."""
    return stage(rule) == CONSTRAINTS and stage(other) not in (SERIALIZATION, CONSTRAINTS)


def exhausted(rule: Rule, other: Rule | None = None) -> bool:
    """Whether the reference tells everything that is wrong up to the stage of a broken rule, the other included."""
    unknown = other is not None and (rule.name, other.name) in _UNKNOWN
    return not unknown and stage(rule) in (CONSTRAINTS, TABLE, ITEM)
