"""``dynoracle report``, ``matrix``, ``compare``, ``trend``, ``badge`` and ``site``; and what ends every run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import reports
from conformance.record.codec import RecordError
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder, file_trouble, read_run, write_text
from conformance.record.run import Run
from reports import compare as comparing
from reports import markdown
from reports.badge import shields, svg, words
from reports.history import read_history, run_folders
from reports.matrix import Matrix, mark
from reports.matrix import matrix as matrix_of
from reports.outline import counts, outline
from reports.pages import matrix_page
from reports.terminal import render
from reports.trend import spark
from reports.trend import trend as trend_of

PIPED_WIDTH = 140
"""Columns of a summary that goes to a file or a log, where nothing says how wide it is."""
app = typer.Typer()
Replays = Callable[[Sequence[Finding], str], Sequence[str]]
_replays: list[Replays] = []


def wire_replays(replay: Replays) -> None:
    """How ``compare --target`` replays a finding on a target. Set by the composition root."""
    _replays[:] = [replay]


def finish(folder: RunFolder, run: Run, console: Console) -> None:
    """Write every report of a run folder and print the summary."""
    reports.write_all(folder.path)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    console.print(render(run, folder.path))


def fail(error: object) -> NoReturn:
    """Say what is wrong and exit with the code for usage and environment."""
    Console(stderr=True).print(Text(f"dynoracle: {error}", style="bold red"), soft_wrap=True)
    raise typer.Exit(2)


def _read(path: Path) -> Run:
    try:
        return read_run(path)
    except RecordError as error:
        fail(error)


@app.command()
def report(run: Annotated[Path, typer.Argument(help="The folder of a run.")]) -> None:
    """Write the reports of a run again, and show its summary."""
    finish(RunFolder(run), _read(run), Console())


@app.command()
def matrix(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, one for each column.")],
    out: Annotated[Path | None, typer.Option(help="Write .html or .md instead of showing it.")] = None,
) -> None:
    """Set targets side by side: capabilities and rules, counted by how they stand."""
    table = matrix_of([(_read(path), path) for path in runs])
    if out is None:
        _show(table)
        return
    if out.suffix not in (".html", ".md"):
        fail(f"--out: {out.name!r} says neither HTML nor Markdown; end its name in .html or .md")
    write_text(out, matrix_page(table) if out.suffix == ".html" else markdown.matrix(table))


def _table(first: str, heads: Sequence[Text]) -> Table:
    table = Table(first)
    for head in heads:
        table.add_column(head)
    return table


def _show(told: Matrix) -> None:
    console = Console()
    heads = [Text(f"{c.label} {c.version}".strip()) for c in told.columns]
    table = _table("capability", heads)
    for name, cells in told.capabilities.items():
        table.add_row(Text(name), *(Text(f"{mark(cell.verdict)} {cell.words()}") for cell in cells))
    console.print(table)
    rules = list(told.telling())
    if rules:
        table = _table("rule", heads)
        for name, standings in rules:
            table.add_row(Text(name), *(Text(f"{mark(s)} {s}") for s in standings))
        console.print(table)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="The folder of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="The folder of the later run.")],
    target: Annotated[str, typer.Option(help="Replay what is gone on this target: only then it is vanished.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write Markdown instead of showing it.")] = None,
) -> None:
    """Compare two runs: new, gone, changed and flaky findings. Exit code 1 when a settled one is new."""
    one, other = _read(before), _read(after)

    def replayed(findings: Sequence[Finding]) -> Sequence[str]:
        return _replays[0](findings, target)

    told = comparing.compare(one, other, replayed if target and _replays else None)
    names = (f"{outline(one).target} ({one.started})", f"{outline(other).target} ({other.started})")
    if out is None:
        Console().print(comparing.render(told, names))
    else:
        write_text(out, comparing.markdown(told, names, markdown.plain))
    raise typer.Exit(1 if told.worse else 0)


@app.command()
def trend(
    folder: Annotated[Path, typer.Argument(help="A folder that holds run folders.")],
    target: Annotated[list[str] | None, typer.Option(help="Only this target (repeat for more).")] = None,
) -> None:
    """Show each target's findings over its runs, what is new and what is not seen any more."""
    try:
        history = read_history(run_folders(folder))
    except RecordError as error:
        fail(error)
    chosen = [name for name in history.runs if not target or name in target]
    if not chosen:
        fail(f"{folder}: holds no runs" + (f" of {', '.join(target)}" if target else ""))
    console = Console()
    for name in chosen:
        told = trend_of(history, name)
        newest = told.runs[-1]
        console.print(Text.assemble((name, "bold"), f"  {spark(told.totals)}  {counts(newest.severities)}"))
        gone = [line for line in told.lines if line.state != "there" and line.last is not newest]
        for title, lines in (("new", told.fresh if len(told.runs) > 1 else []), ("gone", gone)):
            for line in lines[:20]:
                state = "" if title == "new" else f" ({line.state} since {line.last.started})"
                finding = line.finding
                console.print(Text(f"  {title}: {finding.severity}: {finding.rule}: {finding.fingerprint}{state}"))
            if len(lines) > 20:
                console.print(Text(f"  … and {len(lines) - 20:,} more {title}"))
    for text in history.unreadable:
        console.print(Text(f"left out: {text}", style="yellow"))


@app.command()
def badge(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    out: Annotated[Path | None, typer.Option(help="Write .svg, or .json for shields.io, instead of words.")] = None,
) -> None:
    """Make a badge that says what a run found."""
    told = _read(run)
    if out is None:
        Console().print(Text(words(told)[0]))
        return
    if out.suffix not in (".svg", ".json"):
        fail(f"--out: {out.name!r} says neither SVG nor JSON; end its name in .svg or .json")
    write_text(out, svg(told) if out.suffix == ".svg" else shields(told))


@app.command()
def site(
    folder: Annotated[Path, typer.Argument(help="A folder that holds run folders.")],
    out: Annotated[Path, typer.Option(help="Folder to write the site to.")],
) -> None:
    """Write a static site of all runs: targets, rules, findings with their history, badges."""
    from reports.site import build

    try:
        told = build(folder, out)
    except (RecordError, OSError) as error:
        fail(file_trouble(error))
    runs = sum(len(t.runs) for t in told.trends.values())
    Console().print(Text(f"{told.pages:,} pages of {runs:,} runs in {out / 'index.html'}"))
    for text in told.history.unreadable:
        Console(stderr=True).print(Text(f"left out: {text}", style="yellow"))
