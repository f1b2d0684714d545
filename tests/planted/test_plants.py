"""Every plant is a bug and the reference is none; a short campaign finds a sample of them."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance.targets.profile import CAPABILITIES
from tests.planted.arena import divergences, plain
from tests.planted.base import Plant
from tests.planted.plants import PLANTS, plant_of

NAMES = [plant.name for plant in PLANTS]


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


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
