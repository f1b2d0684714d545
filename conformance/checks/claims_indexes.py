"""What is true of the article's claims about secondary indexes, sparse ones among them (its parts I and J)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.capacity import sized
from conformance.checks.steps import TRUE, answers, batch_put, claimed, item, n, put, query, refuses, s, update
from conformance.checks.tables_update import adding, change
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import Item, Json

_USERS: Mapping[str, Json] = {"t0": table(key="pk:S,sk:S", gsi=["EmailIndex=Email:S"], lsi=["DateIndex=pk:S,Date:S"])}
_STATUS: Mapping[str, Json] = {"t0": table(gsi=["StatusIndex=Status:S"])}
_FLAGGED: Mapping[str, Json] = {"t0": table(gsi=["IssueIndex=IssueFlag:S"])}
_VERSIONS: Mapping[str, Json] = {
    "t0": table(key="EntityId:S,Version:N", gsi=["CurrentVersionIndex=EntityId:S"]),
}


def _row(pk: str, sk: str, **more: dict[str, Json]) -> Item:
    return {"pk": s(pk), "sk": s(sk), **more}


def _by_email(**members: Json) -> Step:
    return query("Email = :e", {"e": s("x@example.com")}, IndexName="EmailIndex", **members)


def _by_date(**members: Json) -> Step:
    return query("pk = :pk", {"pk": s("a")}, IndexName="DateIndex", **members)


def _by_status(**members: Json) -> Step:
    values = {"st": s("open"), **members.pop("values", {})}
    names = {"ExpressionAttributeNames": {"#s": "Status", **members.pop("names", {})}}
    return query("#s = :st", values, IndexName="StatusIndex", **names, **members)


def _found(*items: Item) -> dict[str, Json]:
    return {"Items": list(items), "Count": len(items), "ScannedCount": len(items)}


def _indexed(name: str, when: Step, *items: Item, given: Sequence[Step], tables: Mapping[str, Json]) -> Check:
    """What an index holds."""
    return answers("indexes.sparse", when, tables=tables, given=given, body=_found(*items), name=name)


_MAIL = s("x@example.com")

KINDS: tuple[Check, ...] = (
    *claimed(
        "C106",
        answers(
            "indexes.projection",
            _by_email(),
            tables=_USERS,
            given=[Step("PutItem", {"TableName": T0, "Item": _row("a", "1", Email=_MAIL)})],
            body=_found(_row("a", "1", Email=_MAIL)),
        ),
    ),
    *claimed(
        "C107",
        answers(
            "queries.count",
            _by_email(Select="COUNT"),
            tables=_USERS,
            given=[batch_put(*(_row(pk, "1", Email=_MAIL) for pk in "abc"))],
            body={"Count": 3, "ScannedCount": 3},
        ),
    ),
    *claimed(
        "C108",
        refuses(
            "indexes.consistent-read",
            _by_email(ConsistentRead=True),
            "Consistent reads are not supported on global secondary indexes",
            tables=_USERS,
            control=_by_email(),
        ),
    ),
    *claimed(
        "C109",
        *(
            answers(
                "indexes.projection",
                query("g = :g", {"g": s("x")}, IndexName="by_g"),
                tables={"t0": table(gsi=[f"by_g=g:S/{kind}"])},
                given=[put({"g": s("x"), "b": n(1), "c": n(2)})],
                body=_found(item(g=s("x"), **kept)),
                name=kind,
            )
            for kind, kept in (("KEYS_ONLY", {}), ("INCLUDE:b", {"b": n(1)}), ("ALL", {"b": n(1), "c": n(2)}))
        ),
    ),
    *claimed(
        "C110",
        refuses(
            "indexes.local-other-partition-key",
            create(
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "l")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                LocalSecondaryIndexes=[
                    {
                        "IndexName": "by_l",
                        "KeySchema": [
                            {"AttributeName": "l", "KeyType": "HASH"},
                            {"AttributeName": "sk", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            ),
            phrase="",
            control=_by_date(),
            tables=_USERS,
        ),
    ),
    *claimed(
        "C111",
        *(
            answers(
                "capacity.index-read-units",
                _by_date(ReturnConsumedCapacity="TOTAL", **members),
                tables=_USERS,
                given=[Step("PutItem", {"TableName": T0, "Item": {**_row("a", "1"), "Date": s("2024")}})],
                has={"Count": 1, "ConsumedCapacity": {"TableName": T0, "CapacityUnits": units}},
                name=name,
            )
            for name, members, units in (
                ("eventually, as by default", {}, 0.5),
                ("strongly", {"ConsistentRead": True}, 1.0),
            )
        ),
    ),
    *claimed(
        "C112",
        refuses(
            "indexes.delete-local",
            change(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "DateIndex"}}]),
            phrase="",
            tables=_USERS,
            control=change(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "EmailIndex"}}]),
        ),
    ),
    *claimed(
        "C113",
        answers(
            "indexes.local-fetch",
            query("pk = :pk", {"pk": s("a")}, IndexName="by_l", Select="ALL_ATTRIBUTES"),
            tables={"t0": table(key="pk:S,sk:S", lsi=["by_l=pk:S,l:S/KEYS_ONLY"])},
            given=[Step("PutItem", {"TableName": T0, "Item": {**_row("a", "1"), "l": s("x"), "other": n(1)}})],
            body=_found({**_row("a", "1"), "l": s("x"), "other": n(1)}),
            name="fetches what it does not project",
        ),
    ),
    *claimed(
        "C114",
        refuses(
            "indexes.definitions-missing",
            change(**{name: each for name, each in adding().items() if name != "AttributeDefinitions"}),
            phrase="",
            control=change(**adding()),
        ),
    ),
    *claimed(
        "C115",
        answers(
            "tables.update-answer",
            change(**adding()),
            at="TableDescription.GlobalSecondaryIndexes[0]",
            has={"IndexName": "by_g"},
        ),
    ),
    *claimed(
        "C116",
        refuses(
            "indexes.one-online",
            change(
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g", "h")],
                GlobalSecondaryIndexUpdates=[
                    {
                        "Create": {
                            "IndexName": f"by_{name}",
                            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                    }
                    for name in "gh"
                ],
            ),
            phrase="Only 1 online index can be created or deleted simultaneously per table",
            code="LimitExceededException",
            control=change(**adding()),
        ),
    ),
)

_OPEN: Item = item(Status=s("open"))
_DELETED: Item = {"pk": s("b"), "Status": s("open"), "Deleted": TRUE}
_UPDATED: Item = {"pk": s("a"), "Status": s("open"), "Deleted": TRUE, "DeletedAt": n(1_700_000_000)}
_IS_DELETED = "attribute_not_exists(Deleted)"


def _version(number: int, **more: dict[str, Json]) -> Item:
    return {"EntityId": s("e"), "Version": n(number), **more}


def _of_status(pk: str, size: int) -> Item:
    return {**sized(size - 10, pk), "Status": s("open")}


def _index_units(units: float | None) -> dict[str, Json]:
    told: dict[str, Json] = {"TableName": T0, "CapacityUnits": 1.0 + (units or 0.0), "Table": {"CapacityUnits": 1.0}}
    if units is not None:
        told["GlobalSecondaryIndexes"] = {"StatusIndex": {"CapacityUnits": units}}
    return {"ConsumedCapacity": told}


def _indexing(name: str, when: Step, units: float | None) -> Check:
    """What a write of an indexed item costs the index."""
    return answers(
        "capacity.index-write-units",
        Step(when.operation, {**when.body, "ReturnConsumedCapacity": "INDEXES"}),
        tables=_STATUS,
        given=[put({"Status": s("open"), "v": n(1)})],
        body=_index_units(units),
        name=name,
    )


SPARSE: tuple[Check, ...] = (
    *claimed(
        "C117",
        _indexed("", _by_status(), _OPEN, given=[batch_put(_OPEN, {"pk": s("b")})], tables=_STATUS),
        refuses(
            "indexes.type-mismatch",
            put({"Status": n(1)}),
            phrase="Type mismatch for Index Key Status Expected: S Actual: N",
            tables=_STATUS,
            control=put({"Status": s("open")}),
            name="declared type",
        ),
    ),
    *claimed(
        "C119",
        _indexed(
            "",
            query("IssueFlag = :f", {"f": s("damaged")}, IndexName="IssueIndex"),
            item(IssueFlag=s("damaged")),
            given=[batch_put(item(IssueFlag=s("damaged")), {"pk": s("b")})],
            tables=_FLAGGED,
        ),
    ),
    *claimed("C120", _indexed("", _by_status(), _DELETED, given=[put(_DELETED)], tables=_STATUS)),
    *claimed("C121", _indexed("", _by_status(), _UPDATED, given=[put(_UPDATED)], tables=_STATUS)),
    *claimed(
        "C122",
        answers(
            "expressions.updated-values",
            update("SET Deleted = :t, DeletedAt = :at", {"t": TRUE, "at": n(1_700_000_000)}, ReturnValues="ALL_NEW"),
            tables=_STATUS,
            given=[put(_OPEN)],
            body={"Attributes": _UPDATED},
        ),
    ),
    *claimed(
        "C123",
        answers(
            "capacity.page-units",
            _by_status(FilterExpression=_IS_DELETED, Select="COUNT", ReturnConsumedCapacity="TOTAL"),
            tables=_STATUS,
            given=[batch_put(*({**_of_status(pk, 4000), "Deleted": TRUE} for pk in "abcd"), _of_status("e", 400))],
            has={"Count": 1, "ScannedCount": 5, "ConsumedCapacity": {"TableName": T0, "CapacityUnits": 2.5}},
            name="reads and costs all",
        ),
    ),
    *claimed(
        "C124",
        refuses(
            "indexes.type-mismatch",
            put({"CurrentVersion": TRUE}),
            phrase="Type mismatch for Index Key CurrentVersion Expected: S Actual: BOOL",
            tables={"t0": table(gsi=["CurrentVersionIndex=CurrentVersion:S"])},
            control=put({"CurrentVersion": s("yes")}),
        ),
    ),
    *claimed(
        "C125",
        refuses(
            "expressions.undefined-value",
            query("EntityId = :eid", None, IndexName="CurrentVersionIndex"),
            phrase="attribute value: :eid",
            tables=_VERSIONS,
            control=query("EntityId = :eid", {"eid": s("e")}, IndexName="CurrentVersionIndex"),
        ),
        answers(
            "queries.count",
            query("EntityId = :eid", {"eid": s("e")}, IndexName="CurrentVersionIndex", Select="COUNT"),
            tables=_VERSIONS,
            given=[batch_put(_version(1), _version(2, CurrentVersion=TRUE))],
            body={"Count": 2, "ScannedCount": 2},
            name="not sparse",
        ),
    ),
    *claimed(
        "C126",
        answers(
            "queries.count",
            query(
                "EntityId = :eid", {"eid": s("e")}, FilterExpression="attribute_exists(CurrentVersion)", Select="COUNT"
            ),
            tables=_VERSIONS,
            given=[batch_put(_version(1, CurrentVersion=TRUE)), batch_put(_version(2, CurrentVersion=TRUE))],
            body={"Count": 2, "ScannedCount": 2},
        ),
    ),
    *claimed(
        "C127",
        answers(
            "queries.count",
            Step("Scan", {"TableName": T0, "IndexName": "IssueIndex", "Select": "COUNT"}),
            tables=_FLAGGED,
            given=[batch_put(item(IssueFlag=s("damaged")), *({"pk": s(pk)} for pk in "bcdef"))],
            body={"Count": 1, "ScannedCount": 1},
        ),
    ),
    *claimed(
        "C128",
        _indexing("the same again", put({"Status": s("open"), "v": n(1)}), None),
        _indexing("a projected attribute changed", put({"Status": s("open"), "v": n(2)}), 1.0),
        _indexing("another key", put({"Status": s("done"), "v": n(1)}), 2.0),
    ),
    *claimed(
        "C129",
        refuses(
            "expressions.key-condition-operator",
            query("attribute_not_exists(#s)", None, IndexName="StatusIndex", ExpressionAttributeNames={"#s": "Status"}),
            phrase="Invalid operator used in KeyConditionExpression",
            tables=_STATUS,
            control=_by_status(),
        ),
    ),
    *claimed(
        "C130",
        _indexed(
            "",
            _by_status(),
            item(Status=s("open"), until=n(1)),
            given=[
                Step(
                    "UpdateTimeToLive",
                    {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}},
                ),
                put({"Status": s("open"), "until": n(1)}),
            ],
            tables=_STATUS,
        ),
    ),
    *claimed(
        "C131",
        _indexed(
            "",
            _by_status(),
            given=[put(_OPEN), update("REMOVE #s", ExpressionAttributeNames={"#s": "Status"})],
            tables=_STATUS,
        ),
    ),
    *claimed(
        "C283",
        _indexing("a projected attribute changed", put({"Status": s("open"), "v": n(2)}), 1.0),
    ),
)

CHECKS: tuple[Check, ...] = (*KINDS, *SPARSE)
