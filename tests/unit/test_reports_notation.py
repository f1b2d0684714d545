from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.boto3_code import boto3_code
from reports.difference import ROW_LIMIT, Row, rows
from reports.notation import answer, clip, compact, one_line, pretty_json, readable, visible
from reports.sources import link
from reports.steps import STEP_LIMIT, steps
from tests.unit.record_samples import ACCEPTS, CRASH, CREATE, DATA, HOSTILE, MESSAGE, PUT, UPDATE

DEEP: Any = {"S": "x"}
for _ in range(600):
    DEEP = {"L": [DEEP]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": "a"}, '"a"'),
        ({"S": 'a "b" \\ \n'}, '"a \\"b\\" \\\\ \\n"'),
        ({"S": "é 日本"}, '"é 日本"'),
        ({"S": "\u202ex\u200b\x00"}, '"\\u202ex\\u200b\\u0000"'),
        ({"S": "x" * 200}, '"' + "x" * 160 + '"… (200 characters)'),
        ({"N": "1.50"}, "1.50"),
        ({"N": "abc"}, 'N"abc"'),
        ({"N": ""}, 'N""'),
        ({"B": "AP8="}, 'b64"AP8="'),
        ({"BOOL": True}, "true"),
        ({"NULL": True}, "null"),
        ({"NULL": False}, "{NULL: false}"),
        ({"SS": ["a", "b"]}, '<<"a", "b">>'),
        ({"NS": ["1", "2"]}, "<<1, 2>>"),
        ({"BS": ["AA=="]}, '<<b64"AA==">>'),
        ({"SS": []}, "<<>>"),
        ({"L": [{"N": "1"}, {"S": "a"}]}, '[1, "a"]'),
        ({"M": {"k": {"N": "1"}, "odd name": {"M": {}}}}, '{k: 1, "odd name": {}}'),
        ({"S": 5}, "{S: 5}"),
        ({"S": "a", "N": "1"}, '{S: "a", N: "1"}'),
        ({"SS": [1]}, "{SS: [1]}"),
        ({"pk": {"S": "a"}, "#n": "n", ":v": {"N": "1"}}, '{pk: "a", #n: "n", :v: 1}'),
        ({"\u202e": 1}, '{"\\u202e": 1}'),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ([], "[]"),
        ("${table:t0}", "t0"),
        ("${arn:t0}", "arn(t0)"),
        ("${reply:3:LastEvaluatedKey}", "reply(3).LastEvaluatedKey"),
        ("${time:+3600}", "start+3600s"),
        ("${lit:$}{table:t0}", '"${table:t0}"'),
        ("a ${table:t0} b", '"a t0 b"'),
        ({"${table:t0}": []}, "{t0: []}"),
        (list(range(40)), "[" + ", ".join(map(str, range(30))) + ", … 10 more]"),
    ],
)
def test_compact(value: Any, text: str) -> None:
    assert compact(value) == text


def test_compact_is_bounded() -> None:
    assert compact(DEEP).count("[") == 41
    assert "…" in compact(DEEP)
    wide: Any = "x"
    for _ in range(4):
        wide = [wide] * 30
    assert len(compact(wide)) < 6_000
    assert len(compact({"SS": ["x" * 150] * 10_000}, 500)) < 1_000


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["S", "N", "SS", "L", "M", "NULL", "a"]), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(JSON, JSON)
def test_anything_can_be_shown(one: Any, other: Any) -> None:
    assert compact(one).isprintable()
    pretty_json(one)
    reply, answered = {"success": one}, {"success": other}
    for row in rows(reply, answered):
        assert all(visible(text) == text for text, _ in (*row.expected, *row.observed, (row.place, False)))
    program = [
        {"index": 0, "operation": "CreateTable", "body": one, "reply": reply},
        {"operation": "Scan", "body": other},
    ]
    assert [step.operation for step in steps(program)] == ["CreateTable", "Scan"]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(JSON)
def test_a_body_does_not_differ_from_itself(body: Any) -> None:
    if body == body:  # NaN does
        assert [row.place for row in rows({"success": body}, {"success": body})] == ["answer"]


def test_visible() -> None:
    assert visible("plain é\n\t") == "plain é\n\t"
    assert visible("\u202e\u2066\u200b\ufeff\x1b\x7f\x85\u2028\ud800\ufffe\U000e0001\xa0") == (
        "\\u202e\\u2066\\u200b\\ufeff\\u001b\\u007f\\u0085\\u2028\\ud800\\ufffe\\U000e0001\\u00a0"
    )
    assert one_line(" a\n\tb \u202e") == "a b \\u202e"
    assert one_line("x" * 300, 10) == "xxxxxxxxxx… (300 characters)"
    assert clip("abc", 3) == "abc"
    assert readable("${unknown:x} ${table:t0}") == "${unknown:x} t0"


def test_answers() -> None:
    assert answer({"success": None}) == "200, no body"
    assert answer({"success": {"Item": {"pk": {"S": "a"}}}}) == '200 {Item: {pk: "a"}}'
    assert answer({"refusal": {"code": "A", "message": "m\n${table:t0}", "status": 400}}) == "A: m t0"
    assert answer({"refusal": {"code": "A", "message": None}}) == "A"
    assert answer({"refusal": {"code": None, "message": ""}}) == "an error without a type"
    assert answer({"refusal": {"code": "A", "message_pattern": "x.*"}}) == "A, its message matching x.*"
    assert answer({"lost": "closed"}) == "no answer (closed)"
    assert answer({}) == "not recorded"
    assert answer(None) == "not recorded"


def test_pretty_json_is_json_laid_out() -> None:
    assert pretty_json({"a": [1, None, "é"]}) == '{"a": [1, null, "é"]}'
    assert pretty_json({"a": ["x" * 60, "y" * 60], "b": {}}) == (
        '{\n  "a": [\n    "' + "x" * 60 + '",\n    "' + "y" * 60 + '"\n  ],\n  "b": {}\n}'
    )


def shown(text: str, *, changed: bool = False) -> tuple[tuple[str, bool], ...]:
    return ((text, changed),)


@pytest.mark.parametrize(
    ("expected", "observed", "found"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [Row("b", shown("2"), shown("3"))]),
        ({"a": 1}, {}, [Row("a", shown("1"), shown("(absent)"))]),
        ({}, {"a": None}, [Row("a", shown("(absent)"), shown("null"))]),
        ({"a": 1}, {"a": True}, [Row("a", shown("1"), shown("true"))]),
        ({"Item": {"n": {"N": "1"}}}, {"Item": {"n": {"S": "1"}}}, [Row("Item.n.N", shown('"1"'), shown("(absent)")),
                                                                   Row("Item.n.S", shown("(absent)"), shown('"1"'))]),
        ({"Item": {"n": {"N": "1.0"}}}, {"Item": {"n": {"N": "1"}}},
         [Row("Item.n", shown("1.0"), shown("1"), "the same number, spelt otherwise")]),
        ({"I": {"n": {"SS": ["a", "b"]}}}, {"I": {"n": {"SS": ["b", "a"]}}}, []),
        ({"I": {"n": {"NS": ["1", "2"]}}}, {"I": {"n": {"NS": ["2", "1.0"]}}},
         [Row("I.n", shown("<<1, 2>>"), shown("<<2, 1.0>>"), "the same numbers, spelt otherwise")]),
        ({"I": {"n": {"M": {"a": {"L": [{"N": "1"}, {"N": "2"}]}}}}},
         {"I": {"n": {"M": {"a": {"L": [{"N": "1"}, {"N": "3"}]}}}}}, [Row("I.n.a[1]", shown("2"), shown("3"))]),
        ({"I": [1, 2]}, {"I": [2, 1]},
         [Row("I", shown("[1, 2]"), shown("[2, 1]"), "the same members in another order")]),
        ({"I": [1, 2, 3]}, {"I": [1, 3]}, [Row("I, length", shown("3"), shown("2")),
                                          Row("I[]", shown("2"), shown("(absent)"))]),
        ({"I": []}, {"I": [{"pk": {"S": "a"}}]}, [Row("I, length", shown("0"), shown("1")),
                                                  Row("I[]", shown("(absent)"), shown('{pk: "a"}'))]),
        ({"odd name": 1}, {"odd name": 2}, [Row('["odd name"]', shown("1"), shown("2"))]),
        (None, {}, [Row("body", shown("null"), shown("{}"))]),
    ],
)  # fmt: skip
def test_differences_of_bodies(expected: Any, observed: Any, found: list[Row]) -> None:
    alike = [Row("answer", (), (), "the two answers are alike: what differs is the state they leave")]
    assert rows({"success": expected}, {"success": observed}) == (found or alike)


def test_differences_of_refusals_mark_the_words() -> None:
    (row,) = rows(MESSAGE.expected, MESSAGE.observed)
    assert row.place == "message"
    assert [text for text, changed in row.expected if changed] == ["pk"]
    assert [text for text, changed in row.observed if changed] == ["''"]
    assert "".join(text for text, _ in row.expected) == MESSAGE.expected["refusal"]["message"]
    code, status = rows({"refusal": {"code": "A", "message": "m", "status": 400}},
                        {"refusal": {"code": "B", "message": "m", "status": 500}})  # fmt: skip
    assert (code.place, code.expected, code.observed) == ("code", shown("A"), shown("B"))
    assert status.place == "status"
    (field,) = rows({"refusal": {"code": "A", "message": "m", "fields": {"Item": {"n": {"N": "1"}}}}},
                    {"refusal": {"code": "A", "message": "m"}})  # fmt: skip
    assert field == Row("Item", shown("{n: 1}"), shown("(absent)"))


def test_answers_of_different_kinds_are_one_row() -> None:
    assert rows(ACCEPTS.expected, {"success": {}})[0].observed == shown("200 {}")
    assert rows({"success": {}}, {"lost": "closed"}) == [Row("answer", shown("200 {}"), shown("no answer (closed)"))]


def test_differences_are_bounded() -> None:
    many = rows({"success": {f"a{n}": 1 for n in range(50)}}, {"success": {}})
    assert len(many) == ROW_LIMIT + 1
    assert many[-1].note == "38 more differing places: see the full answers"
    huge = rows({"success": {"a": {"S": "x" * 400_000}}}, {"success": {"a": {"S": "y " * 200_000}}})
    assert all(len(text) < 1_000 for row in huge for text, _ in (*row.expected, *row.observed))


def test_steps_are_readable() -> None:
    create, put, update = steps(DATA.program)
    assert create.text == "CreateTable t0 keys=pk S partition"
    assert create.answer == "200"
    assert put.text == 'PutItem t0 Item={pk: "a", tags: <<"x", "y">>, n: 1}'
    assert put.answer == "200 {}"
    assert [line.name for line in update.lines] == [
        "Key", "UpdateExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValues",
    ]  # fmt: skip
    assert update.lines[1].text == "SET #n = #n + :one"
    assert update.answer == ""


def test_tables_are_told_by_their_keys_and_indexes() -> None:
    body = {
        **CREATE["body"],
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": t} for n, t in (("pk", "S"), ("sk", "N"), ("g", "B"))
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "g1",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
            }
        ],
        "StreamSpecification": {"StreamEnabled": False},
    }
    (step,) = steps([{**CREATE, "body": body}])
    assert [(line.name, line.text) for line in step.lines] == [
        ("keys", "pk S partition, sk N sort"),
        ("GSI g1", 'g B partition; projects INCLUDE ["x"]'),
        ("StreamSpecification", "{StreamEnabled: false}"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"KeySchema": 7},
        {"KeySchema": [{"AttributeName": ["pk"], "KeyType": "HASH"}]},
        {"AttributeDefinitions": None},
        {"GlobalSecondaryIndexes": [None]},
        {"GlobalSecondaryIndexes": {"a": 1}},
        {"LocalSecondaryIndexes": [{"IndexName": 3, "KeySchema": [], "Projection": 9}]},
    ],
)
def test_tables_that_are_no_tables_are_told_as_they_are(change: dict[str, Any]) -> None:
    (step,) = steps([{**CREATE, "body": {**CREATE["body"], **change}}])
    assert step.operation == "CreateTable"
    assert next(iter(change)) in [line.name for line in step.lines]


def test_an_unused_attribute_definition_is_told() -> None:
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "unused")]
    (step,) = steps([{**CREATE, "body": {**CREATE["body"], "AttributeDefinitions": definitions}}])
    assert "AttributeDefinitions" in [line.name for line in step.lines]


def test_odd_programs_are_told_too() -> None:
    raw, text, refused, last = steps(
        [
            CRASH.program[0],
            {"index": 1, "operation": "Scan", "body": "not an object"},
            {**PUT, "reply": {"refusal": {"code": "A", "message": "m", "status": 400}}},
            {**PUT, "body": {"TableName": {"S": "t"}}},
        ]
    )
    assert raw.lines[0].name == "as raw HTTP"
    assert text.text == "Scan =not an object" or text.lines[0].text == "not an object"
    assert refused.answer == "A: m"
    assert last.lines[0].text == '"t"'


def test_long_programs_keep_their_last_call() -> None:
    program = [{**PUT, "index": n} for n in range(500)] + [{**UPDATE, "index": 500}]
    shown_steps = steps(program)
    assert len(shown_steps) == STEP_LIMIT + 1
    assert shown_steps[-2].operation == "… 441 more calls …"
    assert shown_steps[-1].number == 500


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (
            "paritysuite/dynamodb-conformance tests/tier3/error-messages/putItem.test.ts",
            "https://github.com/paritysuite/dynamodb-conformance/blob/main/tests/tier3/error-messages/putItem.test.ts",
        ),
        (
            "paritysuite/dynamodb-conformance tests/tier3/error-messages (transact files)",
            "https://github.com/paritysuite/dynamodb-conformance",
        ),
        (
            "scylladb test/alternator test_item.py::test_x",
            "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_item.py",
        ),
        (
            "AWS Developer Guide: CapacityUnitCalculations",
            "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html",
        ),
        (
            "AWS API Reference: API_PutItem",
            "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html",
        ),
        (
            "botocore service model: PutItemInput",
            "https://github.com/boto/botocore/tree/develop/botocore/data/dynamodb/2012-08-10",
        ),
        (
            "moto 5.2.5 tests/test_dynamodb, aws_verified",
            "https://github.com/getmoto/moto/tree/master/tests/test_dynamodb",
        ),
        ("architect/dynalite test connection", "https://github.com/architect/dynalite"),
        ("https://example.org/a?b=1&c=%20", "https://example.org/a?b=1&c=%20"),
        ("http://user@example.org/", None),
        ("https://example.org/ x", None),
        ("https://exämple.org/", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("ack-api-quirks lab 70684424257", None),
        ("", None),
    ],
)
def test_sources_are_linked(source: str, address: str | None) -> None:
    assert link(source) == address


def test_no_link_can_be_smuggled_in() -> None:
    for source in (
        f"AWS Developer Guide: x{HOSTILE}",
        "scylladb test/alternator ../../x.py",
        "paritysuite/dynamodb-conformance //evil.example/x.ts",
    ):
        address = link(source)
        assert address is not None
        assert address.startswith(("https://github.com/", "https://docs.aws.amazon.com/"))
        assert not set("<>\"' ") & set(address)


def run_code(code: str) -> list[tuple[str, dict[str, Any]]]:
    """Run generated code against a boto3 that only remembers what it is asked."""
    calls: list[tuple[str, dict[str, Any]]] = []

    class Client:
        class exceptions:
            ClientError = RuntimeError

        def __getattr__(self, name: str) -> Any:
            def call(**arguments: Any) -> Any:
                calls.append((name, arguments))
                if arguments.get("TableName") == "refuse":
                    raise RuntimeError("refused")
                return {"LastEvaluatedKey": {"pk": {"S": "a"}}, "Table": {"TableArn": "arn:x"}}

            return call

        def get_waiter(self, name: str) -> Any:
            return type("Waiter", (), {"wait": lambda self, **arguments: calls.append((name, arguments))})()

    class Boto3:
        @staticmethod
        def client(name: str, **options: Any) -> Client:
            calls.append((f"client {name}", {k: v for k, v in options.items() if k != "config"}))
            return Client()

    lines = [line for line in code.splitlines() if line != "import boto3"]
    exec(compile("\n".join(lines), "code", "exec"), {"boto3": Boto3, "print": lambda *_: None})
    return calls


def test_code_for_boto3_does_what_the_program_says() -> None:
    code = boto3_code(DATA)
    assert code is not None
    client, create, wait, put, update = run_code(code)
    assert client == (
        "client dynamodb",
        {
            "endpoint_url": "http://127.0.0.1:8000", "region_name": "us-east-1",
            "aws_access_key_id": "dynoracle", "aws_secret_access_key": "dynoracle",
        },
    )  # fmt: skip
    assert create == ("create_table", {**CREATE["body"], "TableName": "dynoracle-t0"})
    assert wait == ("table_exists", {"TableName": "dynoracle-t0"})
    assert put == ("put_item", {**PUT["body"], "TableName": "dynoracle-t0"})
    assert update == ("update_item", {**UPDATE["body"], "TableName": "dynoracle-t0"})
    assert "parameter_validation" not in code
    assert code.endswith(
        '# DynamoDB: 200 {Attributes: {pk: "a", tags: <<"x", "y">>, n: 2}}\n'
        '# here:     200 {Attributes: {pk: "a", tags: <<"y", "x">>, n: 1}}\n'
    )


def op(operation: str, body: Any, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"index": index, "operation": operation, "body": body, **more}


def test_symbols_and_blobs_become_python() -> None:
    key = {"pk": {"B": "AP8="}, "s": {"BS": ["AA=="]}, "m": {"M": {"B": {"S": "x"}}}}
    program = (
        op("Scan", {"TableName": "${table:t0}"}, 3),
        op("BatchGetItem", {"RequestItems": {"${table:t0}": {"Keys": [key]}}}, 4),
        op("PutItem", {"TableName": "refuse", "Item": {}}, 5, reply={"refusal": {"code": "A"}}),
        op("ListStreams", {"TableName": "${table:t0}"}, 6),
        op("ExecuteStatement", {"Statement": 'SELECT * FROM "${table:t0}"."i"', "NextToken": "${token:a}"}, 7),
        op("Scan", {"TableName": "${arn:t0}", "ExclusiveStartKey": "${reply:3:LastEvaluatedKey}", "Limit": 0}, 8),
    )
    code = boto3_code(replace(DATA, program=program))
    assert code is not None
    calls = [call for call in run_code(code) if not call[0].startswith("client")]
    assert calls[0] == ("scan", {"TableName": "dynoracle-t0"})
    keys = [{"pk": {"B": b"\x00\xff"}, "s": {"BS": [b"\x00"]}, "m": {"M": {"B": {"S": "x"}}}}]
    assert calls[1] == ("batch_get_item", {"RequestItems": {"dynoracle-t0": {"Keys": keys}}})
    assert calls[2][0] == "put_item"
    assert calls[3] == ("list_streams", {"TableName": "dynoracle-t0"})
    assert calls[4][1]["Statement"] == 'SELECT * FROM "dynoracle-t0"."i"'
    assert calls[-1] == ("scan", {"TableName": "arn:x", "ExclusiveStartKey": {"pk": {"S": "a"}}, "Limit": 0})
    assert "parameter_validation=False" in code


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"Unknown": 1},
        {"TableName": ["t"]},
        {"Item": []},
        {"Item": {"pk": []}},
        {"Item": {"pk": {"B": "not base64!"}}},
        {"Item": {"pk": {"X": "1"}}},
        {"Item": {"pk": {"B": None}}},
        {"Item": {"pk": {"SS": "a"}}},
        {"Item": {"pk": {"S": {"S": "a"}}}},
        {"Item": "${time:soon}"},
        {"Item": "${reply:x:y}"},
    ],
)
def test_what_boto3_cannot_send_has_no_code(body: Any) -> None:
    assert boto3_code(replace(DATA, program=(op("PutItem", body),))) is None


def test_raw_and_unknown_calls_have_no_code() -> None:
    assert boto3_code(CRASH) is None
    assert boto3_code(replace(DATA, program=(op("MakeCoffee", {}),))) is None
    assert boto3_code(replace(DATA, program=())) is None


@pytest.mark.parametrize("levels", [10, 99, 600])
def test_deep_values_are_no_trouble(levels: int) -> None:
    value: Any = {"S": "x"}
    other: Any = {"S": "y"}
    for _ in range(levels):
        value, other = {"L": [value]}, {"L": [other]}
    found = rows({"success": {"Item": {"a": value}}}, {"success": {"Item": {"a": other}}})
    assert len(found) == 1
    assert steps([op("PutItem", {"TableName": "t", "Item": {"a": value}})])[0].operation == "PutItem"
    code = boto3_code(replace(DATA, program=(op("PutItem", {"TableName": "t", "Item": {"a": value}}),)))
    assert code is not None
    assert ("put_item" in code) == (levels == 10)


def test_long_programs_have_no_code_here() -> None:
    body = {"TableName": "t", "Item": {"pk": {"S": "x" * 20_000}}}
    assert boto3_code(replace(DATA, program=(op("PutItem", body),))) == ""
    assert boto3_code(DATA, 100) == ""


def test_hostile_texts_cannot_break_out_of_the_code() -> None:
    program = (op("PutItem", {"TableName": HOSTILE, "Item": {"\"\"\"'''\n": {"S": "\nimport os\n" + HOSTILE}}}),)
    observed = {"refusal": {"code": "A\nimport os", "message": "\r\nimport os\x0bimport os\u2028import os"}}
    code = boto3_code(replace(DATA, program=program, observed=observed, notes={"endpoint": "http://x/\"\n'"}))
    assert code is not None
    assert all(letter.isprintable() or letter == "\n" for letter in code)
    assert "\nimport os" not in code
    assert run_code(code)[-1][1]["Item"]["\"\"\"'''\n"]["S"] == "\nimport os\n" + HOSTILE


def test_ordinary_credentials_are_left_to_boto3_elsewhere() -> None:
    code = boto3_code(
        replace(DATA, notes={"endpoint": "https://dynamodb.eu-west-1.amazonaws.com", "region": "eu-west-1"})
    )
    assert code is not None
    assert "aws_access_key_id" not in code
    assert 'region_name="eu-west-1"' in code
    moment = boto3_code(replace(DATA, program=(op("PutItem", {"TableName": "t", "Item": {"n": {"N": "${time:-5}"}}}),)))
    assert moment is not None
    assert "import time\n" in moment
    assert "str(int(time.time()) + -5)" in moment
