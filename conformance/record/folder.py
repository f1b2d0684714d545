"""The run folder: what a run leaves, where it stands, and how it is read back."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from conformance.record.codec import RecordError, dumps, loads
from conformance.record.finding import SCHEMA as FINDING_SCHEMA
from conformance.record.finding import Finding, finding_from_json, finding_to_json
from conformance.record.journal import Journal
from conformance.record.op import Op, op_from_json, op_to_json
from conformance.record.run import SCHEMA as RUN_SCHEMA
from conformance.record.run import Run, run_from_json, run_to_json

__all__ = [
    "TRACE_SCHEMA", "RecordError", "RunFolder", "read_finding", "read_run", "read_trace", "write_text", "write_trace",
]  # fmt: skip

TRACE_SCHEMA = 1
REPORT = "report.json"
FINDING = "finding.json"
TRACE = "trace.jsonl"
SCRIPT = "reproduce.py"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_serial = itertools.count()
From = TypeVar("From")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder.

    ``report.json``, the reports made from it (``report.html``, ``junit.xml``, ``summary.md``), ``journal/*.jsonl`` as
    the workers wrote them, and ``findings/<fingerprint>/`` with ``finding.json``, ``trace.jsonl`` and ``reproduce.py``.
    """

    path: Path

    @property
    def report(self) -> Path:
        """The run's summary, as data."""
        return self.path / REPORT

    @property
    def html(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    @property
    def junit(self) -> Path:
        """The report for CI systems."""
        return self.path / "junit.xml"

    @property
    def summary(self) -> Path:
        """The report for job summaries."""
        return self.path / "summary.md"

    @property
    def journals(self) -> tuple[Path, ...]:
        """The journals of all workers, by name."""
        return tuple(sorted((self.path / "journal").glob("*.jsonl")))

    def journal(self, worker: str) -> Journal:
        """A worker's journal, opened to append; ValueError for a name that is no plain file name."""
        return Journal(self.path / "journal" / f"{_plain_name(worker, 'worker')}.jsonl")

    def finding_folder(self, fingerprint: str) -> Path:
        """Where a finding stands; ValueError for a fingerprint that is no plain file name."""
        return self.path / "findings" / _plain_name(fingerprint, "fingerprint")

    def write_finding(self, finding: Finding, script: str) -> Path:
        """Write or replace a finding: its trace, its script, and last ``finding.json``, each whole or not at all."""
        folder = self.finding_folder(finding.fingerprint)
        header = {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "severity": finding.severity,
            "capability": finding.capability,
        }
        write_trace(folder / TRACE, header, [op_from_json(row) for row in finding.program])
        write_text(folder / SCRIPT, script)
        _write(folder / FINDING, dumps(finding_to_json(finding), pretty=True) + b"\n")
        return folder

    def reduced(self, fingerprint: str) -> bool:
        """Whether a finding was written that somebody minimised, not only taken from a journal as it stood."""
        try:
            return not read_finding(self.finding_folder(fingerprint)).notes.get("unreduced")
        except RecordError:
            return False

    def read_findings(self) -> Iterator[Finding]:
        """The findings written so far, by fingerprint; RecordError for one that cannot be read."""
        for path in sorted((self.path / "findings").glob(f"*/{FINDING}")):
            yield read_finding(path)

    def write_run(self, run: Run) -> Path:
        """Write ``report.json``, whole or not at all."""
        return _write(self.report, dumps(run_to_json(run), pretty=True) + b"\n")


def _plain_name(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise RecordError(f"{what} {name!r} cannot name a file: use 1 to 100 letters, digits, '.', '_' and '-'")
    return name


def file_trouble(error: Exception) -> str:
    """What went wrong in words: of a file that the system refuses its name, why, and what to do."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: cannot be used ({error.strerror}): name another place"
    return str(error)


def write_text(path: Path, text: str) -> Path:
    """Write a text file as UTF-8, whole or not at all; lone surrogates are written as escapes."""
    return _write(path, text.encode("utf-8", "backslashreplace"))


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several workers may write the same finding, so the temporary name is each one's own.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_serial)}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = os.fspath(path)  # The name that was asked for tells more than the temporary one.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return path


def read_run(path: str | Path) -> Run:
    """The run of a run folder or of a ``report.json``; RecordError says what cannot be read and what to do."""
    path = Path(path)
    if path.is_dir():
        path = path / REPORT
    row = _read_object(path, "run it again, or merge its journals with `dynoracle merge`")
    _demand_version(path, row, RUN_SCHEMA)
    return _made(path, "run", run_from_json, row)


def read_finding(path: str | Path) -> Finding:
    """The finding of a finding folder or of a ``finding.json``; RecordError says what cannot be read."""
    path = Path(path)
    if path.is_dir():
        path = path / FINDING
    row = _read_object(path, "name a folder under the run's findings/")
    _demand_version(path, row, FINDING_SCHEMA)
    return _made(path, "finding", finding_from_json, row)


def write_trace(path: Path, header: Mapping[str, Any], ops: Iterable[Op]) -> Path:
    """Write a trace: the header's line, then one line for each op; whole or not at all."""
    rows: list[Mapping[str, Any]] = [{**header, "kind": "trace", "schema": TRACE_SCHEMA}]
    rows += [{"kind": "op", **op_to_json(op)} for op in ops]
    return _write(path, b"".join(dumps(row) + b"\n" for row in rows))


def read_trace(path: str | Path) -> tuple[dict[str, Any], tuple[Op, ...]]:
    """The header and ops of a trace file, of a ``finding.json`` or of a finding folder.

    Lines of kinds that this version does not know are passed over. RecordError says what cannot be read, and where.
    """
    path = Path(path)
    if path.is_dir():
        path = path / TRACE if (path / TRACE).exists() else path / FINDING
    if path.suffix == ".json":
        finding = read_finding(path)
        header = {"kind": "trace", "schema": TRACE_SCHEMA, "fingerprint": finding.fingerprint, "rule": finding.rule}
        return header, _made(path, "op", _ops, finding.program)
    lines = _read_bytes(path, "name a trace.jsonl, a finding.json or a finding's folder").splitlines()
    rows = [_parse(path, line, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows or rows[0].get("kind") != "trace":
        raise RecordError(f"{path}: its first line is no trace header: name a file that `dynoracle` wrote as a trace")
    _demand_version(path, rows[0], TRACE_SCHEMA)
    return rows[0], _made(path, "op", _ops, [row for row in rows[1:] if row.get("kind") == "op"])


def _ops(rows: Iterable[Mapping[str, Any]]) -> tuple[Op, ...]:
    return tuple(op_from_json(row) for row in rows)


def _read_bytes(path: Path, advice: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}): {advice}") from error


def _read_object(path: Path, advice: str) -> dict[str, Any]:
    return _parse(path, _read_bytes(path, advice), None)


def _parse(path: Path, text: bytes, line: int | None) -> dict[str, Any]:
    where = f"{path}" if line is None else f"{path}, line {line}"
    try:
        row = loads(text)
    except ValueError as error:
        raise RecordError(f"{where}: is not JSON ({error}); it begins {text[:60]!r}: write it again") from error
    if not isinstance(row, dict):
        raise RecordError(f"{where}: must hold a JSON object, not {type(row).__name__}: name another file")
    return row


def _demand_version(path: Path, row: Mapping[str, Any], known: int) -> None:
    if row.get("schema") != known:
        found = f"schema {row['schema']!r}" if "schema" in row else "no schema number"
        raise RecordError(f"{path}: has {found}, this version reads schema {known}: use the dynoracle that wrote it")


def _made(path: Path, what: str, make: Callable[[From], Made], row: From) -> Made:
    try:
        return make(row)
    except KeyError as error:
        raise RecordError(f"{path}: a {what} lacks the member {error}: the file is damaged, write it again") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: a {what} cannot be read ({error}): the file is damaged, write it again") from error
