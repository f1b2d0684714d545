"""The words every other room speaks: a call goes in, a reply comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON-shaped value as it stands on the wire: dict, list, str, int, float, bool or None."""

AttributeValue: TypeAlias = dict[str, Any]
"""One value in wire form, for example ``{"S": "a"}``; binary is base64 text."""

Item: TypeAlias = dict[str, AttributeValue]
"""Attribute name → value. Items held by the reference are in normal form and never mutated."""


@dataclass(frozen=True, slots=True)
class Call:
    """One API request as data: the operation's name and its JSON body."""

    operation: str
    body: Json


@dataclass(frozen=True, slots=True)
class Success:
    """HTTP 200. ``body`` is None for the few operations that answer with no bytes at all."""

    body: Json


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer.

    ``code`` is the bare exception name (``ValidationException``), ``fields`` the further members of the
    error body (``Item``, ``CancellationReasons``, ``ThrottlingReasons``). ``rules`` names the broken
    rules when the reference made this refusal; it is empty for what a target answered.
    """

    code: str
    message: str | None = None
    status: int = 400
    fields: Mapping[str, Json] = field(default_factory=dict)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer, or one that does not say whether the call took effect."""

    why: str


Reply: TypeAlias = Success | Refusal | Lost


class ServiceError(Exception):
    """A refusal on its way to the caller, for code that uses the reference as a library."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.message}")
        self.refusal = refusal
