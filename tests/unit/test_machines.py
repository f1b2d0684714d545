"""Machines draw the same programs for the same seed, about what they are named for, and the model bears them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.program import Program
from conformance.search.campaign import WEIGHTS
from conformance.search.coverage import known
from conformance.strategies import contents, numbers
from conformance.targets.profile import CAPABILITIES
from reference.values.item import item_size
from reference.values.number import normal
from tests.planted.arena import plain, session_of

RULE = "hypothesis_stateful_rule"
"""What Hypothesis calls its mark of a rule."""
NEW = ("values", "keys", "expressions", "indexes", "capacity", "partiql", "throttling", "scaling", "metrics")
PROGRAMS = 12


def drawn(name: str, seed: int = 11) -> list[Program]:
    return draw_chunk(MACHINES[name], seed, programs=PROGRAMS)


def test_machines_are_named_by_capabilities() -> None:
    assert set(MACHINES) - {"mixed"} <= set(CAPABILITIES)
    assert WEIGHTS.keys() <= MACHINES.keys()
    assert all(machine.capability == name for name, machine in MACHINES.items())


@pytest.mark.parametrize("name", NEW)
def test_the_same_seed_draws_the_same_programs(name: str) -> None:
    assert drawn(name) == drawn(name)
    assert drawn(name) != drawn(name, 12)


REACHED = {
    "values": {
        "values.number-precision", "values.arithmetic-precision", "values.arithmetic-overflow", "values.round-trip",
        "values.number-normal-form", "values.number-equality", "values.set-order", "expressions.add",
    },
    "keys": {"keys.identity", "keys.schema-mismatch", "queries.order", "values.order", "batches.read-result"},
    "expressions": {
        "expressions.syntax", "items.condition-failed", "expressions.precedence", "expressions.in",
        "expressions.size-function", "expressions.existence", "expressions.stored-type", "transactions.cancelled",
    },
    "indexes": {"indexes.sparse", "indexes.projection", "indexes.order", "indexes.unknown", "tables.update-answer"},
    "capacity": {
        "capacity.read-units", "capacity.write-units", "capacity.index-write-units", "capacity.page-units",
        "capacity.transaction-units", "capacity.shape", "capacity.index-read-units", "items.collection-metrics",
    },
    "throttling": {
        "tables.decrease-limit", "tables.description", "tables.update-answer", "capacity.write-units",
        "items.condition-failed",
    },
    "scaling": {
        "scaling.registered", "scaling.deregistered", "scaling.policy", "scaling.activity", "scaling.bounds-crossed",
        "scaling.no-target", "scaling.no-policy", "scaling.one-policy", "scaling.target-value",
    },
    "metrics": {"metrics.consumed", "metrics.listed", "metrics.contributors", "metrics.insights"},
    "partiql": {"partiql.select", "partiql.columns", "partiql.write-answer", "partiql.update-existing"},
}  # fmt: skip


@pytest.mark.parametrize("name", NEW)
def test_a_machine_reaches_its_capability_and_the_model_bears_it(name: str) -> None:
    reached: Counter[str] = Counter()
    for program in drawn(name) + drawn(name, 12) + drawn(name, 13):
        session = session_of(plain, program)
        assert [found.summary for _, found in session.divergences()] == []
        assert session.faults == []
        reached += session.oracle.reached
    assert REACHED[name] - reached.keys() == set()


def test_the_mixed_machine_takes_them_all_in() -> None:
    mixed = {name for name in dir(MACHINES["mixed"]) if not name.startswith("_")}
    for name in ("values", "keys", "expressions", "indexes", "capacity", "queries", "scans"):
        rules = {rule for rule in dir(MACHINES[name]) if hasattr(getattr(MACHINES[name], rule), RULE)}
        assert {rule for rule in rules if not rule.startswith("fill") and not rule.endswith("again")} <= mixed, name


def test_reads_asked_in_several_ways_are_held_against_each_other() -> None:
    held: Counter[str] = Counter()
    for name in ("queries", "scans", "indexes", "partiql"):
        for program in drawn(name) + drawn(name, 12):
            held += session_of(plain, program).watch.held
    assert set(known()["relations"]) - held.keys() == set()


class Choices:
    """Draws made from a list of numbers, the way strategies ask for them."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def __call__(self, strategy: Any) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        bounds = strategy.wrapped_strategy if hasattr(strategy, "wrapped_strategy") else strategy
        return int(bounds.start + (self.state >> 33) % (bounds.end - bounds.start + 1))


@pytest.mark.parametrize("seed", range(200))
def test_a_number_written_otherwise_is_the_same_number(seed: int) -> None:
    draw = Choices(seed)
    plain_text = normal(numbers.spelt(draw), "current")
    if isinstance(plain_text, str):
        assert normal(numbers.respelt(draw, plain_text), "current") == plain_text
        beside = normal(numbers.beside(draw, plain_text), "current")
        assert isinstance(beside, str)


@pytest.mark.parametrize("wanted", [1023, 1024, 4097, 409_600])
def test_items_are_padded_to_the_byte(wanted: int) -> None:
    item = {"pk": {"S": "é"}, "n": {"N": "-1.5"}}
    assert item_size(contents.padded(item, "c", wanted)) == wanted
    assert item_size(contents.padded(item, "c", wanted, binary=True)) == wanted
