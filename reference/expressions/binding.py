"""Puts names and values into parsed expressions.

What depends on the text and the names only is worked out once and remembered: requests repeat their expressions and
change their values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from reference.api import AttributeValue
from reference.expressions.checking import check_paths, check_values, depends_on_values, leaves_of
from reference.expressions.parser import Parsed, parse
from reference.expressions.tree import (
    Add,
    Alias,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Condition,
    Delete,
    In,
    Kind,
    Literal,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    Set,
    Tree,
    Update,
)
from reference.rules import Checks, Violation

Values: TypeAlias = Mapping[str, AttributeValue]
"""Expression attribute values in normal form, by placeholder."""

_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Named:
    """An expression with its names put in.

    ``faults`` are the violations that text and names settle, ``complete`` tells that every name is defined. ``sound``
    remembers combinations of value types that the checks let pass; it stays empty where values themselves count.
    """

    parsed: Parsed
    tree: Tree | None
    complete: bool
    by_type: bool
    leaves: tuple[Condition, ...] = ()
    sound: set[tuple[str, ...]] = field(default_factory=set, compare=False)


def named(kind: Kind, text: str, names: Mapping[str, str]) -> Named:
    """The parsed expression with its ``#names`` replaced; undefined ones stay in it."""
    parsed = parse(kind, text)
    return _named(kind, text, tuple([(a, names[a]) for a in parsed.aliases if a in names]))


@functools.lru_cache(maxsize=4096)
def _named(kind: Kind, text: str, names: tuple[tuple[str, str], ...]) -> Named:
    parsed = parse(kind, text)
    if parsed.tree is None:
        return Named(parsed, None, complete=False, by_type=False)
    tree = _rebuild(parsed.tree, _namer(dict(names)), _same) if names else parsed.tree
    leaves = () if isinstance(tree, Update | Projection) else tuple(leaves_of(tree))
    return Named(parsed, tree, len(names) == len(parsed.aliases), not depends_on_values(tree, leaves), leaves)


def bind(expression: Named, values: Values) -> Checks[Tree | None]:
    """The expression with names and values in, checked; None when it breaks any rule (dataplane:EXPR-25)."""
    parsed, tree = expression.parsed, expression.tree
    if tree is None or parsed.faults or parsed.late:
        yield from _refuse(expression, values)
        return None
    placeholders = parsed.placeholders
    types: tuple[str, ...] | None = None
    if expression.complete and all(map(values.__contains__, placeholders)):
        types = tuple([next(iter(values[p])) for p in placeholders])
    if types is None or types not in expression.sound:
        refused = False
        for fault in _faults(expression, tree, values):
            refused = True
            yield fault
        if refused:
            return None
        if expression.by_type and types is not None and len(expression.sound) < _REMEMBERED:
            expression.sound.add(types)
    return _rebuild(tree, _same_path, _valuer(values)) if placeholders else tree


def _refuse(expression: Named, values: Values) -> Iterator[Violation]:
    yield from expression.parsed.faults
    if expression.tree is not None:
        yield from _faults(expression, expression.tree, values)
        yield from expression.parsed.late


def _faults(expression: Named, tree: Tree, values: Values) -> Iterator[Violation]:
    """The violations that names and values make, in the service's order."""
    kind = expression.parsed.kind
    if isinstance(tree, Update | Projection):
        yield from check_paths(kind, tree, expression.parsed.placeholders, values)
    yield from check_values(kind, tree, expression.leaves, values)


_Paths: TypeAlias = Callable[[Path], Path]
_Leaves: TypeAlias = Callable[[Placeholder], Operand]


def _same(placeholder: Placeholder) -> Operand:
    return placeholder


def _same_path(path: Path) -> Path:
    return path


def _namer(names: Mapping[str, str]) -> _Paths:
    def rename(path: Path) -> Path:
        steps = path.steps
        for step in steps:
            if step.__class__ is Alias:
                break
        else:
            return path
        return Path(tuple([names.get(s.name, s) if isinstance(s, Alias) else s for s in steps]))

    return rename


def _valuer(values: Values) -> _Leaves:
    return lambda placeholder: Literal(values[placeholder.name])


def _rebuild(tree: Tree, path: _Paths, leaf: _Leaves) -> Tree:
    """The same tree with other paths and other operands in the place of placeholders.

    The recursion is bounded: the parser hands out no tree of more than 300 operators or 256 calls inside each other.
    """
    if isinstance(tree, Update):
        actions = tuple([_rebuild_action(a, path, leaf) for a in tree.actions])
        return Update(actions)
    if isinstance(tree, Projection):
        return Projection(tuple([path(p) for p in tree.paths]))
    return _rebuild_condition(tree, path, leaf)


def _rebuild_action(action: Any, path: _Paths, leaf: _Leaves) -> Any:
    target = path(action.target)
    if isinstance(action, Set | Add | Delete):
        return type(action)(target, _rebuild_operand(action.value, path, leaf))
    return type(action)(target)


def _rebuild_condition(node: Condition, path: _Paths, leaf: _Leaves) -> Condition:
    if isinstance(node, Compare):
        left, right = _rebuild_operand(node.left, path, leaf), _rebuild_operand(node.right, path, leaf)
        return Compare(node.operator, left, right)
    if isinstance(node, And | Or):
        return type(node)(tuple([_rebuild_condition(c, path, leaf) for c in node.conditions]))
    if isinstance(node, Call):
        return Call(node.function, tuple([_rebuild_operand(a, path, leaf) for a in node.arguments]))
    if isinstance(node, Not):
        return Not(_rebuild_condition(node.condition, path, leaf))
    if isinstance(node, In):
        options = tuple([_rebuild_operand(o, path, leaf) for o in node.options])
        return In(_rebuild_operand(node.operand, path, leaf), options)
    low, high = _rebuild_operand(node.low, path, leaf), _rebuild_operand(node.high, path, leaf)
    return Between(_rebuild_operand(node.operand, path, leaf), low, high)


def _rebuild_operand(node: Operand, path: _Paths, leaf: _Leaves) -> Operand:
    if isinstance(node, Placeholder):
        return leaf(node)
    if isinstance(node, Path):
        return path(node)
    if isinstance(node, Call):
        return Call(node.function, tuple([_rebuild_operand(a, path, leaf) for a in node.arguments]))
    if isinstance(node, Arithmetic):
        left, right = _rebuild_operand(node.left, path, leaf), _rebuild_operand(node.right, path, leaf)
        return Arithmetic(node.operator, left, right)
    return node
