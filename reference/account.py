"""The state of one account in one region: its tables, what is due later, and the tokens it remembers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Protocol, Self

from reference.agenda import Agenda
from reference.clock import Clock, ManualClock
from reference.streams.shards import Sharding
from reference.tables.limits import Limits
from reference.tables.table import Change, Table

ACCOUNT_ID = "400000000004"
"""No number that examples and tests use for somebody else's account, such as all noughts: those are foreign."""
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Delays:
    """How long states take to change, in seconds; 0 means that the next call sees the final state."""

    create_table: float = 0.0
    delete_table: float = 0.0
    update_table: float = 0.0
    backfill: float = 0.0
    restore_table: float = 0.0
    enable_backups: float = 0.0
    """How long after its creation a table can't be backed up yet (beyond:BKP-8, PIT-6)."""
    transfer: float = 0.0
    """How long an export, an import or a bulk operation takes."""
    create_replica: float = 0.0


class Regions(Protocol):
    """The account in all its regions (``reference.replicas.world.World``), as far as one of them needs to know."""

    accounts: dict[str, Account]

    def settle(self) -> None:
        """Let everything happen that is due by now."""

    def fork(self, clock: Clock | None = None) -> Self:
        """Independent regions in the same state."""


class Account:
    """Tables by name, and everything else an account holds. Copied by ``fork``, never shared."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        account_id: str = ACCOUNT_ID,
        region: str = REGION,
        delays: Delays | None = None,
        limits: Limits | None = None,
        sharding: Sharding | None = None,
    ) -> None:
        self.clock: Clock = clock or ManualClock()
        self.account_id = account_id
        self.region = region
        self.delays = delays or Delays()
        self.limits = limits or Limits()
        self.sharding = sharding or Sharding()
        self.tables: dict[str, Table] = {}
        self.agenda = Agenda()
        self.keep = 0.0
        """Seconds of item history every table keeps for stale readers."""
        self.remembered: dict[tuple[str, str], Any] = {}
        """Idempotency tokens by (API, token)."""
        self.rooms: dict[str, Any] = {}
        """State of further capabilities (streams, backups …) by name; each has ``copy()``."""
        self.world: Regions | None = None
        """The account's other regions, once it has replicas in some."""
        self._ids = 0

    def now(self) -> float:
        """The present moment, epoch seconds."""
        return self.clock.now()

    def arn(self, resource: str) -> str:
        """The ARN of a resource such as ``table/music``."""
        return f"arn:aws:dynamodb:{self.region}:{self.account_id}:{resource}"

    def new_id(self) -> str:
        """A UUID that follows from the account and how many were made before."""
        made = self.coming_id()
        self._ids += 1
        return made

    def coming_id(self) -> str:
        """What ``new_id`` will give next; for answers that are worked out before they are committed."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.arn('id')}/{self._ids + 1}"))

    def table(self, name: str) -> Table | None:
        """The table with that name or ARN that serves items, or None (dataplane:ORD-9, WIRE-18)."""
        table = self.any_table(name)
        return table if table is not None and table.status in ("ACTIVE", "UPDATING") else None

    def any_table(self, name: str) -> Table | None:
        """The table with that name or ARN in whatever state, or None."""
        if name.startswith("arn:"):
            prefix = self.arn("table/")
            if not name.startswith(prefix):
                return None
            name = name[len(prefix) :]
        return self.tables.get(name)

    def owns(self, arn: str) -> bool:
        """Whether text is no ARN, or one of this account: IAM answers for others before the operation looks."""
        parts = arn.split(":", 5)
        return len(parts) < 6 or parts[0] != "arn" or parts[4] == self.account_id

    def provisioned(self) -> tuple[int, int]:
        """All provisioned units of the account's tables and indexes, reads and writes."""
        held = [
            settings
            for table in self.tables.values()
            for settings in (table.settings, *(index.settings for index in table.indexes.values()))
        ]
        return sum(each.read_units for each in held), sum(each.write_units for each in held)

    def commit(self, change: Change, by: str = "user") -> None:
        """Do a planned item write."""
        self.tables[change.table].commit(change, self.now(), by)

    def fork(self, clock: Clock | None = None) -> Account:
        """An independent account in the same state, with other regions of its own."""
        if self.world is not None:
            return self.world.fork(clock).accounts[self.region]
        return self.fork_alone(clock)

    def fork_alone(self, clock: Clock | None = None) -> Account:
        """An independent account in the same state, without other regions."""
        other = Account(
            clock or self.clock,
            account_id=self.account_id,
            region=self.region,
            delays=self.delays,
            limits=self.limits,
            sharding=self.sharding,
        )
        other.tables = {name: table.copy() for name, table in self.tables.items()}
        other.agenda = self.agenda.copy()
        other.keep = self.keep
        other.remembered = dict(self.remembered)
        other.rooms = {name: room.copy() for name, room in self.rooms.items()}
        other._ids = self._ids
        return other

    def as_of(self, moment: float) -> Account:
        """What a replica shows that has every write up to ``moment`` and none after."""
        other = self.fork()
        other.tables = {name: table.as_of(moment) for name, table in self.tables.items()}
        return other
