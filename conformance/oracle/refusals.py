"""Whether a request was rightly refused, for the right reason and in the right words, or wrongly accepted."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from conformance.oracle import bodies, created, identity
from conformance.oracle.blame import blamed, names_arn, refused_rule, written_rule
from conformance.oracle.choices import Judgement, World
from conformance.oracle.compare import Difference
from conformance.oracle.divergence import Divergence
from conformance.oracle.lacking import lacking, unsupported
from conformance.oracle.order import before, constrains, evaluated, exhausted
from conformance.oracle.reasons import of_a_filter, recognised, refused_as
from conformance.oracle.wording import Wording, alternatives
from conformance.oracle.writers import Writers
from conformance.record.op import reply_to_json
from reference.api import Call, Json, Refusal, Success
from reference.operations.base import Outcome
from reference.rules import Rule, Violation
from reference.service import Service

_REPLAY = ("transactions.replay",)
_CLOSER = {"items.condition-failed": ("partiql.update-existing", *_REPLAY)}
"""Rules about an outcome that say more of it, by the rule that a refusal names."""
_NEEDING = ("expressions.missing-attribute", "expressions.invalid-path")
_NAMES = frozenset({"wire.pattern", "wire.map-keys", "wire.length-max"})
"""Rules about the form of a table's name, which a target takes for broken where it knows of no ARNs."""
_ARN = "wire.table-arn"
_MISMATCH = "IdempotentParameterMismatchException"
_OTHER_ITEM = ("Item:", "item.*:missing", "item.*:extra")


@dataclass(frozen=True, slots=True)
class Refusals:
    """Rules on refusals: by the words that the target is held to, and by what was written before.

    ``lacks`` are operations that the target is known not to have.
    """

    wording: Wording
    writers: Writers
    lacks: Set[str]

    def refused(self, world: World, call: Call, broken: tuple[Violation, ...], reply: Refusal) -> Judgement:
        """A refusal of what must be refused: for one of the true reasons, and in its words?"""
        for position, violation in enumerate(broken):
            if reply.code not in (violation.rule.error, *violation.rule.accept_codes):
                continue
            if not self.wording.accepts(call, violation, reply):
                continue
            wrong = bodies.refusal_fields(violation, reply)
            if wrong is not None:
                return self._wrong_fields(world, call, violation, reply, wrong, broken)
            if reply.status != violation.rule.status and not violation.rule.disputed:
                return Judgement((world,), self._divergence(world, call, violation, reply, "error", "status", broken))
            passed_over = [v for v in broken[:position] if before(v.rule, violation.rule)]
            if not passed_over:
                return Judgement((world,))
            return Judgement(
                (world,),
                self._divergence(world, call, passed_over[0], reply, "precedence", violation.rule.name, broken),
            )
        settled = [v for v in broken if not v.rule.open]
        if not settled:
            return Judgement((world,))
        if unsupported(reply) or call.operation in self.lacks:
            return Judgement((world,), lacking(call.operation, world.service.refusal(call, settled[0]), reply))
        known = [v for v in settled if reply.code in (v.rule.error, *v.rule.accept_codes)]
        other = recognised(call, reply)
        if known:
            return Judgement((world,), self._other_words(world, call, known, other, reply, broken))
        first = settled[0]
        found = self._divergence(world, call, first, reply, "error", f"code:{reply.code}", broken)
        told = (cause for cause in first.causes if reply.message == world.service.refusal(call, cause).message)
        cause = next(told, None) if reply.message else None
        if cause is not None:
            sure = cause.rule.strength != "inferred"
            return Judgement((world,), found if sure else replace(found, rule=cause.rule.name))
        untrue = other is not None and (evaluated(other, first.rule) or constrains(other, first.rule))
        if other is not None and not other.disputed and untrue:
            untruth = self._untrue(world, call, first, other, reply, broken)
            return Judgement((world,), self._traced(world.service, call, reply, untruth))
        if reply.code == _MISMATCH and call.body.get("ClientRequestToken") is not None:
            return Judgement((world,), None, "whether the token is looked at before the actions is recorded nowhere")
        closer = refused_as(call, first.rule, reply)
        return Judgement((world,), found if closer is None else replace(found, rule=closer))

    def _wrong_fields(
        self,
        world: World,
        call: Call,
        violation: Violation,
        reply: Refusal,
        wrong: Difference,
        broken: tuple[Violation, ...],
    ) -> Judgement:
        """A true refusal with other members than it must have, such as the item that failed the condition."""
        if wrong.kind == "spelling":
            found = self._divergence(world, call, violation, reply, "shape", wrong.place, broken)
            return Judgement((world,), replace(found, rule="values.number-normal-form"))
        found = self._divergence(world, call, violation, reply, "data", wrong.place, broken)
        shown = reply.fields.get("Item")
        if wrong.place.startswith(_OTHER_ITEM) and self.writers.respelt(world.service, call, shown=shown):
            if wrong.place == "Item:missing":
                return Judgement((world,), None, "no item is shown, for its other spelling or as a rule")
            return Judgement((world,), replace(found, rule=identity.RULE))
        inside = wrong.path[:1] == ("Item",) and len(wrong.path) > 2
        write = self.writers.unseen(world.service, call, wrong) if inside else None
        if wrong.place == "Item:extra" and isinstance(call.body.get("TableName"), str):
            write = self.writers.creating_nothing(world.service, call.body["TableName"], [shown])
            found = found if write is None else replace(found, path="item:created")
        if write is not None:
            found = replace(found, operation=write.operation, rule=written_rule(write, wrong))
        return Judgement((world,), found)

    def _other_words(
        self,
        world: World,
        call: Call,
        known: list[Violation],
        other: Rule | None,
        reply: Refusal,
        broken: tuple[Violation, ...],
    ) -> Divergence | None:
        """Refused with the right error, but in words that none of the true refusals has.

        Another reason is called untrue only where the reference got past the check of it; words that are nobody's are
        blamed on a rule only where a single one is broken. What else the stage of the first refusal checks is not known
        in full: a reason from there may be true, and is let pass.
        """
        named = next((v for v in known if other is not None and other.name in v.names), None)
        if named is None and other is not None and not other.disputed:
            if before(known[0].rule, other):
                return self._divergence(world, call, known[0], reply, "precedence", other.name, broken)
            if evaluated(other, known[0].rule):
                return self._untrue(world, call, known[0], other, reply, broken)
        several = len({v.rule.name for v in known}) > 1
        if named is None and (several if other is None else not exhausted(known[0].rule, other)):
            return None
        wrong = named or known[0]
        found = self._divergence(world, call, wrong, reply, "message", "message", broken)
        mixed = tuple(self.wording.other_cohort(call, wrong, reply))
        return replace(found, path="cohort", accepted=mixed) if mixed else found

    def refused_untruly(self, world: World, call: Call, outcome: Outcome | None, reply: Refusal) -> Judgement:
        """A refusal of what is valid."""
        matched = recognised(call, reply)
        if (matched is not None and matched.open) or of_a_filter(world.service, reply):
            return Judgement((world,))
        expected = Success(outcome.body if outcome else None)
        if unsupported(reply) or call.operation in self.lacks:
            return Judgement((world,), lacking(call.operation, expected, reply))
        reasons = reply.fields.get("CancellationReasons")
        rule = blamed(call, matched.name, reasons) if matched else refused_rule(call, outcome, reply)
        if rule in _NEEDING and self.writers.respelt(world.service, call):
            rule = identity.RULE
        if call.operation == "BatchExecuteStatement" and outcome is not None and _any_failed(outcome.body):
            rule = "partiql.batch-answer"
        closer = [name for name in _CLOSER.get(rule, _REPLAY) if outcome is not None and name in outcome.rules]
        rule = closer[0] if closer else rule
        path = f"code:{reply.code}" if matched is None else "untrue"
        if names_arn(call) and rule in _NAMES:
            rule, path = _ARN, f"code:{reply.code}"
        text = f"{call.operation} is refused with {reply.code} ({reply.message}); it is valid"
        found = Divergence(
            call.operation, rule, "refuses", path, text, expected, reply, (reply_to_json(expected),), ("*",)
        )
        return Judgement((world,), self._traced(world.service, call, reply, found))

    def accepted_wrongly(self, world: World, call: Call, broken: tuple[Violation, ...], reply: Success) -> Judgement:
        """A success where a refusal was due."""
        settled = [v for v in broken if not v.rule.open and not any(c.rule.open for c in v.causes)]
        if not settled:
            return Judgement((world,), None, f"{broken[0].rule.name} is disputed")
        found = self._divergence(world, call, settled[0], reply, "accepts", "", broken)
        cause = settled[0].causes[0].rule.name if settled[0].causes else found.rule
        found = replace(found, rule=blamed(call, cause))
        return Judgement((world,), self._traced(world.service, call, reply, found))

    def _traced(self, service: Service, call: Call, reply: Success | Refusal, found: Divergence) -> Divergence:
        """The divergence of an answer that an item which should not be there, or one not found, explains."""
        traced = created.blamed(service, call, found, self.writers)
        keyed = traced is found and identity.explains(service, call, reply, self.writers)
        return replace(found, rule=identity.RULE) if keyed else traced

    def _divergence(
        self,
        world: World,
        call: Call,
        broken: Violation,
        reply: Success | Refusal,
        severity: str,
        path: str,
        all_broken: Iterable[Violation],
    ) -> Divergence:
        expected = world.service.refusal(call, broken)
        texts = {
            "accepts": f"{call.operation} is accepted; it must be refused with {expected.code} ({expected.message})",
            "error": f"{call.operation} is refused with another error than {expected.code} ({expected.status})",
            "message": f"{call.operation} is refused with other words",
            "precedence": f"{call.operation} is refused for what is checked later; {broken.rule.name} comes first",
        }
        accepted = (
            tuple(a for v in all_broken for a in alternatives(call, v))
            if severity != "precedence"
            else tuple(alternatives(call, broken))
        )
        first = tuple(alternatives(call, broken))
        ordered = first + tuple(a for a in accepted if a not in first)
        text = texts.get(severity, f"{call.operation}: the refusal's {path} differs")
        return Divergence(call.operation, broken.rule.name, severity, path, text, expected, reply, ordered)

    def _untrue(
        self,
        world: World,
        call: Call,
        broken: Violation,
        other: Rule,
        reply: Refusal,
        all_broken: Iterable[Violation],
    ) -> Divergence:
        """Rightly refused, but for a reason that is not true."""
        found = self._divergence(world, call, broken, reply, "error", "untrue", all_broken)
        text = (
            f"{call.operation} is refused for a reason that is not true ({reply.message}); true is {broken.rule.name}"
        )
        return replace(found, rule=blamed(call, other.name), summary=text)


def _any_failed(body: Json) -> bool:
    """Whether a statement of a batch fails, which the batch as a whole does not."""
    return any("Error" in each for each in body.get("Responses", ()))
