"""Run a recorded program again on any target, at any date: fixed, still there, or another difference."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance.record.codec import RecordError
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder, read_finding, read_run, read_trace
from conformance.record.op import Op, op_to_json
from conformance.search.baseline import Known
from conformance.search.findings import program_of
from conformance.search.minimise import Attempt
from conformance.search.regression import Replays, replays_of
from conformance.search.worker import TargetLostError, Worker
from conformance.targets.catalogue import CatalogueError
from conformance.targets.install import InstallError
from conformance.targets.process import ProcessError
from conformance.targets.target import Access, Target, TargetError, open_target


class ReplayError(Exception):
    """A trace that cannot be replayed; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: ``fixed``, ``still there``, ``other`` or ``unknown``, in words, and the differences."""

    verdict: str
    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finding or trace as it was recorded: its calls, the fingerprint it shows (if it says), where it comes from."""

    ops: tuple[Op, ...]
    fingerprint: str | None
    target: str
    known: Known


Opener = Callable[[Path], Target]
"""Opens a target whose files may lie in that folder."""


def recorded(path: Path) -> Recorded:
    """What a trace, a finding or a finding's folder holds; ReplayError when it cannot be read."""
    try:
        header, ops = read_trace(path)
        finding = _finding(path)
    except RecordError as error:
        raise ReplayError(str(error)) from error
    if header.get("recorded"):
        raise ReplayError(f"{path} is recorded traffic: use `dynoracle judge {path}`, with --target to put it to one")
    if any(op.faults for op in ops):
        raise ReplayError(f"{path} takes faults to show: replay it with `dynoracle lockstep TARGET --replay {path}`")
    fingerprint = finding.fingerprint if finding else header.get("fingerprint")
    rule = finding.rule if finding else str(header.get("rule", ""))
    known = Known(fingerprint or "", tuple(op_to_json(op) for op in ops), rule=rule)
    return Recorded(ops, fingerprint, str(finding.notes.get("target", "")) if finding else "", known)


def replay_path(path: Path, spec: str, access: Access | None = None, timeout: float = 10.0) -> Replayed:
    """Replay a trace, a finding or a finding's folder on a target (the finding's own when none is named)."""
    trace = recorded(path)
    spec = spec or trace.target
    if not spec:
        raise ReplayError("the trace does not say where it comes from; name a target with --target")
    with working(_by_spec(spec, access), timeout) as worker:
        attempt = worker.attempt(program_of(trace.ops))
        if trace.fingerprint and not _shows(attempt, trace.fingerprint):
            again = replays_of(worker, trace.known)  # A request below the SDK is judged by its check alone.
            attempt = again.shown[2] if again.shown else attempt
    return verdict_of(attempt, trace.fingerprint, spec)


def replay_all(
    folder: Path, spec: str = "", access: Access | None = None, timeout: float = 10.0
) -> Iterator[tuple[Finding, str]]:
    """Replay every finding of a run on one target (the run's own when none is named); each with its state."""
    run = read_run(folder)
    spec = spec or str(run.target.get("name", ""))
    with working(_by_spec(spec, access), timeout) as worker:
        for finding in run.findings:
            if finding.program:
                yield finding, replays_of(worker, Known(finding.fingerprint, finding.program, finding.rule)).state


def replay_findings(findings: Iterable[Finding], spec: str, access: Access | None = None) -> list[str]:
    """Replay findings on a target; the state of each."""
    with working(_by_spec(spec, access)) as worker:
        return [replays_of(worker, Known(f.fingerprint, f.program, f.rule)).state for f in findings]


def replay_known_on(known: Known, opener: Opener) -> Replays:
    """Replay what is known on a target that is opened for it."""
    with working(opener) as worker:
        return replays_of(worker, known)


def _by_spec(spec: str, access: Access | None) -> Opener:
    return lambda home: open_target(spec, run_dir=home, access=access)


@contextmanager
def working(opener: Opener, timeout: float = 10.0) -> Iterator[Worker]:
    """A worker on a target opened for it, its files gone afterwards; ReplayError when the target can't be used."""
    with tempfile.TemporaryDirectory(prefix="dynoracle-replay-") as home:
        try:
            target = opener(Path(home))
        except (CatalogueError, InstallError, ProcessError, TargetError) as error:
            raise ReplayError(str(error)) from error
        with target:
            worker = Worker(target, RunFolder(Path(home)), "replay", secrets.token_hex(3), timeout=timeout)
            try:
                yield worker
            except TargetLostError as error:
                raise ReplayError(str(error)) from error
            finally:
                worker.end()


def _finding(path: Path) -> Finding | None:
    if path.is_dir() or path.name == "finding.json":
        return read_finding(path)
    sibling = path.parent / "finding.json"
    return read_finding(sibling) if path.name == "trace.jsonl" and sibling.exists() else None


def _shows(attempt: Attempt, fingerprint: str) -> bool:
    return any(d.fingerprint == fingerprint for _, d in attempt.divergences)


def verdict_of(attempt: Attempt, fingerprint: str | None, spec: str) -> Replayed:
    """What the divergences of a replay say of the fingerprint looked for."""
    lines = tuple(f"call {index}: {d.severity}: {d.summary} [{d.rule}]" for index, d in attempt.divergences)
    if fingerprint and _shows(attempt, fingerprint):
        return Replayed("still there", f"{spec} still shows {fingerprint}", lines)
    if attempt.divergences:
        return Replayed("other", f"{spec} shows another difference than {fingerprint or 'none expected'}", lines)
    return Replayed("fixed", f"{spec} answers every call as DynamoDB may", lines)
