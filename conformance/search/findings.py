"""From a divergence and its smallest program to a finding that can be shown, run and replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from conformance.oracle.divergence import Divergence
from conformance.program import Program, Step
from conformance.record.finding import Finding
from conformance.record.op import Op, op_to_json, reply_from_json, reply_to_json
from conformance.search.minimise import Reduction
from conformance.symbols import SymbolError, bind, unbind
from reference.api import Refusal, Success
from reference.rules import Rule, ledger


def finding_of(reduction: Reduction, program: Program, **details: Any) -> Finding:
    """The finding of a reduction; ``details`` are further members such as ``replayed`` and ``first_seen``.

    What was made up for the run, or by the target, is replaced by its symbols (``written``).
    """
    small = reduction.program
    told = written(reduction.divergence, reduction.names, reduction.ops, reduction.start)
    rule = ledger().get(told.rule)
    return Finding(
        fingerprint=told.fingerprint,
        capability=rule.capability if rule else program.capability,
        operation=told.operation,
        rule=told.rule,
        severity=told.severity,
        path=told.path,
        summary=told.summary,
        says=rule.says if rule else "",
        strength=rule.strength if rule else "inferred",
        evidence=tuple(asdict(e) for e in rule.evidence) if rule else (),
        spec=rule.spec if rule else (),
        expected=reply_to_json(told.expected),
        observed=reply_to_json(told.observed),
        program=tuple(op_to_json(op) for op in reduction.ops),
        calls=len(small.steps),
        unsettled=unsettled(rule, told),
        accepted=tuple(dict(reply) for reply in told.accepted),
        minimise_requests=reduction.requests,
        chunk=program.chunk,
        **details,
    )


def written(
    divergence: Divergence, names: Mapping[str, str], ops: Sequence[Op] = (), start: float | None = None
) -> Divergence:
    """The divergence in symbols, as it is kept: for tables, and what ``ops`` took from earlier replies or the clock.

    ``start`` is the session's start in epoch seconds.
    """
    if divergence.written:
        return divergence
    known = {**names, **_taken(names, ops, start)}

    def put(reply: Mapping[str, Any]) -> dict[str, Any]:
        return dict(reply) if divergence.symbolic else unbind(dict(reply), known)

    return replace(
        divergence,
        summary=unbind(divergence.summary, known),
        expected=reply_from_json(put(reply_to_json(divergence.expected))),
        observed=reply_from_json(unbind(reply_to_json(divergence.observed), known)),
        accepted=tuple(map(put, divergence.accepted)),
        written=True,
    )


def _taken(names: Mapping[str, str], ops: Sequence[Op], start: float | None) -> dict[str, str]:
    """ARNs from earlier replies and moments that the bodies of calls hold, by the inside of the symbols for them."""
    found: dict[str, str] = {}
    try:
        replies = {op.index: bind(op.reply.body, names, {}) for op in ops if isinstance(op.reply, Success)}
        for symbol in (symbol for op in ops for symbol in _TAKEN.findall(json.dumps(op.body))):
            if symbol.startswith("time:") and start is None:
                continue
            value = bind(f"${{{symbol}}}", names, replies, start or 0.0)
            if symbol.startswith("time:") or (isinstance(value, str) and value.startswith("arn:")):
                found[symbol] = value
    except SymbolError:
        return {}  # Of a program that could not be sent whole the texts stay as they are.
    return found


_TAKEN = re.compile(r"\$\{(reply:\d+:[^{}]*|time:[+-]?\d+)\}")


def unsettled(rule: Rule | None, divergence: Divergence) -> bool:
    """Whether nothing better than inference stands behind a finding, or it rests on what an earlier one left behind.

    A crash needs no rule. That a refusal has other words is settled only by words that were recorded.
    """
    if divergence.severity == "crash":
        return False
    if divergence.derived or rule is None or rule.open or rule.strength == "inferred":
        return True
    return _in_words_alone(divergence) and not all(_worded(name, divergence.operation) for name in _named(divergence))


def _in_words_alone(divergence: Divergence) -> bool:
    """Whether an answer is the refusal that was due but for its words, which may name another reason."""
    if divergence.severity == "message":
        return True
    expected, observed = divergence.expected, divergence.observed
    if not isinstance(expected, Refusal) or not isinstance(observed, Refusal):
        return False
    same = (expected.code, expected.status) == (observed.code, observed.status)
    return same and divergence.severity in ("error", "precedence")


def _named(divergence: Divergence) -> tuple[str, ...]:
    """The rules whose words were due."""
    due = divergence.expected.rules if isinstance(divergence.expected, Refusal) else ()
    return due if divergence.severity != "message" and due else (divergence.rule,)


_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})


def _worded(name: str, operation: str) -> bool:
    """Whether a rule's words are recorded; of a statement only those are that are recorded for statements."""
    rule = ledger().get(name)
    if rule is None or not rule.worded:
        return False
    told = rule.capability == "partiql" or any(":PQL-" in place for place in rule.spec)
    return told or operation not in _STATEMENTS or rule.error != "ValidationException"


def program_of(ops: Sequence[Op], capability: str = "") -> Program:
    """The program that a recorded trace holds: its leading set-up calls are the tables."""
    tables: dict[str, Any] = {}
    steps: list[Step] = []
    for op in ops:
        if op.notes.get("setup") and not steps:
            tables[op.body["TableName"].removeprefix("${table:").removesuffix("}")] = op.body
        else:
            steps.append(Step(op.operation, op.body, op.raw))
    return Program(capability, tables, tuple(steps))


def divergence_to_json(divergence: Divergence, names: Mapping[str, str]) -> dict[str, Any]:
    """The divergence as one JSON object, table names as symbols."""
    told = written(divergence, names)
    return {
        "fingerprint": told.fingerprint,
        "operation": told.operation,
        "rule": told.rule,
        "severity": told.severity,
        "path": told.path,
        "summary": told.summary,
        "expected": reply_to_json(told.expected),
        "observed": reply_to_json(told.observed),
        "accepted": list(told.accepted),
        "compare": list(told.compare),
        "derived": told.derived,
    }


def divergence_from_json(row: Mapping[str, Any]) -> Divergence:
    """The divergence that ``divergence_to_json`` wrote."""
    return Divergence(
        operation=row["operation"],
        rule=row["rule"],
        severity=row["severity"],
        path=row["path"],
        summary=row["summary"],
        expected=reply_from_json(row["expected"]),
        observed=reply_from_json(row["observed"]),
        accepted=tuple(row["accepted"]),
        compare=tuple(row["compare"]),
        written=True,
        derived=row.get("derived", False),
    )
