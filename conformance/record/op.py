"""The record of one call as it happened; one type serves lockstep traces and concurrent histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reference.api import Json, Lost, Refusal, Reply, Success

Fate = Literal["ok", "fail", "info"]
"""Of a call: took effect, certainly did not, may have (now or later)."""


@dataclass(frozen=True, slots=True)
class Op:
    """One call and its answer.

    ``body`` is symbolic (tables, tokens and reply parts are ``${...}`` references, see ``symbols``). Times are
    seconds since the session began. ``raw`` overrides the HTTP request for calls below the SDK (headers, bytes).
    """

    index: int
    operation: str
    body: Json
    process: int = 0
    called: float = 0.0
    returned: float | None = None
    reply: Reply | None = None
    fate: Fate = "ok"
    faults: tuple[str, ...] = ()
    attempt_of: int | None = None
    raw: Mapping[str, Json] | None = None
    notes: Mapping[str, Json] = field(default_factory=dict)


def op_to_json(op: Op) -> dict[str, Any]:
    """The op as one JSON object; members that hold their default are left out."""
    row: dict[str, Any] = {"index": op.index, "operation": op.operation, "body": op.body, "fate": op.fate}
    row["called"] = round(op.called, 6)
    if op.returned is not None:
        row["returned"] = round(op.returned, 6)
    if op.reply is not None:
        row["reply"] = reply_to_json(op.reply)
    if op.process:
        row["process"] = op.process
    if op.faults:
        row["faults"] = list(op.faults)
    if op.attempt_of is not None:
        row["attempt_of"] = op.attempt_of
    if op.raw is not None:
        row["raw"] = dict(op.raw)
    if op.notes:
        row["notes"] = dict(op.notes)
    return row


def op_from_json(row: Mapping[str, Any]) -> Op:
    """The op that ``op_to_json`` wrote; KeyError when a required member is missing."""
    reply = row.get("reply")
    return Op(
        index=row["index"],
        operation=row["operation"],
        body=row["body"],
        process=row.get("process", 0),
        called=row.get("called", 0.0),
        returned=row.get("returned"),
        reply=None if reply is None else reply_from_json(reply),
        fate=row.get("fate", "ok"),
        faults=tuple(row.get("faults", ())),
        attempt_of=row.get("attempt_of"),
        raw=row.get("raw"),
        notes=row.get("notes", {}),
    )


def reply_to_json(reply: Reply) -> dict[str, Any]:
    """The reply as a JSON object with exactly one of ``success``, ``refusal``, ``lost``."""
    if isinstance(reply, Success):
        return {"success": reply.body}
    if isinstance(reply, Lost):
        return {"lost": reply.why}
    row: dict[str, Any] = {"code": reply.code, "message": reply.message, "status": reply.status}
    if reply.fields:
        row["fields"] = dict(reply.fields)
    if reply.rules:
        row["rules"] = list(reply.rules)
    return {"refusal": row}


def reply_from_json(row: Mapping[str, Any]) -> Reply:
    """The reply that ``reply_to_json`` wrote."""
    if "success" in row:
        return Success(row["success"])
    if "lost" in row:
        return Lost(row["lost"])
    body = row["refusal"]
    return Refusal(
        body["code"], body.get("message"), body.get("status", 400), body.get("fields", {}), tuple(body.get("rules", ()))
    )
