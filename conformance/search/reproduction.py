"""The runnable script of a finding: ``reproduce_template.py``, filled, needing nothing of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance import symbols
from conformance.record.codec import dumps, loads
from conformance.record.finding import Finding
from conformance.record.literal import Code, TooDeep, literal
from conformance.record.op import Op, op_from_json
from conformance.targets.raw import DYNAMODB, RawRequest, address
from reference.api import Lost, Success

TEMPLATE = Path(__file__).with_name("reproduce_template.py")
DEFAULT_ENDPOINT = "http://127.0.0.1:8000"
DEFAULT_REGION = "us-east-1"

_IMPORT = "from conformance.symbols import SymbolError, bind\n"
_PLACE = "FINDING: dict[str, Any] = {}\n"
_NOT_NEEDED = ("UNBIND_DEPTH", "escape", "unbind", "_unbind", "_ESCAPED")
_UNORDERED = ("Scan", "BatchGetItem")
_TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


def script(finding: Finding) -> str:
    """A program that replays the finding on an endpoint: exit code 1 while it shows, 0 when gone, 2 if it cannot tell.

    ``finding.notes`` may hold ``endpoint`` and ``region`` (the defaults of the script's options) and ``compare``: the
    members of a success body that decide, as lists of names or dotted texts, ``*`` for every member.
    """
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace(_IMPORT, "")
    filled = f"FINDING: dict[str, Any] = {_source(filling(finding))}\n\n{_bind_source()}"
    return text.replace(_PLACE, filled)


def filling(finding: Finding) -> dict[str, Any]:
    """What the template's ``FINDING`` holds for a finding: plain JSON."""
    compare = [path for path in map(_path, finding.notes.get("compare", ())) if path not in ([], ["*"])]
    ops = [op_from_json(row) for row in finding.program]
    facts = {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "says": _one_line(finding.says),
        "summary": _one_line(finding.summary),
        "endpoint": _endpoint(finding.notes),
        "region": finding.notes.get("region", DEFAULT_REGION),
        "steps": [_step(op) for op in ops],
        "accepted": list(_accepted(finding)),
        "observed": finding.observed,
    }
    looks = {
        "compare": compare,
        "exact": finding.path.endswith(":spelling"),
        "succeeds": finding.severity in ("refuses", "unsupported") and "success" in finding.expected,
        "unordered": bool(ops) and ops[-1].operation in _UNORDERED and not finding.path.endswith(":order"),
        "capacity": finding.path.startswith("ConsumedCapacity"),
        "presence": bool(compare) and len(compare[0]) > 1 and finding.path.endswith((":missing", ":extra")),
    }
    plain: dict[str, Any] = loads(dumps({**facts, **{name: value for name, value in looks.items() if value}}))
    return plain


def _endpoint(notes: Mapping[str, Any]) -> str:
    target = notes.get("target")
    within = target.get("endpoint") if isinstance(target, Mapping) else None
    return str(notes.get("endpoint") or within or DEFAULT_ENDPOINT)


def _path(path: Any) -> list[str]:
    """The steps of a path; a type's name at its end is left off, as values are compared whole (``1.0`` is ``1``)."""
    if isinstance(path, str):
        path = path.replace("[", ".").replace("]", "").split(".")
    steps = [str(step) for step in path if step not in ("", "$")]
    while len(steps) > 1 and steps[-1] in _TYPES:
        steps.pop()
    return steps


def _one_line(text: str) -> str:
    """The text with what could upset a terminal or a reader as escapes: it may hold a target's own words."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _step(op: Op) -> dict[str, Any]:
    service, name = address(op.operation)
    step: dict[str, Any] = {"index": op.index, "call": name, "body": op.body}
    if service != DYNAMODB:
        step["target"] = f"{service.prefix}.{name}"
        step["host"], step["signing"], step["content_type"] = service.host, service.signing, service.content_type
    if op.raw is not None:
        step["raw"] = RawRequest.from_json(op.raw).to_json()
    if op.reply is not None:
        answer = op.reply
        step["answer"] = (
            "success" if isinstance(answer, Success) else "lost" if isinstance(answer, Lost) else answer.code
        )
    if op.notes.get("due") not in (None, step.get("answer")):
        step["due"] = op.notes["due"]
    if op.notes.get("wait") is False:
        step["wait"] = False
    return step


def _accepted(finding: Finding) -> Iterator[Mapping[str, Any]]:
    """The acceptable replies, expected first; a finding about an error's further members holds all of them to these."""
    fields: dict[str, Any] = {}
    if finding.severity in ("data", "shape") and "refusal" in finding.expected:
        fields = dict.fromkeys(finding.observed.get("refusal", {}).get("fields", {}))
        fields |= finding.expected["refusal"].get("fields", {})
    for alternative in finding.accepted or (finding.expected,):
        if "refusal" in alternative:
            alternative = {"refusal": {**({"fields": fields} if fields else {}), **_placed(alternative["refusal"])}}
        yield alternative


def _placed(refusal: Mapping[str, Any]) -> Mapping[str, Any]:
    """The refusal with any column where its message tells one: tables of a script have names of another length."""
    message = refusal.get("message")
    if not message or _POSITION.search(message) is None:
        return refusal
    spots = _POSITION.split(message)
    text = r"\d+:\d+".join(re.escape(part) for part in spots)
    rest = {name: value for name, value in refusal.items() if name != "message"}
    return {**rest, "message_pattern": rf"\A{text}\Z"}


_POSITION = re.compile(r"(?<= at 1:)\d+:\d+")


def _source(facts: Mapping[str, Any]) -> str:
    """The facts as Python source; a call or answer nested too deep for Python's parser as JSON text."""
    members = {name: _readable(value) for name, value in facts.items()}
    if isinstance(facts["steps"], list):
        members["steps"] = [_readable(step) for step in facts["steps"]]
    return literal(members)


def _readable(value: Any) -> Any:
    try:
        literal(value, 2)
    except TooDeep:
        return Code(f"json.loads({dumps(value).decode()!a})")
    return value


def _bind_source() -> str:
    """The source of ``symbols.bind`` and what it needs, for a script that stands alone."""
    source = Path(symbols.__file__).read_text(encoding="utf-8")
    kept = []
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node
        name = getattr(target, "name", getattr(target, "id", None))
        if name is not None and name not in _NOT_NEEDED:
            gap = "\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
            kept.append(f"{gap}{ast.get_source_segment(source, node)}\n")
    return "".join(kept)
