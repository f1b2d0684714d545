"""What holds of every backup, restore, export and import: the state at a moment comes back as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.lifecycle import settle
from reference.service import Service
from reference.tables import describe
from tests.properties import shaped

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
QUICK = settings(deadline=None, derandomize=True, max_examples=60)
State = dict[tuple[str, str], dict[str, Any]]

writes = st.tuples(
    st.sampled_from("pqr"),
    st.sampled_from("12"),
    st.one_of(st.none(), st.integers(0, 5)),
    st.integers(0, 400),
)
"""A key, what is written under it (None: delete), and the seconds that pass before."""


def table() -> Service:
    """A service with a table with an index, and point-in-time recovery on."""
    service = Service(Account(ManualClock(START)))
    names = ("pk", "sk", "n")
    reply(
        service,
        "CreateTable",
        TableName="tab",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in zip(names, "SSN", strict=True)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi",
                "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    on = {"PointInTimeRecoveryEnabled": True}
    reply(service, "UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=on)
    return service


def reply(service: Service, operation: str, **body: Any) -> Any:
    answer = service.execute(Call(operation, body))
    assert isinstance(answer, Success), answer
    return answer.body


def write(service: Service, pk: str, sk: str, value: int | None) -> None:
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    if value is None:
        reply(service, "DeleteItem", TableName="tab", Key=key)
    else:
        reply(service, "PutItem", TableName="tab", Item={**key, "n": {"N": str(value)}})


def contents(service: Service, name: str) -> tuple[State, list[tuple[str, str]]]:
    """The items of a table by key, and the keys in its index."""
    items = reply(service, "Scan", TableName=name)["Items"]
    indexed = reply(service, "Scan", TableName=name, IndexName="gsi")["Items"]
    return (
        {(item["pk"]["S"], item["sk"]["S"]): item for item in items},
        sorted((item["pk"]["S"], item["sk"]["S"]) for item in indexed),
    )


@QUICK
@given(st.lists(writes, max_size=12), st.data())
def test_a_table_restored_to_a_moment_is_what_it_was_then(drawn: list[Any], data: st.DataObject) -> None:
    service = table()
    states = [(START, contents(service, "tab"))]
    for pk, sk, value, wait in drawn:
        service.account.clock.advance(wait)  # type: ignore[attr-defined]
        write(service, pk, sk, value)
        states.append((service.account.now(), contents(service, "tab")))
    service.account.clock.advance(300)  # type: ignore[attr-defined]
    moment = data.draw(st.integers(0, int(states[-1][0] - START)).map(lambda n: START + n))
    expected = next(state for at, state in reversed(states) if at <= moment)
    body = {"SourceTableName": "tab", "TargetTableName": "then", "RestoreDateTime": moment}
    reply(service, "RestoreTableToPointInTime", **body)
    assert contents(service, "then") == expected
    assert contents(service, "tab") == states[-1][1]


@QUICK
@given(st.lists(writes, max_size=8), st.lists(writes, max_size=8))
def test_a_table_restored_from_a_backup_is_what_it_was_when_backed_up(before: list[Any], after: list[Any]) -> None:
    service = table()
    for pk, sk, value, _ in before:
        write(service, pk, sk, value)
    expected = contents(service, "tab")
    arn = reply(service, "CreateBackup", TableName="tab", BackupName="then")["BackupDetails"]["BackupArn"]
    for pk, sk, value, _ in after:
        write(service, pk, sk, value)
    reply(service, "DeleteTable", TableName="tab")
    kept = reply(service, "ListBackups", BackupType="SYSTEM")["BackupSummaries"][0]["BackupArn"]
    last = service.fork()
    reply(service, "RestoreTableFromBackup", TargetTableName="tab", BackupArn=arn)
    assert contents(service, "tab") == expected
    reply(last, "RestoreTableFromBackup", TargetTableName="tab", BackupArn=kept)
    for pk, sk, value, _ in [*before, *after]:
        write(service, pk, sk, value)
    assert contents(last, "tab") == contents(service, "tab")


BACKUPS = (f"{ARN}/backup/01800000000000-00000000", ARN.replace("us", "eu") + "/backup/1-2", "arn:aws:x")
INDEX = {
    "IndexName": "gsi",
    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
WORDS: shaped.Words = {
    "TableName": ("tab", "off", ARN),
    "SourceTableName": ("tab", "off"),
    "SourceTableArn": (ARN,),
    "TableArn": (ARN, ARN + "/index/gsi"),
    "TargetTableName": ("new", "tab"),
    "BackupName": ("nightly",),
    "BackupArn": BACKUPS,
    "ExclusiveStartBackupArn": BACKUPS,
    "RestoreDateTime": (START, START + 1),
    "GlobalSecondaryIndexOverride": ([], [INDEX]),
    "BillingModeOverride": ("PAY_PER_REQUEST",),
}
OPERATIONS = (
    "CreateBackup", "DescribeBackup", "ListBackups", "DeleteBackup", "RestoreTableFromBackup",
    "RestoreTableToPointInTime", "UpdateContinuousBackups", "DescribeContinuousBackups",
)  # fmt: skip


def state(service: Service) -> Any:
    """All that anybody could see of an account; due states have been settled."""
    settle(service.account)
    now = service.account.now()
    tables = [(describe.table(each, now), list(each.items())) for each in service.account.tables.values()]
    rooms = {name: reply(service, "ListBackups", BackupType="ALL") for name in ("backups",)}
    return tables, rooms


def requests(operations: tuple[str, ...]) -> st.SearchStrategy[Call]:
    return st.sampled_from(operations).flatmap(lambda name: shaped.body(name, WORDS).map(lambda body: Call(name, body)))


@settings(QUICK, max_examples=150)
@given(st.lists(requests(OPERATIONS), min_size=1, max_size=6), st.sampled_from([0.0, 5.0]))
def test_draining_any_request_changes_nothing_and_agrees_with_execution(drawn: list[Call], delay: float) -> None:
    service = table()
    service.account.delays = Delays(restore_table=delay, enable_backups=0)
    reply(service, "CreateTable", **{
        "TableName": "off",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    })  # fmt: skip
    for call in drawn:
        service.account.clock.advance(1)  # type: ignore[attr-defined]
        before = state(service)
        outcomes = service.outcomes(call)
        assert state(service) == before
        answer = service.execute(call)
        if outcomes.violations:
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.rules[:1]) == (
                outcomes.violations[0].rule.error,
                service.refusal(call, outcomes.violations[0]).rules[:1],
            )
        else:
            assert outcomes.outcome is not None
            assert answer == Success(outcomes.outcome.body)
