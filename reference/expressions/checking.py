"""What can be wrong with a well-formed expression once its names and values are known (dataplane:EXPR-15 to 25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reference.api import AttributeValue
from reference.expressions.tree import (
    Action,
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
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    Set,
    Step,
    Tree,
    Update,
    path_text,
)
from reference.rules import Violation, violation
from reference.values.value import compare, type_of

MAX_OPTIONS = 100
ORDERED = frozenset({"S", "N", "B"})
"""The types that have an order."""
TYPE_NAMES = ("N", "BS", "L", "B", "NULL", "M", "S", "SS", "NS", "BOOL")
"""The ten types, as the older front end lists them."""
_TYPE_NAMES_IN_ORDER = "S,SS,N,NS,B,BS,BOOL,NULL,L,M"
"""The same, as the front end of single writes does."""
ANY_TYPE = "B,L,HD,S,N,FS,BOOL,INTSET,NULL,FLOAT,DECIMAL,DICT,SS,NS,DECIMALSET,DOUBLESET,M,BS,INT,HDS,DOUBLE"
_ANY_TYPE_IN_ORDER = f"{_TYPE_NAMES_IN_ORDER},HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,DECIMAL,INT,DECIMALSET,INTSET"
_ARITY = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
    "if_not_exists": 2,
    "list_append": 2,
}
_LONG_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOL",
    "L": "LIST",
    "M": "MAP",
}
_Values = Mapping[str, AttributeValue]


def leaves_of(condition: Condition) -> list[Condition]:
    """The single conditions of a condition, in the order written."""
    found: list[Condition] = []
    stack: list[Condition] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, And | Or):
            stack.extend(reversed(node.conditions))
        elif isinstance(node, Not):
            stack.append(node.condition)
        else:
            found.append(node)
    return found


def operands_of(node: Condition | Operand | Action) -> tuple[Operand, ...]:
    """What a single condition, function, or action is made of, in the order written; an action's target is left out."""
    if isinstance(node, Compare | Arithmetic):
        return (node.left, node.right)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Between):
        return (node.operand, node.low, node.high)
    if isinstance(node, In):
        return (node.operand, *node.options)
    if isinstance(node, Set | Add | Delete):
        return (node.value,)
    return ()


def atoms_of(node: Condition | Operand | Action) -> Iterator[Operand]:
    """The paths and values in a single condition, function or action, in the order written."""
    stack = list(reversed(operands_of(node)))
    while stack:
        operand = stack.pop()
        inner = operands_of(operand)
        if inner:
            stack.extend(reversed(inner))
        else:
            yield operand


def calls_of(node: Condition | Operand | Action) -> list[Call | Arithmetic]:
    """The functions in a single condition or action, the inner before the outer; of a condition, itself as well."""
    found: list[Call | Arithmetic] = []
    stack: list[Condition | Operand | Action] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, Call | Arithmetic):
            found.append(each)
        stack.extend(operands_of(each))
    found.reverse()
    return found


def depends_on_values(tree: Tree, leaves: Sequence[Condition]) -> bool:
    """Whether the checks of an expression look at values, not only at their types."""
    if isinstance(tree, Update | Projection):
        return False
    return any(
        isinstance(leaf, Between) or any(isinstance(c, Call) and c.function == "attribute_type" for c in calls_of(leaf))
        for leaf in leaves
    )


def type_in(operand: Operand, values: _Values) -> str | None:
    """The type of a value from the request or of what a function returns; None where only the item tells."""
    if isinstance(operand, Placeholder):
        value = values.get(operand.name)
        return None if value is None else type_of(value)
    if isinstance(operand, Call) and operand.function == "size":
        return "N"
    return None


# Paths: undefined names, undefined values, overlap (updates and projections)


def check_paths(
    kind: Kind, tree: Update | Projection, placeholders: Sequence[str], values: _Values
) -> Iterator[Violation]:
    """Undefined names, then undefined values, then targets that overlap, then targets that conflict."""
    if isinstance(tree, Projection):
        targets: Sequence[Path] = tree.paths
        paths = list(targets)
    else:
        targets = [a.target for a in tree.actions]
        paths = []
        for action in tree.actions:
            paths.append(action.target)
            paths += [p for p in atoms_of(action) if isinstance(p, Path)]
    yield from undefined_names(kind, paths)
    yield from (undefined_value(kind, p) for p in placeholders if p not in values)
    yield from _overlaps(kind, targets)


def undefined_names(kind: Kind, paths: Sequence[Path]) -> Iterator[Violation]:
    """The aliases that nothing stands for, each once."""
    missing = dict.fromkeys(step.name for path in paths for step in path.steps if isinstance(step, Alias))
    yield from (violation("expressions.undefined-name", kind=kind, alias=alias) for alias in missing)


def undefined_value(kind: Kind, placeholder: str) -> Violation:
    """That nothing stands for a placeholder."""
    return violation("expressions.undefined-value", kind=kind, value=placeholder)


@dataclass(slots=True)
class _Node:
    """A spot in the documents that paths lead through: which path ends or first passes there."""

    first: int
    ends: int | None = None
    children: dict[Step, _Node] = field(default_factory=dict)
    first_of: dict[type, int] = field(default_factory=dict)


def _overlaps(kind: Kind, paths: Sequence[Path]) -> Iterator[Violation]:
    """The first two paths of which one holds the other, then the first two that want one spot a map and a list."""
    root = _Node(-1)
    overlap: tuple[int, int] | None = None
    conflict: tuple[int, int] | None = None
    for position, path in enumerate(paths):
        node = root
        met: list[int] = []
        for step in path.steps:
            sort: type = int if isinstance(step, int) else str
            if conflict is None:
                other = node.first_of.get(str if sort is int else int)
                if other is not None:
                    conflict = (other, position)
            node.first_of.setdefault(sort, position)
            node = node.children.setdefault(step, _Node(position))
            if node.ends is not None:
                met.append(node.ends)
        if node.first < position:
            met.append(node.first)
        if node.ends is None:
            node.ends = position
        if met and overlap is None:
            overlap = (min(met), position)
    for rule, pair in (("expressions.path-overlap", overlap), ("expressions.path-conflict", conflict)):
        if pair is not None:
            one, two = paths[pair[0]], paths[pair[1]]
            yield violation(rule, kind=kind, one=path_text(one), two=path_text(two))


# Values


def check_values(kind: Kind, tree: Tree, leaves: Sequence[Condition], values: _Values) -> Iterator[Violation]:
    """The faults of operands: of each condition in turn, or of the actions of an update."""
    if isinstance(tree, Update):
        yield from _check_actions(tree, values)
    for leaf in leaves:
        yield from _check_leaf(kind, leaf, values)


def _check_leaf(kind: Kind, leaf: Condition, values: _Values) -> Iterator[Violation]:
    atoms = list(atoms_of(leaf))
    calls = [c for c in calls_of(leaf) if isinstance(c, Call)]
    for atom in atoms:
        if isinstance(atom, Path):
            yield from undefined_names(kind, (atom,))
        elif isinstance(atom, Placeholder) and atom.name not in values:
            yield undefined_value(kind, atom.name)
    yield from _check_counts(kind, leaf, calls)
    for call in calls:
        yield from _check_distinct(kind, call.function, call.arguments)
    if isinstance(leaf, Compare):
        yield from _check_distinct(kind, leaf.operator, operands_of(leaf))
    elif isinstance(leaf, Between | In):
        yield from _check_distinct(kind, type(leaf).__name__.upper(), operands_of(leaf))
    for call in calls:
        if len(call.arguments) == _ARITY.get(call.function):
            yield from _check_call(kind, call, values)
    if isinstance(leaf, Compare) and leaf.operator not in ("=", "<>"):
        yield from _check_types(kind, leaf.operator, operands_of(leaf), values, ORDERED)
    elif isinstance(leaf, Between):
        yield from _check_between(kind, leaf, values)


def _check_counts(kind: Kind, leaf: Condition, calls: Sequence[Call]) -> Iterator[Violation]:
    for call in calls:
        wanted = _ARITY.get(call.function)
        if wanted is not None and len(call.arguments) != wanted:
            yield violation("expressions.operand-count", kind=kind, operator=call.function, count=len(call.arguments))
    if isinstance(leaf, In) and len(leaf.options) > MAX_OPTIONS:
        yield violation("expressions.in-options", kind=kind, count=len(leaf.options))


def _check_distinct(kind: Kind, operator: str, operands: Sequence[Operand]) -> Iterator[Violation]:
    first = operands[0]
    if not isinstance(first, Path) or any(isinstance(step, Alias) for step in first.steps):
        return
    if first in operands[1:]:
        yield violation("expressions.distinct-operands", kind=kind, operator=operator, path=path_text(first))


def _check_types(
    kind: Kind, operator: str, operands: Sequence[Operand], values: _Values, allowed: frozenset[str]
) -> Iterator[Violation]:
    for operand in operands:
        sort = type_in(operand, values)
        if sort is not None and sort not in allowed:
            yield violation("expressions.operand-type", kind=kind, operator=operator, type=sort)


_TEXTS = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})


def _check_call(kind: Kind, call: Call, values: _Values) -> Iterator[Violation]:
    name, arguments = call.function, call.arguments
    if name == "attribute_exists" or name == "attribute_not_exists":
        if not isinstance(arguments[0], Path):
            yield violation("expressions.path-required", kind=kind, function=name)
    elif name == "begins_with":
        yield from _check_types(kind, name, arguments, values, _TEXTS)
    elif name == "size":
        yield from _check_types(kind, name, arguments, values, _SIZED)
    elif name == "attribute_type":
        yield from _check_type_name(kind, arguments[1], values)


def _check_type_name(kind: Kind, operand: Operand, values: _Values) -> Iterator[Violation]:
    if isinstance(operand, Placeholder) and operand.name not in values:
        return
    sort = type_in(operand, values)
    in_order = kind == "Condition"
    if sort is None:
        any_type = _ANY_TYPE_IN_ORDER if in_order else ANY_TYPE
        yield violation("expressions.type-operand", kind=kind, type=f"{{{any_type}}}")
    elif sort != "S":
        yield violation("expressions.operand-type", kind=kind, operator="attribute_type", type=sort)
    elif isinstance(operand, Placeholder) and (wanted := values[operand.name]["S"]) not in TYPE_NAMES:
        valid = _TYPE_NAMES_IN_ORDER if in_order else ",".join(TYPE_NAMES)
        yield violation("expressions.type-name", kind=kind, type=wanted, valid=valid)


def _check_between(kind: Kind, leaf: Between, values: _Values) -> Iterator[Violation]:
    refused = False
    for fault in _check_types(kind, "BETWEEN", operands_of(leaf), values, ORDERED):
        refused = True
        yield fault
    if refused or not isinstance(leaf.low, Placeholder) or not isinstance(leaf.high, Placeholder):
        return
    low, high = values.get(leaf.low.name), values.get(leaf.high.name)
    if low is None or high is None:
        return
    order = compare(low, high)
    if order is None:
        yield violation("expressions.between-types", kind=kind, low=_shown(low), high=_shown(high))
    elif order > 0:
        yield violation("expressions.between-order", kind=kind, low=_shown(low), high=_shown(high))


def _shown(value: AttributeValue) -> str:
    """A scalar as the service prints it in messages."""
    ((sort, inner),) = value.items()
    return f"AttributeValue: {{{sort}:{inner}}}"


def _check_actions(update: Update, values: _Values) -> Iterator[Violation]:
    for action in update.actions:
        if isinstance(action, Add | Delete):
            sort = type_in(action.value, values)
            if sort in _LONG_NAMES and not (sort == "N" and isinstance(action, Add)):
                yield violation(
                    "expressions.action-operand",
                    operator=type(action).__name__.upper(),
                    type=_LONG_NAMES[sort],
                )
    for action in update.actions:
        for call in calls_of(action):
            yield from _check_function(call, values)


def _check_function(call: Call | Arithmetic, values: _Values) -> Iterator[Violation]:
    if isinstance(call, Arithmetic):
        yield from _check_types("Update", call.operator, operands_of(call), values, frozenset({"N"}))
        return
    name, arguments = call.function, call.arguments
    wanted = _ARITY.get(name)
    if wanted is None:
        return
    if len(arguments) != wanted:
        yield violation("expressions.operand-count", kind="Update", operator=name, count=len(arguments))
    elif name == "if_not_exists":
        if not isinstance(arguments[0], Path):
            yield violation("expressions.path-required", kind="Update", function=name)
        yield from _check_distinct("Update", name, arguments)
    elif name == "list_append":
        yield from _check_types("Update", name, arguments, values, frozenset({"L"}))
