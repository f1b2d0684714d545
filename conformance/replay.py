"""Run a recorded program again on any target, at any date: fixed, still there, or another difference."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from conformance.record.codec import RecordError
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder, read_finding, read_trace
from conformance.record.op import Op
from conformance.search.findings import program_of
from conformance.search.minimise import Attempt
from conformance.search.worker import TargetLostError, Worker
from conformance.targets.catalogue import CatalogueError
from conformance.targets.install import InstallError
from conformance.targets.process import ProcessError
from conformance.targets.target import TargetError, open_target


class ReplayError(Exception):
    """A trace that cannot be replayed; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: ``fixed``, ``still there``, ``other`` or ``unknown``, in words, and the differences."""

    verdict: str
    text: str
    lines: tuple[str, ...]


def replay_path(path: Path, spec: str) -> Replayed:
    """Replay a trace, a finding or a finding's folder on a target (the finding's own when none is named)."""
    try:
        header, ops = read_trace(path)
        finding = _finding(path)
    except RecordError as error:
        raise ReplayError(str(error)) from error
    fingerprint = finding.fingerprint if finding else header.get("fingerprint")
    spec = spec or (str(finding.notes.get("target", "")) if finding else "")
    if not spec:
        raise ReplayError("the trace does not say where it comes from; name a target with --target")
    attempt = run_ops(ops, spec)
    return verdict_of(attempt, fingerprint, spec)


def _finding(path: Path) -> Finding | None:
    if path.is_dir() or path.name == "finding.json":
        return read_finding(path)
    sibling = path.parent / "finding.json"
    return read_finding(sibling) if path.name == "trace.jsonl" and sibling.exists() else None


def run_ops(ops: tuple[Op, ...], spec: str) -> Attempt:
    """Run the program of a trace on fresh tables of a target."""
    with tempfile.TemporaryDirectory(prefix="dynoracle-replay-") as home:
        try:
            target = open_target(spec, run_dir=Path(home))
        except (CatalogueError, InstallError, ProcessError, TargetError) as error:
            raise ReplayError(str(error)) from error
        with target:
            worker = Worker(target, RunFolder(Path(home)), "replay", secrets.token_hex(3))
            try:
                return worker.attempt(program_of(ops))
            except TargetLostError as error:
                raise ReplayError(str(error)) from error
            finally:
                worker.end()


def verdict_of(attempt: Attempt, fingerprint: str | None, spec: str) -> Replayed:
    """What the divergences of a replay say of the fingerprint looked for."""
    lines = tuple(f"call {index}: {d.severity}: {d.summary} [{d.rule}]" for index, d in attempt.divergences)
    if any(d.fingerprint == fingerprint for _, d in attempt.divergences):
        return Replayed("still there", f"{spec} still shows {fingerprint}", lines)
    if attempt.divergences:
        return Replayed("other", f"{spec} shows another difference than {fingerprint or 'none expected'}", lines)
    return Replayed("fixed", f"{spec} answers every call as DynamoDB may", lines)
