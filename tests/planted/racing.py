"""The bugs of concurrency, restarts and lost answers by name, each with what brings it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.planted import concurrency as c
from tests.planted import races as r
from tests.planted.concurrency import Planted, Threads


def _plant(service: Callable[[], Threads], workload: str, kinds: str, *faults: str, share: float = 0.1) -> Planted:
    about = service.__doc__ or service.__name__
    return Planted(service, about, workload, frozenset(kinds.split()), faults, share)


PLANTS: Mapping[str, Planted] = {
    "lost-update": _plant(c.LostUpdate, "register", "lost-update not-linearizable"),
    "counter-race": _plant(c.CounterRace, "counter", "lost-update"),
    "condition-race": _plant(c.ConditionRace, "claim", "lost-update lost-write not-linearizable"),
    "transaction-race": _plant(c.TransactionRace, "append", "lost-update G-single lost-append partial-transaction"),
    "torn-write": _plant(c.TornWrite, "bank", "money-lost money-made"),
    "torn-write-lists": _plant(c.TornWrite, "append", "G-single G2-item"),
    "torn-read": _plant(c.TornRead, "bank", "money-lost money-made"),
    "torn-read-fork": _plant(c.TornRead, "long-fork", "G2-item G-single"),
    "half-transaction": _plant(c.HalfTransaction, "append", "partial-transaction G-single lost-append"),
    "token-forgotten": _plant(c.TokenForgotten, "append", "duplicate-elements", "drop-reply", share=0.3),
    "applied-twice": _plant(c.AppliedTwice, "counter", "applied-twice"),
    "refused-but-applied": _plant(c.RefusedButApplied, "claim", "aborted-read not-linearizable"),
    "stale-reads": _plant(c.StaleReads, "register", "stale-read lost-write"),
    "early-answers": _plant(c.EarlyAnswers, "register", "stale-read lost-write lost-update not-linearizable"),
    "lost-on-kill": _plant(c.LostOnKill, "register", "lost-acknowledged-write lost-write", "kill"),
    "torn-on-kill": _plant(c.TornOnKill, "append", "partial-transaction lost-append", "kill"),
    "ghost-entry": _plant(c.GhostEntry, "queue", "ghost-entry"),
    "missing-entry": _plant(c.MissingEntry, "queue", "missing-entry"),
    "record-twice": _plant(c.RecordTwice, "stream", "duplicate-record"),
    "record-lost": _plant(c.RecordLost, "stream", "lost-record"),
    "records-out-of-order": _plant(c.RecordsOutOfOrder, "stream", "record-order"),
    "delete-race": _plant(r.DeleteRace, "register", "lost-update not-linearizable lost-write"),
    "taken-twice": _plant(r.TakenTwice, "queue", "lost-update not-linearizable"),
    "throttled-but-applied": _plant(r.ThrottledButApplied, "counter", "aborted-read lost-update applied-twice"),
    "cancelled-but-applied": _plant(r.CancelledButApplied, "bank", "money-lost money-made aborted-read"),
    "checks-skipped": _plant(r.ChecksSkipped, "bank", "not-linearizable overdrawn"),
    "answers-swapped": _plant(r.AnswersSwapped, "register", "not-linearizable stale-read future-read"),
    "dirty-reads": _plant(r.DirtyReads, "claim", "aborted-read future-read not-linearizable"),
    "dies-of-resets": _plant(r.DiesOfResets, "register", "died", "reset-request", share=0.2),
    "frozen-index": _plant(r.FrozenIndex, "queue", "ghost-entry missing-entry differing-entry"),
    "half-projection": _plant(r.HalfProjection, "queue", "differing-entry"),
    "segment-lost": _plant(r.SegmentLost, "queue", "missing-entry"),
    "back-from-the-dead": _plant(r.BackFromTheDead, "register", "lost-acknowledged-write lost-write", "kill"),
    "last-token-only": _plant(r.LastTokenOnly, "append", "duplicate-elements", "drop-reply", share=0.3),
    "no-op-recorded": _plant(r.NoOpRecorded, "stream", "ghost-record record-order"),
    "records-lost-on-kill": _plant(r.RecordsLostOnKill, "stream", "lost-record", "kill"),
    "gone-early": _plant(c.GoneEarly, "ttl", "gone-early"),
}  # fmt: skip
