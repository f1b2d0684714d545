"""How tables are encrypted: what may be asked for, which key that names, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from reference.tables.limits import Limits
from tests.unit.update_bench import IPV, USED, Bench

KEY = "arn:aws:kms:us-east-1:400000000004:key/"


def own(name: str, **more: Any) -> dict[str, Any]:
    """A SSESpecification with that key."""
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": name, **more}


def shown(key: str, status: str = "ENABLED") -> dict[str, Any]:
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key}


def test_a_key_shows_when_it_has_come() -> None:
    bench = Bench()
    told = bench.update(SSESpecification=own(KEY + "a"))
    assert (told["TableStatus"], told["SSEDescription"]) == ("ACTIVE", {"Status": "UPDATING"})
    assert bench.described()["SSEDescription"] == shown(KEY + "a")
    assert bench.message(SSESpecification=own(KEY + "a")) == (
        IPV + "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to "
        "change Master Key"
    )
    told = bench.update(SSESpecification=own(KEY + "b"))
    assert told["SSEDescription"] == shown(KEY + "a", "UPDATING")
    assert bench.described()["SSEDescription"] == shown(KEY + "b")
    told = bench.update(SSESpecification={"Enabled": False})
    assert told["SSEDescription"] == shown(KEY + "b", "UPDATING")
    assert "SSEDescription" not in bench.described()


@pytest.mark.parametrize("same", [own("a"), own("key/a")])
def test_the_key_there_is_by_another_name_is_a_change(same: dict[str, Any]) -> None:
    bench = Bench()
    bench.update(SSESpecification=own(KEY + "a"))
    assert bench.update(SSESpecification=same)["SSEDescription"] == shown(KEY + "a", "UPDATING")
    assert bench.described()["SSEDescription"] == shown(KEY + "a")


def test_the_key_that_aws_manages_by_all_its_names() -> None:
    bench = Bench(limits=Limits(sse_changes=9))
    bench.update(SSESpecification={"Enabled": True})
    key = bench.described()["SSEDescription"]["KMSMasterKeyArn"]
    for same in ({"Enabled": True}, {"SSEType": "KMS"}, own("alias/aws/dynamodb")):
        assert bench.update(SSESpecification=same)["SSEDescription"] == shown(key, "UPDATING")
        assert bench.described()["SSEDescription"] == shown(key)
    assert "already encrypted" in (bench.message(SSESpecification=own(key)) or "")


@pytest.mark.parametrize(
    ("specification", "text"),
    [
        ({"Enabled": False, "SSEType": "KMS"}, "SSEType can not be specified if Enabled is false"),
        ({"Enabled": False, "SSEType": "AES256"}, "SSEType can not be specified if Enabled is false"),
        (own("a", Enabled=False), "SSEType can not be specified if Enabled is false"),
        ({"Enabled": False, "KMSMasterKeyId": "a"}, "KMSMasterKeyId can not be specified if Enabled is false"),
        ({"Enabled": True, "KMSMasterKeyId": "a"}, "SSEType KMS is required if KMSMasterKeyId is specified"),
        ({"Enabled": True, "SSEType": "AES256"}, "SSEType AES256 is not supported"),
        ({}, "Table is already encrypted by default"),
    ],
)
def test_what_an_encryption_can_not_be(specification: dict[str, Any], text: str) -> None:
    assert Bench().message(SSESpecification=specification) == IPV + text


def test_the_key_is_of_the_tables_region() -> None:
    message = Bench().message(SSESpecification=own("arn:aws:kms:eu-west-1:000000000000:key/mrk-1"))
    assert "com.amazonaws.services.kms.model.NotFoundException: Invalid arn eu-west-1 (Service: AWSKMS;" in message
    assert Bench().refused(SSESpecification=own("alias/aws/s3"))[0] == "AccessDeniedException"


def test_keys_change_four_times_a_day() -> None:
    bench = Bench(delays=Delays(update_table=1))
    bench.update(SSESpecification={"Enabled": True})
    assert bench.refused(SSESpecification={"Enabled": False}) == (
        "ResourceInUseException",
        USED + "Server-Side Encryption is still being updated",
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Table: tab is in the process of being updated.",
    )
    for enabled in (False, True, False):
        bench.clock.advance(1)
        bench.update(SSESpecification={"Enabled": enabled})
    bench.clock.advance(1)
    assert bench.message(SSESpecification={"Enabled": False}) == IPV + "Table is already encrypted by default"
    assert bench.refused(SSESpecification=own("alias/aws/s3")) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at "
        "2027-01-16T08:00:00.000Z. After the first 4 change, each subsequent change in the same window can be "
        "performed at most once every 21600 seconds. Number of updates today: 4. Last change at "
        "2027-01-15T08:00:03.000Z. Next changes can be made at 2027-01-15T14:00:03.000Z.",
    )
    bench.clock.advance(21_600)
    bench.update(SSESpecification={"Enabled": True})
    bench.clock.advance(86_400)
    for enabled in (False, True, False, True):
        bench.update(SSESpecification={"Enabled": enabled})
        bench.clock.advance(1)


def test_the_same_key_may_be_asked_for_again_while_it_comes() -> None:
    bench = Bench(delays=Delays(update_table=1))
    bench.update(SSESpecification={"Enabled": True, "SSEType": "KMS"})
    bench.update(SSESpecification={"Enabled": True, "SSEType": "KMS"})
    bench.update(DeletionProtectionEnabled=True)
    bench.clock.advance(1)
    assert bench.described()["SSEDescription"]["Status"] == "ENABLED"
