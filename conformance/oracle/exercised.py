"""What a request exercises: the rules its condition is evaluated by, and the open questions it raises."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from conformance.oracle import throttled
from conformance.oracle.compare import Difference
from reference.api import Call, Json
from reference.expressions.parser import parse
from reference.expressions.tree import Add, Alias, Arithmetic, Between, Compare, Delete, In, Kind, Path, Set, Update
from reference.expressions.tree import Call as Function
from reference.requests.model import Shape, inputs
from reference.rules import ledger
from reference.service import Service
from reference.tables.table import Table
from reference.values.item import normalise_item

MAX_LEVELS = 32
"""Levels of nesting: what wraps a value, and the value."""
MAX_ITEMS = 256
"""Stored items looked through for texts beyond ASCII."""

_CONDITIONS: tuple[Kind, ...] = ("Condition", "Filter")
_TAGS = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
_CONVERTED: Mapping[str, type] = {"boolean": str, "integer": float, "long": float}
_FUNCTIONS = {
    "attribute_exists": "expressions.existence",
    "attribute_not_exists": "expressions.existence",
    "attribute_type": "expressions.existence",
    "begins_with": "expressions.contains",
    "contains": "expressions.contains",
}


def condition_rule(call: Call, *parameters: str) -> str | None:
    """The one rule of evaluation that a request's condition or filter exercises; None if it is none or several."""
    body = call.body if isinstance(call.body, dict) else {}
    for given in (body.get(name) for name in parameters if not name.endswith("Expression")):
        if given:
            return (
                "legacy.joined" if len(given) > 1 and body.get("ConditionalOperator") == "OR" else "legacy.comparisons"
            )
    rules = {
        rule
        for kind in _CONDITIONS
        if f"{kind}Expression" in parameters
        for fields in parts(call)
        for node in nodes(tree_of(fields, kind))
        if (rule := rule_of(node)) is not None
    }
    if "expressions.size-function" in rules:
        rules -= {"expressions.equality", "expressions.ordering"}
    return rules.pop() if len(rules) == 1 else None


def rule_of(node: object) -> str | None:
    """The rule by which one node of a condition is decided; None for what only joins others."""
    if isinstance(node, Compare):
        return "expressions.equality" if node.operator in ("=", "<>") else "expressions.ordering"
    if isinstance(node, Between):
        return "expressions.ordering"
    if isinstance(node, In):
        return "expressions.in"
    if isinstance(node, Function):
        return "expressions.size-function" if node.function == "size" else _FUNCTIONS.get(node.function)
    return None


_IN_ACTIONS = (
    (r"list_append", "expressions.list-append"),
    (r"if_not_exists", "expressions.if-not-exists"),
    (r"\s[+-]\s", "values.number-arithmetic"),
)


def update_rule(body: Json, difference: Difference) -> str:
    """The rule about the update action that wrote the differing attribute."""
    text = body.get("UpdateExpression") if isinstance(body, dict) else None
    if not isinstance(text, str):
        return _legacy_rule(body, difference)
    names = body.get("ExpressionAttributeNames") or {}
    attribute = next((name for name in difference.names if name), None)
    kind, action = _action_on(text, attribute, names)
    fixed = {"ADD": "expressions.add", "DELETE": "expressions.delete", "REMOVE": "expressions.remove"}
    if kind in fixed:
        return fixed[kind]
    if _reads_written(body, attribute):
        return "expressions.reads-before"
    for pattern, rule in _IN_ACTIONS:
        if action and re.search(pattern, action) and rule in ledger():
            return rule
    if action and re.match(r"\S+\[\d+\]\s*=", action):
        return "expressions.list-append-past-end"
    return "expressions.reads-before"


def _reads_written(body: Json, attribute: str | None) -> bool:
    """Whether what sets an attribute reads another one that the same update writes."""
    tree = tree_of(body, "Update")
    if not isinstance(tree, Update):
        return False
    written = {_name(body, action.target) for action in tree.actions} - {attribute}
    setting = (a for a in tree.actions if isinstance(a, Set) and _name(body, a.target) == attribute)
    read = {_name(body, node) for action in setting for node in nodes(action.value) if isinstance(node, Path)}
    return bool(read & written)


def rewritten(body: Json) -> frozenset[str] | None:
    """The attributes that an update gives something else than what they hold; None when that can't be told."""
    fields = body if isinstance(body, dict) else {}
    updates = fields.get("AttributeUpdates")
    if isinstance(updates, dict):
        return frozenset(updates)
    if fields.get("UpdateExpression") is None:
        return frozenset()
    tree = tree_of(fields, "Update")
    if not isinstance(tree, Update):
        return None
    same = (action for action in tree.actions if not (isinstance(action, Set) and action.value == action.target))
    return frozenset(str(_name(fields, action.target)) for action in same)


def _legacy_rule(body: Json, difference: Difference) -> str:
    updates = body.get("AttributeUpdates") if isinstance(body, dict) else None
    if not isinstance(updates, dict) or not updates:
        return "items.update-creates"
    attribute = next((name for name in difference.names if name in updates), None)
    update = updates.get(attribute, next(iter(updates.values())) if len(updates) == 1 else {})
    added = update.get("Value") or {}
    return "legacy.add-to-list" if update.get("Action") == "ADD" and "L" in added else "items.update-what-is-named"


def _action_on(text: str, attribute: str | None, names: Json) -> tuple[str, str]:
    """The clause and action of an update expression that aims at an attribute; the only one if there is but one."""
    actions: list[tuple[str, str]] = []
    for section in re.split(r"\s+(?=(?:SET|REMOVE|ADD|DELETE)\s)", text.strip()):
        kind, _, listed = section.partition(" ")
        actions += [(kind.upper(), part.strip()) for part in re.split(r",(?![^()]*\))", listed)]
    for kind, action in actions:
        head = re.split(r"[.\[\s=]", action, maxsplit=1)[0]
        if attribute is not None and names.get(head, head) == attribute:
            return kind, action
    return actions[0] if len(actions) == 1 else ("", "")


def open_questions(service: Service, call: Call) -> Iterator[str]:
    """The disputed rules that decide what a well-formed request means: no answer to it is a finding."""
    body = call.body
    if not isinstance(body, dict):
        return
    if call.operation in inputs():
        yield from _tolerated(inputs()[call.operation], body)
    if any(map(_nests_parameter, _statements(body))):
        yield "partiql.nested-parameter"
    if any(map(_unequal, _statements(body))):
        yield "partiql.unequal-to-missing"
    if throttled.of_either_day(service, call):
        yield "tables.decrease-limit"
    for fields in parts(call):
        yield from _of_update(service, fields)
        yield from _of_conditions(service, fields)


def _tolerated(shape: Shape, value: Json) -> Iterator[str]:
    """What a body asks of the service's patience: members and nulls it has no use for, scalars it has to convert."""
    if value is None:
        yield "wire.unknown-members"
    elif shape.kind == "value":
        yield from _tolerated_values(value)
    elif isinstance(value, dict):
        if shape.kind == "structure" and not value.keys() <= shape.members.keys():
            yield "wire.unknown-members"
        for name, inner in value.items():
            below = shape.members.get(name, shape.element)
            if below is not None:
                yield from _tolerated(below, inner)
    elif isinstance(value, list) and shape.element is not None:
        for inner in value:
            yield from _tolerated(shape.element, inner)
    elif isinstance(value, _CONVERTED.get(shape.kind, ())):
        yield "wire.lenient-scalars"


def _tolerated_values(value: Json) -> Iterator[str]:
    """Attribute values may be nested thousands deep: they are walked, not recursed into."""
    left = [(value, 1)]
    while left:
        single, level = left.pop()
        if not isinstance(single, dict):
            continue
        if level == MAX_LEVELS and (single.get("L") == [] or single.get("M") == {}):
            yield "values.nesting-of-nothing"
        if (single.keys() & _TAGS and single.keys() - _TAGS) or None in single.values():
            yield "wire.unknown-members"
        if isinstance(single.get("BOOL"), str) or isinstance(single.get("NULL"), str):
            yield "wire.lenient-scalars"
        for inner in (single.get("L"), single.get("M")):
            below = inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ()
            left += ((each, level + 1) for each in below)


def _statements(body: Mapping[str, Json]) -> Iterator[str]:
    listed = body.get("Statements") or body.get("TransactStatements")
    for part in (body, *(listed if isinstance(listed, list) else ())):
        if isinstance(part, dict) and isinstance(part.get("Statement"), str):
            yield part["Statement"]


def _nests_parameter(statement: str) -> bool:
    """Whether a parameter stands inside a list, a set or a map that is not the item itself."""
    depth = 0
    for token in _BRACKETS.findall(statement):
        if token == "?":
            if depth > 1:
                return True
        elif token in "{[<<":
            depth += 1
        elif token in "}]>>":
            depth -= 1
    return False


def _unequal(statement: str) -> bool:
    """Whether a statement asks for what is unlike something."""
    bare = re.sub(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|<<.*?>>""", "", statement)
    return "<>" in bare or "!=" in bare


_BRACKETS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|<<|>>|[{}\[\]?]""")


def parts(call: Call) -> Iterator[dict[str, Any]]:
    """The objects of a request that hold expressions: itself, or the actions of a transaction."""
    yield call.body
    actions = call.body.get("TransactItems")
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            yield from (part for part in action.values() if isinstance(part, dict))


def _of_update(service: Service, fields: Mapping[str, Json]) -> Iterator[str]:
    tree = tree_of(fields, "Update")
    if not isinstance(tree, Update):
        return
    if any(isinstance(a, Add | Delete) and len(a.target.steps) > 1 for a in tree.actions):
        yield "expressions.add-nested"
    table = _table(service, fields)
    key = fields.get("Key")
    if table is None or not isinstance(key, dict):
        return
    normal = normalise_item({k: v for k, v in key.items() if k in table.key.names}, "current", [])
    row = None if normal is None else table.view.row_key(normal)
    stored = None if row is None else table.at(row)
    if stored is not None and any(
        _reads_absent(fields, stored.item, a.value) for a in tree.actions if isinstance(a, Set)
    ):
        yield "expressions.if-not-exists-operand"
    if row is None or stored is not None:
        return
    read = {str(_name(fields, node)) for a in tree.actions if isinstance(a, Set) for node in nodes(a.value)}
    if read & set(table.key.names):
        yield "expressions.key-of-new-item"


def _reads_absent(fields: Mapping[str, Json], item: Mapping[str, Any], value: object) -> bool:
    """Whether if_not_exists() has something to give, and beside it something to read that may not be there."""
    for node in nodes(value):
        if isinstance(node, Function) and node.function == "if_not_exists" and len(node.arguments) > 1:
            read = [path for path in nodes(node.arguments[1]) if isinstance(path, Path)]
            absent = any(len(path.steps) > 1 or _name(fields, path) not in item for path in read)
            if absent and _name(fields, node.arguments[0]) in item:
                return True
    return False


def _of_conditions(service: Service, fields: Mapping[str, Json]) -> Iterator[str]:
    if _filters_unprojected(service, fields):
        yield "indexes.filter-not-projected"
    found = [node for kind in _CONDITIONS for node in nodes(tree_of(fields, kind))]
    if not any(isinstance(node, Function) and node.function == "size" for node in found):
        return
    if any(isinstance(n, Compare) and n.operator == "<>" and _measures(n) for n in found):
        yield "expressions.size-of-missing"
    table = _table(service, fields)
    stored = [] if table is None else list(islice(table.items(), MAX_ITEMS))
    if not orjson.dumps([stored, fields.get("ExpressionAttributeValues")], default=str).isascii():
        yield "expressions.size-unit"


def _filters_unprojected(service: Service, fields: Mapping[str, Json]) -> bool:
    """Whether a read of an index filters on what the index does not hold."""
    table = _table(service, fields)
    index = table.indexes.get(str(fields.get("IndexName"))) if table is not None else None
    held = index.schema.stored if index is not None else None
    if held is None:
        return False
    named = {str(_name(fields, node)) for node in nodes(tree_of(fields, "Filter")) if isinstance(node, Path)}
    given = (fields.get(member) for member in ("QueryFilter", "ScanFilter"))
    return not named.union(*(each for each in given if isinstance(each, dict))) <= held


def _measures(node: Compare) -> bool:
    return any(isinstance(side, Function) and side.function == "size" for side in (node.left, node.right))


def _table(service: Service, fields: Mapping[str, Json]) -> Table | None:
    name = fields.get("TableName")
    return service.account.table(name) if isinstance(name, str) else None


def _name(fields: Mapping[str, Json], node: object) -> Json:
    """The attribute that a path starts at."""
    if not isinstance(node, Path):
        return None
    head = node.steps[0]
    names = fields.get("ExpressionAttributeNames")
    if isinstance(head, Alias):
        return names.get(head.name) if isinstance(names, dict) else None
    return head


def tree_of(fields: Mapping[str, Json], kind: Kind) -> object:
    """The parsed expression of a kind, None when there is none that can be parsed."""
    text = fields.get(f"{kind}Expression")
    return parse(kind, text).tree if isinstance(text, str) else None


def nodes(tree: object) -> Iterator[object]:
    """A node and all below it."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if node is None:
            continue
        yield node
        if isinstance(node, Compare | Arithmetic):
            todo += (node.left, node.right)
        elif isinstance(node, Between):
            todo += (node.operand, node.low, node.high)
        elif isinstance(node, In):
            todo += (node.operand, *node.options)
        elif isinstance(node, Function):
            todo += node.arguments
        elif hasattr(node, "conditions"):
            todo += node.conditions
        elif hasattr(node, "condition"):
            todo.append(node.condition)
