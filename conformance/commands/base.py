"""What all commands share: exit codes, how errors are told, how durations and severities are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from conformance.record.folder import RunFolder
from conformance.record.run import Run
from conformance.search.baseline import failing
from conformance.search.baseline import severities_of as chosen

OK, FINDINGS, USAGE, NOTHING = 0, 1, 2, 3
"""Exit codes: fine; findings; usage or environment; nothing reached or only unknowns."""


Finish = Callable[[RunFolder, Run, Console], None]
_finish: list[Finish] = []


def wire_reports(finish: Finish) -> None:
    """What to do with a finished run: render its reports. Set by the composition root."""
    _finish[:] = [finish]


def finish(folder: RunFolder, run: Run, console: Console) -> None:
    """Do with a finished run what was wired."""
    for step in _finish:
        step(folder, run, console)


def fail(text: str) -> NoReturn:
    """Say what is wrong and exit with the code for usage and environment."""
    # One line, however wide the terminal is: it can be searched for and copied.
    Console(stderr=True).print(Text(f"dynoracle: {text}", style="bold red"), soft_wrap=True)
    raise typer.Exit(USAGE)


def seconds_of(text: str, option: str = "--budget") -> float:
    """A duration such as ``90``, ``90s``, ``2m`` or ``1h30m`` in seconds; BadParameter for anything else."""
    found = _seconds(text, option)
    if found <= 0:
        raise typer.BadParameter(f"{text!r} is no time at all; write 90s, 2m or 1h30m", param_hint=option)
    return found


def _seconds(text: str, option: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text)
    if not text or parts is None:
        raise typer.BadParameter(f"{text!r} is no duration; write 90s, 2m or 1h30m", param_hint=option)
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def exit_code(run: Run, status: int, wanted: set[str], console: Console, output: str) -> int:
    """The exit code of a finished run; says why when nothing was reached."""
    if run.calls == 0 and not run.checks and run.errors:
        return _say(run.errors)
    if run.calls == 0 and not run.checks:
        tail = "\n".join(output.strip().splitlines()[-15:])
        Console(stderr=True).print(
            f"dynoracle: nothing was reached on {run.target.get('name', 'the target')}", style="bold red"
        )
        Console(stderr=True).print(Text(tail))
        return USAGE if status not in (0, 5) else NOTHING
    _say(run.errors)
    if failing(run, wanted):
        return FINDINGS
    if run.errors:
        return USAGE
    verdicts = {result.verdict for result in run.capabilities}
    return OK if verdicts & {"ok", "violated"} else NOTHING


def _say(errors: Sequence[str]) -> int:
    for error in errors:
        Console(stderr=True).print(Text(f"dynoracle: {error}", style="bold red"), soft_wrap=True)
    return USAGE


def severities_of(text: str) -> set[str]:
    """A comma list of severities, ``any`` or ``none``; BadParameter for an unknown one."""
    try:
        return chosen(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-on") from None
