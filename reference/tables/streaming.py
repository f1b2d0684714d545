"""Switching a table's stream on and off: which streams it has had and when (beyond:STR-1 … STR-9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from reference.tables.settings import StreamSpan, TableSettings


def label(now: float, taken: Collection[str]) -> str:
    """The label of a stream made at ``now`` (epoch seconds): the time in milliseconds, not used before (STR-7)."""
    moment = round(now * 1000)
    while (text := _milliseconds(moment)) in taken:
        moment += 1
    return text


def _milliseconds(moment: int) -> str:
    whole = datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{moment % 1000:03d}"


def switch_on(settings: TableSettings, view_type: str, name: str, now: float, sequence: int) -> None:
    """Begin a stream of all changes after ``sequence``."""
    settings.stream_view, settings.stream_label = view_type, name
    settings.streams = (*settings.streams, StreamSpan(name, view_type, now, sequence))


def switch_off(settings: TableSettings, now: float, sequence: int) -> None:
    """End the stream at ``sequence``; its label stays in the description (beyond:TBL-7)."""
    settings.stream_view = None
    if settings.streams and settings.streams[-1].ended is None:
        ended = replace(settings.streams[-1], ended=now, end=sequence)
        settings.streams = (*settings.streams[:-1], ended)
