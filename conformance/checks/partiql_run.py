"""Checks of what PartiQL statements do to tables and what they answer, alone, in batches and in transactions."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.partiql import ONE, batch, execute, transaction, wrong
from conformance.checks.steps import (
    KEY,
    PLAIN,
    SORTED,
    answers,
    batch_put,
    get,
    item,
    many,
    n,
    named,
    put,
    refuses,
    reply,
    s,
)
from reference.api import Item, Json

_INDEXED: dict[str, Json] = {"t0": table(key="pk:S,sk:S", gsi=["gsi=g:S/KEYS_ONLY"], lsi=["lsi=pk:S,l:S/KEYS_ONLY"])}
_ROW: Item = {**KEY, "sk": s("1"), "g": s("y"), "l": s("z"), "v": n(1)}
_UPDATE = "UPDATE @ SET v = 2 WHERE pk = 'a'"
_DELETE = "DELETE FROM @ WHERE pk = 'a'"
_NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
_FAILED = "The conditional request failed"
_OVERLAP = "Overlapping conditions with range keys are not supported in where clause"


def _multi() -> dict[str, Json]:
    body = table()
    body["AttributeDefinitions"] += [{"AttributeName": name, "AttributeType": "S"} for name in ("g", "h")]
    schema = [{"AttributeName": name, "KeyType": "HASH"} for name in ("g", "h")]
    index = {"IndexName": "many", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    return {"t0": {**body, "GlobalSecondaryIndexes": [index]}}


AGAINST_TABLES: tuple[Check, ...] = (
    refuses(
        "partiql.duplicate-item",
        execute("INSERT INTO @ VALUE {'pk': 'a'}"),
        "Duplicate primary key exists in table",
        code="DuplicateItemException",
        given=[put()],
        control=execute("INSERT INTO @ VALUE {'pk': 'b'}"),
    ),
    wrong(
        "partiql.multi-attribute-index",
        'SELECT * FROM @."many"',
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.",
        tables=_multi(),
    ),
    wrong("partiql.unknown-index", 'SELECT * FROM @."nope"', "The table does not have the specified index"),
    wrong(
        "partiql.consistent-index",
        'SELECT * FROM @."gsi"',
        "Strongly consistent read is not supported on Global Secondary Indexes",
        tables=_INDEXED,
        control=execute('SELECT * FROM @."lsi"', ConsistentRead=True),
        ConsistentRead=True,
    ),
    wrong(
        "indexes.not-projected",
        "SELECT v FROM @.\"gsi\" WHERE g = 'y'",
        "One or more parameter values were invalid: Global secondary index gsi does not project [v]",
        tables=_INDEXED,
        control="SELECT v FROM @.\"lsi\" WHERE pk = 'a'",
    ),
    *(
        wrong(
            "indexes.filter-not-projected",
            f'SELECT * FROM @."gsi" WHERE g {condition} AND v = 1',
            "One or more parameter values were invalid: Secondary index gsi does not project one or more filter "
            "attributes: [v]",
            tables=_INDEXED,
            control='SELECT * FROM @."gsi" WHERE v = 1',
        )
        for condition in ("= 'y'", "IN ['y', 'z']", "BETWEEN 'x' AND 'z'")
    ),
    wrong("partiql.key-equality", "UPDATE @ SET v = 1 WHERE v = 2", _NO_KEY, given=[put()], control=_UPDATE),
    wrong(
        "partiql.key-equality",
        "DELETE FROM @ WHERE pk = 'a'",
        _NO_KEY,
        tables=dict(SORTED),
        control="DELETE FROM @ WHERE pk = 'a' AND sk = '1'",
    ),
    wrong(
        "partiql.key-equality", "UPDATE @ SET v = 1 WHERE pk = 'a' OR pk = 'b'", _NO_KEY, given=[put()], control=_UPDATE
    ),
    wrong(
        "partiql.key-equality",
        "FROM @ WHERE v = 2 SET v = 1",
        _NO_KEY,
        given=[put()],
        control="FROM @ WHERE pk = 'a' SET v = 1",
    ),
    wrong(
        "partiql.overlap",
        "SELECT * FROM @ WHERE (pk = 'a' AND v = '1') OR (pk = 'a' AND sk = '2')",
        _OVERLAP,
        tables=dict(SORTED),
        control="SELECT * FROM @ WHERE (pk = 'a' AND sk = '1') OR (pk = 'a' AND sk = '2')",
    ),
    wrong(
        "keys.update-key",
        "UPDATE @ SET pk = 'b' WHERE pk = 'a'",
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
        given=[put()],
        control=_UPDATE,
        name="PartiQL",
    ),
    wrong("partiql.next-token", "SELECT * FROM @", "Invalid NextToken", NextToken="nonsense", name="nonsense"),
    wrong(
        "partiql.next-token-mismatch",
        "SELECT v FROM @ WHERE pk = 'a'",
        "NextToken does not match request",
        tables=dict(SORTED),
        given=[batch_put(*(item(sk=s(x)) for x in "abc")), execute(ONE, Limit=1)],
        control=execute(ONE, Limit=1, NextToken=reply(2, "NextToken")),
        Limit=1,
        NextToken=reply(2, "NextToken"),
    ),
    refuses(
        "items.condition-failed",
        execute(_UPDATE),
        _FAILED,
        code="ConditionalCheckFailedException",
        control=execute(_DELETE),
        name="UPDATE of a missing item",
    ),
    refuses(
        "items.condition-failed",
        execute("UPDATE @ SET v = 2 WHERE pk = 'a' AND attribute_not_exists(pk)"),
        _FAILED,
        code="ConditionalCheckFailedException",
        control=execute(_DELETE),
        name="UPDATE of a missing item that must be missing",
    ),
    refuses(
        "items.condition-failed",
        execute("DELETE FROM @ WHERE pk = 'a' AND v = 2"),
        _FAILED,
        code="ConditionalCheckFailedException",
        given=[put({"v": n(1)})],
        control=execute("DELETE FROM @ WHERE pk = 'a' AND v = 1"),
        name="DELETE under a condition",
    ),
)

_MIXED = (ONE, "INSERT INTO @ VALUE {'pk': 'b'}")
_EXISTS = "EXISTS(SELECT * FROM @ WHERE pk = 'a' AND v = 1)"


def _transacted(
    rule: str, statement: str, message: str, control: str = ONE, tables: dict[str, Json] | None = None
) -> Check:
    return refuses(
        rule,
        transaction(statement),
        f"Validation failed in TransactStatements[0]: {message}",
        control=transaction(control),
        tables=tables or dict(PLAIN),
        name=statement,
    )


_SELECT_KEY = "Select statements within ExecuteTransaction must specify the primary key in the where clause."

TOGETHER: tuple[Check, ...] = (
    refuses("partiql.batch-mixed", batch(*_MIXED), phrase="", control=batch(ONE)),
    refuses(
        "partiql.batch-duplicates",
        batch(ONE, ONE),
        "Provided list of item keys contains duplicates",
        control=batch(ONE, "SELECT * FROM @ WHERE pk = 'b'"),
    ),
    refuses("partiql.transaction-mixed", transaction(*_MIXED), phrase="", control=transaction(_MIXED[1])),
    _transacted("partiql.transaction-select-key", "SELECT * FROM @ WHERE v = 1", _SELECT_KEY),
    _transacted(
        "partiql.transaction-index",
        "SELECT * FROM @.\"gsi\" WHERE g = 'y'",
        "Reads on indices are not supported within transactions.",
        "SELECT * FROM @ WHERE pk = 'a' AND sk = '1'",
        _INDEXED,
    ),
    _transacted(
        "partiql.transaction-returning",
        f"{_DELETE} RETURNING ALL OLD *",
        "RETURNING clause is not supported in ExecuteTransaction.",
        _DELETE,
    ),
    refuses(
        "partiql.transaction-exists",
        transaction("EXISTS(SELECT * FROM @ WHERE pk = 'a')", "INSERT INTO @ VALUE {'pk': 'b'}"),
        "Validation failed in TransactStatements[0]: EXISTS() must contain a single item read with additional "
        "condition",
        given=[put({"v": n(1)})],
        control=transaction(_EXISTS, "INSERT INTO @ VALUE {'pk': 'b'}"),
    ),
    wrong("partiql.exists-alone", _EXISTS, phrase=""),
    refuses(
        "partiql.syntax",
        transaction("SELECT * FROM @ WHERE"),
        "Validation failed in TransactStatements[0]: Statement wasn't well formed, can't be processed: Unexpected term",
        control=transaction(ONE),
        name="in a transaction",
    ),
    refuses(
        "transactions.duplicate-target",
        transaction(ONE, ONE),
        "Transaction request cannot include multiple operations on one item",
        control=transaction(ONE),
        name="statements",
    ),
    refuses(
        "transactions.cancelled",
        transaction("INSERT INTO @ VALUE {'pk': 'b'}", "INSERT INTO @ VALUE {'pk': 'a'}"),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, DuplicateItem]",
        code="TransactionCanceledException",
        given=[put()],
        control=transaction(ONE),
        name="INSERT of an item that is there",
    ),
    answers(
        "partiql.batch-select-key",
        batch("SELECT * FROM @ WHERE v = 1"),
        body={
            "Responses": [
                {
                    "Error": {
                        "Code": "ValidationError",
                        "Message": "Select statements within BatchExecuteStatement must specify the primary key in "
                        "the where clause.",
                    }
                }
            ]
        },
        name="member",
    ),
    answers(
        "partiql.batch-answer",
        batch("INSERT INTO @ VALUE {'pk': 'b'}", "INSERT INTO @ VALUE {'pk': 'a'}"),
        given=[put()],
        body={
            "Responses": [
                {"TableName": T0},
                {
                    "TableName": T0,
                    "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
                },
            ]
        },
        name="one fails",
    ),
    answers(
        "partiql.batch-answer",
        batch(ONE, "SELECT v FROM @ WHERE pk = 'b'"),
        given=[put({"v": n(1)})],
        body={"Responses": [{"TableName": T0, "Item": item(v=n(1))}, {"TableName": T0}]},
        name="reads",
    ),
    answers(
        "partiql.transaction-answer",
        transaction("INSERT INTO @ VALUE {'pk': 'a'}", "INSERT INTO @ VALUE {'pk': 'b'}"),
        body={"Responses": []},
        name="writes",
    ),
    answers(
        "partiql.transaction-answer",
        transaction(ONE, "SELECT * FROM @ WHERE pk = 'b'"),
        given=[put({"v": n(1)})],
        body={"Responses": [{"Item": item(v=n(1))}, {}]},
        name="reads",
    ),
)

_ABC = [item(sk=s(x), v=n(i)) for i, x in enumerate("abc")]
_FILLED = batch_put(*_ABC, {"pk": s("other"), "sk": s("a"), "v": n(9)})


def _rows(name: str, statement: str, rows: Sequence[Item], rule: str = "partiql.select") -> Check:
    return answers(rule, execute(statement), tables=dict(SORTED), given=[_FILLED], has={"Items": list(rows)}, name=name)


def _stored(
    rule: str, statement: str, before: Item | None, after: Item | None, *parameters: dict[str, Json], name: str = ""
) -> Check:
    """A statement that writes, and the item after it."""
    given = [] if before is None else [put(before)]
    body = {} if after is None else {"Item": item(after)}
    return answers(rule, get(), given=[*given, execute(statement, *parameters)], body=body, name=name or statement)


_DOCUMENT: Item = {"m": named(inner=named(x=n(1))), "l": many(n(1), n(2), n(3)), "ss": {"SS": ["a", "b"]}, "v": n(1)}

READS: tuple[Check, ...] = (
    _rows("one item", "SELECT * FROM @ WHERE pk = 'a' AND sk = 'b'", [_ABC[1]]),
    _rows("partition in order", "SELECT * FROM @ WHERE pk = 'a'", _ABC),
    _rows("condition on the sort key", "SELECT * FROM @ WHERE pk = 'a' AND sk > 'a'", _ABC[1:]),
    _rows("filter", "SELECT * FROM @ WHERE pk = 'a' AND v <> 1", [_ABC[0], _ABC[2]]),
    _rows("IN", "SELECT * FROM @ WHERE pk = 'a' AND v IN [0, 2]", [_ABC[0], _ABC[2]]),
    _rows("NOT", "SELECT * FROM @ WHERE pk = 'a' AND NOT v = 1", [_ABC[0], _ABC[2]]),
    _rows("between", "SELECT * FROM @ WHERE pk = 'a' AND v BETWEEN 1 AND 2", _ABC[1:]),
    _rows("missing attribute is not equal", "SELECT * FROM @ WHERE pk = 'a' AND gone = 'x'", []),
    _rows("NOT of a missing attribute", "SELECT * FROM @ WHERE pk = 'a' AND NOT gone = 'x'", _ABC),
    _rows("IS MISSING", "SELECT * FROM @ WHERE pk = 'a' AND gone IS MISSING", _ABC),
    _rows("function", "SELECT * FROM @ WHERE pk = 'a' AND begins_with(sk, 'b')", [_ABC[1]]),
    _rows("comment and case", "select * /* all */ from @ where pk = 'a' and sk = 'a' -- one\n", [_ABC[0]]),
    _rows("number forms", "SELECT * FROM @ WHERE pk = 'a' AND v = .1e1", [_ABC[1]]),
    _rows("down", "SELECT * FROM @ WHERE pk = 'a' ORDER BY sk DESC", _ABC[::-1], "partiql.order"),
    _rows("up", "SELECT * FROM @ WHERE pk = 'a' ORDER BY sk", _ABC, "partiql.order"),
    answers(
        "partiql.columns",
        execute("SELECT v, m.\"inner\", gone FROM @ WHERE pk = 'a'"),
        given=[put(_DOCUMENT)],
        has={"Items": [{"v": n(1), "inner": named(x=n(1))}]},
        name="leaf names",
    ),
    answers(
        "partiql.pages",
        execute("SELECT * FROM @ WHERE pk = 'a'", Limit=2),
        tables=dict(SORTED),
        given=[_FILLED],
        has={"Items": _ABC[:2], "LastEvaluatedKey": {**KEY, "sk": s("b")}},
        name="first",
    ),
    answers(
        "partiql.pages",
        execute("SELECT * FROM @ WHERE pk = 'a'", Limit=2, NextToken=reply(2, "NextToken")),
        tables=dict(SORTED),
        given=[_FILLED, execute("SELECT * FROM @ WHERE pk = 'a'", Limit=2)],
        body={"Items": _ABC[2:]},
        name="last",
    ),
    answers(
        "partiql.pages",
        execute("SELECT * FROM @ WHERE pk = 'a' AND v = 9", Limit=1),
        tables=dict(SORTED),
        given=[_FILLED],
        has={"Items": []},
        name="rows walked",
    ),
    answers(
        "partiql.index-read",
        execute("SELECT * FROM @.\"gsi\" WHERE g = 'y'"),
        tables=_INDEXED,
        given=[put(_ROW)],
        has={"Items": [{**KEY, "sk": s("1"), "g": s("y")}]},
        name="global",
    ),
    answers(
        "partiql.index-read",
        execute("SELECT v FROM @.\"lsi\" WHERE pk = 'a'"),
        tables=_INDEXED,
        given=[put(_ROW)],
        has={"Items": [{"v": n(1)}]},
        name="local fetches",
    ),
    answers(
        "partiql.index-read",
        execute('SELECT * FROM @."gsi" WHERE v = 1'),
        tables=_INDEXED,
        given=[put(_ROW)],
        has={"Items": []},
        name="unprojected is missing",
    ),
)

WRITES: tuple[Check, ...] = (
    answers("partiql.write-answer", execute("INSERT INTO @ VALUE {'pk': 'a'}"), body={"Items": []}, name="INSERT"),
    answers("partiql.write-answer", execute(_UPDATE), given=[put()], body={"Items": []}, name="UPDATE"),
    answers("partiql.write-answer", execute(_DELETE), body={"Items": []}, name="DELETE of nothing"),
    *(
        answers(
            "partiql.write-answer",
            execute(f"UPDATE @ SET v = 2 SET w = 3 WHERE pk = 'a' RETURNING {what} *"),
            given=[put({"v": n(1)})],
            body={"Items": [row]},
            name=what,
        )
        for what, row in (
            ("ALL OLD", item(v=n(1))),
            ("MODIFIED OLD", {"v": n(1)}),
            ("ALL NEW", item(v=n(2), w=n(3))),
            ("MODIFIED NEW", {"v": n(2), "w": n(3)}),
        )
    ),
    answers(
        "partiql.write-answer",
        execute(f"{_DELETE} RETURNING ALL OLD *"),
        given=[put({"v": n(1)})],
        body={"Items": [item(v=n(1))]},
        name="DELETE returning",
    ),
    _stored(
        "partiql.update-existing",
        "UPDATE @ SET v = v + 1 SET l[9] = 4 REMOVE ss WHERE pk = 'a'",
        _DOCUMENT,
        {**{k: v for k, v in _DOCUMENT.items() if k != "ss"}, "v": n(2), "l": many(n(1), n(2), n(3), n(4))},
    ),
    _stored(
        "partiql.update-existing",
        "UPDATE @ SET m.\"inner\".x = ? REMOVE l[0] WHERE pk = 'a'",
        _DOCUMENT,
        {**_DOCUMENT, "m": named(inner=named(x=s("p"))), "l": many(n(2), n(3))},
        s("p"),
    ),
    _stored(
        "partiql.update-existing",
        "UPDATE @ SET ss = set_add(ss, <<'c'>>) WHERE pk = 'a'",
        _DOCUMENT,
        {**_DOCUMENT, "ss": {"SS": ["a", "b", "c"]}},
    ),
    _stored(
        "partiql.update-existing",
        "UPDATE @ SET ss = set_delete(ss, <<'a', 'b'>>) WHERE pk = 'a'",
        _DOCUMENT,
        {k: v for k, v in _DOCUMENT.items() if k != "ss"},
    ),
    _stored("partiql.update-existing", "UPDATE @ SET n = set_add(n, <<1>>) WHERE pk = 'a'", {}, {"n": {"NS": ["1"]}}),
    _stored(
        "partiql.update-existing",
        "UPDATE @ SET l = list_append(l, [4]) WHERE pk = 'a'",
        {"l": many(n(1))},
        {"l": many(n(1), n(4))},
    ),
    _stored("partiql.update-existing", "FROM @ WHERE pk = 'a' SET v = 5", {"v": n(1)}, {"v": n(5)}),
    _stored("partiql.update-existing", _DELETE, None, None, name="DELETE of a missing item"),
    _stored("partiql.update-existing", "DELETE FROM @ WHERE pk = 'a' AND v = 1", None, None),
    _stored(
        "partiql.write-answer",
        "INSERT INTO @ VALUE {'pk': 'a', 's': 'it''s', 'n': -1.50, 'b': true, 'z': null, 'l': [1, 'x'], 'm': {'k': "
        "?}, 'set': <<'b', 'a'>>}",
        None,
        {
            "s": s("it's"),
            "n": n("-1.5"),
            "b": {"BOOL": True},
            "z": {"NULL": True},
            "l": many(n(1), s("x")),
            "m": named(k=s("p")),
            "set": {"SS": ["a", "b"]},
        },
        s("p"),
        name="INSERT of every kind of literal",
    ),
    answers(
        "partiql.select",
        execute("SELECT * FROM @ WHERE pk = ?", s("a"), ReturnConsumedCapacity="TOTAL"),
        given=[put()],
        body={"Items": [KEY], "ConsumedCapacity": {"TableName": T0, "CapacityUnits": 0.5}},
        name="capacity",
    ),
)

CHECKS: tuple[Check, ...] = (*AGAINST_TABLES, *TOGETHER, *READS, *WRITES)
