"""Which rule a refusal or its words are blamed on, found out on emulators' answers that were looked through by hand."""

from __future__ import annotations

import pytest

from conformance.oracle.about import main_rule
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import Latitude
from conformance.oracle.order import constrains
from conformance.search.findings import unsettled
from conformance.session import crash
from conformance.targets.profile import Profile
from reference.api import Call, Json, Lost, Refusal, Success
from reference.rules import ledger
from tests.unit.oracle_bench import KEY, QUERY, Bench, call, n, put, refusal, update

EVERYTHING = {"Projection": {"ProjectionType": "ALL"}}
CANCELLED = refusal("Transaction cancelled [ValidationError]", "TransactionCanceledException")


def transact(*actions: Json) -> Call:
    return Call("TransactWriteItems", {"TransactItems": list(actions)})


def an_update(**members: Json) -> Json:
    return {"Update": {"TableName": "music", "Key": KEY, **members}}


def test_whether_a_fault_that_nobody_recorded_cancels_a_transaction_is_not_settled() -> None:
    target = Bench(gsi=["by_g=g:S"])
    read = {"Get": {"TableName": "music", "Key": KEY, "ProjectionExpression": "g.x"}}
    words = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g"
    found = target.faults(Call("TransactGetItems", {"TransactItems": [read]}), refusal(words))
    assert found.rule == "indexes.nested-key-path"
    assert unsettled(ledger()[found.rule], found)


def test_a_token_may_be_looked_at_before_the_actions() -> None:
    asked = transact(an_update(UpdateExpression="ADD v :v", ExpressionAttributeValues={":v": {"S": "a"}}))
    asked = Call(asked.operation, {**asked.body, "ClientRequestToken": "t"})
    mismatch = refusal("An error occurred", "IdempotentParameterMismatchException")
    assert Bench().judge(asked, mismatch).ruling == "unknown"


@pytest.mark.parametrize(
    "action",
    [
        an_update(UpdateExpression="REMOVE v REMOVE w"),
        {"Put": {"TableName": "music", "Item": {**KEY, "v": {"SS": []}}}},
        {"Delete": {"TableName": "bad!name", "Key": KEY}},
    ],
    ids=["expression", "value", "name"],
)
def test_a_request_that_is_wrong_in_itself_cancels_nothing(action: Json) -> None:
    found = Bench().faults(transact(action), CANCELLED)
    assert (found.rule, found.severity) == ("transactions.refused-whole", "error")
    assert found.path == "code:TransactionCanceledException"


def test_an_item_named_twice_that_is_looked_at_all_the_same() -> None:
    # DynamoDB Local evaluates both actions.
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    twice = [{"Delete": {"TableName": "music", "Key": KEY}}, an_update(UpdateExpression="REMOVE v")]
    cancelled = refusal("Transaction cancelled", "TransactionCanceledException", CancellationReasons=reasons)
    assert Bench().faults(transact(*twice), cancelled).rule == "transactions.duplicate-target"


def test_a_fault_of_the_run_that_is_told_of_the_whole_request() -> None:
    # DynamoDB Local does not cancel for what an update meets.
    target = Bench()
    target.lawful(put(v=n("9e125")))
    text = "Number overflow. Attempting to store a number with magnitude larger than supported range"
    action = an_update(UpdateExpression="ADD v :v", ExpressionAttributeValues={":v": n("9e125")})
    found = target.faults(transact(action), refusal(text))
    assert (found.rule, found.path) == ("transactions.cancelled", "code:ValidationException")


def test_deep_values_that_are_taken_for_no_json() -> None:
    value: Json = n(1)
    for _ in range(100):
        value = {"L": [value]}
    found = Bench().faults(put(v=value), Refusal("SerializationException", None))
    assert (found.rule, found.severity) == ("wire.deep-json", "error")


def test_a_constraint_that_is_met_is_no_reason() -> None:
    # dynalite asks for units of an index of an on-demand table.
    text = "1 validation error detected: Value null at 'create.provisionedThroughput' failed to satisfy constraint: "
    creates = [
        {"Create": {"IndexName": f"by_{name}", "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}], **EVERYTHING}}
        for name in "hi"
    ]
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "h", "i")]
    asked = call("UpdateTable", GlobalSecondaryIndexUpdates=creates, AttributeDefinitions=types)
    found = Bench().faults(asked, refusal(text + "Member must not be null"))
    assert (found.rule, found.path) == ("wire.null", "untrue")
    rules = ledger()
    assert constrains(rules["wire.null"], rules["indexes.one-online"])
    assert not constrains(rules["wire.null"], rules["wire.enum"])


def test_words_of_legacy_parameters_where_none_are() -> None:
    asked = call(
        "Query",
        KeyConditionExpression="pk = :p AND sk = :x",
        ExpressionAttributeValues={":p": {"S": "a"}, ":x": {"BOOL": True}},
    )
    text = "One or more parameter values were invalid: ComparisonOperator EQ is not valid for BOOL AttributeValue type"
    found = Bench(key="pk:S,sk:S").faults(asked, refusal(text))
    assert (found.rule, found.severity) == ("expressions.key-condition-type", "message")


@pytest.mark.parametrize(
    "text",
    [
        "Invalid table/index name.  Table/index names must be between 3 and 255 characters long",
        "1 validation error detected: Value 'arn:x' at 'tableName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z0-9_.-]+",
    ],
)
def test_an_arn_is_a_name(text: str) -> None:
    target = Bench()
    account = target.oracle.model.account
    arn = f"arn:aws:dynamodb:{account.region}:{account.account_id}:table/music"
    found = target.faults(Call("GetItem", {"TableName": arn, "Key": KEY}), refusal(text))
    assert (found.rule, found.severity, found.path) == ("wire.table-arn", "refuses", "code:ValidationException")


def test_a_missing_operation_is_one_finding() -> None:
    unknown = refusal("", "UnknownOperationException")
    target = Bench()
    found = [
        target.faults(transact(an_update(UpdateExpression=text)), unknown)
        for text in ("SET a = pk", "SET a", "REMOVE b")
    ]
    assert {(d.rule, d.severity, d.path) for d in found} == {("transactions.write-result", "unsupported", "")}


def test_an_operation_that_was_found_missing_is_missing_whatever_is_said() -> None:
    # moto answers what it has not implemented with HTTP 500; only its log tells.
    target = Bench(Latitude.of(Profile(unsupported=frozenset({"ListGlobalTables", "UpdateItem"}))))
    asked = Call("ListGlobalTables", {})
    lost = crash(asked, Lost("garbage: status 500: not JSON: 'oops'"), target.oracle)
    said = [target.faults(asked, refusal("", "InternalError", 500)), lost]
    said.append(target.faults(Call("ListGlobalTables", {"Limit": 0}), refusal("", "InternalError", 500)))
    assert {(d.rule, d.severity, d.path) for d in said} == {("global-tables.list", "unsupported", "")}
    assert crash(update("SET a = b"), Lost("timeout"), target.oracle).severity == "crash"


@pytest.mark.parametrize(
    ("operation", "rules", "main"),
    [
        ("ExecuteStatement", ("partiql.write-answer", "partiql.update-existing"), "partiql.write-answer"),
        ("ExecuteStatement", ("partiql.select",), "partiql.select"),
        ("ListStreams", (), "streams.list-pages"),
        ("DescribeImport", (), "transfer.import-answer"),
        ("AssumeRole", (), "wire.no-content"),
    ],
)
def test_the_rule_about_an_operation_as_a_whole(operation: str, rules: tuple[str, ...], main: str) -> None:
    assert main_rule(operation, rules) == main


def test_scans_words_of_newer_regions() -> None:
    # conflicts.md 17: the newest captures of Scan have what single-item writes put before their words.
    target = Bench()
    asked = call("Scan", FilterExpression="attribute_exists(v)", ExpressionAttributeValues={})
    text = "ExpressionAttributeValues must not be empty"
    target.accepts(asked, refusal(text))
    target.accepts(asked, refusal(f"1 validation error detected: {text}"))
    assert target.faults(asked, refusal(f"2 validation errors detected: {text}")).severity == "message"
    asked = call("Query", FilterExpression="attribute_exists(v)", **{**QUERY, "ExpressionAttributeValues": {}})
    assert target.faults(asked, refusal(f"1 validation error detected: {text}")).severity == "message"


def test_a_quota_is_the_accounts() -> None:
    # dataplane:OPEN-25: AWS raises quotas, so that going beyond one is no bug.
    asked = call("UpdateTable", OnDemandThroughput={"MaxReadRequestUnits": 40_001})
    for reply in (Success({"TableDescription": {}}), refusal("Nothing to update")):
        assert Bench().judge(asked, reply).divergence is None


# --- what is settled --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "severity", "open_question"),
    [
        ("expressions.misused-function", "message", True),
        ("expressions.misused-function", "accepts", False),
        ("wire.batch-write-total", "message", True),
        ("wire.batch-write-total", "accepts", False),
        ("keys.schema-mismatch", "message", False),
        ("account.table-units", "accepts", True),
        ("values.null-member", "accepts", True),
        ("values.null-member", "crash", False),
    ],
)
def test_words_are_settled_by_recorded_words_only(rule: str, severity: str, open_question: bool) -> None:
    divergence = Divergence("PutItem", rule, severity, "", "", Success({}), Success({}))
    assert unsettled(ledger()[rule], divergence) == open_question


@pytest.mark.parametrize(
    ("rule", "severity", "code", "open_question"),
    [
        ("expressions.misused-function", "precedence", "ValidationException", True),
        ("expressions.misused-function", "error", "ValidationException", True),
        ("expressions.misused-function", "error", "InternalFailure", False),
        ("keys.schema-mismatch", "error", "ValidationException", False),
        ("keys.schema-mismatch", "precedence", "ValidationException", False),
    ],
)
def test_another_reason_is_settled_where_the_words_that_were_due_are_recorded(
    rule: str, severity: str, code: str, open_question: bool
) -> None:
    due = Refusal("ValidationException", "due", 400, rules=(rule,))
    divergence = Divergence("PutItem", rule, severity, "", "", due, Refusal(code, "another", 400))
    assert unsettled(ledger()[rule], divergence) == open_question


def test_words_about_a_statement_of_a_batch_are_words() -> None:
    # conflicts.md G3: text and kind are two things.
    target = Bench()
    asked = Call("BatchExecuteStatement", {"Statements": [{"Statement": 'SELECT * FROM "music" WHERE v = 1'}]})
    error = {"Code": "ValidationError", "Message": "Only single item select is supported"}
    found = target.faults(asked, {"Responses": [{"Error": error}]})
    assert (found.severity, found.path) == ("message", "Responses.*.Error.Message:value")
