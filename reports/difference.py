"""What differs between two answers, and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from reports.notation import answer, clip, compact, one_line, readable, value_type, visible

ROW_LIMIT = 12
"""Differing places of one finding that are shown."""
TEXT_LIMIT = 600
"""Characters of one side of a row."""
ABSENT = "(absent)"

Part = tuple[str, bool]
"""A piece of text and whether it is what differs."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Row:
    """One differing place: where, and both sides in pieces. ``note`` says what the sides alone do not show."""

    place: str
    expected: tuple[Part, ...]
    observed: tuple[Part, ...]
    note: str = ""


def rows(expected: Mapping[str, Any], observed: Mapping[str, Any], absent: frozenset[str] | None = None) -> list[Row]:
    """The differing places of two replies (as ``op.reply_to_json`` wrote them), at most ``ROW_LIMIT`` and a remark.

    Where ``absent`` is given, what is expected names members alone: of others only those in ``absent`` differ.
    """
    try:
        found = list(_replies(expected, observed))
        if absent is not None:
            beyond = ((ABSENT, False),)
            told = [row for row in found if row.expected != beyond or row.place.rpartition(".")[2] in absent]
            found = told or found
    except RecursionError:
        return [
            _row("answer", answer(expected, TEXT_LIMIT), answer(observed, TEXT_LIMIT), "nested too deep to compare")
        ]
    if len(found) > ROW_LIMIT:
        more = f"{len(found) - ROW_LIMIT:,} more differing places: see the full answers"
        return [*found[:ROW_LIMIT], Row("…", (), (), more)]
    return found or [Row("answer", (), (), "the two answers are alike: what differs is the state they leave")]


def _replies(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[Row]:
    if "success" in expected and "success" in observed:
        yield from _walk(expected["success"], observed["success"], "")
    elif "refusal" in expected and "refusal" in observed:
        yield from _refusals(expected["refusal"], observed["refusal"])
    else:
        yield _row("answer", answer(expected, TEXT_LIMIT), answer(observed, TEXT_LIMIT))


def _refusals(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[Row]:
    for name in ("code", "message", "status"):
        want, got = expected.get(name), observed.get(name)
        if want != got and (name != "status" or want is not None):
            yield _texts(name, _told(want), _told(got))
    yield from _walk(expected.get("fields") or {}, observed.get("fields") or {}, "")


def _told(value: Any) -> str:
    return "(none)" if value is None else clip(visible(readable(str(value))), TEXT_LIMIT)


def _walk(expected: Any, observed: Any, path: str) -> Iterator[Row]:
    kind = value_type(expected)
    if kind is not None and kind == value_type(observed):
        yield from _values(kind, expected, observed, path)
    elif isinstance(expected, Mapping) and isinstance(observed, Mapping):
        for name in dict.fromkeys([*expected, *observed]):
            place = _under(path, name)
            if name not in observed:
                yield _row(place, compact(expected[name]), ABSENT)
            elif name not in expected:
                yield _row(place, ABSENT, compact(observed[name]))
            else:
                yield from _walk(expected[name], observed[name], place)
    elif isinstance(expected, list) and isinstance(observed, list):
        yield from _lists(expected, observed, path)
    elif expected != observed or isinstance(expected, bool) != isinstance(observed, bool):
        yield _texts(path or "body", compact(expected), compact(observed))


def _under(path: str, name: str) -> str:
    word = readable(name)
    word = word if re.fullmatch(r"[\w-]{1,60}", word, re.ASCII) else f"[{compact(word)}]"
    return f"{path}.{word}" if path and not word.startswith("[") else f"{path}{word}"


def _values(kind: str, expected: Mapping[str, Any], observed: Mapping[str, Any], path: str) -> Iterator[Row]:
    want, got = expected[kind], observed[kind]
    if kind in ("L", "M"):
        yield from _walk(want, got, path)
    elif kind in ("SS", "NS", "BS"):
        if Counter(want) != Counter(got):
            same = kind == "NS" and Counter(map(number, want)) == Counter(map(number, got))
            yield _row(path, compact(expected), compact(observed), "the same numbers, spelt otherwise" if same else "")
    elif want != got:
        same = kind == "N" and number(want) == number(got)
        yield _texts(path, compact(expected), compact(observed), "the same number, spelt otherwise" if same else "")


def _lists(expected: list[Any], observed: list[Any], path: str) -> Iterator[Row]:
    wanted, found = ([_canonical(member) for member in members] for members in (expected, observed))
    if wanted == found:
        return
    if Counter(wanted) == Counter(found):
        yield _row(path, compact(expected), compact(observed), "the same members in another order")
    elif len(expected) == len(observed):
        for index, (want, got) in enumerate(zip(expected, observed, strict=True)):
            yield from _walk(want, got, f"{path}[{index}]")
    else:
        yield _row(f"{path}, length", f"{len(expected):,}", f"{len(observed):,}")
        for member in _left(expected, wanted, found):
            yield _row(f"{path}[]", compact(member), ABSENT)
        for member in _left(observed, found, wanted):
            yield _row(f"{path}[]", ABSENT, compact(member))


def _left(members: Iterable[Any], keys: Iterable[str], others: Iterable[str]) -> Iterator[Any]:
    """The members that have no like among the others."""
    over = Counter(others)
    for member, key in zip(members, keys, strict=True):
        if over[key]:
            over[key] -= 1
        else:
            yield member


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    kind = value_type(value)
    if kind == "N":
        return {kind: number(value[kind])}
    if kind in ("SS", "NS", "BS"):
        return {kind: sorted(map(number, value[kind]) if kind == "NS" else value[kind])}
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def number(text: str) -> str:
    """One spelling for all spellings of a number; text that is no number stays."""
    if not _NUMBER.fullmatch(text):
        return text
    value = Decimal(text)
    return str(value.normalize(Context(prec=len(text)))) if value else "0"


def _row(place: str, expected: str, observed: str, note: str = "") -> Row:
    return Row(
        one_line(place, 200), ((clip(expected, TEXT_LIMIT), False),), ((clip(observed, TEXT_LIMIT), False),), note
    )


def _texts(place: str, expected: str, observed: str, note: str = "") -> Row:
    """A row of two texts, in which only the words that differ are marked."""
    want, got = (re.findall(r"\s+|[^\s]+", clip(text, TEXT_LIMIT)) for text in (expected, observed))
    start = _alike(want, got)
    end = _alike(want[start:][::-1], got[start:][::-1])
    if not start and not end:
        return _row(place, expected, observed, note)
    return Row(one_line(place, 200), _parts(want, start, end), _parts(got, start, end), note)


def _alike(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _parts(words: list[str], start: int, end: int) -> tuple[Part, ...]:
    stop = len(words) - end
    pieces = ((words[:start], False), (words[start:stop], True), (words[stop:], False))
    return tuple(("".join(piece), changed) for piece, changed in pieces if piece)
