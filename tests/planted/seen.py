"""Which emulators have a planted bug: ``python -m tests.planted.seen [TARGET …]`` runs every witness on each.

A witness shows the plant's difference when it shows the same fingerprint there. Prints what ``plants.SEEN`` holds.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from conformance.record.folder import RunFolder
from conformance.search.worker import TargetLostError, Worker
from conformance.targets.catalogue import CatalogueError
from conformance.targets.install import InstallError
from conformance.targets.process import ProcessError
from conformance.targets.target import TargetError, open_target
from tests.planted.arena import divergences
from tests.planted.plants import PLANTS

TARGETS = ("moto", "dynalite", "dynoxide", "ministack", "dynamodb-local")


def seen_in(name: str, home: Path) -> list[str]:
    """The plants whose difference an emulator shows."""
    found = []
    with open_target(name, run_dir=home) as target:
        worker = Worker(target, RunFolder(home / "run"), "seen", "seen")
        for plant in PLANTS:
            wanted = {divergence.fingerprint for divergence in divergences(plant.wrap, plant.witness)}
            try:
                shown = {divergence.fingerprint for divergence in worker.run(plant.witness)}
            except TargetLostError as lost:
                print(f"{name}: {plant.name}: {lost}", file=sys.stderr)
                break
            if wanted & shown:
                found.append(plant.name)
        worker.end()
    return found


def main() -> int:
    """Print each plant that some emulator has, and which."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for name in sys.argv[1:] or TARGETS:
        with tempfile.TemporaryDirectory(prefix="dynoracle-seen-") as home:
            try:
                for plant in seen_in(name, Path(home)):
                    table[plant].append(name)
            except (CatalogueError, InstallError, ProcessError, TargetError) as error:
                print(f"{name}: {error}", file=sys.stderr)
    for plant, names in sorted(table.items()):
        print(f'    "{plant}": "{", ".join(names)}",')
    return 0


if __name__ == "__main__":
    sys.exit(main())
