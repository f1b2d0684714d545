"""Token buckets: what is not used of a rate is kept for a while."""

from __future__ import annotations

_SLACK = 1e-9
"""Tokens by which sums of fractions may be off."""


class Bucket:
    """Fills at ``rate`` units a second up to ``burst`` seconds of it; begins with ``initial`` seconds' worth.

    A request of more units than a full bucket holds is served by a full bucket, which then owes the rest. So what is
    spent never exceeds what was there at first, what has flowed in, and one request that is larger than the bucket.
    """

    __slots__ = ("_at", "burst", "rate", "tokens")

    def __init__(self, rate: float, burst: float, now: float, initial: float = 1.0) -> None:
        self.rate = rate
        self.burst = max(burst, 1.0)
        self.tokens = rate * min(initial, self.burst)
        self._at = now

    @property
    def most(self) -> float:
        """Units of a full bucket."""
        return self.rate * self.burst

    def fill(self, now: float) -> None:
        """Let in what has come since the last time; ``now`` is in epoch seconds."""
        if now > self._at:
            self.tokens = min(self.most, self.tokens + (now - self._at) * self.rate)
            self._at = now

    def change(self, rate: float, now: float) -> None:
        """Fill at another rate from now on; a rise can be used at once, a fall spills what is too much."""
        if rate == self.rate:
            return
        self.fill(now)
        self.tokens += max(0.0, rate - self.rate)
        self.rate = rate
        self.tokens = min(self.tokens, self.most)

    def has(self, units: float, now: float) -> bool:
        """Whether a request of so many units is served now."""
        self.fill(now)
        return self.tokens + _SLACK >= min(units, self.most)

    def take(self, units: float) -> None:
        """Spend units."""
        self.tokens -= units

    def copy(self) -> Bucket:
        """An independent bucket in the same state."""
        other = Bucket(self.rate, self.burst, self._at)
        other.tokens = self.tokens
        return other
