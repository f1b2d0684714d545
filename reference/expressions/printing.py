"""Trees → expression text, with the placeholders the text needs.

Parsing and binding what is printed gives the tree back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reference.api import AttributeValue
from reference.expressions.reserved import is_reserved
from reference.expressions.tokens import CONDITION_WORDS, UPDATE_WORDS
from reference.expressions.tree import (
    Action,
    Add,
    Alias,
    And,
    Arithmetic,
    Between,
    Compare,
    Condition,
    Delete,
    In,
    Literal,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
    Set,
    Step,
    Tree,
    Update,
)

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch
_KEYWORDS = CONDITION_WORDS | UPDATE_WORDS


@dataclass(slots=True)
class Placed:
    """What printed expressions of one request need beside them: ExpressionAttributeNames and ExpressionAttributeValues.

    Pass one to several calls of :func:`render` and they share it.
    """

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, AttributeValue] = field(default_factory=dict)


def render(tree: Tree, placed: Placed) -> str:
    """The text of a tree. Names that cannot stand bare and literal values are put into ``placed``.

    An update's actions are gathered into one section per kind, in the order in which the kinds come up.
    """
    if isinstance(tree, Projection):
        return ", ".join(_path(path, placed) for path in tree.paths)
    if isinstance(tree, Update):
        return _update(tree, placed)
    return _condition(tree, placed)


def _condition(node: Condition, placed: Placed) -> str:
    if isinstance(node, Or):
        return " OR ".join(_part(c, placed, (Or,)) for c in node.conditions)
    if isinstance(node, And):
        return " AND ".join(_part(c, placed, (And, Or)) for c in node.conditions)
    if isinstance(node, Not):
        return f"NOT {_part(node.condition, placed, (And, Or))}"
    if isinstance(node, Compare):
        return f"{_operand(node.left, placed)} {node.operator} {_operand(node.right, placed)}"
    if isinstance(node, Between):
        low, high = _operand(node.low, placed), _operand(node.high, placed)
        return f"{_operand(node.operand, placed)} BETWEEN {low} AND {high}"
    if isinstance(node, In):
        options = ", ".join(_operand(option, placed) for option in node.options)
        return f"{_operand(node.operand, placed)} IN ({options})"
    return _operand(node, placed)


def _part(node: Condition, placed: Placed, weaker: tuple[type, ...]) -> str:
    """A part of a condition, in parentheses when it binds no stronger than what it is part of."""
    text = _condition(node, placed)
    return f"({text})" if isinstance(node, weaker) else text


def _update(tree: Update, placed: Placed) -> str:
    sections: dict[str, list[str]] = {}
    for action in tree.actions:
        sections.setdefault(type(action).__name__.upper(), []).append(_action(action, placed))
    return " ".join(f"{name} {', '.join(actions)}" for name, actions in sections.items())


def _action(action: Action, placed: Placed) -> str:
    target = _path(action.target, placed)
    if isinstance(action, Remove):
        return target
    value = _operand(action.value, placed)
    if isinstance(action, Set):
        return f"{target} = {value}"
    if isinstance(action, Add | Delete):
        return f"{target} {value}"
    raise TypeError(f"not an action: {action!r}")


def _operand(node: Operand, placed: Placed) -> str:
    if isinstance(node, Path):
        return _path(node, placed)
    if isinstance(node, Placeholder):
        return node.name
    if isinstance(node, Literal):
        return _placeholder(node.value, placed)
    if isinstance(node, Arithmetic):
        return f"{_operand(node.left, placed)} {node.operator} {_operand(node.right, placed)}"
    return f"{node.function}({', '.join(_operand(argument, placed) for argument in node.arguments)})"


def _placeholder(value: AttributeValue, placed: Placed) -> str:
    for name, known in placed.values.items():
        if known == value:
            return name
    name = f":v{len(placed.values)}"
    placed.values[name] = value
    return name


def _path(path: Path, placed: Placed) -> str:
    first, *rest = path.steps
    return _name(first, placed) + "".join(
        f"[{step}]" if isinstance(step, int) else f".{_name(step, placed)}" for step in rest
    )


def _name(step: Step, placed: Placed) -> str:
    if isinstance(step, Alias):
        return step.name
    name = str(step)
    if _BARE(name) and not is_reserved(name) and name.upper() not in _KEYWORDS:
        return name
    for alias, known in placed.names.items():
        if known == name:
            return alias
    alias = f"#n{len(placed.names)}"
    placed.names[alias] = name
    return alias
