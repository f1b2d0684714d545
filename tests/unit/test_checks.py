"""Every rule has a directed check, the reference answers each as its evidence says, and a broken rule is noticed."""

from __future__ import annotations

import base64
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

import reference.service
from conformance.checks import all_checks
from conformance.checks.base import Check, Http, Refused, bound
from conformance.checks.transfer import BUCKET, OBJECTS
from conformance.program import Step
from conformance.symbols import bind
from conformance.targets.raw import RawReply, RawRequest
from conformance.targets.signing import FAKE
from conformance.targets.transport import HttpTransport
from reference.account import Account, Delays
from reference.api import Call, Json, Lost, Refusal, Reply, Success
from reference.capacity.meter import serve_with
from reference.clock import ManualClock
from reference.dax import Dax
from reference.rules import Checks, Surface, Violation, ledger
from reference.server import ThreadedServer
from reference.service import Service
from reference.tables.limits import Limits
from reference.transfer.buckets import buckets

T = TypeVar("T")

CHECKS = all_checks()
PLAIN = [check for check in CHECKS if not check.below_the_sdk]
"""Checks that can be run without HTTP."""
RAW = [check for check in CHECKS if check.below_the_sdk]
LONG = 3600.0
"""Seconds that a table takes to change where a check needs to see it changing."""
NOW = 1_790_000_000.0

UNCHECKED: dict[str, str] = {
    "wire.internal-error": "nothing that a client sends makes the service fail",
    "items.collection-too-large": "an item collection of 10 GB is out of reach",
    "throttling.split": "it takes minutes of a thousand writes a second (tests/properties/test_throttling.py)",
    "scaling.out": "it takes minutes of load (tests/unit/test_scaling.py)",
    "throttling.doubling": "it takes minutes of thousands of writes a second (tests/properties/test_throttling.py)",
    "global-tables.replica-being-made": "it takes calls to another region (tests/unit/test_replicas_going.py)",
    "global-tables.replica-protected": "it takes calls to another region (tests/unit/test_replicas_going.py)",
    "global-tables.version-elsewhere": "it takes calls to another region (tests/unit/test_global_tables.py)",
    "global-tables.write-conflict": "it takes calls to another region (tests/unit/test_replicas.py)",
    "transactions.ongoing": "it takes requests that overlap (tests/unit/test_overlaps.py)",
}
"""Observable rules without a check, and why."""


def ids(checks: list[Check]) -> list[str]:
    return [check.id for check in checks]


class Names(dict[str, str]):
    """Table symbols to names, made when first asked for."""

    def __missing__(self, symbol: str) -> str:
        self[symbol] = f"dynoracle-check-{symbol.partition(':')[2]}"
        return self[symbol]

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, str) and symbol.startswith(("table:", "token:"))


Send = Callable[[Call, RawRequest | None], Reply | RawReply]


class Runner:
    """Sends the steps of a check and keeps what symbols need."""

    def __init__(self, send: Send, service: Service) -> None:
        self.send = send
        self.clock = service.account.clock
        assert isinstance(self.clock, ManualClock)
        self.names = Names()
        self.replies: dict[int, object] = {}

    def call(self, step: Step) -> Reply | RawReply:
        raw = None if step.raw is None else RawRequest.from_json(bind(step.raw, self.names, self.replies, NOW))
        reply = self.send(Call(step.operation, bind(step.body, self.names, self.replies, NOW)), raw)
        self.replies[len(self.replies)] = reply.body if isinstance(reply, Success) else None
        return reply

    def must(self, step: Step) -> None:
        reply = self.call(step)
        assert isinstance(reply, Success), f"{step.operation}: {reply}"


_DELAYS = {
    "create": "create_table",
    "update": "update_table",
    "delete": "delete_table",
    "backfill": "backfill",
    "restore": "restore_table",
    "enabling": "enable_backups",
    "transfer": "transfer",
    "replica": "create_replica",
}
_LIMITS = {
    "": Limits(),
    "bucket": Limits(),
    "signatures": Limits(),
    "expensive": Limits(),
    "cooldowns": Limits(protection_cooldown=15.0, policy_cooldown=15.0, tag_cooldown=1.7),
    "quotas": Limits(tables=2, changing_tables=1),
    "table quota": Limits(table_units=5),
}


def service_for(check: Check) -> Any:
    """A service of the kind that a check needs."""
    wanted, _, slow = check.needs.partition("slow")
    delays = Delays(**{_DELAYS[change]: LONG for change in slow.split()})
    account = Account(ManualClock(NOW), delays=delays, limits=_LIMITS[wanted.strip()])
    serve_with(account, throttling="throttling" in check.settings, metrics="metrics" in check.settings)
    if wanted.strip() == "bucket":
        held = buckets(account.rooms)
        held.make(BUCKET)
        for key, text in OBJECTS.items():
            held.put(BUCKET, key, text.encode())
    service = Service(account)
    return Dax(service, service) if "dax" in check.settings else service


def run(check: Check, service: Service, send: Send, see: Send | None = None) -> str | None:
    """What is wrong with the answer to ``when``, which ``see`` sends; steps that must succeed are asserted."""
    runner = Runner(send, service)
    for body in check.tables.values():
        runner.must(Step("CreateTable", body))
    for step in check.given:
        runner.must(step)
    runner.clock.advance(check.pause)
    runner.send = see or send
    answer = runner.call(check.when)
    runner.send = send
    wrong = bound(check.then, runner.names, runner.replies, NOW).wrong(answer)
    if wrong is None and check.control is not None:
        runner.must(check.control)
    return wrong


def in_process(check: Check) -> str | None:
    service = service_for(check)
    return run(check, service, lambda call, raw: service.execute(call))


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(check.id for check in CHECKS).items() if count > 1] == []


def test_every_checked_rule_exists() -> None:
    assert {check.rule for check in CHECKS} <= ledger().keys()


def test_every_observable_rule_is_checked() -> None:
    observable = {name for name, rule in ledger().items() if rule.observable}
    assert sorted(observable - {check.rule for check in CHECKS} - UNCHECKED.keys()) == []


def test_no_exception_is_stale() -> None:
    assert sorted(UNCHECKED.keys() & {check.rule for check in CHECKS}) == []
    assert sorted(UNCHECKED.keys() - ledger().keys()) == []


def test_every_refusal_rule_is_shown_to_refuse_and_to_let_pass() -> None:
    controlled = {check.rule for check in CHECKS if isinstance(check.then, Refused | Http) and check.control}
    refusing = {check.rule for check in CHECKS if ledger()[check.rule].error}
    assert sorted(refusing - controlled - UNCONTROLLED.keys()) == []


UNCONTROLLED: dict[str, str] = {
    "partiql.batch-select-key": "its refusal is a member of a batch's answer",
}
"""Refusal rules whose checks have no call that passes, and why."""


@pytest.mark.parametrize("check", PLAIN, ids=ids(PLAIN))
def test_the_reference_answers_as_the_evidence_says(check: Check) -> None:
    assert in_process(check) is None


class Served:
    """A service behind HTTP that is emptied between checks."""

    def __init__(self, **options: dict[str, str]) -> None:
        self.service = Service()
        self.server = ThreadedServer(self, **options)

    def operations(self) -> frozenset[str]:
        return frozenset(self.service.operations())

    def execute(self, call: Call) -> Reply:
        return self.service.execute(call)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    with served.server:
        yield served


@pytest.fixture(scope="module")
def verifying() -> Iterator[Served]:
    served = Served(credentials={FAKE.access_key: FAKE.secret_key})
    with served.server:
        yield served


def over_http(check: Check, served: Served) -> str | None:
    served.service = service_for(check)
    transport = HttpTransport(served.server.url)
    try:

        def send(call: Call, raw: RawRequest | None) -> Reply:
            return transport.send(call, raw=raw)

        def see(call: Call, raw: RawRequest | None) -> RawReply | Lost:
            return transport.send_raw(call, raw=raw)

        return run(check, served.service, send, see if isinstance(check.then, Http) else None)
    finally:
        transport.close()


@pytest.mark.parametrize("check", RAW, ids=ids(RAW))
def test_the_server_answers_as_the_evidence_says(check: Check, served: Served, verifying: Served) -> None:
    assert over_http(check, verifying if check.needs == "signatures" else served) is None


SAMPLE = PLAIN[::12]


@pytest.mark.parametrize("check", SAMPLE, ids=ids(SAMPLE))
def test_calls_get_the_same_answers_over_http(check: Check, served: Served) -> None:
    assert over_http(check, served) is None


def spoken(body: Json) -> Json:
    """A body as boto3 takes it: binary values as bytes."""
    if isinstance(body, dict):
        if set(body) == {"B"}:
            return {"B": base64.b64decode(body["B"])}
        if set(body) == {"BS"}:
            return {"BS": [base64.b64decode(member) for member in body["BS"]]}
        return {name: spoken(member) for name, member in body.items()}
    return [spoken(member) for member in body] if isinstance(body, list) else body


def written(body: Json) -> Json:
    """A body as the wire has it, from what boto3 gives."""
    if isinstance(body, dict):
        return {name: written(member) for name, member in body.items() if name != "ResponseMetadata"}
    if isinstance(body, list):
        return [written(member) for member in body]
    return base64.b64encode(body).decode() if isinstance(body, bytes) else body


@functools.cache
def by_boto3(url: str) -> Send:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=FAKE.access_key,
        aws_secret_access_key=FAKE.secret_key,
        config=config,
    )

    def send(call: Call, raw: RawRequest | None) -> Reply:
        try:
            return Success(written(getattr(client, xform_name(call.operation))(**spoken(call.body))))
        except ClientError as error:
            told = dict(error.response)
            code, message = told["Error"]["Code"], told["Error"].get("Message")
            fields = {name: written(told[name]) for name in ("Item", "CancellationReasons") if name in told}
            return Refusal(code, message, told["ResponseMetadata"]["HTTPStatusCode"], fields)

    return send


ORDINARY = ("batches", "capacity", "expressions", "indexes", "items", "keys", "partiql", "queries", "scans", "tables",
            "transactions", "values")  # fmt: skip
UNSPOKEN = ("tables.throughput-mode",)
"""Rules about members that the SDK does not know."""
SPOKEN = [check for check in PLAIN if check.capability in ORDINARY and check.rule not in UNSPOKEN]
BOTO3 = [check for check in SPOKEN if not check.needs][::25]


@pytest.mark.parametrize("check", BOTO3, ids=ids(BOTO3))
def test_boto3_gets_the_same_answers(check: Check, served: Served) -> None:
    served.service = service_for(check)
    assert run(check, served.service, by_boto3(served.server.url)) is None


REFUSALS = [check for check in PLAIN if isinstance(check.then, Refused) and ledger()[check.rule].error]


def noticed(check: Check) -> bool:
    """Whether the check fails; a service that can't even answer is noticed as well."""
    try:
        return in_process(check) is not None
    except AssertionError:
        return True


@pytest.mark.parametrize("check", REFUSALS, ids=ids(REFUSALS))
def test_a_rule_with_another_code_or_other_words_is_noticed(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    message, refusal = Violation.message, Violation.refusal
    assert isinstance(check.then, Refused)
    worded = bool(check.then.message or check.then.phrase)

    def reworded(self: Violation, speak: Surface) -> str | None:
        return "Reworded" if self.rule.name == check.rule else message(self, speak)

    def recoded(self: Violation, speak: Surface) -> Refusal:
        told = refusal(self, speak)
        return replace(told, code="OtherException") if check.rule in self.names else told

    monkeypatch.setattr(Violation, "message" if worded else "refusal", reworded if worded else recoded)
    assert noticed(check)


@pytest.mark.parametrize("check", REFUSALS, ids=ids(REFUSALS))
def test_a_rule_that_is_not_enforced_is_noticed(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def overlooking(checks: Checks[T]) -> tuple[Violation | None, T | None]:
        try:
            while check.rule in (found := next(checks)).names:
                pass
        except StopIteration as stop:
            return None, stop.value
        return found, None

    monkeypatch.setattr(reference.service, "first", overlooking)
    assert noticed(check) or check.id in INSIDE


INSIDE: dict[str, str] = {
    "transactions.update-index-key-too-long": "it stands among the reasons of a cancelled transaction",
}
"""Checks of rules that are not the refusal themselves, and what they are."""
