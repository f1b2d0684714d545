"""The oracle's word on single answers: for each severity an answer that it must fault and one that it must let pass."""

from __future__ import annotations

import pytest

from conformance.oracle.divergence import Divergence
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.oracle.sightings import sightings
from conformance.program import Program, Step
from conformance.session import Session
from reference.api import Call, Lost, Reply, Success
from tests.unit.oracle_bench import NAME, Bench, call, get, n, put, refusal

FAILED = "The conditional request failed"
EMPTY_SET = "One or more parameter values were invalid: An string set  may not be empty"
MISMATCH = "The provided key element does not match the schema"
ENVELOPE = "1 validation error detected: "


def seen(found: Divergence) -> tuple[str, str, str]:
    return found.severity, found.rule, found.path


class TestAccepts:
    def test_what_must_be_refused_is_accepted(self) -> None:
        assert seen(Bench().faults(put(v={"SS": []}), {})) == ("accepts", "values.empty-string-set", "")

    def test_it_is_refused(self) -> None:
        Bench().accepts(put(v={"SS": []}), refusal(ENVELOPE + EMPTY_SET))

    def test_a_failed_condition_is_overlooked(self) -> None:
        found = Bench().faults(
            call("DeleteItem", Key={"pk": {"S": "a"}}, ConditionExpression="attribute_exists(pk)"), {}
        )  # fmt: skip
        # Blamed on what the condition is about, not on conditions as such.
        assert seen(found) == ("accepts", "expressions.existence", "")


class TestRefuses:
    def test_a_known_reason_that_is_not_true(self) -> None:
        assert seen(Bench().faults(get(), refusal(MISMATCH))) == ("refuses", "keys.schema-mismatch", "untrue")

    def test_a_reason_that_nobody_knows(self) -> None:
        found = Bench().faults(put(), refusal("I would rather not"))
        assert (found.severity, found.path) == ("refuses", "code:ValidationException")

    def test_the_same_reason_where_it_is_true(self) -> None:
        Bench().accepts(call("GetItem", Key={"other": {"S": "a"}}), refusal(MISMATCH))

    def test_a_refused_write_has_no_effect(self) -> None:
        bench = Bench()
        bench.faults(put(v=n(1)), refusal("I would rather not"))
        # The oracle goes on as if the write had taken effect: whether it did is for the session to find out.
        assert bench.oracle.model.account.tables["music"].get({"pk": {"S": "a"}}) is None


class TestError:
    def test_another_code(self) -> None:
        missing = Call("GetItem", {"TableName": "nowhere", "Key": {"pk": {"S": "a"}}})
        found = Bench().faults(missing, refusal("Cannot do that", "InternalError"))
        assert seen(found) == ("error", "items.table-missing", "code:InternalError")

    def test_another_status(self) -> None:
        bench = Bench()
        bench.lawful(put())
        again = call("PutItem", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")
        found = bench.faults(again, refusal(FAILED, "ConditionalCheckFailedException", 500))
        assert seen(found) == ("error", "items.condition-failed", "status")

    def test_the_right_one(self) -> None:
        missing = Call("GetItem", {"TableName": "nowhere", "Key": {"pk": {"S": "a"}}})
        Bench().accepts(missing, refusal("Requested resource not found", "ResourceNotFoundException"))

    def test_a_reason_that_is_not_true_beside_one_that_is(self) -> None:
        # The key is as it should be; what is wrong is that the item is not there.
        asked = call("DeleteItem", Key={"pk": {"S": "a"}}, ConditionExpression="attribute_exists(pk)")
        found = Bench().faults(asked, refusal(MISMATCH))
        assert seen(found)[0] == "error"


class TestPrecedence:
    ASKED = call("DeleteItem", Key={"other": {"S": "a"}}, ConditionExpression="v =")
    SYNTAX = ENVELOPE + 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'

    def test_what_is_checked_later_is_told_first(self) -> None:
        found = Bench().faults(self.ASKED, refusal(MISMATCH))
        assert seen(found) == ("precedence", "expressions.syntax", "keys.schema-mismatch")

    def test_what_is_checked_first_is_told_first(self) -> None:
        Bench().accepts(self.ASKED, refusal(self.SYNTAX))


class TestMessage:
    ASKED = call("GetItem", Key={"other": {"S": "a"}})

    def test_other_words(self) -> None:
        assert seen(Bench().faults(self.ASKED, refusal("That is no key"))) == (
            "message", "keys.schema-mismatch", "message",
        )  # fmt: skip

    def test_its_own_words(self) -> None:
        Bench().accepts(self.ASKED, refusal(MISMATCH))

    def test_two_cohorts_in_one_target(self) -> None:
        asked = call("Scan", Segment=2, TotalSegments=2)
        newer = "The Segment parameter is zero-based and must be less than parameter TotalSegments"
        older = f"{newer}: Segment: 2 is not less than TotalSegments: 2"
        for first, second in ((newer, older), (older, newer)):
            bench = Bench()
            bench.accepts(asked, refusal(first))
            bench.accepts(asked, refusal(first))
            found = bench.faults(asked, refusal(second))
            assert seen(found) == ("message", "scans.segment-range", "cohort")


class TestData:
    def test_a_wrong_value(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n(1)))
        found = bench.faults(get(), {"Item": {"pk": {"S": "a"}, "v": n(2)}})
        # Not the read is to blame but the write that it shows.
        assert (found.severity, found.operation, found.rule) == ("data", "PutItem", "items.put-replaces")

    def test_a_lost_item(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n(1)))
        assert bench.faults(get(), {}).severity == "data"

    def test_the_right_item(self) -> None:
        bench = Bench()
        bench.lawful(put(v={"NS": ["1", "2"]}, w={"M": {"x": n(1), "y": n(2)}}))
        shown = {"w": {"M": {"y": n(2), "x": n(1)}}, "v": {"NS": ["2", "1"]}, "pk": {"S": "a"}}
        bench.accepts(get(), {"Item": shown})

    def test_the_item_of_a_failed_condition(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n(1)))
        asked = call(
            "PutItem", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
        code = "ConditionalCheckFailedException"
        bench.accepts(asked, refusal(FAILED, code, Item={"pk": {"S": "a"}, "v": n(1)}))
        missing = bench.faults(asked, refusal(FAILED, code))
        assert seen(missing) == ("data", "items.condition-failed", "Item:missing")
        unasked = call("PutItem", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")
        assert bench.faults(unasked, refusal(FAILED, code, Item={"pk": {"S": "a"}, "v": n(1)})).path == "Item:extra"


class TestShape:
    def test_a_number_that_is_written_otherwise(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n("1.5")))
        found = bench.faults(get(), {"Item": {"pk": {"S": "a"}, "v": n("1.50")}})
        assert seen(found)[:2] == ("shape", "values.number-normal-form")

    def test_capacity(self) -> None:
        bench = Bench()
        asked = call("PutItem", Item={"pk": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
        found = bench.faults(asked, {"ConsumedCapacity": {"TableName": "music", "CapacityUnits": 2.0}})
        assert seen(found) == ("shape", "capacity.write-units", "ConsumedCapacity.CapacityUnits:value")
        bench.accepts(asked, {"ConsumedCapacity": {"TableName": "music", "CapacityUnits": 1}})

    def test_a_member_that_nobody_knows_is_let_pass(self) -> None:
        Bench().accepts(put(), {"NewOfThisYear": {"x": 1}})


class TestUnsupported:
    @pytest.mark.parametrize(
        "reply",
        [
            refusal("", "UnknownOperationException"),
            refusal("not implemented", "NotImplementedException", 501),
            refusal("PutItem is not yet implemented", "InternalFailure", 500),
        ],
    )
    def test_is_no_failure(self, reply: Reply) -> None:
        assert Bench().faults(put(), reply).severity == "unsupported"


class TestDisputed:
    def test_what_sources_disagree_on_is_never_a_finding(self) -> None:
        # A page that ends with the very last item may say that there is more, or not (dataplane:QRY-4).
        for ends in (True, False):
            bench = Bench(key="pk:S,sk:N")
            bench.lawful(call("PutItem", Item={"pk": {"S": "a"}, "sk": n(1)}))
            asked = call(
                "Query", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "a"}}, Limit=1
            )  # fmt: skip
            shown = {"Items": [{"pk": {"S": "a"}, "sk": n(1)}], "Count": 1, "ScannedCount": 1}
            bench.accepts(asked, shown if ends else {**shown, "LastEvaluatedKey": {"pk": {"S": "a"}, "sk": n(1)}})


class TestLatitude:
    THROTTLED = refusal("Slow down", "ThrottlingException")

    def test_throttling_where_it_is_declared(self) -> None:
        Bench(Latitude(throttling=True)).accepts(put(), self.THROTTLED)

    def test_throttling_where_it_is_not(self) -> None:
        assert Bench().faults(put(), self.THROTTLED).severity == "refuses"

    def test_a_throttled_write_did_nothing(self) -> None:
        bench = Bench(Latitude(throttling=True))
        bench.accepts(put(v=n(1)), self.THROTTLED)
        bench.accepts(get(), {})
        assert bench.faults(get(), {"Item": {"pk": {"S": "a"}, "v": n(1)}}).severity == "data"

    def test_one_key_in_two_spellings_left_unprocessed(self) -> None:
        bench = Bench(Latitude(partial_batches=True), key="pk:N")
        keys = [{"pk": {"N": "1.0"}}, {"pk": {"N": "1"}}]
        read = Call("BatchGetItem", {"RequestItems": {NAME: {"Keys": keys}}})
        bench.accepts(read, {"Responses": {NAME: []}, "UnprocessedKeys": {NAME: {"Keys": keys}}})
        bench.accepts(read, {"Responses": {NAME: []}, "UnprocessedKeys": {NAME: {"Keys": keys[1:]}}})
        twice = {"Responses": {NAME: []}, "UnprocessedKeys": {NAME: {"Keys": [*keys, keys[0]]}}}
        assert bench.faults(read, twice).rule == "batches.unprocessed"


class Silent:
    """A transport whose second call gets no answer."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.calls = 0

    def send(self, asked: Call, *, raw: object = None, timeout: float = 1.0) -> Reply:
        self.calls += 1
        if asked.operation == "PutItem":
            return Lost(self.why)
        return Success({"TableDescription": {"TableName": "music", "TableStatus": "ACTIVE"}})


@pytest.mark.parametrize(
    ("why", "path", "died"),
    [
        ("timeout", "timeout", True),
        ("reset: by peer", "reset", True),
        ("garbage: status 200: no JSON", "garbage", False),
    ],
)
def test_no_answer_is_a_crash(why: str, path: str, died: bool) -> None:
    session = Session(Silent(why), Oracle(Latitude()), {"table:t0": "music"})
    session.run(Program("items", {}, (Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}}}),)))
    ((_, found),) = session.divergences()
    assert (found.severity, found.path) == ("crash", path)
    assert (session.died is not None) is died


def test_a_lost_call_is_no_crash_where_calls_get_lost() -> None:
    session = Session(Silent("timeout"), Oracle(Latitude()), {"table:t0": "music"}, lossy=True)
    session.run(Program("items", {}, (Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}}}),)))
    assert session.divergences() == []


class TestFingerprints:
    def found(self, pk: str, wanted: str, shown: str) -> Divergence:
        bench = Bench()
        bench.lawful(put(pk, v=n(wanted)))
        return bench.faults(get(pk), {"Item": {"pk": {"S": pk}, "v": n(shown)}})

    def test_values_and_keys_are_no_part_of_them(self) -> None:
        assert self.found("a", "1", "2").fingerprint == self.found("b", "77", "5").fingerprint

    def test_another_kind_of_difference_has_another(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n(1)))
        lost = bench.faults(get(), {"Item": {"pk": {"S": "a"}}})
        assert lost.fingerprint != self.found("a", "1", "2").fingerprint

    def test_messages_are_no_part_of_them(self) -> None:
        one, two = (Bench().faults(TestMessage.ASKED, refusal(text)) for text in ("That is no key", "Wrong key"))
        assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("expires", [True, False])
def test_a_doubtful_write_blurs_the_stream_where_items_expire(*, expires: bool) -> None:
    bench = Bench(Latitude(server_errors=True))
    bench.lawful(call("UpdateTable", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}))
    if expires:
        bench.lawful(call("UpdateTimeToLive", TimeToLiveSpecification={"Enabled": True, "AttributeName": "e"}))
    bench.accepts(put(), refusal("Internal server error", "InternalServerError", 500))
    assert bool(sightings(bench.oracle.model.account).spoilt) is expires


def test_where_several_states_are_possible_the_mildest_divergence_is_told() -> None:
    bench = Bench()
    bench.lawful(put(v=n(1)))
    bench.oracle.judge(put(v=n(2)), Lost("timeout"), bench.now)
    found = bench.faults(get(), {"Item": {"pk": {"S": "a"}, "v": n("2.0")}})
    assert (found.severity, found.rule) == ("shape", "values.number-normal-form")


@pytest.mark.parametrize(("attribute", "fits"), [("kind", True), ("owner", False)])
def test_the_type_of_what_a_vector_index_only_filters_by_is_disputed(attribute: str, *, fits: bool) -> None:
    bench = Bench()
    schema = [("owner", "HASH"), ("kind", "INLINE_FILTER")]
    near = {
        "IndexName": "near", "VectorAttribute": {"AttributeName": "v"}, "Dimensions": 2, "DistanceFunction": "COSINE",
        "Projection": {"ProjectionType": "ALL"},
        "SearchSchema": [{"AttributeName": name, "SearchSchemaElementType": kind} for name, kind in schema],
    }  # fmt: skip
    named = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "owner", "kind")]
    made = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "AttributeDefinitions": named}
    vectors = {"BillingMode": "PAY_PER_REQUEST", "VectorIndexes": [near]}
    bench.lawful(Call("CreateTable", {"TableName": "vectors", **made, **vectors}))
    told = refusal(
        f"One or more parameter values were invalid. Attribute '{attribute}' type mismatch. "
        "Expected: S, Actual: N. IndexName: near"
    )
    item = {"pk": {"S": "a"}, "kind": n(1)}
    verdict = bench.judge(Call("PutItem", {"TableName": "vectors", "Item": item}), told)
    assert (verdict.ruling == "ok") is fits
