"""Run the suite on a planted service in a process of its own, which is killed (kill -9) at a line of its journal.

python planted_suite.py FOLDER PLANT BUDGET LINE
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
from conformance.suite import runner
from conformance.targets.target import Target
from tests.planted.arena import target_of
from tests.planted.plants import plant_of


def main(folder: str, plant: str, budget: str, line: str) -> int:
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
    worker.draw_chunk = functools.partial(draw_chunk, programs=4, steps=6)
    reading, _ = os.pipe()
    os.environ["DYNORACLE_PARENT"] = str(reading)
    order = Order("plant", RunFolder(Path(folder)), float(budget), 7, capabilities=("items",), checks=False)
    command = arguments(order)
    return int(pytest.main(command[command.index("pytest") + 1 :]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
