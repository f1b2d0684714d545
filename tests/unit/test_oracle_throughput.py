"""Throttling: when a target may, how it must say so, and what it must not say of its limits."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.checks.base import table
from conformance.oracle.latitude import Latitude
from reference.api import Call, Json, Refusal
from tests.unit.oracle_bench import NAME, Bench, body, call, get, put, refusal

EXCEEDED = "ProvisionedThroughputExceededException"
ARN = f"arn:aws:dynamodb:us-east-1:000000000000:table/{NAME}"
TEXT = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
LARGE = {"v": {"S": "x" * 3000}}
TOO_MANY = (
    "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the first 4 "
    "decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. Number "
    "of decreases today: 4. Last decrease at Thursday, October 8, 2026 at 11:08:49 PM Coordinated Universal Time."
)


def bench(latitude: Latitude | None = None, read: int = 10, write: int = 2, **settings: Any) -> Bench:
    """A table of ten reads and two writes a second, or one with other settings."""
    made = Bench(latitude)
    made.lawful(Call("DeleteTable", body()))
    units = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
    given = settings or {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}
    made.lawful(Call("CreateTable", {**table(), **given, "TableName": NAME}))
    return made


def reason(text: str = "TableWriteProvisionedThroughputExceeded", resource: str = ARN) -> dict[str, str]:
    return {"reason": text, "resource": resource}


def throttled(*reasons: Json, code: str = EXCEEDED) -> Refusal:
    member = "throttlingReasons" if code == "ThrottlingException" else "ThrottlingReasons"
    return refusal(TEXT, code, **({member: list(reasons)} if reasons else {}))


class TestWhen:
    def test_more_than_a_second_is_worth_may_be_throttled_and_need_not_be(self) -> None:
        target = bench()
        target.lawful(put("a", **LARGE))
        target.accepts(put("b", **LARGE), throttled(reason()))
        target.lawful(put("b", **LARGE))

    def test_nothing_takes_effect_then(self) -> None:
        target = bench()
        target.accepts(put("a", **LARGE), throttled(reason()))
        assert target.faults(get("a"), {"Item": {"pk": {"S": "a"}, **LARGE}}).severity == "data"

    def test_what_is_provided_is_served(self) -> None:
        found = bench().faults(put(), throttled(reason()))
        assert (found.severity, found.rule) == ("refuses", "throttling.provisioned-table")

    def test_after_a_while_it_is_served_again(self) -> None:
        target = bench()
        target.lawful(put("a", **LARGE))
        target.now += 2.0
        target.accepts(put("b"), throttled(reason()))
        target.now += 8.0
        assert target.faults(put("b"), throttled(reason())).severity == "refuses"

    def test_reads_have_units_of_their_own(self) -> None:
        target = bench()
        target.lawful(put("a", **LARGE))
        told = reason("TableReadProvisionedThroughputExceeded")
        assert target.faults(get(), throttled(told)).severity == "refuses"

    def test_a_failed_condition_costs_what_is_stored(self) -> None:
        target = bench()
        target.lawful(put("a", **LARGE))
        target.now += 20.0
        target.accepts(
            call("PutItem", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)"),
            throttled(reason()),
        )

    def test_a_batch_is_done_in_part_for_want_of_throughput_only(self) -> None:
        items = [{"pk": {"S": "a"}}, {"pk": {"S": "b"}, **LARGE}]
        writes = [{"PutRequest": {"Item": item}} for item in items]
        asked, part = Call("BatchWriteItem", {"RequestItems": {NAME: writes}}), {"UnprocessedItems": {NAME: writes[1:]}}
        target = bench()
        target.accepts(asked, part)
        assert target.faults(get("b"), {"Item": items[1]}).severity == "data"
        assert bench(write=50).faults(asked, part).rule == "batches.unprocessed"

    def test_a_target_that_throttles_at_any_time_may(self) -> None:
        bench(Latitude(throttling=True)).accepts(put(), throttled(reason()))


class TestHow:
    @pytest.mark.parametrize(
        ("told", "place"),
        [
            ((), "ThrottlingReasons:missing"),
            ((reason("TableReadProvisionedThroughputExceeded"),), "ThrottlingReasons.*.reason:value"),
            ((reason("Throttled"),), "ThrottlingReasons.*.reason:value"),
            ((reason("TableWriteMaxOnDemandThroughputExceeded"),), "ThrottlingReasons.*.reason:value"),
            ((reason(resource=NAME),), "ThrottlingReasons.*.resource:value"),
            ((reason(resource=f"{ARN}-other"),), "ThrottlingReasons.*.resource:value"),
            ((reason("IndexWriteProvisionedThroughputExceeded"),), "ThrottlingReasons.*.resource:value"),
        ],
    )
    def test_reasons_are_of_the_call(self, told: tuple[Json, ...], place: str) -> None:
        found = bench().faults(put("a", **LARGE), throttled(*told))
        assert (found.rule, found.severity, found.path) == ("throttling.reasons", "shape", place)

    @pytest.mark.parametrize("limit", ["ProvisionedThroughput", "KeyRangeThroughput", "AccountLimit"])
    def test_any_limit_there_is_may_be_named(self, limit: str) -> None:
        bench().accepts(put("a", **LARGE), throttled(reason(f"TableWrite{limit}Exceeded")))

    def test_tables_on_demand_have_an_error_of_their_own(self) -> None:
        on_demand = {"BillingMode": "PAY_PER_REQUEST", "OnDemandThroughput": {"MaxWriteRequestUnits": 1}}
        told = reason("TableWriteMaxOnDemandThroughputExceeded")
        bench(**on_demand).accepts(put("a", **LARGE), throttled(told, code="ThrottlingException"))
        found = bench(**on_demand).faults(put("a", **LARGE), throttled(told))
        assert (found.rule, found.severity) == ("throttling.on-demand-table", "error")
        found = bench().faults(put("a", **LARGE), throttled(reason(), code="ThrottlingException"))
        assert (found.rule, found.severity) == ("throttling.provisioned-table", "error")

    def test_of_a_target_that_throttles_at_any_time_only_what_it_tells_counts(self) -> None:
        target = bench(Latitude(throttling=True))
        target.accepts(put(), throttled())
        target.accepts(put(), refusal("Rate exceeded", "ThrottlingException"))
        assert target.faults(put(), throttled(reason("Throttled"))).rule == "throttling.reasons"

    def test_a_cancelled_transaction_has_a_reason_for_every_action(self) -> None:
        actions = [{"Put": {"TableName": NAME, "Item": {"pk": {"S": pk}, **LARGE}}} for pk in "ab"]
        asked = Call("TransactWriteItems", {"TransactItems": actions})
        why = {"Code": "ProvisionedThroughputExceeded", "Message": TEXT}
        whole = refusal("cancelled", "TransactionCanceledException", CancellationReasons=[why, {"Code": "None"}])
        bench().accepts(asked, whole)
        short = refusal("cancelled", "TransactionCanceledException", CancellationReasons=[why])
        assert bench().faults(asked, short).rule == "throttling.transaction"


class TestDecreases:
    LESS = call("UpdateTable", ProvisionedThroughput={"ReadCapacityUnits": 9, "WriteCapacityUnits": 2})

    def test_a_budget_that_is_not_spent_is_not_called_so(self) -> None:
        found = bench().faults(self.LESS, refusal(TOO_MANY, "LimitExceededException"))
        assert (found.severity, found.rule) == ("refuses", "tables.decrease-limit")

    def test_quotas_of_an_account_may_always_be_reached(self) -> None:
        bench().accepts(self.LESS, refusal("Too many operations", "LimitExceededException"))

    def test_around_midnight_a_decrease_may_count_for_either_day(self) -> None:
        target = bench()
        midnight = 86_400.0 * (target.now // 86_400.0 + 1)
        target.now = midnight - 1.0
        target.accepts(self.LESS, refusal(TOO_MANY, "LimitExceededException"))
        for units in (9, 8, 7, 6):
            less = {"ReadCapacityUnits": units, "WriteCapacityUnits": 2}
            target.lawful(call("UpdateTable", ProvisionedThroughput=less))
        fifth = call("UpdateTable", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 2})
        done = target.oracle.model.fork().execute(call("DescribeTable"))
        assert not isinstance(done, Refusal)
        verdict = target.judge(fifth, {"TableDescription": getattr(done, "body", {})["Table"]})
        assert verdict.ruling == "unknown"
