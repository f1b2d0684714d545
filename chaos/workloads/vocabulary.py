"""The few requests that workloads make, and what a recorded one did to each of its items.

Requests are made of fixed expressions, so that a history says by itself what its calls meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos.checkers.item import Access, Change, Sight, State, Test, Value
from chaos.checkers.verdict import INFINITY
from chaos.histories import Body, body_of, code_of
from conformance.record.op import Op
from reference.api import Refusal

KEY = "pk"
CONDITIONAL = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"

UPDATES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "SET v = :v": (("set", "v", ":v"),),
    "ADD n :n": (("add", "n", ":n"),),
    "SET l = list_append(if_not_exists(l, :none), :l)": (("append", "l", ":l"),),
    "SET w = :w REMOVE pending": (("set", "w", ":w"), ("remove", "pending", "")),
}
"""Update expressions: how each changes which attribute by which value."""

CONDITIONS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "attribute_not_exists(pk)": (("absent", "", ""),),
    "attribute_exists(pk)": (("present", "", ""),),
    "attribute_exists(pending)": (("present", "pending", ""),),
    "v = :was": (("=", "v", ":was"),),
    "n >= :least": ((">=", "n", ":least"),),
    "attribute_not_exists(l)": (("absent", "l", ""),),
    "size(l) = :size": (("size", "l", ":size"),),
}
"""Condition expressions: tests of attributes; an empty name is the item itself."""

SET, ADD, APPEND, TAKE = UPDATES


def key(table: str, name: str) -> Body:
    """The members of a request that name an item."""
    return {"TableName": f"${{table:{table}}}", "Key": {KEY: {"S": name}}}


def text(value: str) -> Body:
    """A text value."""
    return {"S": value}


def number(value: int) -> Body:
    """A number value."""
    return {"N": str(value)}


def numbers(values: Iterable[int]) -> Body:
    """A list of numbers."""
    return {"L": [number(value) for value in values]}


def table(*attributes: str, indexes: Sequence[Body] = (), **more: Any) -> Body:
    """A CreateTable body: text partition key ``pk``, and further text attributes that indexes use."""
    defined = [{"AttributeName": name, "AttributeType": "S"} for name in (KEY, *attributes)]
    body: Body = {
        "AttributeDefinitions": defined,
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }
    return {**body, "GlobalSecondaryIndexes": list(indexes)} if indexes else body


def put(place: Body, item: Mapping[str, Body]) -> Body:
    """A Put of ``place`` (see ``key``) with further attributes."""
    return {"TableName": place["TableName"], "Item": {**place["Key"], **item}}


def update(place: Body, expression: str, values: Mapping[str, Body]) -> Body:
    """An Update of ``place`` by one of UPDATES."""
    return {**place, "UpdateExpression": expression, "ExpressionAttributeValues": dict(values)}


def when(body: Body, condition: str, values: Mapping[str, Body] | None = None) -> Body:
    """The same request under one of CONDITIONS."""
    known = {**body.get("ExpressionAttributeValues", {}), **(values or {})}
    more: Body = {"ExpressionAttributeValues": known} if known else {}
    return {**body, "ConditionExpression": condition, **more}


def value_of(value: Any) -> Value:
    """An attribute value as checkers know it: text, a whole number, a list of them; others in their JSON form."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, held),) = value.items()
        if kind == "S" and isinstance(held, str):
            return held
        if kind == "N" and isinstance(held, str) and held.lstrip("-").isdigit():
            return int(held)
        if kind == "L" and isinstance(held, list):
            listed = [value_of(member) for member in held]
            if all(isinstance(member, int) for member in listed):
                return tuple(member for member in listed if isinstance(member, int))
    return f"?{value}"


def state_of(item: Any) -> State:
    """An item of an answer as a state: without its key; None where there is none."""
    if not isinstance(item, dict):
        return None
    return tuple(sorted((name, value_of(value)) for name, value in item.items() if name != KEY))


def name_of(place: Any) -> str:
    """The key of an item, or of a request's Key, as text."""
    held = place.get(KEY) if isinstance(place, dict) else None
    return str(held.get("S")) if isinstance(held, dict) else "?"


def _writing(kind: str, body: Body) -> dict[str, Any]:
    """What a write (or ConditionCheck) does, as members of an Access."""
    values = body.get("ExpressionAttributeValues", {})
    condition: tuple[Test, ...] = ()
    if "ConditionExpression" in body:
        tests = CONDITIONS[body["ConditionExpression"]]
        condition = tuple((how, name, value_of(values[v]) if v else None) for how, name, v in tests)  # type: ignore[misc]
    if kind == "Put":
        return {"action": "put", "item": state_of(body["Item"]), "condition": condition}
    if kind == "Update":
        parts = UPDATES[body["UpdateExpression"]]
        changes: tuple[Change, ...] = tuple((how, n, value_of(values[v]) if v else None) for how, n, v in parts)  # type: ignore[misc]
        return {"action": "update", "changes": changes, "condition": condition}
    return {"action": "delete" if kind == "Delete" else "read", "condition": condition}


def place_of(body: Body) -> tuple[str, str]:
    """The table symbol and key of a request or action on one item."""
    return str(body["TableName"])[8:-1], name_of(body.get("Key") or body.get("Item"))


_SINGLE = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}

Placed = tuple[str, Access]


def accesses(op: Op) -> Iterator[Placed]:
    """What an op did to items by itself and strongly consistently: (key, access) for each; nothing if it is not known.

    A refused condition is an observation; a call that failed for any other reason did nothing.
    """
    if op.operation in _SINGLE:
        yield from _single(op)
    elif op.operation == "GetItem" and op.fate == "ok" and op.body.get("ConsistentRead"):
        seen: Sight = (state_of(body_of(op).get("Item")),)
        yield place_of(op.body)[1], _access(op, action="read", after=seen)
    elif op.operation == "TransactGetItems" and op.fate == "ok":
        answers = body_of(op).get("Responses")
        asked = op.body["TransactItems"]
        for n, action in enumerate(asked):
            found = answers[n] if isinstance(answers, list) and len(answers) == len(asked) else {}
            after = (state_of(found.get("Item") if isinstance(found, dict) else None),)
            yield place_of(action["Get"])[1], _access(op, action="read", after=after)
    elif op.operation == "TransactWriteItems":
        yield from _transaction(op)


def _access(op: Op, **fields: Any) -> Access:
    returned = INFINITY if op.returned is None or op.fate == "info" else op.returned
    return Access(op.index, op.process, op.called, returned, info=op.fate == "info", **fields)


def _single(op: Op) -> Iterator[Placed]:
    name = place_of(op.body)[1]
    fields = _writing(_SINGLE[op.operation], op.body)
    if op.fate == "info":
        yield name, _access(op, **fields)
    elif op.fate == "ok":
        wanted, answer = op.body.get("ReturnValues"), body_of(op).get("Attributes")
        if wanted == "ALL_OLD" and state_of(answer) != ():
            # Some targets show the key where nothing was: that is a difference of its own, and not of order.
            fields["before"] = (state_of(answer),)
        elif wanted == "ALL_NEW":
            fields["after"] = (state_of(answer),)
        elif wanted == "UPDATED_NEW":
            fields["shown"] = state_of(answer) or ()
        # Without a body it is only known that the call took effect.
        if op.notes.get("unseen"):
            fields = {name: value for name, value in fields.items() if name not in ("before", "after", "shown")}
        yield name, _access(op, **fields)
    elif code_of(op) == CONDITIONAL and "ConditionExpression" in op.body:
        if op.body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            item = op.reply.fields.get("Item") if isinstance(op.reply, Refusal) else None
            if item is not None:
                fields["before"] = (state_of(item),)
        yield name, _access(op, refused=True, **fields)


def _transaction(op: Op) -> Iterator[Placed]:
    """Each action of a TransactWriteItems; of a cancelled one those whose condition was found not to hold."""
    reasons = op.reply.fields.get("CancellationReasons") if isinstance(op.reply, Refusal) else None
    for n, action in enumerate(op.body["TransactItems"]):
        ((kind, body),) = action.items()
        fields = _writing(kind, body)
        name = place_of(body)[1]
        if op.fate in ("ok", "info"):
            yield name, _access(op, **fields)
        elif code_of(op) == CANCELLED and isinstance(reasons, list) and n < len(reasons):
            reason = reasons[n] if isinstance(reasons[n], dict) else {}
            if reason.get("Code") == "ConditionalCheckFailed" and fields["condition"]:
                yield name, _access(op, refused=True, **fields)


def by_key(ops: Iterable[Op], twice: frozenset[int] = frozenset()) -> dict[str, list[Access]]:
    """The history of each key. ``twice`` are ops that were delivered twice: each may take effect once more."""
    found: dict[str, list[Access]] = defaultdict(list)
    for op in ops:
        for name, access in accesses(op):
            found[name].append(access)
            if op.index in twice and not access.reads_only and "ClientRequestToken" not in op.body:
                again = replace(access, info=True, returned=INFINITY, before=None, after=None, shown=())
                found[name].append(replace(again, index=-1 - access.index, process=-1 - access.process))
    return dict(found)


def attempted(ops: Iterable[Op]) -> dict[str, list[Access]]:
    """The writes that certainly took no effect, by key: their values must not be seen."""
    found: dict[str, list[Access]] = defaultdict(list)
    for op in ops:
        if op.fate == "fail":
            for _, access in _bodies(op):
                found[_].append(access)
    return dict(found)


def _bodies(op: Op) -> Iterator[Placed]:
    if op.operation in _SINGLE:
        yield place_of(op.body)[1], _access(op, **_writing(_SINGLE[op.operation], op.body))
    elif op.operation == "TransactWriteItems":
        for action in op.body["TransactItems"]:
            ((kind, body),) = action.items()
            yield place_of(body)[1], _access(op, **_writing(kind, body))
