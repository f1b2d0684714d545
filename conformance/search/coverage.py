"""What a campaign reached and what it did not, of all there is: rules, operations, errors, expressions, relations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from conformance.oracle.covered import FEATURES
from conformance.record.run import CheckResult
from conformance.relations.laws import RELATIONS
from reference.account import Account
from reference.rules import ledger
from reference.service import Service

KINDS = ("rules", "operations", "errors", "features", "relations")
_TRIED = frozenset({"ok", "violated"})
"""Verdicts of a directed check that tried its rule."""


@cache
def known() -> Mapping[str, Sequence[str]]:
    """All there is to reach of each kind; rules that no single call shows are left out."""
    rules = [rule for rule in ledger().values() if rule.observable]
    return {
        "rules": sorted(rule.name for rule in rules),
        "operations": sorted(Service(Account()).operations()),
        "errors": sorted({rule.error for rule in rules if rule.error}),
        "features": FEATURES,
        "relations": RELATIONS,
    }


def coverage(reached: Mapping[str, Mapping[str, int]], checks: Iterable[CheckResult]) -> dict[str, Any]:
    """The coverage of a run: counts by kind and name, and by kind the names of what was not reached.

    ``reached`` has counts for each of ``KINDS``. A rule that the oracle was not asked about, but a directed check held
    against its literal, is reached as often. ``known`` counts the rules by
    capability, without those that no single call shows and that were not reached.
    """
    counts = {kind: dict(reached.get(kind, {})) for kind in KINDS}
    tried = Counter(check.rule for check in checks if check.verdict in _TRIED)
    counts["rules"] = {**tried, **counts["rules"]}
    left = {kind: [name for name in known()[kind] if not counts[kind].get(name)] for kind in KINDS}
    there = {*known()["rules"], *counts["rules"]}
    by_capability = Counter(rule.partition(".")[0] for rule in sorted(there))
    return {**counts, "known": dict(by_capability), "unreached": left}
