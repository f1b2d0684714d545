"""Which words a refusal may have, which rule a difference is blamed on, and which order of checks is known."""

from __future__ import annotations

import pytest

from conformance.oracle.about import main_rule
from conformance.oracle.blame import update_rule
from conformance.oracle.compare import Difference
from conformance.oracle.order import before, stage
from conformance.oracle.wording import Wording, alternatives, recognise
from reference.api import Call
from reference.rules import ledger, violation
from tests.unit.oracle_bench import Bench, call, get, n, put, refusal

SEGMENT = "The Segment parameter is zero-based and must be less than parameter TotalSegments"
OLDER = f"{SEGMENT}: Segment: 2 is not less than TotalSegments: 2"
SCAN = Call("Scan", {"TableName": "music", "Segment": 2, "TotalSegments": 2})


class TestWording:
    BROKEN = violation("scans.segment-range", segment=2, total=2)

    @pytest.mark.parametrize("text", [SEGMENT, OLDER])
    def test_either_cohort_may_speak(self, text: str) -> None:
        assert Wording().accepts(SCAN, self.BROKEN, refusal(text))

    def test_only_one_of_them_at_a_time(self) -> None:
        wording = Wording()
        assert wording.accepts(SCAN, self.BROKEN, refusal(OLDER))
        assert not wording.accepts(SCAN, self.BROKEN, refusal(SEGMENT))
        assert wording.accepts(SCAN, self.BROKEN, refusal(OLDER))
        assert wording.told() == {"Scan": "older"}

    def test_operations_are_held_to_it_one_by_one(self) -> None:
        wording = Wording()
        assert wording.accepts(SCAN, self.BROKEN, refusal(OLDER))
        assert wording.accepts(Call("Query", SCAN.body), self.BROKEN, refusal(SEGMENT))

    @pytest.mark.parametrize("text", ["", "Segment is too large", OLDER.replace("2", "3")])
    def test_nobody_says_that(self, text: str) -> None:
        assert not Wording().accepts(SCAN, self.BROKEN, refusal(text))

    def test_a_disputed_text_may_be_anything(self) -> None:
        rule = next(rule for rule in ledger().values() if rule.disputed and rule.message and "{" not in rule.message)
        assert Wording().accepts(SCAN, violation(rule.name), refusal("whatever"))

    def test_joined_constraints_come_in_any_order(self) -> None:
        asked = call("Scan", Select="X", ReturnConsumedCapacity="Y")
        bench = Bench()
        outcomes = bench.oracle.model.outcomes(asked)
        text = bench.oracle.model.refusal(asked, outcomes.violations[0]).message or ""
        head, _, rest = text.partition(" detected: ")
        parts = rest.split("; ")
        assert len(parts) == 2
        turned = f"{head} detected: {parts[1]}; {parts[0]}"
        bench.accepts(asked, refusal(text))
        bench.accepts(asked, refusal(turned))
        assert bench.faults(asked, refusal(f"{head} detected: {parts[0]}")).severity == "message"

    def test_alternatives_begin_with_what_is_expected(self) -> None:
        listed = [dict(each["refusal"]) for each in alternatives(SCAN, self.BROKEN)]
        assert [each["message"] for each in listed] == [SEGMENT, OLDER]
        assert {each["code"] for each in listed} == {"ValidationException"}


class TestRecognition:
    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("The provided key element does not match the schema", "keys.schema-mismatch"),
            ("Item size has exceeded the maximum allowed size", "items.too-large"),
            ("One or more parameter values were invalid: Missing the key pk in the item", "keys.missing"),
        ],
    )
    def test_a_known_text(self, text: str, rule: str) -> None:
        found = recognise(refusal(text))
        assert found is not None
        assert found.name == rule

    @pytest.mark.parametrize("text", ["", "no", "Something went wrong"])
    def test_an_unknown_text(self, text: str) -> None:
        assert recognise(refusal(text)) is None

    def test_a_known_text_with_another_code(self) -> None:
        assert recognise(refusal("The provided key element does not match the schema", "InternalError")) is None


class TestBlame:
    @pytest.mark.parametrize(
        ("expression", "rule"),
        [
            ("ADD v :x", "expressions.add"),
            ("DELETE v :x", "expressions.delete"),
            ("REMOVE v", "expressions.remove"),
            ("SET v = if_not_exists(v, :x)", "expressions.if-not-exists"),
            ("SET v = v + :x", "values.number-arithmetic"),
            ("SET v[3] = :x", "expressions.list-append-past-end"),
            ("SET v = w", "expressions.reads-before"),
            ("SET w = :x ADD v :x", "expressions.add"),
            ("SET #v = v + :x REMOVE w", "values.number-arithmetic"),
        ],
    )
    def test_the_action_that_wrote_the_attribute(self, expression: str, rule: str) -> None:
        asked = {"UpdateExpression": expression, "ExpressionAttributeNames": {"#v": "v"}}
        assert update_rule(asked, Difference(("Item", "*"), "value", n(1), n(2), ("v",))) == rule

    def test_every_rule_it_blames_exists(self) -> None:
        for operation in ("GetItem", "PutItem", "Query", "Scan", "BatchGetItem", "TransactWriteItems", "CreateTable"):
            assert main_rule(operation) in ledger()

    def test_a_read_is_not_to_blame_for_what_was_written(self) -> None:
        update = call(
            "UpdateItem", Key={"pk": {"S": "a"}}, UpdateExpression="ADD v :x", ExpressionAttributeValues={":x": n(1)}
        )  # fmt: skip
        shown = {"pk": {"S": "a"}, "v": n(5)}
        reads = (get(), call("Scan", ConsistentRead=True))
        told = set()
        for read in reads:
            bench = Bench()
            bench.lawful(put(v=n(1)))
            bench.lawful(update)
            answer = (
                {"Item": shown} if read.operation == "GetItem" else {"Items": [shown], "Count": 1, "ScannedCount": 1}
            )
            found = bench.faults(read, answer)
            assert (found.operation, found.rule) == ("UpdateItem", "expressions.add")
            told.add(found.fingerprint)
        assert len(told) == 1, "one cause, one fingerprint, whatever shows it"

    def test_a_projection_is_to_blame_for_what_it_shows(self) -> None:
        bench = Bench()
        bench.lawful(put(v=n(1), w=n(2)))
        found = bench.faults(get(ProjectionExpression="v"), {"Item": {"v": n(1), "w": n(2)}})
        assert (found.operation, found.rule) == ("GetItem", "items.projected")


class TestOrder:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("expressions.syntax", "items.table-missing"),
            ("expressions.syntax", "keys.schema-mismatch"),
            ("values.number-malformed", "items.table-missing"),
            ("values.number-malformed", "keys.type-mismatch"),
            ("items.table-missing", "keys.schema-mismatch"),
            ("keys.schema-mismatch", "items.condition-failed"),
        ],
    )
    def test_stages_come_in_order(self, first: str, second: str) -> None:
        one, two = ledger()[first], ledger()[second]
        assert before(one, two)
        assert not before(two, one)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("expressions.syntax", "expressions.names-unused"),
            ("keys.missing", "keys.type-mismatch"),
            ("items.condition-failed", "expressions.stored-type"),
        ],
    )
    def test_inside_a_stage_the_order_is_open(self, first: str, second: str) -> None:
        one, two = ledger()[first], ledger()[second]
        assert stage(one) == stage(two)
        assert not before(one, two)
        assert not before(two, one)

    @pytest.mark.parametrize("first", ["values.empty-name", "values.number-overflow", "values.nesting"])
    def test_what_is_wrong_with_the_key_of_a_lookup_has_no_order(self, first: str) -> None:
        one, two = ledger()[first], ledger()["keys.schema-mismatch"]
        assert not before(one, two)
        assert not before(two, one)

    def test_nothing_is_known_of_disputed_rules(self) -> None:
        disputed = next(rule for rule in ledger().values() if rule.disputed and rule.error)
        for rule in list(ledger().values())[:50]:
            assert not before(disputed, rule)
            assert not before(rule, disputed)


def test_hosts_differ_on_whether_a_key_schema_or_the_units_come_first() -> None:
    bench = Bench()
    asked = Call("CreateTable", {"TableName": "other", "KeySchema": [], "AttributeDefinitions": []})
    units = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
    bench.accepts(asked, refusal(f"One or more parameter values were invalid: {units}"))
    assert bench.faults(asked, refusal("Value '[]' is no key schema")).rule == "wire.size-min"
