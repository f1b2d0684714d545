"""Key conditions of a Query: which part of a table or index it reads (dataplane:KCE-1 to KCE-9, LEG-8, IDX-10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reference.api import AttributeValue
from reference.expressions.checking import operands_of
from reference.expressions.tree import And, Between, Call, Compare, Condition, In, Literal, Not, Or, Path
from reference.rules import Checks, Violation, violation
from reference.values.value import type_of

Keys: TypeAlias = Sequence[tuple[str, str]]
"""Key attributes in schema order: name and declared type."""

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
INDEXABLE = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})
"""The operators a key condition may use."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What a key condition asks of one attribute.

    ``operator`` is one of ``INDEXABLE``, with the attribute on the left, or the name of a legacy operator that no index
    serves. ``operands`` are in normal form.
    """

    attribute: str
    operator: str
    operands: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """What to read: the partition key values, equal values of leading sort key attributes, and a range of the next.

    ``operator`` is None without such a range, else one of ``INDEXABLE`` but ``=``; ``operands`` are its bounds.
    """

    hash: tuple[AttributeValue, ...]
    prefix: tuple[AttributeValue, ...] = ()
    operator: str | None = None
    operands: tuple[AttributeValue, ...] = ()


def clauses(tree: Condition) -> Checks[tuple[Clause, ...] | None]:
    """A bound KeyConditionExpression taken apart, or None where no key condition can look so.

    These checks come before the table is looked up.
    """
    found: dict[str, Clause] = {}
    refused = False
    stack: list[Condition] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, And):
            stack.extend(reversed(node.conditions))
            continue
        fault, clause = _clause(node)
        if clause is not None and clause.attribute in found:
            fault = violation("expressions.key-condition-repeated")
        if fault is not None:
            refused = True
            yield fault
        elif clause is not None:
            found[clause.attribute] = clause
    return None if refused else tuple(found.values())


def _clause(node: Condition) -> tuple[Violation | None, Clause | None]:
    operator = _operator(node)
    if operator not in INDEXABLE:
        return violation("expressions.key-condition-operator", operator=operator), None
    operands = operands_of(node)
    if operator in ("BETWEEN", "begins_with") and not isinstance(operands[0], Path):
        return violation("expressions.key-condition-operand-order", operator=operator), None
    path: Path | None = None
    for operand in operands:
        if isinstance(operand, Path):
            if path is not None:
                return violation("expressions.key-condition-many-names"), None
            if len(operand.steps) > 1:
                return violation("expressions.key-condition-nested-path"), None
            path = operand
        elif not isinstance(operand, Literal):
            return violation("expressions.key-condition-nested-operation"), None
    if path is None:
        return violation("expressions.key-condition-no-name"), None
    if operands[0] is not path:
        operator = _MIRRORED[operator]
    values = tuple([operand.value for operand in operands if isinstance(operand, Literal)])
    return None, Clause(str(path.steps[0]), operator, values)


def _operator(node: Condition) -> str:
    """The operator of a single condition as it is printed."""
    if isinstance(node, Compare):
        return node.operator
    if isinstance(node, Call):
        return node.function
    if isinstance(node, Between | In | Not | Or | And):
        return type(node).__name__.upper()
    raise TypeError(f"not a condition: {node!r}")


def analyse(
    found: Sequence[Clause], hash_keys: Keys, range_keys: Keys, *, legacy: bool = False
) -> Checks[KeyCondition | None]:
    """The key condition against the key it queries by; the checks that come after the table lookup.

    ``legacy``: it was given as KeyConditions.
    """
    asked = {clause.attribute: clause for clause in found}
    refused = False
    for fault in _against_schema(asked, hash_keys, range_keys, legacy=legacy):
        refused = True
        yield fault
    if refused:
        return None
    ranges = [asked[name] for name, _ in range_keys if name in asked]
    equal = [clause for clause in ranges if clause.operator == "="]
    last = ranges[-1] if len(ranges) > len(equal) else None
    return KeyCondition(
        tuple([asked[name].operands[0] for name, _ in hash_keys]),
        tuple([clause.operands[0] for clause in equal]),
        last.operator if last else None,
        last.operands if last else (),
    )


def _against_schema(
    asked: Mapping[str, Clause], hash_keys: Keys, range_keys: Keys, *, legacy: bool
) -> Iterator[Violation]:
    size = len(hash_keys) + len(range_keys)
    if len(asked) > size:
        if legacy and size <= 2 < len(asked):
            yield violation("legacy.key-condition-count")
        else:
            yield violation("expressions.key-condition-count", count=len(asked), size=size)
        return
    missing = _missing(asked, hash_keys, range_keys)
    if missing is not None:
        yield missing
    if any(clause.operator not in INDEXABLE for clause in asked.values()):
        yield violation("legacy.not-indexable")
    if missing is not None:
        return
    mistyped = _mistyped(asked, hash_keys)
    if mistyped:
        yield violation("expressions.key-condition-type")
    if any(asked[name].operator != "=" for name, _ in hash_keys):
        if len(hash_keys) == 1:
            yield violation("expressions.key-condition-hash-operator")
        else:
            names = ", ".join(name for name, _ in hash_keys if asked[name].operator != "=")
            yield violation("expressions.key-condition-hash-equality", keys=names)
    yield from _gaps(asked, range_keys)
    if not mistyped and _mistyped(asked, range_keys):
        yield violation("expressions.key-condition-type")
    yield from _empty(asked, [*hash_keys, *range_keys])


def _missing(asked: Mapping[str, Clause], hash_keys: Keys, range_keys: Keys) -> Violation | None:
    """That a key attribute is not asked for: a hash key, or beside a stranger a range key."""
    absent = [name for name, _ in hash_keys if name not in asked]
    if absent and len(hash_keys) > 1:
        return violation("expressions.key-condition-hash-equality", keys=", ".join(absent))
    if not absent and not set(asked) <= {name for name, _ in [*hash_keys, *range_keys]}:
        absent = [name for name, _ in range_keys if name not in asked]
    return violation("expressions.key-condition-missing", key=absent[0]) if absent else None


def _gaps(asked: Mapping[str, Clause], range_keys: Keys) -> Iterator[Violation]:
    """Sort key attributes before the last one asked for must be equal to something (beyond:MAK-3)."""
    positions = [i for i, (name, _) in enumerate(range_keys) if name in asked]
    if not positions:
        return
    last = positions[-1]
    open_names = [name for name, _ in range_keys[:last] if name not in asked or asked[name].operator != "="]
    if open_names:
        yield violation("expressions.key-condition-range-equality", keys=", ".join(open_names), key=range_keys[last][0])


def _mistyped(asked: Mapping[str, Clause], keys: Keys) -> bool:
    """Whether a key attribute is compared with a value that its type has nothing in common with."""
    return any(
        any(type_of(value) != declared for value in clause.operands)
        or (clause.operator == "begins_with" and declared == "N")
        for name, declared in keys
        if (clause := asked.get(name)) is not None
    )


def _empty(asked: Mapping[str, Clause], keys: Keys) -> Iterator[Violation]:
    for name, declared in keys:
        clause = asked.get(name)
        for value in clause.operands if clause else ():
            if type_of(value) != declared:
                continue
            if value.get("S") == "":
                yield violation("keys.empty-string", key=name)
            elif value.get("B") == "":
                yield violation("keys.empty-binary", key=name)
