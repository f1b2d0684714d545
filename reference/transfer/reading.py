"""Objects of a bucket read as records, one after the other (beyond:IMP-3 to IMP-7).

Records that can't be read are told as faults. After text that makes no sense the rest of its object is skipped, as the
service may do; after a record that makes no item it goes on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference.api import Json
from reference.transfer import ion

Types = Mapping[str, str]
"""Attribute name → S, N or B, of the attributes that key the table or an index."""

Record = dict[str, Json]
"""A record as it came: a dict with the member ``Item``, perhaps among others."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that can't be read, and why."""

    why: str


def records(data: bytes, kind: str) -> Iterator[Record | Fault]:
    """The records of an object in DynamoDB JSON or Ion; ``kind`` is DYNAMODB_JSON or ION."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        yield Fault("not UTF-8")
        return
    yield from _ion(text) if kind == "ION" else _json(text)


def _json(text: str) -> Iterator[Record | Fault]:
    """JSON objects, with or without line breaks between them."""
    decoder, at = json.JSONDecoder(), 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Fault("not JSON")
            return
        yield _record(value)


def _record(value: Json) -> Record | Fault:
    return value if isinstance(value, dict) and isinstance(value.get("Item"), dict) else Fault("no Item")


def _ion(text: str) -> Iterator[Record | Fault]:
    """Ion structs; a list of them at the top counts as what it holds."""
    values = ion.read(text)
    while True:
        try:
            node = next(values, None)
        except ion.IonError as error:
            yield Fault(str(error))
            return
        if node is None:
            return
        for each in node.value if node.kind == "list" and not node.annotations else (node,):
            yield _ion_record(each)


def _ion_record(node: ion.Node) -> Record | Fault:
    """One struct: items and attribute values in wire form, everything else as plain text."""
    if node.kind != "struct":
        return Fault("no Item")
    found: Record = {}
    try:
        for name, value in node.value:
            found[name] = _ion_member(name, value)
    except ion.IonError as error:
        return Fault(str(error))
    return _record(found)


def _ion_member(name: str, node: ion.Node) -> Any:
    if name in ("Item", "ExpressionAttributeValues"):
        return ion.item(node)
    if node.kind == "struct":
        return {each: value.value for each, value in node.value}
    return node.value


def rows(data: bytes, types: Types, delimiter: str, header: Sequence[str] | None) -> Iterator[Record | Fault]:
    """The rows of a CSV object; without a header given, its first row is one (beyond:IMP-6).

    Columns in ``types`` become values of their type, all others strings; empty ones are left out.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield Fault("not UTF-8")
        return
    # newline="" lets the reader find the line breaks itself: some stand inside quotes.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = list(header) if header else None
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield Fault(str(error))
            return
        if row is None:
            return
        if not row:
            continue
        if names is None:
            names = row
        elif len(row) != len(names):
            yield Fault("another number of columns than the header")
        else:
            yield {"Item": {n: {types.get(n, "S"): text} for n, text in zip(names, row, strict=True) if text}}
