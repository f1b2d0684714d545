"""The drawn programs: one case per capability and shard, each with its share of the budget."""

from __future__ import annotations

from conformance.search.campaign import Share
from conformance.suite.runner import Campaign


def test_search(campaign: Campaign, share: Share) -> None:
    # Divergences are results, not failures of the run; they stand in the report, and decide its exit code.
    assert campaign.search(share) > 0, "the share is too small for one chunk: give a larger --dynoracle-budget"
