"""Expression text → tokens, and the text around one of them (dataplane:EXPR-1, EXPR-6)."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<alias>\#[A-Za-z0-9_]+)"
    r"|(?P<value>:[A-Za-z0-9_]+)"
    r"|(?P<index>[0-9]+)"
    r"|(?P<symbol><>|<=|>=|[=<>()\[\].,+\-])"
    r"|(?P<bad>[^ \t\r\n])"
    r"|(?P<end>\Z))",
    re.DOTALL,
)

CONDITION_WORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})
UPDATE_WORDS = frozenset({"SET", "REMOVE", "ADD", "DELETE"})


class Token(NamedTuple):
    """A piece of an expression.

    ``kind`` is ``name``, ``alias``, ``value``, ``index``, ``bad`` (no token of the language starts so), ``end``, or,
    for symbols and keywords, the symbol or the keyword in upper case.
    """

    kind: str
    text: str
    start: int
    end: int


def tokenise(text: str, keywords: frozenset[str]) -> list[Token]:
    """All tokens of the text; the last is ``end``. Characters outside the language become ``bad`` tokens."""
    tokens: list[Token] = []
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:  # unreachable: the last two alternatives leave nothing out
            raise AssertionError(text[position:])
        kind = match.lastgroup or "end"
        piece = match[kind]
        if kind == "symbol":
            kind = piece
        elif kind == "name" and piece.upper() in keywords:
            kind = piece.upper()
        start, position = match.span(match.lastgroup or "end")
        tokens.append(Token(kind, piece, start, position))
        if kind == "end":
            return tokens


def near(text: str, tokens: list[Token], at: int) -> str:
    """The source text from the token before position ``at`` to the one after it (conflicts.md 39)."""
    first = tokens[max(at - 1, 0)]
    last = tokens[min(at + 1, len(tokens) - 1)]
    if last.kind == "end":
        last = tokens[-2] if len(tokens) > 1 else last
    return text[first.start : max(last.end, first.end)]
