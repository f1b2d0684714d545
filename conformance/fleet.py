"""One campaign on a Dask cluster: each shard is an ordinary run in a process of its own; its folder comes back."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import conformance
from conformance.record.folder import RunFolder
from conformance.record.run import Run
from conformance.search.merging import merge_runs
from conformance.targets.catalogue import USER_FILE

MISSING = "`dynoracle fleet` needs dask.distributed: install dynoracle[fleet]"
RETRIES = 2
"""How often a shard is given to another worker when its own is gone."""
PATIENCE = 10
"""Seconds in which a scheduler answers."""
LEFT_OUT = ("targets", "report.html", "summary.md", "junit.xml")
"""What of a shard's folder stays where it was made; the reports are made anew from the merged run."""


class FleetError(Exception):
    """No cluster, or nothing came back; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """What came of one part: its run folder as an archive, and what its command said where that is not to be had."""

    name: str
    archive: bytes
    said: str


def run_shard(arguments: Sequence[str], part: str, files: Mapping[str, bytes]) -> Shard:
    """Run one part of a campaign, with these files in its working directory; called on a worker of the cluster."""
    with tempfile.TemporaryDirectory(prefix="dynoracle-shard-") as home:
        for name, content in files.items():
            (Path(home) / name).write_bytes(content)
        root = str(Path(conformance.__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        command = [sys.executable, "-P", "-m", "dynoracle", "run", *arguments, "--shard", part, "--out", "run"]
        done = subprocess.run(
            [*command, "--fail-on", "none"], cwd=home, env={**os.environ, "PYTHONPATH": path}, capture_output=True,
            text=True, errors="replace", check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Shard(part, _packed(Path(home) / "run"), done.stderr.strip()[-2000:])


def _packed(folder: Path) -> bytes:
    if not folder.is_dir():
        return b""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            if path.name not in LEFT_OUT:
                archive.add(path, path.name)
    return content.getvalue()


def run_fleet(
    arguments: Sequence[str],
    files: Mapping[str, Path],
    shards: int,
    scheduler: str,
    out: Path,
    show: Callable[[str], None] = lambda text: None,
) -> tuple[RunFolder, Run]:
    """Run ``shards`` parts (0: one for each worker) of a campaign on a cluster and merge them into ``out``.

    ``arguments`` are those of ``dynoracle run`` that all parts share; ``files`` go along, by the name that they have
    there. Without ``scheduler`` a cluster of this machine is made. FleetError when nothing comes back.
    """
    contents = {name: path.read_bytes() for name, path in files.items()}
    users = Path(USER_FILE)
    if users.is_file():
        contents[USER_FILE] = users.read_bytes()
    with _cluster(scheduler, shards) as client, tempfile.TemporaryDirectory(prefix="dynoracle-fleet-") as home:
        count = shards or max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        parts = [f"{n}/{count}" for n in range(1, count + 1)]
        futures = [
            client.submit(run_shard, list(arguments), part, contents, key=f"dynoracle-{os.urandom(4).hex()}-{part}",
                          pure=False, retries=RETRIES)
            for part in parts
        ]  # fmt: skip
        folders, said = [], ""
        for future in _completed(futures):
            shard = future.result() if future.status == "finished" else Shard("?", b"", str(future.exception()))
            show(f"part {shard.name}: {'done' if shard.archive else 'nothing came back: ' + shard.said}")
            said = shard.said or said
            if shard.archive:
                folders.append(_unpacked(shard, Path(home)))
        there = [folder for folder in folders if RunFolder(folder).journals]
        if not there:
            raise FleetError(f"no part came back: {said}")
        return merge_runs(sorted(there), out)


def _unpacked(shard: Shard, home: Path) -> Path:
    folder = home / shard.name.replace("/", "-of-")
    with tarfile.open(fileobj=io.BytesIO(shard.archive)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _completed(futures: Sequence[Any]) -> Iterator[Any]:
    import distributed

    completed: Any = distributed.as_completed
    yield from completed(futures)


async def _greet(scheduler: str) -> None:
    """Connect to a scheduler and leave; OSError or ValueError where there is none."""
    import distributed

    security: Any = distributed.Security
    connect: Any = distributed.comm.connect  # type: ignore[attr-defined]
    comm = await connect(scheduler, timeout=PATIENCE, **security().get_connection_args("client"))
    await comm.close()


@contextmanager
def _cluster(scheduler: str, shards: int) -> Iterator[Any]:
    """A client of the cluster at an address, or of one made here, whose threads only wait for processes."""
    try:
        import distributed
    except ImportError as error:
        raise FleetError(MISSING) from error
    client_of: Any = distributed.Client
    cluster_of: Any = distributed.LocalCluster
    if scheduler:
        try:
            # A client that can't start is left half made, and may lock up another's start when it is collected.
            asyncio.run(_greet(scheduler))
            client = client_of(scheduler, timeout=f"{PATIENCE}s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise FleetError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error
        with client, client.as_current():
            yield client
        return
    threads = shards or max(1, (os.cpu_count() or 2) // 2)
    with (
        cluster_of(
            n_workers=threads,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            protocol="tcp",
            host="127.0.0.1",  # Loopback only.
        ) as cluster,
        client_of(cluster, set_as_default=False) as client,
        client.as_current(),
    ):
        yield client
