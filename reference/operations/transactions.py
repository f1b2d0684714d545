"""TransactWriteItems and TransactGetItems: all or nothing (dataplane:TX-1 to TX-15, ORD-5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from reference.account import Account
from reference.api import Item, Json
from reference.capacity.item_collections import metrics
from reference.capacity.units import TRANSACTION_FACTOR, Consumed, read_units, replay_units, reports, write_units
from reference.capacity.uses import Use, uses_of
from reference.expressions import request as expressions
from reference.expressions.projection import project
from reference.expressions.request import Expressions
from reference.expressions.tree import Kind, Projection
from reference.operations.actions import EMPTY_KEYS, Action, Done, run, schema_faults, value_faults
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.shared import item_of, key_path_faults, table_of, without_values
from reference.rules import Checks, Violation, every, violation
from reference.tables.keys import lookup_key_faults
from reference.tables.table import Table
from reference.tables.view import Record
from reference.values.item import MAX_ITEM_BYTES, item_size
from reference.values.value import size, text_size

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""Bytes that a transaction may send, or read (dataplane:TX-2)."""

TOKEN_SECONDS = 600.0
"""How long a client request token is remembered after its request has succeeded (dataplane:TX-10)."""

_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "ConditionCheck": ("Condition",),
    "Put": ("Condition",),
    "Delete": ("Condition",),
    "Update": ("Update", "Condition"),
}
_NAMES: Mapping[str, Any] = {"ConditionCheck": "check", "Put": "put", "Delete": "delete", "Update": "update"}
_CODES: Mapping[str, str] = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
    "DuplicateItemException": "DuplicateItem",
    "TransactionConflictException": "TransactionConflict",
}
"""How a cancellation reason names an exception; any other is a ValidationError (dataplane:TX-9)."""
_INDEX_KEY_TOO_LONG = frozenset({"indexes.hash-too-long", "indexes.range-too-long"})


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a successful request with a client request token leaves behind.

    ``digest`` stands for the request, ``at`` is when it was done (epoch seconds), ``capacity`` what a repeat reports.
    """

    digest: str
    at: float
    capacity: tuple[Consumed, ...]


# Idempotency


def digest_of(request: Json) -> str:
    """A request's fingerprint, whatever the order of its members (dataplane:TX-10)."""
    try:
        text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, lone surrogates and values nested deeper than 254 levels are beyond orjson.
        text = _spelled(request)
    return sha256(text).hexdigest()


def _spelled(request: Json) -> bytes:
    parts: list[str] = []
    # A stack, not recursion: members that the operation doesn't know may be nested to any depth.
    stack: list[tuple[str, Json]] = [("", request)]
    while stack:
        label, node = stack.pop()
        if isinstance(node, dict):
            parts.append(f"{label}{{{len(node)}")
            stack += [(json.dumps(name), node[name]) for name in sorted(node)]
        elif isinstance(node, list):
            parts.append(f"{label}[{len(node)}")
            stack += [("", element) for element in node]
        else:
            parts.append(label + json.dumps(node))
    return "\n".join(parts).encode()


def remembered(context: Context, token: Json, digest: str) -> Checks[Remembered | None]:
    """The earlier success that a request repeats, None when it is new."""
    entry = context.account.remembered.get((context.operation, token)) if token is not None else None
    if entry is None or context.now() - entry.at >= TOKEN_SECONDS:
        return None
    if entry.digest != digest:
        yield violation("transactions.token-mismatch")
        return None
    earlier: Remembered = entry
    return earlier


def remember(operation: str, token: str, digest: str, capacity: tuple[Consumed, ...]) -> Callable[[Account], None]:
    """The effect of a success: its token is known from now on, and tokens that have lapsed are forgotten."""

    def effect(account: Account) -> None:
        now, known = account.now(), account.remembered
        # The oldest come first, so this stops at the first that still counts.
        for key in [*_lapsed(known, now), (operation, token)]:
            known.pop(key, None)
        known[operation, token] = Remembered(digest, now, capacity)

    return effect


def _lapsed(known: Mapping[Any, Any], now: float) -> Iterator[Any]:
    for key, entry in known.items():
        if now - entry.at < TOKEN_SECONDS:
            return
        yield key


# Running


def cancelled(context: Context, faults: Sequence[Violation | None]) -> Violation:
    """The one answer to a transaction whose actions have these faults, None for an action without (dataplane:TX-7)."""
    reasons = [_reason(context, fault) for fault in faults]
    codes = ", ".join(reason["Code"] for reason in reasons)
    whole = violation("transactions.cancelled", codes=codes)
    causes = tuple(fault for fault in faults if fault is not None)
    return Violation(whole.rule, whole.params, fields={"CancellationReasons": reasons}, causes=causes)


def _reason(context: Context, fault: Violation | None) -> dict[str, Any]:
    if fault is None:
        return {"Code": "None"}
    code = _CODES.get(fault.rule.error or "", "ValidationError")
    return {"Code": code, **fault.fields, "Message": fault.message(context.surface)}


def _first_fault(action: Action, faults: Iterable[Violation]) -> Violation | None:
    """What a cancelled transaction says of an action; updates of long index keys have words of their own here."""
    fault = next(iter(faults), None)
    if fault is not None and action.kind == "update" and fault.rule.name in _INDEX_KEY_TOO_LONG:
        return violation("transactions.update-index-key-too-long")
    return fault


def only_first(faults: Sequence[Violation | None]) -> list[Violation | None]:
    """The faults as they are reported: beside a validation error nothing else is (dataplane:TX-8)."""
    for position, fault in enumerate(faults):
        if fault is not None and fault.rule.error == "ValidationException":
            return [fault if i == position else None for i in range(len(faults))]
    return list(faults)


def run_all(context: Context, actions: Sequence[Action]) -> Checks[tuple[Done, ...] | None]:
    """What all actions come to, or why the transaction is cancelled.

    What the schema refuses is found before any condition is looked at.
    """
    faults = [_first_fault(action, schema_faults(action)) for action in actions]
    if any(faults):
        yield cancelled(context, only_first(faults))
        return None
    outcomes = [every(run(action)) for action in actions]
    faults = [_first_fault(action, found) for action, (found, _) in zip(actions, outcomes, strict=True)]
    if any(faults):
        yield cancelled(context, only_first(faults))
        return None
    return tuple(done for _, done in outcomes if done is not None)


def duplicates(targets: Iterable[tuple[Table, Item]]) -> Checks[None]:
    """No item is named twice; keys are compared by value, tables by identity (dataplane:TX-3)."""
    seen = set()
    for table, key in targets:
        row = table.view.row_key(key)
        if row is None:
            continue
        if (table.name, row) in seen:
            yield violation("transactions.duplicate-target")
            return
        seen.add((table.name, row))


@dataclass(slots=True)
class Costs:
    """What a transaction consumed, one entry per table, in the order in which the tables are first named."""

    by_table: dict[str, Consumed]

    def of(self, table: Table, name: str) -> Consumed:
        """The entry of a table that the request names so."""
        return self.by_table.setdefault(table.name, Consumed(name))


def write_costs(actions: Sequence[Action], done: Sequence[Done]) -> tuple[Costs, Costs]:
    """What a transaction's writes cost, and what reporting them again would (dataplane:CAP-14, CAP-15)."""
    first, again = Costs({}), Costs({})
    for action, each in zip(actions, done, strict=True):
        cost, repeated = first.of(action.table, action.table_name), again.of(action.table, action.table_name)
        if each.change is None:
            stored = each.stored.size if each.stored is not None else 0
            cost.check(stored, factor=TRANSACTION_FACTOR)
            repeated.table += TRANSACTION_FACTOR * read_units(stored, consistent=True)
        else:
            cost.write(action.table, each.change, factor=TRANSACTION_FACTOR)
            repeated.table += replay_units([each.change])
    return first, again


def commit(
    context: Context, body: Mapping[str, Any], actions: Sequence[Action], done: Sequence[Done], digest: str
) -> Outcome:
    """The outcome of a transaction's writes; its answer holds capacity only."""
    first, again = write_costs(actions, done)
    answer: dict[str, Any] = {}
    rules: tuple[str, ...] = ("transactions.write-result",)
    capacity = reports(first.by_table.values(), body.get("ReturnConsumedCapacity"), "Write")
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
        rules += ("capacity.transaction-units", "capacity.shape")
        if any(each.vectors for each in first.by_table.values()):
            rules += ("vectors.write-capacity",)
    token = body.get("ClientRequestToken")
    effects = () if token is None else (remember(context.operation, token, digest, tuple(again.by_table.values())),)
    changes = tuple(each.change for each in done if each.change is not None)
    uses = tuple(_uses(actions, done)) if context.metered else ()
    return Outcome(answer, changes, effects, rules, uses=uses)


def _uses(actions: Sequence[Action], done: Sequence[Done]) -> Iterator[Use]:
    """What a transaction's writes and checks charge, by the action's position."""
    for position, (action, each) in enumerate(zip(actions, done, strict=True)):
        table = action.table
        if each.change is not None:
            yield from uses_of({table.name: table}, each.change, factor=TRANSACTION_FACTOR, part=position)
        else:
            size = each.stored.size if each.stored is not None else 0
            row = table.view.row_key(action.key) or ()
            yield Use(table.name, "", "Write", row, TRANSACTION_FACTOR * write_units(size), position)


def replayed(body: Mapping[str, Any], earlier: Remembered) -> Outcome:
    """The outcome of a repeated request: nothing is done, the earlier result is read (dataplane:CAP-15)."""
    answer: dict[str, Any] = {}
    capacity = reports(earlier.capacity, body.get("ReturnConsumedCapacity"), "Read")
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
    return Outcome(answer, rules=("transactions.replay", "capacity.replay-units"))


# TransactWriteItems


@dataclass(slots=True)
class _Draft:
    """An action of a request while it is being read; None where a part is missing or refused."""

    kind: str
    request: Mapping[str, Any]
    key: Item | None
    bound: Expressions | None

    def action(self, table: Table) -> Action | None:
        if self.key is None or self.bound is None:
            return None
        return Action(
            _NAMES[self.kind],
            table,
            self.request["TableName"],
            self.key,
            self.bound.update,
            self.bound.condition,
            return_old=self.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
        )


def transact_write_items(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """TransactWriteItems: actions by themselves, then tables, then targets, then the token, then the items."""
    if not complete("TransactWriteItems", body):
        return None
    drafts = []
    for each in body["TransactItems"]:
        drafts.append((yield from _draft(context, each)))
    known = [draft for draft in drafts if draft is not None]
    yield from _payload(known)
    actions = []
    for draft in known:
        table = yield from table_of(context, draft.request["TableName"])
        action = draft.action(table) if table is not None else None
        if action is not None:
            actions.append(action)
    yield from duplicates((action.table, action.key) for action in actions)
    # Only a request that is sound so far can be compared with an earlier one, or run.
    if len(actions) < len(drafts):
        return None
    digest = digest_of([{draft.kind: draft.request} for draft in known])
    earlier = yield from remembered(context, body.get("ClientRequestToken"), digest)
    if earlier is not None:
        return replayed(body, earlier)
    done = yield from run_all(context, actions)
    if done is None:
        return None
    outcome = commit(context, body, actions, done, digest)
    collections = _collections(actions, done, body.get("ReturnItemCollectionMetrics"))
    if collections:
        outcome.body["ItemCollectionMetrics"] = collections
    return outcome


def _draft(context: Context, each: Mapping[str, Any]) -> Checks[_Draft | None]:
    """One action, read: its expressions, then its values, then what shows without looking at items (conflicts:128)."""
    given = [kind for kind in _KINDS if each.get(kind) is not None]
    if len(given) > 1:
        yield violation("transactions.one-kind")
    if len(given) != 1:
        return None
    kind, request = given[0], each[given[0]]
    bound = yield from expressions.read("TransactWriteItems", request, _KINDS[kind], context.layer)
    key = yield from item_of(context, request, "Item" if kind == "Put" else "Key")
    if key is None:
        return _Draft(kind, request, None, bound)
    if kind == "Put" and item_size(key) > MAX_ITEM_BYTES:
        yield violation("items.too-large")
    draft = _Draft(kind, request, key, bound)
    table = context.account.table(request["TableName"])
    action = draft.action(table) if table is not None else None
    if action is not None:
        yield from value_faults(action)
    return draft


def _payload(drafts: Sequence[_Draft]) -> Checks[None]:
    if sum(map(_sent_bytes, drafts)) > MAX_PAYLOAD_BYTES:
        yield violation("transactions.payload-size")


def _sent_bytes(draft: _Draft) -> int:
    """Bytes of what an action sends: its item or key, and the values of its expressions."""
    values = draft.request.get("ExpressionAttributeValues") or {}
    sent = item_size(draft.key) if draft.key is not None else 0
    if draft.bound is not None and draft.bound is not expressions.NO_EXPRESSIONS:
        sent += sum(text_size(name) + size(value) for name, value in values.items())
    return sent


def _collections(actions: Sequence[Action], done: Sequence[Done], mode: Json) -> dict[str, list[dict[str, Any]]]:
    """The ItemCollectionMetrics of a transaction, by table; each item collection once (dataplane:TX-15)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for action, each in zip(actions, done, strict=True):
        entry = metrics(action.table, each.change, mode) if each.change is not None else None
        if entry is not None and entry not in (told := found.setdefault(action.table_name, [])):
            told.append(entry)
    return found


# TransactGetItems


@dataclass(frozen=True, slots=True)
class Get:
    """One read of a transaction.

    ``projection`` names the paths asked for, None for the whole item; ``show`` makes the answer of a stored item.
    """

    table: Table
    table_name: str
    key: Item
    projection: Projection | None = None
    show: Callable[[Item], Item] | None = None


def transact_get_items(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """TransactGetItems: reads by themselves, then tables, then targets, then the items."""
    if not complete("TransactGetItems", body):
        return None
    drafts = []
    for each in body["TransactItems"]:
        request = without_values(each["Get"])
        bound = yield from expressions.read("TransactGetItems", request, ("Projection",), context.layer)
        key = yield from item_of(context, request, "Key")
        table = context.account.table(request["TableName"])
        if table is not None and key is not None:
            yield from (f for f in lookup_key_faults(table.key, key) if f.rule.name in EMPTY_KEYS)
        drafts.append((request, bound, key))
    gets = []
    for request, bound, key in drafts:
        table = yield from table_of(context, request["TableName"])
        if table is not None and key is not None and bound is not None:
            show = None if bound.projection is None else partial(project, bound.projection.paths)
            gets.append(Get(table, request["TableName"], key, bound.projection, show))
    yield from duplicates((get.table, get.key) for get in gets)
    if len(gets) < len(drafts):
        return None
    return (yield from read_all(context, body, gets))


def read_all(context: Context, body: Mapping[str, Any], gets: Sequence[Get]) -> Checks[Outcome | None]:
    """The answer to a transaction of reads, in the order asked."""
    faults = [next(_key_faults(get), None) for get in gets]
    if any(faults):
        yield cancelled(context, only_first(faults))
        return None
    costs = Costs({})
    responses: list[dict[str, Any]] = []
    uses: list[Use] = []
    total = 0
    for position, get in enumerate(gets):
        record = get.table.get(get.key)
        stored = record.size if record is not None else 0
        total += stored
        units = TRANSACTION_FACTOR * read_units(stored, consistent=True)
        costs.of(get.table, get.table_name).table += units
        if context.metered:
            uses.append(Use(get.table.name, "", "Read", get.table.view.row_key(get.key) or (), units, position))
        responses.append(_response(get, record))
    if total > MAX_PAYLOAD_BYTES:
        yield violation("transactions.read-size")
        return None
    answer: dict[str, Any] = {"Responses": responses}
    rules: tuple[str, ...] = ("transactions.read-result",)
    capacity = reports(costs.by_table.values(), body.get("ReturnConsumedCapacity"), "Read")
    if capacity is not None:
        answer["ConsumedCapacity"] = capacity
        rules += ("capacity.transaction-units", "capacity.shape")
    return Outcome(answer, rules=rules, uses=tuple(uses))


def _key_faults(get: Get) -> Iterator[Violation]:
    """What the schema refuses of a read."""
    yield from (fault for fault in lookup_key_faults(get.table.key, get.key) if fault.rule.name not in EMPTY_KEYS)
    yield from key_path_faults(get.table, get.projection)


def _response(get: Get, record: Record | None) -> dict[str, Any]:
    if record is None:
        return {}
    item = record.item if get.show is None else get.show(record.item)
    return {"Item": item} if item else {}


OPERATIONS: dict[str, Operation] = {
    "TransactWriteItems": transact_write_items,
    "TransactGetItems": transact_get_items,
}
