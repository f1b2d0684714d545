"""Bugs of single-item operations and of what all operations check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.checks.base import table
from conformance.checks.steps import (
    PLAIN,
    aliases,
    delete,
    get,
    item,
    n,
    placeholders,
    put,
    query,
    s,
    scan,
    update,
)
from conformance.program import Step
from reference.api import Call, Item, Refusal, Reply, Success
from reference.operations import items
from reference.operations.base import Outcome
from reference.rules import Violation
from reference.service import Service
from reference.tables import keys
from reference.tables.view import Record
from reference.values import item as item_values
from tests.planted.base import (
    Body,
    Executes,
    Plant,
    answers,
    asks,
    originals,
    overlooks,
    patched,
    plant,
    refuses,
)

real = originals(items)
real_keys = originals(keys)


def _merged(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """PutItem leaves attributes that the new item lacks."""
    if call.operation != "PutItem":
        return outcome
    (change,) = outcome.changes
    if change.old is None or change.new is None:
        return outcome
    whole = {**change.old.item, **change.new.item}
    return replace(outcome, changes=(service.account.tables[change.table].plan(whole, Record.of(whole)),))


def _condition_on_new(condition: Any, old: Item | None, body: Any) -> Any:
    """A put's condition is checked against the item it puts."""
    yield from real._check_condition(condition, body.get("Item") or old, body)


def _always_met(condition: Any, old: Item | None, body: Any) -> Any:
    """A condition about a missing item always holds."""
    if old is not None:
        yield from real._check_condition(condition, old, body)


def _delete_unconditional(condition: Any, old: Item | None, body: Any) -> Any:
    if "Item" in body or "UpdateExpression" in body:
        yield from real._check_condition(condition, old, body)


def _put_returns_new(service: Service, call: Call, body: Body) -> Body:
    return {**body, "Attributes": call.body["Item"]} if "Attributes" in body else body


def _empty_item(service: Service, call: Call, body: Body) -> Body:
    return body if "Item" in body else {**body, "Item": {}}


def _empty_old(service: Service, call: Call, body: Body) -> Body:
    return {"Attributes": {}, **body} if call.body.get("ReturnValues") == "ALL_OLD" else body


def _old_unasked(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """DeleteItem answers the old item whether it is asked to or not."""
    if call.operation != "DeleteItem" or outcome.changes[0].old is None:
        return outcome
    return replace(outcome, body={**outcome.body, "Attributes": outcome.changes[0].old.item})


def _failed_item(service: Service, call: Call, reply: Refusal) -> Reply:
    """The stored item is shown with every failed condition."""
    if not isinstance(call.body.get("TableName"), str) or reply.fields:
        return reply
    held = service.account.table(call.body["TableName"])
    key = call.body.get("Key") or call.body.get("Item") or {}
    record = held.get(key) if held is not None else None
    return replace(reply, fields={"Item": record.item}) if record is not None else reply


def _fields_lost(service: Service, call: Call, reply: Refusal) -> Reply:
    return replace(reply, fields={})


def _only_extra(schema: Any, key: Item) -> Sequence[Violation]:
    """A Key with attributes too many is cut down to the schema's."""
    if len(key) > len(schema.attributes):
        return real_keys.lookup_key_faults(schema, {k: v for k, v in key.items() if k in schema.names})  # type: ignore[no-any-return]
    return real_keys.lookup_key_faults(schema, key)  # type: ignore[no-any-return]


def _any_value(attribute: Any, value: Any, *, hashed: bool) -> Any:
    """Empty key values are accepted."""
    found = real_keys._value_faults(attribute, value, hashed=hashed)
    return (fault for fault in found if not fault.rule.name.startswith("keys.empty"))


class _Behind:
    """Every UpdateItem reads its item as it was before the last write: an earlier update is lost."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.before: dict[Any, Item] = {}

    def execute(self, call: Call) -> Reply:
        service = self.service
        outcome = service.outcomes(call).outcome
        if call.operation not in ("UpdateItem", "PutItem") or outcome is None or not outcome.changes:
            return service.execute(call)
        (change,) = outcome.changes
        slot = (change.table, change.key)
        earlier = self.before.get(slot)
        self.before[slot] = change.old.item if change.old else {}
        reply = service.execute(call)
        if call.operation == "UpdateItem" and earlier is not None and change.old and change.new:
            table_ = service.account.tables[change.table]
            touched = {k for k, v in change.new.item.items() if change.old.item.get(k) != v}
            kept = {k: v for k, v in change.new.item.items() if k in touched or k in earlier or k in table_.key.names}
            if kept != change.new.item:
                table_.install({name: kept[name] for name in table_.key.names}, kept)
        return reply


class _Stale:
    """The first eventually consistent GetItem after a write answers the item as it was before."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.before: dict[Any, Item | None] = {}

    def execute(self, call: Call) -> Reply:
        outcome = self.service.outcomes(call).outcome
        reply = self.service.execute(call)
        if outcome is None or not isinstance(reply, Success):
            return reply
        for change in outcome.changes:
            self.before[change.table, change.key] = change.old.item if change.old else None
        if call.operation == "GetItem" and not call.body.get("ConsistentRead"):
            table_ = self.service.account.table(call.body["TableName"])
            assert table_ is not None
            slot = (table_.name, table_.view.row_key(call.body["Key"]))
            if slot in self.before and call.body.get("ProjectionExpression") is None:
                old = self.before.pop(slot)
                rest = {k: v for k, v in reply.body.items() if k != "Item"}
                return Success(rest if old is None else {"Item": old, **rest})
        return reply


def _tombstones(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """A deleted item leaves its key behind."""
    if call.operation != "DeleteItem":
        return outcome
    (change,) = outcome.changes
    if change.old is None:
        return outcome
    held = service.account.tables[change.table]
    ghost = {name: change.old.item[name] for name in held.key.names}
    return replace(outcome, changes=(held.plan(ghost, Record.of(ghost)),))


def _only_first_delete(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """A conditional DeleteItem that succeeds deletes nothing."""
    if call.operation == "DeleteItem" and call.body.get("ConditionExpression"):
        return replace(outcome, changes=())
    return outcome


def _other_code(code: str) -> Any:
    return lambda service, call, reply: replace(reply, code=code)


def _other_words(text: str) -> Any:
    return lambda service, call, reply: replace(reply, message=text)


def _other_status(service: Service, call: Call, reply: Refusal) -> Reply:
    return replace(reply, status=500)


def _table_first(service: Service, call: Call, reply: Reply) -> Reply:
    """A missing table is told before anything that is wrong with the request."""
    name = call.body.get("TableName") if isinstance(call.body, dict) else None
    if not isinstance(reply, Refusal) or not isinstance(name, str) or service.account.table(name) is not None:
        return reply
    if call.operation not in ("PutItem", "GetItem", "UpdateItem", "DeleteItem"):
        return reply
    return service.execute(Call("GetItem", {"TableName": "dynoracle-no-such-table", "Key": {"pk": {"S": "a"}}}))


def _condition_before_key(service: Service, call: Call, reply: Reply) -> Reply:
    """A wrong key is told before a wrong condition."""
    if call.operation not in ("UpdateItem", "DeleteItem", "GetItem") or not isinstance(reply, Refusal):
        return reply
    if not any(rule.startswith("expressions.") for rule in reply.rules) or not isinstance(call.body.get("Key"), dict):
        return reply
    bare = {k: call.body[k] for k in ("TableName", "Key") if k in call.body}
    other = service.outcomes(Call("GetItem", bare))
    schema = [v for v in other.violations if v.rule.name == "keys.schema-mismatch"]
    return service.refusal(Call("GetItem", bare), schema[0]) if schema else reply


def _unused_dropped(member: str) -> Any:
    """Placeholders that no expression names are ignored."""

    def alter(body: Body) -> Body:
        texts = " ".join(str(body.get(f"{kind}Expression") or "") for kind in _KINDS)
        held = body.get(member)
        if not texts.strip() or not isinstance(held, dict):
            return body
        kept = {name: value for name, value in held.items() if name in texts}
        rest = {name: value for name, value in body.items() if name != member}
        return {**rest, member: kept} if kept else rest

    return alter


_KINDS = ("Condition", "Update", "Filter", "Projection", "KeyCondition")


def _class(name: str, about: str, kind: Any, *steps: Step) -> Plant:
    made = plant(name, about, "items", PLAIN, *steps)
    wrap: type[Executes] = kind
    return replace(made, wrap=wrap)


def _item(name: str, about: str, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "items", PLAIN, *steps, **hooks)


_HELD = put({"v": n(1), "w": n(2)})
_NO_TABLE = "dynoracle-no-such-table"
_FAILED = "items.condition-failed"
_SORTED_KEY = {"t0": table(key="pk:S,sk:S")}

PLANTS: tuple[Plant, ...] = (
    _item(
        "put-merges", "PutItem keeps attributes of the old item that the new one lacks.",
        _HELD, put({"v": n(3)}), get(), does=_merged,
    ),
    _item(
        "put-condition-on-new-item", "A put's condition is checked against the new item.",
        _HELD, put({"x": n(1)}, ConditionExpression="attribute_exists(x)"),
        patches=(patched(items, _check_condition=_condition_on_new),),
    ),
    _item(
        "condition-skipped-without-item", "A condition about an item that is not there always holds.",
        delete(ConditionExpression="attribute_exists(pk)"),
        patches=(patched(items, _check_condition=_always_met),),
    ),
    _item(
        "delete-ignores-condition", "DeleteItem does not look at its condition.",
        _HELD, delete(ConditionExpression="attribute_not_exists(pk)"),
        patches=(patched(items, _check_condition=_delete_unconditional),),
    ),
    _item(
        "put-returns-new", "ALL_OLD of PutItem answers the new item.",
        _HELD, put({"v": n(3)}, ReturnValues="ALL_OLD"), says=answers(_put_returns_new, "PutItem"),
    ),
    _item(
        "put-returns-empty-old", "ALL_OLD of a PutItem that replaces nothing answers an empty map.",
        put(ReturnValues="ALL_OLD"), says=answers(_empty_old, "PutItem"),
    ),
    _item(
        "delete-returns-unasked", "DeleteItem answers the old item unasked.",
        _HELD, delete(), does=_old_unasked,
    ),
    _item(
        "get-missing-empty-item", "GetItem of a missing item answers an empty one.",
        get(), says=answers(_empty_item, "GetItem"),
    ),
    _item(
        "failed-condition-shows-item", "A failed condition shows the stored item unasked.",
        _HELD, put(ConditionExpression="attribute_not_exists(pk)"), says=refuses(_FAILED, _failed_item),
    ),
    _item(
        "failed-condition-hides-item", "ReturnValuesOnConditionCheckFailure is ignored.",
        _HELD, put(ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        says=refuses(_FAILED, _fields_lost),
    ),
    _item(
        "key-with-more-accepted", "A Key with an attribute too many is accepted.",
        _HELD, get({"pk": s("a"), "x": n(1)}),
        patches=(patched(items, lookup_key_faults=_only_extra),),
    ),
    _item(
        "empty-key-accepted", "An empty string is accepted as a key.",
        put({"pk": s("")}), patches=(patched(keys, _value_faults=_any_value),),
    ),
    _item(
        "hash-key-limit", "Partition keys may have 2049 bytes.",
        put({"pk": s("k" * 2049)}), patches=(patched(keys, MAX_HASH_BYTES=2049),),
    ),
    plant(
        "range-key-limit", "Sort keys may have 1025 bytes.",
        "items", _SORTED_KEY, put({"sk": s("k" * 1025)}), patches=(patched(keys, MAX_RANGE_BYTES=1025),),
    ),
    _item(
        "item-size-limit", "Items may have a byte more than 400 KB.",
        put({"v": s("x" * (409_601 - 4))}),
        patches=(patched(items, MAX_ITEM_BYTES=409_601), patched(item_values, MAX_ITEM_BYTES=409_601)),
    ),
    _item(
        "key-may-be-updated", "An update may set a key attribute.",
        _HELD, update("SET pk = :x", {"x": s("b")}), passes=overlooks("keys.update-key"),
    ),
    _item(
        "return-values-of-updates", "PutItem and DeleteItem accept the ReturnValues of updates.",
        put(ReturnValues="UPDATED_NEW"), passes=overlooks("items.return-values"),
    ),
    _class("update-lost", "An update forgets what the write before it added.", _Behind,
           _HELD, update("SET x = :x", {"x": n(1)}), update("SET y = :x", {"x": n(1)}), get()),
    _class("read-stale", "An eventually consistent GetItem answers what was there before the last write.", _Stale,
           _HELD, put({"v": n(3)}), get(ConsistentRead=False)),
    _item(
        "delete-leaves-key", "A deleted item leaves its key behind, which reads then show.",
        _HELD, delete(), get(), does=_tombstones,
    ),
    _item(
        "conditional-delete-lost", "A conditional DeleteItem whose condition holds deletes nothing.",
        _HELD, delete(ConditionExpression="attribute_exists(pk)"), get(), does=_only_first_delete,
    ),
    _item(
        "unused-names-in-delete", "DeleteItem does not look for unused ExpressionAttributeNames.",
        delete(ConditionExpression="attribute_not_exists(v)", **aliases(x="v")),
        asks=asks(_unused_dropped("ExpressionAttributeNames"), "DeleteItem"),
    ),
    _item(
        "unused-values-in-query", "Query does not look for unused ExpressionAttributeValues.",
        query("pk = :p", {"p": s("a"), "x": n(1)}),
        asks=asks(_unused_dropped("ExpressionAttributeValues"), "Query"),
    ),
    _item(
        "unused-values-in-scan", "Scan does not look for unused ExpressionAttributeValues.",
        scan(FilterExpression="attribute_exists(v)", **placeholders({"x": n(1)})),
        asks=asks(_unused_dropped("ExpressionAttributeValues"), "Scan"),
    ),
    _item(
        "missing-table-code", "A missing table is a ValidationException.",
        Step("PutItem", {"TableName": _NO_TABLE, "Item": item()}),
        says=refuses("items.table-missing", _other_code("ValidationException")),
    ),
    _item(
        "failed-condition-code", "A failed condition is a ValidationException.",
        _HELD, put(ConditionExpression="attribute_not_exists(pk)"),
        says=refuses(_FAILED, _other_code("ValidationException")),
    ),
    _item(
        "failed-condition-status", "A failed condition is answered with HTTP status 500.",
        _HELD, put(ConditionExpression="attribute_not_exists(pk)"), says=refuses(_FAILED, _other_status),
    ),
    _item(
        "failed-condition-words", "A failed condition is told in other words.",
        _HELD, put(ConditionExpression="attribute_not_exists(pk)"),
        says=refuses(_FAILED, _other_words("The conditional check failed")),
    ),
    _item(
        "schema-mismatch-words", "A wrong Key is told in other words.",
        get({"x": s("a")}), says=refuses("keys.schema-mismatch", _other_words("The key is invalid")),
    ),
    _item(
        "missing-table-first", "A missing table is told before what is wrong with the request itself.",
        Step("PutItem", {"TableName": _NO_TABLE, "Item": item(), "ConditionExpression": "v ="}),
        says=_table_first,
    ),
    _item(
        "key-before-expression", "A wrong Key is told before a wrong expression.",
        delete({"x": s("a")}, ConditionExpression="v ="), says=_condition_before_key,
    ),
)  # fmt: skip
