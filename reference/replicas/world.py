"""The regions of one account, and the replication between them: asynchronous, per item, the last writer wins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from reference.account import Account
from reference.clock import Clock
from reference.lifecycle import settle_own
from reference.replicas import standing
from reference.replicas.group import BY, NEVER, Group, Member, Sending, Stamp
from reference.streams.shards import entries_after
from reference.tables.table import Change, Table


@dataclass(frozen=True, slots=True)
class Link:
    """The way from one region to another: seconds until a write arrives, and whether anything gets through.

    ``merges`` lets writes of one item that arrive together be one write (beyond:GT-5).
    """

    lag: float = 0.0
    cut: bool = False
    merges: bool = False


class World:
    """The accounts of one customer by region; a region's comes into being when it is first needed."""

    def __init__(self, home: Account, *, link: Link | None = None, strong_lag: float = 0.0) -> None:
        self.accounts: dict[str, Account] = {home.region: home}
        self.groups: dict[str, Group] = {}
        self.default = link or Link()
        self.strong_lag = strong_lag
        """Seconds in which a write to a table with strong consistency is under way to the other regions."""
        self._links: dict[tuple[str, str], Link] = {}
        self._out: dict[str, float] = {}
        self._home = home.region
        home.world = self

    def account(self, region: str) -> Account:
        """The account in a region."""
        held = self.accounts.get(region)
        if held is None:
            home = self.accounts[self._home]
            held = Account(
                home.clock, account_id=home.account_id, region=region, delays=home.delays, limits=home.limits,
                sharding=home.sharding,
            )  # fmt: skip
            held.keep = home.keep
            held.world = self
            self.accounts[region] = held
        return held

    def link(self, source: str, target: str) -> Link:
        """The way from one region to another."""
        return self._links.get((source, target), self.default)

    def set_link(self, source: str, target: str, link: Link) -> None:
        """Change the way from one region to another; what is under way obeys the new one."""
        self._links[source, target] = link

    def cut(self, one: str, other: str, *, cut: bool = True) -> None:
        """Part two regions in both directions, or join them again."""
        for source, target in ((one, other), (other, one)):
            self.set_link(source, target, replace(self.link(source, target), cut=cut))

    def lose(self, region: str, seconds: float) -> None:
        """Let a region be out for so many seconds: nothing it wrote goes out, and nothing comes in."""
        self._out[region] = self.accounts[self._home].now() + seconds

    def out(self, region: str) -> bool:
        """Whether a region is out now."""
        return self._out.get(region, 0.0) > self.accounts[self._home].now()

    def group(self, name: str) -> Group | None:
        """The global table of that name."""
        return self.groups.get(name)

    def member(self, region: str, table: Table) -> Member | None:
        """A table's membership, if it is a replica; a namesake of one is none."""
        group = self.groups.get(table.name)
        member = group.members.get(region) if group is not None else None
        return member if member is not None and member.table_id == table.id else None

    def table(self, member: Member, name: str) -> Table | None:
        """The table that a membership is about."""
        table = self.account(member.region).tables.get(name)
        return table if table is not None and table.id == member.table_id else None

    def fork(self, clock: Clock | None = None) -> World:
        """An independent world in the same state."""
        other = World(self.accounts[self._home].fork_alone(clock), link=self.default, strong_lag=self.strong_lag)
        for region, account in self.accounts.items():
            if region != self._home:
                other.accounts[region] = account.fork_alone(clock)
                other.accounts[region].world = other
        other.groups = {name: group.copy() for name, group in self.groups.items()}
        other._links = dict(self._links)
        other._out = dict(self._out)
        return other

    # Replication

    def settle(self) -> None:
        """Let everything happen in every region that is due by now, and deliver what has arrived."""
        # A replica that comes into being changes what is under way, and its region's agenda.
        for account in list(self.accounts.values()):
            settle_own(account)
        if not self.groups:
            return
        now = self.accounts[self._home].now()
        for group in list(self.groups.values()):
            self._absorb(group)
            standing.due(self, group, now)
            self._deliver(group, now)
            standing.tell(self, group)

    def _absorb(self, group: Group) -> None:
        """Take the writes that a replica made itself since it was last looked at: stamp them and send them."""
        for member in group.members.values():
            table = self.table(member, group.table)
            if table is None or table.sequence == member.absorbed:
                continue
            for entry in entries_after(table, member.absorbed):
                if entry.by == BY:
                    continue
                known = member.stamps.get(entry.key, NEVER)
                after = known.after + 1 if known.at >= entry.at else 0
                stamp = Stamp(max(entry.at, known.at), after, member.region, entry.sequence)
                member.stamps[entry.key] = stamp
                for waiting in member.outbox.values():
                    waiting.append(Sending(stamp, entry.key, entry.new, entry.old))
            member.absorbed = table.sequence

    def _deliver(self, group: Group, now: float) -> None:
        """Give every replica what has come to it, in the order of arrival."""
        arrived = []
        for member in group.members.values():
            for region, waiting in member.outbox.items():
                target = group.members.get(region)
                if target is None or target.status == "CREATING":
                    continue
                arrived += [(due, region, each) for due, each in self._arrivals(group, member, region, waiting, now)]
        arrived.sort(key=lambda each: (each[0], each[2].stamp.region, each[2].stamp.sequence, each[1]))
        for due, region, sending in arrived:
            self.receive(group, group.members[region], sending, due)

    def _arrivals(
        self, group: Group, member: Member, region: str, waiting: deque[Sending], now: float
    ) -> list[tuple[float, Sending]]:
        link = Link() if group.strong else self.link(member.region, region)
        cut = link.cut or self.out(member.region) or self.out(region)
        found: list[tuple[float, Sending]] = []
        while waiting and not cut and waiting[0].stamp.at + link.lag <= now:
            sending = waiting.popleft()
            found.append((sending.stamp.at + link.lag, sending))
        if not link.merges:
            return found
        last = {sending.key: (due, sending) for due, sending in found}
        return sorted(last.values(), key=lambda each: each[1].stamp.sequence)

    def receive(self, group: Group, member: Member, sending: Sending, due: float) -> None:
        """The last writer wins, whole item by whole item (beyond:GT-2)."""
        table = self.table(member, group.table)
        if table is None or sending.stamp < member.stamps.get(sending.key, NEVER):
            return
        member.stamps[sending.key] = sending.stamp
        image = sending.record or sending.old
        assert image is not None, "a change has an item before or after"
        change = table.plan({name: image.item[name] for name in table.key.names}, sending.record)
        # After a cut is mended what was held back arrives now, and history never goes back.
        last = table.log[-1].at if table.log else due
        table.commit(change, max(due, last), BY)
        member.absorbed = table.sequence

    # Strong consistency

    def conflict(self, region: str, changes: Iterable[Change]) -> bool:
        """Whether another region's write of one of these items is still under way (beyond:GT-6)."""
        if self.strong_lag <= 0:
            return False
        now = self.accounts[region].now()
        for change in changes:
            group = self.groups.get(change.table)
            member = group.members.get(region) if group is not None and group.strong else None
            stamp = member.stamps.get(change.key, NEVER) if member is not None else NEVER
            if stamp.region not in ("", region) and stamp.at > now - self.strong_lag:
                return True
        return False

    def strong(self, region: str, names: Iterable[str]) -> bool:
        """Whether one of these tables is a replica with strong consistency."""
        return any(
            (group := self.groups.get(name)) is not None and group.strong and region in group.members for name in names
        )


def world_of(account: Account) -> World:
    """The world an account is in; it gets one when it first needs other regions."""
    held = account.world
    if held is None:
        return World(account)
    assert isinstance(held, World)
    return held
