"""What a target may do differently without being wrong, as its profile declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from conformance.targets.profile import Profile


@dataclass(frozen=True, slots=True)
class Latitude:
    """The freedoms that DynamoDB leaves and this target uses.

    ``staleness`` and ``index_lag`` are bounds in seconds for eventually consistent reads and for secondary indexes;
    ``partial_batches`` allows unprocessed parts and throttled statements that nothing forces; ``throttling``,
    ``server_errors`` and ``conflicts`` allow such refusals at any time; ``skew`` is the clock's uncertainty in seconds.
    ``stream_lag`` is the most seconds until a change is in its stream, ``state_lag`` until a state has passed;
    ``resharding``: shards may close at any time; ``approximate``: a vector search may miss what is near. ``buckets``:
    the target has the bucket that programs export to and import from. ``counts``: its metrics show at once all that was
    done. ``lacks`` names the operations that the target does not have.
    """

    staleness: float = 0.0
    index_lag: float = 0.0
    partial_batches: bool = False
    throttling: bool = False
    server_errors: bool = False
    conflicts: bool = False
    skew: float = 1.0
    stream_lag: float = 0.0
    state_lag: float = 0.0
    resharding: bool = False
    approximate: bool = False
    buckets: bool = False
    counts: bool = False
    lacks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, profile: Profile) -> Latitude:
        """What a profile claims for itself."""
        return cls(
            staleness=profile.staleness,
            index_lag=profile.index_lag,
            partial_batches=profile.throttles,
            throttling=profile.throttles,
            server_errors=profile.throttles,
            conflicts=profile.throttles,
            stream_lag=profile.stream_lag,
            state_lag=profile.state_lag,
            resharding=profile.throttles,
            approximate=profile.throttles,
            buckets=profile.buckets,
            counts="metrics" in profile.settings,
            lacks=profile.unsupported,
        )

    @property
    def lags(self) -> bool:
        """Whether changes may come later to their streams."""
        return self.stream_lag > 0

    def used(self) -> dict[str, Any]:
        """The freedoms that are on, for reports."""
        return {name: value for name, value in asdict(self).items() if value and name not in ("skew", "lacks")}

    @property
    def history(self) -> float:
        """Seconds of item history the oracle must keep to judge lagging reads."""
        return max(self.staleness, self.index_lag)


THROTTLES = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
THROTTLED_STATEMENTS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"})
"""How a throttled statement of a batch, or action of a transaction, is told."""
CONFLICTS = frozenset({"TransactionConflictException", "TransactionInProgressException"})
MAX_WORLDS = 16
"""Joint alternatives the oracle follows before it asks for a read-back."""
MAX_PENDING = 4
"""Lost writes that may be open at once; each doubles the alternatives."""


QUOTA_OPERATIONS = frozenset({"CreateTable", "UpdateTable"})


def permitted(latitude: Latitude, operation: str, code: str, status: int, fields: Mapping[str, Any]) -> bool:
    """Whether the target may refuse like this whatever the request."""
    if code == "LimitExceededException" and operation in QUOTA_OPERATIONS:
        return True  # An account's quotas are shared with tables we know nothing of.
    if code in THROTTLES:
        return latitude.throttling
    if status >= 500:
        return latitude.server_errors
    if code in CONFLICTS:
        return latitude.conflicts
    if code == "TransactionCanceledException":
        codes = {reason.get("Code") for reason in fields.get("CancellationReasons", ()) if isinstance(reason, dict)}
        if codes <= {"None", "TransactionConflict"}:
            return latitude.conflicts
        return codes <= {"None", *THROTTLED_STATEMENTS} and latitude.throttling
    return False
