"""The directed checks: one case per check, on the campaign's target."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.record.run import VERDICTS
from conformance.search.worker import TargetLostError
from conformance.suite.runner import Campaign


def test_check(campaign: Campaign, check: Check) -> None:
    # As in the search, a divergence is a result and stands in the report.
    try:
        result = campaign.check(check)
    except TargetLostError as lost:
        campaign.lost(campaign.worker(), lost)
    assert result.verdict in VERDICTS
