"""UpdateContributorInsights, DescribeContributorInsights, ListContributorInsights (beyond:CI-1, CI-2)."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import known_table
from reference.rules import Checks, violation
from reference.tables.insights import MODE, rules_of
from reference.tables.settings import Insights
from reference.tables.table import Table

PAGE = 100


def update_insights(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateContributorInsights: what is so already stays so."""
    if not complete("UpdateContributorInsights", body):
        return None
    table = yield from known_table(context, body)
    if table is None or not (yield from _index(table, body)):
        return None
    index, enable = body.get("IndexName") or "", body["ContributorInsightsAction"] == "ENABLE"
    if table.status == "CREATING":
        yield violation("metrics.insights-state", kind="Table", table=table.name, index=index)
    elif index and table.indexes[index].status != "ACTIVE":
        yield violation("metrics.insights-state", kind="Index", table=table.name, index=index)
    held = table.settings.insights.get(index)
    settled = "ENABLED" if enable else "DISABLED"
    # Disabling keeps the mode, whatever it names; enabling without one asks for the default.
    mode = (body.get("ContributorInsightsMode") or MODE) if enable else (held.mode if held else MODE)
    same = (held.status if held else "DISABLED") == settled and (not enable or (held and held.mode == mode))
    name, now = table.name, context.now()
    going_on = held is not None and held.status in ("ENABLED", "ENABLING")
    since = held.since if held is not None and (going_on or not enable) else now
    failure = held.failure if held is not None and not enable else None
    made = Insights("ENABLING" if enable else "DISABLING", mode, now, since, failure)

    def effect(account: Account) -> None:
        if same:
            return
        changed = account.tables[name]
        changed.settings.insights = {**changed.settings.insights, index: made}
        account.agenda.add(now + account.delays.update_table, "insights-settled", name, changed.id, index)

    answer = _named(table, index) | {"ContributorInsightsStatus": settled if same else made.status}
    if enable or held is not None:
        answer["ContributorInsightsMode"] = mode
    return Outcome(answer, effects=(effect,), rules=("metrics.insights",))


def describe_insights(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeContributorInsights: never configured looks disabled, and shows nothing else."""
    table = yield from known_table(context, body)
    if table is None or not (yield from _index(table, body)):
        return None
    index = body.get("IndexName") or ""
    held = table.settings.insights.get(index)
    answer = _named(table, index) | {"ContributorInsightsStatus": held.status if held else "DISABLED"}
    if held is not None:
        answer |= {"LastUpdateDateTime": held.changed, "ContributorInsightsMode": held.mode}
        if held.failure is not None:
            answer["FailureException"] = {
                "ExceptionName": "LimitExceededException",
                "ExceptionDescription": held.failure,
            }
    if held is not None and held.status in ("ENABLED", "ENABLING"):
        answer["ContributorInsightsRuleList"] = rules_of(table, index, held)
    return Outcome(answer, rules=("metrics.insights",))


def list_insights(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListContributorInsights: of all tables or one, without what is disabled."""
    tables = list(context.account.tables.values())
    if body.get("TableName") is not None:
        table = yield from known_table(context, body)
        tables = [] if table is None else [table]
    found = [
        _named(table, index) | {"ContributorInsightsStatus": held.status, "ContributorInsightsMode": held.mode}
        for table in sorted(tables, key=lambda each: each.name)
        for index, held in sorted(table.settings.insights.items())
        if held.status != "DISABLED"
    ]
    token = body.get("NextToken") or "0"
    start = min(int(token), len(found)) if token.isascii() and token.isdigit() and len(token) < 10 else 0
    size = min(max(body.get("MaxResults") or PAGE, 1), PAGE)
    answer: dict[str, Any] = {"ContributorInsightsSummaries": found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return Outcome(answer, rules=("metrics.insights",))


def _index(table: Table, body: dict[str, Any]) -> Checks[bool]:
    """Whether the index, where one is named, is a global secondary index of the table."""
    name = body.get("IndexName")
    if name is None or (name in table.indexes and table.indexes[name].schema.kind == "GSI"):
        return True
    yield violation("metrics.insights-index", index=name, table=table.name)
    return False


def _named(table: Table, index: str) -> dict[str, Any]:
    return {"TableName": table.name, "IndexName": index} if index else {"TableName": table.name}


OPERATIONS: dict[str, Operation] = {
    "UpdateContributorInsights": update_insights,
    "DescribeContributorInsights": describe_insights,
    "ListContributorInsights": list_insights,
}
