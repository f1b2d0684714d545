"""What is known before the search: findings of the baseline and of an earlier run, and what a killed run left over."""

from __future__ import annotations

from conformance.search.baseline import STATES, Known
from conformance.suite.runner import Campaign


def test_known(campaign: Campaign, known: Known) -> None:
    assert campaign.replay(known) in STATES


def test_pending(campaign: Campaign, pending: str) -> None:
    campaign.reduce(pending)
