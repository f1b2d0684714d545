"""JSON bytes of whatever a target may have said: no answer, however odd, may stop the record."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import orjson

DEPTH_LIMIT = 200
"""Levels of nesting that are kept; what lies deeper is replaced by a sentence that says so."""
_TOO_DEEP = "(deeper than 200 levels: left out)"
_OPTIONS = orjson.OPT_NON_STR_KEYS


class RecordError(ValueError):
    """A file of the record that cannot be used; the message says what is wrong, where, and what to do."""


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """The value as JSON bytes on one line, or indented by two spaces when ``pretty``.

    What orjson refuses is written all the same: lone surrogates and integers above 64 bits as ASCII JSON, levels below
    ``DEPTH_LIMIT`` as a sentence.
    """
    options = _OPTIONS | (orjson.OPT_INDENT_2 if pretty else 0)
    try:
        return orjson.dumps(value, default=_plain, option=options)
    except TypeError:
        shallow = _shallow(value, DEPTH_LIMIT)
        return json.dumps(shallow, default=str, indent=2 if pretty else None).encode("ascii")


def loads(text: bytes) -> Any:
    """The value that ``dumps`` wrote; ValueError when the bytes are no JSON."""
    try:
        return orjson.loads(text)
    except ValueError:
        # Python's reader takes lone surrogates, which a target may have sent and orjson does not read.
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in the record")


def _shallow(value: Any, levels: int) -> Any:
    if isinstance(value, Mapping):
        if not levels:
            return _TOO_DEEP
        return {str(name): _shallow(member, levels - 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_shallow(member, levels - 1) for member in value] if levels else _TOO_DEEP
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return _shallow(_plain(value), levels)
