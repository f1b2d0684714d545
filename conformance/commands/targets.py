"""``dynoracle targets`` and ``dynoracle rules``: what can be tested, and what is tested."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.commands.base import fail

app = typer.Typer()
targets_app = typer.Typer(help="The emulators dynoracle can install and start.", no_args_is_help=True)
app.add_typer(targets_app, name="targets")


@app.command()
def rules(name: Annotated[str, typer.Argument(help="A rule, or the beginning of some.")] = "") -> None:
    """List the rules of the ledger, or show one with its evidence."""
    from reference.rules import ledger

    console = Console()
    found = [rule for key, rule in sorted(ledger().items()) if key == name] or [
        rule for key, rule in sorted(ledger().items()) if key.startswith(name)
    ]
    if not found:
        fail(f"no rule begins with {name!r}; `dynoracle rules` lists them all")
    if len(found) > 1:
        table = Table("rule", "evidence", "says")
        for rule in found:
            table.add_row(rule.name, "disputed" if rule.disputed else rule.strength, rule.says)
        console.print(table)
        return
    rule = found[0]
    shown = {
        "rule": rule.name,
        "says": rule.says,
        "error": rule.error,
        "message": rule.message,
        "older wording": rule.older,
        "spec": ", ".join(rule.spec),
        "disputed": "yes" if rule.disputed else None,
    }
    rows = [(label, value) for label, value in shown.items() if value]
    rows += [(evidence.kind, f"{evidence.source} {evidence.on}".strip()) for evidence in rule.evidence]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="bold", width=14)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(Text(label), Text(value))
    console.print(grid)


@targets_app.command("list")
def list_targets() -> None:
    """List the catalogue, and what is installed."""
    from conformance.targets.catalogue import catalogue
    from conformance.targets.install import located, missing

    table = Table("target", "version", "installed", "keeps data", "missing here")
    for name, entry in sorted(catalogue().items()):
        place = located(entry)
        lacking = ", ".join(missing(entry))
        table.add_row(
            name,
            place.version if place else entry.version,
            "yes" if place else "no",
            "yes" if entry.persists else "no",
            lacking,
        )
    Console().print(table)


@targets_app.command("install")
def install_target(names: Annotated[list[str], typer.Argument(help="Catalogue names.")]) -> None:
    """Install emulators into the cache folder."""
    from conformance.targets.catalogue import CatalogueError, find
    from conformance.targets.install import InstallError, install

    for name in names:
        try:
            place = install(find(name))
        except (CatalogueError, InstallError) as error:
            fail(str(error))
        Console().print(f"{name} {place.version} is installed")


@targets_app.command("start")
def start_target(name: Annotated[str, typer.Argument(help="A catalogue name.")]) -> None:
    """Start an emulator on a free loopback port and keep it until Ctrl-C."""
    import signal

    from conformance.targets.catalogue import CatalogueError
    from conformance.targets.install import InstallError
    from conformance.targets.process import ProcessError
    from conformance.targets.target import TargetError, open_target

    try:
        target = open_target(name)
    except (CatalogueError, InstallError, ProcessError, TargetError) as error:
        fail(str(error))
    with target:
        Console().print(f"{target.name} {target.version} answers at {target.endpoint}; Ctrl-C ends it")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
