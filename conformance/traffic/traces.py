"""``dynoracle judge``: a recorded trace judged as it was answered, and its calls put to a target of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.definitions import DefinitionError, read_definitions
from conformance.oracle.latitude import Latitude
from conformance.program import Step
from conformance.record.codec import RecordError
from conformance.record.folder import read_trace
from conformance.record.op import Op
from conformance.replay import ReplayError, working
from conformance.session import Judged
from conformance.symbols import unbind
from conformance.targets.catalogue import CatalogueError, find
from conformance.targets.profile import Profile
from conformance.targets.target import Access, is_aws, open_target
from conformance.traffic.judging import ITEM_CALLS, TABLE_CALLS, Judge, Word, described_in, literal_ops
from reference.api import Json, Success

CHAINED = ("ExclusiveStartKey", "NextToken")
"""Members of a request that go on from an answer, which gives them under another name or the same."""
_GIVEN_AS = {"ExclusiveStartKey": "LastEvaluatedKey"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A trace of recorded traffic, its bodies literal. ``start`` is in epoch seconds."""

    ops: tuple[Op, ...]
    start: float
    upstream: str
    definitions: Mapping[str, Json]


def read_recording(path: Path, schema: Path | None = None) -> Recording:
    """A trace to be judged, and the user's definitions of its tables; ReplayError when one can't be read."""
    try:
        header, ops = read_trace(path)
        bodies = [] if schema is None else read_definitions(schema)
    except (RecordError, DefinitionError) as error:
        words = str(error).partition(": name a trace.jsonl")[0]
        raise ReplayError(f"{words}: record traffic with `dynoracle proxy --record FILE`") from error
    told = header.get("recorded") or {}
    if not ops:
        raise ReplayError(f"{path}: holds no calls: record some with `dynoracle proxy --record FILE`")
    definitions = {body["TableName"]: body for body in bodies}
    return Recording(tuple(literal_ops(ops)), float(told.get("start", 0.0)), str(told.get("upstream", "")), definitions)


def profile_of(recording: Recording, name: str = "") -> Profile:
    """What the recorded endpoint may do: as the named target of the catalogue, else as its address tells."""
    if not name and is_aws(urlsplit(recording.upstream).hostname or ""):
        name = "aws"
    try:
        return find(name).profile if name else Profile()
    except CatalogueError as error:
        raise ReplayError(str(error)) from error


def judged(recording: Recording, profile: Profile) -> list[Word]:
    """The word on every call of a recording."""
    judge = Judge(Latitude.of(profile), recording.start, recording.definitions)
    return list(judge.run(recording.ops))


# --- put to a target --------------------------------------------------------------------------------------------------


def replayed(recording: Recording, spec: str, access: Access | None = None, timeout: float = 10.0) -> list[Judged]:
    """The calls of a recording put to a target one after the other, on tables of ours, each judged.

    Tables that were there before the recording begin empty. ReplayError when the target can't be used.
    """
    tables, steps = program_for(recording)
    with working(lambda home: open_target(spec, run_dir=home, access=access), timeout) as worker:
        session = worker.session()
        try:
            for body in tables:
                session.send(Step("CreateTable", body), setup=True)
            for step in steps:
                if session.died is not None:
                    break
                session.follow(step)
        finally:
            worker.finish(session)
        return session.ops


def program_for(recording: Recording) -> tuple[list[Json], list[Step]]:
    """CreateTable bodies for the tables that were there before, and the calls, symbolic."""
    described = {**described_in(recording.ops), **recording.definitions}
    asked = [op for op in recording.ops if not op.notes.get("adopted")]
    asked = sorted(
        (op for op in asked if op.operation in ITEM_CALLS | TABLE_CALLS), key=lambda op: (op.called, op.index)
    )
    own = {str(op.body.get("TableName")) for op in asked if op.operation == "CreateTable"}
    names = {f"table:t{n}": name for n, name in enumerate(sorted({*described, *own} - {"None"}))}
    tables = [unbind({**body, "TableName": name}, names) for name, body in sorted(described.items()) if name not in own]
    places = {op.index: len(tables) + position for position, op in enumerate(asked)}
    return tables, [Step(op.operation, _chained(unbind(op.body, names), op, asked, places)) for op in asked]


def _chained(body: Json, op: Op, asked: Sequence[Op], places: Mapping[int, int]) -> Json:
    """The body with a reference to the answer that it goes on from, in place of what that answer was."""
    if not isinstance(body, dict):
        return body
    for member in CHAINED:
        held = op.body.get(member)
        for source in _before(op, asked) if held is not None else ():
            given = _GIVEN_AS.get(member, member)
            if _answer(source).get(given) == held:
                body = {**body, member: f"${{reply:{places[source.index]}:{given}}}"}
                break
    return body


def _before(op: Op, asked: Sequence[Op]) -> Iterator[Op]:
    """Earlier calls of the same operation, the latest first."""
    earlier = [each for each in asked if each.called < op.called and each.operation == op.operation]
    return reversed(earlier)


def _answer(op: Op) -> Mapping[str, Any]:
    reply = op.reply
    return reply.body if isinstance(reply, Success) and isinstance(reply.body, dict) else {}
