"""The versions that items had, and until when: eventually consistent reads and restores may still show them.

Nobody sees when a lost write took effect, or what had expired was deleted. Worlds that differ in nothing else are one,
in which it may have been at any of the moments: stale reads may go by the latest, a restore goes by one.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from reference.api import Call
from reference.service import Service
from reference.tables.table import LogEntry, Table

MOST_UNSEEN = 4
"""Changes that may have come before a moment or after it, in any combination."""


@dataclass(frozen=True, slots=True)
class Unseen(LogEntry):
    """A change that happened at a moment which nobody saw: between ``since`` and ``at``."""

    since: float = 0.0


def unseen(table: Table, after: int, since: float) -> None:
    """Note that the changes after a number may have happened at any moment since then (epoch seconds)."""
    table.log = deque(_from(entry, since) if entry.sequence > after else entry for entry in table.log)


def _from(entry: LogEntry, since: float) -> LogEntry:
    earliest = min(since, since_of(entry))
    return Unseen(entry.sequence, entry.at, entry.key, entry.old, entry.new, entry.by, earliest)


def since_of(entry: LogEntry) -> float:
    """From when on a change may have happened (epoch seconds)."""
    return entry.since if isinstance(entry, Unseen) else entry.at


Chains = Mapping[Any, list[LogEntry]]
"""The recent changes of each row of a table, the oldest first."""


def recent(service: Service, table: Table) -> Chains:
    """The changes that a stale reader may not have seen yet, or from before which a restore may start."""
    found: defaultdict[Any, list[LogEntry]] = defaultdict(list)
    keep = service.account.keep if table.settings.pitr_since is None else math.inf
    since = service.account.now() - keep
    for entry in reversed(table.log if keep else ()):
        if entry.at < since:
            break
        found[entry.key].insert(0, entry)
    return found


def same_versions(one: Service, other: Service) -> bool:
    """Whether stale reads and restores may show the same of two services with the same tables, but for the time."""
    return all(
        _steps(recent(one, table)) == _steps(recent(other, other.account.tables[name]))
        for name, table in one.account.tables.items()
    )


def _steps(chains: Chains) -> dict[Any, list[tuple[Any, Any]]]:
    return {key: [(entry.old, entry.new) for entry in chain] for key, chain in chains.items()}


def lasting(one: Service, other: Service) -> Service:
    """The first of two services with the same versions, or a fork of it in which they last as long as in either."""
    wider = {name: _wider(one, other, name) for name in one.account.tables}
    if not any(wider.values()):
        return one
    fork = one.fork()
    for name, entries in wider.items():
        table = fork.account.tables[name]
        table.log = _kept(table, [entries.get(entry.sequence, entry) for entry in table.log])
    return fork


def _wider(one: Service, other: Service, name: str) -> dict[int, LogEntry]:
    """The changes of a table that came at other moments in the other service, by number: as of both."""
    chains, others = (recent(service, service.account.tables[name]) for service in (one, other))
    pairs = [pair for key, chain in chains.items() for pair in zip(chain, others[key], strict=True)]
    return {
        mine.sequence: _from(replace(mine, at=max(mine.at, theirs.at)), min(since_of(mine), since_of(theirs)))
        for mine, theirs in pairs
        if mine.at < theirs.at or since_of(theirs) < since_of(mine)
    }


def _kept(table: Table, changes: list[LogEntry]) -> deque[LogEntry]:
    """The changes in the order of their times, under the same numbers; the order of a stream's records is known."""
    if table.settings.streams:
        return deque(changes)
    numbers = [entry.sequence for entry in changes]
    ordered = sorted(changes, key=lambda entry: entry.at)
    return deque(replace(entry, sequence=number) for entry, number in zip(ordered, numbers, strict=True))


def dated(service: Service, call: Call) -> list[Service]:
    """The states that a restore to a moment may find: what nobody saw happen may have come before it."""
    outcome = service.outcomes(call).outcome if call.operation == "RestoreTableToPointInTime" else None
    if outcome is None:
        return [service]
    source = service.account.any_table(str(call.body.get("SourceTableName") or call.body.get("SourceTableArn")))
    restored = outcome.body["TableDescription"]["RestoreSummary"]["RestoreDateTime"]
    if source is None:
        return [service]
    moment = max(restored, source.settings.pitr_since or 0.0)
    doubtful = [entry for entry in source.log if since_of(entry) <= moment < entry.at][:MOST_UNSEEN]
    ways = [early for count in range(1, len(doubtful) + 1) for early in combinations(doubtful, count)]
    return [service, *(_by(service, source, early, moment) for early in ways if _in_order(source, early, moment))]


def _in_order(table: Table, early: Collection[LogEntry], moment: float) -> bool:
    """Whether all that is known to have come before some changes is there by that moment as well."""
    later = [entry for entry in table.log if entry.at > moment and entry not in early]
    return not any(
        other.sequence < entry.sequence and (table.settings.streams or other.key == entry.key)
        for entry in early
        for other in later
    )


def _by(service: Service, source: Table, early: Collection[LogEntry], moment: float) -> Service:
    """The state in which some changes came by that moment."""
    fork = service.fork()
    table = fork.account.tables[source.name]
    table.log = _kept(table, [replace(entry, at=moment) if entry in early else entry for entry in table.log])
    return fork
