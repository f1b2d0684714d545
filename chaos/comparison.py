"""Scenarios with arms, run and judged: each arm by itself, then side by side in the report."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson

from chaos.arms import Arm, Comparison, Expectation, Plot
from chaos.load import Ran, Series, run
from conformance.claims import claims
from conformance.record.folder import RunFolder, write_text
from conformance.record.run import CapabilityResult, CheckResult, Run
from conformance.search.campaign import ledger_version
from reference.rules import ledger

FOLDER = "arms"
"""Where in the run folder each arm leaves its series (CSV) and its history (JSON Lines)."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """An expectation with the value that showed."""

    expectation: Expectation
    value: float

    @property
    def verdict(self) -> str:
        """``ok`` where it holds."""
        return "ok" if self.expectation.holds(self.value) else "violated"


@dataclass(frozen=True, slots=True)
class Side:
    """An arm as it ran."""

    arm: Arm
    ran: Ran
    judged: tuple[Judged, ...]

    @property
    def verdict(self) -> str:
        """``ok`` where all that was expected showed."""
        return "violated" if any(each.verdict == "violated" for each in self.judged) else "ok"


@dataclass(slots=True)
class Comparisons:
    """Comparisons of one run. ``watch`` is called with each side as soon as it is judged."""

    folder: RunFolder
    seed: int = 0
    watch: Callable[[str, Side], None] = lambda name, side: None
    ran: list[tuple[str, Comparison, tuple[Side, ...]]] = field(default_factory=list)

    def one(self, name: str, found: Comparison) -> None:
        """Run all arms of a comparison; ArmError when one can't be."""
        sides = []
        for arm in found.arms:
            side = judged(arm, run(found, arm, self.seed))
            self._write(name, found, side)
            self.watch(name, side)
            sides.append(side)
        self.ran.append((name, found, tuple(sides)))

    def _write(self, name: str, found: Comparison, side: Side) -> None:
        place = self.folder.path / FOLDER
        write_text(place / f"{name}-{side.arm.name}.csv", table(found, side.ran))
        rows = (orjson.dumps(attempt.to_json()).decode() for attempt in side.ran.history)
        write_text(place / f"{name}-{side.arm.name}.jsonl", "\n".join([*rows, ""]))

    def write(self, *, command: str, started: str, seconds: float, stopped: str) -> Run:
        """The run of what was compared, written to its folder: a check for each thing that was expected."""
        checks = tuple(check for name, found, sides in self.ran for check in _checks(name, found, sides))
        verdicts: dict[str, list[str]] = {}
        for check in checks:
            verdicts.setdefault(check.capability, []).append(check.verdict)
        sizes: dict[str, tuple[int, int]] = {}
        operations: Counter[str] = Counter()
        for _, found, sides in self.ran:
            arms, calls = sizes.get(capability(found), (0, 0))
            sent = sum(len(side.ran.history) for side in sides)
            sizes[capability(found)] = (arms + len(sides), calls + sent)
            operations.update(side.arm.load[each.load].operation for side in sides for each in side.ran.history)
        try:
            ours = version("dynoracle")
        except PackageNotFoundError:
            ours = "0"
        made = Run(
            target={"name": "reference", "version": "", "endpoint": ""},
            command=command,
            version=ours,
            ledger=ledger_version(),
            seed=self.seed,
            budget=0.0,
            started=started,
            seconds=round(seconds, 1),
            programs=sum(len(sides) for _, _, sides in self.ran),
            calls=operations.total(),
            stopped=stopped,
            capabilities=tuple(
                CapabilityResult(name, "violated" if "violated" in held else "ok", *sizes[name])
                for name, held in verdicts.items()
            ),
            checks=checks,
            coverage={"operations": dict(operations)},
            comparisons=tuple(row(name, found, sides) for name, found, sides in self.ran),
        )
        self.folder.write_run(made)
        return made


def judged(arm: Arm, ran: Ran) -> Side:
    """An arm with what was expected of it, judged."""
    return Side(arm, ran, tuple(Judged(each, ran.series.value(each)) for each in arm.expect))


def capability(found: Comparison) -> str:
    """What a comparison is counted under: where its first rule stands."""
    return found.rules[0].partition(".")[0]


def told(side: Side) -> Iterator[str]:
    """What was expected of an arm, each on a line."""
    for each in side.judged:
        yield f"{each.verdict}: {each.expectation.says} ({measured(each)})"


def table(found: Comparison, ran: Ran) -> str:
    """All series of an arm as CSV: a row for each bucket, which begins at ``second``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = sorted(ran.series.held)
    writer.writerow(["second", *names])
    for place in range(ran.series.buckets):
        values = (round(ran.series.held[name][place], 6) for name in names)
        writer.writerow([f"{place * found.bucket:g}", *(f"{value:g}" for value in values)])
    return out.getvalue()


def _checks(name: str, found: Comparison, sides: Sequence[Side]) -> Iterator[CheckResult]:
    for side in sides:
        for each in side.judged:
            check = f"scenario:{name}/{side.arm.name}: {each.expectation.says}"
            yield CheckResult(check, found.rules[0], capability(found), each.verdict, None, measured(each))


def measured(each: Judged) -> str:
    """What was measured, and the bounds it must keep."""
    wanted = each.expectation
    bounds = [] if wanted.least is None else [f"at least {wanted.least:g}"]
    bounds += [] if wanted.most is None else [f"at most {wanted.most:g}"]
    what = f"{wanted.load} {wanted.measure}".strip() + (f" / {wanted.per}" if wanted.per else "")
    return f"{what}: {round(each.value, DIGITS):g}, expected {' and '.join(bounds)}"


def row(name: str, found: Comparison, sides: Sequence[Side]) -> Mapping[str, Any]:
    """A comparison as ``report.json`` has it."""
    held, rules = claims(), ledger()
    return {
        "name": name,
        "says": found.says,
        "row": found.row,
        "truth": found.truth,
        "claims": [
            {"id": id, "says": held[id].says, "verdict": held[id].verdict, "truth": held[id].truth}
            for id in found.claims
        ],
        "rules": [{"name": rule, "says": rules[rule].says} for rule in found.rules],
        "seconds": found.seconds,
        "bucket": found.bucket,
        "verdict": "violated" if any(side.verdict == "violated" for side in sides) else "ok",
        "plots": [{"title": plot.title, "unit": plot.unit, "lines": list(plot.lines)} for plot in found.plots],
        "arms": [_arm(name, found, side) for side in sides],
    }


def _arm(name: str, found: Comparison, side: Side) -> Mapping[str, Any]:
    return {
        "name": side.arm.name,
        "shows": side.arm.shows,
        "says": side.arm.says,
        "verdict": side.verdict,
        "differs": [list(pair) for pair in side.arm.differs],
        "expectations": [
            {"says": each.expectation.says, "verdict": each.verdict, "detail": measured(each)} for each in side.judged
        ],
        "totals": side.ran.series.totals(),
        "marks": [
            [event.at, event.at + float(event.body.get("seconds", 0)), f"{event.control}: {_body(event.body)}"]
            for event in side.arm.events
        ],
        "series": [
            {legend: _points(found, plot, side.ran.series, line) for legend, line in plot.lines.items()}
            for plot in found.plots
        ],
        "files": [f"{FOLDER}/{name}-{side.arm.name}.{kind}" for kind in ("csv", "jsonl")],
    }


def _body(body: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in body.items())


PER: Mapping[str, float] = {"a second": 1.0, "a minute": 60.0, "US$ an hour": 3600.0}
"""Units in which a count is told over time: how many seconds each stands for."""


def _points(found: Comparison, plot: Plot, series: Series, line: str) -> list[float]:
    """A series in its plot's unit."""
    if plot.per:
        pairs = zip(series.of(line), series.of(plot.per), strict=True)
        return [round(value / whole, DIGITS) if whole else 0.0 for value, whole in pairs]
    factor = PER[plot.unit] / found.bucket if plot.unit in PER else 1.0
    return [round(value * factor, DIGITS) for value in series.of(line)]
