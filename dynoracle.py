"""Dynoracle's command line: the composition root. Nothing imports it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from chaos.cli import app as chaos_app
from conformance.commands.base import USAGE, fail, wire_reports
from conformance.commands.run import app as conformance_app
from conformance.record.finding import Finding
from conformance.record.folder import file_trouble
from reference.cli import serve
from reference.pricing.cli import cost
from reports.cli import app as reports_app
from reports.cli import finish, wire_replays

app = typer.Typer(
    help="Does a DynamoDB-compatible endpoint behave as DynamoDB does, also when things go wrong?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.registered_commands += conformance_app.registered_commands
app.registered_groups += conformance_app.registered_groups
app.registered_commands += chaos_app.registered_commands
app.registered_commands += reports_app.registered_commands
app.command()(serve)
app.command()(cost)


def _version(asked: bool) -> None:
    from conformance.suite.runner import suite_version

    if asked:
        typer.echo(f"dynoracle {suite_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Does a DynamoDB-compatible endpoint behave as DynamoDB does, also when things go wrong?"""


def replayed(findings: Sequence[Finding], target: str) -> Sequence[str]:
    """How each finding is on a target now; exits with what is wrong when it can't be used."""
    from conformance.replay import ReplayError, replay_findings

    try:
        return replay_findings(findings, target)
    except ReplayError as error:
        fail(str(error))


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the ``dynoracle`` script: run what the arguments (the process's by default) name; its exit code.

    What is wrong with how it is used, and files that the system refuses, are told in one line.
    """
    wire_reports(finish)
    wire_replays(replayed)
    try:
        return app(arguments, prog_name="dynoracle", standalone_mode=False) or 0
    except typer.Exit as told:
        return told.exit_code
    except typer.Abort:
        return 130
    except OSError as error:
        if error.filename is None:
            raise
        return _failed(file_trouble(error))
    except Exception as error:
        words = _usage(error)
        if words is None:
            raise
        return _failed(words) if words else USAGE


def _failed(words: str) -> int:
    try:
        fail(words)
    except typer.Exit as told:
        return told.exit_code


def _usage(error: Exception) -> str | None:
    """What is wrong with how a command is used; nothing where its help was shown, None for any other error.

    Known by what they can do: where typer keeps these exceptions differs by its version.
    """
    told = getattr(error, "format_message", None)
    if told is None:
        return None
    words = " ".join(str(told()).split()).rstrip(".")
    if type(error).__name__ == "NoArgsIsHelpError" or not words:
        if words:
            typer.echo(told())
        return ""
    refused = getattr(error.__cause__, "errors", None)
    value = refused()[0].get("input") if callable(refused) else None
    if isinstance(value, str) and repr(value) not in words:
        words = words.partition(", unable to parse")[0].replace(": ", f": {value!r}: ", 1)
    place = getattr(getattr(error, "ctx", None), "command_path", "") or "dynoracle"
    return f"{words}: see `{place} --help`"


if __name__ == "__main__":
    sys.exit(main())
