"""Checks of what waits for an index that is made, changed or removed, and of what such an index waits for."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.indexes_changes import (
    ADD,
    INDEXED,
    ONE_ONLINE,
    PROVISIONED,
    added,
    limit,
    rate,
    removed,
    updates,
)
from conformance.checks.steps import answers, describe, query, refuses, s, scan
from conformance.checks.tables import IN_USE, UNITS
from conformance.checks.tables_update import INFREQUENT, ON, change, changing, units

CHECKS: tuple[Check, ...] = (
    changing(
        "indexes.one-online",
        updates(added("by_i", "i:HASH"), types="pk:S i:S"),
        ONE_ONLINE,
        code="LimitExceededException",
        given=[ADD],
        control=describe(),
        needs="slow backfill",
        name="one after the other",
    ),
    changing(
        "indexes.updating",
        updates(limit(6)),
        f"{IN_USE}Index is being updated. Table: {T0} Index: by_g",
        code="ResourceInUseException",
        tables=INDEXED,
        given=[updates(limit(5))],
        control=describe(),
        needs="slow update",
    ),
    *(
        changing(
            "indexes.deleting",
            step,
            f"{IN_USE}Index is being deleted. Table: {T0} Index: by_g",
            code="ResourceInUseException",
            tables=PROVISIONED,
            given=[updates(removed())],
            control=describe(),
            needs="slow update",
            name=name,
        )
        for name, step in (
            ("made anew", updates(added("by_g", "g:HASH", ProvisionedThroughput=UNITS), types="g:S")),
            ("deleted", updates(removed())),
            ("changed", updates(rate())),
        )
    ),
    *(
        changing(
            "indexes.while-units-change",
            step,
            f"{IN_USE}Can't create or delete indexes while table IOPS are being updated. Table: {T0}",
            code="ResourceInUseException",
            tables=PROVISIONED,
            given=[change(**units(6))],
            control=describe(),
            needs="slow update",
            name=name,
        )
        for name, step in (
            ("created", updates(added(ProvisionedThroughput=UNITS), types="h:S")),
            ("deleted", updates(removed())),
        )
    ),
    changing(
        "tables.while-streaming",
        ADD,
        phrase="Can't create or delete an index when stream status is being updated.",
        code="ResourceInUseException",
        given=[change(StreamSpecification=ON)],
        control=describe(),
        needs="slow update",
        name="index",
    ),
    changing(
        "tables.while-class-changes",
        ADD,
        phrase="Can't create or delete an index when a table class update is in progress.",
        code="ResourceInUseException",
        given=[change(**INFREQUENT)],
        control=describe(),
        needs="slow update",
        name="index",
    ),
    *(
        changing(
            "indexes.units-wait",
            step,
            f"{IN_USE}Can't change table IOPS when an index is being {done}. Table: {T0} Indexes: [{name}]",
            code="ResourceInUseException",
            tables=PROVISIONED,
            given=[given],
            control=describe(),
            needs="slow update",
            name=f"{done}, {what}",
        )
        for done, name, given in (
            ("created", "by_h", updates(added(ProvisionedThroughput=UNITS), types="h:S")),
            ("deleted", "by_g", updates(removed())),
        )
        for what, step in (("units", change(**units(6))), ("billing", change(BillingMode="PAY_PER_REQUEST")))
        if (done, what) != ("created", "billing")
    ),
    answers(
        "indexes.units-wait",
        change(BillingMode="PAY_PER_REQUEST"),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        tables=INDEXED,
        given=[updates(removed())],
        needs="slow update",
        name="on demand again",
    ),
    changing(
        "indexes.stream-waits",
        change(StreamSpecification=ON),
        phrase="Can't change stream status when an index is being created",
        code="ResourceInUseException",
        tables=INDEXED,
        given=[ADD],
        control=describe(),
        needs="slow update",
    ),
    changing(
        "indexes.waits-perhaps",
        change(StreamSpecification=ON),
        phrase="Can't change stream status when an index is being deleted",
        code="ResourceInUseException",
        tables=INDEXED,
        given=[updates(removed())],
        control=describe(),
        needs="slow update",
        name="stream",
    ),
    changing(
        "indexes.waits-perhaps",
        change(BillingMode="PAY_PER_REQUEST"),
        phrase="Can't change table IOPS when an index is being created",
        code="ResourceInUseException",
        tables=PROVISIONED,
        given=[updates(added(ProvisionedThroughput=UNITS), types="h:S")],
        control=describe(),
        needs="slow update",
        name="billing",
    ),
    *(
        changing(
            "indexes.limits-wait",
            change(OnDemandThroughput={"MaxReadRequestUnits": 5}),
            f"{IN_USE}OnDemandThroughput cannot be updated while index {doing} is in progress for indexes: [{name}]",
            code="ResourceInUseException",
            tables=INDEXED,
            given=[given],
            control=describe(),
            needs="slow update",
            name=doing,
        )
        for doing, name, given in (("creation", "by_h", ADD), ("deletion", "by_g", updates(removed())))
    ),
    changing(
        "indexes.warm-throughput-waits",
        change(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
        "Table is under system maintenance, please try again later",
        code="InternalServerError",
        tables=INDEXED,
        given=[ADD],
        control=describe(),
        needs="slow update",
    ),
    answers(
        "tables.update-answer",
        change(DeletionProtectionEnabled=False),
        at="TableDescription",
        has={"TableStatus": "UPDATING", "DeletionProtectionEnabled": False},
        tables=INDEXED,
        given=[updates(removed())],
        needs="slow update",
        name="deletion protection while an index is deleted",
    ),
    changing(
        "indexes.delete-while-allocating",
        updates(removed("by_h")),
        f"{IN_USE}Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        f"index is active. Table: {T0} Index: by_h",
        code="ResourceInUseException",
        given=[ADD],
        control=describe(),
        needs="slow update",
    ),
    changing(
        "indexes.change-while-allocating",
        updates(rate("by_h")),
        f"{IN_USE}Index is being created but is not backfilling yet. Table: {T0} Index: by_h",
        code="ResourceInUseException",
        tables=PROVISIONED,
        given=[updates(added(ProvisionedThroughput=UNITS), types="pk:S h:S")],
        control=describe(),
        needs="slow update",
    ),
    refuses(
        "indexes.backfilling",
        query("h = :h", {"h": s("x")}, IndexName="by_h"),
        "Cannot read from backfilling global secondary index: by_h",
        given=[ADD],
        control=scan(),
        needs="slow backfill",
    ),
    refuses(
        "indexes.not-active",
        query("h = :h", {"h": s("x")}, IndexName="by_h"),
        "The table does not have the specified index: by_h",
        given=[ADD],
        control=scan(),
        needs="slow update backfill",
    ),
)
