from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.record.finding import Finding
from conformance.search import reproduce_template as template
from conformance.search.reproduction import filling, script
from tests.unit.fake_endpoint import Fake, refusal, serve
from tests.unit.record_samples import ACCEPTS, CRASH, CREATE, DATA, EMPTY_KEY, HOSTILE, PUT, hostile

SHOWS, GONE, CANNOT_TELL = 1, 0, 2


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    with serve() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.requests.clear()
    server.headers.clear()
    server.tables.clear()
    server.answers.clear()
    server.creating = 0
    return server


def replay(finding: Finding, fake: Fake) -> int:
    return template.main(["--endpoint-url", fake.url, "--timeout", "5"], filling(finding))


def updated(number: str, tags: list[str]) -> Any:
    return lambda body: (200, {"Attributes": {"pk": {"S": "a"}, "tags": {"SS": tags}, "n": {"N": number}}})


def test_it_shows_until_it_is_gone(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answers["UpdateItem"] = updated("1", ["y", "x"])
    assert replay(DATA, fake) == SHOWS
    text = capsys.readouterr().out
    assert "the divergence shows" in text
    assert "expressions.addition: SET a = a + :v stores the exact sum." in text
    fake.answers["UpdateItem"] = updated("2.0", ["y", "x"])
    assert replay(DATA, fake) == GONE
    assert "gone: the last answer is one that DynamoDB could give" in capsys.readouterr().out


def test_tables_are_fresh_and_only_they_are_dropped(fake: Fake) -> None:
    fake.tables.add("somebody-elses")
    replay(DATA, fake)
    replay(DATA, fake)
    created = [body["TableName"] for operation, body in fake.requests if operation == "CreateTable"]
    dropped = [body["TableName"] for operation, body in fake.requests if operation == "DeleteTable"]
    assert len(set(created)) == 2
    assert all(re.fullmatch(r"dynoracle-[0-9a-f]{8}-t0", name) for name in created)
    assert dropped == created
    assert fake.tables == {"somebody-elses"}


def test_it_waits_until_tables_are_active(fake: Fake) -> None:
    fake.creating = 2
    replay(DATA, fake)
    assert [operation for operation, _ in fake.requests] == [
        "CreateTable", "DescribeTable", "DescribeTable", "DescribeTable", "PutItem", "UpdateItem", "DeleteTable",
    ]  # fmt: skip


def test_a_program_may_say_not_to_wait(fake: Fake) -> None:
    replay(replace(DATA, program=({**CREATE, "notes": {"wait": False}}, *DATA.program[1:])), fake)
    assert [operation for operation, _ in fake.requests] == ["CreateTable", "PutItem", "UpdateItem", "DeleteTable"]


def test_a_deleted_table_is_waited_for(fake: Fake) -> None:
    delete = {"index": 3, "operation": "DeleteTable", "body": {"TableName": "${table:t0}"}, "reply": {"success": {}}}
    replay(replace(DATA, program=(CREATE, delete, PUT)), fake)
    assert [operation for operation, _ in fake.requests] == [
        "CreateTable", "DescribeTable", "DeleteTable", "DescribeTable", "PutItem", "DeleteTable",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {}), SHOWS),
        (refusal("ValidationException", EMPTY_KEY), GONE),
        (refusal("ValidationException", "an EMPTY STRING will not do"), GONE),
        (refusal("ValidationException", "no"), SHOWS),
        (refusal("ResourceNotFoundException", EMPTY_KEY), SHOWS),
        (None, CANNOT_TELL),
        (b"<html>", CANNOT_TELL),
    ],
)
def test_a_missing_refusal(fake: Fake, answer: Any, code: int) -> None:
    fake.answers["PutItem"] = lambda body: answer
    assert replay(ACCEPTS, fake) == code
    assert not fake.tables


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("ThrottlingException", "slow down"), CANNOT_TELL),
        ((500, {}), CANNOT_TELL),
        (None, CANNOT_TELL),
        ((200, {}), SHOWS),
    ],
)
def test_a_step_before_the_last_that_goes_otherwise_tells_nothing(fake: Fake, answer: Any, code: int) -> None:
    fake.answers["PutItem"] = lambda body: answer
    assert replay(DATA, fake) == code
    assert not fake.tables


def test_a_refused_step_must_be_refused_alike(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    code = "ConditionalCheckFailedException"
    refused = {**PUT, "reply": {"refusal": {"code": code, "message": "x", "status": 400}}}
    finding = replace(DATA, program=(CREATE, refused, DATA.program[2]))
    assert replay(finding, fake) == CANNOT_TELL
    assert f"PutItem was answered with {code} when this was found" in capsys.readouterr().out
    fake.answers["PutItem"] = lambda body: refusal(code, "other words")
    assert replay(finding, fake) == SHOWS


def test_a_step_that_goes_as_with_dynamodb_does_not_come_to_the_divergence(fake: Fake) -> None:
    due = "ValidationException"
    wrong = {**PUT, "notes": {"due": due}}
    finding = replace(DATA, program=(CREATE, wrong, DATA.program[2]))
    assert "due" not in filling(DATA)["steps"][1]
    assert filling(finding)["steps"][1]["due"] == due
    fake.answers["PutItem"] = lambda body: refusal(due, "not so")
    assert replay(finding, fake) == GONE
    assert replay(DATA, fake) == CANNOT_TELL
    fake.answers["PutItem"] = lambda body: refusal("ThrottlingException", "slow down")
    assert replay(finding, fake) == CANNOT_TELL
    fake.answers["PutItem"] = lambda body: (200, {})
    assert replay(finding, fake) == SHOWS


def test_references_to_replies_are_bound(fake: Fake) -> None:
    scan = {"index": 1, "operation": "Scan", "body": {"TableName": "${table:t0}", "Limit": 1}, "reply": {"success": {}}}
    last = {
        "index": 2,
        "operation": "Scan",
        "body": {
            "TableName": "${arn:t0}",
            "ExclusiveStartKey": "${reply:1:LastEvaluatedKey}",
            "FilterExpression": "${lit:$}{table:t0}",
            "Token": "${token:a}",
        },
    }
    fake.answers["Scan"] = lambda body: (200, {"LastEvaluatedKey": {"pk": {"S": "a"}}})
    replay(replace(DATA, program=(CREATE, scan, last)), fake)
    name = fake.requests[0][1]["TableName"]
    sent = fake.requests[-2][1]
    assert sent["TableName"] == f"arn:real:{name}"
    assert sent["ExclusiveStartKey"] == {"pk": {"S": "a"}}
    assert sent["FilterExpression"] == "${table:t0}"
    assert len(sent["Token"]) == 36
    fake.answers["Scan"] = lambda body: (200, {})
    assert replay(replace(DATA, program=(CREATE, scan, last)), fake) == CANNOT_TELL


def test_names_in_accepted_replies_are_bound(fake: Fake) -> None:
    message = "Requested resource not found: Table: ${table:t9} not found"
    finding = replace(
        ACCEPTS,
        program=(CREATE, {**PUT, "body": {"TableName": "${table:t9}", "Item": {}}}),
        accepted=({"refusal": {"code": "ResourceNotFoundException", "message": message}},),
    )
    assert replay(finding, fake) == GONE


def test_signed_like_boto3_and_with_the_streams_prefix(fake: Fake) -> None:
    last = {"index": 1, "operation": "ListStreams", "body": {"TableName": "${table:t0}"}}
    replay(replace(DATA, program=(CREATE, last)), fake)
    sent = dict(fake.headers[-2])
    assert sent["X-Amz-Target"] == "DynamoDBStreams_20120810.ListStreams"
    assert sent["Content-Type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=dynoracle/\d{8}/us-east-1/dynamodb/aws4_request, "
        r"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}",
        sent["Authorization"],
    )


def test_raw_requests_are_sent_as_they_are(fake: Fake) -> None:
    raw = {"headers": [["Content-Type", None], ["X-Odd", "1"], ["X-Odd", "2"]], "body": "[[[", "signed": False}
    replay(replace(CRASH, program=({**CRASH.program[0], "raw": raw},)), fake)
    assert fake.requests == [("PutItem", b"[[[")]
    names = [name.lower() for name, _ in fake.headers[0]]
    assert "content-type" not in names
    assert "authorization" not in names
    assert [value for name, value in fake.headers[0] if name.lower() == "x-odd"] in (["1", "2"], ["1, 2"])


def test_a_given_date_is_signed(fake: Fake) -> None:
    raw = {"headers": [["X-Amz-Date", "20200101T000000Z"]]}
    replay(replace(CRASH, program=({**CRASH.program[0], "raw": raw},)), fake)
    sent = dict(fake.headers[0])
    assert sent["X-Amz-Date"] == "20200101T000000Z"
    assert "/20200101/us-east-1/dynamodb/" in sent["Authorization"]


def test_exact_requests_are_sent_byte_for_byte(fake: Fake) -> None:
    exact = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 2\r\n\r\n{}"
    assert replay(replace(CRASH, program=({**CRASH.program[0], "raw": {"exact": exact}},)), fake) == SHOWS
    assert fake.requests == [("PutItem", {})]
    assert [name for name, _ in fake.headers[0]] == ["Host", "X-Amz-Target", "Content-Length"]


def test_a_lost_answer_shows_where_it_was_found_lost(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answers["PutItem"] = lambda body: None
    assert replay(CRASH, fake) == SHOWS
    fake.answers["PutItem"] = lambda body: refusal("SerializationException", "x")
    assert replay(CRASH, fake) == GONE
    fake.answers["PutItem"] = lambda body: refusal("ValidationException", "x")
    assert replay(CRASH, fake) == SHOWS
    assert "it still diverges, but was found with lost" in capsys.readouterr().out


def test_an_endpoint_that_is_not_there_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert template.main(["--endpoint-url", f"http://127.0.0.1:{port}"], filling(CRASH)) == CANNOT_TELL
    assert "the endpoint cannot be reached" in capsys.readouterr().out


def test_an_endpoint_that_ended_meanwhile_is_a_lost_answer(fake: Fake) -> None:
    finding = replace(CRASH, program=(*DATA.program[:2], {**CRASH.program[0], "index": 9}))

    class Ended(template.Endpoint):
        def send(self, step: Mapping[str, Any], body: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
            if step.get("index") == 9:
                raise template.Unreachable("connection refused")
            return super().send(step, body, raw)

    assert template.Replay(Ended(fake.url, "us-east-1", 5.0), filling(finding)).run() == SHOWS


def test_a_wrong_endpoint_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert template.main(["--endpoint-url", "127.0.0.1:8000"], filling(DATA)) == CANNOT_TELL
    assert "it must look like http://127.0.0.1:8000" in capsys.readouterr().out


@pytest.mark.parametrize("finding", [DATA, ACCEPTS, CRASH])
def test_the_script_stands_alone(fake: Fake, tmp_path: Path, finding: Finding) -> None:
    text = script(replace(finding, notes={**finding.notes, "endpoint": fake.url}))
    assert "import conformance" not in text
    assert "from conformance" not in text
    fake.answers["UpdateItem"] = updated("1", ["x", "y"])
    fake.answers["PutItem"] = lambda body: (200, {})
    (tmp_path / "reproduce.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "reproduce.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (SHOWS, "")
    assert f"{finding.rule}: {finding.says}" in ran.stdout
    assert not fake.tables


def test_the_script_is_plain_text_whatever_a_target_said() -> None:
    finding = replace(
        DATA, summary=HOSTILE, says=hostile(DATA.says), accepted=hostile(DATA.accepted),
        expected=hostile(DATA.expected), observed=hostile(DATA.observed), notes=hostile({"endpoint": "http://127.0.0.1:1"}),
    )  # fmt: skip
    text = script(finding)
    compile(text, "reproduce.py", "exec")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert filling(finding)["observed"] == finding.observed


def test_deep_answers_do_not_break_the_script() -> None:
    value: Any = {"S": "x"}
    for _ in range(90):
        value = {"L": [value]}
    text = script(replace(DATA, expected={"success": value}, observed={"success": value}, accepted=()))
    names: dict[str, Any] = {"__name__": "reproduce"}
    exec(compile(text, "reproduce.py", "exec"), names)
    assert names["FINDING"]["accepted"] == [{"success": value}]
    assert names["bind"]("${table:t0}", {"table:t0": "x"}, {}) == "x"


def success(body: Any) -> dict[str, Any]:
    return {"success": body}


@pytest.mark.parametrize(
    ("expected", "observed", "look", "same"),
    [
        ({"Item": {"n": {"N": "1.0"}}}, {"Item": {"n": {"N": "1"}}}, {}, True),
        ({"Item": {"n": {"N": "1.0"}}}, {"Item": {"n": {"N": "1"}}}, {"exact": True}, False),
        ({"Item": {"n": {"N": "1e2"}}}, {"Item": {"n": {"N": "100"}}}, {}, True),
        ({"Item": {"n": {"N": "0.0"}}}, {"Item": {"n": {"N": "-0"}}}, {}, True),
        (
            {"Item": {"n": {"N": "12345678901234567890123456789012345678"}}},
            {"Item": {"n": {"N": "12345678901234567890123456789012345679"}}},
            {},
            False,
        ),
        ({"Item": {"n": {"N": "1"}}}, {"Item": {"n": {"N": "NaN"}}}, {}, False),
        ({"Item": {"n": {"N": "1"}}}, {"Item": {"n": {"N": 1}}}, {}, False),
        ({"Item": {"n": {"NS": ["1", "2"]}}}, {"Item": {"n": {"NS": ["2.0", "1"]}}}, {}, True),
        ({"Item": {"n": {"SS": ["a", "b"]}}}, {"Item": {"n": {"SS": ["b", "a"]}}}, {}, True),
        ({"Item": {"n": {"SS": ["a", "b"]}}}, {"Item": {"n": {"SS": ["a", "a", "b"]}}}, {}, False),
        ({"Item": {"n": {"L": [{"S": "a"}, {"S": "b"}]}}}, {"Item": {"n": {"L": [{"S": "b"}, {"S": "a"}]}}}, {}, False),
        ({"Item": {"N": {"S": "1.0"}}}, {"Item": {"N": {"S": "1"}}}, {}, False),
        ({"Count": 1}, {"Count": 1.0}, {}, True),
        ({"Count": 1}, {"Count": True}, {}, False),
        ({"Item": {"b": {"BOOL": True}}}, {"Item": {"b": {"BOOL": 1}}}, {}, False),
        ({}, {"ConsumedCapacity": {"CapacityUnits": 1}}, {}, True),
        ({}, {"ConsumedCapacity": {"CapacityUnits": 1}}, {"capacity": True}, False),
        ({}, {"Item": {}}, {}, False),
        ({}, None, {}, False),
        ({"A": 1, "B": 1}, {"A": 1, "B": 2}, {"compare": [["A"]]}, True),
        ({"A": 1, "B": 1}, {"A": 2, "B": 1}, {"compare": [["A"]]}, False),
        ({"A": 1}, {}, {"compare": [["A"]]}, False),
        ({"I": {"x": {"N": "1"}}}, {"I": {"y": {"N": "1"}}}, {"compare": [["I", "*"]]}, False),
        ({"I": [{"a": 1, "b": 1}]}, {"I": [{"a": 1, "b": 2}]}, {"compare": [["I", "*", "a"]]}, True),
        ({"I": [1, 2]}, {"I": [1, 3]}, {"compare": [["I", "0"]]}, True),
        ({"Items": [{"a": 1}, {"a": 2}]}, {"Items": [{"a": 2}, {"a": 1}]}, {}, False),
        ({"Items": [{"a": 1}, {"a": 2}]}, {"Items": [{"a": 2}, {"a": 1}]}, {"unordered": True}, True),
        ({"Items": [{"a": 1}, {"a": 2}]}, {"Items": [{"a": 2}, {"a": 2}]}, {"unordered": True}, False),
        ({"Responses": {"t": [{"a": 1}, {"a": 2}]}}, {"Responses": {"t": [{"a": 2}, {"a": 1}]}}, {}, False),
        ({"Responses": {"t": [1, 2]}}, {"Responses": {"t": [2, 1]}}, {"unordered": True}, True),
        ({"D": {"EarliestRestorableDateTime": 1.5}}, {"D": {"EarliestRestorableDateTime": 99}}, {}, True),
        ({"D": {"EarliestRestorableDateTime": 1.5}}, {"D": {"EarliestRestorableDateTime": "x"}}, {}, False),
        ({"Item": {"pk": {"S": "a"}}}, {}, {"succeeds": True}, True),
        ({"Item": {"pk": {"S": "a"}}}, {}, {}, False),
    ],
)  # fmt: skip
def test_what_is_compared(expected: Any, observed: Any, look: dict[str, Any], same: bool) -> None:
    assert template.acceptable(success(observed), success(expected), look) is same


@pytest.mark.parametrize(
    ("accepted", "observed", "same"),
    [
        ({"code": "A"}, {"code": "A", "message": "x"}, True),
        ({"code": "A"}, {"code": "B", "message": "x"}, False),
        ({"code": "A", "message": "x"}, {"code": "A", "message": "x y"}, False),
        ({"code": "A", "message": None}, {"code": "A", "message": "x"}, True),
        ({"code": "A", "message": ""}, {"code": "A", "message": None}, True),
        ({"code": "A", "message_pattern": "x.y"}, {"code": "A", "message": "a x\ny b"}, True),
        ({"code": "A", "message_pattern": "^x$"}, {"code": "A", "message": "x y"}, False),
        (
            {"code": "A", "fields": {"Item": {"n": {"N": "1"}}}},
            {"code": "A", "fields": {"Item": {"n": {"N": "1.0"}}}},
            True,
        ),
        ({"code": "A", "fields": {"Item": {"n": {"N": "1"}}}}, {"code": "A", "fields": {"Item": {}}}, False),
        ({"code": "A", "fields": {"Item": {}}}, {"code": "A"}, False),
        ({"code": "A", "fields": {"Item": None}}, {"code": "A", "fields": {"Other": 1}}, True),
        ({"code": "A", "fields": {"Item": None}}, {"code": "A", "fields": {"Item": {}}}, False),
    ],
)
def test_which_refusals_are_the_same(accepted: Any, observed: Any, same: bool) -> None:
    assert template.acceptable({"refusal": observed}, {"refusal": accepted}, {}) is same
    assert template.acceptable({"success": {}}, {"refusal": accepted}, {}) is False
    assert template.acceptable({"refusal": observed}, {"success": {}}, {}) is False


def test_what_a_finding_looks_at() -> None:
    assert filling(DATA)["compare"] == [["Attributes"]]
    assert filling(replace(DATA, notes={"compare": ["Items[*].n.N", ["a.b", "N"], "$.Count"]}))["compare"] == [
        ["Items", "*", "n"], ["a.b"], ["Count"],
    ]  # fmt: skip
    assert "compare" not in filling(replace(DATA, notes={"compare": ["*"]}))
    assert filling(replace(DATA, path="Item.*.N:spelling"))["exact"] is True
    assert filling(replace(DATA, path="ConsumedCapacity.CapacityUnits:value"))["capacity"] is True
    scan = {**PUT, "operation": "Scan"}
    assert filling(replace(DATA, program=(CREATE, scan)))["unordered"] is True
    assert "unordered" not in filling(replace(DATA, program=(CREATE, scan), path="Items:order"))
    assert (
        filling(replace(DATA, notes={"target": {"endpoint": "http://localhost:1"}}))["endpoint"] == "http://localhost:1"
    )


def test_a_column_in_a_message_depends_on_how_long_a_tables_name_is() -> None:
    text = "The first argument to SET_ADD must equal the assignment value at 1:45:7"
    accepted = ({"refusal": {"code": "A", "message": text, "status": 400}},)
    (found,) = filling(replace(DATA, severity="accepts", expected=accepted[0], accepted=accepted))["accepted"]
    assert template.same_refusal({"code": "A", "message": text.replace("45", "50")}, found["refusal"], {})
    assert not template.same_refusal({"code": "A", "message": text.replace("first", "second")}, found["refusal"], {})


def test_what_must_succeed_is_gone_when_it_does() -> None:
    assert filling(replace(DATA, severity="refuses"))["succeeds"] is True
    assert "succeeds" not in filling(DATA)
    assert "succeeds" not in filling(replace(DATA, severity="refuses", expected={"refusal": {"code": "A"}}))


def test_further_members_of_an_error_count_where_the_finding_is_about_them() -> None:
    expected = {"refusal": {"code": "A", "message": "m", "status": 400, "fields": {"Item": {"pk": {"S": "a"}}}}}
    accepted = ({"refusal": {"code": "A", "message": "m"}},)
    found = filling(replace(DATA, expected=expected, accepted=accepted))["accepted"]
    assert found == [{"refusal": {"code": "A", "message": "m", "fields": {"Item": {"pk": {"S": "a"}}}}}]
    turned = replace(DATA, expected={"refusal": {"code": "A"}}, observed=expected, accepted=accepted)
    assert filling(turned)["accepted"] == [{"refusal": {"code": "A", "message": "m", "fields": {"Item": None}}}]
    spelt = {"code": "A", "fields": {"Item": {"n": {"N": "1.0"}}}}, {"code": "A", "fields": {"Item": {"n": {"N": "1"}}}}
    assert template.same_refusal(*spelt, {})
    assert not template.same_refusal(*spelt, {"exact": True})
    assert filling(replace(DATA, severity="message", expected=expected, accepted=accepted))["accepted"] == list(
        accepted
    )


def test_credentials_are_made_up_on_this_machine_only() -> None:
    for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1"):
        assert template.is_loopback(host)
    for host in ("dynamodb.us-east-1.amazonaws.com", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org"):
        assert not template.is_loopback(host)


def test_what_is_printed_is_short_and_what_is_compared_is_whole(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    long, many = "x" * 50_000, [str(n) for n in range(1000)]
    wanted = {"Attributes": {"v": {"S": long + "a"}, "l": {"SS": many}}}
    finding = replace(
        DATA, expected={"success": wanted}, accepted=({"success": wanted},), observed={"success": {"Attributes": {}}},
        summary="UpdateItem differs: " + "y" * 5000,
    )  # fmt: skip
    for last, code in (("b", SHOWS), ("a", GONE)):
        fake.answers["UpdateItem"] = lambda _, last=last: (
            200, {"Attributes": {"v": {"S": long + last}, "l": {"SS": many}}},
        )  # fmt: skip
        assert replay(finding, fake) == code
        text = capsys.readouterr().out
        assert len(text) < 5_000
        assert max(map(len, text.splitlines())) < 400
        assert "(50001 characters)" in text
        assert "... 980 more" in text


def test_shortened_values_stay_bounded() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = {"L": [deep]}
    assert len(str(template.short(deep))) < 200
    assert template.short({str(n): n for n in range(30)})["..."] == "10 more"
    assert template.short([1, None, True, "a"]) == [1, None, True, "a"]
