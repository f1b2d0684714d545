"""All plants, by area. Names are unique and stable."""

from __future__ import annotations

from tests.planted import (
    batches,
    capacity,
    expressions,
    grammar,
    indexes,
    legacy,
    reads,
    routes,
    statements,
    tables,
    transactions,
    updates,
    values,
    writes,
)
from tests.planted.base import Plant

PLANTS: tuple[Plant, ...] = (
    *values.PLANTS,
    *routes.PLANTS,
    *expressions.PLANTS,
    *grammar.PLANTS,
    *updates.PLANTS,
    *writes.PLANTS,
    *indexes.PLANTS,
    *reads.PLANTS,
    *batches.PLANTS,
    *capacity.PLANTS,
    *transactions.PLANTS,
    *legacy.PLANTS,
    *tables.PLANTS,
    *statements.PLANTS,
)


def plant_of(name: str) -> Plant:
    """The plant of that name; KeyError when there is none."""
    return {plant.name: plant for plant in PLANTS}[name]


SEEN = {
    "attributes-to-get-ignored": "moto",
    "batch-statement-errors-lost": "moto",
    "batch-statement-names-lost": "ministack",
    "batch-write-limit": "moto",
    "begins-with-base64": "moto",
    "conditional-operator-ignored": "moto",
    "contains-base64": "moto, ministack",
    "delete-protected": "dynalite",
    "failed-condition-hides-item": "dynalite",
    "filter-on-key-accepted": "moto, ministack",
    "index-any-key-type": "moto",
    "index-any-key-type-in-update": "dynamodb-local",
    "index-empty-key": "dynalite",
    "index-local-not-fetched": "moto, ministack",
    "index-move-one-unit": "dynalite",
    "index-projects-anything": "moto, dynalite, dynoxide, ministack",
    "index-select-all": "ministack",
    "insert-overwrites": "moto",
    "key-before-expression": "moto, ministack",
    "legacy-mixing-accepted": "moto",
    "missing-item-free": "moto",
    "missing-table-first": "moto, ministack",
    "nesting-limit": "moto, dynalite",
    "no-collection-metrics": "moto, dynalite, dynamodb-local",
    "not-contains-missing": "moto, dynalite, dynoxide, ministack",
    "number-digits-limit": "moto",
    "number-keeps-spelling": "moto",
    "number-magnitude-limit": "moto",
    "number-minus-zero": "moto",
    "number-set-duplicates-dropped": "moto",
    "number-sum-rounded": "dynalite, ministack",
    "order-by-ascending": "moto, dynoxide",
    "page-costs-what-it-returns": "moto",
    "parameters-too-many": "moto, dynoxide, ministack, dynamodb-local",
    "past-end-padded": "dynoxide, ministack",
    "read-unit-of-one-kilobyte": "moto",
    "removal-creates": "dynalite, dynoxide, ministack, dynamodb-local",
    "removals-shift": "dynalite, dynoxide, ministack",
    "remove-below-nothing": "dynoxide, ministack",
    "schema-mismatch-words": "dynamodb-local",
    "set-duplicates-dropped": "moto",
    "statement-limit-ignored": "moto, ministack",
    "token-for-any-request": "moto",
    "transact-get-unprojected": "moto, dynoxide",
    "transaction-single-price": "dynamodb-local",
    "transaction-updates-key": "dynoxide, ministack",
    "unused-values-in-query": "moto",
    "unused-values-in-scan": "moto",
    "update-of-nothing-accepted": "moto",
    "updated-new-unchanged-missing": "moto",
    "updated-new-whole": "ministack, dynamodb-local",
    "updated-old-whole": "moto, ministack, dynamodb-local",
    "write-costs-new-image": "moto, ministack",
    "write-statement-without-items": "dynoxide",
    "write-without-indexes": "moto, dynalite",
}
"""Plants whose witness shows the same kind of difference in an emulator, and in which of moto 5.2.5, dynalite 4.0.0,
Dynoxide 1.2.1, MiniStack 1.4.21 and DynamoDB Local 1.25.1 (``python -m tests.planted.seen``, November 2026)."""
