"""Directed checks on a target: run and judged like drawn programs, or held against their literals.

Literals judge where no SDK goes, and where answers are full of names that the oracle does not follow.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, cast

from conformance.calibration import recording
from conformance.checks.base import Answered, Check, Expected, Http, Refused, bound
from conformance.fates import NEVER_SENT
from conformance.oracle import scaled
from conformance.oracle.about import main_rule
from conformance.oracle.blame import severity_of
from conformance.oracle.divergence import Divergence
from conformance.oracle.lacking import unsupported
from conformance.oracle.latitude import permitted
from conformance.oracle.planes_blame import severity_of as plane_severity
from conformance.oracle.wording import recognise
from conformance.program import Program, Step
from conformance.record.finding import SEVERITIES
from conformance.record.run import CheckResult
from conformance.search.findings import unsettled
from conformance.search.minimise import Reduction
from conformance.search.pool import dear
from conformance.search.worker import Worker
from conformance.session import Judged, Session, unread
from conformance.symbols import SymbolError
from conformance.targets.guarded import allowed
from conformance.targets.probe import OPERATIONS_OF
from conformance.targets.raw import RawReply, RawRequest, parse_reply
from conformance.targets.target import Target
from conformance.targets.transport import Transport
from reference.account import ACCOUNT_ID
from reference.api import Call, Json, Lost, Refusal, Reply, Success
from reference.followers import EVENTUAL, consistent
from reference.rules import Rule, ledger, pattern

BUDGETS = (12, 0)
"""Requests for cutting a check's program down and for simplifying its values: it is small already."""
DETAIL_LIMIT = 300
LONGEST_LAG, LAG_PAUSE = 3.0, 0.25
"""Seconds that a check waits for lagging copies at most, and between two looks at them."""
TRIES = 8
"""How often a check is made on a target that throttles and fails now and then, until it is let through."""
LITERAL = frozenset({
    "DescribeStream", "GetRecords", "GetShardIterator", "ListStreams", "UpdateKinesisStreamingDestination",
    "DeleteResourcePolicy", "GetResourcePolicy", "PutResourcePolicy",
    "CreateBackup", "DeleteBackup", "DescribeBackup", "ListBackups",
    "RestoreTableFromBackup", "RestoreTableToPointInTime",
    "DescribeExport", "ExportTableToPointInTime", "ListExports", "DescribeImport", "ImportTable", "ListImports",
    "CancelBulkOperation", "DescribeBulkOperation", "ListBulkOperations", "StartBulkPutItems",
})  # fmt: skip
"""Operations that speak of labels, iterators, revisions, ARNs and the like, which a target makes up."""


_ONWARD = frozenset({
    ("CREATING", "ACTIVE"), ("CREATING", "AVAILABLE"), ("UPDATING", "ACTIVE"), ("ENABLING", "ACTIVE"),
    ("ENABLING", "ENABLED"), ("DISABLING", "DISABLED"), ("IN_PROGRESS", "COMPLETED"),
})  # fmt: skip
"""A state and what comes of it: how long it takes is the target's choice."""


def run_check(worker: Worker, check: Check) -> CheckResult:
    """Run one check on a worker's target, reduce what it newly shows, and journal its result."""
    why = out_of_reach(worker.target, check)
    lacking = "" if why else next((name for name in _built_on(check) if not worker.has(name)), "")
    lacks = [] if why else [step.operation for step in check.steps if worker.lacks(step.operation)]
    if why:
        result = _result(check, "not-reached", why)
    elif lacks:
        result = _result(check, "unsupported", f"the target does not have {lacks[0]}")
    elif lacking:
        result = _result(check, "unsupported", f"the target has no operation of {lacking}")
    elif by_literal(check):
        result = literal(worker, check)
    else:
        result = _judged(worker, check)
    worker.journal.append("check", **asdict(result))
    return result


def _built_on(check: Check) -> Iterator[str]:
    """The capabilities that a check takes for granted, none of whose operations it calls: it can't tell they lack."""
    asked = {step.operation for step in check.steps}
    vectors = "VectorIndexes" in json.dumps([dict(check.tables), [step.body for step in check.steps]])
    for capability in (check.capability, *(("vectors",) if vectors else ())):
        needed = OPERATIONS_OF.get(capability, ())
        if needed and not asked & set(needed):
            yield capability


def by_literal(check: Check) -> bool:
    """Whether its literal judges a check, not the oracle."""
    names = {step.operation for step in check.steps}
    aside = not names.isdisjoint(LITERAL) or any(":" in name for name in names - scaled.OPERATIONS)
    return check.below_the_sdk or bool(check.settings) or aside


def out_of_reach(target: Target, check: Check) -> str:
    """Why a check can't be made on a target, or nothing when it can."""
    if not target.profile.claims(check.area):
        return f"the target does not claim {check.area}"
    lacking = [setting for setting in check.settings if setting not in target.profile.settings]
    if lacking:
        return f"it needs to be served with {lacking[0]}"
    if target.paid and (dear(check.tables.values()) or not all(allowed(s.operation, s.body) for s in check.steps)):
        return "it is not made where it is paid for"
    if check.below_the_sdk and not target.endpoint:
        return "it needs HTTP"
    if check.needs == "signatures":
        return "" if target.profile.auth else "the target does not verify signatures"
    if check.needs:
        return f"it needs {check.needs}"
    return f"it needs {check.pause:g} s to pass" if check.pause else ""


def _result(check: Check, verdict: str, detail: str = "", fingerprint: str | None = None) -> CheckResult:
    return CheckResult(check.id, check.rule, check.capability, verdict, fingerprint, detail[:DETAIL_LIMIT])


# --- judged by the oracle ---------------------------------------------------------------------------------------------


def _judged(worker: Worker, check: Check) -> CheckResult:
    program = check.program()
    session = worker.play(program)
    for _ in range(TRIES - 1):
        if not _hindered(worker, check, session):
            break
        session = worker.play(program)
    result = _told_of(worker, check, session, program)
    if worker.recording:
        row = recording(check.id, check.rule, result.verdict, check.then.to_json(), session.ops)
        worker.journal.append("recording", **row)
    return result


def _told_of(worker: Worker, check: Check, session: Session, program: Program) -> CheckResult:
    for _, divergence in session.divergences():
        _report(worker, program, divergence)
    try:
        return _verdict(check, session)
    except SymbolError as error:
        return _incomplete(check, error)


def _hindered(worker: Worker, check: Check, session: Session) -> bool:
    """Whether a call was throttled or failed, as this target may lawfully do to any: that says nothing of the rule."""
    latitude = worker.latitude
    if not (latitude.throttling or latitude.server_errors):
        return False
    meant = check.then.code if isinstance(check.then, Refused) else None
    replies = ((judged.op.operation, judged.op.reply) for judged in session.ops)
    return any(
        isinstance(reply, Refusal)
        and reply.code != meant
        and permitted(latitude, operation, reply.code, reply.status, reply.fields)
        for operation, reply in replies
    )


def _incomplete(check: Check, error: SymbolError) -> CheckResult:
    return _result(check, "unknown", f"an earlier answer lacks what it needs: {error}")


def _report(worker: Worker, program: Program, divergence: Divergence) -> None:
    """Reduce a divergence that this worker has not seen yet."""
    seen = worker.seen.get(divergence.fingerprint, 0)
    if not seen:
        worker.reduce(program, divergence, BUDGETS)
    worker.seen[divergence.fingerprint] = seen + 1


def _verdict(check: Check, session: Session) -> CheckResult:
    """Whether the call that shows the rule is answered with the literal, or with something else that is lawful.

    What else the oracle found fault with is a finding of its own and no word on this rule.
    """
    at = len(check.tables) + len(check.given)
    before, asked = session.ops[:at], session.ops[at : at + (2 if check.control else 1)]
    failed = next((judged for judged in before if not isinstance(judged.op.reply, Success)), None)
    if failed is not None or len(asked) < 1 + (check.control is not None):
        if asked and (found := asked[0].verdict.divergence) is not None:
            return _diverged(check, found)
        return _not_asked(check, session, failed)
    wrong = _wrong(check, session, asked[0])
    if wrong is None and (check.control is None or isinstance(asked[1].op.reply, Success)):
        return _result(check, "ok")
    judged = asked[0] if wrong is not None else asked[1]
    if judged.verdict.divergence is not None:
        return _diverged(check, judged.verdict.divergence)
    if judged.verdict.ruling == "unknown":
        return _result(check, "unknown", judged.verdict.why)
    return _result(check, "ok" if wrong else "unknown", f"lawful, but {wrong or 'the control is refused'}")


def _not_asked(check: Check, session: Session, failed: Judged | None) -> CheckResult:
    early = failed.verdict.divergence if failed is not None else None
    lacking = early is not None and early.severity == "unsupported"
    what = early.summary if early is not None else session.died or session.quarantined or "a call failed"
    return _result(check, "unsupported" if lacking else "unknown", f"before it: {what}")


def _diverged(check: Check, found: Divergence) -> CheckResult:
    verdict = "unsupported" if found.severity == "unsupported" else "violated"
    if verdict == "violated" and unsettled(ledger().get(found.rule), found):
        verdict = "unknown"
    return _result(check, verdict, found.summary, found.fingerprint)


def _wrong(check: Check, session: Session, judged: Judged) -> str | None:
    """How an answer differs from the literal; capacity that nobody asked for is for the checks of capacity."""
    then = bound(check.then, session.names, session.replies, session.started)
    assert not isinstance(then, Http)
    reply = judged.op.reply
    if isinstance(reply, Success):
        body = session.bound(reply.body)
        if isinstance(body, dict) and check.area != "capacity" and not _asks_for_capacity(check):
            body = {name: member for name, member in body.items() if name != "ConsumedCapacity"}
        reply = Success(body)
    elif isinstance(reply, Refusal):
        fields = session.bound(dict(reply.fields))
        reply = Refusal(reply.code, session.bound(reply.message), reply.status, fields)
    return then.wrong(reply or Lost("no answer"))


def _asks_for_capacity(check: Check) -> bool:
    return isinstance(check.when.body, dict) and "ReturnConsumedCapacity" in check.when.body


# --- held against literals --------------------------------------------------------------------------------------------


def literal(worker: Worker, check: Check) -> CheckResult:
    """Set up, send the call or the request as it stands, and hold its answer against the literal.

    A target that is not there when the check begins has died of what was before: it is tried again, as is one that
    may throttle and fail and has done so.
    """
    for _ in range(TRIES if worker.latitude.throttling or worker.latitude.server_errors else 2):
        result = _literal(worker, check)
        if result is not None:
            return result
    return _result(check, "unknown", "the target was not there, or let nothing through")


def _literal(worker: Worker, check: Check) -> CheckResult | None:
    session = worker.session()
    try:
        tables = [Step("CreateTable", body) for body in check.tables.values()]
        if tables:
            check = replace(_at_home(check), tables=check.tables)
        for step in (*tables, *check.given):
            reply = _send(worker, session, step, setup=step in tables)[1]
            if _not_there(reply) and len(session.ops) == 1:
                return None
            if _hindered(worker, check, session):
                return None
            if not isinstance(reply, Success):
                return _result(check, "unknown", f"{step.operation} failed before it: {_told(reply)}")
        result = _answered(worker, check, session)
        if result is None:
            return None
        if worker.recording:
            row = recording(check.id, check.rule, result.verdict, check.then.to_json(), session.ops)
            worker.journal.append("recording", **row)
        return None if session.died and _not_there(Lost(session.died)) else result
    except SymbolError as error:
        return _incomplete(check, error)
    finally:
        worker.journal.append("program-end", calls=len(session.ops), capability=check.capability, unknown=0)
        _drop_backups(worker, session)
        worker.finish(session)


ACCOUNT = "${reply:0:TableDescription.TableArn.:4}"
"""The account of the target, as the answer to a check's first call tells of it."""


def _at_home(part: Any) -> Any:
    """A check that makes a table, or a part of it, with the target's account where the checks' own is written."""
    if isinstance(part, str):
        return part.replace(ACCOUNT_ID, ACCOUNT)
    if isinstance(part, Mapping):
        return {_at_home(name): _at_home(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return type(part)(map(_at_home, part))
    if isinstance(part, Step | Check | Refused | Answered | Http):
        return replace(part, **{each.name: _at_home(getattr(part, each.name)) for each in fields(part)})
    return part


def _drop_backups(worker: Worker, session: Session) -> None:
    """Delete the backups of a session: they outlive their tables, and cost."""
    for reply in session.replies.values():
        details = reply.get("BackupDetails") if isinstance(reply, dict) else None
        if isinstance(details, dict) and session.died is None:
            call = Call("DeleteBackup", {"BackupArn": details.get("BackupArn")})
            cast(Transport, session.sender).send(call, timeout=worker.timeout)


def _answered(worker: Worker, check: Check, session: Session) -> CheckResult | None:
    rule = ledger()[check.rule]
    step, then = check.when, check.then
    answer, reply = _send(worker, session, step)
    if _not_there(reply):
        return _result(check, "unknown", "the target was not there")
    if _hindered(worker, check, session):
        return None
    wanted = bound(then, session.names, session.replies, session.started)
    told = _difference(wanted, answer, reply, rule)
    patience = time.monotonic() + _lag(worker, step)
    while told is not None and time.monotonic() < patience:
        time.sleep(LAG_PAUSE)
        answer, reply = _send(worker, session, step)
        if _hindered(worker, check, session):
            return None
        told = _difference(wanted, answer, reply, rule)
    if told is not None and isinstance(then, Http) and then.presumes:
        if isinstance(reply, Refusal) and unsupported(reply):
            return _result(check, "unsupported", told[1])
        if told[0] in ("status", "answer"):
            return _result(check, "unknown", f"it can't be seen: {told[1]}")
    if told is None and check.control is not None:
        before, step, then = reply, check.control, Answered()
        answer, reply = _send(worker, session, step)
        if _hindered(worker, check, session):
            return None
        told = _difference(then, answer, reply, rule)
        if (
            told is not None
            and isinstance(reply, Refusal)
            and isinstance(before, Refusal)
            and reply.code == before.code
        ):
            return _result(check, "unknown", f"its control is refused alike: {told[1]}")
        if told is not None:
            rule = _about_refused(step, reply)
    if told is None:
        return _result(check, "ok")
    divergence = replace(_divergence(check, step, then, reply, *told), rule=rule.name)
    if divergence.severity == "unsupported":
        return _result(check, "unsupported", divergence.summary)
    if unsettled(rule, divergence):
        return _result(check, "unknown", divergence.summary)
    _tell(worker, check, session, divergence)
    return _result(check, "violated", divergence.summary, divergence.fingerprint)


def _lag(worker: Worker, step: Step) -> float:
    """Seconds for which an answer may be from before the writes of this very check: a later one tells."""
    if step.operation == "GetRecords":
        return worker.latitude.stream_lag
    lagging = step.operation in EVENTUAL and not consistent(Call(step.operation, step.body))
    return min(worker.latitude.history, LONGEST_LAG) if lagging else 0.0


def _about_refused(step: Step, reply: Reply) -> Rule:
    """The rule that a wrong answer to the near-by call breaks: what it names, or what is said of the operation."""
    named = recognise(reply, step.operation) if isinstance(reply, Refusal) else None
    return ledger()[main_rule(step.operation)] if named is None or named.open else named


def _send(worker: Worker, session: Session, step: Step, *, setup: bool = False) -> tuple[RawReply | Lost | None, Reply]:
    """One call or HTTP request that the oracle is not asked about; the HTTP answer where there is one."""
    call = Call(step.operation, session.bound(step.body))
    sender = cast(Transport, session.sender)
    answer: RawReply | Lost | None = None
    if step.raw is None:
        reply = sender.send(call, timeout=worker.timeout)
    else:
        answer = sender.send_raw(call, raw=RawRequest.from_json(session.bound(step.raw)), timeout=worker.timeout)
        reply = answer if isinstance(answer, Lost) else parse_reply(answer)
    session.adopt(step, reply, setup=setup)
    if isinstance(reply, Lost) and not reply.why.startswith("garbage"):
        session.died = reply.why
    return answer, reply


def _not_there(reply: Reply) -> bool:
    return isinstance(reply, Lost) and reply.why.split(":", 1)[0] in NEVER_SENT


def _told(reply: Reply) -> str:
    return f"{reply.code}: {reply.message}" if isinstance(reply, Refusal) else str(reply)


def _difference(then: Expected, answer: RawReply | Lost | None, reply: Reply, rule: Rule) -> tuple[str, str] | None:
    """Which part of an answer differs, and how; None when it is one that the rule lets pass."""
    if isinstance(then, Http):
        assert answer is not None, "an HTTP answer is expected of a raw request only"
        return then.difference(answer)
    wrong = then.wrong(_held_back(then, reply))
    if wrong is None or (isinstance(then, Refused) and _accepted(then, reply, rule)):
        return None
    same = isinstance(then, Refused) and isinstance(reply, Refusal) and reply.code == then.code
    return ("message" if same else "answer"), wrong


def _held_back(then: Expected, reply: Reply) -> Reply:
    """The reply with a state that is asked for in place of the one that it leads to."""
    if not isinstance(then, Answered) or not isinstance(reply, Success):
        return reply
    return Success(_earlier(then.body if then.body is not None else _nested(then), reply.body))


def _earlier(wanted: Json, told: Json) -> Json:
    if isinstance(wanted, str) and isinstance(told, str):
        return wanted if (wanted, told) in _ONWARD else told
    if isinstance(wanted, Mapping) and isinstance(told, dict):
        return {name: _earlier(wanted.get(name), member) for name, member in told.items()}
    if isinstance(wanted, list) and isinstance(told, list) and len(wanted) <= len(told):
        return [*(_earlier(a, b) for a, b in zip(wanted, told, strict=False)), *told[len(wanted) :]]
    return told


def _accepted(then: Refused, reply: Reply, rule: Rule) -> bool:
    """Whether a rule allows another refusal than its literal one: further codes, further words."""
    if not isinstance(reply, Refusal) or reply.code not in (then.code, *rule.accept_codes):
        return False
    message = reply.message or ""
    worded = rule.phrase is not None and pattern(rule.phrase).search(message)
    return bool(worded or any(pattern(text).fullmatch(message) for text in rule.accept) or reply.code != then.code)


def _divergence(check: Check, step: Step, then: Expected, reply: Reply, part: str, wrong: str) -> Divergence:
    expected = _reply_of(then)
    refused, succeeded = isinstance(expected, Refusal), isinstance(reply, Success)
    severity = "message" if part == "message" else "shape" if part not in ("answer", "status") else "error"
    if isinstance(then, Http) and part not in ("answer", "status"):
        severity = "shape"
    elif isinstance(reply, Lost):
        severity, _ = unread(reply, refused=refused)
        if isinstance(then, Http) and reply.why.startswith("garbage: not HTTP"):
            severity = "error"  # It answers what is no HTTP without any either.
        if isinstance(then, Http) and reply.why.startswith("garbage: status 2"):
            severity = "accepts" if refused else "data"
    elif isinstance(reply, Refusal) and unsupported(reply):
        severity = "unsupported"
    elif part in ("answer", "status"):
        severity = "error" if refused != succeeded else "accepts" if refused else "refuses"
        if not refused and succeeded:
            severity = graded(then, reply)
    summary = f"{step.operation} ({check.name or check.rule}): {wrong}"
    return Divergence(
        step.operation,
        check.rule,
        severity,
        f"literal:{part}",
        summary,
        expected,
        reply,
        tuple(_alternatives(then, ledger()[check.rule])),
        symbolic=True,
    )


def graded(then: Expected, reply: Reply) -> str:
    """How bad a success body is that is not the literal one: as the oracle would say of the same place."""
    if not isinstance(then, Answered) or not isinstance(reply, Success):
        return "data"
    found = (severity_of(d) if d.path[:1] in _OF_ITEMS else plane_severity(d) for d in then.differences(reply.body))
    return min(found, key=SEVERITIES.index, default="shape")


_OF_ITEMS = (
    (), ("Item",), ("Items",), ("Attributes",), ("Count",), ("ScannedCount",), ("LastEvaluatedKey",), ("Responses",),
    ("UnprocessedItems",), ("UnprocessedKeys",), ("NextToken",), ("ConsumedCapacity",), ("ItemCollectionMetrics",),
)  # fmt: skip
"""Members of the answers of the data plane."""


def _alternatives(then: Expected, rule: Rule) -> Iterator[Mapping[str, Any]]:
    """What a script takes for right: the literal, and the other refusals that its rule lets pass."""
    yield then.to_json()
    if isinstance(then, Refused):
        if rule.phrase is not None:
            yield {"refusal": {"code": then.code, "message_pattern": pattern(rule.phrase).pattern}}
        for text in rule.accept:
            yield {"refusal": {"code": then.code, "message_pattern": rf"\A{pattern(text).pattern}\Z"}}
        for code in rule.accept_codes:
            yield {"refusal": {"code": code}}


def _reply_of(then: Expected) -> Reply:
    """A literal as a reply, as far as it is one."""
    if isinstance(then, Refused):
        phrase = f"… {then.phrase} …" if then.phrase else None
        return Refusal(then.code, phrase if then.message is None else then.message, 400, dict(then.fields))
    if isinstance(then, Http):
        return Refusal(f"HTTP {then.status}", then.body, then.status) if then.status >= 300 else Success(None)
    return Success(_nested(then) if then.body is None else then.body)


def _nested(then: Answered) -> Json:
    """The members that an answer must have, where they must be."""
    body: Json = dict(then.has or {})
    for step in reversed(re.findall(r"[^.\[\]]+", then.at)):
        body = [body] if step.isdigit() else {step: body}
    return body


def _tell(worker: Worker, check: Check, session: Session, divergence: Divergence) -> None:
    """Write the finding of a request below the SDK; there is nothing to reduce."""
    if divergence.fingerprint not in worker.seen:
        ops = tuple(judged.op for judged in session.ops)
        program = Program(check.capability, check.tables, (*check.given, check.when))
        worker.report(Reduction(program, divergence, ops, dict(session.names), replays=1), program, 1)
    worker.seen[divergence.fingerprint] = worker.seen.get(divergence.fingerprint, 0) + 1


def chosen(checks: tuple[Check, ...], rules: list[str], capabilities: list[str]) -> Iterator[Check]:
    """The checks of the named rules and capabilities; of all where none is named, but for the article's.

    What the article claims is checked by rules that have checks of their own: it is an extra that one asks for.
    """
    for check in checks:
        if (not rules or check.rule in rules) and (
            check.capability in capabilities if capabilities else not check.claim
        ):
            yield check
