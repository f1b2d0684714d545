"""Which texts a true refusal may have: both cohorts, listed alternatives, stable phrases."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from conformance.oracle.about import main_rule
from reference.api import Call, Refusal
from reference.requests import speaker
from reference.rules import COHORTS, Cohort, Rule, Violation, fill, ledger, pattern


@dataclass(slots=True)
class Wording:
    """Holds a target to one cohort per operation and kind of text, once an answer has told (design: cohorts)."""

    cohorts: dict[tuple[str, str], frozenset[Cohort]] = field(default_factory=dict)

    def accepts(self, call: Call, broken: Violation, reply: Refusal) -> bool:
        """Whether the reply's message is one that the service may give for this violation.

        False also for a text that only the cohort speaks which this operation was found not to be of.
        """
        rule = broken.rule
        message = _unwrapped(call, rule, reply.message or "")
        if rule.disputed or rule.strength == "inferred" or (rule.message is None and not broken.parts):
            return True
        if reply.code != rule.error and reply.code in rule.accept_codes:
            return True  # Another error than the rule's own: how it is worded is not known.
        if rule.phrase is not None and fill(rule.phrase, broken.params).lower() in message.lower():
            return True
        if any(_fits(text, broken.params, message) for text in rule.accept):
            return True
        return self._by_cohort(call, broken, message)

    def _by_cohort(self, call: Call, broken: Violation, message: str) -> bool:
        slot = (call.operation, broken.rule.layer)
        allowed = self.cohorts.get(slot, frozenset(COHORTS))
        voices = {cohort: speaker(call.operation, call.body, cohort) for cohort in COHORTS}
        speaking = frozenset(c for c, voice in voices.items() if _same(broken.message(voice), message))
        if not speaking:
            return False
        if speaking & allowed:
            self.cohorts[slot] = speaking & allowed
            return True
        return False

    def other_cohort(self, call: Call, broken: Violation, reply: Refusal) -> Iterator[Mapping[str, Any]]:
        """The replies of the one cohort the target is held to, when it answered in the other one's true words."""
        allowed = self.cohorts.get((call.operation, broken.rule.layer), frozenset(COHORTS))
        texts = {c: broken.message(speaker(call.operation, call.body, c)) for c in COHORTS}
        if len(allowed) < len(COHORTS) and any(_same(text, reply.message or "") for text in texts.values()):
            for cohort in sorted(allowed):
                known = {"code": broken.rule.error, "status": broken.rule.status, "message": texts[cohort]}
                yield {"refusal": known}

    def told(self) -> dict[str, str]:
        """Which cohort each operation was found to speak, for reports."""
        return {
            f"{operation}{'/' + layer if layer else ''}": next(iter(speaks))
            for (operation, layer), speaks in sorted(self.cohorts.items())
            if len(speaks) == 1
        }


ENVELOPE = "1 validation error detected: "


def _unwrapped(call: Call, rule: Rule, message: str) -> str:
    """A message of Scan without what its newest regions put before such words (conflicts.md 17)."""
    return message.removeprefix(ENVELOPE) if call.operation == "Scan" and rule.envelope else message


class _Open(dict[str, Any]):
    """Parameters of a text; one that a violation does not have stands for any words."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def _partly(text: str, params: Mapping[str, Any]) -> tuple[str, bool]:
    """An accepted text with what is known of it, and whether that is all."""
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    if names <= params.keys():
        return fill(text, params), True
    return text.format_map(_Open(params)), False


def _fits(text: str, params: Mapping[str, Any], message: str) -> bool:
    known, whole = _partly(text, params)
    return _same(known, message) if whole else pattern(known).fullmatch(message) is not None


def _same(expected: str | None, message: str) -> bool:
    """Equal texts; the constraints of an aggregated one may come in any order (dataplane:OPEN-24)."""
    expected = expected or ""
    if expected == message:
        return True
    head, found, rest = expected.partition(" detected: ")
    return (
        bool(found)
        and message.startswith(head + found)
        and (sorted(rest.split("; ")) == sorted(message[len(head + found) :].split("; ")))
    )


def alternatives(call: Call, broken: Violation) -> Iterator[Mapping[str, Any]]:
    """Every reply that would be accepted for a violation, as JSON, today's wording first."""
    rule = broken.rule
    status = {"code": rule.error, "status": rule.status}
    exact = rule.strength != "inferred" and not rule.disputed
    texts = dict.fromkeys(broken.message(speaker(call.operation, call.body, cohort)) for cohort in COHORTS)
    for text in texts:
        yield {"refusal": {**status, "message": text} if exact else status}
    if call.operation == "Scan" and rule.envelope and exact:
        yield from ({"refusal": {**status, "message": f"{ENVELOPE}{text}"}} for text in texts)
    for text in rule.accept:
        known, whole = _partly(text, broken.params)
        shown = {"message": known} if whole else {"message_pattern": "(?is)" + pattern(known).pattern + r"\Z"}
        yield {"refusal": {**status, **shown}}
    if rule.phrase is not None:
        yield {"refusal": {**status, "message_pattern": "(?is).*" + re.escape(fill(rule.phrase, broken.params))}}


def recognise(reply: Refusal, operation: str = "") -> Rule | None:
    """The rule whose message template a target's refusal matches best: the longest fixed text, whole ones first.

    Text that rules of all kinds begin with tells of one about the operation, or of none.
    """
    message = reply.message or ""
    best: tuple[int, bool] = (_LEAST, True)
    found: list[Rule] = []
    common = ""
    for rule in ledger().values():
        if rule.error != reply.code or rule.message is None:
            continue
        for text in (rule.message, rule.older, rule.phrase):
            weight = _weight(text, message)
            whole = weight > 0 and text is rule.message and _pattern(text).fullmatch(message) is not None
            if (weight, whole) > best:
                best, found, common = (weight, whole), [], text or ""
            if (weight, whole) == best and weight > _LEAST:
                found.append(rule)
    if not found and reply.code == "ValidationException" and "syntax error" in message.lower():
        return ledger()["expressions.syntax"]
    if operation and (len({rule.capability for rule in found}) > 1 or (found and not best[1])):
        about = ledger()[main_rule(operation)].capability
        own = [rule for rule in found if rule.capability == about]
        found = own if own or (not best[1] and _everywhere(common, reply.code)) else found
    return found[0] if found else None


@functools.cache
def _everywhere(text: str, code: str) -> bool:
    """Whether what rules of many kinds say with a code begins with a text."""
    rules = [rule for rule in ledger().values() if rule.error == code and rule.message is not None]
    told = {rule.capability for rule in rules if (rule.message or "").startswith(text)}
    return len(told) >= _EVERYWHERE


_EVERYWHERE = 3
"""Capabilities that have a text in common which tells nothing any more."""
_LEAST = 15
"""Letters that a template must share with a message to be recognised in it."""


def _weight(template: str | None, message: str) -> int:
    """How much fixed text of a template a message holds, in full or without its ``Invalid …Expression: ``."""
    if template is None:
        return 0
    bare = re.sub(r"^Invalid \{?\w+\}?Expression: ", "", template)
    fixed = len(re.sub(r"\{\w+\}", "", bare))
    return fixed if any(_pattern(text).search(message) for text in (template, bare)) else 0


_pattern = functools.lru_cache(maxsize=4096)(pattern)
