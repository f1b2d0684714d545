"""What an export writes: data files, one for each partition, and the manifests that name them (EXP-10 to EXP-15).

Nothing here knows buckets: files are data, by key.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reference.api import Item
from reference.moments import iso_milliseconds
from reference.tables.table import LogEntry, Table
from reference.tables.view import TOKENS, RowKey
from reference.transfer import ion
from reference.transfer.packing import pack
from reference.values.item import item_size

Files = dict[str, bytes]
"""Object key → content."""

ON_DEMAND_PARTITIONS = 4
FULL_VERSION, INCREMENTAL_VERSION = "2020-06-30", "2023-08-01"
LEAST_INCREMENT_BYTES = 10_000_000
"""What an incremental export is billed at least (beyond:EXP-14)."""

_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a data file: the row it is about, its text, its size in bytes for the bill."""

    row: RowKey
    text: str
    size: int


Select = Callable[[Item], Item | None]
"""What is exported of an item: it, a part of it, or nothing."""


def full_lines(table: Table, format: str, select: Select) -> list[Line]:
    """The items of a table as it stands."""
    found = []
    for row, record in table.view.rows.items():
        item = select(record.item)
        if item is not None:
            text = f"$ion_1_0 {{Item:{ion.write_item(item)}}}" if format == "ION" else _json({"Item": item})
            found.append(Line(row, text, record.size))
    return found


def changed_lines(table: Table, begin: float, end: float, format: str, view: str, select: Select) -> list[Line]:
    """What the writes from ``begin`` up to, not including, ``end`` did to each item together (epoch seconds)."""
    first: dict[RowKey, LogEntry] = {}
    last: dict[RowKey, LogEntry] = {}
    for entry in table.log:
        if begin <= entry.at < end:
            first.setdefault(entry.key, entry)
            last[entry.key] = entry
    found = []
    for row in sorted(last):
        old, new = first[row].old, last[row].new
        whole = new or old
        if whole is None or select(whole.item) is None:
            continue
        images = {
            "OldImage": select(old.item) if old is not None and view == "NEW_AND_OLD_IMAGES" else None,
            "NewImage": select(new.item) if new is not None else None,
        }
        keys = {name: whole.item[name] for name in table.key.names}
        told = {name: image for name, image in images.items() if image is not None}
        micros = str(round(last[row].at * 1_000_000))
        text = _ion_change(keys, micros, told) if format == "ION" else _json_change(keys, micros, told)
        found.append(Line(row, text, sum(map(item_size, told.values()))))
    return found


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _json_change(keys: Item, micros: str, images: Mapping[str, Item]) -> str:
    return _json({"Metadata": {"WriteTimestampMicros": micros}, "Keys": keys, **images})


def _ion_change(keys: Item, micros: str, images: Mapping[str, Item]) -> str:
    members = [
        f"Keys:{ion.write_item(keys)}",
        f"Metadata:{{WriteTimestampMicros:{micros}.}}",
        *(f"{name}:{ion.write_item(image)}" for name, image in images.items()),
    ]
    return f"$ion_1_0 {{Record:{{{','.join(members)}}}}}"


def key_of(prefix: str | None, *parts: str) -> str:
    """An object key below a prefix, which stays as it was given but for the slash it ends in (EXP-10)."""
    start = [] if not prefix else [prefix.removesuffix("/")]
    return "/".join([*start, "AWSDynamoDB", *parts])


def data_files(
    lines: Iterable[Line], folder: str, id: str, format: str, partitions: int
) -> list[tuple[str, int, bytes]]:
    """Key, number of records and content of each data file; a partition without records has an empty one."""
    parts: list[list[str]] = [[] for _ in range(partitions)]
    for line in lines:
        parts[line.row[0] * partitions // TOKENS].append(line.text + "\n")
    suffix = "ion.gz" if format == "ION" else "json.gz"
    return [
        (f"{folder}/{_name(id, number)}.{suffix}", len(texts), pack("".join(texts).encode("utf-8", "surrogatepass")))
        for number, texts in enumerate(parts)
    ]


def _name(id: str, number: int) -> str:
    """A name like the service's own: 26 letters and digits that say nothing."""
    digest = hashlib.sha256(f"{id}/{number}".encode()).digest()
    return "".join(_CHARACTERS[byte % 32] for byte in digest[:26])


def files(told: Mapping[str, Any], times: Mapping[str, Any], data: list[tuple[str, int, bytes]]) -> Files:
    """Every object of an export: its data files, the manifests with their checksums, the mark that it began.

    ``told`` is the finished description of the export, ``times`` the members that tell when and what of.
    """
    listed = [
        {
            "itemCount": count,
            "md5Checksum": _md5(content),
            "etag": f"{hashlib.md5(hashlib.md5(content).digest()).hexdigest()}-1",
            "dataFileS3Key": key,
        }
        for key, count, content in data
    ]
    prefix, id = told.get("S3Prefix"), told["ExportArn"].rsplit("/", 1)[1]
    entries = "".join(_json(each) + "\n" for each in listed).encode()
    summary = _json(_summary(told, times, key_of(prefix, id, "manifest-files.json"))).encode()
    made = {key: content for key, _, content in data}
    made[key_of(prefix, id, "_started")] = b""
    for name, content in (("manifest-files", entries), ("manifest-summary", summary)):
        made[key_of(prefix, id, f"{name}.json")] = content
        made[key_of(prefix, id, f"{name}.md5")] = _md5(content).encode()
    return made


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def _summary(told: Mapping[str, Any], times: Mapping[str, Any], listed: str) -> dict[str, Any]:
    increment = told.get("IncrementalExportSpecification")
    view = {} if increment is None else {"outputView": increment["ExportViewType"]}
    return {
        "version": FULL_VERSION if increment is None else INCREMENTAL_VERSION,
        "exportArn": told["ExportArn"],
        "startTime": iso_milliseconds(told["StartTime"]),
        "endTime": iso_milliseconds(told["EndTime"]),
        "tableArn": told["TableArn"],
        "tableId": told["TableId"],
        **{name: iso_milliseconds(moment) for name, moment in times.items()},
        "s3Bucket": told["S3Bucket"],
        "s3Prefix": told.get("S3Prefix"),
        "s3SseAlgorithm": told["S3SseAlgorithm"],
        "s3SseKmsKeyId": told.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": listed,
        "billedSizeBytes": told["BilledSizeBytes"],
        "itemCount": told["ItemCount"],
        "outputFormat": told["ExportFormat"],
        **view,
        "exportType": "FULL_EXPORT" if increment is None else "INCREMENTAL_EXPORT",
    }
