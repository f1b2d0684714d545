"""Hostile requests make the reference server neither fail nor hang, and ``outcomes`` says what it answers.

``python -m benchmarks.hostile`` puts a hundred thousand of them.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from benchmarks import hostile as harness
from benchmarks.client import request_bytes
from benchmarks.hostility import KINDS, Hostile, hostile, paths, replaced
from reference.api import Call, Refusal, Success
from reference.service import Outcomes, Service
from reference.wire import parse_json

REQUESTS = 2_000


def test_hostile_requests_are_answered() -> None:
    arena = harness.Arena()
    assert sum(1 for _ in arena.run(REQUESTS, seed=20261122)) == REQUESTS
    assert [(fault.what, fault.case) for fault in arena.tally.faults] == []
    kinds = Counter(answer.partition(":")[0] for answer in arena.tally.answers.elements())
    assert set(kinds) == set(KINDS)


def test_draws_are_the_same_for_a_seed() -> None:
    def drawn(seed: int) -> list[tuple[str, str, bytes | None]]:
        return [(each.kind, each.operation, each.text) for each in itertools.islice(hostile(seed, 1), 50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_some_requests_are_lawful_and_most_are_not() -> None:
    service = Service()
    for call in harness.world():
        assert isinstance(service.execute(call), Success)
    lawful = Counter[bool]()
    for each in itertools.islice(hostile(3, 1), 400):
        if each.kind == "mutated" and each.text is not None:
            try:
                body = parse_json(each.text)
            except ValueError:
                continue
            if isinstance(body, dict):
                lawful[service.outcomes(Call(each.operation, body)).outcome is not None] += 1
    assert 0 < lawful[True] < lawful[False]


def test_paths_reach_every_place() -> None:
    body = {"a": [{"b": 1}], "c": {}}
    assert set(paths(body)) == {(), ("a",), ("a", 0), ("a", 0, "b"), ("c",)}
    assert replaced(body, ("a", 0, "b"), 2) == {"a": [{"b": 2}], "c": {}}
    assert replaced(body, (), None) is None


class Failing(Service):
    """A service that breaks over one operation, in the way asked for."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def execute(self, call: Call) -> Success | Refusal:
        if self.how == "raises":
            raise RuntimeError("planted")
        if self.how == "differs":
            return Success({"TableNames": ["planted"]})
        return super().execute(call)

    def outcomes(self, call: Call, choice: object = None) -> Outcomes:
        if self.how == "outcomes raise":
            raise RuntimeError("planted")
        return super().outcomes(call)


@pytest.mark.parametrize(
    ("how", "told"),
    [("raises", "the server failed"), ("differs", "outcomes said"), ("outcomes raise", "outcomes raised RuntimeError")],
)
def test_faults_are_noticed(how: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def one(seed: int, port: int) -> list[Hostile]:
        return [Hostile("text", request_bytes(Call("ListTables", {}), port), "ListTables", b"{}")]

    monkeypatch.setattr(harness, "hostile", one)
    arena = harness.Arena()
    arena.service = Failing(how)
    assert list(arena.run(1, seed=0)) == [1]
    assert any(told in fault.what for fault in arena.tally.faults)
