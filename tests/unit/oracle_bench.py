"""A bench for the oracle: calls, the answers a target gave to them, and what is said of the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.checks.base import table
from conformance.oracle.divergence import Divergence, Verdict
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from reference.api import Call, Json, Lost, Refusal, Reply, Success

NAME = "music"
INVALID = "ValidationException"
KEY = {"pk": {"S": "a"}}
QUERY: dict[str, Json] = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}


def body(**members: Json) -> dict[str, Json]:
    """A request body about the one table."""
    return {"TableName": NAME, **members}


def call(operation: str, **members: Json) -> Call:
    """A call about the one table."""
    return Call(operation, body(**members))


def put(pk: str = "a", **attributes: Json) -> Call:
    """PutItem."""
    return call("PutItem", Item={"pk": {"S": pk}, **attributes})


def get(pk: str = "a", **members: Json) -> Call:
    """A consistent GetItem."""
    return call("GetItem", Key={"pk": {"S": pk}}, ConsistentRead=True, **members)


def update(text: str, values: Json = None, **members: Json) -> Call:
    """UpdateItem."""
    given = {"ExpressionAttributeValues": values} if values else {}
    return call("UpdateItem", Key=KEY, UpdateExpression=text, **given, **members)


def refusal(message: str, code: str = INVALID, status: int = 400, **fields: Json) -> Refusal:
    """What a target refused with."""
    return Refusal(code, message, status, fields)


def n(number: int | str) -> dict[str, str]:
    """A number."""
    return {"N": str(number)}


class Bench:
    """An oracle that has seen a table made."""

    def __init__(self, latitude: Latitude | None = None, key: str = "pk:S", **indexes: Any) -> None:
        self.oracle = Oracle(latitude or Latitude(), start=1_800_000_000.0)
        self.now = 1_800_000_000.0
        self.lawful(Call("CreateTable", {**table(key=key, **indexes), "TableName": NAME}))

    def lawful(self, asked: Call) -> Json:
        """Ask, and answer as the reference does; gives the body (or None of a refusal)."""
        outcomes = self.oracle.model.outcomes(asked)
        reply: Reply
        if outcomes.violations:
            reply = self.oracle.model.refusal(asked, outcomes.violations[0])
        else:
            assert outcomes.outcome is not None
            reply = Success(outcomes.outcome.body)
        verdict = self.judge(asked, replace(reply, rules=()) if isinstance(reply, Refusal) else reply)
        assert verdict.ruling == "ok", verdict
        return reply.body if isinstance(reply, Success) else None

    def judge(self, asked: Call, reply: Reply | Mapping[str, Json]) -> Verdict:
        """What the oracle says of an answer; a mapping is a success body."""
        self.now += 0.01
        answered = reply if isinstance(reply, Success | Refusal | Lost) else Success(dict(reply))
        return self.oracle.judge(asked, answered, self.now)

    def accepts(self, asked: Call, reply: Reply | Mapping[str, Json]) -> None:
        """The oracle lets an answer pass."""
        verdict = self.judge(asked, reply)
        assert verdict.divergence is None, verdict.divergence

    def faults(self, asked: Call, reply: Reply | Mapping[str, Json]) -> Divergence:
        """The oracle does not let an answer pass; gives what it says."""
        verdict = self.judge(asked, reply)
        assert verdict.divergence is not None, verdict
        return verdict.divergence
