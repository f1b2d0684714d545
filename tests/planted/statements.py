"""Bugs of PartiQL."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from conformance.checks.steps import PLAIN, SORTED, get, n, put, s
from conformance.program import Step
from reference.api import Call, Item, Refusal, Reply, Success
from reference.operations import partiql
from reference.service import Service
from tests.planted.base import Body, Plant, answers, asks, originals, patched, plant, refuses, stores

real = originals(partiql)
_NAME = '"${table:t0}"'


def _overwrites(action: Any) -> Any:
    """INSERT of an item that exists replaces it."""
    return (yield from real.run(replace(action, presence="any") if action.presence == "absent" else action))


def _upserts(action: Any) -> Any:
    """UPDATE of a missing item creates it."""
    return (yield from real.run(replace(action, presence="any") if action.presence == "present" else action))


def _unconditional(action: Any) -> Any:
    """What a write's WHERE says beside the key is not looked at."""
    return (yield from real.run(replace(action, condition=None)))


def _silent(service: Service, call: Call, reply: Refusal) -> Reply:
    """A write whose WHERE is not met is no error."""
    return Success({"Items": []}) if call.operation == "ExecuteStatement" else reply


def _turned(body: Body) -> Body:
    """Parameters are taken from the last to the first."""
    held = body.get("Parameters")
    same = isinstance(held, list) and len({next(iter(p)) for p in held if isinstance(p, dict) and p}) == 1
    return {**body, "Parameters": held[::-1]} if same and held else body


def _first_parameter(body: Body) -> Body:
    """Further parameters than the statement takes are ignored."""
    held, text = body.get("Parameters"), body.get("Statement")
    if not isinstance(held, list) or not isinstance(text, str) or "'" in text or len(held) <= text.count("?"):
        return body
    rest = {name: member for name, member in body.items() if name != "Parameters"}
    return {**rest, "Parameters": held[: text.count("?")]} if text.count("?") else rest


def _without_limit(body: Body) -> Body:
    """Limit of ExecuteStatement is ignored."""
    return {name: member for name, member in body.items() if name != "Limit"}


def _no_items(service: Service, call: Call, body: Body) -> Body:
    """A write answers nothing, not an empty list of items."""
    is_write = not call.body["Statement"].lstrip().upper().startswith(("SELECT", "EXISTS"))
    return {k: v for k, v in body.items() if k != "Items"} if is_write and body.get("Items") == [] else body


def _ascending(service: Service, call: Call, body: Body) -> Body:
    """ORDER BY … DESC is taken for ASC."""
    return {**body, "Items": body["Items"][::-1]} if " DESC" in call.body["Statement"].upper() else body


def _whole(service: Service, call: Call, body: Body) -> Body:
    """RETURNING ALL OLD of a DELETE answers nothing."""
    return {**body, "Items": []} if "RETURNING" in call.body["Statement"].upper() else body


def _errors_lost(service: Service, call: Call, body: Body) -> Body:
    """A failed statement of a batch has an empty answer."""
    return {**body, "Responses": [{k: v for k, v in each.items() if k != "Error"} for each in body["Responses"]]}


def _names_lost(service: Service, call: Call, body: Body) -> Body:
    """Answers of a batch do not name their table."""
    return {**body, "Responses": [{k: v for k, v in each.items() if k != "TableName"} for each in body["Responses"]]}


def _statement(name: str, about: str, *steps: Step, tables: Any = PLAIN, **hooks: Any) -> Plant:
    return plant(name, about, "partiql", tables, *steps, **hooks)


def _run(text: str, *parameters: Any, **members: Any) -> Step:
    body = {"Statement": text.replace("TABLE", _NAME), **members}
    return Step("ExecuteStatement", {**body, "Parameters": list(parameters)} if parameters else body)


def _batch(*texts: str) -> Step:
    return Step(
        "BatchExecuteStatement", {"Statements": [{"Statement": text.replace("TABLE", _NAME)} for text in texts]}
    )


def _descending(service: Service, call: Call, body: Body) -> Body:
    """A SELECT of a partition goes backwards."""
    backwards = "WHERE pk = " in call.body["Statement"] and "ORDER" not in call.body["Statement"].upper()
    return {**body, "Items": body["Items"][::-1]} if backwards and len(body.get("Items", ())) > 1 else body


def _with_key(service: Service, call: Call, body: Body) -> Body:
    """Selected columns come with the key."""
    found = re.match(r"SELECT (.+) FROM \S+ WHERE pk = '(\w+)'$", call.body["Statement"])
    if found is None or found[1] == "*":
        return body
    return {**body, "Items": [{"pk": {"S": found[2]}, **each} for each in body["Items"]]}


def _whole_item_returned(service: Service, call: Call, body: Body) -> Body:
    """RETURNING MODIFIED NEW answers the whole item."""
    if "MODIFIED NEW" not in call.body["Statement"] or not body.get("Items"):
        return body
    found = re.search(r"UPDATE \"([^\"]+)\".*pk = '(\w+)'", call.body["Statement"])
    held = service.account.table(found[1]) if found is not None else None
    record = held.get({"pk": {"S": found[2]}}) if held is not None and found is not None else None
    return body if record is None else {**body, "Items": [dict(record.item)]}


def _nulls_lost(call: Call, stored: Item) -> Item:
    return {name: held for name, held in stored.items() if held != {"NULL": True}}


def _numbers_as_texts(call: Call, stored: Item) -> Item:
    """Sets of numbers that a statement writes become sets of texts."""
    return {name: {"SS": held["NS"]} if "NS" in held else held for name, held in stored.items()}


_HELD = put({"v": n(1), "w": n(2)})
_UPDATE = "UPDATE TABLE SET v = 3 WHERE pk = 'a'"
_ROWS = tuple(put({"sk": s(key)}) for key in "abc")

PLANTS: tuple[Plant, ...] = (
    _statement(
        "insert-overwrites", "INSERT of an item that exists replaces it.",
        _HELD, _run("INSERT INTO TABLE VALUE {'pk': 'a'}"), patches=(patched(partiql, run=_overwrites),),
    ),
    _statement(
        "update-statement-creates", "UPDATE of a missing item creates it.",
        _run(_UPDATE), patches=(patched(partiql, run=_upserts),),
    ),
    _statement(
        "statement-condition-ignored", "What a write's WHERE says beside the key is not looked at.",
        _HELD, _run(_UPDATE + " AND w = 9"), patches=(patched(partiql, run=_unconditional),),
    ),
    _statement(
        "statement-condition-silent", "A write whose WHERE is not met is no error.",
        _HELD, _run(_UPDATE + " AND w = 9"), says=refuses("items.condition-failed", _silent),
    ),
    _statement(
        "parameters-turned", "Parameters are taken from the last to the first.",
        _run("INSERT INTO TABLE VALUE {'pk': ?, 'v': ?}", s("a"), s("b")), get(),
        asks=asks(_turned, "ExecuteStatement"),
    ),
    _statement(
        "parameters-too-many", "Parameters that the statement does not take are ignored.",
        _run("SELECT * FROM TABLE WHERE pk = ?", s("a"), s("b")), asks=asks(_first_parameter, "ExecuteStatement"),
    ),
    _statement(
        "statement-limit-ignored", "Limit of ExecuteStatement is ignored.",
        *_ROWS, _run("SELECT * FROM TABLE WHERE pk = 'a'", Limit=1), tables=SORTED,
        asks=asks(_without_limit, "ExecuteStatement"),
    ),
    _statement(
        "write-statement-without-items", "A write statement answers no Items, not an empty list.",
        _HELD, _run(_UPDATE), says=answers(_no_items, "ExecuteStatement"),
    ),
    _statement(
        "order-by-ascending", "ORDER BY … DESC is taken for ASC.",
        *_ROWS, _run("SELECT * FROM TABLE WHERE pk = 'a' ORDER BY sk DESC"), tables=SORTED,
        says=answers(_ascending, "ExecuteStatement"),
    ),
    _statement(
        "returning-nothing", "RETURNING answers nothing.",
        _HELD, _run("DELETE FROM TABLE WHERE pk = 'a' RETURNING ALL OLD *"), says=answers(_whole, "ExecuteStatement"),
    ),
    _statement(
        "batch-statement-errors-lost", "A failed statement of a batch is answered as if it had found nothing.",
        _HELD, _batch("INSERT INTO TABLE VALUE {'pk': 'a'}"), says=answers(_errors_lost, "BatchExecuteStatement"),
    ),
    _statement(
        "batch-statement-names-lost", "Answers of a batch of statements do not name their table.",
        _HELD, _batch("SELECT * FROM TABLE WHERE pk = 'a'"), says=answers(_names_lost, "BatchExecuteStatement"),
    ),
    _statement(
        "select-partition-backwards", "A SELECT of a partition goes from its end.",
        *_ROWS, _run("SELECT * FROM TABLE WHERE pk = 'a'"), tables=SORTED,
        says=answers(_descending, "ExecuteStatement"),
    ),
    _statement(
        "select-with-key", "Selected columns come with the key.",
        _HELD, _run("SELECT v FROM TABLE WHERE pk = 'a'"), says=answers(_with_key, "ExecuteStatement"),
    ),
    _statement(
        "returning-modified-whole", "RETURNING MODIFIED NEW answers the whole item.",
        _HELD, _run(_UPDATE + " RETURNING MODIFIED NEW *"), says=answers(_whole_item_returned, "ExecuteStatement"),
    ),
    _statement(
        "insert-loses-null", "INSERT does not store NULL.",
        _run("INSERT INTO TABLE VALUE {'pk': 'a', 'v': null}"), get(), does=stores(_nulls_lost, "ExecuteStatement"),
    ),
    _statement(
        "number-set-as-texts", "A set of numbers in a statement is stored as a set of texts.",
        _run("INSERT INTO TABLE VALUE {'pk': 'a', 'v': <<1, 2>>}"), get(),
        does=stores(_numbers_as_texts, "ExecuteStatement"),
    ),
)  # fmt: skip
