"""Amazon Ion's text format, as far as DynamoDB writes and reads it (beyond:EXP-13, IMP-1).

A parsed value is a :class:`Node`. Symbols, S-expressions, clobs, floats and timestamps have no place in an item: the
first two are read so that whoever converts them can refuse the one item, the rest is no text that this reader knows.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reference.api import AttributeValue, Item

MAX_DEPTH = 64
"""Lists and structs in each other; an item may have half as many."""

_SETS = {"$dynamodb_SS": "SS", "$dynamodb_NS": "NS", "$dynamodb_BS": "BS"}
_MEMBERS = {"SS": "S", "NS": "N", "BS": "B"}
_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9](?:_?[0-9])*)(?:\.(?:[0-9](?:_?[0-9])*)?)?(?:[dD][+-]?[0-9]{1,6})?(?![\w.$])")
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
_QUOTED = re.compile(r"'((?:[^'\\\n]|\\.)*)'", re.DOTALL)
_LONG = re.compile(r"'''((?:[^'\\]|\\.|'(?!''))*)'''", re.DOTALL)
_BLOB = re.compile(r"\{\{\s*([A-Za-z0-9+/=\s]*)\}\}")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)", re.DOTALL)
_SIMPLE = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "v": "\v", '"': '"', "'": "'",
    "?": "?", "\\": "\\", "/": "/", "\n": "", "\r\n": "", "\r": "",
}  # fmt: skip
_WORDS = {"true": ("bool", True), "false": ("bool", False), "null": ("null", None)}
_KEYWORDS = frozenset({"null", "true", "false", "nan"})


class IonError(ValueError):
    """Text that is no Ion, or nothing that an item can hold; the message names the place or the kind."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value: ``kind`` is struct, list, string, symbol, number, bool, null or blob.

    A struct's value is a list of pairs, a list's a list, a number's its decimal text and a blob's its base64 text.
    """

    kind: str
    value: Any
    annotations: tuple[str, ...] = ()


def read(text: str) -> Iterator[Node]:
    """The top-level values one after the other; IonError where the text goes wrong."""
    reader = _Reader(text)
    while reader.more():
        node = reader.value(0)
        if not (node.kind == "symbol" and node.value == "$ion_1_0" and not node.annotations):
            yield node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def more(self) -> bool:
        """Whether anything but blanks and comments is left."""
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at < len(self.text)

    def value(self, depth: int) -> Node:
        annotations: list[str] = []
        while True:
            node = self._one(depth)
            if node.kind != "symbol" or not (self.more() and self.text.startswith("::", self.at)):
                return Node(node.kind, node.value, tuple(annotations)) if annotations else node
            annotations.append(node.value)
            self.at += 2

    def _fail(self) -> IonError:
        return IonError(f"no Ion at character {self.at}")

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[match.lastindex or 0]

    def _skip(self, sign: str) -> bool:
        if self.more() and self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def _one(self, depth: int) -> Node:
        if not self.more() or depth > MAX_DEPTH:
            raise self._fail()
        sign = self.text[self.at]
        if self.text.startswith("{{", self.at):
            return Node("blob", self._blob())
        if sign == "{":
            return Node("struct", self._struct(depth))
        if sign == "[":
            return Node("list", self._list(depth))
        if sign == '"' or self.text.startswith("'''", self.at):
            return Node("string", self._string())
        number = self._take(_NUMBER)
        if number is not None:
            return Node("number", number.replace("_", ""))
        quoted = self._take(_QUOTED)
        if quoted is not None:
            return Node("symbol", _unescaped(quoted))
        word = self._take(_IDENTIFIER)
        if word is None or word == "nan":
            raise self._fail()
        if word == "null" and self.text.startswith(".", self.at):
            self.at += 1
            if self._take(_IDENTIFIER) is None:
                raise self._fail()
        kind, value = _WORDS.get(word, ("symbol", word))
        return Node(kind, value)

    def _string(self) -> str:
        short = self._take(_STRING)
        if short is not None:
            return _unescaped(short)
        parts = []
        while self.more() and self.text.startswith("'''", self.at):
            part = self._take(_LONG)
            if part is None:
                raise self._fail()
            parts.append(_unescaped(part))
        if not parts:
            raise self._fail()
        return "".join(parts)

    def _blob(self) -> str:
        text = self._take(_BLOB)
        if text is None:
            raise self._fail()
        packed = "".join(text.split())
        try:
            base64.b64decode(packed, validate=True)
        except ValueError:
            raise self._fail() from None
        return packed

    def _list(self, depth: int) -> list[Node]:
        self.at += 1
        found = []
        while not self._skip("]"):
            found.append(self.value(depth + 1))
            if not self._skip(",") and not (self.more() and self.text[self.at] == "]"):
                raise self._fail()
        return found

    def _struct(self, depth: int) -> list[tuple[str, Node]]:
        self.at += 1
        found = []
        while not self._skip("}"):
            name = self._one(depth)
            if name.kind not in ("string", "symbol") or not self._skip(":"):
                raise self._fail()
            found.append((name.value, self.value(depth + 1)))
            if not self._skip(",") and not (self.more() and self.text[self.at] == "}"):
                raise self._fail()
        return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code in _SIMPLE:
            return _SIMPLE[code]
        if len(code) == 1 or int(code[1:], 16) > 0x10FFFF:
            raise IonError("unknown escape")
        return chr(int(code[1:], 16))

    text = _ESCAPE.sub(plain, text)
    # A character beyond the first 65,536 may be written as two.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def attribute_value(node: Node) -> AttributeValue:
    """A value of an item, in wire form and not yet normal; IonError where items have no such value."""
    if node.annotations:
        return _set(node)
    if node.kind == "string":
        return {"S": node.value}
    if node.kind == "number":
        return {"N": _plain(node.value)}
    if node.kind == "blob":
        return {"B": node.value}
    if node.kind == "bool":
        return {"BOOL": node.value}
    if node.kind == "null":
        return {"NULL": True}
    if node.kind == "list":
        return {"L": [attribute_value(each) for each in node.value]}
    if node.kind == "struct":
        return {"M": item(node)}
    raise IonError(f"{node.kind} in an item")


def item(node: Node) -> Item:
    """The members of a struct as attributes, in wire form and not yet normal."""
    if node.kind != "struct" or node.annotations:
        raise IonError(f"{node.kind} in the place of a struct")
    return {name: attribute_value(value) for name, value in node.value}


def _set(node: Node) -> AttributeValue:
    tag = _SETS.get(node.annotations[0])
    if tag is None or len(node.annotations) > 1 or node.kind != "list":
        raise IonError("unknown annotation")
    members = [attribute_value(each) for each in node.value]
    if any(_MEMBERS[tag] not in member for member in members):
        raise IonError("a set of other members")
    return {tag: [member[_MEMBERS[tag]] for member in members]}


def _plain(number: str) -> str:
    """Ion's ``6d2`` and ``103.`` as DynamoDB's ``6e2`` and ``103``."""
    digits, _, exponent = number.lower().partition("d")
    digits = digits.removesuffix(".")
    return f"{digits}e{exponent}" if exponent else digits


# Writing


def write_item(item: Item) -> str:
    """An item in normal form as a struct."""
    return "{" + ",".join(f"{_name(name)}:{_write(value)}" for name, value in item.items()) + "}"


def write_number(text: str) -> str:
    """A number in canonical text as a decimal that keeps its digits and nothing more, ``600`` as ``6d2``."""
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = text.partition(".")
    digits = (whole + fraction).lstrip("0") or "0"
    scale = len(fraction)
    if not scale:
        stripped = digits.rstrip("0")
        zeros = len(digits) - len(stripped) if stripped else 0
        return f"{sign}{stripped}d{zeros}" if zeros else f"{sign}{digits}."
    if len(digits) > scale:
        return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
    if len(digits) - 1 - scale >= -6:
        return f"{sign}0.{digits.rjust(scale, '0')}"
    return f"{sign}{digits}d-{scale}"


def _write(value: AttributeValue) -> str:
    ((tag, inner),) = value.items()
    if tag == "S":
        return _text(inner)
    if tag == "N":
        return write_number(inner)
    if tag == "B":
        return f"{{{{{inner}}}}}"
    if tag == "BOOL":
        return "true" if inner else "false"
    if tag == "NULL":
        return "null"
    if tag == "M":
        return write_item(inner)
    if tag == "L":
        return "[" + ",".join(_write(each) for each in inner) + "]"
    return f"$dynamodb_{tag}::[" + ",".join(_write({_MEMBERS[tag]: each}) for each in inner) + "]"


def _name(name: str) -> str:
    if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS and not name[:2].removeprefix("$").isdigit():
        return name
    return "'" + _escaped(name).replace("'", "\\'") + "'"


def _text(text: str) -> str:
    return '"' + _escaped(text).replace('"', '\\"') + '"'


_ESCAPES = {chr(code): f"\\x{code:02x}" for code in (*range(32), 127)}
_ESCAPES |= {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TABLE = str.maketrans(_ESCAPES)


def _escaped(text: str) -> str:
    return text.translate(_TABLE)
