"""The catalogue of faults: whole, bounded, and honest about where a fault can be put in."""

from __future__ import annotations

import pytest

from chaos.faults import FAULTS, FaultError, available, find, heal
from chaos.proxy_faults import HANDLERS
from chaos.schedule import draw
from conformance.targets.profile import Profile
from conformance.targets.target import Target
from conformance.targets.transport import HttpTransport


def target(endpoint: str = "http://127.0.0.1:1") -> Target:
    return Target("t", "", endpoint, HttpTransport("http://127.0.0.1:1"), Profile())


def test_every_fault_of_the_taxonomy_is_there() -> None:
    assert set(FAULTS) == {
        "latency", "jitter", "bandwidth", "slice-request", "slice-reply", "slow-close", "half-close", "swallow",
        "drop-reply", "reset-request", "reset-reply", "truncate-reply", "corrupt-reply", "duplicate",
        "delay-delivery", "reorder", "error-before", "error-after", "throttle", "partial-batch", "clock-skew",
        "low-capacity", "kill", "terminate", "pause", "disk-full", "descriptors",
    }  # fmt: skip


def test_the_proxy_knows_what_to_do_for_each() -> None:
    assert set(HANDLERS) == {name for name, fault in FAULTS.items() if fault.place != "table"}


@pytest.mark.parametrize("name", FAULTS)
def test_defaults_are_within_bounds(name: str) -> None:
    fault = FAULTS[name]
    assert fault.settings(fault.settings()) == {parameter.name: parameter.default for parameter in fault.parameters}
    assert fault.says
    assert fault.holds


def test_what_is_drawn_is_within_bounds() -> None:
    for rule in draw(1, list(FAULTS.values()), requests=300, share=1.0).rules:
        rule.fault.settings(rule.settings)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"request_ms": -1}, "from 0 to 30000"),
        ({"request_ms": 30_001}, "from 0 to 30000"),
        ({"request_ms": "5"}, "must be a number"),
        ({"request_ms": True}, "must be a number"),
        ({"wait": 5}, "it has: request_ms, reply_ms"),
    ],
)
def test_refuses_settings_it_does_not_have(given: dict[str, float], says: str) -> None:
    with pytest.raises(FaultError, match=says):
        FAULTS["latency"].settings(given)


def test_names_those_there_are() -> None:
    with pytest.raises(FaultError, match="known: latency"):
        find("earthquake")


def test_is_available_only_where_it_can_be_put_in() -> None:
    elsewhere, inside = target(), target(endpoint="")
    assert FAULTS["latency"].available(elsewhere)
    assert FAULTS["latency"].missing(inside) == "it has no endpoint to stand in front of"
    assert FAULTS["kill"].missing(elsewhere) == "its process was not started here"
    assert {fault.place for fault in available(elsewhere)} == {"proxy", "table"}
    assert {fault.name for fault in available(elsewhere)} - {
        fault.name for fault in available(elsewhere, concurrent=False)
    } == {"reorder"}


class Patient:
    def __init__(self, *, fails: bool = False) -> None:
        self.healed = 0
        self.fails = fails

    def heal(self) -> None:
        self.healed += 1
        if self.fails:
            raise RuntimeError("no")


def test_heals_the_rest_when_one_fails() -> None:
    first, second = Patient(fails=True), Patient()
    with pytest.raises(ExceptionGroup, match="not everything could be healed"):
        heal(first, None, second)
    assert second.healed == 1
