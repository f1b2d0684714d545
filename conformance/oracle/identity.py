"""Answers that fit a target for which a key number written in another way is another key."""

from __future__ import annotations

from dataclasses import replace

from conformance.oracle.bodies import compare
from conformance.oracle.divergence import Divergence
from conformance.oracle.writers import Writers, absent
from reference.api import Call, Refusal, Success
from reference.service import Service

RULE = "keys.identity"
_DECIDED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


def explains(service: Service, call: Call, reply: Success | Refusal, writers: Writers) -> bool:
    """Whether an answer is what DynamoDB would give if items went missing whose keys are written out of normal form."""
    named, all_odd = writers.odd(service, call)
    for rows in (named, all_odd):
        there = [(name, row, key) for name, row, key in rows if not absent(service, name, row)]
        if there:
            without = service.fork()
            for name, _, key in there:
                without.install(name, key, None)
            if _fits(without, call, reply):
                return True
    return False


def blamed(call: Call, found: Divergence) -> Divergence:
    """The divergence of a body that this explains, which no write is to blame for."""
    return replace(found, operation=call.operation, rule=RULE, path=found.path.removeprefix("refused:"))


def _fits(service: Service, call: Call, reply: Success | Refusal) -> bool:
    outcomes = service.outcomes(call)
    if isinstance(reply, Success):
        answer = outcomes.outcome
        return not outcomes.violations and answer is not None and not compare(call, answer.body, reply.body)
    for violation in outcomes.violations:
        told = service.refusal(call, violation)
        if told.code == reply.code and (reply.code in _DECIDED or told.message == reply.message):
            return True
    return False
