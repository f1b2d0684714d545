"""Every planted bug is found by an experiment with a fixed seed; the reference itself never fails one."""

from __future__ import annotations

import pytest

from tests.planted.concurrency import Threads, trials
from tests.planted.racing import PLANTS


@pytest.mark.parametrize("name", PLANTS)
def test_the_plant_is_found(name: str) -> None:
    plant = PLANTS[name]
    said = []
    for trial in trials(plant, plant.service):
        kinds = {anomaly.kind for anomaly in trial.anomalies()}
        if kinds & plant.kinds:
            assert all(anomaly.prose for anomaly in trial.anomalies())
            return
        said.append((trial.verdict, kinds, trial.reasons()))
    raise AssertionError(f"{name} was not found: {said}")


@pytest.mark.parametrize(("workload", "faults"), sorted({(p.workload, p.faults) for p in PLANTS.values()}))
def test_the_reference_never_is(workload: str, faults: tuple[str, ...]) -> None:
    plant = next(p for p in PLANTS.values() if (p.workload, p.faults) == (workload, faults))
    for trial in trials(plant, Threads, seeds=range(1)):
        assert (trial.verdict, trial.reasons(), trial.anomalies()) == ("ok", [], [])
