"""One module per family; each operation is its checks, then its effect, then its body.

Every family module has its own ``OPERATIONS`` table; this one joins them.
"""

from __future__ import annotations

from reference.operations import (
    backups,
    batches,
    bulk,
    cloudwatch,
    exports,
    global_tables,
    imports,
    insights,
    items,
    kinesis,
    partiql,
    policies,
    queries,
    recovery,
    replica_scaling,
    restores,
    scaling,
    scans,
    streams,
    tables,
    tags,
    transactions,
    ttl,
    update_table,
    vectors,
)
from reference.operations.base import Operation

OPERATIONS: dict[str, Operation] = {
    **backups.OPERATIONS,
    **batches.OPERATIONS,
    **bulk.OPERATIONS,
    **cloudwatch.OPERATIONS,
    **exports.OPERATIONS,
    **global_tables.OPERATIONS,
    **imports.OPERATIONS,
    **insights.OPERATIONS,
    **items.OPERATIONS,
    **kinesis.OPERATIONS,
    **partiql.OPERATIONS,
    **policies.OPERATIONS,
    **queries.OPERATIONS,
    **recovery.OPERATIONS,
    **restores.OPERATIONS,
    **replica_scaling.OPERATIONS,
    **scaling.OPERATIONS,
    **scans.OPERATIONS,
    **streams.OPERATIONS,
    **tables.OPERATIONS,
    **tags.OPERATIONS,
    **transactions.OPERATIONS,
    **ttl.OPERATIONS,
    **update_table.OPERATIONS,
    **vectors.OPERATIONS,
}
"""Operation name → operation, for every operation that is modelled."""
