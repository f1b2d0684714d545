"""What a PartiQL statement says, as data, before parameters and tables are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reference.partiql.lexer import Token


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute or table name."""

    name: str
    token: Token


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str
    token: Token


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal as written, a minus before it included."""

    text: str
    token: Token


@dataclass(frozen=True, slots=True)
class Constant:
    """``true``, ``false``, ``null`` or ``missing``."""

    word: str
    token: Token


@dataclass(frozen=True, slots=True)
class Parameter:
    """A question mark; parameters are numbered from zero in the order written."""

    position: int
    token: Token


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list ``[…]`` or a bag ``<<…>>``."""

    kind: Literal["list", "bag"]
    elements: tuple[Expression, ...]
    token: Token


@dataclass(frozen=True, slots=True)
class Struct:
    """A map ``{'key': value, …}``."""

    members: tuple[tuple[Expression, Expression], ...]
    token: Token


@dataclass(frozen=True, slots=True)
class Access:
    """A path: what it starts from and its steps, a name for a dot, an expression for brackets, None for a star."""

    root: Expression
    steps: tuple[Expression | None, ...]
    token: Token


@dataclass(frozen=True, slots=True)
class Function:
    """A function call; ``name`` in lower case, ``star`` for ``count(*)``."""

    name: str
    arguments: tuple[Expression, ...]
    token: Token
    star: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    """``not``, ``+`` or ``-`` before an expression."""

    operator: str
    operand: Expression
    token: Token


@dataclass(frozen=True, slots=True)
class Operation:
    """An infix operator with its operands: two or, for ``and``, ``or`` and ``between``, more."""

    operator: str
    operands: tuple[Expression, ...]
    token: Token


@dataclass(frozen=True, slots=True)
class IsType:
    """``operand IS type``; ``type`` in lower case, ``double precision`` in two words."""

    operand: Expression
    type: str
    token: Token


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a SELECT list: None for the star; with or without an alias."""

    expression: Expression | None
    alias: bool
    token: Token


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ORDER BY."""

    key: Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class Source:
    """What a statement reads or writes, and whether it gives it an alias."""

    path: Expression
    alias: bool


@dataclass(frozen=True, slots=True)
class Select:
    """``SELECT items FROM source WHERE where ORDER BY order``; ``unsupported`` is the token of a further clause."""

    items: tuple[Item, ...]
    source: Source
    where: Expression | None
    order: tuple[Order, ...]
    unsupported: Token | None
    token: Token


@dataclass(frozen=True, slots=True)
class Insert:
    """``INSERT INTO target VALUE value``; ``one`` is False without the word VALUE."""

    target: Expression
    value: Expression
    one: bool
    token: Token


@dataclass(frozen=True, slots=True)
class Assign:
    """``SET target = value``."""

    target: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class Remove:
    """``REMOVE target``."""

    target: Expression


@dataclass(frozen=True, slots=True)
class Change:
    """UPDATE in either form: actions on the item that ``where`` names."""

    source: Source
    actions: tuple[Assign | Remove | Insert, ...]
    where: Expression | None
    returning: str | None
    token: Token


@dataclass(frozen=True, slots=True)
class Delete:
    """``DELETE FROM source WHERE where``. ``returning`` is for example ``ALL OLD``."""

    source: Source
    where: Expression | None
    returning: str | None
    token: Token


Expression: TypeAlias = (
    "Name | Text | Number | Constant | Parameter | Sequence | Struct | Access | Function | Unary | Operation | IsType"
    " | Select | Insert | Change | Delete"
)
"""A statement is an expression too, as in PartiQL."""


def children(node: Expression) -> Iterator[Expression]:
    """The expressions right inside another, in the order written."""
    if isinstance(node, Sequence):
        yield from node.elements
    elif isinstance(node, Struct):
        for key, value in node.members:
            yield key
            yield value
    elif isinstance(node, Access):
        yield node.root
        yield from (step for step in node.steps if step is not None)
    elif isinstance(node, Function):
        yield from node.arguments
    elif isinstance(node, Unary | IsType):
        yield node.operand
    elif isinstance(node, Operation):
        yield from node.operands
    else:
        yield from _of_statement(node)


def _of_statement(node: Expression) -> Iterator[Expression]:
    if isinstance(node, Select):
        yield from (item.expression for item in node.items if item.expression is not None)
        yield node.source.path
        yield from () if node.where is None else (node.where,)
        yield from (order.key for order in node.order)
    elif isinstance(node, Insert):
        yield node.target
        yield node.value
    elif isinstance(node, Change):
        yield node.source.path
        for action in node.actions:
            yield action.target
            yield from () if isinstance(action, Remove) else (action.value,)
        yield from () if node.where is None else (node.where,)
    elif isinstance(node, Delete):
        yield node.source.path
        yield from () if node.where is None else (node.where,)


def nesting(root: Expression) -> int:
    """How many expressions stand inside each other at the deepest place."""
    levels = 0
    level = [root]
    while level:
        levels += 1
        level = [child for node in level for child in children(node)]
    return levels
