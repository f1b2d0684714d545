"""What is true of the article's claims about throttling, scaling, metrics, DAX and replicas: rules' own checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.checks import dax, global_tables_replicas, metrics, scaling, throttling
from conformance.checks.base import Check
from conformance.checks.steps import claimed

SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    "C19": ("throttling.partition",),
    "C23": ("throttling.partition",),
    "C30": ("dax.item-cache[again]",),
    "C32": ("throttling.partition",),
    "C33": ("metrics.consumed[ConsumedWriteCapacityUnits]", "metrics.listed"),
    "C34": ("metrics.answered[SuccessfulRequestLatency]",),
    "C35": ("metrics.consumed[ConsumedWriteCapacityUnits]",),
    "C48": ("throttling.burst[used]", "throttling.provisioned-table[write]"),
    "C69": ("throttling.on-demand-table", "throttling.on-demand-maximum", "throttling.account"),
    "C73": ("scaling.registered",),
    "C75": ("scaling.policy", "scaling.target-value[too low]", "scaling.target-value[too high]"),
    "C76": ("scaling.metric",),
    "C89": (
        "throttling.provisioned-table[write]",
        "throttling.provisioned-table[read]",
        "throttling.provisioned-index",
    ),
    "C94": ("throttling.provisioned-table[write]", "throttling.provisioned-table[read]"),
    "C95": ("throttling.on-demand-table",),
    "C97": ("throttling.account",),
    "C132": ("dax.item-cache[again]",),
    "C133": ("dax.item-cache[again]", "dax.query-cache"),
    "C136": ("dax.write-through", "dax.write-through[UpdateItem]"),
    "C137": ("dax.item-cache", "dax.query-cache"),
    "C138": ("dax.consistent-reads", "dax.consistent-reads[Scan]"),
    "C142": ("dax.batch", "dax.query-cache"),
    "C143": ("dax.item-cache[again]",),
    "C144": ("dax.item-cache[again]",),
    "C145": ("dax.query-cache",),
    "C147": ("dax.write-through",),
    "C197": ("global-tables.stream",),
    "C201": ("global-tables.description[strong]",),
    "C202": ("global-tables.strong-transaction",),
    "C229": ("throttling.partition",),
    "C230": ("throttling.provisioned-table[write]", "throttling.burst[used up]"),
    "C235": ("dax.item-cache",),
    "C270": (
        "metrics.consumed[ConsumedReadCapacityUnits]",
        "metrics.refused[UserErrors]",
        "metrics.throttled[WriteThrottleEvents]",
    ),
    "C271": ("metrics.contributors[accessed]",),
    "C278": ("dax.query-cache",),
}
"""Claim → the checks, by their ids, that show what is so."""


def _named() -> Iterator[Check]:
    held = (throttling.CHECKS, metrics.CHECKS, dax.CHECKS, global_tables_replicas.CHECKS, scaling.CHECKS)
    checks = {check.id: check for each in held for check in each}
    for claim, ids in SHOWN_BY.items():
        for id in ids:
            check = checks[id]
            # Checks of one claim are told apart by the rules they are of.
            name = f"{check.rule} {check.name}".strip() if len(ids) > 1 else ""
            yield from claimed(claim, check, name=name)


CHECKS: tuple[Check, ...] = tuple(_named())
