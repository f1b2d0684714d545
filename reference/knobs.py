"""How ``dynoracle serve`` behaves beyond answering: every setting alone, by flag or in the file, or many at once.

``[serve]`` in ``dynoracle.toml`` has the same names. A flag wins over the file, the file over what ``like`` stands for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reference.account import Delays
from reference.dax import Caching
from reference.regions import possible
from reference.streams.shards import MOST_OPEN, Sharding
from reference.unkind import LIKE_AWS, Weather

FILE = "dynoracle.toml"
TABLE = "serve"
Like: TypeAlias = Literal["emulator", "aws"]
TimeSource: TypeAlias = Literal["wall", "manual"]


class KnobError(ValueError):
    """A setting that can't be used; the message names it and says what it may be."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """All settings; seconds where nothing else is said, shares of calls from 0 to 1.

    ``staleness`` and ``index_lag`` are how far eventually consistent reads and global indexes may be behind,
    ``partial`` how often a batch is left undone in part, ``throttled`` and ``errors`` how often a call is throttled or
    fails, ``leader_loss`` how often a partition loses its leader, for ``election``, ``stream_lag`` how long a change
    may take to its stream. ``*_seconds`` is how long tables take to change, ``transaction_seconds`` how long a
    transaction is under way. ``ttl_lag`` is how long after its expiry an item is deleted; -1: by hand only. ``regions``
    are further regions beside the first, ``replication_lag`` what replicas are behind each other, ``strong_lag`` how
    long a write to a table with strong consistency is under way. ``dax`` puts caches in front. A new stream has
    ``stream_shards``; after ``shard_seconds`` (0: never) they close, each followed by ``shard_children``.
    """

    like: Like = "emulator"
    seed: int = 0
    clock: TimeSource = "wall"
    control: bool = False
    throttling: bool = False
    metrics: bool = False
    staleness: float = 0.0
    index_lag: float = 0.0
    partial: float = 0.0
    throttled: float = 0.0
    errors: float = 0.0
    leader_loss: float = 0.0
    election: float = 0.05
    stream_lag: float = 0.0
    create_seconds: float = 0.0
    delete_seconds: float = 0.0
    update_seconds: float = 0.0
    backfill_seconds: float = 0.0
    restore_seconds: float = 0.0
    transfer_seconds: float = 0.0
    replica_seconds: float = 0.0
    transaction_seconds: float = 0.0
    ttl_lag: float = -1.0
    regions: tuple[str, ...] = ()
    replication_lag: float = 0.0
    strong_lag: float = 0.0
    stream_shards: int = 1
    shard_seconds: float = 0.0
    shard_children: int = 1
    dax: bool = False
    dax_item_ttl: float = 300.0
    dax_query_ttl: float = 300.0
    dax_entries: int = 10_000
    dax_nodes: int = 1
    dax_node_lag: float = 0.0
    dax_refill: float = 0.0

    @property
    def weather(self) -> Weather:
        """What goes wrong, lawfully."""
        return Weather(
            staleness=self.staleness, index_lag=self.index_lag, partial=self.partial, throttled=self.throttled,
            errors=self.errors, leader_loss=self.leader_loss, election=self.election,
            stream_lag=self.stream_lag,
        )  # fmt: skip

    @property
    def unkind(self) -> bool:
        """Whether anything goes wrong at all."""
        return self.weather != Weather(election=self.election)

    @property
    def delays(self) -> Delays:
        """How long states take to change."""
        return Delays(
            create_table=self.create_seconds, delete_table=self.delete_seconds, update_table=self.update_seconds,
            backfill=self.backfill_seconds, restore_table=self.restore_seconds, transfer=self.transfer_seconds,
            create_replica=self.replica_seconds,
        )  # fmt: skip

    @property
    def sharding(self) -> Sharding:
        """How streams are cut into shards."""
        return Sharding(self.stream_shards, self.shard_seconds or None, self.shard_children)

    @property
    def caching(self) -> Caching:
        """How the caches in front cache."""
        return Caching(
            item_ttl=self.dax_item_ttl, query_ttl=self.dax_query_ttl, entries=self.dax_entries, nodes=self.dax_nodes,
            node_lag=self.dax_node_lag, refill=self.dax_refill,
        )  # fmt: skip


_TYPES: Mapping[str, type] = {field.name: type(field.default) for field in fields(Knobs)}
_SHARES = ("partial", "throttled", "errors", "leader_loss")
_COUNTS = ("stream_shards", "shard_children")
_CHOICES: Mapping[str, tuple[str, ...]] = {"like": ("emulator", "aws"), "clock": ("wall", "manual")}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "emulator": {},
    "aws": {
        "staleness": LIKE_AWS.staleness,
        "index_lag": LIKE_AWS.index_lag,
        "partial": LIKE_AWS.partial,
        "throttled": LIKE_AWS.throttled,
        "errors": LIKE_AWS.errors,
        "leader_loss": LIKE_AWS.leader_loss,
        "stream_lag": LIKE_AWS.stream_lag,
        # Long enough to be met, short enough for a test.
        "create_seconds": 0.5,
        "delete_seconds": 0.3,
        "update_seconds": 0.5,
        "backfill_seconds": 0.5,
        "restore_seconds": 0.5,
        "transfer_seconds": 0.5,
        "replica_seconds": 0.5,
        "ttl_lag": 5.0,
        "replication_lag": 0.5,
        "throttling": True,
    },
}
"""What ``like`` stands for."""


def resolve(flags: Mapping[str, Any], folder: Path | None = None) -> Knobs:
    """The settings that flags (None: not given) and the file in ``folder`` (default: the working one) ask for.

    KnobError when one can't be used.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    filed = _filed((folder or Path.cwd()) / FILE)
    like = given.get("like", filed.get("like", "emulator"))
    if like not in PRESETS:
        raise KnobError(f"like is {like!r}; it must be one of {', '.join(PRESETS)}")
    values = {**PRESETS[like], **filed, **given}
    return replace(Knobs(), **{name: _checked(name, value) for name, value in values.items()})


def _filed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
    except tomllib.TOMLDecodeError as error:
        raise KnobError(f"{path.name}: not TOML: {error}") from error
    if not isinstance(table, dict):
        raise KnobError(f"{path.name}: {TABLE} is {table!r}; it must be a table")
    return {name.replace("-", "_"): value for name, value in table.items()}


def _checked(name: str, value: Any) -> Any:
    if name not in _TYPES:
        raise KnobError(f"{name} is no setting; known: {', '.join(sorted(_TYPES))}")
    kind = _TYPES[name]
    if name in _CHOICES and value not in _CHOICES[name]:
        raise KnobError(f"{name} is {value!r}; it must be one of {', '.join(_CHOICES[name])}")
    if name == "regions":
        listed = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
        wrong = [each for each in listed if not isinstance(each, str) or not possible(each)]
        if wrong:
            raise KnobError(f"regions: {wrong[0]!r} is no region of AWS")
        return listed
    if kind is bool or isinstance(value, bool):
        if type(value) is not kind:
            raise KnobError(f"{name} is {value!r}; it must be {'true or false' if kind is bool else 'a number'}")
        return value
    if kind in (int, float) and not isinstance(value, int | float):
        raise KnobError(f"{name} is {value!r}; it must be a number")
    if kind in (int, float) and value < 0 and name not in ("ttl_lag", "seed"):
        raise KnobError(f"{name} is {value!r}; it must not be negative")
    if name in _COUNTS and not 1 <= value <= MOST_OPEN:
        raise KnobError(f"{name} is {value!r}; it must be 1 to {MOST_OPEN}")
    if name in _SHARES and value > 1:
        raise KnobError(f"{name} is {value!r}; it is a share of calls, from 0 to 1")
    return kind(value)
