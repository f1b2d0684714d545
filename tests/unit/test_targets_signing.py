from __future__ import annotations

import datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from conformance.targets.signing import Credentials, amz_date, authorization

MOMENT = datetime.datetime(2026, 10, 1, 12, 30, 45, tzinfo=datetime.UTC)
DATE = "20261001T123045Z"

CASES = {
    "plain": ("POST", "/", [("X-Amz-Target", "DynamoDB_20120810.GetItem")], b'{"TableName":"t"}', None),
    "empty body": ("POST", "/", [("X-Amz-Target", "DynamoDB_20120810.ListTables")], b"", None),
    "token": ("POST", "/", [("X-Amz-Target", "DynamoDB_20120810.Scan")], b"{}", "a session token"),
    "spaces": ("POST", "/", [("X-Amz-Target", "  DynamoDB_20120810.Scan   x ")], b"{}", None),
    "path": ("POST", "/a b/../c%20d", [], b"{}", None),
    "query": ("GET", "/?b=2&a=1&a=0&c", [], b"", None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_signature_is_botocores(case, monkeypatch):
    method, target, extra, payload, token = case
    headers = [("Host", "127.0.0.1:8000"), ("Content-Type", "application/x-amz-json-1.0"), *extra]
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: MOMENT.replace(tzinfo=None))
    request = AWSRequest(method, f"http://127.0.0.1:8000{target}", headers=dict(headers), data=payload)
    botocore.auth.SigV4Auth(BotoCredentials("AK", "secret", token), "dynamodb", "eu-west-1").add_auth(request)
    assert request.headers["X-Amz-Date"] == DATE

    ours = [*headers, ("X-Amz-Date", DATE)]
    if token:
        ours.append(("X-Amz-Security-Token", token))
    value = authorization(
        Credentials("AK", "secret", token),
        region="eu-west-1",
        service="dynamodb",
        date=DATE,
        method=method,
        target=target,
        headers=ours,
        payload=payload,
    )
    assert value == request.headers["Authorization"]


def test_amz_date():
    assert amz_date(MOMENT.timestamp() + 0.9) == DATE


def test_repr_hides_the_secret():
    assert "tiger" not in repr(Credentials("AKIAEXAMPLE", "tiger", "tiger"))
