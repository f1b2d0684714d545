"""Eventually consistent reads: an answer may show what was true not long ago, each item as of a moment of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.oracle import expiry
from conformance.oracle.compare import canonical
from conformance.oracle.latitude import THROTTLED_STATEMENTS, Latitude
from reference import ttl
from reference.api import Call, Json
from reference.followers import EVENTUAL, uses
from reference.operations.base import Choice, Outcome
from reference.service import Service
from reference.tables.table import LogEntry, Table

MAX_MOMENTS = 512
"""Versions a stale read is compared with: a few batches make many within the bound."""


def lag_of(call: Call, latitude: Latitude) -> float:
    """How far what answers a call may be behind, in seconds."""
    lags = latitude.history > 0 and call.operation in EVENTUAL
    asked = [use for use in uses(call) if use.eventual] if lags else []
    if not asked:
        return 0.0
    return max(latitude.staleness, latitude.index_lag if any(use.index for use in asked) else 0.0)


def replicas(service: Service, bound: float, slack: float = 0.0) -> Iterator[Service]:
    """The states inside the bound, newest first: each before one more write, and valid until the next is asked.

    What had expired when it was overwritten, by a clock within ``slack`` seconds, may have been gone just before.
    """
    since = service.account.now() - bound
    writes = [(e.at, name, e) for name, table in service.account.tables.items() for e in table.log if e.at >= since]
    writes.sort(key=lambda write: (write[0], write[2].sequence), reverse=True)
    fork = service.fork()
    for _, name, entry in writes[:MAX_MOMENTS]:
        table = fork.account.tables[name]
        if _overdue(service, table, entry, slack):
            table.install_row(replace(entry, old=None))
            yield fork
        table.install_row(entry)
        table.sequence = entry.sequence - 1
        yield fork


def _overdue(service: Service, table: Table, entry: LogEntry, slack: float) -> bool:
    """Whether a write has overwritten an item that time to live may have deleted before it."""
    attribute = expiry.attribute_of(service, table)
    if attribute is None or entry.old is None or entry.new is None:
        return False
    item = entry.old.item
    return ttl.expired(item, attribute, entry.at + slack) or ttl.expired(item, attribute, entry.at - slack)


def batch_fits(states: Iterable[Service], call: Call, body: Json, left: frozenset[tuple[str, int]]) -> bool:
    """Whether a BatchGetItem shows only what was ever true, and all that always was."""
    ever: dict[str, set[bytes]] = {}
    always: dict[str, set[bytes]] | None = None
    for state in states:
        other = state.outcomes(call, Choice(unprocessed=left)).outcome
        if other is None:
            continue
        shown = {table: set(map(canonical, rows)) for table, rows in other.body["Responses"].items()}
        for table, texts in shown.items():
            ever.setdefault(table, set()).update(texts)
        always = shown if always is None else {t: texts & shown.get(t, set()) for t, texts in always.items()}
    responses = body.get("Responses") if isinstance(body, dict) else None
    if not isinstance(responses, dict) or responses.keys() != ever.keys():
        return False
    return all(
        (always or {}).get(table, set()) <= texts <= ever[table]
        for table, texts in ((table, set(map(canonical, rows))) for table, rows in responses.items())
    )


def rows_fit(states: Iterable[Service], call: Call, body: Json) -> bool:
    """Whether a statement's rows are only such as there ever were; a last page must have all that there always were."""
    rows = body.get("Items") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        return False
    asked = Call(call.operation, {name: value for name, value in call.body.items() if name != "Limit"})
    found = [other.body["Items"] for state in states if (other := state.outcomes(asked).outcome) is not None]
    shown = [set(map(canonical, each)) for each in found]
    texts = set(map(canonical, rows))
    if not shown or not texts <= set.union(*shown):
        return False
    partly = call.body.get("Limit") is not None or call.body.get("NextToken") or body.get("NextToken")
    return bool(partly) or set.intersection(*shown) <= texts


def as_read(states: Iterable[Service], call: Call, outcome: Outcome, body: Json, *, throttling: bool) -> Json:
    """The answer to a batch of statements with each of its parts as of the moment that the observed one tells of."""
    told = body.get("Responses") if isinstance(body, dict) else None
    wanted = outcome.body["Responses"]
    if not isinstance(told, list) or len(told) != len(wanted):
        return outcome.body
    ever: list[set[bytes]] = [{canonical(part)} for part in wanted]
    for state in states:
        other = state.outcomes(call).outcome
        for texts, part in zip(ever, other.body["Responses"] if other is not None else (), strict=False):
            texts.add(canonical(part))
    parts = [
        observed if canonical(observed) in texts or (throttling and is_throttled(observed)) else expected
        for observed, expected, texts in zip(told, wanted, ever, strict=True)
    ]
    charged = {"ConsumedCapacity": body["ConsumedCapacity"]} if "ConsumedCapacity" in body else {}
    return {**outcome.body, "Responses": parts, **charged}


def is_throttled(part: Json) -> bool:
    """Whether a statement of a batch is answered with a lack of throughput."""
    error = part.get("Error") if isinstance(part, dict) else None
    return isinstance(error, dict) and error.get("Code") in THROTTLED_STATEMENTS
