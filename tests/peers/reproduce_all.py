"""Runs the script of every settled finding: it must show on the target, and be gone on the reference's own server.

``python -m tests.peers.reproduce_all RUN TARGET``: RUN is the folder of a run, TARGET one of ``dynoracle targets``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import tempfile
from pathlib import Path

from conformance.record.folder import read_run
from conformance.targets.target import Access, Target, open_target

TIMEOUT = "10"


def code_of(path: Path, url: str) -> tuple[int, str]:
    """The exit code of a script against an endpoint, and what it printed."""
    spec = importlib.util.spec_from_file_location("reproduction", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        spec.loader.exec_module(module)
        code: int = module.main(["--endpoint-url", url, "--timeout", TIMEOUT])
    return code, printed.getvalue()


def living(target: Target) -> str:
    """The address of a target, which is started again if a script has ended it."""
    if target.process is not None and not target.alive():
        target.process.restart()
    return target.endpoint or ""


def main() -> int:
    """Run all scripts; 1 if one does not do as it should."""
    run, name = Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        targets = [open_target(each, run_dir=Path(folder) / each, worker="all", access=Access())
                   for each in (name, "reference")]  # fmt: skip
        wrong = 0
        try:
            settled = [finding.fingerprint for finding in read_run(run).findings if not finding.unsettled]
            for path in (run / "findings" / each / "reproduce.py" for each in sorted(settled)):
                codes = [code_of(path, living(target)) for target in targets]
                if [code for code, _ in codes] != [1, 0]:
                    wrong += 1
                    sys.stdout.write(f"{path.parent.name}: {codes[0][0]} on {name}, {codes[1][0]} on the reference\n")
        finally:
            for target in targets:
                target.close()
    sys.stdout.write(f"{wrong} of {len(settled)} scripts do not do as they should\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
