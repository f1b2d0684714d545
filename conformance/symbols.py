"""Symbols: what stands in a recorded body for what is only known when the call is sent.

``${table:t0}``, ``${arn:t0}``, ``${token:a}`` stand for names of this session, anywhere in a text and in member names.
``${time:+3600}`` is a moment in epoch seconds, counted from the session's start, as text.
``${lit:…}`` stands for its own text; ``${lit:$}{`` is how a plain ``${`` is written.
A text that is nothing but ``${reply:3:LastEvaluatedKey}`` or ``${epoch:+3600}`` stands for a JSON value: a member of
the reply of op 3 (``Shards[0].ShardId`` goes deeper, ``ExportArn./`` takes what follows the last slash and
``TableArn.:4`` the fifth of the parts between colons), a moment as a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SYMBOL = re.compile(r"\$\{(table|arn|token|reply|time|epoch|lit):([^{}]*)\}")
_STEP = re.compile(r"[^.\[\]]+")
_ESCAPED = "${lit:$}{"
UNBIND_DEPTH = 200
"""How deep ``unbind`` looks into a target's answer; DynamoDB's own go no deeper than 32 levels of values."""


class SymbolError(ValueError):
    """A symbol that cannot be bound; the message names it."""


def bind(body: Any, names: Mapping[str, str], replies: Mapping[int, Any], start: float = 0.0) -> Any:
    """The body with its symbols replaced.

    ``names`` maps the inside of a symbol (``table:t0``, ``arn:t0``, ``token:a``) to its text, ``replies`` the index of
    an op to the success body it got; ``start`` is the session's start in epoch seconds. SymbolError: one is missing.
    """
    if isinstance(body, str):
        if "${" not in body:
            return body
        alone = _SYMBOL.fullmatch(body)
        if alone is not None:
            return _value(alone, names, replies, start)
        return _SYMBOL.sub(lambda found: _text(found, names, replies, start), body)
    if isinstance(body, list | tuple):
        return [bind(member, names, replies, start) for member in body]
    if isinstance(body, Mapping):
        return {bind_name(k, names, replies, start): bind(v, names, replies, start) for k, v in body.items()}
    return body


def bind_name(name: str, names: Mapping[str, str], replies: Mapping[int, Any], start: float = 0.0) -> str:
    """As ``bind``, for the name of a member: the outcome is always text."""
    return _SYMBOL.sub(lambda found: _text(found, names, replies, start), name) if "${" in name else name


def _text(symbol: re.Match[str], names: Mapping[str, str], replies: Mapping[int, Any], start: float) -> str:
    value = _value(symbol, names, replies, start)
    if isinstance(value, dict | list) or value is None:
        raise SymbolError(f"{symbol[0]} is not text, so it must be the whole of a string")
    return str(value)


def _value(symbol: re.Match[str], names: Mapping[str, str], replies: Mapping[int, Any], start: float) -> Any:
    kind, name = symbol[1], symbol[2]
    if kind == "lit":
        return name
    if kind == "reply":
        return _member(symbol[0], name, replies)
    if kind in ("time", "epoch"):
        try:
            moment = int(start) + int(name)
        except ValueError:
            raise SymbolError(f"{symbol[0]} must hold a whole number of seconds") from None
        return moment if kind == "epoch" else str(moment)
    if f"{kind}:{name}" not in names:
        raise SymbolError(f"{symbol[0]} has no name in this session")
    return names[f"{kind}:{name}"]


def _member(symbol: str, name: str, replies: Mapping[int, Any]) -> Any:
    index, _, path = name.partition(":")
    try:
        value = replies[int(index)]
        for step in _STEP.findall(path):
            if isinstance(value, list):
                value = value[int(step)]
            elif isinstance(value, str):
                value = value.rsplit("/", 1)[-1] if step == "/" else value.split(":")[int(step.removeprefix(":"))]
            else:
                value = value[step]
    except (KeyError, IndexError, TypeError, ValueError):
        raise SymbolError(f"{symbol} is no part of the reply of call {index}") from None
    return value


def escape(text: str) -> str:
    """The text as it must be written in a symbolic body to mean itself."""
    return text.replace("${", _ESCAPED)


def unbind(body: Any, names: Mapping[str, str]) -> Any:
    """The body with every bound name replaced by its symbol and every plain ``${`` escaped: the reverse of ``bind``.

    Longer names win over shorter ones inside them (an ARN over the table's name); a name inside a longer word stays,
    but one that a path of members names (``requestItems.t.member.keys``) is found.
    """
    symbols = {text: f"${{{name}}}" for name, text in names.items() if text}
    longest = sorted(symbols, key=lambda text: (-len(text), text))
    known = "".join(rf"|(?<![\w-]){re.escape(text)}(?!\w)" for text in longest)
    pattern = re.compile(r"\$\{" + known)
    return _unbind(body, pattern, {"${": _ESCAPED, **symbols}, 0)


def _unbind(body: Any, pattern: re.Pattern[str], symbols: Mapping[str, str], depth: int) -> Any:
    if isinstance(body, str):
        return pattern.sub(lambda found: symbols[found[0]], body)
    if depth == UNBIND_DEPTH:
        return body
    if isinstance(body, list | tuple):
        return [_unbind(member, pattern, symbols, depth + 1) for member in body]
    if isinstance(body, Mapping):
        return {
            pattern.sub(lambda found: symbols[found[0]], name): _unbind(value, pattern, symbols, depth + 1)
            for name, value in body.items()
        }
    return body
