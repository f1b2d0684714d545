"""Checks of ConsumedCapacity: what calls cost and how the answer says it."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    KEY,
    SORTED,
    answers,
    batch_delete,
    batch_get,
    batch_put,
    condition,
    delete,
    get,
    item,
    n,
    partition,
    put,
    query,
    s,
    scan,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Item, Json

_TOTAL: dict[str, Json] = {"ReturnConsumedCapacity": "TOTAL"}
_INDEXES: dict[str, Json] = {"ReturnConsumedCapacity": "INDEXES"}


def sized(size: int, pk: str = "a") -> Item:
    """An item of so many bytes."""
    return {"pk": s(pk), "v": s("x" * (size - len("pk") - len(pk) - len("v")))}


def _costs(
    name: str, rule: str, step: Step, units: float, *given: Step, tables: dict[str, Json] | None = None
) -> Check:
    """A call that asks for its total, and what it costs."""
    told: Json = {"TableName": T0, "CapacityUnits": units}
    listed = step.operation.startswith(("Batch", "Transact"))
    return answers(
        rule,
        Step(step.operation, {**step.body, **_TOTAL}),
        given=given,
        has={"ConsumedCapacity": [told] if listed else told},
        name=name,
        tables=tables or {"t0": table()},
    )


_EVENTUAL: dict[str, Json] = {"ConsistentRead": False}
_READ = "capacity.read-units"
_PAGE = "capacity.page-units"
_WRITE = "capacity.write-units"

READS: tuple[Check, ...] = (
    _costs("missing item", _READ, get(), 1.0),
    _costs("missing item, eventually", _READ, get(**_EVENTUAL), 0.5),
    _costs("4,096 bytes", _READ, get(), 1.0, put(sized(4096))),
    _costs("4,097 bytes", _READ, get(), 2.0, put(sized(4097))),
    _costs("4,097 bytes, eventually", _READ, get(**_EVENTUAL), 1.0, put(sized(4097))),
    _costs("projected", _READ, get(ProjectionExpression="pk"), 2.0, put(sized(4097))),
    _costs(
        "batch, each rounded up",
        _READ,
        batch_get(KEY, {"pk": s("b")}, {"pk": s("c")}, within={"ConsistentRead": True}),
        4.0,
        batch_put(sized(100), sized(4097, "b")),
    ),
    _costs("batch, eventually", _READ, batch_get(KEY, {"pk": s("b")}), 1.0, batch_put(sized(100), sized(100, "b"))),
    _costs("empty page", _PAGE, partition(ConsistentRead=True), 1.0),
    _costs("empty page, eventually", _PAGE, partition(), 0.5),
    _costs(
        "sizes taken together",
        _PAGE,
        partition(ConsistentRead=True),
        2.0,
        batch_put(*({**sized(2000), "sk": s(x)} for x in "abc")),
        tables=dict(SORTED),
    ),
    _costs(
        "before the filter",
        _PAGE,
        partition(ConsistentRead=True, FilterExpression="attribute_exists(gone)"),
        2.0,
        batch_put(*({**sized(2000), "sk": s(x)} for x in "abc")),
        tables=dict(SORTED),
    ),
    _costs(
        "count",
        _PAGE,
        partition(Select="COUNT"),
        1.0,
        batch_put(*({**sized(2000), "sk": s(x)} for x in "abc")),
        tables=dict(SORTED),
    ),
    _costs(
        "limited page",
        _PAGE,
        partition(ConsistentRead=True, Limit=1),
        1.0,
        batch_put(*({**sized(2000), "sk": s(x)} for x in "abc")),
        tables=dict(SORTED),
    ),
    _costs("strongly", "capacity.scan-minimum", scan(ConsistentRead=True), 1.0, put()),
    _costs("eventually", "capacity.scan-minimum", scan(), 0.5, put()),
)

WRITES: tuple[Check, ...] = (
    _costs("1,024 bytes", _WRITE, put(sized(1024)), 1.0),
    _costs("1,025 bytes", _WRITE, put(sized(1025)), 2.0),
    _costs("shrinking put", _WRITE, put(sized(100)), 3.0, put(sized(3000))),
    _costs("growing put", _WRITE, put(sized(3000)), 3.0, put(sized(100))),
    _costs("shrinking update", _WRITE, update("REMOVE v"), 3.0, put(sized(3000))),
    _costs("update that changes nothing", _WRITE, update("REMOVE gone"), 1.0, put()),
    _costs("delete", _WRITE, delete(), 3.0, put(sized(3000))),
    _costs("delete of nothing", _WRITE, delete(), 1.0),
    _costs("batch", _WRITE, batch_put(sized(1025), sized(100, "b")), 3.0),
    _costs("batch delete", _WRITE, batch_delete(KEY, {"pk": s("b")}), 4.0, put(sized(3000))),
    _costs("number by its normal form", _WRITE, put({"v": s("x" * 1014), "n": n("1" + "0" * 100)}), 1.0),
)

_TABLES: dict[str, Json] = {"t0": table(key="pk:S,sk:S", gsi=["gsi=g:S/INCLUDE:p"], lsi=["lsi=pk:S,l:S"])}
_GSI: Item = {"sk": s("1"), "g": s("x"), "p": n(1), "o": n(1)}
_BOTH: Item = {**_GSI, "l": s("y")}
_AT: Item = {**KEY, "sk": s("1")}


def _arms(name: str, step: Step, table_units: float, gsi: float, lsi: float, *given: Step) -> Check:
    """A write of the table with a global and a local index, and the cost of each arm; 0 is no arm at all."""
    told: dict[str, Json] = {
        "TableName": T0,
        "CapacityUnits": table_units + gsi + lsi,
        "Table": {"CapacityUnits": table_units},
    }
    if gsi:
        told["GlobalSecondaryIndexes"] = {"gsi": {"CapacityUnits": gsi}}
    if lsi:
        told["LocalSecondaryIndexes"] = {"lsi": {"CapacityUnits": lsi}}
    listed = step.operation.startswith("Batch")
    return answers(
        "capacity.index-write-units",
        Step(step.operation, {**step.body, **_INDEXES}),
        tables=_TABLES,
        given=given,
        has={"ConsumedCapacity": [told] if listed else told},
        name=name,
    )


def _change(expression: str, value: Item | None = None) -> Step:
    return update(expression, value, _AT)


_SPARSE: Item = {**KEY, "sk": s("2")}

INDEX_WRITES: tuple[Check, ...] = (
    _arms("put into the global index", put(_GSI), 1.0, 1.0, 0.0),
    _arms("put into both", put(_BOTH), 1.0, 1.0, 1.0),
    _arms("identical overwrite", put(_BOTH), 1.0, 0.0, 0.0, put(_BOTH)),
    _arms(
        "attribute that only the local index projects", _change("SET o = :v", {"v": n(2)}), 1.0, 0.0, 1.0, put(_BOTH)
    ),
    _arms("attribute that both project", _change("SET p = :v", {"v": n(2)}), 1.0, 1.0, 1.0, put(_BOTH)),
    _arms("global index key", _change("SET g = :v", {"v": s("z")}), 1.0, 2.0, 1.0, put(_BOTH)),
    _arms("out of the global index", _change("REMOVE g"), 1.0, 1.0, 1.0, put(_BOTH)),
    _arms("local index key", _change("SET l = :v", {"v": s("z")}), 1.0, 0.0, 2.0, put(_BOTH)),
    _arms("delete", delete(_AT), 1.0, 1.0, 1.0, put(_BOTH)),
    _arms("delete of what is in no index", delete(_SPARSE), 1.0, 0.0, 0.0, put({"sk": s("2")})),
    _arms("batch", batch_put(item(_GSI), _SPARSE), 2.0, 1.0, 0.0),
    answers(
        "capacity.index-write-units",
        put(_BOTH, **_TOTAL),
        tables=_TABLES,
        has={"ConsumedCapacity": {"TableName": T0, "CapacityUnits": 3.0}},
        name="total",
    ),
)

_READ_TABLES: dict[str, Json] = {
    "t0": table(key="pk:S,sk:S", gsi=["gsi=g:S/KEYS_ONLY"], lsi=["lsi=pk:S,l:S/KEYS_ONLY"])
}
_NINE = [put({"sk": s(x), "g": s("x"), "l": s(x), "v": s("x" * 9000)}) for x in "abc"]


def _index_page(rule: str, name: str, step: Step, units: float, table_units: float, **arm: Json) -> Check:
    told = {"TableName": T0, "CapacityUnits": units, "Table": {"CapacityUnits": table_units}, **arm}
    return answers(rule, step, tables=_READ_TABLES, given=_NINE, has={"ConsumedCapacity": told}, name=name)


def _local(**members: Json) -> Step:
    return partition(IndexName="lsi", **_INDEXES, **members)


INDEX_READS: tuple[Check, ...] = (
    _index_page(
        "capacity.index-read-units",
        "global",
        query("g = :g", {"g": s("x")}, IndexName="gsi", **_INDEXES),
        0.5,
        0.0,
        GlobalSecondaryIndexes={"gsi": {"CapacityUnits": 0.5}},
    ),
    _index_page(
        "capacity.index-read-units", "local", _local(), 0.5, 0.0, LocalSecondaryIndexes={"lsi": {"CapacityUnits": 0.5}}
    ),
    _index_page(
        "capacity.local-fetch-units",
        "eventually",
        _local(ProjectionExpression="v"),
        5.0,
        4.5,
        LocalSecondaryIndexes={"lsi": {"CapacityUnits": 0.5}},
    ),
    _index_page(
        "capacity.local-fetch-units",
        "strongly",
        _local(Select="ALL_ATTRIBUTES", ConsistentRead=True),
        10.0,
        9.0,
        LocalSecondaryIndexes={"lsi": {"CapacityUnits": 1.0}},
    ),
)

SHAPES: tuple[Check, ...] = (
    answers("capacity.shape", get(), given=[put()], body={"Item": KEY}, name="not asked for"),
    answers("capacity.shape", get(ReturnConsumedCapacity="NONE"), body={}, name="NONE"),
    answers(
        "capacity.shape",
        get(**_TOTAL),
        body={"ConsumedCapacity": {"TableName": T0, "CapacityUnits": 1.0}},
        name="TOTAL",
    ),
    answers(
        "capacity.shape",
        get(**_INDEXES),
        body={"ConsumedCapacity": {"TableName": T0, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}},
        name="INDEXES",
    ),
    answers(
        "capacity.shape",
        batch_get(KEY, **_INDEXES),
        has={"ConsumedCapacity": [{"TableName": T0, "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}]},
        name="batch",
    ),
    answers(
        "capacity.shape",
        condition("attribute_not_exists(pk)", **_INDEXES),
        body={"ConsumedCapacity": {"TableName": T0, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}},
        name="conditional put",
    ),
)

_TOKEN: dict[str, Json] = {"ClientRequestToken": "${token:a}"}


def _transaction(
    name: str,
    step: Step,
    units: float,
    *given: Step,
    rule: str = "capacity.transaction-units",
    member: str = "WriteCapacityUnits",
) -> Check:
    told = {"TableName": T0, "CapacityUnits": units, member: units}
    return answers(
        rule, Step(step.operation, {**step.body, **_TOTAL}), given=given, has={"ConsumedCapacity": [told]}, name=name
    )


_REPLAYED = transact(t_put(sized(1500)), **_TOTAL, **_TOKEN)
_DELETED = transact(t_delete(), **_TOTAL, **_TOKEN)

TRANSACTIONS: tuple[Check, ...] = (
    _transaction("put", transact(t_put()), 2.0),
    _transaction("put of 1,500 bytes", transact(t_put(sized(1500))), 4.0),
    _transaction("delete of 3,000 bytes", transact(t_delete()), 6.0, put(sized(3000))),
    _transaction("check", transact(t_check("attribute_not_exists(v)")), 2.0),
    _transaction("two actions", transact(t_put(), t_update("SET v = :v", {"v": n(1)}, {"pk": s("b")})), 4.0),
    _transaction("read", transact_get(t_get()), 4.0, put(sized(5000)), member="ReadCapacityUnits"),
    _transaction("read of nothing", transact_get(t_get()), 2.0, member="ReadCapacityUnits"),
    answers(
        "capacity.transaction-units",
        transact(t_put(_BOTH), **_INDEXES),
        tables=_TABLES,
        has={
            "ConsumedCapacity": [
                {
                    "TableName": T0,
                    "CapacityUnits": 4.0,
                    "WriteCapacityUnits": 4.0,
                    "Table": {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
                    "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
                    "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
                }
            ]
        },
        name="indexes once",
    ),
    answers(
        "capacity.replay-units",
        _REPLAYED,
        given=[_REPLAYED],
        body={"ConsumedCapacity": [{"TableName": T0, "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]},
        name="put of 1,500 bytes",
    ),
    answers(
        "capacity.replay-units",
        _DELETED,
        given=[put(sized(9000)), _DELETED],
        body={"ConsumedCapacity": [{"TableName": T0, "CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}]},
        name="delete of 9,000 bytes",
    ),
)

CHECKS: tuple[Check, ...] = (*READS, *WRITES, *INDEX_WRITES, *INDEX_READS, *SHAPES, *TRANSACTIONS)
