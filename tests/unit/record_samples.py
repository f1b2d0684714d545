"""Hand-made findings and runs for the tests of the record and of the reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.record.finding import Finding
from conformance.record.run import CapabilityResult, CheckResult, Run

CREATE = {
    "index": 0,
    "operation": "CreateTable",
    "body": {
        "TableName": "${table:t0}",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
    "fate": "ok",
    "called": 0.0,
    "returned": 0.01,
    "reply": {"success": {"TableDescription": {"TableName": "${table:t0}", "TableStatus": "CREATING"}}},
}
PUT = {
    "index": 1,
    "operation": "PutItem",
    "body": {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "n": {"N": "1"}}},
    "fate": "ok",
    "called": 0.02,
    "reply": {"success": {}},
}
UPDATE = {
    "index": 2,
    "operation": "UpdateItem",
    "body": {
        "TableName": "${table:t0}",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET #n = #n + :one",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    },
    "fate": "ok",
    "called": 0.03,
    "reply": {"success": {"Attributes": {"pk": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "n": {"N": "1"}}}},
}
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string "
    "value. Key: pk"
)

DATA = Finding(
    fingerprint="0a1b2c3d4e5f",
    capability="expressions",
    operation="UpdateItem",
    rule="expressions.addition",
    severity="data",
    path="Attributes.*.N:value",
    summary="UpdateItem: Attributes.*.N differs",
    says="SET a = a + :v stores the exact sum.",
    strength="recorded",
    evidence=(
        {
            "kind": "recorded",
            "source": "scylladb test/alternator test_number.py::test_update_expression",
            "on": "2026-08",
        },
        {"kind": "documented", "source": "AWS Developer Guide: Expressions.UpdateExpressions", "on": ""},
    ),
    spec=("dataplane:UPD-4", "conflicts:35"),
    expected={"success": {"Attributes": {"pk": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "n": {"N": "2"}}}},
    observed={"success": {"Attributes": {"pk": {"S": "a"}, "tags": {"SS": ["y", "x"]}, "n": {"N": "1"}}}},
    program=(CREATE, PUT, UPDATE),
    calls=2,
    accepted=({"success": {"Attributes": {"pk": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "n": {"N": "2"}}}},),
    replayed=5,
    replays=5,
    seen=17,
    minimise_requests=23,
    first_seen="2026-11-22T09:58:03Z",
    chunk=4,
    notes={"endpoint": "http://127.0.0.1:8000", "compare": ["Attributes"]},
)

ACCEPTS = replace(
    DATA,
    fingerprint="1111aaaa2222",
    capability="keys",
    operation="PutItem",
    rule="keys.empty-string",
    severity="accepts",
    path="",
    summary="PutItem is accepted; it must be refused with ValidationException",
    says="A key attribute can't hold an empty string.",
    evidence=({"kind": "recorded", "source": "https://example.org/capture?a=1&b=2", "on": "2026-10"},),
    spec=("dataplane:KEY-3",),
    expected={"refusal": {"code": "ValidationException", "message": EMPTY_KEY, "status": 400}},
    observed={"success": {}},
    program=(CREATE, {**PUT, "body": {"TableName": "${table:t0}", "Item": {"pk": {"S": ""}}}}),
    calls=1,
    accepted=(
        {"refusal": {"code": "ValidationException", "status": 400, "message": EMPTY_KEY}},
        {"refusal": {"code": "ValidationException", "status": 400, "message_pattern": "(?is).*empty string"}},
    ),
    seen=2,
    notes={"endpoint": "http://127.0.0.1:8000"},
)

MESSAGE = replace(
    ACCEPTS,
    fingerprint="3333bbbb4444",
    severity="message",
    path="message",
    summary="PutItem is refused with other words",
    observed={
        "refusal": {"code": "ValidationException", "message": EMPTY_KEY.replace("Key: pk", "Key: ''"), "status": 400}
    },
)

UNSETTLED = replace(
    MESSAGE,
    fingerprint="5555cccc6666",
    capability="tables",
    operation="CreateTable",
    rule="tables.short-name",
    says="A table's name has at least three characters.",
    strength="inferred",
    evidence=({"kind": "inferred", "source": "dynalite", "on": ""},),
    unsettled=True,
    program=({**CREATE, "body": {**CREATE["body"], "TableName": "ab"}},),
    calls=1,
)

CRASH = replace(
    DATA,
    fingerprint="7777dddd8888",
    capability="wire",
    operation="PutItem",
    rule="wire.deep-json",
    severity="crash",
    path="",
    summary="PutItem: the endpoint closed the connection and has ended",
    says="A request nested too deep is refused; the service goes on.",
    expected={"refusal": {"code": "SerializationException", "message": None, "status": 400}},
    observed={"lost": "closed"},
    program=({"index": 0, "operation": "PutItem", "body": {}, "fate": "info", "called": 0.0,
              "raw": {"headers": [["Content-Type", None]], "body": "[[[[[["}},),
    calls=1,
    accepted=(),
    notes={},
)  # fmt: skip

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe\u2066\x00\x1b[31m'\"`|{{7*7}}]]>"


def hostile(value: Any) -> Any:
    """The value with a hostile text at the end of every string."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, dict):
        return {f"{name}{HOSTILE}": hostile(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(hostile(member) for member in value)
    return value


RUN = Run(
    target={"name": "moto", "version": "5.2.5", "endpoint": "http://127.0.0.1:8000"},
    command="dynoracle run moto --seconds 60 --seed 7",
    version="0.1.0",
    ledger="9c2e51ab (1432 rules)",
    seed=7,
    budget=60.0,
    started="2026-11-22T09:58:00Z",
    seconds=61.25,
    programs=412,
    calls=6180,
    stopped="budget",
    capabilities=(
        CapabilityResult("expressions", "violated", 120, 2000, {"data": 1}),
        CapabilityResult("items", "ok", 200, 3000, {}),
        CapabilityResult("keys", "violated", 80, 1000, {"accepts": 1, "message": 1}),
        CapabilityResult("partiql", "unknown", 3, 20, {}),
        CapabilityResult("streams", "not-reached", 0, 0, {}),
        CapabilityResult("vectors", "unsupported", 9, 12, {"unsupported": 1}),
        CapabilityResult("wire", "violated", 0, 148, {"crash": 1}),
    ),
    findings=(MESSAGE, DATA, UNSETTLED, CRASH, ACCEPTS),
    checks=(
        CheckResult("keys.empty-string#put", "keys.empty-string", "keys", "violated", "1111aaaa2222", "accepted"),
        CheckResult("items.put#plain", "items.put", "items", "ok"),
        CheckResult("partiql.select#one", "partiql.select", "partiql", "unknown", None, "no answer in 10 s"),
        CheckResult("streams.shards#one", "streams.shards", "streams", "not-reached"),
        CheckResult("vectors.search#one", "vectors.search", "vectors", "unsupported"),
    ),
    profile={
        "latitude": {"partial_batches": True},
        "cohorts": {"PutItem": "current", "Scan": "older"},
        "profile": {"durability": "none", "clock": "wall"},
    },
    coverage={
        "rules": {"reached": 512, "known": 1432},
        "operations": {"PutItem": 2000, "UpdateItem": 1500, "GetItem": 2680},
        "errors": {"ValidationException": 900, "ResourceNotFoundException": 12},
        "unreached": {"operations": ["DeleteItem"], "errors": ["BackupNotFoundException"]},
    },
    suspects=({"rule": "capacity.scan-of-one", "says": "A Scan over one tiny item costs 2 units.", "peers": "5 of 5"},),
    timing={"draw": 6.1, "send": 40.2, "judge": 11.8, "journal": 0.4},
    errors=("worker 2 ended: the target did not start in 30 s",),
)


def hostile_run(text: str) -> Run:
    """``RUN`` with a text added to every string that a target, or a file that was tampered with, could have written."""

    def spoilt(value: Any) -> Any:
        if isinstance(value, str):
            return value + text
        if isinstance(value, dict):
            return {name + text if name != "index" else name: spoilt(member) for name, member in value.items()}
        return type(value)(map(spoilt, value)) if isinstance(value, list | tuple) else value

    def answered(reply: Any) -> Any:
        return {kind: {n: spoilt(v) for n, v in body.items()} if kind == "refusal" else spoilt(body)
                for kind, body in reply.items()}  # fmt: skip

    def op(row: Any) -> Any:
        return {
            **row, "operation": row["operation"] + text, "body": {n: spoilt(v) for n, v in row["body"].items()},
            "reply": answered(row.get("reply", {})),
        }  # fmt: skip

    findings = tuple(
        replace(
            f, fingerprint=f.fingerprint + text, capability=f.capability + text, operation=f.operation + text,
            rule=f.rule + text, summary=f.summary + text, says=f.says + text, first_seen=f.first_seen + text,
            strength=f.strength + text, path=f.path + text, spec=spoilt(f.spec), notes=spoilt(dict(f.notes)),
            evidence=tuple({n: v + text for n, v in e.items()} for e in f.evidence), expected=answered(f.expected),
            observed=answered(f.observed), accepted=tuple(map(answered, f.accepted)), program=tuple(map(op, f.program)),
        )
        for f in RUN.findings
    )  # fmt: skip
    return replace(
        RUN, target={name: value + text for name, value in RUN.target.items()}, findings=findings,
        command=RUN.command + text, version=RUN.version + text, ledger=RUN.ledger + text, stopped=RUN.stopped + text,
        started=RUN.started + text, errors=spoilt(RUN.errors), profile=spoilt(RUN.profile),
        suspects=spoilt(RUN.suspects), coverage=spoilt(RUN.coverage), timing=spoilt(RUN.timing),
        checks=tuple(replace(c, check=c.check + text, capability=c.capability + text, rule=c.rule + text,
                             detail=c.detail + text) for c in RUN.checks),
        capabilities=tuple(replace(c, capability=c.capability + text) for c in RUN.capabilities),
    )  # fmt: skip
