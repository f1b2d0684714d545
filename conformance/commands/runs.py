"""``dynoracle merge``: several run folders into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from conformance.commands.base import fail, finish
from conformance.record.codec import RecordError
from conformance.record.folder import file_trouble

app = typer.Typer()


@app.command()
def merge(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs of one target, such as shards of a campaign.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; a single run is merged where it is by default.")
    ] = None,
) -> None:
    """Make one run of several, or a whole one of a run that was killed."""
    from conformance.search.merging import merge_runs

    try:
        folder, run = merge_runs(runs, out)
    except (RecordError, OSError) as error:
        fail(file_trouble(error))
    finish(folder, run, Console())
