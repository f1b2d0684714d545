"""Rules of Contributor Insights: their names, and how many an account has (beyond:CI-1, CI-2)."""

from __future__ import annotations

from collections.abc import Iterable

from reference.tables.settings import Insights
from reference.tables.table import Table

MODE = "ACCESSED_AND_THROTTLED_KEYS"
TOO_MANY = (
    "Amazon CloudWatch Contributor Insights rule limit reached. Please disable Contributor Insights for other "
    "tables/indexes OR disable other CloudWatch Contributor Insights rules before retrying."
)
"""What the service says when its rules would exceed CloudWatch's quota."""


def rules_of(table: Table, index: str, held: Insights) -> list[str]:
    """The names of the CloudWatch rules: partition and sort key, each for accesses (C) and throttles (T)."""
    key = table.indexes[index].schema.key if index and index in table.indexes else table.key
    kinds = ["PKC", "PKT"] + (["SKC", "SKT"] if key.range else [])
    wanted = [kind for kind in kinds if held.mode == MODE or kind.endswith("T")]
    target = f"{table.name}-{index}" if index else table.name
    return [f"DynamoDBContributorInsights-{kind}-{target}-{round(held.since * 1000)}" for kind in wanted]


def rules_held(tables: Iterable[Table]) -> int:
    """How many rules the Contributor Insights that are on have in all."""
    on = ((table, index, held) for table in tables for index, held in table.settings.insights.items())
    return sum(len(rules_of(table, index, held)) for table, index, held in on if held.status == "ENABLED")
