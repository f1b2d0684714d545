"""Requests and answers in few words, and texts that cannot mislead: what a target says is anybody's writing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

STRING_LIMIT = 160
"""Characters of one string that are shown; longer ones are cut, and their length is said."""
TEXT_LIMIT = 4000
"""Characters of one value that are shown."""
MEMBER_LIMIT = 30
"""Members of one list or map that are shown."""
DEPTH_LIMIT = 40
"""Levels of nesting that are shown."""

_WORD = re.compile(r"[A-Za-z_#:$][\w#:$.-]{0,80}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SYMBOL = re.compile(r"\$\{(table|arn|token|reply|time|epoch|lit):([^{}]*)\}")
_TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})


def visible(text: str) -> str:
    """The text with what cannot be seen, or changes how its neighbours are read, as escapes such as ``\\u202e``.

    That is controls but line breaks and tabs, bidirectional marks, zero-width characters, lone surrogates and what XML
    forbids.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str, limit: int = STRING_LIMIT) -> str:
    """As ``visible``, on one line of at most ``limit`` characters."""
    return clip(" ".join(visible(text).split()), limit)


def clip(text: str, limit: int) -> str:
    """The text, or its beginning and its length."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def value_type(value: Any) -> str | None:
    """The type of a JSON value that is an AttributeValue (``S``, ``N``, …), else None."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((kind, inner),) = value.items()
    if kind in ("S", "N", "B"):
        fits = isinstance(inner, str)
    elif kind in ("SS", "NS", "BS"):
        fits = isinstance(inner, list) and all(isinstance(member, str) for member in inner)
    elif kind == "L":
        fits = isinstance(inner, list)
    elif kind == "M":
        fits = isinstance(inner, Mapping)
    else:
        fits = kind in ("BOOL", "NULL") and isinstance(inner, bool)
    return kind if fits else None


def compact(value: Any, limit: int = TEXT_LIMIT) -> str:
    """A JSON value on one line, attribute values as people write them.

    ``{"S": "a"}`` is ``"a"``, ``{"N": "1"}`` is ``1``, a set is ``<<1, 2>>``, binary ``b64"AP8="``; a symbol such as
    ``${table:t0}`` is ``t0``. Long strings, long lists, deep values and what comes after about ``limit`` characters are
    left out, and it is said.
    """
    return _Compact(limit).any(value, 0)


class _Compact:
    """Writes one value; ``left`` is how many more characters it may become, so that giants cost no more than others."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def any(self, value: Any, depth: int) -> str:
        if depth > DEPTH_LIMIT or self.left < 0:
            return "…"
        kind = value_type(value)
        if kind is not None:
            return self.typed(kind, value[kind], depth)
        if isinstance(value, Mapping):
            pairs = ((f"{self.leaf(_name(name))}: ", member) for name, member in value.items())
            return self.listed("{}", (f"{name}{self.any(member, depth + 1)}" for name, member in pairs), len(value))
        if isinstance(value, list | tuple):
            return self.listed("[]", (self.any(member, depth + 1) for member in value), len(value))
        return self.leaf(_string(value) if isinstance(value, str) else visible(json.dumps(value, default=str)))

    def typed(self, kind: str, inner: Any, depth: int) -> str:
        if kind in ("L", "M", "S"):
            return self.any(inner, depth)
        if kind in ("SS", "NS", "BS"):
            return self.listed(("<<", ">>"), (self.typed(kind[0], member, depth) for member in inner), len(inner))
        if kind == "N":
            return self.leaf(clip(inner, STRING_LIMIT) if _NUMBER.fullmatch(inner) else f"N{_string(inner)}")
        if kind == "NULL":
            return self.leaf("null" if inner else "{NULL: false}")
        return self.leaf(f"b64{_string(inner)}" if kind == "B" else json.dumps(inner))

    def listed(self, brackets: str | tuple[str, str], members: Iterator[str], count: int) -> str:
        shown: list[str] = []
        while len(shown) < min(count, MEMBER_LIMIT) and self.left >= 0:
            shown.append(next(members))
        if len(shown) < count:
            shown.append(f"… {count - len(shown):,} more")
        return f"{brackets[0]}{', '.join(shown)}{brackets[1]}"

    def leaf(self, text: str) -> str:
        self.left -= len(text) + 2
        return text


def pretty_json(value: Any, indent: int = 0) -> str:
    """JSON on one line where it fits in about 100 columns, else a member a line."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    if len(line) + indent <= 100 or not isinstance(value, Mapping | list | tuple):
        return line
    pad, deeper = " " * indent, indent + 2
    if isinstance(value, Mapping):
        brackets = "{}"
        members = [
            f"{json.dumps(str(k), ensure_ascii=False)}: {pretty_json(member, deeper)}" for k, member in value.items()
        ]
    else:
        brackets, members = "[]", [pretty_json(member, deeper) for member in value]
    inner = ",\n".join(f"{pad}  {member}" for member in members)
    return f"{brackets[0]}\n{inner}\n{pad}{brackets[1]}"


def _name(name: Any) -> str:
    text = str(name)
    return readable(text) if _WORD.fullmatch(text) or _SYMBOL.fullmatch(text) else _string(text)


def _string(text: str) -> str:
    alone = _SYMBOL.fullmatch(text)
    if alone is not None and alone[1] != "lit":
        return readable(text)
    plain = readable(text)
    cut = json.dumps(plain[:STRING_LIMIT], ensure_ascii=False)
    more = f"… ({len(plain):,} characters)" if len(plain) > STRING_LIMIT else ""
    return visible(cut) + more


def readable(text: str) -> str:
    """The text with its symbols as words: ``t0``, ``arn(t0)``, ``reply(3).LastEvaluatedKey``, ``start+3600s``."""
    return _SYMBOL.sub(_word, text) if "${" in text else text


def titled(summary: str) -> str:
    """A finding's summary for people: what differs how is told in words."""
    text = readable(summary)
    for pattern, words in _DIFFERS:
        text = pattern.sub(words, text, count=1)
    return text


_DIFFERS = (
    (re.compile(r":missing: expected (.{1,400}), (?:got|observed) None$", re.DOTALL), r" is missing, expected \1"),
    (re.compile(r":unexpected: expected None, (?:got|observed) "), " must not be there, observed "),
    (re.compile(r":fewer: expected "), ": too few, expected "),
    (re.compile(r":more: expected "), ": too many, expected "),
    (re.compile(r":value: expected "), ": expected "),
    (re.compile(r":spelling: expected "), " is spelt otherwise: expected "),
)


def _word(symbol: re.Match[str]) -> str:
    kind, name = symbol[1], symbol[2]
    if kind in ("table", "lit"):
        return name
    if kind == "reply":
        index, _, member = name.partition(":")
        return f"reply({index}).{member}"
    return f"start{name}s" if kind in ("time", "epoch") else f"{kind}({name})"


def answer(reply: Mapping[str, Any] | None, limit: int = 300) -> str:
    """A reply (as ``op.reply_to_json`` wrote it) on one line."""
    if not reply:
        return "not recorded"
    if "refusal" in reply:
        refusal = reply["refusal"]
        words = f"{refusal.get('code') or 'an error without a type'}"
        if refusal.get("message_pattern") is not None:
            return one_line(f"{words}, its message matching {refusal['message_pattern']}", limit)
        return one_line(f"{words}: {readable(refusal['message'])}" if refusal.get("message") else words, limit)
    if "history" in reply:
        return one_line(readable(str(reply["history"])), limit)
    if "lost" in reply:
        return one_line(f"no answer ({reply['lost']})", limit)
    body = reply.get("success")
    return clip("200, no body" if body is None else f"200 {compact(body)}", limit)
