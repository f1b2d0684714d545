"""What a session takes over from a target after a divergence, and what it goes on judging."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from conformance.checks.base import table
from conformance.oracle.divergence import Divergence
from conformance.program import Program, Step
from conformance.record.op import op_from_json
from conformance.search.findings import divergence_from_json, divergence_to_json, finding_of, unsettled, written
from conformance.search.minimise import Reduction
from reference.api import Call, Reply, Success
from reference.rules import ledger
from reference.service import Service
from tests.planted.arena import START, divergences, session_of
from tests.planted.base import Executes

TABLE = {**table(key="pk:S"), "TableName": "${table:t0}"}
PUT = Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}, "v": {"N": "1"}}})


class Talkative:
    """Tells of capacity that nobody asked for; ``forgets`` drops an attribute of what is put as well."""

    def __init__(self, service: Service, *, forgets: bool) -> None:
        self._service, self._forgets = service, forgets

    def operations(self) -> Collection[str]:
        return self._service.operations()

    def execute(self, call: Call) -> Reply:
        if call.operation != "PutItem":
            return self._service.execute(call)
        item = {k: v for k, v in call.body["Item"].items() if k != "v" or not self._forgets}
        self._service.execute(Call("PutItem", {**call.body, "Item": item}))
        return Success({"ConsumedCapacity": {"TableName": call.body["TableName"], "CapacityUnits": 1.0}})


def found(*, forgets: bool) -> list[tuple[str, str]]:
    def wrap(service: Service) -> Executes:
        return Talkative(service, forgets=forgets)

    program = Program("items", {"t0": TABLE}, (PUT,))
    return [(each.severity, each.operation) for each in divergences(wrap, program)]


def test_a_wrong_shape_hides_no_wrong_item() -> None:
    assert found(forgets=True) == [("shape", "PutItem"), ("data", "PutItem")]


def test_a_wrong_shape_alone_is_all_there_is() -> None:
    assert found(forgets=False) == [("shape", "PutItem")]


class NoStreams(Talkative):
    """Knows of no stream."""

    def execute(self, call: Call) -> Reply:
        if call.operation != "DescribeStream":
            return self._service.execute(call)
        return Success({"StreamDescription": {"StreamArn": call.body["StreamArn"]}})


def test_an_arn_from_a_reply_is_a_symbol_in_the_finding() -> None:
    streamed = {**TABLE, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
    absent = Step("DescribeStream", {"StreamArn": "${reply:0:TableDescription.LatestStreamArn}-x"})
    program = Program("streams", {"t0": streamed}, (absent,))
    session = session_of(lambda service: NoStreams(service, forgets=False), program)
    ((_, divergence),) = session.divergences()
    ops = tuple(judged.op for judged in session.ops[:2])
    finding = finding_of(Reduction(program, divergence, ops, dict(session.names)), program)
    (accepted,) = finding.accepted
    assert "${reply:0:TableDescription.LatestStreamArn}-x not found" in accepted["refusal"]["message"]


class Forgetful(Talkative):
    """Drops an attribute of what is put, and tells of capacity with every GetItem."""

    def execute(self, call: Call) -> Reply:
        if call.operation == "PutItem":
            return self._service.execute(Call("PutItem", {**call.body, "Item": {"pk": call.body["Item"]["pk"]}}))
        reply = self._service.execute(call)
        if call.operation == "GetItem" and isinstance(reply, Success):
            return Success({**reply.body, "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}})
        return reply


SCAN = Step("Scan", {"TableName": "${table:t0}", "ConsistentRead": True})
GET = Step("GetItem", {"TableName": "${table:t0}", "Key": {"pk": {"S": "a"}}})


@pytest.mark.parametrize(
    ("steps", "rests"), [((PUT, SCAN, GET), [False, True]), ((GET, PUT, SCAN), [False, False]), ((GET,), [False])]
)
def test_what_follows_from_adopted_items_is_told_apart(steps: tuple[Step, ...], rests: list[bool]) -> None:
    program = Program("items", {"t0": TABLE}, steps)
    found = divergences(lambda service: Forgetful(service, forgets=True), program)
    assert [each.derived for each in found] == rests
    assert all(unsettled(ledger()[each.rule], each) for each in found if each.derived)
    assert not any(unsettled(ledger()[each.rule], each) for each in found if not each.derived)


def test_a_divergence_comes_back_from_the_journal_in_symbols() -> None:
    told = Success({"Table": "music", "Plain": "${"})
    found = Divergence("GetItem", "items.projected", "data", "x", "of music", told, told, ({"success": told.body},))
    back = divergence_from_json(divergence_to_json(found, {"table:t0": "music"}))
    finding = finding_of(Reduction(Program("items", {}, ()), back, ()), Program("items", {}, ()))
    symbols = {"Table": "${table:t0}", "Plain": "${lit:$}{"}
    assert finding.summary == "of ${table:t0}"
    assert finding.accepted == ({"success": symbols},)
    assert finding.expected == finding.observed == {"success": symbols}


def test_a_moment_is_a_symbol_in_the_finding() -> None:
    put = Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}, "e": {"N": "${time:-100}.5"}}})
    ops = (op_from_json({"index": 0, "operation": put.operation, "body": put.body, "fate": "ok", "called": 0.0}),)
    told = Success({"Item": {"e": {"N": "1799999900.5"}}})
    found = Divergence("GetItem", "items.projected", "data", "x", "", told, told, ({"success": told.body},))
    assert written(found, {}, ops, START).accepted == ({"success": {"Item": {"e": {"N": "${time:-100}.5"}}}},)
