"""How a SELECT reaches its rows, by partitions or by a scan, and which item a write means (dataplane:PQL-12, PQL-16).

Conditions are the bound ones of a plan. Nothing here looks at items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from reference.api import AttributeValue, Item
from reference.expressions.checking import atoms_of, leaves_of
from reference.expressions.key_condition import INDEXABLE, Clause
from reference.expressions.tree import And, Between, Call, Compare, Condition, In, Literal, Not, Operand, Or, Path
from reference.tables.schema import KeySchema
from reference.values.value import sort_key

MAX_BRANCHES = 256
"""Alternatives of a WHERE clause that are told apart; a clause of more is answered by a scan."""

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def conjuncts(condition: Condition | None) -> list[Condition]:
    """The conditions that must all hold, in the order written."""
    found: list[Condition] = []
    stack = [] if condition is None else [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, And):
            stack.extend(reversed(node.conditions))
        else:
            found.append(node)
    return found


def joined(conditions: Sequence[Condition]) -> Condition | None:
    """One condition that says that all of them hold."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return And(tuple(conditions))


def item_meant(condition: Condition | None, schema: KeySchema) -> tuple[Item, Condition | None] | None:
    """The key that a condition fixes by equality on every key attribute, and what else it says; None without one."""
    key: Item = {}
    rest = []
    for each in conjuncts(condition):
        clause = clause_of(each)
        name = clause.attribute if clause is not None else ""
        if clause is not None and clause.operator == "=" and name in schema.names and name not in key:
            key[name] = clause.operands[0]
        else:
            rest.append(each)
    return (key, joined(rest)) if len(key) == len(schema.names) else None


def clause_of(node: Condition) -> Clause | None:
    """What a single condition asks of a top-level attribute in a form that keys can serve, None for any other."""
    if isinstance(node, Compare) and node.operator in _MIRRORED:
        forward = _clause(node.left, node.operator, (node.right,))
        return forward or _clause(node.right, _MIRRORED[node.operator], (node.left,))
    if isinstance(node, Between):
        return _clause(node.operand, "BETWEEN", (node.low, node.high))
    if isinstance(node, Call) and node.function == "begins_with":
        return _clause(node.arguments[0], "begins_with", node.arguments[1:])
    return None


def _clause(path: Operand, operator: str, operands: Sequence[Operand]) -> Clause | None:
    values = [operand.value for operand in operands if isinstance(operand, Literal)]
    if not isinstance(path, Path) or len(path.steps) > 1 or len(values) < len(operands):
        return None
    assert operator in INDEXABLE
    return Clause(str(path.steps[0]), operator, tuple(values))


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative of a WHERE clause: which partitions it is about and which parts of them.

    ``ranges`` are conditions on the sort key of which one must hold, empty for whole partitions. ``open`` tells that
    the branch excludes sort keys, by NOT or ``<>``, and so may overlap with others.
    """

    hashes: tuple[AttributeValue, ...]
    ranges: tuple[Clause, ...]
    open: bool


def branches(condition: Condition | None, schema: KeySchema) -> tuple[Branch, ...] | None:
    """The alternatives of a clause that fixes the partition key in each of them, None for one that must scan."""
    split = None if condition is None else _alternatives(condition, schema.names)
    if split is None:
        return None
    found = [_branch(leaves, schema) for leaves in split]
    if None in found or sum(len(b.hashes) * max(len(b.ranges), 1) for b in found if b) > MAX_BRANCHES:
        return None
    return tuple(branch for branch in found if branch is not None)


def _alternatives(node: Condition, keys: Sequence[str]) -> list[list[Condition]] | None:
    """A condition as alternatives of conditions that must all hold; None when they are too many.

    An OR that is about no key attribute is left whole: it filters rows and leads to none.
    """
    if isinstance(node, Or) and any(mentions(leaf, key) for leaf in leaves_of(node) for key in keys):
        found: list[list[Condition]] = []
        for part in node.conditions:
            more = _alternatives(part, keys)
            if more is None or len(found) + len(more) > MAX_BRANCHES:
                return None
            found += more
        return found
    if isinstance(node, And):
        found = [[]]
        for part in node.conditions:
            more = _alternatives(part, keys)
            if more is None or len(found) * len(more) > MAX_BRANCHES:
                return None
            found = [[*left, *right] for left, right in product(found, more)]
        return found
    return [[node]]


def _branch(leaves: Sequence[Condition], schema: KeySchema) -> Branch | None:
    hashes: tuple[AttributeValue, ...] = ()
    ranges: tuple[Clause, ...] = ()
    opened = False
    hashed = schema.hash[0].name
    ranged = schema.range[0].name if schema.range else None
    for leaf in leaves:
        clause = clause_of(leaf)
        if not hashes:
            if clause is not None and clause.attribute == hashed and clause.operator == "=":
                hashes = clause.operands
            elif isinstance(leaf, In) and _names(leaf.operand, hashed):
                hashes = _options(leaf)
        if ranged is None:
            continue
        if clause is not None and clause.attribute == ranged:
            ranges = ranges or (clause,)
        elif isinstance(leaf, In) and _names(leaf.operand, ranged):
            ranges = ranges or tuple(Clause(ranged, "=", (value,)) for value in _options(leaf))
        elif excludes(leaf, ranged):
            opened = True
    return Branch(hashes, ranges, opened) if hashes else None


def _names(operand: Operand, name: str) -> bool:
    return isinstance(operand, Path) and operand.steps == (name,)


def _options(node: In) -> tuple[AttributeValue, ...]:
    values: list[AttributeValue] = []
    for option in node.options:
        if not isinstance(option, Literal):
            return ()
        if option.value not in values:
            values.append(option.value)
    return tuple(values)


def excludes(leaf: Condition, name: str) -> bool:
    """Whether a condition is a negated one, or ``<>``, on an attribute."""
    if isinstance(leaf, Compare) and leaf.operator == "<>":
        return mentions(leaf, name)
    return isinstance(leaf, Not) and any(mentions(each, name) for each in leaves_of(leaf))


def mentions(leaf: Condition, name: str) -> bool:
    """Whether a single condition is about an attribute as a whole."""
    return any(_names(atom, name) for atom in atoms_of(leaf))


def overlapping(found: Sequence[Branch]) -> bool:
    """Whether two alternatives ask for the same rows of a partition, at least one of them by sort key (PQL-12)."""
    for one, two in combinations(found, 2):
        if one.open or two.open or not (one.ranges or two.ranges):
            continue
        if not any(value in two.hashes for value in one.hashes):
            continue
        if not one.ranges or not two.ranges or any(_meet(a, b) for a, b in product(one.ranges, two.ranges)):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Interval:
    """Sort key values between two bounds, None for no bound; or, with ``prefix``, those that begin with it."""

    low: Any = None
    low_included: bool = True
    high: Any = None
    high_included: bool = True
    prefix: Any = None


def _interval(clause: Clause) -> _Interval:
    first = sort_key(clause.operands[0])
    if clause.operator == "begins_with":
        return _Interval(prefix=first)
    if clause.operator == "BETWEEN":
        return _Interval(first, high=sort_key(clause.operands[1]))
    if clause.operator in ("<", "<="):
        return _Interval(high=first, high_included=clause.operator == "<=")
    if clause.operator in (">", ">="):
        return _Interval(first, low_included=clause.operator == ">=")
    return _Interval(first, high=first)


def _meet(a: Clause, b: Clause) -> bool:
    """Whether a sort key value of one type can satisfy both."""
    one, two = _interval(a), _interval(b)
    if one.prefix is not None and two.prefix is not None:
        return bool(one.prefix.startswith(two.prefix) or two.prefix.startswith(one.prefix))
    if one.prefix is not None or two.prefix is not None:
        prefixed, other = (one, two) if one.prefix is not None else (two, one)
        return _prefix_meets(prefixed.prefix, other)
    return not _before(one, two) and not _before(two, one)


def _before(one: _Interval, two: _Interval) -> bool:
    """Whether all of one lies before all of two."""
    if one.high is None or two.low is None:
        return False
    return bool(one.high < two.low or (one.high == two.low and not (one.high_included and two.low_included)))


def _prefix_meets(prefix: Any, other: _Interval) -> bool:
    # The texts with a prefix begin with the prefix itself and have no greatest.
    if other.high is not None and not (prefix < other.high or (prefix == other.high and other.high_included)):
        return False
    return other.low is None or bool(other.low <= prefix or other.low.startswith(prefix))


def in_sort_order(ranges: Sequence[Clause]) -> list[Clause]:
    """Conditions on the sort key that don't overlap, the one with the least values first."""
    bounded = [clause for clause in ranges if _start(clause) is not None]
    unbounded = [clause for clause in ranges if _start(clause) is None]
    return unbounded + sorted(bounded, key=_start)


def _start(clause: Clause) -> Any:
    interval = _interval(clause)
    return interval.low if interval.prefix is None else interval.prefix
