"""Divergences of one fingerprint, with their smallest trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1

SEVERITIES = ("crash", "data", "accepts", "refuses", "error", "precedence", "message", "shape", "unsupported")
"""Worst first (design: the oracle)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One distinct difference between a target and the reference.

    ``expected`` and ``observed`` are replies as JSON (``op.reply_to_json``) of the last call of ``program``;
    ``program`` is the minimised trace as JSON ops (``op.op_to_json``); ``path`` is the differing place in the reply
    without indices and names. ``strength`` is the rule's best evidence; ``unsettled`` is true when that is only
    inferred. ``calls`` counts the program's calls after set-up (CreateTable).
    """

    fingerprint: str
    capability: str
    operation: str
    rule: str
    severity: str
    path: str
    summary: str
    says: str
    strength: str
    evidence: tuple[Mapping[str, str], ...]
    spec: tuple[str, ...]
    expected: Mapping[str, Any]
    observed: Mapping[str, Any]
    program: tuple[Mapping[str, Any], ...]
    calls: int
    unsettled: bool = False
    accepted: tuple[Mapping[str, Any], ...] = ()
    replayed: int = 0
    replays: int = 0
    seen: int = 1
    minimise_requests: int = 0
    first_seen: str = ""
    chunk: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """The finding as a JSON object with its schema version."""
    return {"schema": SCHEMA, **asdict(finding)}


def finding_from_json(row: Mapping[str, Any]) -> Finding:
    """The finding that ``finding_to_json`` wrote; unknown members of later versions are ignored."""
    known = {name: row[name] for name in Finding.__dataclass_fields__ if name in row}
    for name in ("evidence", "spec", "program", "accepted"):
        known[name] = tuple(known.get(name, ()))
    return Finding(**known)
