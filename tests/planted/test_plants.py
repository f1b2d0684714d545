"""Every plant is a bug and the reference is none; a short campaign finds a sample of them."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from conformance.targets.profile import CAPABILITIES
from tests.planted.arena import divergences, plain
from tests.planted.base import Plant
from tests.planted.plants import PLANTS, SEEN, plant_of
from tests.planted.power import Hunt, Tally, run_checks, usable_checks

NAMES = [plant.name for plant in PLANTS]


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


def test_what_emulators_show_is_told_of_plants_that_exist() -> None:
    assert SEEN.keys() <= set(NAMES)


def test_capabilities_exist() -> None:
    assert {plant.capability for plant in PLANTS} <= set(CAPABILITIES)


@pytest.mark.parametrize("plant", PLANTS, ids=NAMES)
def test_the_witness_proves_the_bug(plant: Plant) -> None:
    assert divergences(plant.wrap, plant.witness)


@pytest.mark.parametrize("plant", PLANTS, ids=NAMES)
def test_the_witness_clears_the_reference(plant: Plant) -> None:
    assert [divergence.summary for divergence in divergences(plain, plant.witness)] == []


def test_plants_live_side_by_side() -> None:
    """A plant does not leak into the reference or another plant, whatever ran before."""
    one, other = plant_of("contains-part-of-member"), plant_of("number-digits-limit")
    assert divergences(one.wrap, one.witness)
    assert divergences(other.wrap, one.witness) == []
    assert divergences(one.wrap, other.witness) == []
    assert divergences(other.wrap, other.witness)
    assert divergences(plain, one.witness) == []


SAMPLE = (
    "number-through-float", "delete-leaves-empty-set", "failed-condition-hides-item", "put-merges",
    "count-before-filter", "index-old-entry-stays", "batch-write-half-done", "write-without-indexes",
)  # fmt: skip
CHUNKS = 12
"""Of some thirty programs each; these plants are found in the first few."""


def test_the_campaign_finds_a_sample(tmp_path: Path) -> None:
    tallies = [Tally(plant_of(name)) for name in SAMPLE]
    Hunt(1, math.inf, tallies, tmp_path, chunks=CHUNKS).run()
    assert [tally.plant.name for tally in tallies if tally.seconds == [None]] == []


def test_the_checks_find_a_sample() -> None:
    tallies = [Tally(plant_of(name)) for name in SAMPLE]
    run_checks(tallies, usable_checks("items", "capacity", "batches"))
    assert sum(bool(tally.check) for tally in tallies) >= len(SAMPLE) // 2
