"""The oracle's freedom: a lawfully perturbed server is never faulted, and each of its unlawful twins is."""

from __future__ import annotations

import pytest

from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from reference.api import Call, Lost, Refusal, Success
from reference.unkind import Weather
from tests.perturbed import campaign, latitude_of, rulings, run_program, weather_of

TABLE = {
    "TableName": "music",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def put(key: str, value: str) -> Call:
    return Call("PutItem", {"TableName": "music", "Item": {"pk": {"S": key}, "v": {"S": value}}})


def get(key: str, *, consistent: bool = True) -> Call:
    return Call("GetItem", {"TableName": "music", "Key": {"pk": {"S": key}}, "ConsistentRead": consistent})


def holds(key: str, value: str) -> Success:
    return Success({"Item": {"pk": {"S": key}, "v": {"S": value}}})


def oracle_with_table(latitude: Latitude | None = None) -> Oracle:
    oracle = Oracle(latitude or Latitude(skew=0.0), start=1_000.0)
    created = oracle.model.fork().execute(Call("CreateTable", TABLE))
    assert oracle.judge(Call("CreateTable", TABLE), created, 1_000.0).ruling == "ok"
    return oracle


class TestLostReply:
    def test_may_have_taken_effect(self) -> None:
        oracle = oracle_with_table()
        assert oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0).ruling == "ok"
        assert oracle.ambiguous
        assert oracle.judge(get("a"), holds("a", "1"), 1_002.0).ruling == "ok"
        assert oracle.judge(get("a"), Success({}), 1_003.0).ruling == "violated"

    def test_may_not_have_taken_effect(self) -> None:
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0)
        assert oracle.judge(get("a"), Success({}), 1_002.0).ruling == "ok"

    def test_may_take_effect_late(self) -> None:
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0)
        assert oracle.judge(get("a"), Success({}), 1_002.0).ruling == "ok"
        assert oracle.judge(get("a"), holds("a", "1"), 1_003.0).ruling == "ok"

    def test_never_takes_effect_after_it_settled(self) -> None:
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0)
        assert oracle.judge(get("a"), Success({}), 1_002.0).ruling == "ok"
        oracle.drop_lost(put("a", "1"))
        assert oracle.judge(get("a"), holds("a", "1"), 1_003.0).ruling == "violated"

    def test_nothing_else_appears(self) -> None:
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0)
        assert oracle.judge(get("a"), holds("a", "2"), 1_002.0).ruling == "violated"

    def test_a_transaction_takes_effect_whole_or_not_at_all(self) -> None:
        items = [{"Put": put(key, "1").body} for key in "ab"]
        call = Call("TransactWriteItems", {"TransactItems": items})
        whole = oracle_with_table()
        whole.judge(call, Lost("reset"), 1_001.0)
        assert whole.judge(get("a"), holds("a", "1"), 1_002.0).ruling == "ok"
        assert whole.judge(get("b"), holds("b", "1"), 1_003.0).ruling == "ok"
        half = oracle_with_table()
        half.judge(call, Lost("reset"), 1_001.0)
        assert half.judge(get("a"), holds("a", "1"), 1_002.0).ruling == "ok"
        assert half.judge(get("b"), Success({}), 1_003.0).ruling == "violated"

    def test_a_batch_may_be_half_done(self) -> None:
        writes = [{"PutRequest": {"Item": put(key, "1").body["Item"]}} for key in "ab"]
        oracle = oracle_with_table()
        oracle.judge(Call("BatchWriteItem", {"RequestItems": {"music": writes}}), Lost("reset"), 1_001.0)
        assert oracle.judge(get("a"), holds("a", "1"), 1_002.0).ruling == "ok"
        assert oracle.judge(get("b"), Success({}), 1_003.0).ruling == "ok"

    def test_is_settled_part_by_part_when_a_batch(self) -> None:
        writes = [{"PutRequest": {"Item": put(key, "1").body["Item"]}} for key in "ab"]
        call = Call("BatchWriteItem", {"RequestItems": {"music": writes}})
        for resolve, after in (("apply_lost", holds("b", "1")), ("drop_lost", Success({}))):
            oracle = oracle_with_table()
            oracle.judge(call, Lost("reset"), 1_001.0)
            getattr(oracle, resolve)(call)
            assert not oracle.ambiguous
            assert oracle.judge(get("b"), after, 1_002.0).ruling == "ok"

    def test_was_never_applied_once_it_is_dropped(self) -> None:
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Lost("timeout"), 1_001.0)
        oracle.judge(put("b", "1"), Success({}), 1_002.0)
        oracle.drop_lost(put("a", "1"))
        assert oracle.judge(get("a"), holds("a", "1"), 1_003.0).ruling == "violated"

    @pytest.mark.parametrize("took_effect", [True, False])
    def test_leaves_its_token_known_or_not(self, took_effect: bool) -> None:
        """The item is the same either way, but another request with the token is refused only if the first came."""
        oracle = oracle_with_table()
        oracle.judge(put("a", "1"), Success({}), 1_001.0)
        first = {"TransactItems": [{"Put": put("a", "1").body}], "ClientRequestToken": "token"}
        other = {"TransactItems": [{"Put": put("a", "2").body}], "ClientRequestToken": "token"}
        oracle.judge(Call("TransactWriteItems", first), Lost("timeout"), 1_002.0)
        assert oracle.settle()
        target = oracle.worlds[0].service.fork()
        if took_effect:
            target.execute(Call("TransactWriteItems", first))
        answer = target.execute(Call("TransactWriteItems", other))
        assert isinstance(answer, Refusal if took_effect else Success)
        assert oracle.judge(Call("TransactWriteItems", other), answer, 1_003.0).ruling == "ok"


class TestPartialBatch:
    WRITES = ({"PutRequest": {"Item": {"pk": {"S": "a"}}}}, {"PutRequest": {"Item": {"pk": {"S": "b"}}}})
    CALL = Call("BatchWriteItem", {"RequestItems": {"music": list(WRITES)}})

    def test_says_what_is_left(self) -> None:
        oracle = oracle_with_table(Latitude(partial_batches=True, skew=0.0))
        left = Success({"UnprocessedItems": {"music": [self.WRITES[1]]}})
        assert oracle.judge(self.CALL, left, 1_001.0).ruling == "ok"
        assert oracle.judge(get("a"), Success({"Item": {"pk": {"S": "a"}}}), 1_002.0).ruling == "ok"
        assert oracle.judge(get("b"), Success({}), 1_003.0).ruling == "ok"

    def test_must_not_do_what_it_says_is_left(self) -> None:
        oracle = oracle_with_table(Latitude(partial_batches=True, skew=0.0))
        oracle.judge(self.CALL, Success({"UnprocessedItems": {"music": [self.WRITES[1]]}}), 1_001.0)
        assert oracle.judge(get("b"), Success({"Item": {"pk": {"S": "b"}}}), 1_002.0).ruling == "violated"

    def test_must_do_what_it_does_not_say_is_left(self) -> None:
        oracle = oracle_with_table(Latitude(partial_batches=True, skew=0.0))
        assert oracle.judge(self.CALL, Success({"UnprocessedItems": {}}), 1_001.0).ruling == "ok"
        assert oracle.judge(get("b"), Success({}), 1_002.0).ruling == "violated"

    def test_is_refused_to_a_target_that_does_not_declare_it(self) -> None:
        left = Success({"UnprocessedItems": {"music": [self.WRITES[1]]}})
        assert oracle_with_table().judge(self.CALL, left, 1_001.0).ruling == "violated"


class TestStaleRead:
    def written_twice(self, latitude: Latitude) -> Oracle:
        oracle = oracle_with_table(latitude)
        assert oracle.judge(put("a", "old"), Success({}), 1_010.0).ruling == "ok"
        assert oracle.judge(put("a", "new"), Success({}), 1_020.0).ruling == "ok"
        return oracle

    def test_within_the_bound(self) -> None:
        oracle = self.written_twice(Latitude(staleness=5.0, skew=0.0))
        assert oracle.judge(get("a", consistent=False), holds("a", "old"), 1_024.0).ruling == "ok"

    def test_older_than_the_bound(self) -> None:
        oracle = self.written_twice(Latitude(staleness=5.0, skew=0.0))
        assert oracle.judge(get("a", consistent=False), holds("a", "old"), 1_026.0).ruling == "violated"

    def test_never_when_consistent(self) -> None:
        oracle = self.written_twice(Latitude(staleness=5.0, skew=0.0))
        assert oracle.judge(get("a"), holds("a", "old"), 1_021.0).ruling == "violated"

    def test_only_what_was_once_true(self) -> None:
        oracle = self.written_twice(Latitude(staleness=5.0, skew=0.0))
        assert oracle.judge(get("a", consistent=False), holds("a", "other"), 1_021.0).ruling == "violated"


@pytest.mark.parametrize("seed", range(6))
def test_lawful_weather_is_never_faulted(seed: int) -> None:
    for program, weather_seed in campaign(seed, programs=6):
        ops = run_program(program, weather_seed, weather_of(weather_seed))
        wrong = [j.verdict.divergence for j in ops if j.verdict.ruling == "violated"]
        assert not wrong, (weather_seed, wrong[0])


def drops_one_unprocessed(unkind, call, reply):  # type: ignore[no-untyped-def]
    """Leaves an item undone and does not say so."""
    if call.operation == "BatchWriteItem" and isinstance(reply, Success) and reply.body.get("UnprocessedItems"):
        return Success({**reply.body, "UnprocessedItems": {}})
    return reply


def forgets_lag(unkind, call, reply):  # type: ignore[no-untyped-def]
    """Serves eventually consistent reads from before the declared bound."""
    if call.operation in ("GetItem", "Query") and isinstance(reply, Success) and not call.body.get("ConsistentRead"):
        return unkind.service.as_of(unkind.service.account.now() - 1.9).execute(call)
    return reply


def claims_refusal(unkind, call, reply):  # type: ignore[no-untyped-def]
    """Throttles a write that it does all the same."""
    if call.operation == "PutItem" and isinstance(reply, Refusal) and "Throughput" in reply.code:
        unkind.service.execute(call)
    return reply


TWINS = [
    (drops_one_unprocessed, Weather(partial=0.6), ("batches",)),
    (forgets_lag, Weather(staleness=1.0), ("items", "queries")),
    (claims_refusal, Weather(throttled=0.3), ("items",)),
]


@pytest.mark.parametrize(("twin", "weather", "capabilities"), TWINS, ids=lambda value: getattr(value, "__name__", ""))
def test_unlawful_twins_are_faulted(twin, weather, capabilities) -> None:  # type: ignore[no-untyped-def]
    found = 0
    for program, seed in campaign(3, programs=12, capabilities=capabilities):
        lawful = run_program(program, seed, weather)
        assert not rulings(lawful)["violated"], latitude_of(weather)
        found += rulings(run_program(program, seed, weather, twin))["violated"]
    assert found > 0
