"""The catalogue of faults: how each is put in, what becomes of the write it hits, and what must hold.

``ledger`` is the fate of a write as the proxy's ledger tells it when the target works; ``black_box`` is what its client
alone can know. ``hides``: the client does not get the target's own answer.
"""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from conformance.record.op import Fate

if TYPE_CHECKING:
    from conformance.targets.target import Target

Place = Literal["proxy", "process", "table"]
"""Where a fault is put in: on the way to the target, in its process, in the settings of its tables."""

MAX_SECONDS = 30.0
"""No fault lasts longer by itself."""

BATCHES = frozenset({"BatchWriteItem", "BatchGetItem"})


class FaultError(ValueError):
    """A fault or parameter that the catalogue does not have; the message says what it has."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that shapes a fault, with its default and its bounds, both included."""

    name: str
    default: float
    least: float
    most: float
    says: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    ``only`` are the operations it makes sense for (empty: all). ``concurrent`` needs other clients to show anything.
    """

    name: str
    says: str
    place: Place
    ledger: Fate
    black_box: Fate
    holds: str
    parameters: tuple[Parameter, ...] = ()
    hides: bool = False
    only: frozenset[str] = frozenset()
    concurrent: bool = False

    def settings(self, given: Mapping[str, float] | None = None) -> dict[str, float]:
        """Every parameter with its value, given or default; FaultError for an unknown one or one out of bounds."""
        given = given or {}
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in given.items():
            if name not in known:
                names = ", ".join(known) or "none"
                raise FaultError(f"{self.name} has no parameter {name!r}; it has: {names}")
            low, high = known[name].least, known[name].most
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise FaultError(f"{self.name}: {name} is {value!r}; it must be a number from {low:g} to {high:g}")
        return {name: given.get(name, parameter.default) for name, parameter in known.items()}

    def missing(self, target: Target) -> str:
        """Why this fault can't be put into a target; empty when it can."""
        if self.place == "proxy":
            return (
                "" if target.endpoint.startswith(("http://", "https://")) else "it has no endpoint to stand in front of"
            )
        if self.place == "process":
            if target.process is None:
                return "its process was not started here"
            if self.name in LIMITS and not hasattr(resource, "prlimit"):
                return "this system can't change the limits of a running process"
        return ""

    def available(self, target: Target) -> bool:
        """Whether this fault can be put into a target."""
        return not self.missing(target)


def _ms(name: str, default: float, says: str, most: float = MAX_SECONDS * 1000) -> Parameter:
    return Parameter(name, default, 0, most, says)


def _part(default: float, says: str) -> Parameter:
    return Parameter("part", default, 0, 1, says)


_SAME = "the same answer as without"
_ONCE = "it took effect exactly once, and later reads agree"
_NOTHING = "the state is unchanged"
_SURVIVES = "what was acknowledged survives as the target declares; no transaction is torn, no item half written"

_ALL = (
    Fault(
        "latency", "waits before the request is passed on and before its answer is", "proxy", "ok", "ok", _SAME,
        (_ms("request_ms", 20, "before the request"), _ms("reply_ms", 20, "before the answer")),
    ),
    Fault(
        "jitter", "as latency, for a random time", "proxy", "ok", "ok", _SAME,
        (_ms("request_ms", 30, "at most, before the request"), _ms("reply_ms", 30, "at most, before the answer")),
    ),
    Fault(
        "bandwidth", "passes bytes on no faster than a rate, both ways", "proxy", "ok", "ok", _SAME,
        (Parameter("bytes_per_second", 50_000, 1_000, 1e9, "the rate"),),
    ),
    Fault(
        "slice-request", "sends the request in small pieces", "proxy", "ok", "ok",
        "the server reads partial requests, whatever the cuts",
        (Parameter("size", 1, 1, 65_536, "bytes in a piece"), _ms("gap_ms", 0, "between two pieces", 1000),
         Parameter("pieces", 64, 1, 10_000, "at most; the rest goes in one")),
    ),
    Fault(
        "slice-reply", "hands the answer on in small pieces", "proxy", "ok", "ok", _SAME,
        (Parameter("size", 1, 1, 65_536, "bytes in a piece"), _ms("gap_ms", 0, "between two pieces", 1000),
         Parameter("pieces", 64, 1, 10_000, "at most; the rest goes in one")),
    ),
    Fault(
        "slow-close", "keeps the server's connection open, unused, after the client's has ended", "proxy", "ok", "ok",
        "no connection leaks: their number comes back to what it was",
        (_ms("hold_ms", 200, "how long the connection is kept"),),
    ),
    Fault(
        "half-close", "ends the sending side of the server's connection right after the request", "proxy",
        "info", "info", "answered in full, or not at all", hides=True,
    ),
    Fault(
        "swallow", "takes the request, passes nothing on, and ends the connection", "proxy", "fail", "info", _NOTHING,
        (_ms("hold_ms", 0, "how long the client is kept waiting"),), hides=True,
    ),
    Fault(
        "drop-reply", "reads the whole answer and ends the connection instead of passing it on", "proxy",
        "ok", "info", _ONCE, hides=True,
    ),
    Fault(
        "reset-request", "resets the server's connection in the middle of the request, and the client's", "proxy",
        "fail", "info", "nothing of it took effect, and the server stays up",
        (_part(0.5, "how much of the request is sent"),), hides=True,
    ),
    Fault(
        "reset-reply", "resets the client's connection in the middle of the answer", "proxy", "ok", "info", _ONCE,
        (_part(0.5, "how much of the answer is passed on"),), hides=True,
    ),
    Fault(
        "truncate-reply", "cuts the answer's body short and ends the connection; the length it states stays", "proxy",
        "ok", "info", "the client sees an error, never a short success",
        (_part(0.5, "how much of the body is passed on"),), hides=True,
    ),
    Fault(
        "corrupt-reply", "flips a bit of the answer's body; the checksum stays, or is added", "proxy", "ok", "info",
        "the client sees an error, never the wrong bytes",
        (_part(0.5, "where in the body the bit is"),), hides=True,
    ),
    Fault(
        "duplicate", "delivers the same bytes twice, and passes on the first answer", "proxy", "ok", "ok",
        "it takes effect once for each delivery, and once in all where it carries a token",
        (Parameter("parallel", 0, 0, 1, "1: both at once; 0: one after the other"),),
    ),
    Fault(
        "delay-delivery", "ends the client's connection at once, and delivers the request some requests later", "proxy",
        "ok", "info", "it takes effect at most once, its conditions evaluated at that moment",
        (Parameter("requests", 2, 1, 1000, "how many later requests of the client go first"),), hides=True,
    ),
    Fault(
        "reorder", "holds the request until others that came later have been answered", "proxy", "ok", "ok",
        "each item stays linearizable",
        (Parameter("passes", 1, 1, 100, "how many go first"), _ms("limit_ms", 250, "it is held no longer than this")),
        concurrent=True,
    ),
    Fault(
        "error-before", "answers with a server error and passes nothing on", "proxy", "fail", "info", _NOTHING,
        (Parameter("status", 500, 500, 503, "500 InternalServerError or 503 ServiceUnavailable"),), hides=True,
    ),
    Fault(
        "error-after", "replaces the target's answer by a server error", "proxy", "ok", "info", _ONCE,
        (Parameter("status", 500, 500, 503, "500 InternalServerError or 503 ServiceUnavailable"),), hides=True,
    ),
    Fault(
        "throttle", "answers that the throughput is exceeded, and passes nothing on", "proxy", "fail", "fail", _NOTHING,
        (Parameter("kind", 0, 0, 2, "0 ProvisionedThroughputExceeded, 1 Throttling, 2 RequestLimitExceeded"),),
        hides=True,
    ),
    Fault(
        "partial-batch", "takes elements out of a batch and gives them back as unprocessed", "proxy", "ok", "ok",
        "the rest took effect, and the unprocessed did not",
        (Parameter("keep", 0.5, 0, 1, "the share that is passed on; one at least"),), only=BATCHES,
    ),
    Fault(
        "clock-skew", "signs the request anew with another date", "proxy", "ok", "ok",
        "the same answer, or a refusal of the signature and no effect",
        (Parameter("seconds", -3600, -864_000, 864_000, "how far the client's clock is off"),),
    ),
    Fault(
        "low-capacity", "gives every table one unit of throughput", "table", "fail", "fail",
        "what is throttled took no effect, and the target recovers",
    ),
    Fault(
        "kill", "kills the process (SIGKILL) and starts it again", "process", "info", "info", _SURVIVES,
        (Parameter("during", 1, 0, 1, "1: once the request is sent; 0: before"),
         Parameter("down", 0, 0, 1000, "how many later requests find it down")), hides=True,
    ),
    Fault(
        "terminate", "asks the process to end (SIGTERM) and starts it again", "process", "info", "info",
        "it ends cleanly in time, and what was acknowledged survives as declared",
        (Parameter("during", 1, 0, 1, "1: once the request is sent; 0: before"),
         Parameter("down", 0, 0, 1000, "how many later requests find it down")), hides=True,
    ),
    Fault(
        "pause", "stops the process where it stands (SIGSTOP), then lets it go on", "process", "ok", "ok",
        "the same answer, later; nothing acknowledged is lost",
        (_ms("hold_ms", 200, "how long it stands"),),
    ),
    Fault(
        "disk-full", "lets the process write no byte more to any file (RLIMIT_FSIZE) for some requests", "process",
        "info", "info", "nothing acknowledged is lost, reads keep working, and it recovers",
        (Parameter("requests", 3, 1, 1000, "how many requests it lasts"),
         _ms("hold_ms", 500, "and how long at most"),
         Parameter("bytes", 0, 0, 1e12, "how long a file may become")),
    ),
    Fault(
        "descriptors", "leaves the process no descriptors to spare (RLIMIT_NOFILE) for some requests", "process",
        "info", "info", "it recovers, and no item is damaged",
        (Parameter("requests", 3, 1, 1000, "how many requests it lasts"),
         _ms("hold_ms", 500, "and how long at most"),
         Parameter("spare", 0, 0, 10_000, "how many it may still open")),
    ),
)  # fmt: skip

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""Every fault by name."""

LIMITS = frozenset({"disk-full", "descriptors"})
"""Faults that change the limits of a running process."""

ENDS = frozenset({"kill", "terminate"})
"""Faults after which the process is another one."""


def find(name: str) -> Fault:
    """The fault of that name; FaultError lists those there are."""
    if name not in FAULTS:
        raise FaultError(f"no fault is called {name!r}; known: {', '.join(FAULTS)}")
    return FAULTS[name]


def available(target: Target, *, concurrent: bool = True) -> list[Fault]:
    """The faults that can be put into a target; without those that need several clients, if so asked."""
    return [fault for fault in _ALL if fault.available(target) and (concurrent or not fault.concurrent)]


class Healable(Protocol):
    """Something that faults were put into."""

    def heal(self) -> None:
        """Take every fault out again; twice does nothing."""
        ...


def heal(*things: Healable | None) -> None:
    """Heal all of them, even where one fails to; what failed is raised at the end."""
    failed: list[Exception] = []
    for thing in things:
        if thing is None:
            continue
        try:
            thing.heal()
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("not everything could be healed", failed)


def names(faults: Iterable[Fault]) -> str:
    """Their names, for people."""
    return ", ".join(fault.name for fault in faults)
