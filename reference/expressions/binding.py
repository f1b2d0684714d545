"""Puts names and values into parsed expressions.

What depends on the text and the names only is worked out once and remembered: requests repeat their expressions and
change their values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from reference.api import AttributeValue
from reference.expressions.checking import check_paths, check_values, depends_on_values, leaves_of
from reference.expressions.parser import REMEMBERED_LENGTH, Parsed, parse
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
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
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

    ``fill`` makes the tree with values in it, None where it has no placeholders; ``complete`` tells that every name is
    defined. ``sound`` remembers combinations of value types that the checks let pass; ``by_type`` is False, and
    ``sound`` stays empty, where the checks look at values themselves.
    """

    parsed: Parsed
    tree: Tree | None
    fill: Callable[[Values], Tree] | None
    complete: bool
    by_type: bool
    leaves: tuple[Condition, ...] = ()
    sound: set[tuple[str, ...]] = field(default_factory=set, compare=False)


def named(kind: Kind, text: str, names: Mapping[str, str]) -> Named:
    """The parsed expression with its ``#names`` replaced; undefined ones stay in it."""
    parsed = parse(kind, text)
    used = tuple([(a, names[a]) for a in parsed.aliases if a in names])
    if len(text) + sum([len(name) for _, name in used]) > REMEMBERED_LENGTH:
        return _named.__wrapped__(kind, text, used)
    return _named(kind, text, used)


@functools.lru_cache(maxsize=2048)
def _named(kind: Kind, text: str, names: tuple[tuple[str, str], ...]) -> Named:
    parsed = parse(kind, text)
    if parsed.tree is None:
        return Named(parsed, None, None, complete=False, by_type=False)
    tree, fill = _prepare(parsed.tree, dict(names))
    leaves = () if isinstance(tree, Update | Projection) else tuple(leaves_of(tree))
    complete = len(names) == len(parsed.aliases)
    return Named(parsed, tree, fill, complete, not depends_on_values(tree, leaves), leaves)


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
    return tree if expression.fill is None else expression.fill(values)


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


_Fill: TypeAlias = Callable[[Values], Any]
"""Makes a node anew with values in the place of its placeholders."""

_Names: TypeAlias = Mapping[str, str]


def _name(path: Path, names: _Names) -> Path:
    if not any(isinstance(step, Alias) for step in path.steps):
        return path
    return Path(tuple([names.get(s.name, s) if isinstance(s, Alias) else s for s in path.steps]))


def _prepare(node: Any, names: _Names) -> tuple[Any, _Fill | None]:
    """The node with its names put in, and how to put its values in; None for a node that holds no placeholder.

    Here and in what is returned, one level of a tree costs one frame of the stack. That bounds the recursion: the
    parser hands out no tree of more than 300 operators or 256 calls inside each other.
    """
    if isinstance(node, Path):
        return _name(node, names), None
    if isinstance(node, Placeholder):
        placeholder = node.name
        return node, lambda values: Literal(values[placeholder])
    kind = type(node)
    parts: list[Any] = []
    fills: list[Any] = []
    for part_name in _PARTS[kind]:
        part = getattr(node, part_name)
        fill: Any = None
        if isinstance(part, tuple):
            row = []
            for each in part:
                row.append(_prepare(each, names))  # a comprehension would be a frame more
            part = tuple([one for one, _ in row])
            fill = row if any(how for _, how in row) else None
        elif not isinstance(part, str):
            part, fill = _prepare(part, names)
        parts.append(part)
        fills.append(fill)
    whole = kind(*parts)
    if not any(fills):
        return whole, None
    if len(parts) == 2 and not isinstance(fills[1], list):
        return whole, _fill_two(kind, parts, fills)
    return whole, _fill_all(kind, parts, fills)


def _fill_two(kind: type, parts: list[Any], fills: list[Any]) -> _Fill:
    first, second = parts
    one, two = fills
    return lambda values: kind(first if one is None else one(values), second if two is None else two(values))


def _fill_all(kind: type, parts: list[Any], fills: list[Any]) -> _Fill:
    pairs = list(zip(parts, fills, strict=True))

    def fill(values: Values) -> Any:
        made = []
        for part, how in pairs:
            if how is None:
                made.append(part)
            elif how.__class__ is list:
                row = []
                for one, how_one in how:
                    row.append(one if how_one is None else how_one(values))
                made.append(tuple(row))
            else:
                made.append(how(values))
        return kind(*made)

    return fill


_NODES = (Update, Projection, Set, Remove, Add, Delete, Compare, Between, In, Not, And, Or, Call, Arithmetic)
_PARTS = {kind: tuple(f.name for f in fields(kind) if f.name != "legacy") for kind in _NODES}
