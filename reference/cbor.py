"""CBOR (RFC 8949) as smithy's rpc-v2-cbor protocol uses it: what other services' newer clients speak.

A moment is a tagged number of epoch seconds on the wire and a plain number here; which members are moments is told by
their names when a value is written.
"""

from __future__ import annotations

import struct
from typing import Any

from reference.api import Json

DEEPEST = 64
"""Levels of nesting that are read."""
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_BREAK = object()


def decode(data: bytes) -> Json:
    """The value of a CBOR text; ValueError when it is none, or more follows it."""
    reader = _Reader(data)
    value = reader.value(0)
    if value is _BREAK or reader.at != len(data):
        raise ValueError("not one CBOR value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next bytes; ValueError when there are fewer."""
        part = self.data[self.at : self.at + count]
        if len(part) < count:
            raise ValueError("the text ends early")
        self.at += count
        return part

    def value(self, depth: int) -> Any:
        """The next value, or the mark that ends one of unknown length."""
        if depth > DEEPEST:
            raise ValueError("nested too deep")
        head = self.take(1)[0]
        kind, info = head >> 5, head & 31
        if kind == 7:
            return self._simple(info)
        if info == 31:
            return self._open(kind, depth)
        count = self._count(info)
        if kind == 0:
            return count
        if kind == 1:
            return -1 - count
        if kind == 2:
            return self.take(count)
        if kind == 3:
            return self.take(count).decode("utf-8")
        if kind == 4:
            return [self._inner(depth) for _ in range(self._fitting(count))]
        if kind == 5:
            pairs = ((self._inner(depth), self._inner(depth)) for _ in range(self._fitting(count)))
            return {_name(name): value for name, value in pairs}
        return self._inner(depth)

    def _fitting(self, count: int) -> int:
        if count > len(self.data) - self.at:
            raise ValueError("more elements than bytes")
        return count

    def _count(self, info: int) -> int:
        if info < 24:
            return info
        if info not in _SIZES:
            raise ValueError("a length of unknown form")
        return int.from_bytes(self.take(_SIZES[info]), "big")

    def _inner(self, depth: int) -> Any:
        value = self.value(depth + 1)
        if value is _BREAK:
            raise ValueError("a value ends where none began")
        return value

    def _open(self, kind: int, depth: int) -> Any:
        """A value of unknown length."""
        parts = []
        while (part := self.value(depth + 1)) is not _BREAK:
            parts.append(part)
        if kind in (2, 3):
            wanted: type = bytes if kind == 2 else str
            if not all(isinstance(part, wanted) for part in parts):
                raise ValueError("parts of another kind")
            return wanted().join(parts)
        if kind == 4:
            return parts
        if kind != 5 or len(parts) % 2:
            raise ValueError("a value of unknown length of this kind")
        return {_name(name): value for name, value in zip(parts[::2], parts[1::2], strict=True)}

    def _simple(self, info: int) -> Any:
        if info in (20, 21):
            return info == 21
        if info in (22, 23):
            return None
        if info == 31:
            return _BREAK
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self.take(_SIZES[info]))[0]
        raise ValueError("a simple value of unknown form")


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a name is text")
    return value


def encode(value: Json, moments: frozenset[str] = frozenset()) -> bytes:
    """The CBOR text of a JSON value; members with these names are moments, or lists of them."""
    parts: list[bytes] = []
    _write(value, moments, parts, moment=False)
    return b"".join(parts)


def _write(value: Json, moments: frozenset[str], parts: list[bytes], *, moment: bool) -> None:
    if value is None or isinstance(value, bool):
        parts.append(b"\xf6" if value is None else b"\xf5" if value else b"\xf4")
    elif isinstance(value, int | float):
        parts.append((b"\xc1" if moment else b"") + _number(value))
    elif isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        parts.append(_head(3, len(text)) + text)
    elif isinstance(value, bytes):
        parts.append(_head(2, len(value)) + value)
    elif isinstance(value, list | tuple):
        parts.append(_head(4, len(value)))
        for each in value:
            _write(each, moments, parts, moment=moment)
    else:
        parts.append(_head(5, len(value)))
        for name, each in value.items():
            _write(name, moments, parts, moment=False)
            _write(each, moments, parts, moment=name in moments)


def _number(value: float) -> bytes:
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    return _head(0, value) if value >= 0 else _head(1, -1 - value)


def _head(kind: int, count: int) -> bytes:
    if count < 24:
        return bytes([kind << 5 | count])
    size = next(info for info, width in _SIZES.items() if count < 1 << 8 * width)
    return bytes([kind << 5 | size]) + count.to_bytes(_SIZES[size], "big")
