"""The proxy as a program: serve until a signal, print each fault, and a count of them at the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.text import Text

from chaos.faults import FaultError
from chaos.proxy import HOST, Proxy
from chaos.proxy_control import Control
from chaos.proxy_ledger import Entry
from chaos.recording import Recorder
from chaos.schedule import Schedule
from conformance.targets.target import Access


@dataclass(frozen=True, slots=True)
class Settings:
    """What to stand in front of, with which faults, and where to write what was done."""

    upstream: str
    schedule: Schedule
    access: Access
    port: int = 0
    clients: int = 1
    control_port: int = 0
    record: Path | None = None


def serve(settings: Settings, console: Console) -> None:
    """Serve until SIGINT or SIGTERM. FaultError for a schedule with faults of the process, which is not ours here."""
    for fault in settings.schedule.faults():
        if fault.place != "proxy":
            raise FaultError(f"{fault.name} is no fault of a proxy: `dynoracle chaos` puts it into targets it started")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, _recorder(settings) as recorder:
        runner.run(_serve(settings, console, recorder))


def _recorder(settings: Settings) -> contextlib.AbstractContextManager[Recorder | None]:
    if settings.record is None:
        return contextlib.nullcontext()
    return Recorder(settings.record, settings.upstream, settings.access)


async def _serve(settings: Settings, console: Console, recorder: Recorder | None) -> None:
    def watch(event: str, entry: Entry) -> None:
        if event == "fault" and entry.firing is not None:
            console.print(Text(f"{entry.id:>8}  {entry.operation:<20} {entry.firing.fault.name}"))
        if recorder is not None and event != "fault":
            recorder.note(event, entry)

    proxy = Proxy(
        settings.upstream, settings.schedule, access=settings.access, watch=watch, keeps_bodies=recorder is not None
    )
    control = Control(proxy)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        for client in range(settings.clients):
            port = await proxy.listen(client, settings.port if client == 0 else 0)
            console.print(Text(f"client {client}: http://{HOST}:{port} → {settings.upstream}"))
        console.print(Text(f"control: {await control.start(settings.control_port)}"))
        await stopping.wait()
    finally:
        control.stop()
        await proxy.stop()
        counts = dict(proxy.ledger.totals())
        requests = counts.pop("requests")
        listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "no fault"
        if proxy.ports:
            console.print(Text(f"{requests} requests: {listed}"))
