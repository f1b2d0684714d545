"""Scenarios with arms: one load on the served reference, once as it fails and once mitigated, as TOML files.

An arm is the scenario's own settings, tables and load with what it changes laid over them, so that a file says what the
arms have in common once, and each arm is what differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from conformance.claims import claims
from reference.rules import ledger

SHOWS = ("failure", "mitigation")
"""What an arm is there to show."""
COUNTS = (
    "asked", "sent", "served", "throttled", "conflicts", "failed", "refused", "retries", "given-up", "stale", "expired",
    "items", "units",
)  # fmt: skip
"""What is counted of a load: requests asked for and requests sent (with retries), what became of those sent, requests
that were never served, reads that lacked an acknowledged write, items that had expired among all that were read, and
capacity units used."""
WAIT = "wait"
"""The longest time in seconds from asking to being served."""
TAKES = ("max", "min", "last")
DOLLARS = "dollars"
"""What the load costs, where the arm says how it is billed."""
BILLED = ("on-demand", "provisioned")
MOST_REQUESTS = 200_000
"""Requests that all loads of an arm may come to; more would take minutes."""


class ArmError(ValueError):
    """What can't be run of a scenario; the message says where."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A call made before time begins to pass, ``times`` over with ``{n}`` counting from 0."""

    operation: str
    body: Mapping[str, Any]
    times: int = 1
    path: str = ""
    blob: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one kind and the client that sends them.

    ``rate`` are steps: from that second on so many requests a second, evenly or, with ``chance``, at moments drawn by
    the seed. In ``body`` ``{n}`` is the request's number,
    ``{now}``, ``{now+60}`` and ``{now-60}`` epoch seconds, ``{blob}`` a text of ``blob`` characters, and each name of
    ``pick`` a number below its value, drawn by the seed. A request that is throttled, conflicts or gets no answer is
    sent up to ``attempts`` times: before the n-th again the client waits ``backoff`` × 2ⁿ⁻¹ seconds, at most ``cap``,
    with ``jitter`` a random part of that. ``paths`` are the endpoints, by the path of the served reference
    (``/direct``, ``/eu-west-1``): after no answer or a 5xx the client goes on to the next one and stays there.

    ``value`` is the attribute that tells versions apart: writes number it, and a read that shows less than was
    acknowledged before it was asked is stale. ``expiry`` is the attribute after whose second an item has expired.
    """

    operation: str
    body: Mapping[str, Any]
    rate: tuple[tuple[float, float], ...]
    chance: bool = False
    blob: int = 0
    pick: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 1
    backoff: float = 0.05
    cap: float = 20.0
    jitter: bool = True
    paths: tuple[str, ...] = ("",)
    value: str = ""
    expiry: str = ""

    def wanted(self, second: float) -> float:
        """Requests a second at a second."""
        held = 0.0
        for since, rate in self.rate:
            if since <= second:
                held = rate
        return held


@dataclass(frozen=True, slots=True)
class Event:
    """Something done to the served reference at a second, by its control endpoint ``/_dynoracle/<control>``."""

    at: float
    control: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is read off an answer again and again: ``path`` leads to it, dots between members."""

    operation: str
    body: Mapping[str, Any]
    path: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must show: a measure of a load (of all, where none is named), or its share ``per`` another.

    Counts are summed over the seconds from ``after`` to ``before``, ``take`` says what is taken of other measures.
    """

    says: str
    measure: str
    load: str = ""
    per: str = ""
    least: float | None = None
    most: float | None = None
    after: float = 0.0
    before: float = float("inf")
    take: str = "max"

    def holds(self, value: float) -> bool:
        """Whether a value is within the bounds."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a comparison: how the reference is served, what is asked of it, and what must show."""

    name: str
    shows: str
    says: str
    serve: Mapping[str, Any]
    setup: tuple[Setup, ...]
    load: Mapping[str, Load]
    events: tuple[Event, ...]
    gauges: Mapping[str, Gauge]
    billed: str
    expect: tuple[Expectation, ...]
    differs: tuple[tuple[str, str], ...]
    """What it lays over the scenario, each as a path and a value."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture that each arm has: lines by their legend, each a series (``load.measure``, a measure or a gauge).

    ``per`` is a series that each point is divided by.
    """

    title: str
    unit: str
    lines: Mapping[str, str]
    per: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario with arms. Every ``step`` seconds requests are sent; ``bucket`` seconds are one point of a series.

    ``row`` is the failure as the article's table names it, ``claims`` are what the article says of it, ``truth`` is
    what is so, ``rules`` are those of the ledger that it shows.
    """

    says: str
    row: str
    claims: tuple[str, ...]
    rules: tuple[str, ...]
    truth: str
    seconds: float
    step: float
    bucket: float
    plots: tuple[Plot, ...]
    arms: tuple[Arm, ...]


_OWN = {field.name for field in fields(Comparison)}
_COMMON = {"serve", "setup", "load", "events", "gauges", "billed"}
_OF_ARM = {"shows", "says", "expect", *_COMMON}
_DEFAULTS: Mapping[str, Any] = {"serve": {}, "setup": [], "load": {}, "events": [], "gauges": {}, "billed": ""}


def parse(row: Mapping[str, Any], where: str) -> Comparison:
    """The comparison of a TOML table that has ``arms``; ArmError says what is wrong with it."""
    unknown = sorted(set(row) - _OWN - _COMMON)
    if unknown:
        known = ", ".join(sorted(_OWN | _COMMON))
        raise ArmError(f"{where}: {unknown[0]!r} is unknown; a scenario with arms has: {known}")
    try:
        common = {**_DEFAULTS, **{name: row[name] for name in _COMMON if name in row}}
        arms = tuple(_arm(name, own, common) for name, own in row["arms"].items())
        comparison = Comparison(
            says=row["says"], row=row.get("row", ""), claims=tuple(row.get("claims", ())),
            rules=tuple(row["rules"]), truth=row.get("truth", ""),
            seconds=float(row["seconds"]), step=float(row.get("step", 0.1)), bucket=float(row.get("bucket", 1.0)),
            plots=tuple(Plot(**plot) for plot in row.get("plots", ())), arms=arms,
        )  # fmt: skip
    except KeyError as error:
        raise ArmError(f"{where}: {error.args[0]} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ArmError(f"{where}: {error}") from error
    for wrong in _wrong(comparison):
        raise ArmError(f"{where}: {wrong}")
    return comparison


def _arm(name: str, own: Mapping[str, Any], common: Mapping[str, Any]) -> Arm:
    unknown = sorted(set(own) - _OF_ARM)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is unknown; the arm {name!r} has: {', '.join(sorted(_OF_ARM))}")
    laid = {key: value for key, value in own.items() if key in _COMMON}
    whole: dict[str, Any] = {each: _over(common[each], laid.get(each)) for each in common}
    for each in ("setup", "events"):
        whole[each] = [*common[each], *laid.get(each, ())]
    return Arm(
        name=name,
        shows=own["shows"],
        says=own["says"],
        serve=whole["serve"],
        setup=tuple(Setup(**each) for each in whole["setup"]),
        load={each: _load(**of) for each, of in whole["load"].items()},
        events=tuple(Event(each["at"], each["control"], each.get("body", {})) for each in whole["events"]),
        gauges={each: Gauge(**of) for each, of in whole["gauges"].items()},
        billed=whole["billed"],
        expect=tuple(Expectation(**each) for each in own.get("expect", ())),
        differs=tuple(_leaves(laid)),
    )


def _load(**of: Any) -> Load:
    rate = of.pop("rate", ())
    steps = ((0.0, rate),) if isinstance(rate, int | float) else tuple((float(at), float(n)) for at, n in rate)
    return Load(rate=steps, paths=tuple(of.pop("paths", ("",))), **of)


def _over(under: Any, laid: Any) -> Any:
    """What comes of laying one value over another: tables are laid member by member, all else is replaced."""
    if isinstance(under, Mapping) and isinstance(laid, Mapping):
        return {**under, **{name: _over(under.get(name), value) for name, value in laid.items()}}
    return under if laid is None else laid


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The single settings of nested tables, by their paths."""
    if isinstance(value, Mapping) and "operation" not in value and "control" not in value:
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for each in value:
            yield from _leaves(each, path)
    else:
        yield path, _told(value)


def _told(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    head = str(value.get("operation") or value.get("control") or "")
    return " ".join([head, ", ".join(f"{name}={each}" for name, each in _leaves(value.get("body", {})))]).strip()


def _wrong(found: Comparison) -> Iterator[str]:
    """What keeps a comparison from being run or judged."""
    if not found.rules:
        yield "rules names none"
    for what, names, held in (("rule", found.rules, ledger()), ("claim", found.claims, claims())):
        for name in names:
            if name not in held:
                yield f"no {what} is called {name!r}"
    shown = [arm.shows for arm in found.arms]
    if set(shown) != set(SHOWS):
        yield f"arms must show each of {', '.join(SHOWS)}, and nothing else; they show {', '.join(shown)}"
    if not 0 < found.step <= found.bucket <= found.seconds:
        yield "step, bucket and seconds must be positive, and none longer than the next"
    for arm in found.arms:
        for name, load in arm.load.items():
            if not load.paths or load.attempts < 1 or not load.rate:
                yield f"the load {name!r} needs a rate, a path and an attempt"
            if sum(_requests(load, found.seconds) for load in arm.load.values()) > MOST_REQUESTS:
                yield f"the loads of {arm.name!r} come to more than {MOST_REQUESTS:,} requests"
        if not arm.load or not arm.expect:
            yield f"the arm {arm.name!r} has no load, or nothing to expect"
        if arm.billed and arm.billed not in BILLED:
            yield f"billed is {arm.billed!r}; it must be one of {', '.join(BILLED)}"
        series = [line for plot in found.plots for line in (*plot.lines.values(), plot.per) if line]
        for each in arm.expect:
            if (each.least is None and each.most is None) or each.take not in TAKES:
                yield f"{each.says!r} expects nothing: give least or most; take is one of {', '.join(TAKES)}"
            measures = [measure for measure in (each.measure, each.per) if measure]
            series += [f"{each.load}.{measure}" if each.load else measure for measure in measures]
        for line in series:
            if not known(arm, line):
                yield f"there is no series {line!r} in the arm {arm.name!r}"


def known(arm: Arm, line: str) -> bool:
    """Whether an arm has a series of that name."""
    load, dot, measure = line.partition(".")
    if not dot:
        return line in (*COUNTS, WAIT, *arm.gauges) or (line == DOLLARS and bool(arm.billed))
    return load in arm.load and measure in (*COUNTS, WAIT)


def _requests(load: Load, seconds: float) -> float:
    ends: Sequence[float] = [*(at for at, _ in load.rate[1:]), seconds]
    return sum(max(0.0, min(end, seconds) - at) * rate for (at, rate), end in zip(load.rate, ends, strict=True))


_PLACE = re.compile(r"\{([a-z]\w*)(?:([+-])(\d+))?\}")


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A body with its placeholders filled in; ArmError for one that is not known."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: _filled(found, known), value) if "{" in value else value
    if isinstance(value, Mapping):
        return {name: filled(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    return value


def _filled(found: re.Match[str], known: Mapping[str, Any]) -> str:
    if found[1] not in known:
        raise ArmError(f"{found[0]!r} is no placeholder; known: {', '.join(known)}")
    value = known[found[1]]
    if found[2]:
        value += int(found[3]) if found[2] == "+" else -int(found[3])
    return str(value)
