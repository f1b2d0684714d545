"""Bugs of secondary indexes: maintenance, projection, order, checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import PLAIN, batch_put, delete, n, put, query, s, scan, transact, update
from conformance.checks.steps import t_put as action
from conformance.program import Step
from reference import lifecycle
from reference.api import Call
from reference.operations import pages
from reference.operations.base import Outcome
from reference.service import Service
from reference.tables.table import Change, Entry, Index, Move, Table
from reference.tables.view import Record
from tests.planted.base import Body, Plant, answers, keyed, moves, overlooks, patched, plant


def _old_entry_stays(held: Table, change: Change, move: Move) -> Move:
    if move.old is not None and move.new is not None and move.old.key != move.new.key:
        return replace(move, old=None)
    return move


def _deleted_entry_stays(held: Table, change: Change, move: Move) -> Move | None:
    return None if change.new is None else move


def _unkeyed_entry_stays(held: Table, change: Change, move: Move) -> Move | None:
    """An item that loses its index key stays in the index."""
    return None if change.new is not None and move.new is None else move


def _attributes_stay(held: Table, change: Change, move: Move) -> Move | None:
    """An index entry whose key stays is not written again."""
    return None if move.old is not None and move.new is not None and move.old.key == move.new.key else move


def _entry(move: Move, item: Any) -> Move:
    assert move.new is not None
    return replace(move, new=Entry(move.new.key, Record.of(item)))


def _included_forgotten(held: Table, change: Change, move: Move) -> Move:
    """INCLUDE stores the keys only."""
    schema = held.indexes[move.index].schema
    if move.new is None or schema.stored is None:
        return move
    keys = {*held.key.names, *schema.key.names}
    return _entry(move, {name: value for name, value in move.new.record.item.items() if name in keys})


def _all_projected(held: Table, change: Change, move: Move) -> Move:
    """KEYS_ONLY stores everything."""
    return move if move.new is None or change.new is None else _entry(move, change.new.item)


def _only_local(held: Table, change: Change, move: Move) -> Move | None:
    """Global indexes follow first writes only: an item that was there already is not indexed."""
    return None if held.indexes[move.index].schema.kind == "GSI" and change.old is not None else move


def _indexes_forgotten(*operations: str) -> Any:
    """Some operations write items and leave the indexes as they are."""

    def does(service: Service, call: Call, outcome: Outcome) -> Outcome:
        if call.operation not in operations:
            return outcome
        return replace(outcome, changes=tuple(replace(change, moves=()) for change in outcome.changes))

    return does


def _ties_lost(service: Service, call: Call, body: Body) -> Body:
    """Of items that share an index key only the first is answered."""
    found = service.account.table(call.body["TableName"])
    index = found.indexes.get(call.body.get("IndexName")) if found is not None else None
    if index is None or not body.get("Items"):
        return body
    names = index.schema.key.names
    kept = {repr([item.get(name) for name in names]): item for item in reversed(body["Items"])}
    items = list(kept.values())[::-1]
    lost = len(body["Items"]) - len(items)
    return {**body, "Items": items, "Count": body["Count"] - lost, "ScannedCount": body["ScannedCount"] - lost}


def _unordered(service: Service, call: Call, body: Body) -> Body:
    """A Query of an index answers in the table's order."""
    if not call.body.get("IndexName") or call.body.get("Limit") or not body.get("Items"):
        return body
    return {**body, "Items": sorted(body["Items"], key=lambda item: repr(sorted(item.items())), reverse=True)}


def _end_of_index(service: Service, call: Call, body: Body) -> Body:
    """LastEvaluatedKey of an index lacks the table's key."""
    if not call.body.get("IndexName") or "LastEvaluatedKey" not in body:
        return body
    found = service.account.table(call.body["TableName"])
    assert found is not None
    names = found.indexes[call.body["IndexName"]].schema.key.names
    return {**body, "LastEvaluatedKey": {k: v for k, v in body["LastEvaluatedKey"].items() if k in names}}


def _end_of_table(service: Service, call: Call, body: Body) -> Body:
    """LastEvaluatedKey of an index lacks the index's key."""
    if not call.body.get("IndexName") or "LastEvaluatedKey" not in body:
        return body
    found = service.account.table(call.body["TableName"])
    assert found is not None
    return {
        **body, "LastEvaluatedKey": {k: v for k, v in body["LastEvaluatedKey"].items() if k in found.key.names}
    }  # fmt: skip


def _in(name: str, about: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "indexes", tables, *steps, **hooks)


_GLOBAL = {"t0": table(gsi=["by-g=g:S"])}
_SORTED = {"t0": table(gsi=["by-g=g:S,h:N"])}
_INCLUDE = {"t0": table(gsi=["by-g=g:S/INCLUDE:v"])}
_KEYS = {"t0": table(gsi=["by-g=g:S/KEYS_ONLY"])}
_LOCAL = {"t0": table(key="pk:S,sk:N", lsi=["by-l=pk:S,l:N/KEYS_ONLY"])}


def _filled(keep: Any) -> Any:
    """Backfill as ``keep`` has it: what becomes of each entry, None for one that is passed over."""

    def fill(self: Table, index: Index) -> None:
        for row, record in self.view.rows.items():
            entry = index.entry(record, row)
            kept = keep(self, record, entry) if entry is not None else None
            if kept is not None:
                index.view.rows[kept.key] = kept.record

    return (patched(Table, fill=fill),)


def _first_only(held: Table, record: Record, entry: Entry) -> Entry | None:
    return entry if record is next(iter(held.view.rows.values())) else None


def _not_numbers(held: Table, record: Record, entry: Entry) -> Entry | None:
    return entry if not any("N" in value for value in entry.record.item.values()) else None


def _index_stays(account: Any, event: Any) -> None:
    """An index that is deleted is there again."""
    held = account.tables.get(event.about[0])
    index = held.indexes.get(event.about[2]) if held is not None else None
    if index is not None:
        index.status = "ACTIVE"


def _added_keys_stay(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """ADD does not move an index entry."""
    if call.operation != "UpdateItem" or "ADD " not in str(call.body.get("UpdateExpression")):
        return outcome
    return replace(outcome, changes=tuple(replace(change, moves=()) for change in outcome.changes))


def _first_key_only(self: Index, record: Record, table_key: Any, held: Any = None) -> Entry | None:
    """An item is in an index of several partition attributes when it has the first of them."""
    item = record.item
    lacking = [a for a in self.schema.key.attributes[1:] if a.name not in item]
    if lacking and len(self.schema.key.hash) > 1:
        item = {**item, **{a.name: {a.type: "0" if a.type == "N" else "MA=="} for a in lacking}}
    return real_entry(self, Record.of(item) if lacking else record, table_key, held)


real_entry = Index.entry


def _added(name: str, key: str, projection: str = "ALL") -> Step:
    """UpdateTable that adds an index, written as ``table`` takes it."""
    described = table(gsi=[f"{name}={key}/{projection}"])
    body = {"TableName": described["TableName"], "AttributeDefinitions": described["AttributeDefinitions"][1:]}
    return Step("UpdateTable", {**body, "GlobalSecondaryIndexUpdates": [
        {"Create": described["GlobalSecondaryIndexes"][0]}
    ]})  # fmt: skip


def _added_two() -> Step:
    step = _added("by-g-h", "g:S")
    body = dict(step.body)
    created = dict(body["GlobalSecondaryIndexUpdates"][0]["Create"])
    created["KeySchema"] = [{"AttributeName": name, "KeyType": "HASH"} for name in "gh"]
    body["AttributeDefinitions"] = [{"AttributeName": name, "AttributeType": "S"} for name in "gh"]
    return Step("UpdateTable", {**body, "GlobalSecondaryIndexUpdates": [{"Create": created}]})


def _removed(name: str) -> Step:
    updates = [{"Delete": {"IndexName": name}}]
    return Step("UpdateTable", {"TableName": T0, "GlobalSecondaryIndexUpdates": updates})


def _by(index: str = "by-g", value: str = "x", **members: Any) -> Step:
    return query("g = :g", {"g": s(value)}, IndexName=index, **members)


_X = put({"g": s("x"), "v": n(1)})
_TWO = (_X, put({"pk": s("b"), "g": s("x"), "v": n(2)}))
_LADDER = tuple(put({"pk": s(key), "g": s("x"), "h": n(i)}) for i, key in enumerate("cab"))

PLANTS: tuple[Plant, ...] = (
    _in(
        "index-old-entry-stays", "An update that changes an index key leaves the old entry in the index.",
        _GLOBAL, _X, update("SET g = :y", {"y": s("y")}), _by(), does=moves(_old_entry_stays),
    ),
    _in(
        "index-deleted-entry-stays", "A deleted item stays in the index.",
        _GLOBAL, _X, delete(), _by(), does=moves(_deleted_entry_stays),
    ),
    _in(
        "index-unkeyed-entry-stays", "An item that loses its index key stays in the sparse index.",
        _GLOBAL, _X, update("REMOVE g"), _by(), does=moves(_unkeyed_entry_stays),
    ),
    _in(
        "index-attributes-stay", "A change of a projected attribute does not reach the index.",
        _GLOBAL, _X, update("SET v = :y", {"y": n(2)}), _by(), does=moves(_attributes_stay),
    ),
    _in(
        "index-forgets-included", "An index of type INCLUDE stores keys only.",
        _INCLUDE, _X, _by(), does=moves(_included_forgotten),
    ),
    _in(
        "index-projects-all", "An index of type KEYS_ONLY stores every attribute.",
        _KEYS, _X, _by(), does=moves(_all_projected),
    ),
    _in(
        "index-ignores-replacements", "Global indexes do not follow writes of items that exist.",
        _GLOBAL, put(), put({"g": s("x")}), _by(), does=moves(_only_local),
    ),
    _in(
        "index-ignores-batches", "BatchWriteItem does not maintain indexes.",
        _GLOBAL, batch_put({"pk": s("a"), "g": s("x")}), _by(), does=_indexes_forgotten("BatchWriteItem"),
    ),
    _in(
        "index-ignores-transactions", "TransactWriteItems does not maintain indexes.",
        _GLOBAL, transact(action({"g": s("x")})), _by(), does=_indexes_forgotten("TransactWriteItems"),
    ),
    _in(
        "index-ties-lost", "Of items with equal index keys a Query answers one.",
        _GLOBAL, *_TWO, _by(), says=answers(_ties_lost, "Query"),
    ),
    _in(
        "index-unordered", "A Query of an index does not go in the index's order.",
        _SORTED, *_LADDER, _by(), says=answers(_unordered, "Query"),
    ),
    _in(
        "index-end-without-table-key", "LastEvaluatedKey of an index lacks the table's key.",
        _GLOBAL, *_TWO, _by(Limit=1), says=answers(_end_of_index, "Query", "Scan"),
    ),
    _in(
        "index-end-without-index-key", "LastEvaluatedKey of an index lacks the index's key.",
        _GLOBAL, *_TWO, scan(IndexName="by-g", Limit=1), says=answers(_end_of_table, "Query", "Scan"),
    ),
    _in(
        "index-local-not-fetched", "A local index does not fetch from the table what it does not project.",
        _LOCAL, put({"sk": n(1), "l": n(1), "v": n(1)}),
        query("pk = :p", {"p": s("a")}, IndexName="by-l", Select="ALL_ATTRIBUTES"),
        patches=(patched(pages, _fetch=lambda source, row, entry, page, *, consistent: entry),),
    ),
    _in(
        "index-any-key-type", "An item whose index key is of another type than declared is accepted.",
        _GLOBAL, put({"g": n(1)}), passes=overlooks("indexes.type-mismatch"),
    ),
    _in(
        "index-any-key-type-in-update", "An update may give an index key another type than declared.",
        _GLOBAL, update("SET g = :x", {"x": n(1)}),
        passes=overlooks("indexes.type-mismatch", operations=("UpdateItem",)),
    ),
    _in(
        "index-empty-key", "An empty string is accepted as an index key.",
        _GLOBAL, put({"g": s("")}), passes=overlooks("indexes.empty-string", "indexes.update-empty-string"),
    ),
    _in(
        "index-consistent-read", "A consistent read of a global index is accepted.",
        _GLOBAL, _by(ConsistentRead=True), passes=overlooks("indexes.consistent-read"),
    ),
    _in(
        "index-select-all", "ALL_ATTRIBUTES is accepted for a global index that does not have them.",
        _KEYS, _by(Select="ALL_ATTRIBUTES"), passes=overlooks("indexes.select-all"),
    ),
    _in(
        "index-projects-anything", "A projection may name what a global index does not have.",
        _KEYS, _by(ProjectionExpression="v"), passes=overlooks("indexes.not-projected"),
    ),
    _in(
        "backfill-nothing", "An index that is added holds nothing of what was there before.",
        PLAIN, _X, _added("by-g", "g:S"), _by(), patches=_filled(lambda held, record, entry: None),
    ),
    _in(
        "backfill-first-only", "An index that is added holds one of the items that were there before.",
        PLAIN, *_TWO, _added("by-g", "g:S"), _by(), patches=_filled(_first_only),
    ),
    _in(
        "backfill-whole-items", "An index that is added stores whole items whatever it projects.",
        PLAIN, _X, _added("by-g", "g:S", "KEYS_ONLY"), _by(),
        patches=_filled(lambda held, record, entry: Entry(entry.key, record)),
    ),
    _in(
        "backfill-without-numbers", "An index that is added passes over items with numbers.",
        PLAIN, _X, _added("by-g", "g:S"), _by(), patches=_filled(_not_numbers),
    ),
    _in(
        "index-never-deleted", "An index that was deleted can still be read.",
        _GLOBAL, _X, _removed("by-g"), _by(), patches=(keyed(lifecycle.HANDLERS, {"index-gone": _index_stays}),),
    ),
    _in(
        "index-unmoved-by-add", "ADD to an index key leaves the entry where it was.",
        {"t0": table(gsi=["by-h=h:N"])}, put({"h": n(1)}), update("ADD h :x", {"x": n(1)}),
        query("h = :h", {"h": n(2)}, IndexName="by-h"), does=_added_keys_stay,
    ),
    _in(
        "index-first-key-enough", "An index of two partition attributes holds items that lack the second.",
        PLAIN, put({"g": s("x")}), _added_two(), scan(IndexName="by-g-h"),
        patches=(patched(Index, entry=_first_key_only),),
    ),
    _in(
        "index-type-in-batch", "BatchWriteItem takes index keys of any type.",
        _GLOBAL, batch_put({"pk": s("a"), "g": n(1)}),
        passes=overlooks("indexes.type-mismatch", operations=("BatchWriteItem",)),
    ),
)  # fmt: skip
