"""One machine per capability; machines draw programs and nothing else."""

from __future__ import annotations

from conformance.machines import (
    account,
    capacity,
    consistency,
    content,
    control,
    copies,
    data,
    grammar,
    indexes,
    metrics,
    mixed,
    related,
    replicas,
    scaling,
    statements,
    streams,
    throttling,
    vectors,
    wire,
)
from conformance.machines.base import ProgramMachine

MACHINES: dict[str, type[ProgramMachine]] = {
    "values": content.ValuesMachine,
    "keys": content.KeysMachine,
    "expressions": grammar.ExpressionsMachine,
    "items": data.ItemsMachine,
    "queries": related.QueriesMachine,
    "scans": related.ScansMachine,
    "indexes": indexes.IndexesMachine,
    "batches": data.BatchesMachine,
    "transactions": data.TransactionsMachine,
    "legacy": data.LegacyMachine,
    "partiql": statements.PartiqlMachine,
    "capacity": capacity.CapacityMachine,
    "wire": wire.WireMachine,
    "tables": control.TablesMachine,
    "streams": streams.StreamsMachine,
    "ttl": streams.TtlMachine,
    "backups": copies.BackupsMachine,
    "transfer": copies.TransferMachine,
    "bulk": copies.BulkMachine,
    "vectors": vectors.VectorsMachine,
    "account": account.AccountMachine,
    "throttling": throttling.ThrottlingMachine,
    "consistency": consistency.ConsistencyMachine,
    "global-tables": replicas.GlobalTablesMachine,
    "dax": consistency.DaxMachine,
    "scaling": scaling.ScalingMachine,
    "metrics": metrics.MetricsMachine,
    "mixed": mixed.MixedMachine,
}
"""Name → machine; all but the mixed one are named by the capability they search."""

__all__ = ["MACHINES"]
