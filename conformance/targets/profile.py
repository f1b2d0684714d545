"""What a target claims: the oracle allows no more than this, and asks no more than this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

Durability = Literal["none", "process", "fsync"]
"""What survives: nothing; the end of the process (kill -9); the loss of power."""

DURABILITIES: tuple[Durability, ...] = ("none", "process", "fsync")

CAPABILITIES = (
    "wire", "values", "keys", "expressions", "items", "queries", "scans", "indexes", "batches", "transactions",
    "partiql", "legacy", "capacity", "tables", "streams", "ttl", "backups", "transfer", "vectors", "bulk", "account",
    "throttling", "consistency", "global-tables", "dax", "scaling", "metrics",
)  # fmt: skip

SETTINGS = ("throttling", "metrics", "dax")
"""What a target may be served with: DynamoDB's limits of throughput, counts of what calls use, DAX's caches."""

_CHOICES = {"durability": DURABILITIES, "clock": ("wall", "driven"), "cohort": ("", "current", "older")}


@dataclass(frozen=True, slots=True)
class Profile:
    """A target's claims.

    ``capabilities`` None means: not said, probe it; ``unsupported`` names single operations that it does not have.
    ``staleness``, ``index_lag`` and ``stream_lag`` are seconds that eventually consistent reads, index reads and
    streams may lag behind; ``state_lag`` seconds in which a table or index may stay in a passing state. ``clock`` is
    ``driven`` when the target's time can be set by us. ``cohort`` is empty when the oracle shall infer it.
    ``throttles``: it may answer 5xx or throttling at any time, as AWS may. ``auth``: it checks signatures.
    ``settings`` are what it is served with beyond the default, among ``SETTINGS``.
    ``buckets``: it has a bucket named ``dynoracle`` for exports, imports and bulk puts.
    """

    capabilities: frozenset[str] | None = None
    unsupported: frozenset[str] = frozenset()
    durability: Durability = "none"
    staleness: float = 0.0
    index_lag: float = 0.0
    stream_lag: float = 0.0
    state_lag: float = 0.0
    clock: Literal["wall", "driven"] = "wall"
    cohort: Literal["", "current", "older"] = ""
    throttles: bool = False
    auth: bool = False
    settings: frozenset[str] = frozenset()
    buckets: bool = False

    def claims(self, capability: str) -> bool:
        """Whether the target claims a capability; one that says nothing claims all.

        Caches are asked like what they stand before: they are claimed by the setting of that name.
        """
        if capability == "dax" and "dax" not in self.settings:
            return False
        return self.capabilities is None or capability == "mixed" or capability in self.capabilities

    def to_json(self) -> dict[str, Any]:
        """The profile as a JSON object, capabilities sorted."""
        row: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        row["unsupported"], row["settings"] = sorted(self.unsupported), sorted(self.settings)
        if self.capabilities is not None:
            row["capabilities"] = sorted(self.capabilities)
        return row

    @staticmethod
    def from_table(table: Mapping[str, Any], base: Profile | None = None) -> Profile:
        """The profile that a table of the catalogue describes, on top of ``base``; ValueError says what is wrong."""
        values = {field.name: getattr(base or Profile(), field.name) for field in fields(Profile)}
        for name, value in table.items():
            if name == "lacks":
                continue
            if name not in values:
                raise ValueError(f"profile.{name} is unknown; known: {', '.join(values)}, lacks")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ValueError(f"profile.{name} is {value!r}; it must be one of {', '.join(_CHOICES[name])}")
            values[name] = _known(value) if name == "capabilities" else value
            if name in ("unsupported", "settings"):
                values[name] = frozenset(value)
        unknown = sorted(values["settings"] - set(SETTINGS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no setting; known: {', '.join(SETTINGS)}")
        if "lacks" in table:
            values["capabilities"] = frozenset(CAPABILITIES) - _known(table["lacks"])
        return Profile(**values)


def _known(names: list[str]) -> frozenset[str]:
    unknown = sorted(set(names) - set(CAPABILITIES))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no capability; known: {', '.join(CAPABILITIES)}")
    return frozenset(names)
