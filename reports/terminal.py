"""The summary of a run in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.record.finding import Finding
from conformance.record.run import Run
from reports import comparisons
from reports.article import CLAIM_MEANS, ClaimRow, counted, standing, totals
from reports.notation import one_line, titled
from reports.outline import Outline, accepted, counts, duration, outline, replay_command, replays, verdict_of

LINE_LIMIT = 40
"""Findings that are listed; the HTML report has them all."""

SUMMARY_WIDTH = 50
"""Columns that a finding's sentence must have left to stand on one line with the rest."""

VERDICT_MARKS = {"ok": "✓", "violated": "✗", "unknown": "?", "unsupported": "–", "not-reached": "·"}
_VERDICT_STYLES = {"ok": "green", "violated": "red", "unknown": "yellow", "unsupported": "dim", "not-reached": "dim"}
_SEVERITY_STYLES = {"crash": "bold red", "data": "red", "accepts": "red", "refuses": "red", "unsupported": "dim"}


def render(run: Run, folder: Path | None = None) -> RenderableType:
    """Findings by severity with a line each, a table of capabilities, and where the report is.

    Texts are shown as they are: neither rich's markup nor a terminal's control sequences in them have any effect.
    """
    view = outline(run)
    return Group(*_parts(view, folder))


def _parts(view: Outline, folder: Path | None) -> Iterator[RenderableType]:
    run = view.run
    yield Text("")
    yield Text.assemble(
        (f"{VERDICT_MARKS[view.verdict]} {view.headline}", f"bold {_VERDICT_STYLES[view.verdict]}"),
        f"  {view.target}",
    )
    stopped = "" if run.stopped == "budget" else f", ended: {one_line(run.stopped)}"
    yield Text(f"  {run.programs:,} programs, {run.calls:,} calls in {duration(run.seconds)}, seed {run.seed}{stopped}")
    for error in run.errors:
        yield Text(f"  error of the run itself: {one_line(error, 400)}", style="bold red")
    yield from _known(view)
    yield from _findings("Findings", [f for f in view.findings if not accepted(f)])
    yield from _findings("Accepted by the baseline", [f for f in view.findings if accepted(f)])
    yield from _findings("Unsettled (not held against the target)", view.unsettled)
    if any(c.verdict != "not-reached" for c in view.capabilities):
        yield _title("Capabilities")
        yield _capabilities(view)
    elif view.capabilities:
        yield Text("  none of the capabilities was reached")
    told = ", ".join(f"{len(checks):,} {verdict}" for verdict, checks in view.checks.items() if checks)
    if told:
        yield _title("Directed checks")
        yield Text(f"  {told}")
    yield from _comparisons(view)
    yield from _article(view)
    if run.suspects:
        names = ", ".join(one_line(str(suspect.get("rule", "?"))) for suspect in run.suspects)
        yield _title("Suspects of the peer alarm")
        yield Text(f"  {names}")
    if folder is not None:
        yield from _where(view, folder)


def _known(view: Outline) -> Iterator[RenderableType]:
    """Findings known before: how many are how, and each that vanished, changed or whose acceptance expired."""
    if not view.known:
        return
    yield _title("Known before, replayed")
    counted = Counter(state for state, _, _ in view.known)
    yield Text("  " + ", ".join(f"{count:,} {state}" for state, count in sorted(counted.items())))
    telling = [row for row in view.known if row[0] not in ("still there", "accepted, still there")]
    for state, text, words in telling[:LINE_LIMIT]:
        yield Text(f"  {state}: {text}{f' ({words})' if words else ''}", no_wrap=True, overflow="ellipsis")


def _comparisons(view: Outline) -> Iterator[RenderableType]:
    """Scenarios with arms: each with its arms, and what did not show."""
    found = comparisons.views(view.run)
    if found:
        yield _title("Failures and what is done about them")
    for each in found:
        mark = Text(f"  {VERDICT_MARKS[each.verdict]} ", style=_VERDICT_STYLES[each.verdict])
        yield Text.assemble(mark, Text(f"{each.title}: {', '.join(f'{a.name} ({a.shows})' for a in each.arms)}"))
        for arm in each.arms:
            for says, verdict, detail in arm.expectations:
                if verdict != "ok":
                    yield Text(f"      {arm.name}: not so: {says} ({detail})", style="red")


def _article(view: Outline) -> Iterator[RenderableType]:
    """What the article claims by part, and each claim that is not so, or not so here."""
    rows = [row for part in view.article for row in part.rows]
    if not rows:
        return
    yield _title("The article")
    yield Text(f"  {len(rows):,} claims: {counted(totals(rows))}")
    yield Text(f"  on this target: {counted(standing(rows))}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("part", *CLAIM_MEANS):
        # Numbers keep their place where the terminal is narrow; the names of parts give way.
        table.add_column(name, justify="left" if name == "part" else "right", no_wrap=True, overflow="ellipsis")
    for part in view.article:
        told = totals(part.rows)
        table.add_row(Text(part.name), *(f"{told[name]:,}" if name in told else "" for name in CLAIM_MEANS))
    yield Padding(table, (1, 0, 1, 2))
    yield from map(_claim, (row for row in rows if row.shown == "violated"))
    yield from map(_claim, (row for row in rows if row.shown not in ("", "violated") and row.verdict != "confirmed"))


def _claim(row: ClaimRow) -> RenderableType:
    mark = Text(f"  {VERDICT_MARKS[row.shown]} ", style=_VERDICT_STYLES[row.shown])
    says = Text(f"{row.id} {row.verdict}: {row.says}" + (f" → {row.truth}" if row.truth else ""))
    return Text.assemble(mark, says, no_wrap=True, overflow="ellipsis")


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _findings(title: str, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    if not findings:
        return
    yield _title(title)
    yield Padding(_Rows([_row(finding) for finding in findings[:LINE_LIMIT]]), (0, 0, 0, 2))
    if len(findings) > LINE_LIMIT:
        yield Text(f"  … and {len(findings) - LINE_LIMIT:,} more in the report")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Findings a line each, or two where the terminal is narrow: what is typed or searched for is never cut."""

    rows: Sequence[tuple[Text, ...]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(row[column].cell_len for row in self.rows) for column in range(5)]
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
        if options.max_width >= SUMMARY_WIDTH + sum(widths) - widths[1] + 8:
            for column, width in enumerate(widths):
                table.add_column(
                    no_wrap=True, overflow="ellipsis",
                    width=None if column == 1 else width, ratio=1 if column == 1 else None,
                )  # fmt: skip
            for row in self.rows:
                table.add_row(*row)
        else:
            table.add_column(no_wrap=True, width=widths[0])
            table.add_column(overflow="fold", ratio=1)
            for severity, summary, rule, shown, fingerprint in self.rows:
                summary.truncate(max(options.max_width - widths[0] - 2, 1), overflow="ellipsis")
                table.add_row(severity, Text("\n").join((summary, Text("  ").join((fingerprint, shown, rule)))))
        yield table


def _row(finding: Finding) -> tuple[Text, ...]:
    return (
        Text(one_line(finding.severity, 20), style=_SEVERITY_STYLES.get(finding.severity, "yellow")),
        Text(one_line(titled(finding.summary), 200)),
        Text(one_line(finding.rule, 80), style="cyan"),
        Text(replays(finding).removesuffix(" replays")),
        Text(one_line(finding.fingerprint, 100), style="dim"),
    )


def _capabilities(view: Outline) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("capability")
    table.add_column("verdict")
    table.add_column("programs", justify="right")
    table.add_column("calls", justify="right")
    table.add_column("findings")
    for result in view.capabilities:
        verdict = verdict_of(result.verdict)
        table.add_row(
            Text(one_line(result.capability)),
            Text(f"{VERDICT_MARKS[verdict]} {verdict}", style=_VERDICT_STYLES[verdict]),
            f"{result.programs:,}",
            f"{result.calls:,}",
            Text(counts(result.findings) if result.findings else "", style="none"),
        )
    return Padding(table, (0, 0, 0, 2))


def _where(view: Outline, folder: Path) -> Iterator[RenderableType]:
    yield Text("")
    yield Text.assemble("Report:  ", (one_line(str(folder / "report.html"), 1000), "bold"))
    first = next(iter((*view.findings, *view.unsettled)), None)
    if first is not None:
        yield Text(f"Replay:  {one_line(replay_command(folder, first), 1000)}")
