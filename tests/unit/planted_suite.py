"""Run some chunks on a planted service in a process of its own, which is killed (kill -9) at a line of its journal.

python -m tests.unit.planted_suite FOLDER PLANT LINE
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.launch import Order, arguments
from conformance.machines.base import draw_chunk
from conformance.record.folder import RunFolder
from conformance.record.journal import Journal
from conformance.search import worker
from conformance.search.campaign import Share
from conformance.suite import runner
from conformance.targets.target import Target
from tests.planted.arena import target_of
from tests.planted.plants import plant_of

CHUNKS, PROGRAMS = 5, 4


def main(folder: str, plant: str, line: str) -> int:
    lines = itertools.count(1)
    append = Journal.append

    def killing(self: Journal, kind: str, **fields: Any) -> None:
        append(self, kind, **fields)
        if next(lines) == int(line):
            os.kill(os.getpid(), signal.SIGKILL)

    def planted(*_: object, **__: object) -> Target:
        return target_of(plant_of(plant).wrap)

    Journal.append = killing  # type: ignore[method-assign]
    runner.open_target = planted  # type: ignore[assignment]
    worker.draw_chunk = functools.partial(draw_chunk, programs=PROGRAMS, steps=6)
    # An end that does not depend on how fast the machine is.
    endless = Share.chunks
    Share.chunks = lambda self, seed: itertools.islice(endless(self, seed), CHUNKS)  # type: ignore[method-assign]
    reading, _ = os.pipe()
    os.environ["DYNORACLE_PARENT"] = str(reading)
    order = Order("plant", RunFolder(Path(folder)), 600.0, 7, capabilities=("items",), checks=False)
    command = arguments(order)
    return int(pytest.main(command[command.index("pytest") + 1 :]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
