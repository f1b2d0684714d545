"""``dynoracle fleet``: one campaign on many machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from conformance.commands.base import exit_code, fail, finish, seconds_of, severities_of
from conformance.record.codec import RecordError
from conformance.record.folder import file_trouble

app = typer.Typer()


@app.command()
def fleet(
    target: Annotated[str, typer.Argument(help="A catalogue name or a URL, as each worker of the cluster sees it.")],
    scheduler: Annotated[str, typer.Option(help="Address of a Dask scheduler; a cluster here by default.")] = "",
    shards: Annotated[int, typer.Option(help="Parts of the campaign; one for each worker by default.", min=0)] = 0,
    budget: Annotated[str, typer.Option(help="How long each part searches: 90s, 2m, 1h.")] = "2m",
    seed: Annotated[int, typer.Option(help="Seed of the campaign.")] = 0,
    capability: Annotated[list[str] | None, typer.Option(help="Search only this capability (repeat for more).")] = None,
    fail_on: Annotated[str, typer.Option(help="Severities that make the exit code 1.")] = "any",
    baseline: Annotated[Path | None, typer.Option(help="File of accepted findings.")] = None,
    schema: Annotated[Path | None, typer.Option(help="Search over your own tables.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to write; runs/<time>-<target>-<seed> else.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 10.0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be tested.")] = None,
) -> None:
    """Share one campaign between the workers of a Dask cluster, and merge what they find."""
    from conformance.fleet import FleetError, run_fleet
    from conformance.search.campaign import new_folder

    wanted = severities_of(fail_on)
    console = Console()
    arguments = [target, "--budget", f"{seconds_of(budget):g}s", "--seed", str(seed), "--timeout", f"{timeout:g}"]
    arguments += [part for name in capability or () for part in ("--capability", name)]
    arguments += [part for name in allow_host or () for part in ("--allow-host", name)]
    files = {f"{option}{path.suffix}": path for option, path in (("baseline", baseline), ("schema", schema)) if path}
    arguments += [part for name in files for part in (f"--{Path(name).stem}", name)]
    try:
        place = new_folder(out, target, seed).path
        folder, run = run_fleet(
            arguments, files, shards, scheduler, place, lambda text: console.print(Text(text), soft_wrap=True)
        )
    except (FleetError, RecordError, OSError) as error:
        fail(file_trouble(error))
    finish(folder, run, console)
    raise typer.Exit(exit_code(run, 0, wanted, console, ""))
