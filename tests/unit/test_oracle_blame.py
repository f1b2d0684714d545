"""Which rule a difference is blamed on, found out on emulators' answers that were looked through by hand."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle import planes_blame
from conformance.oracle.compare import Difference
from reference.api import Call, Json, Refusal, Success
from reference.operations.base import Outcome
from tests.unit.oracle_bench import KEY, QUERY, Bench, call, get, n, put, refusal, update

GET = get()
LSI: dict[str, Any] = {"key": "pk:S,sk:S", "lsi": ["local=pk:S,l:S/KEYS_ONLY"]}


def test_an_attribute_is_the_doing_of_the_update_that_wrote_it() -> None:
    # dynalite shifts a list wrongly; a later update of another attribute has nothing to do with it.
    target = Bench()
    target.lawful(put(b={"L": [n(1), n(2), n(3)]}))
    target.lawful(update("REMOVE b[0], b[2]"))
    target.lawful(update("ADD h :v", {":v": n(1)}))
    found = target.faults(GET, {"Item": {**KEY, "b": {"L": [n(2), n(3)]}, "h": n(1)}})
    assert (found.operation, found.rule, found.path) == ("UpdateItem", "expressions.remove", "item.*.L:more")


def test_an_update_that_copies_an_attribute_onto_itself_wrote_nothing() -> None:
    # Dynoxide pads a list.
    target = Bench()
    target.lawful(put(c={"L": []}))
    target.lawful(update("SET c[3] = :v", {":v": n(1)}))
    target.lawful(update("SET c = c"))
    shown = {"Item": {**KEY, "c": {"L": [{"NULL": True}, n(1)]}}}
    assert target.faults(GET, shown).rule == "expressions.list-append-past-end"


def test_what_a_set_reads_is_what_was_there_before_the_update() -> None:
    # dynalite stores what another attribute holds by reference.
    target = Bench()
    target.lawful(put(c={"SS": ["a"]}))
    target.lawful(update("SET b = if_not_exists(c, :w) ADD c :v", {":v": {"SS": ["b"]}, ":w": {"SS": ["w"]}}))
    both = {"SS": ["a", "b"]}
    assert target.faults(GET, {"Item": {**KEY, "b": both, "c": both}}).rule == "expressions.reads-before"


def test_what_a_read_has_shown_right_is_no_earlier_writes_doing() -> None:
    target = Bench()
    target.lawful(put(b={"L": [n(1), n(2)]}))
    target.lawful(update("REMOVE b[0]"))
    target.lawful(GET)
    target.lawful(update("SET h = :v", {":v": n(1)}))
    found = target.faults(GET, {"Item": {**KEY, "b": {"L": [n(7)]}, "h": n(1)}})
    assert found.rule == "expressions.reads-before"


def test_a_refused_write_does_not_hide_the_one_that_created_what_it_should_not() -> None:
    # DynamoDB Local creates an item by REMOVE.
    target = Bench()
    target.lawful(update("REMOVE g"))
    failing = update("SET b = c")
    target.accepts(failing, refusal("The provided expression refers to an attribute that does not exist in the item"))
    found = target.faults(call("Scan"), {"Items": [KEY], "Count": 1, "ScannedCount": 1})
    assert (found.operation, found.rule, found.path) == ("UpdateItem", "items.removal-creates-nothing", "item:created")


def test_a_condition_that_would_hold_for_an_item_of_a_removal_tells_of_the_removal() -> None:
    # DynamoDB Local.
    exists, missing = "attribute_exists(pk)", "attribute_not_exists(pk)"
    failed = Refusal("ConditionalCheckFailedException", "The conditional request failed")
    for asked, answer in ((exists, Success({})), (missing, failed)):
        target = Bench()
        target.lawful(update("REMOVE g"))
        found = target.faults(call("DeleteItem", Key=KEY, ConditionExpression=asked), answer)
        assert (found.operation, found.rule, found.path) == (
            "UpdateItem",
            "items.removal-creates-nothing",
            "item:created",
        )


@pytest.mark.parametrize("before", [put(), update("REMOVE g")], ids=["there", "a condition on more than the key"])
def test_a_condition_that_an_item_of_a_removal_would_not_fulfil_is_wrong_itself(before: Call) -> None:
    target = Bench()
    target.lawful(before)
    found = target.faults(call("DeleteItem", Key=KEY, ConditionExpression="attribute_exists(g)"), {})
    assert (found.operation, found.rule) == ("DeleteItem", "expressions.existence")


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        (
            Call("BatchGetItem", {"RequestItems": {"music": {"Keys": [KEY]}}}),
            {"Responses": {"music": [KEY]}, "UnprocessedKeys": {}},
        ),
        (
            Call("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "music", "Key": KEY}}]}),
            {"Responses": [{"Item": KEY}]},
        ),
        (call("Scan", FilterExpression="pk < pk2"), {"Items": [], "Count": 0, "ScannedCount": 1}),
    ],
    ids=["BatchGetItem", "TransactGetItems", "counted before the filter"],
)
def test_an_item_created_by_a_removal_is_known_in_whatever_shows_it(read: Call, shown: Json) -> None:
    target = Bench()
    target.lawful(update("REMOVE v"))
    found = target.faults(read, shown)
    assert (found.operation, found.rule, found.path) == ("UpdateItem", "items.removal-creates-nothing", "item:created")


def test_an_item_created_by_a_removal_is_known_in_a_failed_condition() -> None:
    target = Bench()
    target.lawful(update("REMOVE v"))
    asked = call(
        "DeleteItem",
        Key=KEY,
        ConditionExpression="attribute_exists(h)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    failed = refusal("The conditional request failed", "ConditionalCheckFailedException", Item=KEY)
    found = target.faults(asked, failed)
    assert (found.operation, found.rule, found.path) == ("UpdateItem", "items.removal-creates-nothing", "item:created")


def test_a_stream_that_can_not_be_found_has_nothing_to_do_with_policies() -> None:
    # Dynoxide forgets a stream as soon as it is disabled, in words of its own.
    target = Bench()
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    made = target.lawful(call("UpdateTable", StreamSpecification=on))
    arn = made["TableDescription"]["LatestStreamArn"]
    words = f"Requested resource not found: Stream: {arn}"
    found = target.faults(Call("DescribeStream", {"StreamArn": arn}), refusal(words, "ResourceNotFoundException"))
    assert (found.rule, found.severity) == ("streams.description", "refuses")


def test_empty_attributes_are_no_created_item() -> None:
    # dynalite answers an empty Attributes instead of none.
    target = Bench()
    found = target.faults(update("REMOVE v", ReturnValues="UPDATED_NEW"), {"Attributes": {}})
    assert (found.rule, found.severity, found.path) == ("expressions.updated-values", "shape", "Attributes:extra")


def test_the_units_of_an_update_that_creates_nothing_are_not_recorded() -> None:
    # conflicts.md, gap 20: one unit is inferred.
    target = Bench(gsi=["turned=pk:S"])
    for units in (1, 2):
        asked = update("REMOVE v", ReturnConsumedCapacity="TOTAL")
        target.accepts(asked, {"ConsumedCapacity": {"TableName": "music", "CapacityUnits": units}})


@pytest.mark.parametrize(("on_table", "lawful"), [(0, True), (1, True), (2, False)])
def test_the_units_of_fetching_nothing_are_not_recorded(on_table: int, lawful: bool) -> None:
    target = Bench(**LSI)
    asked = call(
        "Query",
        **QUERY,
        IndexName="local",
        Select="ALL_ATTRIBUTES",
        ConsistentRead=True,
        ReturnConsumedCapacity="TOTAL",
    )
    units = {"TableName": "music", "CapacityUnits": 1 + on_table}
    verdict = target.judge(asked, {"Items": [], "Count": 0, "ScannedCount": 0, "ConsumedCapacity": units})
    assert (verdict.divergence is None) == lawful


def test_what_a_local_index_fetches() -> None:
    target = Bench(**LSI)
    target.lawful(call("PutItem", Item={**KEY, "sk": {"S": "1"}, "l": {"S": "y"}, "q": n(2)}))
    asked = call("Query", **QUERY, IndexName="local", ProjectionExpression="q, l")
    found = target.faults(asked, {"Items": [{"l": {"S": "y"}}], "Count": 1, "ScannedCount": 1})
    assert found.rule == "indexes.local-fetch"


def test_rows_that_the_key_condition_should_not_give_are_no_word_on_the_filter() -> None:
    # Dynoxide's begins_with takes capitals for small letters.
    target = Bench(key="pk:S,sk:S")
    item = {**KEY, "sk": {"S": "B"}}
    target.lawful(call("PutItem", Item=item))
    asked = call(
        "Query",
        KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
        FilterExpression="NOT b = :p",
        ExpressionAttributeValues={":p": {"S": "a"}, ":s": {"S": "b"}},
    )
    assert target.faults(asked, {"Items": [item], "Count": 1, "ScannedCount": 1}).rule == "queries.result"


@pytest.mark.parametrize("shown", [[], ["a"]], ids=["all of them", "the first alone"])
def test_conditions_joined_wrongly(shown: list[str]) -> None:
    # dynalite looks at the first condition only.
    target = Bench()
    target.lawful(put("a", v=n(1)))
    target.lawful(put("b", w=n(1)))
    conditions = {name: {"ComparisonOperator": "NOT_NULL"} for name in ("v", "w")}
    items = [{"pk": {"S": pk}, "v": n(1)} for pk in shown]
    asked = call("Scan", ScanFilter=conditions, ConditionalOperator="OR")
    found = target.faults(asked, {"Items": items, "Count": len(items), "ScannedCount": 2})
    assert found.rule == "legacy.joined"


def test_one_number_read_in_two_spellings() -> None:
    target = Bench(key="pk:N")
    target.lawful(call("PutItem", Item={"pk": n(1000)}))
    asked = Call("BatchGetItem", {"RequestItems": {"music": {"Keys": [{"pk": n(1000)}, {"pk": n("1e3")}]}}})
    rows = [{"pk": n(1000)}, {"pk": n(1000)}]
    found = target.faults(asked, {"Responses": {"music": rows}, "UnprocessedKeys": {}})
    assert found.rule == "batches.read-duplicates"


def test_an_item_shown_with_a_failed_condition_is_as_its_last_write_left_it() -> None:
    # Dynoxide pads a list, and shows it so.
    target = Bench()
    target.lawful(put(b={"L": []}))
    target.lawful(update("SET b[3] = :v", {":v": n(1)}))
    asked = call(
        "UpdateItem", Key=KEY, ConditionExpression="attribute_exists(z)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
    )
    wrong = {**KEY, "b": {"L": [{"NULL": True}, n(1)]}}
    found = target.faults(
        asked, refusal("The conditional request failed", "ConditionalCheckFailedException", Item=wrong)
    )
    assert (found.rule, found.path) == ("expressions.list-append-past-end", "item.*.L:more")


def test_empty_attributes_are_no_second_item() -> None:
    target = Bench(key="pk:N")
    target.lawful(call("PutItem", Item={"pk": n("1e1")}))
    found = target.faults(call("UpdateItem", Key={"pk": n(10)}, ReturnValues="UPDATED_NEW"), {"Attributes": {}})
    assert (found.rule, found.severity) == ("expressions.updated-values", "shape")


def test_an_item_that_is_not_shown_may_be_missing_for_its_key_or_as_a_rule() -> None:
    target = Bench(key="pk:N")
    target.lawful(call("PutItem", Item={"pk": n("1e1")}))
    asked = call(
        "UpdateItem",
        Key={"pk": n(10)},
        ConditionExpression="attribute_exists(a)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    failed = refusal("The conditional request failed", "ConditionalCheckFailedException")
    assert target.judge(asked, failed).ruling == "unknown"


def test_whether_a_page_follows_is_no_fault_of_an_answer_with_another_fault() -> None:
    # moto keeps numbers as they are spelt, and ends a Query of one page without saying where it stopped.
    target = Bench()
    target.lawful(put(v=n("1e1")))
    asked = call("Query", Limit=1, **QUERY)
    found = target.faults(asked, {"Items": [{**KEY, "v": n("1e1")}], "Count": 1, "ScannedCount": 1})
    assert (found.rule, found.severity) == ("values.number-normal-form", "shape")


def test_what_is_set_to_what_it_was_may_count_as_updated_or_not() -> None:
    # conflicts.md, gap 15: only inferred.
    target = Bench()
    target.lawful(put(b=n(1), c=n(1)))
    target.accepts(update("SET b = b", ReturnValues="UPDATED_NEW"), {"Attributes": {}})
    found = target.faults(update("SET b = :v", {":v": n(2)}, ReturnValues="UPDATED_NEW"), {"Attributes": {}})
    assert (found.rule, found.path) == ("expressions.updated-values", "item.*:missing")


@pytest.mark.parametrize(
    ("kind", "expected", "observed", "shown", "due"),
    [("value", 6, 0, {"SizeBytes": 0}, {"SizeBytes": 6}), ("missing", 6, None, {}, {"SizeBytes": 6})],
)
def test_records_are_expected_as_they_are_shown_but_for_the_differing_place(
    kind: str, expected: Json, observed: Json, shown: Json, due: Json
) -> None:
    # MiniStack: 0 for an item of 6 bytes; the numbers and identities of records are the target's own.
    record = {"eventID": "e", "dynamodb": {"SequenceNumber": "1", **shown}}
    wrong = Difference(("Records", "*", "dynamodb", "SizeBytes"), kind, expected, observed, position=0)
    target = Bench()
    asked = Call("GetRecords", {"ShardIterator": "i"})
    reply = Success({"Records": [record], "NextShardIterator": "n"})
    outcome = Outcome({"Records": []}, rules=("streams.record",))
    found = planes_blame.divergence(target.oracle.model, asked, outcome, reply, (wrong,), target.oracle.writers)
    mended = {"Records": [{"eventID": "e", "dynamodb": {"SequenceNumber": "1", **due}}], "NextShardIterator": "n"}
    assert found.expected == Success(mended)


# --- pages of statements ----------------------------------------------------------------------------------------------


def test_a_targets_own_tokens() -> None:
    target = Bench(key="pk:S,sk:S")
    for sk in "abc":
        target.lawful(call("PutItem", Item={**KEY, "sk": {"S": sk}}))
    rows = [{**KEY, "sk": {"S": sk}} for sk in "abc"]
    asked = {"Statement": "SELECT * FROM \"music\" WHERE pk = 'a'", "Limit": 1}
    for row, token in zip(rows[:2], ({}, {"NextToken": "theirs a"}), strict=True):
        page = {"Items": [row], "LastEvaluatedKey": row, "NextToken": f"theirs {row['sk']['S']}"}
        target.accepts(Call("ExecuteStatement", {**asked, **token}), page)
    again = {"Items": rows[:1], "LastEvaluatedKey": rows[0], "NextToken": "theirs b"}
    found = target.faults(Call("ExecuteStatement", {**asked, "NextToken": "theirs a"}), again)
    assert (found.rule, found.severity) == ("partiql.pages", "data")


def test_a_targets_own_token_for_another_statement() -> None:
    # Dynoxide and DynamoDB Local go on with whatever they are asked.
    target = Bench(key="pk:S,sk:S")
    for sk in "ab":
        target.lawful(call("PutItem", Item={**KEY, "sk": {"S": sk}}))
    page = {"Items": [{**KEY, "sk": {"S": "a"}}], "LastEvaluatedKey": {**KEY, "sk": {"S": "a"}}, "NextToken": "theirs"}
    target.accepts(Call("ExecuteStatement", {"Statement": "SELECT * FROM \"music\" WHERE pk = 'a'", "Limit": 1}), page)
    other = {"Statement": "SELECT v FROM \"music\" WHERE pk = 'a'", "Limit": 1, "NextToken": "theirs"}
    found = target.faults(Call("ExecuteStatement", other), {"Items": [{}]})
    assert (found.rule, found.severity) == ("partiql.next-token-mismatch", "accepts")
    other["NextToken"] = "nobody's"
    assert target.faults(Call("ExecuteStatement", other), {"Items": [{}]}).rule == "partiql.next-token"
