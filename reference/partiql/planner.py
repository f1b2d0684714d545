"""Statements → plans: everything about a statement that can be said without looking at a table (dataplane:ORD-7).

Callers go through the stages themselves, because they put checks of their own in between: ``parse`` (module parser),
``read`` for the values, ``plan`` for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence as Listing
from dataclasses import dataclass

from reference.api import Item, Json
from reference.partiql.compiler import Compiler, operation_name
from reference.partiql.parser import Parsed
from reference.partiql.plans import Column, DeletePlan, ExistsPlan, InsertPlan, Plan, SelectPlan, UpdatePlan
from reference.partiql.tree import Access, Change, Delete, Expression, Function, Insert, Name, Select, Source, Struct
from reference.partiql.values import Values
from reference.rules import Checks, Violation, violation
from reference.values.item import normalise_item

READS = (Select,)
WRITES = (Insert, Change, Delete)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that parses, its values converted; ``item`` is what an INSERT writes, None where it is refused."""

    tree: Expression
    values: Values
    item: Item | None = None


def is_exists(tree: Expression | None) -> bool:
    """Whether a statement is EXISTS over a SELECT."""
    return (
        isinstance(tree, Function)
        and tree.name == "exists"
        and len(tree.arguments) == 1
        and isinstance(tree.arguments[0], Select)
    )


def is_read(tree: Expression) -> bool:
    """Whether a statement reads and writes nothing; a transaction's EXISTS counts with the writes."""
    return isinstance(tree, Select)


def is_statement(tree: Expression) -> bool:
    """Whether it is more than an expression by itself, which neither reads nor writes."""
    return isinstance(tree, Select | Insert | Change | Delete) or is_exists(tree)


def target_of(tree: Expression) -> tuple[str, str | None] | None:
    """The table and index a statement names, as far as it does; for looking ahead, without complaints."""
    if isinstance(tree, Insert):
        path = tree.target
    elif isinstance(tree, Select | Change | Delete):
        path = tree.source.path
    else:
        return None
    parts = _components(path)
    if not parts or len(parts) > 2:
        return None
    return parts[0], parts[1] if len(parts) == 2 else None


def _components(path: Expression) -> list[str] | None:
    """The names of a path that is nothing but names."""
    if isinstance(path, Name):
        return [path.name]
    if not isinstance(path, Access) or not isinstance(path.root, Name):
        return None
    names = [path.root.name, *(step.name for step in path.steps if isinstance(step, Name))]
    return names if len(names) == len(path.steps) + 1 else None


def read(parsed: Parsed, parameters: Json) -> Checks[Statement | None]:
    """The values of a statement, literals and parameters in the order written."""
    tree = parsed.tree
    if tree is None:
        return None
    given: Listing[Json] = parameters or ()
    if len(given) != parsed.parameters:
        yield violation("partiql.parameter-count")
    values = Values(given)
    values.collect(tree)
    item = None
    if isinstance(tree, Insert):
        item = _item(tree, values)
    yield from values.faults
    if values.faults or len(given) != parsed.parameters:
        return None
    return Statement(tree, values, item)


def _item(tree: Insert, values: Values) -> Item | None:
    """What an INSERT writes: a map literal, or a parameter that holds a map."""
    if not isinstance(tree.value, Struct):
        value = values.of(tree.value)
        return value.get("M") if value is not None else None
    members = values.members(tree.value)
    return None if members is None else normalise_item(members, "older", values.faults)


def plan(statement: Statement) -> Checks[Plan | None]:
    """What a statement asks for, or None when it is refused."""
    tree = statement.tree
    if is_exists(tree):
        assert isinstance(tree, Function)
        selected = yield from _select(tree.arguments[0], statement.values)
        return None if selected is None else ExistsPlan(selected)
    if isinstance(tree, Select):
        return (yield from _select(tree, statement.values))
    if isinstance(tree, Insert):
        return (yield from _insert(tree, statement))
    if isinstance(tree, Change):
        return (yield from _update(tree, statement.values))
    if isinstance(tree, Delete):
        return (yield from _delete(tree, statement.values))
    yield violation("partiql.unsupported-operation", operation=operation_name(tree))
    return None


def _source(source: Source) -> Checks[tuple[str, str | None] | None]:
    """Table and index behind FROM or UPDATE (dataplane:PQL-4, PQL-5)."""
    if source.alias:
        yield violation("partiql.aliasing")
    parts = _components(source.path)
    if parts is None:
        yield violation("partiql.from-source", place=source.path.token.place)
        return None
    if len(parts) > 2:
        yield violation("partiql.from-components")
    if "" in parts:
        yield violation("partiql.from-empty")
    return parts[0], parts[1] if len(parts) > 1 else None


def _select(tree: Expression, values: Values) -> Checks[SelectPlan | None]:
    assert isinstance(tree, Select)
    target = yield from _source(tree.source)
    if tree.unsupported is not None:
        token = tree.unsupported
        yield violation("partiql.unsupported-clause", clause=token.text.upper(), place=token.place)
    compiler = Compiler(values)
    columns = yield from _columns(tree, compiler)
    condition = compiler.condition(tree.where) if tree.where is not None else None
    order = []
    for key in tree.order:
        path = compiler.path(key.key)
        if path is not None:
            order.append((path, key.descending))
    yield from compiler.faults
    names = [(str(path.steps[0]), descending) for path, descending in order if len(path.steps) == 1]
    if len(names) < len(order):
        yield violation("partiql.order-key", key=".".join(str(step) for step in order[0][0].steps))
    if target is None or compiler.faults or columns is None or (condition is None and tree.where is not None):
        return None
    return SelectPlan(*target, columns or None, condition, tuple(names))


def _columns(tree: Select, compiler: Compiler) -> Checks[tuple[Column, ...] | None]:
    """The SELECT list; empty for the star, None when it is refused (dataplane:PQL-13)."""
    columns: list[Column] = []
    refused = False
    for position, item in enumerate(tree.items, start=1):
        if item.expression is None:
            continue
        if item.alias:
            yield violation("partiql.aliasing")
        if not isinstance(item.expression, Name | Access):
            refused = True
            yield violation("partiql.projection", place=item.expression.token.place)
            continue
        path = compiler.path(item.expression)
        if path is None:
            refused = True
            continue
        last = path.steps[-1]
        # What has no name of its own is named by its place, as PartiQL does.
        columns.append(Column(path, last if isinstance(last, str) else f"_{position}"))
    return None if refused else tuple(columns)


def _insert(tree: Insert, statement: Statement) -> Checks[InsertPlan | None]:
    parts = _components(tree.target)
    if parts is None or len(parts) > 1:
        yield violation("partiql.insert-target")
    elif parts == [""]:
        yield violation("partiql.from-empty")
    if not tree.one or statement.item is None:
        yield violation("partiql.insert-value", place=tree.value.token.place)
        return None
    return None if parts is None else InsertPlan(parts[0], statement.item)


def _update(tree: Change, values: Values) -> Checks[UpdatePlan | None]:
    target = yield from _source(tree.source)
    compiler = Compiler(values)
    update = compiler.update(tree.actions)
    condition = compiler.condition(tree.where) if tree.where is not None else None
    yield from compiler.faults
    if target is None or update is None or compiler.faults:
        return None
    return UpdatePlan(*target, update, condition, tree.returning)


def _delete(tree: Delete, values: Values) -> Checks[DeletePlan | None]:
    target = yield from _source(tree.source)
    if tree.returning is not None and tree.returning != "ALL OLD":
        yield violation("partiql.delete-returning", returning=tree.returning)
    compiler = Compiler(values)
    condition = compiler.condition(tree.where) if tree.where is not None else None
    yield from compiler.faults
    if target is None or compiler.faults:
        return None
    return DeletePlan(*target, condition, tree.returning)


def faults_of(parsed: Parsed) -> list[Violation]:
    """What keeps a statement from being read at all."""
    return [] if parsed.fault is None else [parsed.fault]
