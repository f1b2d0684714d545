"""What a run found, for people and for CI: reads run folders, nothing else."""

from __future__ import annotations

from pathlib import Path

from conformance.record.folder import RunFolder, read_run, write_text
from reports.html import render as render_html
from reports.junit import render as render_junit
from reports.markdown import render as render_markdown

__all__ = ["write_all"]


def write_all(folder: Path) -> None:
    """Render every report of a run folder from its ``report.json``; RecordError when that cannot be read."""
    run = read_run(folder)
    place = RunFolder(Path(folder))
    write_text(place.html, render_html(run, place.path))
    write_text(place.junit, render_junit(run, place.path))
    write_text(place.summary, render_markdown(run, place.path))
