"""The oracle: could DynamoDB have answered this? An acceptor that follows the target's legitimate choices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from conformance.fates import NEVER_SENT, reads
from conformance.oracle import (
    bodies,
    choices,
    counted,
    expiry,
    front,
    identity,
    planes,
    planes_blame,
    scaled,
    throttled,
    underway,
    versions,
)  # fmt: skip
from conformance.oracle.blame import body_divergence
from conformance.oracle.choices import Judgement, World, parts_of
from conformance.oracle.compare import differences
from conformance.oracle.covered import behaviours, conditions, features
from conformance.oracle.divergence import OK, Verdict
from conformance.oracle.exercised import open_questions
from conformance.oracle.latitude import MAX_PENDING, Latitude, permitted
from conformance.oracle.pages import pages_of
from conformance.oracle.refusals import Refusals
from conformance.oracle.wording import Wording
from conformance.oracle.writers import Writers
from conformance.record.finding import SEVERITIES
from conformance.targets.raw import RawRequest
from reference.account import Account
from reference.api import Call, Item, Json, Lost, Refusal, Reply, Success
from reference.capacity.uses import Use
from reference.clock import ManualClock
from reference.operations.base import Outcome
from reference.rules import Cohort
from reference.service import Outcomes, Service

_START_KEY = "scans.start-key-segment"
_DECIDED = frozenset({"items.condition-failed", "transactions.cancelled"})
_TABLE_ARN = re.compile(r"arn:aws:dynamodb:([^:/]+):([^:/]+):table/[^/]+")


class Oracle:
    """Reference plus latitude. Feed it every call in order with its answer and the moments of both."""

    def __init__(
        self, latitude: Latitude | None = None, *, cohorts: Mapping[str, Cohort] | None = None, start: float = 0.0
    ) -> None:
        self.latitude = latitude or Latitude()
        self.clock = ManualClock(start)
        account = Account(self.clock)
        account.keep = self.latitude.history * 2
        self.worlds = [World(Service(account, cohorts))]
        self.wording = Wording()
        self.writers = Writers()
        self._tokens: dict[str, str | None] = {}
        self.reached: Counter[str] = Counter()
        self.features: Counter[str] = Counter()

    @property
    def model(self) -> Service:
        """The most plausible state of the target."""
        return self.worlds[0].service

    @property
    def _refusals(self) -> Refusals:
        return Refusals(self.wording, self.writers, self.latitude.lacks)

    @property
    def ambiguous(self) -> bool:
        """Whether more than one state of the target is possible."""
        return len(self.worlds) > 1 or any(world.pending for world in self.worlds)

    def judge(self, call: Call, reply: Reply, received: float) -> Verdict:
        """Rule on one answer and adopt what it tells of the target's state."""
        verdict = self._rule_on(call, reply, received)
        if verdict.ruling != "ok" or isinstance(reply, Lost) or (isinstance(reply, Refusal) and reply.status >= 500):
            for world in self.worlds:
                counted.blur(world.service)
        return verdict

    def measure(self) -> None:
        """Count from now on what calls use, for CloudWatch is going to be asked."""
        for world in self.worlds:
            counted.begin(world.service)

    def _rule_on(self, call: Call, reply: Reply, received: float) -> Verdict:
        self.clock.set(received)
        if isinstance(reply, Lost):
            return self._lost(call, reply)
        self._identify(reply)
        token = call.body.get("NextToken") if call.operation == "ExecuteStatement" else None
        if isinstance(token, str) and token in self._tokens:
            own = self._tokens[token]
            if own is None:
                return Verdict("unknown", why="where the page before ended is not known")
            call = Call(call.operation, {**call.body, "NextToken": own})
        arrivals = expiry.arrivals(choices.arrivals(self.worlds, self._gone_before), call, self.latitude.skew)
        arrivals = [World(s, world.pending) for world in arrivals for s in versions.dated(world.service, call)]
        doubtful = next(open_questions(arrivals[0].service, call), None)
        if _restarts_segment(call):
            ended = pages_of(arrivals[0].service).segment_of(call)
            if ended is None or (ended != call.body.get("Segment") and isinstance(reply, Refusal)):
                doubtful = _START_KEY
        others = expiry.others(arrivals, call, reply, self.latitude.skew)
        judgements = [self._judge_in(world, call, reply) for world in arrivals]
        accepted = [j for j in judgements if j.divergence is None]
        for judgement, tiers in zip(judgements, others, strict=True):
            if judgement.divergence is not None:
                accepted += self._fitting(tiers, call, reply)
        if accepted:
            self.worlds = choices.distinct([world for j in accepted for world in j.worlds])
            doubt = next((j.unknown for j in accepted if j.unknown), "")
            return self._bounded() or (Verdict("unknown", why=doubt) if doubt else OK)
        nearest = max(judgements, key=_mildness)
        self.worlds = list(nearest.worlds)
        if doubtful is not None:
            return Verdict("unknown", why=f"{doubtful} is disputed")
        if len(arrivals) >= choices.MAX_ARRIVALS:
            return Verdict("unknown", why="not every state that lost calls may have led to was looked at")
        found = nearest.divergence
        return Verdict("violated", found and planes.theirs(self.model, found))

    def _fitting(self, tiers: list[list[World]], call: Call, reply: Success | Refusal) -> list[Judgement]:
        """What the first tier in which a state fits says."""
        for tier in tiers:
            found = [self._judge_in(world, call, reply) for world in tier]
            if any(judgement.divergence is None for judgement in found):
                return [judgement for judgement in found if judgement.divergence is None]
        return []

    def judge_raw(self, call: Call, raw: RawRequest, reply: Reply, received: float) -> Verdict:
        """Rule on the answer to a request below the SDK: the front door first, then the call it reads."""
        if not front.judgeable(raw) or isinstance(reply, Lost):
            return Verdict("unknown", why="what the front door makes of this request is checked, not searched")
        broken, read = front.received(call, raw, received)
        if not broken and read is not None:
            return self.judge(read, reply, received)
        for violation in broken:
            self.reached[violation.rule.name] += 1
        world = self.worlds[0]
        if isinstance(reply, Refusal):
            judgement = self._refusals.refused(world, call, broken, reply)
        else:
            judgement = self._refusals.accepted_wrongly(world, call, broken, reply)
        if judgement.divergence is None:
            return Verdict("unknown", why=judgement.unknown) if judgement.unknown else OK
        return Verdict("violated", judgement.divergence)

    def _identify(self, reply: Reply) -> None:
        """Learn from the ARN of a table which account in which region the target takes for its own."""
        body = reply.body if isinstance(reply, Success) and isinstance(reply.body, dict) else {}
        table = body.get("TableDescription") or body.get("Table")
        own = _TABLE_ARN.fullmatch(str(table.get("TableArn"))) if isinstance(table, dict) else None
        if own is not None:
            for world in self.worlds:
                world.service.account.region, world.service.account.account_id = own.groups()

    def _learn(self, expected: Json, observed: Json) -> None:
        """Remember which of the reference's tokens a target's own stands for: that of the same page."""
        theirs = observed.get("NextToken") if isinstance(observed, dict) else None
        if isinstance(theirs, str) and isinstance(expected, dict):
            same = not any(differences(expected.get("Items"), observed.get("Items")))
            self._tokens[theirs] = expected.get("NextToken") if same else None

    def _bounded(self) -> Verdict | None:
        if not choices.too_many(self.worlds):
            return None
        self.worlds = self.worlds[:1]
        planes.forget_streams(self.model)
        return Verdict("unknown", why="more than 16 states of the target are possible: read back or quarantine")

    def _lost(self, call: Call, reply: Lost) -> Verdict:
        """A lost call opens one choice over everything it touches: not applied, applied, or yet to be applied."""
        if reads(call) or reply.why.split(":", 1)[0] in NEVER_SENT:
            return OK
        for world in self.worlds:
            planes.blur_streams(world.service)
            underway.begin(world.service, call, surely=False)
        self.worlds = choices.distinct([world.losing(call) for world in self.worlds])
        if max(len(world.pending) for world in self.worlds) > MAX_PENDING:
            self.settle()
            self.worlds = self.worlds[:1]
            return Verdict("unknown", why="too many lost calls are open at once: read back or quarantine")
        return OK

    def _gone_before(self, world: World, call: Call) -> list[World]:
        return expiry.gone_before(world, call, self.latitude.skew)

    def settle(self) -> bool:
        """Every lost call has by now taken effect or never will; whether all states this may have led to are known."""
        worlds = choices.arrivals(self.worlds, self._gone_before)
        self.worlds = choices.distinct([World(world.service) for world in worlds])
        return len(worlds) < choices.MAX_ARRIVALS

    def apply_lost(self, call: Call) -> None:
        """A lost call is known to have taken effect (proxy's ledger)."""
        for part in parts_of(call):
            self._resolve(part, applied=True)

    def drop_lost(self, call: Call) -> None:
        """A lost call is known never to take effect."""
        for part in parts_of(call):
            self._resolve(part, applied=False)

    def _resolve(self, call: Call, *, applied: bool) -> None:
        waiting, worlds = [], []
        for world in self.worlds:
            lost = next((each for each in world.pending if each.call == call), None)
            if lost is None:
                worlds.append(world)
                continue
            pending = list(world.pending)
            pending.remove(lost)
            if not applied:
                waiting.append(World(world.service, tuple(pending)))
                continue
            bases = (world, *self._gone_before(world, call))
            waiting += [World(choices.applied(base.service, lost), tuple(pending)) for base in bases]
        # Where it is no longer pending it has taken effect: there it is rightly applied, or else that world is not so.
        self.worlds = choices.distinct([*(worlds if applied or not waiting else ()), *waiting])

    def _judge_in(self, world: World, asked: Call, reply: Success | Refusal) -> Judgement:
        judgement = self._judge_now(world, asked, reply)
        late = judgement.divergence and underway.outdated(world.service, asked, self.latitude)
        return Judgement((world,), None, late) if late else judgement

    def _judge_now(self, world: World, asked: Call, reply: Success | Refusal) -> Judgement:
        if planes.is_foreign(world.service, asked):
            if isinstance(reply, Success):
                planes.leads_nowhere(world.service, reply.body)
            return Judgement((world,), None, "where it goes on from is not known")
        call, reply = planes.ours(world.service, asked, reply)
        planes.suppose_bucket(world.service, self.latitude)
        throttled.follow(world.service)
        outcomes = world.service.outcomes(call)
        elsewhere = [broken.rule.name for broken in outcomes.violations] == [_START_KEY]
        if elsewhere and pages_of(world.service).segment_of(call) == call.body["Segment"]:
            # Which partition is in which segment is the target's choice.
            outcomes = world.service.outcomes(without(call, "ExclusiveStartKey"))
        self._cover(call, outcomes)
        if isinstance(reply, Refusal):
            hindered = self._hindered(world, call, outcomes, reply)
            if hindered is not None:
                return hindered
            self._spend(world.service, call, throttled.used_by(world.service, call, outcomes), reply)
            self.writers.doubt(world.service, call)
            if outcomes.violations:
                return self._refusals.refused(world, call, outcomes.violations, reply)
            return self._refusals.refused_untruly(world, call, outcomes.outcome, reply)
        if outcomes.violations:
            planes.leads_nowhere(world.service, reply.body)
            if doubt := underway.explains(world.service, call, outcomes.violations, self.latitude):
                return Judgement((world,), None, doubt)
            return self._refusals.accepted_wrongly(world, call, outcomes.violations, reply)
        assert outcomes.outcome is not None
        if call.operation in planes.OPERATIONS:
            return self._answered_beside(world, asked, call, outcomes.outcome, reply)
        return self._answered(world, call, outcomes.outcome, reply)

    def _hindered(self, world: World, call: Call, outcomes: Outcomes, reply: Refusal) -> Judgement | None:
        """What a refusal comes to that the request has no part in: for want of throughput, or a state that passes."""
        if planes.passing(reply, self.latitude):
            return Judgement((world,))
        latitude = self.latitude
        if reply.code in throttled.CODES:
            latitude = throttled.relaxed(world.service, call, outcomes, latitude)
        if not permitted(latitude, call.operation, reply.code, reply.status, reply.fields):
            return None
        if throttled.unearned(world.service, call, outcomes, reply):
            return None
        if reply.status >= 500 and not reads(call):
            planes.blur_streams(world.service)
            underway.begin(world.service, call, surely=False)
            return Judgement((world.losing(call),))
        if reply.code in throttled.CODES:
            self.reached.update(throttled.told_by(reply))
            counted.hindered(world.service)
        return Judgement((world,), throttled.mistold(world.service, call, reply, self.latitude))

    def _spend(self, service: Service, call: Call, used: tuple[Use, ...], reply: Success | Refusal) -> None:
        """Note what a call has used, where that is followed."""
        throttled.note(service, used)
        counted.note(service, call, used, reply)

    def _cover(self, call: Call, outcomes: Outcomes) -> None:
        """Count the rules and the parts of the expression language that the answer to a call is judged by."""
        names = [violation.rule.name for violation in outcomes.violations]
        self.reached.update(names)
        if outcomes.outcome is not None:
            self.reached.update(behaviours(call, outcomes.outcome))
        elif _DECIDED.issuperset(names):
            self.reached.update(conditions(call))
            self.reached["items.refused-write"] += 1
        else:
            return
        self.features.update(features(call))

    def _answered(self, world: World, call: Call, outcome: Outcome, reply: Success) -> Judgement:
        body = planes.named(world.service, call, reply.body)
        verdict = bodies.lawful(world.service, call, outcome, body, self.latitude, pages_of(world.service))
        renamed = planes.renamed(world.service, call, verdict.outcome.body, reply.body)
        wrong = scaled.settled(world.service, call, verdict.differences or renamed, self.latitude)
        verdict = replace(verdict, differences=wrong)
        otherwise = bool(wrong) and identity.explains(world.service, call, reply, self.writers)
        used = throttled.uses(world.service, call, verdict.outcome)
        idle = underway.taken_back(world.service, call, self.latitude)
        unchanged = (replace(world, service=world.service.fork()),) if idle else ()
        after = self._done(world, call, verdict.outcome, reply)
        self._spend(after.service, call, used, reply)
        fresh = planes.as_of_now(after.service, call)
        after_all = (after, *unchanged) if fresh is None else (after, replace(after, service=fresh), *unchanged)
        if call.operation == "ExecuteStatement":
            self._learn(verdict.outcome.body, reply.body)
        if not verdict.differences:
            self.writers.shown(world.service, call)
            self.writers.note(world.service, call, verdict.outcome)
            return Judgement(after_all)
        found = body_divergence(world.service, call, verdict.outcome, reply, verdict.differences, self.writers)
        found = scaled.blamed(world.service, call, expiry.blamed(world.service, call, found))
        found = identity.blamed(call, found) if otherwise else found
        self.writers.note(world.service, call, verdict.outcome)
        return Judgement(after_all, found)

    def _done(self, world: World, call: Call, outcome: Outcome, reply: Success) -> World:
        """The world after a call, which may be the same one changed."""
        fork = world.service
        if outcome.changes or outcome.effects:
            fork = world.service if len(self.worlds) == 1 and not world.pending else world.service.fork()
            expiry.remember(fork, call, underway.table_of(fork, call))
            fork.commit(outcome)
            underway.begin(fork, call)
        planes.adopt(fork, call, outcome, reply.body)
        filled = planes.filled(call)
        if filled is not None:
            self.writers.filled(filled, call, outcome)
        return World(fork, world.pending)

    def _answered_beside(self, world: World, asked: Call, call: Call, outcome: Outcome, reply: Success) -> Judgement:
        """As ``_answered``, for what is neither items nor tables."""
        answer = planes.lawful(world.service, asked, call, outcome, reply.body, self.latitude)
        found = None
        if answer.differences:
            found = planes_blame.divergence(world.service, call, outcome, reply, answer.differences, self.writers)
        after = self._done(world, call, outcome, reply)
        if answer.remember is not None:
            answer.remember(after.service)
        if answer.differences and call.operation == "GetRecords":
            planes.in_doubt(after.service, reply.body)
        return Judgement((after,), found, answer.doubt)

    def made(self, call: Call, reply: Success) -> None:
        """A table is there, empty, that a CreateTable of an earlier session made, which was answered like this."""
        self._identify(reply)
        for world in self.worlds:
            world.service.execute(call)

    def install(self, table: str, key: Item, item: Item | None) -> None:
        """Take over an item as read from the target, in every world."""
        for world in self.worlds:
            if table in world.service.account.tables:
                world.service.install(table, key, item)


def _mildness(judgement: Judgement) -> int:
    """How little the answer differs from what one of several possible states allows."""
    return SEVERITIES.index(judgement.divergence.severity) if judgement.divergence else len(SEVERITIES)


def _restarts_segment(call: Call) -> bool:
    """Whether a call goes on with a segment of a parallel Scan; which keys are in it only the target knows."""
    body = call.body if isinstance(call.body, dict) else {}
    total = body.get("TotalSegments")
    return call.operation == "Scan" and body.get("ExclusiveStartKey") is not None and type(total) is int and total > 1


def without(call: Call, member: str) -> Call:
    """The call without a member of its request."""
    return Call(call.operation, {name: value for name, value in call.body.items() if name != member})
