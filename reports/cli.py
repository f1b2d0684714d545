"""What happens with a finished run: render its reports, and tell about it in the terminal."""

from __future__ import annotations

from rich.console import Console

import reports
from conformance.record.folder import RunFolder
from conformance.record.run import Run
from reports.terminal import render


def finish(folder: RunFolder, run: Run, console: Console) -> None:
    """Write every report of a run folder and print the summary."""
    reports.write_all(folder.path)
    console.print(render(run, folder.path))
