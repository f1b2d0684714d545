"""Event filters: which stream records reach a function (beyond:ESM-9).

A pattern is a JSON object that has the shape of a record. Its leaves are lists: the value there must be one of what
they hold, or fit one of the conditions (``{"prefix": "a"}``). All members must fit; ``$or`` holds alternatives.
Numbers of items are strings in DynamoDB JSON, so ``numeric`` never fits an ``N``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from reference.api import Json

Fits: TypeAlias = Callable[[Json], bool]
"""Whether a record, or a part of one, fits; a part that is not there is given as ``ABSENT``."""

ABSENT = object()
MOST_PATTERNS = 5
"""Patterns that a mapping has unless a quota was raised; one that fits is enough."""
MOST_LETTERS = 4096
"""Characters of the longest pattern."""
_DEEPEST = 32
"""Levels of a pattern; a record has fewer (dataplane:TYPE-7)."""


class PatternError(ValueError):
    """What is no pattern; the text says why."""


def compiled(text: str) -> Fits:
    """What a pattern, given as JSON text, lets through; PatternError where it is none."""
    if len(text) > MOST_LETTERS:
        raise PatternError(f"a pattern has at most {MOST_LETTERS} characters, not {len(text)}")
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PatternError(f"not JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise PatternError("a pattern is an object")
    return _object(pattern, _DEEPEST)


def _object(pattern: Mapping[str, Json], depth: int) -> Fits:
    if not depth:
        raise PatternError("a pattern does not go that deep")
    if not pattern:
        raise PatternError("an object names at least one member")
    members = [_member(name, part, depth) for name, part in pattern.items()]
    return lambda told: all(fits(told) for fits in members)


def _member(name: str, part: Json, depth: int) -> Fits:
    if name == "$or":
        if not isinstance(part, list) or len(part) < 2 or not all(isinstance(each, dict) for each in part):
            raise PatternError("$or holds at least two patterns")
        choices = [_object(each, depth - 1) for each in part]
        return lambda told: any(fits(told) for fits in choices)
    if isinstance(part, dict):
        inner = _object(part, depth - 1)
    elif isinstance(part, list) and part:
        inner = _leaf(part)
    else:
        raise PatternError(f"{name}: what a member must be stands in a list that is not empty")
    return lambda told: inner(told.get(name, ABSENT) if isinstance(told, dict) else ABSENT)


def _leaf(listed: Sequence[Json]) -> Fits:
    """One of the values or conditions fits the value, or one of the members where it is a list."""
    choices = [_choice(each) for each in listed]

    def fits(told: Json) -> bool:
        values = told if isinstance(told, list) and told else [told]
        return any(choice(value) for value in values for choice in choices)

    return fits


def _choice(wanted: Json) -> Fits:
    if isinstance(wanted, dict):
        if len(wanted) != 1:
            raise PatternError("a condition has one member")
        ((name, operand),) = wanted.items()
        if name not in _CONDITIONS:
            raise PatternError(f"{name!r} is no condition; known: {', '.join(_CONDITIONS)}")
        return _CONDITIONS[name](operand)
    if isinstance(wanted, list):
        raise PatternError("a list of values holds no lists")
    return lambda told: _same(told, wanted)


def _same(told: Json, wanted: Json) -> bool:
    """Equal and of one kind: 1 is not true."""
    return told is not ABSENT and isinstance(told, bool) == isinstance(wanted, bool) and bool(told == wanted)


def _text(operand: Json, name: str) -> str:
    if not isinstance(operand, str) or not operand:
        raise PatternError(f"{name} takes a text")
    return operand


def _ignoring_case(operand: Json, name: str) -> tuple[str, bool]:
    """The text of a prefix or suffix, and whether case is ignored."""
    if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
        return _text(operand["equals-ignore-case"], name).casefold(), True
    return _text(operand, name), False


def _prefix(operand: Json) -> Fits:
    wanted, folds = _ignoring_case(operand, "prefix")
    return lambda told: isinstance(told, str) and (told.casefold() if folds else told).startswith(wanted)


def _suffix(operand: Json) -> Fits:
    wanted, folds = _ignoring_case(operand, "suffix")
    return lambda told: isinstance(told, str) and (told.casefold() if folds else told).endswith(wanted)


def _equals_ignore_case(operand: Json) -> Fits:
    wanted = _text(operand, "equals-ignore-case").casefold()
    return lambda told: isinstance(told, str) and told.casefold() == wanted


def _exists(operand: Json) -> Fits:
    if not isinstance(operand, bool):
        raise PatternError("exists takes true or false")
    # Only leaves exist: an object is not a value (documented for event patterns).
    return lambda told: (told is not ABSENT and not isinstance(told, dict)) == operand


def _anything_but(operand: Json) -> Fits:
    unwanted = (
        _choice(operand) if isinstance(operand, dict) else _leaf(operand if isinstance(operand, list) else [operand])
    )
    if operand == []:
        raise PatternError("anything-but takes at least one value")
    return lambda told: told is not ABSENT and not unwanted(told)


_COMPARED: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "=": lambda told, bound: told == bound,
    "<": lambda told, bound: told < bound,
    "<=": lambda told, bound: told <= bound,
    ">": lambda told, bound: told > bound,
    ">=": lambda told, bound: told >= bound,
}


def _numeric(operand: Json) -> Fits:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise PatternError("numeric takes one comparison, or two for a range")
    bounds = []
    for sign, bound in zip(operand[::2], operand[1::2], strict=True):
        if not isinstance(sign, str) or sign not in _COMPARED:
            raise PatternError(f"{sign!r} is no comparison; known: {', '.join(_COMPARED)}")
        if not _is_number(bound):
            raise PatternError("numeric compares with numbers")
        bounds.append((_COMPARED[sign], Decimal(str(bound))))
    return lambda told: _is_number(told) and all(compare(Decimal(str(told)), bound) for compare, bound in bounds)


def _is_number(told: Any) -> bool:
    return isinstance(told, (int, float)) and not isinstance(told, bool)


_CONDITIONS: Mapping[str, Callable[[Json], Fits]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "exists": _exists,
    "anything-but": _anything_but,
    "numeric": _numeric,
}
