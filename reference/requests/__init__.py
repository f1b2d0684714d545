"""Requests: is a JSON body what an operation's model says, and how the service words it if not.

``read`` tells everything at once; ``check`` is the same as a stage of an operation. Two kinds of refusal come
from here:

* a member of the wrong JSON type: ``SerializationException``, and nothing of the request is looked at further;
* broken model constraints: one ``N validation errors detected: …`` answer, or the texts of its own that the operation
  has for some of them. Further violations after the first are true as well: the service would come to them next.

What may be relied on when ``read`` says ``typed``: in ``Reading.body`` every member has the JSON type of its shape,
also inside structures, lists and maps; nulls, unknown members, fractions and spelled-out booleans are resolved. It may
still break constraints (required members missing, enums unknown, lists empty), so look before use. Attribute values are
passed on as they came: their known members have the right JSON type, but there may be none or several, unknown ones,
nulls, ``"true"`` for a boolean, any depth; and null may stand for an attribute value in a list or map.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from reference.api import Json
from reference.requests.constraints import Found
from reference.requests.extras import EXTRAS, item_table, pardoned
from reference.requests.fast import Predicate, predicate
from reference.requests.front import LENGTHS_FIRST, SINGLE_WRITES, answers
from reference.requests.model import Shape, input_of, inputs, is_table_arn
from reference.requests.search import unreadable
from reference.requests.types import Reader, filled, is_base64
from reference.rules import Checks, Cohort, Surface, Violation, surface, violation

__all__ = [
    "Reading", "check", "is_base64", "is_table_arn", "members", "operations", "read", "speaker",
]  # fmt: skip

DEEPEST_CURRENT = 62
"""Wraps past which the older front end reads a single-item write (conflicts:12)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as the service reads it.

    ``body`` is the request without nulls and unknown members, or the very object that came in where it was in order.
    ``typed`` says that it can be worked with, ``older`` that the older front end reads it, whatever cohort the
    operation speaks: see ``speaker``.
    """

    body: Json
    typed: bool
    violations: tuple[Violation, ...] = ()
    older: bool = False


def operations() -> frozenset[str]:
    """Every operation of DynamoDB and DynamoDB Streams that the service model knows."""
    return frozenset(inputs())


def members(operation: str) -> tuple[str, ...]:
    """The names of an operation's request members, in the order in which the service lists what they break."""
    return tuple(input_of(operation).members)


def read(operation: str, body: Json) -> Reading:
    """Everything there is to say about a request before its operation looks at it.

    ``body`` is any JSON value. KeyError when there is no such operation.
    """
    shape = input_of(operation)
    if _fast(operation)(body):
        return Reading(_resolved(body), typed=True, violations=_extras(operation, body))
    if not isinstance(body, dict):
        return Reading(None, typed=False, violations=(violation("wire.not-an-object"),))
    if operation == "SearchVectors":
        wrong = tuple(unreadable(body))
        if wrong:
            return Reading(None, typed=False, violations=wrong)
    reader = Reader()
    clean = reader.read(shape, body)
    if reader.found:
        return Reading(None, typed=False, violations=tuple(reader.found))
    reading = _constrain(operation, shape, clean, reader.nesting)
    if not reader.holes:
        return reading
    whole = filled(shape, clean)
    # A list of nothing but nulls is an empty one.
    told = reading if reading.violations else _constrain(operation, shape, whole, reader.nesting)
    return replace(told, body=_resolved(whole))


def _constrain(operation: str, shape: Shape, body: dict[str, Json], nesting: int) -> Reading:
    older = operation in SINGLE_WRITES and (
        nesting > DEEPEST_CURRENT or (operation == "UpdateItem" and body.get("Key") is None)
    )
    found = Found(as_json=operation == "BatchGetItem", lengths_first=operation in LENGTHS_FIRST)
    found.structure(shape, body)
    body = _resolved(body)
    told = answers(operation, pardoned(operation, body, found.broken), older=older)
    return Reading(
        body, typed=True, violations=(*told, *item_table(operation, body), *_extras(operation, body)), older=older
    )


def _resolved(body: dict[str, Json]) -> dict[str, Json]:
    """The body with a billing mode under its one name; where both are given, ``BillingMode`` decides."""
    if "TableThroughputMode" not in body:
        return body
    mode = body["TableThroughputMode"]
    return {"BillingMode": mode, **{name: value for name, value in body.items() if name != "TableThroughputMode"}}


def _extras(operation: str, body: dict[str, Json]) -> tuple[Violation, ...]:
    extra = EXTRAS.get(operation)
    return tuple(extra(body)) if extra is not None else ()


@functools.cache
def _fast(operation: str) -> Predicate:
    return predicate(input_of(operation))


def check(operation: str, body: Json) -> Checks[bool]:
    """The violations of ``read``, in the service's order; returns whether the request can be worked with.

    After a type error it cannot: there is nothing more to find. After broken constraints the operation's own checks
    may go on, with what the package's first words say.
    """
    reading = read(operation, body)
    yield from reading.violations
    return reading.typed


def speaker(operation: str, body: Json, cohort: Cohort | None = None) -> Surface:
    """How the service words its answers to this very request, for a target of the given cohort.

    A single-item write that nests a value past 62 lists and maps, and an UpdateItem without Key, are read by the older
    front end as a whole (conflicts 12, 19, 20 and 22).
    """
    if operation in SINGLE_WRITES and read(operation, body).older:
        cohort = "older"
    return surface(operation, cohort)
