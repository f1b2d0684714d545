"""From a divergence and its smallest program to a finding that can be shown, run and replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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

    Real table names in the divergence's replies are replaced by their symbols, and so are the ARNs that a target made
    up and a call of the program took from an earlier reply.
    """
    divergence, small = reduction.divergence, reduction.program
    names = {**reduction.names, **_made_up(reduction)}
    rule = ledger().get(divergence.rule)
    return Finding(
        fingerprint=divergence.fingerprint,
        capability=rule.capability if rule else program.capability,
        operation=divergence.operation,
        rule=divergence.rule,
        severity=divergence.severity,
        path=divergence.path,
        summary=unbind(divergence.summary, names),
        says=rule.says if rule else "",
        strength=rule.strength if rule else "inferred",
        evidence=tuple(asdict(e) for e in rule.evidence) if rule else (),
        spec=rule.spec if rule else (),
        expected=_written(divergence, reply_to_json(divergence.expected), names),
        observed=unbind(reply_to_json(divergence.observed), names),
        program=tuple(op_to_json(op) for op in reduction.ops),
        calls=len(small.steps),
        unsettled=unsettled(rule, divergence),
        accepted=tuple(_written(divergence, a, names) for a in divergence.accepted),
        minimise_requests=reduction.requests,
        chunk=program.chunk,
        **details,
    )


def _made_up(reduction: Reduction) -> dict[str, str]:
    """The ARNs that calls took from earlier replies, by the inside of the symbols that stand for them there."""
    names = reduction.names
    found: dict[str, str] = {}
    try:
        replies = {op.index: bind(op.reply.body, names, {}) for op in reduction.ops if isinstance(op.reply, Success)}
        for op in reduction.ops:
            for symbol in _TAKEN.findall(json.dumps(op.body)):
                value = bind(f"${{{symbol}}}", names, replies)
                if isinstance(value, str) and value.startswith("arn:"):
                    found[symbol] = value
    except SymbolError:
        return {}  # Of a program that could not be sent whole the texts stay as they are.
    return found


_TAKEN = re.compile(r"\$\{(reply:\d+:[^{}]*)\}")


def _written(divergence: Divergence, reply: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A reply that would have been right, with symbols for names."""
    return dict(reply) if divergence.symbolic else unbind(dict(reply), names)


def unsettled(rule: Rule | None, divergence: Divergence) -> bool:
    """Whether nothing better than inference stands behind a finding; a crash needs no rule.

    That a refusal has other words is settled only by words that were recorded.
    """
    if divergence.severity == "crash":
        return False
    if rule is None or rule.open or rule.strength == "inferred":
        return True
    return _in_words_alone(divergence) and not all(_worded(name) for name in _named(divergence))


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


def _worded(name: str) -> bool:
    rule = ledger().get(name)
    return rule is not None and rule.worded


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
    return {
        "fingerprint": divergence.fingerprint,
        "operation": divergence.operation,
        "rule": divergence.rule,
        "severity": divergence.severity,
        "path": divergence.path,
        "summary": unbind(divergence.summary, names),
        "expected": _written(divergence, reply_to_json(divergence.expected), names),
        "observed": unbind(reply_to_json(divergence.observed), names),
        "accepted": [_written(divergence, a, names) for a in divergence.accepted],
        "compare": list(divergence.compare),
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
    )
