"""The journal a worker writes while it runs: one JSON object a line, whole on disk's side before ``append`` returns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from conformance.record.codec import dumps, loads

KINDS = (
    "run", "known", "program-start", "op", "divergence", "program-end", "finding", "chunk-end", "check", "error",
    "tally", "end", "recording", "stopped",
)  # fmt: skip
"""The kinds of line that workers write. Readers pass over others, which later versions may add."""
TORN = "torn"
"""The kind under which ``read`` reports a line that was not written to its end."""
QUOTE_LIMIT = 120
"""How many characters of such a line are reported."""


class Journal:
    """An append-only JSON Lines file.

    Each line is handed to the operating system by one ``write`` with no buffer of ours before it, so that kill -9 of
    this process loses nothing already appended. (The loss of power may: nothing waits for the disk.) May be used from
    several threads, and by one process at a time.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._end_torn_line()

    def append(self, kind: str, **fields: Any) -> None:
        """Write one line; OSError when the disk is full, and then the line is torn."""
        line = dumps({"kind": kind, **fields}) + b"\n"
        written = os.write(self._file, line)
        while written < len(line):
            written += os.write(self._file, line[written:])

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end_torn_line(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


def read(path: str | Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal, in order.

    A line that is no JSON object, such as the last one of a worker that was killed while writing, comes as
    ``{"kind": "torn", "line": number, "text": beginning}``.
    """
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict) and isinstance(row.get("kind"), str):
                yield row
            else:
                yield {"kind": TORN, "line": number, "text": line[:QUOTE_LIMIT].decode("utf-8", "replace").rstrip("\n")}
