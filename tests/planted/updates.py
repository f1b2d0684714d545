"""Bugs of update expressions and of what UpdateItem returns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.steps import NULL, PLAIN, get, many, n, named, put, s, update
from reference.api import Call, Item
from reference.expressions import update as updates
from reference.expressions.projection import project
from reference.expressions.tree import Add, Arithmetic, Delete, Path, Remove, Set, Update
from reference.operations.base import Outcome
from reference.rules import Checks
from reference.service import Service
from reference.tables.view import Record
from tests.planted.base import Body, Plant, answers, keyed, originals, patched, plant, stores

real = originals(updates)
_ACTIONS = updates._ACTIONS


def _removed_one_by_one(elements: list[Any], changes: Any) -> list[Any]:
    """REMOVE a[0], a[1] as two removals, the second from what the first left."""
    gone = [index for index, change in changes.items() if change is real._REMOVED]
    if len(gone) < 2:
        return real._elements(elements, changes)
    kept = list(elements)
    for index in gone:
        if index < len(kept):
            del kept[index]
    return kept


def _padded(elements: list[Any], changes: Any) -> list[Any]:
    """Elements past the end are set where they were asked for, with NULL between."""
    new = real._elements(elements, {i: c for i, c in changes.items() if i < len(elements)})
    for index in sorted(i for i in changes if i >= len(elements)):
        new += [NULL] * (index - len(new)) + [changes[index]] if not _special(changes[index]) else []
    return new


def _special(change: Any) -> bool:
    return isinstance(change, real._Removed | real._Below)


def _past_end_lost(elements: list[Any], changes: Any) -> list[Any]:
    return real._elements(elements, {i: c for i, c in changes.items() if i < len(elements)})


def _leaves_holes(elements: list[Any], changes: Any) -> list[Any]:
    filled = {i: NULL if change is real._REMOVED and i < len(elements) else change for i, change in changes.items()}
    return real._elements(elements, filled)


def _reversed(operand: Any, old: Item) -> Any:
    return real._append(replace(operand, arguments=operand.arguments[::-1]), old)


def _append_from_nothing(operand: Any, old: Item) -> Any:
    kept = tuple(a for a in operand.arguments if not isinstance(a, Path) or real.lookup(a, old) is not None)
    return real._append(replace(operand, arguments=kept), old)


def _evaluate_with(change: Any) -> Any:
    original = real._evaluate

    def evaluate(operand: Any, old: Item) -> Any:
        found = change(operand, old, original)
        return original(operand, old) if found is None else found

    return patched(updates, _evaluate=evaluate)


def _null_does_not_exist(operand: Any, old: Item, original: Any) -> Any:
    if getattr(operand, "function", "") == "if_not_exists" and real.lookup(operand.arguments[0], old) == NULL:
        return original(operand.arguments[1], old)
    return None


def _always_new(operand: Any, old: Item, original: Any) -> Any:
    return original(operand.arguments[1], old) if getattr(operand, "function", "") == "if_not_exists" else None


def _missing_is_zero(operand: Any, old: Item, original: Any) -> Any:
    if isinstance(operand, Arithmetic) and isinstance(operand.left, Path) and real.lookup(operand.left, old) is None:
        return original(operand.right, old)
    return None


def _subtracted_other_way(operand: Any, old: Item, original: Any) -> Any:
    if isinstance(operand, Arithmetic) and operand.operator == "-":
        return original(Arithmetic("-", operand.right, operand.left), old)
    return None


def _one_after_another(update: Update, item: Item | None, key: Item) -> Checks[Any]:
    """Each action sees what the ones before it did."""
    if item is None or len(update.actions) < 2:
        return (yield from real.apply(update, item, key))
    now = item
    for action in update.actions:
        result = yield from real.apply(Update((action,), update.legacy), now, key)
        if result is None:
            return None
        now = result.new
    return real.UpdateResult(item, now, tuple(action.target for action in update.actions))


def _always_creates(update: Update, item: Item | None, key: Item) -> Checks[Any]:
    result = yield from real.apply(update, item, key)
    if result is not None and result.new is None:
        return real.UpdateResult(None, dict(key), result.targets)
    return result


def _keyed_item(update: Update, item: Item | None, key: Item) -> Checks[Any]:
    """An update without actions creates nothing."""
    result = yield from real.apply(update, item, key)
    if result is not None and item is None and not update.actions:
        return real.UpdateResult(None, None, ())
    return result


def _add_to_missing(action: Add, old: Item, missing: bool, legacy: bool) -> Any:
    if real.lookup(action.target, old) is None and "N" in action.value.value:  # type: ignore[union-attr]
        return None
    return real._add(action, old, missing, legacy)


def _add_to_list(action: Add, old: Item, missing: bool, legacy: bool) -> Any:
    """ADD replaces a stored value of another type."""
    current = real.lookup(action.target, old)
    value = action.value.value  # type: ignore[union-attr]
    if current is not None and current.keys() != value.keys():
        return value
    return real._add(action, old, missing, legacy)


def _add_replaces_set(action: Add, old: Item, missing: bool, legacy: bool) -> Any:
    value = action.value.value  # type: ignore[union-attr]
    if "N" not in value and real.lookup(action.target, old) is not None:
        return value
    return real._add(action, old, missing, legacy)


def _delete_leaves_empty(action: Delete, old: Item, missing: bool, legacy: bool) -> Any:
    outcome = real._delete(action, old, missing, legacy)
    if outcome is real._REMOVED:
        return {next(iter(action.value.value)): []}  # type: ignore[union-attr]
    return outcome


def _delete_all_or_none(action: Delete, old: Item, missing: bool, legacy: bool) -> Any:
    current = real.lookup(action.target, old)
    value = action.value.value  # type: ignore[union-attr]
    ((kind, members),) = value.items()
    if current is not None and kind in current and not set(members) <= set(current[kind]):
        return None
    return real._delete(action, old, missing, legacy)


def _set_makes_parents(action: Set, old: Item, missing: bool, legacy: bool) -> Any:
    outcome = real._set(action, old, missing, legacy)
    steps = action.target.steps
    if len(steps) == 2 and isinstance(steps[1], str) and real.lookup(Path(steps[:1]), old) is None:
        return None
    return outcome


def _remove_ignores_missing(action: Remove, old: Item, missing: bool, legacy: bool) -> Any:
    if not real._has_parent(action.target, old):
        return None
    return real._remove(action, old, missing, legacy)


def _remove_empties(call: Call, found: Item) -> Item:
    """REMOVE of a nested member that leaves a map empty takes the map away too."""
    if "REMOVE" not in str(call.body.get("UpdateExpression")):
        return found
    return {name: value for name, value in found.items() if value != {"M": {}}}


def _returned(choice: str, change: Any) -> Any:
    def returned(result: Any, which: str | None) -> Item | None:
        found: Item | None = change(result) if which == choice else real.returned(result, which)
        return found

    return patched(updates, returned=returned)


def _whole_targets(result: Any) -> Item | None:
    tops = tuple(Path(path.steps[:1]) for path in result.targets)
    return project(tops, result.new or {}) or None


def _whole_old_targets(result: Any) -> Item | None:
    tops = tuple(Path(path.steps[:1]) for path in result.targets)
    return project(tops, result.old or {}) or None


def _with_key(service: Service, call: Call, body: Body) -> Body:
    if call.body.get("ReturnValues") == "UPDATED_NEW" and "Attributes" in body:
        return {**body, "Attributes": {**body["Attributes"], **call.body["Key"]}}
    return body


def _empty_attributes(service: Service, call: Call, body: Body) -> Body:
    if call.body.get("ReturnValues") in ("UPDATED_OLD", "UPDATED_NEW"):
        return {"Attributes": {}, **body}
    return body


def _unchanged_left_out(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """UPDATED_NEW leaves out attributes that were set to what they were."""
    if call.body.get("ReturnValues") != "UPDATED_NEW" or "Attributes" not in outcome.body:
        return outcome
    (change,) = outcome.changes
    old = change.old.item if change.old else {}
    left = {name: value for name, value in outcome.body["Attributes"].items() if old.get(name) != value}
    rest = {name: value for name, value in outcome.body.items() if name != "Attributes"}
    return replace(outcome, body={**rest, "Attributes": left} if left else rest)


def _last_action_lost(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Of two REMOVE actions the second is forgotten."""
    text = str(call.body.get("UpdateExpression"))
    if call.operation != "UpdateItem" or not text.startswith("REMOVE ") or "," not in text:
        return outcome
    (change,) = outcome.changes
    name = text.rsplit(",", 1)[1].strip()
    name = (call.body.get("ExpressionAttributeNames") or {}).get(name, name)
    if change.old is None or change.new is None or name not in change.old.item:
        return outcome
    kept = {**change.new.item, name: change.old.item[name]}
    table = service.account.tables[change.table]
    return replace(outcome, changes=(table.plan(kept, Record.of(kept)),))


def _update(name: str, about: str, *steps: Any, **hooks: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, **hooks)


def _action(name: str, about: str, kind: type, function: Any, *steps: Any) -> Plant:
    return _update(name, about, *steps, patches=(keyed(_ACTIONS, {kind: function}),))


def _module(name: str, about: str, *steps: Any, **replacements: Any) -> Plant:
    return _update(name, about, *steps, patches=(patched(updates, **replacements),))


def _evaluated(name: str, about: str, change: Any, *steps: Any) -> Plant:
    return _update(name, about, *steps, patches=(_evaluate_with(change),))


_LIST = put({"v": many(n(1), n(2), n(3))})
_MAP = put({"v": named(x=n(1), y=n(2))})
_ONE = put({"v": n(1), "w": n(2)})
_SET = put({"v": {"SS": ["a", "b"]}})
_NONE = put()

PLANTS: tuple[Plant, ...] = (
    _module(
        "removals-shift", "List elements are removed one after another, so that indexes shift meanwhile.",
        _LIST, update("REMOVE v[0], v[1]"), get(), _elements=_removed_one_by_one,
    ),
    _module(
        "past-end-padded", "A SET past the end of a list pads it with NULLs.",
        _LIST, update("SET v[5] = :x", {"x": n(4)}), get(), _elements=_padded,
    ),
    _module(
        "past-end-lost", "A SET past the end of a list does nothing.",
        _LIST, update("SET v[5] = :x", {"x": n(4)}), get(), _elements=_past_end_lost,
    ),
    _module(
        "removal-leaves-hole", "REMOVE of a list element leaves NULL in its place.",
        _LIST, update("REMOVE v[0]"), get(), _elements=_leaves_holes,
    ),
    _module(
        "list-append-reversed", "list_append puts its second operand first.",
        _LIST, update("SET v = list_append(v, :x)", {"x": many(n(4))}), get(), _append=_reversed,
    ),
    _module(
        "list-append-to-missing", "list_append takes a missing attribute for an empty list.",
        _NONE, update("SET v = list_append(v, :x)", {"x": many(n(4))}), _append=_append_from_nothing,
    ),
    _evaluated(
        "if-not-exists-null", "if_not_exists takes a NULL attribute for a missing one.",
        _null_does_not_exist, put({"v": NULL}), update("SET w = if_not_exists(v, :x)", {"x": n(1)}), get(),
    ),
    _evaluated(
        "if-not-exists-ignores", "if_not_exists always gives its second operand.",
        _always_new, put({"v": n(2)}), update("SET v = if_not_exists(v, :x)", {"x": n(1)}), get(),
    ),
    _evaluated(
        "missing-counts-as-zero", "SET a = a + :x takes a missing a for 0.",
        _missing_is_zero, _NONE, update("SET v = v + :x", {"x": n(1)}),
    ),
    _evaluated(
        "subtraction-reversed", "a - b is worked out as b - a.",
        _subtracted_other_way, _ONE, update("SET v = v - :x", {"x": n(3)}), get(),
    ),
    _module(
        "actions-see-each-other", "An action reads what an earlier one of the same update wrote.",
        _ONE, update("SET v = w, w = v"), get(), apply=_one_after_another,
    ),
    _module(
        "removal-creates", "An update that only removes creates the item; none of five emulators does without.",
        update("REMOVE v"), get(), apply=_always_creates,
    ),
    _module(
        "empty-update-creates-nothing", "UpdateItem without an expression does not create the item.",
        update(None), get(), apply=_keyed_item,
    ),
    _action(
        "add-to-missing-lost", "ADD of a number to a missing attribute does nothing.",
        Add, _add_to_missing, _NONE, update("ADD v :x", {"x": n(1)}), get(),
    ),
    _action(
        "add-replaces-other-type", "ADD replaces a value of another type where it must be refused.",
        Add, _add_to_list, put({"v": s("a")}), update("ADD v :x", {"x": n(1)}),
    ),
    _action(
        "add-replaces-set", "ADD to a set replaces it.",
        Add, _add_replaces_set, _SET, update("ADD v :x", {"x": {"SS": ["c"]}}), get(),
    ),
    _action(
        "delete-leaves-empty-set", "DELETE of a set's last member leaves an empty set.",
        Delete, _delete_leaves_empty, _SET, update("DELETE v :x", {"x": {"SS": ["a", "b"]}}), get(),
    ),
    _action(
        "delete-all-or-none", "DELETE removes nothing when one of the members is not in the set.",
        Delete, _delete_all_or_none, _SET, update("DELETE v :x", {"x": {"SS": ["a", "c"]}}), get(),
    ),
    _action(
        "set-below-nothing", "SET of a path below a missing attribute is silently left out.",
        Set, _set_makes_parents, _NONE, update("SET v.x = :x", {"x": n(1)}),
    ),
    _action(
        "remove-below-nothing", "REMOVE of a path below a missing attribute is accepted.",
        Remove, _remove_ignores_missing, _NONE, update("REMOVE v.x"),
    ),
    _update(
        "emptied-map-vanishes", "REMOVE of the last member of a map removes the map.",
        put({"v": named(x=n(1))}), update("REMOVE v.x"), get(), does=stores(_remove_empties, "UpdateItem"),
    ),
    _update(
        "second-removal-lost", "Of several attributes in one REMOVE the last one stays.",
        _ONE, update("REMOVE v, w"), get(), does=_last_action_lost,
    ),
    _update(
        "updated-new-whole", "UPDATED_NEW answers the whole attribute of a nested path.",
        _MAP, update("SET v.x = :x", {"x": n(3)}, ReturnValues="UPDATED_NEW"),
        patches=(_returned("UPDATED_NEW", _whole_targets),),
    ),
    _update(
        "updated-old-whole", "UPDATED_OLD answers the whole attribute of a nested path.",
        _MAP, update("SET v.x = :x", {"x": n(3)}, ReturnValues="UPDATED_OLD"),
        patches=(_returned("UPDATED_OLD", _whole_old_targets),),
    ),
    _update(
        "updated-new-unchanged-missing", "UPDATED_NEW leaves out attributes that were set to the value they had.",
        _ONE, update("SET v = :x, w = :y", {"x": n(1), "y": n(3)}, ReturnValues="UPDATED_NEW"),
        does=_unchanged_left_out,
    ),
    _update(
        "updated-new-with-key", "UPDATED_NEW answers the key as well.",
        _ONE, update("SET v = :x", {"x": n(3)}, ReturnValues="UPDATED_NEW"),
        says=answers(_with_key, "UpdateItem"),
    ),
    _update(
        "updated-empty-attributes", "UPDATED_OLD of a missing item answers an empty map, not nothing.",
        update("SET v = :x", {"x": n(3)}, ReturnValues="UPDATED_OLD"),
        says=answers(_empty_attributes, "UpdateItem"),
    ),
    _update(
        "all-new-is-old", "ALL_NEW answers the item as it was.",
        _ONE, update("SET v = :x", {"x": n(3)}, ReturnValues="ALL_NEW"),
        patches=(_returned("ALL_NEW", lambda result: result.old),),
    ),
    _update(
        "all-old-is-new", "ALL_OLD of an update answers the item as it is.",
        _ONE, update("SET v = :x", {"x": n(3)}, ReturnValues="ALL_OLD"),
        patches=(_returned("ALL_OLD", lambda result: result.new),),
    ),
)  # fmt: skip
