"""Bugs of one way in or out: what only one operation does to values and keys."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from conformance.checks.base import table
from conformance.checks.steps import (
    PLAIN,
    SORTED,
    b,
    batch_get,
    batch_put,
    deep,
    delete,
    get,
    holds,
    item,
    many,
    n,
    named,
    put,
    query,
    s,
    transact,
    update,
)
from conformance.checks.steps import t_put as action
from conformance.program import Step
from reference.api import Call, Item
from reference.expressions import condition as conditions
from reference.expressions.tree import Compare
from reference.operations.base import Outcome
from reference.service import Service
from reference.tables import keys
from reference.values import number
from tests.planted.base import Body, Plant, answers, keyed, overlooks, patched, plant, stores
from tests.planted.values import _floats, _resorted

_NUMBERED = {"t0": table(key="pk:N")}
_SORTED_NUMBERS = {"t0": table(key="pk:S,sk:N")}
_BIG, _BESIDE = "9007199254740992", "9007199254740993"


def _walk(value: Any, alter: Any) -> Any:
    """A value with every scalar in it altered."""
    ((kind, inner),) = value.items()
    if kind == "L":
        return {"L": [_walk(each, alter) for each in inner]}
    if kind == "M":
        return {"M": {name: _walk(each, alter) for name, each in inner.items()}}
    return alter(kind, inner)


def _inside(alter: Any) -> Any:
    """Scalars of attributes that are no keys are altered as they are stored."""

    def change(call: Call, stored: Item) -> Item:
        return {name: held if name in ("pk", "sk") else _walk(held, alter) for name, held in stored.items()}

    return change


def _composed(kind: str, inner: Any) -> Any:
    return {kind: unicodedata.normalize("NFC", inner)} if kind == "S" else {kind: inner}


def _to_nul(kind: str, inner: Any) -> Any:
    return {kind: inner.split("\0")[0]} if kind == "S" else {kind: inner}


def _nested_empties_lost(call: Call, stored: Item) -> Item:
    """Empty texts inside lists are lost."""
    return {
        name: {"L": [e for e in held["L"] if e != {"S": ""}]} if "L" in held else held for name, held in stored.items()
    }


def _empty_bytes_lost(call: Call, stored: Item) -> Item:
    return {name: held for name, held in stored.items() if held != {"B": ""}}


def _float_equality(node: Compare, found: Any) -> bool:
    left, right = conditions._value(node.left, found), conditions._value(node.right, found)
    if node.operator == "=" and left and right and "N" in left and "N" in right:
        return float(left["N"]) == float(right["N"])
    return conditions._compare(node, found)


def _odd(key: Body) -> bool:
    """Whether a number in a key is not written in normal form."""
    return any(number.normal(value["N"], "current") != value["N"] for value in key.values() if "N" in value)


def _respelt_unseen(service: Service, call: Call, body: Body) -> Body:
    """A key that is written otherwise finds nothing."""
    return {k: v for k, v in body.items() if k != "Item"} if _odd(call.body["Key"]) else body


def _respelt_not_deleted(service: Service, call: Call, outcome: Outcome) -> Outcome:
    if call.operation != "DeleteItem" or not _odd(call.body["Key"]):
        return outcome
    return replace(outcome, changes=())


def _respelt_not_in_batch(service: Service, call: Call, body: Body) -> Body:
    """A batch of gets answers nothing for keys that are written otherwise."""
    asked = [key for part in call.body["RequestItems"].values() for key in part["Keys"]]
    if not any(map(_odd, asked)):
        return body
    return {**body, "Responses": {name: [] for name in body["Responses"]}}


def _longer_in_characters(value: Any, text: str, limit: int) -> bool:
    return len(text) > limit if "S" in value else real_longer(value, text, limit)


real_longer = keys._longer


def _magnitude(found: Item) -> Any:
    return abs(number.decimal(found["sk"]["N"])) if "N" in found["sk"] else number.decimal("0")


def _letters(found: Item) -> str:
    return str(found["sk"].get("S", "")).casefold()


def _in(name: str, about: str, capability: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, capability, tables, *steps, **hooks)


_ALL = query("pk = :p", {"p": s("a")})
_ACCENT = s("e\u0301")

PLANTS: tuple[Plant, ...] = (
    _in(
        "batch-through-float", "BatchWriteItem stores numbers as binary floating point.", "values",
        PLAIN, batch_put(item(v=n(_BESIDE))), get(), does=stores(_floats, "BatchWriteItem"),
    ),
    _in(
        "transaction-composes-text", "Transactions store texts in Unicode normal form C.", "values",
        PLAIN, transact(action({"v": _ACCENT})), get(), does=stores(_inside(_composed), "TransactWriteItems"),
    ),
    _in(
        "batch-text-ends-at-nul", "Texts that come by BatchWriteItem end at their first NUL.", "values",
        PLAIN, batch_put(item(v=s("a\x00b"))), get(), does=stores(_inside(_to_nul), "BatchWriteItem"),
    ),
    _in(
        "update-loses-nested-empty-text", "UpdateItem drops empty texts from lists.", "values",
        PLAIN, update("SET v = :v", {"v": many(s(""), n(1))}), get(), does=stores(_nested_empties_lost, "UpdateItem"),
    ),
    _in(
        "update-loses-empty-binary", "UpdateItem does not store empty binary values.", "values",
        PLAIN, update("SET v = :v", {"v": b("")}), get(), does=stores(_empty_bytes_lost, "UpdateItem"),
    ),
    _in(
        "statement-through-float", "PartiQL stores numbers as binary floating point.", "values",
        PLAIN, Step("ExecuteStatement", {
            "Statement": "INSERT INTO \"${table:t0}\" VALUE {'pk': 'a', 'v': ?}", "Parameters": [n(_BESIDE)],
        }), get(), does=stores(_floats, "ExecuteStatement"),
    ),
    _in(
        "update-grows-beyond-limit", "An update may make an item larger than 400 KB.", "values",
        PLAIN, put({"v": s("x" * (409_600 - 4))}), update("SET w = :w", {"w": s("ww")}),
        passes=overlooks("items.update-too-large", operations=("UpdateItem",)),
    ),
    _in(
        "update-nests-deeper", "A value in an update expression may be nested one level too deep.", "values",
        PLAIN, update("SET v = :v", {"v": deep(32)}), passes=overlooks("values.nesting", operations=("UpdateItem",)),
    ),
    _in(
        "numbers-equal-as-floats", "Conditions compare numbers as floats.", "values",
        PLAIN, put({"v": n(_BIG)}), holds("v = :x", {"x": n(_BESIDE)}),
        patches=(keyed(conditions._EVALUATORS, {Compare: _float_equality}),),
    ),
    _in(
        "default-through-float", "if_not_exists() and list_append() store numbers as floats.", "values",
        PLAIN, update("SET v = list_append(if_not_exists(v, :e), :v)", {"e": many(), "v": many(n(_BESIDE))}), get(),
        does=stores(
            _inside(lambda kind, inner: {kind: number.text(number.decimal(repr(float(inner))))} if kind == "N"
                    else {kind: inner}),
            "UpdateItem",
        ),
    ),
    _in(
        "map-keys-composed", "Names in maps are stored in Unicode normal form C.", "values",
        PLAIN, put({"v": named(**{"e\u0301": n(1)})}), get(),
        does=stores(lambda call, stored: {
            name: {"M": {unicodedata.normalize("NFC", k): v for k, v in held["M"].items()}} if "M" in held else held
            for name, held in stored.items()
        }),
    ),
    _in(
        "get-by-spelling", "GetItem finds a number key only as it was stored.", "keys",
        _NUMBERED, put({"pk": n(1)}), get({"pk": n("1.0")}), says=answers(_respelt_unseen, "GetItem"),
    ),
    _in(
        "delete-by-spelling", "DeleteItem removes a number key only if written as it was stored.", "keys",
        _NUMBERED, put({"pk": n(1)}), delete({"pk": n("01")}), get({"pk": n(1)}), does=_respelt_not_deleted,
    ),
    _in(
        "batch-get-by-spelling", "BatchGetItem finds number keys only as they were stored.", "keys",
        _NUMBERED, put({"pk": n(10)}), batch_get({"pk": n("1e1")}), says=answers(_respelt_not_in_batch, "BatchGetItem"),
    ),
    _in(
        "key-limit-in-characters", "The limit of partition keys counts characters.", "keys",
        PLAIN, put({"pk": s("é" * 1025)}), patches=(patched(keys, _longer=_longer_in_characters),),
    ),
    _in(
        "index-key-limit", "Keys of global indexes may be of any size.", "keys",
        {"t0": table(gsi=["by-g=g:S"])}, put({"g": s("k" * 2049)}),
        passes=overlooks("indexes.hash-too-long", "indexes.range-too-long"),
    ),
    _in(
        "sort-by-magnitude", "Number sort keys are ordered without their sign.", "keys",
        _SORTED_NUMBERS, put({"sk": n(1)}), put({"sk": n(-10)}), _ALL, says=_resorted(_magnitude),
    ),
    _in(
        "sort-without-case", "String sort keys are ordered without regard to case.", "keys",
        SORTED, put({"sk": s("B")}), put({"sk": s("a")}), _ALL, says=_resorted(_letters),
    ),
)  # fmt: skip
