"""Two runs beside each other: what is new, what is not seen any more, what changed, what is flaky."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from conformance.record.finding import Finding
from conformance.record.run import Run
from reports.notation import one_line, readable
from reports.outline import rank

Replay = Callable[[Sequence[Finding]], Sequence[str]]
"""Replays findings and tells the state of each: ``still there``, ``flaky``, ``vanished``, ``other``."""
LIMIT = 200
"""Findings of one kind that are listed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one run to a later one; findings worst first.

    ``gone`` maps findings that the later run does not have to what is known of them: ``not seen`` (a search that does
    not meet a finding says nothing), or what a replay came to. ``changed`` are pairs of one operation and rule whose
    severity differs. ``flaky`` are findings of the later run that some replays did not show.
    """

    new: tuple[Finding, ...] = ()
    gone: tuple[tuple[Finding, str], ...] = ()
    changed: tuple[tuple[Finding, Finding], ...] = ()
    flaky: tuple[Finding, ...] = ()
    kept: int = 0

    @property
    def worse(self) -> bool:
        """Whether there is a new settled finding."""
        return any(not f.unsettled and f.severity != "unsupported" for f in self.new)


def compare(before: Run, after: Run, replay: Replay | None = None) -> Comparison:
    """Compare two runs; with ``replay``, every finding that is gone is replayed."""
    old = {f.fingerprint: f for f in before.findings}
    fresh = {f.fingerprint: f for f in after.findings}
    states = {str(row.get("fingerprint")): str(row.get("state")) for row in after.known}
    gone = [f for f in old.values() if f.fingerprint not in fresh]
    new = [f for f in fresh.values() if f.fingerprint not in old]
    changed = _changed(gone, new)
    paired = {f.fingerprint for pair in changed for f in pair}

    def state(finding: Finding) -> str:
        told = states.get(finding.fingerprint, "not replayed")
        return "not seen" if told == "not replayed" else told

    went = [f for f in sorted(gone, key=rank) if f.fingerprint not in paired]
    return Comparison(
        new=tuple(f for f in sorted(new, key=rank) if f.fingerprint not in paired),
        gone=tuple(zip(went, replay(went) if replay and went else map(state, went), strict=True)),
        changed=tuple(changed),
        flaky=tuple(f for f in sorted(fresh.values(), key=rank) if 0 < f.replayed < f.replays),
        kept=len(old.keys() & fresh.keys()),
    )


def _changed(gone: Iterable[Finding], new: Iterable[Finding]) -> list[tuple[Finding, Finding]]:
    """Pairs of a finding that went and one that came for the same operation and rule, where there is one of each."""

    def alone(findings: Iterable[Finding]) -> dict[tuple[str, str], Finding]:
        groups: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            groups.setdefault((finding.operation, finding.rule), []).append(finding)
        return {key: found[0] for key, found in groups.items() if len(found) == 1}

    before, after = alone(gone), alone(new)
    shared = [(before[key], after[key]) for key in before.keys() & after.keys()]
    return sorted((pair for pair in shared if pair[0].severity != pair[1].severity), key=lambda pair: rank(pair[1]))


def render(comparison: Comparison, names: tuple[str, str]) -> RenderableType:
    """The comparison for a terminal; ``names`` say what the two runs are."""
    parts = [Text(f"{one_line(names[0])}  →  {one_line(names[1])}", style="bold")]
    parts += _part("New", [(f.severity, _line(f)) for f in comparison.new], "red")
    parts += _part("Gone", [(state, _line(f)) for f, state in comparison.gone], "green")
    parts += _part(
        "Changed severity", [(f"{a.severity} → {b.severity}", _line(b)) for a, b in comparison.changed], "yellow"
    )
    parts += _part("Flaky", [(f"{f.replayed}/{f.replays}", _line(f)) for f in comparison.flaky], "yellow")
    parts.append(Text(f"\n{comparison.kept:,} findings are in both."))
    return Group(*parts)


def _line(finding: Finding) -> str:
    unsettled = " (unsettled)" if finding.unsettled else ""
    return (
        f"{one_line(readable(finding.summary))}  [{one_line(finding.rule)}]  {one_line(finding.fingerprint)}{unsettled}"
    )


def _part(title: str, rows: Sequence[tuple[str, str]], style: str) -> list[Text]:
    if not rows:
        return []
    width = max(len(label) for label, _ in rows)
    lines = [Text(f"\n{title} ({len(rows):,})", style=f"bold {style}")]
    lines += [Text(f"  {one_line(label):<{width}}  {text}") for label, text in rows[:LIMIT]]
    if len(rows) > LIMIT:
        lines.append(Text(f"  … and {len(rows) - LIMIT:,} more"))
    return lines


def markdown(comparison: Comparison, names: tuple[str, str], plain: Callable[[str], str]) -> str:
    """The comparison as Markdown; ``plain`` takes the markup out of a text."""
    groups: Mapping[str, Sequence[tuple[str, Finding]]] = {
        "New": [(f.severity, f) for f in comparison.new],
        "Gone": [(state, f) for f, state in comparison.gone],
        "Changed severity": [(f"{a.severity} → {b.severity}", b) for a, b in comparison.changed],
        "Flaky": [(f"{f.replayed}/{f.replays}", f) for f in comparison.flaky],
    }
    lines = [f"## {plain(names[0])} → {plain(names[1])}", ""]
    for title, rows in groups.items():
        if rows:
            lines += [
                f"### {title} ({len(rows):,})",
                "",
                "| | finding | rule | fingerprint |",
                "| --- | --- | --- | --- |",
            ]
            lines += [
                f"| {plain(label)} | {plain(readable(f.summary))} | {plain(f.rule)} | {plain(f.fingerprint)} |"
                for label, f in rows[:LIMIT]
            ]
            lines.append("")
    lines.append(f"{comparison.kept:,} findings are in both.")
    return "\n".join(lines) + "\n"
