"""Dynoracle's command line: the composition root. Nothing imports it."""

from __future__ import annotations

import typer

from chaos.cli import app as chaos_app
from conformance.cli import app as conformance_app
from reference.cli import serve
from reports.cli import finish

app = typer.Typer(
    help="Does a DynamoDB-compatible endpoint behave as DynamoDB does, also when things go wrong?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.registered_commands += conformance_app.registered_commands
app.registered_groups += conformance_app.registered_groups
app.registered_commands += chaos_app.registered_commands
app.command()(serve)


def main() -> None:
    """Entry point of the ``dynoracle`` script."""
    from conformance.cli_base import wire_reports

    wire_reports(finish)
    app()


if __name__ == "__main__":
    main()
