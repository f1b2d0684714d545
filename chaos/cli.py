"""``dynoracle proxy``: the fault proxy by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

app = typer.Typer()

USAGE = 2


def fail(text: str) -> NoReturn:
    """Say what is wrong and exit with the code for usage and environment."""
    Console(stderr=True).print(Text(f"dynoracle: {text}", style="bold red"))
    raise typer.Exit(USAGE)


@app.command()
def proxy(
    upstream: Annotated[str, typer.Option(help="The endpoint behind the proxy: http(s)://host[:port].")],
    schedule: Annotated[Path | None, typer.Option(help="Which faults when, as TOML; without it, none.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of what the schedule leaves to chance.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write each request's entry here, as JSON Lines.")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on; a free one by default.", min=0, max=65535)] = 0,
    clients: Annotated[int, typer.Option(help="Clients to tell apart: each gets a port of its own.", min=1)] = 1,
    control_port: Annotated[int, typer.Option(help="Port of the control interface.", min=0, max=65535)] = 0,
    allow_host: Annotated[list[str] | None, typer.Option(help="A host besides loopback that may be reached.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificate file for an https endpoint.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any https certificate.")] = False,
) -> None:
    """Put faults between any client and an endpoint, until Ctrl-C; say what was done."""
    from chaos.schedule import Schedule, ScheduleError, load
    from chaos.standalone import Settings, serve
    from conformance.targets.target import Access, TargetError

    try:
        plan = load(schedule, seed) if schedule is not None else Schedule()
        access = Access(allow_hosts=allow_host or (), ca_file=ca_file, insecure=insecure)
        settings = Settings(
            upstream, plan, access, port=port, clients=clients, control_port=control_port, record=record
        )
        serve(settings, Console())
    except (ScheduleError, TargetError, ValueError, OSError) as error:
        fail(str(error))
