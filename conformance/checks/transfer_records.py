"""Checks of how exports are named and listed."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import PLAIN, answers, refuses, reply
from conformance.checks.tables import drop
from conformance.checks.transfer import EXPORTED, FOREIGN, HOUR, ON, TABLE_ARN, export, told
from conformance.program import Step
from reference.api import Json

_UNMADE = f"{TABLE_ARN}/export/01500000000000-12345678"


def _list(**members: Json) -> Step:
    return Step("ListExports", {"TableArn": TABLE_ARN, **members})


_TOKEN = "A" * 120
_OTHER_REGION = "arn:aws:dynamodb:eu-west-1:400000000004:table/t/export/01500000000000-12345678"
_LISTED = "ExportSummaries"

NAMING: tuple[Check, ...] = (
    *(
        refuses(
            "transfer.export-arn",
            told(arn),
            "Invalid Export ARN",
            given=[ON, export()],
            control=told(reply(2, EXPORTED)),
            name=name,
        )
        for arn, name in ((TABLE_ARN, "the ARN of a table"), ("x" * 37, "no ARN"))
    ),
    refuses(
        "transfer.export-not-found",
        told(_UNMADE),
        f"Export not found: Export not found: {_UNMADE}",
        code="ExportNotFoundException",
        given=[ON, export()],
        control=told(reply(2, EXPORTED)),
    ),
    refuses(
        "transfer.export-other-region",
        told(_OTHER_REGION),
        "Export not found: Invalid export arn",
        code="ExportNotFoundException",
        given=[ON, export()],
        control=told(reply(2, EXPORTED)),
    ),
    refuses(
        "transfer.access-denied",
        told(f"{FOREIGN}/export/01500000000000-12345678"),
        "Access is denied",
        code="AccessDeniedException",
        given=[ON, export()],
        control=told(reply(2, EXPORTED)),
        name="export",
    ),
    answers(
        "transfer.export-list",
        _list(),
        given=[ON, export(), export()],
        body={
            _LISTED: [
                {"ExportArn": reply(made, EXPORTED), "ExportStatus": "IN_PROGRESS", "ExportType": "FULL_EXPORT"}
                for made in (3, 2)
            ]
        },
        needs="slow transfer",
        name="the newest first",
    ),
    answers("transfer.export-list", _list(), body={_LISTED: []}, name="none"),
    answers("transfer.export-list", _list(), given=[ON, export(), drop()], body={_LISTED: []}, name="table gone"),
    answers(
        "transfer.export-list",
        _list(),
        given=[ON, export(), drop(), Step("CreateTable", PLAIN["t0"])],
        body={_LISTED: []},
        name="table made again",
    ),
    answers(
        "transfer.export-list",
        _list(MaxResults=1, NextToken=reply(4, "NextToken")),
        given=[ON, export(), export(), _list(MaxResults=1)],
        has={"ExportArn": reply(2, EXPORTED)},
        at=f"{_LISTED}[0]",
        name="pages",
    ),
    answers(
        "transfer.export-list",
        _list(MaxResults=1, NextToken=reply(4, "NextToken")),
        given=[ON, export(), export(), _list(MaxResults=1)],
        lacks=("NextToken",),
        name="the last page",
    ),
    answers(
        "transfer.export-list",
        _list(NextToken=reply(13, "NextToken")),
        given=[ON, *(export() for _ in range(11)), _list()],
        has={"ExportArn": reply(2, EXPORTED)},
        at=f"{_LISTED}[0]",
        name="ten at a time",
    ),
    answers(
        "transfer.export-list",
        _list(),
        given=[ON, export()],
        body={_LISTED: []},
        pause=91 * 24 * HOUR,
        name="90 days",
    ),
    refuses(
        "transfer.next-token",
        _list(NextToken=_TOKEN),
        f"Invalid Request: Provided nextToken is invalid: {_TOKEN}",
        control=_list(),
        name="ListExports",
    ),
)

CHECKS: tuple[Check, ...] = NAMING
