"""Applying updates to items (dataplane:UPD-1 to UPD-13) and what they return (dataplane:RV-2 to RV-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from reference.api import AttributeValue, Item
from reference.expressions.documents import lookup
from reference.expressions.projection import project
from reference.expressions.tree import (
    Action,
    Add,
    Arithmetic,
    Call,
    Delete,
    Literal,
    Operand,
    Path,
    Remove,
    Set,
    Step,
    Update,
)
from reference.rules import Checks, Violation, violation
from reference.values.number import add, subtract
from reference.values.value import order_sets, size, text_size


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """An item before and after an update; None where there is none.

    ``targets`` are the paths the actions name, in the order written.
    """

    old: Item | None
    new: Item | None
    targets: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Removed:
    """Stands in the place of a value that goes away."""


_REMOVED = _Removed()
_New: TypeAlias = AttributeValue | _Removed
_Changes: TypeAlias = "dict[Step, _New | _Below]"


@dataclass(frozen=True, slots=True)
class _Below:
    """Changes inside a value, by member or element."""

    changes: dict[Step, Any]


def apply(update: Update, item: Item | None, key: Item) -> Checks[UpdateResult | None]:
    """What an update makes of an item in normal form; of a missing one, with its key.

    Every action reads the item as it was (dataplane:UPD-2). An update that only takes away creates no item; one without
    actions does (dataplane:UPD-11). Yields what the item's contents refuse, action by action.
    """
    # Operands see the key of an item that is being made (rule expressions.key-of-new-item; no source settles it).
    old: Item = key if item is None else item
    changes: _Changes = {}
    refused = False
    for action in update.actions:
        outcome = _ACTIONS[action.__class__](action, old, item is None, update.legacy)
        if outcome.__class__ is Violation:
            refused = True
            yield from _faults(action, old, outcome)
        elif outcome is not None:
            _note(changes, action.target.steps, outcome)
    if refused:
        return None
    targets = tuple([action.target for action in update.actions])
    if item is None and update.actions and all(isinstance(action, Remove | Delete) for action in update.actions):
        return UpdateResult(None, None, targets)
    return UpdateResult(item, _members(key if item is None else item, changes), targets)


def returned(result: UpdateResult, which: str | None) -> Item | None:
    """The ``Attributes`` that a ReturnValues choice answers with, or None for no such member."""
    if which == "ALL_OLD":
        return result.old
    if which == "ALL_NEW":
        return result.new
    if which == "UPDATED_OLD":
        return project(result.targets, result.old or {}) or None
    if which == "UPDATED_NEW":
        return project(result.targets, result.new or {}) or None
    return None


def statement_bytes(update: Update) -> int:
    """What UpdateItem charges a statement against the item size limit (conflicts:78).

    Zero for AttributeUpdates, which are measured by the finished item alone.
    """
    if update.legacy:
        return 0
    return 3 + sum(map(_action_bytes, update.actions))


def _action_bytes(action: Action) -> int:
    if isinstance(action, Remove | Delete):
        return 1 + _target_bytes(action.target)
    return 19 + _target_bytes(action.target) + _operand_bytes(action.value)


def _step_bytes(step: Step) -> int:
    return text_size(str(step))


def _target_bytes(path: Path) -> int:
    return sum(_step_bytes(step) + 4 for step in path.steps) - 4


_FUNCTION_BYTES = {"if_not_exists": 39, "list_append": 37, "+": 34, "-": 37}


def _operand_bytes(operand: Operand) -> int:
    if isinstance(operand, Literal):
        return size(operand.value)
    if isinstance(operand, Path):
        return 1 + sum(_step_bytes(step) + 14 for step in operand.steps)
    if isinstance(operand, Arithmetic):
        return _FUNCTION_BYTES[operand.operator] + _operand_bytes(operand.left) + _operand_bytes(operand.right)
    if isinstance(operand, Call):
        return _FUNCTION_BYTES.get(operand.function, 0) + sum(map(_operand_bytes, operand.arguments))
    return 0


# Actions: each gives the new value at its target, None for no change, or what is wrong.

_Outcome: TypeAlias = "_New | Violation | None"


def _set(action: Set, old: Item, _missing: bool, _legacy: bool) -> _Outcome:  # noqa: FBT001
    value = _evaluate(action.value, old)
    if value.__class__ is Violation or len(action.target.steps) == 1 or _has_parent(action.target, old):
        return value
    return violation("expressions.invalid-path")


def _faults(action: Action, old: Item, first: Violation) -> Iterator[Violation]:
    """Everything an item's contents refuse about one action, what the service meets first at the head."""
    yield first
    found = [] if isinstance(action, Remove) else _operand_faults(action.value, old)
    if not _has_parent(action.target, old):
        found.append(violation("expressions.invalid-path"))
    seen = {first.rule.name}
    for fault in found:
        if fault.rule.name not in seen:
            seen.add(fault.rule.name)
            yield fault


def _operand_faults(operand: Operand, old: Item) -> list[Violation]:
    """What is wrong with an operand and with each of its parts."""
    parts: tuple[Operand, ...] = ()
    if isinstance(operand, Arithmetic):
        parts = (operand.left, operand.right)
    elif isinstance(operand, Call):
        parts = operand.arguments if operand.function == "list_append" else ()
    found = [fault for part in parts for fault in _operand_faults(part, old)]
    wanted = "N" if isinstance(operand, Arithmetic) else "L"
    for part in parts:
        value = _evaluate(part, old)
        if not isinstance(value, Violation) and wanted not in value:
            found.append(_wrong_type(part, old))
    value = _evaluate(operand, old)
    return [*found, value] if isinstance(value, Violation) else found


def _remove(action: Remove, old: Item, missing: bool, _legacy: bool) -> _Outcome:  # noqa: FBT001
    if len(action.target.steps) == 1 or missing or _has_parent(action.target, old):
        return None if missing else _REMOVED
    return violation("expressions.invalid-path")


def _add(action: Add, old: Item, _missing: bool, legacy: bool) -> _Outcome:  # noqa: FBT001
    if not _has_parent(action.target, old):
        return violation("expressions.invalid-path")
    value = _evaluate(action.value, old)
    current = lookup(action.target, old)
    if current is None or isinstance(value, Violation):
        return value
    ((sort, more),) = value.items()
    inner = current.get(sort)
    if inner is None:
        return _mismatch(legacy)
    if sort == "N":
        total = add(inner, more)
        return total if isinstance(total, Violation) else {"N": total}
    if sort in _SETS:
        return {sort: order_sets(sort, {*inner, *more})}
    return {"L": [*inner, *more]} if sort == "L" and legacy else _mismatch(legacy)


def _delete(action: Delete, old: Item, missing: bool, legacy: bool) -> _Outcome:  # noqa: FBT001
    if missing:
        return None
    if not _has_parent(action.target, old):
        return violation("expressions.invalid-path")
    value = _evaluate(action.value, old)
    current = lookup(action.target, old)
    if current is None:
        return None
    if isinstance(value, Violation):
        return value
    ((sort, less),) = value.items()
    inner = current.get(sort)
    if inner is None or sort not in _SETS:
        return _mismatch(legacy)
    kept = [member for member in inner if member not in less]
    return {sort: kept} if kept else _REMOVED


_ACTIONS: dict[type, Callable[[Any, Item, bool, bool], Any]] = {
    Set: _set,
    Remove: _remove,
    Add: _add,
    Delete: _delete,
}
_SETS = frozenset({"SS", "NS", "BS"})


def _mismatch(legacy: bool) -> Violation:  # noqa: FBT001
    return violation("legacy.update-type-mismatch" if legacy else "expressions.stored-type")


def _has_parent(path: Path, old: Item) -> bool:
    """Whether the map or list that the last step goes into is there."""
    steps = path.steps
    if len(steps) == 1:
        return True
    parent = lookup(Path(steps[:-1]), old)
    return parent is not None and ("L" if isinstance(steps[-1], int) else "M") in parent


def _evaluate(operand: Operand, old: Item) -> AttributeValue | Violation:
    if isinstance(operand, Literal):
        return operand.value
    if isinstance(operand, Path):
        value = lookup(operand, old)
        return violation("expressions.missing-attribute") if value is None else value
    if isinstance(operand, Arithmetic):
        return _calculate(operand, old)
    if isinstance(operand, Call) and operand.function == "if_not_exists" and isinstance(operand.arguments[0], Path):
        value = lookup(operand.arguments[0], old)
        return _evaluate(operand.arguments[1], old) if value is None else value
    if isinstance(operand, Call) and operand.function == "list_append":
        return _append(operand, old)
    return violation("expressions.stored-type")


def _calculate(operand: Arithmetic, old: Item) -> AttributeValue | Violation:
    left, right = _evaluate(operand.left, old), _evaluate(operand.right, old)
    if isinstance(left, Violation):
        return left
    if isinstance(right, Violation):
        return right
    for part, value in ((operand.left, left), (operand.right, right)):
        if "N" not in value:
            return _wrong_type(part, old)
    total = (add if operand.operator == "+" else subtract)(left["N"], right["N"])
    return total if isinstance(total, Violation) else {"N": total}


def _wrong_type(operand: Operand, old: Item) -> Violation:
    """An operand of the wrong type: from the item, or the value that if_not_exists() falls back to."""
    while isinstance(operand, Call) and operand.function == "if_not_exists":
        tested, fallback = operand.arguments
        if not isinstance(tested, Path) or lookup(tested, old) is not None:
            return violation("expressions.stored-type")
        operand = fallback
    return violation("expressions.fallback-type" if isinstance(operand, Literal) else "expressions.stored-type")


def _append(operand: Call, old: Item) -> AttributeValue | Violation:
    elements: list[AttributeValue] = []
    for argument in operand.arguments:
        value = _evaluate(argument, old)
        if isinstance(value, Violation):
            return value
        if "L" not in value:
            return _wrong_type(argument, old)
        elements += value["L"]
    return {"L": elements}


# The new item


def _note(changes: _Changes, steps: tuple[Step, ...], value: _New) -> None:
    for step in steps[:-1]:
        below = changes.setdefault(step, _Below({}))
        if not isinstance(below, _Below):
            return
        changes = below.changes
    changes[steps[-1]] = value


def _members(members: Mapping[str, AttributeValue], changes: _Changes) -> Item:
    new = dict(members)
    for step, change in changes.items():
        if change is _REMOVED:
            new.pop(step, None)  # type: ignore[arg-type]
        elif isinstance(change, _Below):
            new[step] = _inside(new[step], change.changes)  # type: ignore[index]
        else:
            new[step] = change  # type: ignore[index,assignment]
    return new


def _inside(value: AttributeValue, changes: _Changes) -> AttributeValue:
    if "M" in value:
        return {"M": _members(value["M"], changes)}
    return {"L": _elements(value["L"], changes)}


def _elements(elements: list[AttributeValue], changes: _Changes) -> list[AttributeValue]:
    """The list with its changes: all indexes are those before the update, and what lies past the end is appended.

    Several appended elements stand in the order of their indexes, without gaps (dataplane:UPD-3).
    """
    new: list[AttributeValue | _Removed] = list(elements)
    past: dict[int, AttributeValue] = {}
    for index, change in changes.items():
        if not isinstance(index, int):
            continue
        if index < len(elements):
            inner = change.changes if isinstance(change, _Below) else None
            new[index] = change if inner is None else _inside(elements[index], inner)  # type: ignore[assignment]
        elif not isinstance(change, _Removed | _Below):
            past[index] = change
    kept = [element for element in new if not isinstance(element, _Removed)]
    return kept + [past[index] for index in sorted(past)]
