"""What a session takes over from a target after a divergence, and what it goes on judging."""

from __future__ import annotations

from collections.abc import Collection

from conformance.checks.base import table
from conformance.program import Program, Step
from conformance.search.findings import finding_of
from conformance.search.minimise import Reduction
from reference.api import Call, Reply, Success
from reference.service import Service
from tests.planted.arena import divergences, session_of
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
