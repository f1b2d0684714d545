"""Bugs of the parameters that expressions replaced."""

from __future__ import annotations

from typing import Any

from conformance.checks.steps import PLAIN, SORTED, get, item, many, n, put, s
from conformance.program import Step
from reference.api import Item
from reference.expressions import legacy
from reference.expressions import update as updates
from reference.expressions.tree import Add, And, Call, Compare, Delete, Literal, Not, Or, Path
from tests.planted.base import Body, Plant, asks, keyed, originals, patched, plant

real = originals(legacy)
real_updates = originals(updates)
T0 = "${table:t0}"


def _not_contains(name: str, operator: str, arguments: Any) -> Any:
    if operator == "NOT_CONTAINS":
        return Not(Call("contains", (Path((name,)), Literal(arguments[0]))))
    return real._condition(name, operator, arguments)


def _unequal_needs(name: str, operator: str, arguments: Any) -> Any:
    made = real._condition(name, operator, arguments)
    return And((Call("attribute_exists", (Path((name,)),)), made)) if operator == "NE" else made


def _null_is_value(name: str, operator: str, arguments: Any) -> Any:
    """NULL compares with a NULL value, as its name suggests."""
    if operator == "NULL":
        return Compare("=", Path((name,)), Literal({"NULL": True}))
    return real._condition(name, operator, arguments)


def _first_in(name: str, operator: str, arguments: Any) -> Any:
    return real._condition(name, operator, arguments[:1] if operator == "IN" else arguments)


def _between_swapped(name: str, operator: str, arguments: Any) -> Any:
    return real._condition(name, "GE" if operator == "BETWEEN" else operator, arguments)


def _always_and(request: Any, conditions: Any, parts: Any) -> Any:
    made = yield from real._joined(request, conditions, parts)
    return And(made.conditions) if isinstance(made, Or) else made


def _exists_ignored(name: str, entry: Any, layer: Any) -> Any:
    """Expected with Exists false and no value holds always."""
    made = yield from real._expectation(name, entry, layer)
    if entry.get("Exists") is False:
        return Or((made, Not(made))) if made is not None else made
    return made


def _list_not_extended(action: Add, old: Item, missing: bool, legacy_: bool) -> Any:
    """ADD to a list replaces it."""
    value = action.value.value  # type: ignore[union-attr]
    return value if legacy_ and "L" in value else real_updates._add(action, old, missing, legacy_)


def _delete_whole(action: Delete, old: Item, missing: bool, legacy_: bool) -> Any:
    """DELETE with a value removes the attribute."""
    if legacy_ and not missing:
        return real_updates._REMOVED
    return real_updates._delete(action, old, missing, legacy_)


def _dropped(*members: str) -> Any:
    return lambda body: {name: value for name, value in body.items() if name not in members}


def _old_ones_dropped(body: Body) -> Body:
    found: Body = _dropped("Expected", "ConditionalOperator")(body) if "ConditionExpression" in body else body
    return found


def _default_delete(target: Any, entry: Any, layer: Any) -> Any:
    """An action without a kind deletes."""
    if entry.get("Action") is None and entry.get("Value") is not None:
        return (yield from real._action(target, {"Action": "DELETE"}, layer))
    return (yield from real._action(target, entry, layer))


def _first_key_only(body: Body) -> Body:
    """KeyConditions on the sort key are left out."""
    held = body.get("KeyConditions")
    if not isinstance(held, dict) or len(held) != 2:
        return body
    kept = {k: v for k, v in held.items() if k != "sk"}
    return {**body, "KeyConditions": kept} if len(kept) == 1 else body


def _old(name: str, about: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "legacy", tables, *steps, **hooks)


def _compared(name: str, about: str, function: Any, *steps: Step) -> Plant:
    return _old(name, about, PLAIN, *steps, patches=(patched(legacy, _condition=function),))


def _expecting(**conditions: Any) -> Step:
    return Step("PutItem", {"TableName": T0, "Item": item(), "Expected": conditions})


def _is(operator: str, *arguments: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator} | ({"AttributeValueList": list(arguments)} if arguments else {})


def _updating(**attributes: Any) -> Step:
    return Step("UpdateItem", {"TableName": T0, "Key": {"pk": s("a")}, "AttributeUpdates": attributes})


_LISTED = put({"v": many(n(1))})
_SET = put({"v": {"SS": ["a", "b"]}})

PLANTS: tuple[Plant, ...] = (
    _compared(
        "not-contains-missing", "NOT_CONTAINS is true about a missing attribute.",
        _not_contains, put(), _expecting(v=_is("NOT_CONTAINS", s("a"))),
    ),
    _compared(
        "legacy-unequal-needs-attribute", "NE is false about a missing attribute.",
        _unequal_needs, put(), _expecting(v=_is("NE", s("a"))),
    ),
    _compared(
        "legacy-null-is-value", "NULL asks for a NULL value, not for a missing attribute.",
        _null_is_value, put(), _expecting(v=_is("NULL")),
    ),
    _compared(
        "legacy-in-first-only", "IN looks at its first value only.",
        _first_in, put({"v": n(2)}), _expecting(v=_is("IN", n(1), n(2))),
    ),
    _compared(
        "legacy-between-without-upper", "BETWEEN does not look at its upper bound.",
        _between_swapped, put({"v": n(3)}), _expecting(v=_is("BETWEEN", n(1), n(2))),
    ),
    _old(
        "conditional-operator-ignored", "ConditionalOperator OR is taken for AND.", PLAIN,
        put({"v": n(1)}), Step("PutItem", {
            "TableName": T0, "Item": item(), "ConditionalOperator": "OR",
            "Expected": {"v": _is("EQ", n(1)), "w": _is("EQ", n(1))},
        }),
        patches=(patched(legacy, _joined=_always_and),),
    ),
    _old(
        "exists-false-ignored", "Expected with Exists false holds always.", PLAIN,
        put({"v": n(1)}), _expecting(v={"Exists": False}), patches=(patched(legacy, _expectation=_exists_ignored),),
    ),
    _old(
        "expected-ignored", "Expected is ignored.", PLAIN,
        put({"v": n(1)}), _expecting(v=_is("NULL")), asks=asks(_dropped("Expected", "ConditionalOperator"), "PutItem"),
    ),
    _old(
        "legacy-add-replaces-list", "ADD of AttributeUpdates replaces a list.", PLAIN,
        _LISTED, _updating(v={"Action": "ADD", "Value": many(n(2))}), get(),
        patches=(keyed(updates._ACTIONS, {Add: _list_not_extended}),),
    ),
    _old(
        "legacy-delete-whole-set", "DELETE of AttributeUpdates with a value removes the whole set.", PLAIN,
        _SET, _updating(v={"Action": "DELETE", "Value": {"SS": ["a"]}}), get(),
        patches=(keyed(updates._ACTIONS, {Delete: _delete_whole}),),
    ),
    _old(
        "legacy-action-default", "AttributeUpdates without an action delete.", PLAIN,
        put({"v": n(1)}), _updating(v={"Value": n(2)}), get(), patches=(patched(legacy, _action=_default_delete),),
    ),
    _old(
        "attributes-to-get-ignored", "AttributesToGet is ignored.", PLAIN,
        put({"v": n(1)}), get(AttributesToGet=["v"]), asks=asks(_dropped("AttributesToGet")),
    ),
    _old(
        "query-filter-ignored", "QueryFilter is ignored.", SORTED,
        put({"sk": s("a")}), Step("Query", {
            "TableName": T0, "KeyConditions": {"pk": _is("EQ", s("a"))}, "QueryFilter": {"v": _is("NOT_NULL")},
        }), asks=asks(_dropped("QueryFilter", "ConditionalOperator"), "Query"),
    ),
    _old(
        "scan-filter-ignored", "ScanFilter is ignored.", PLAIN,
        put(), Step("Scan", {"TableName": T0, "ScanFilter": {"v": _is("NOT_NULL")}}),
        asks=asks(_dropped("ScanFilter", "ConditionalOperator"), "Scan"),
    ),
    _old(
        "key-conditions-first-only", "KeyConditions on the sort key are ignored.", SORTED,
        put({"sk": s("a")}), Step("Query", {
            "TableName": T0, "KeyConditions": {"pk": _is("EQ", s("a")), "sk": _is("EQ", s("b"))},
        }), asks=asks(_first_key_only, "Query"),
    ),
    _old(
        "legacy-mixing-accepted", "Old and new parameters may be mixed; the old ones are ignored.", PLAIN,
        put(ConditionExpression="attribute_not_exists(pk)", Expected={"pk": {"Exists": False}}),
        asks=asks(_old_ones_dropped),
    ),
)  # fmt: skip
