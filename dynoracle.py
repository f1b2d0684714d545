"""Dynoracle's command line: the composition root. Nothing imports it."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from chaos.cli import app as chaos_app
from conformance.commands.base import fail, wire_reports
from conformance.commands.run import app as conformance_app
from conformance.record.finding import Finding
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


def replayed(findings: Sequence[Finding], target: str) -> Sequence[str]:
    """How each finding is on a target now; exits with what is wrong when it can't be used."""
    from conformance.replay import ReplayError, replay_findings

    try:
        return replay_findings(findings, target)
    except ReplayError as error:
        fail(str(error))


def main() -> None:
    """Entry point of the ``dynoracle`` script."""
    wire_reports(finish)
    wire_replays(replayed)
    app()


if __name__ == "__main__":
    main()
