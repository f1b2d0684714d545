"""A table's description data without its items, to work out an answer before the change behind it is done."""

from __future__ import annotations

from reference.tables.table import Index, Table


def outline(table: Table) -> Table:
    """A table that may be changed in settings, status and indexes; it shares the items, which nobody may change."""
    other = Table(table.name, table.key, table.settings.copy(), arn=table.arn, id=table.id, created=table.created)
    other.status, other.view = table.status, table.view
    other.sequence, other.size = table.sequence, table.size
    for name, index in table.indexes.items():
        thin = Index(index.schema, index.settings.copy(), index.created)
        thin.view, thin.status, thin.backfilling = index.view, index.status, index.backfilling
        other.indexes[name] = thin
    return other
