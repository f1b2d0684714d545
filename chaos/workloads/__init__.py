"""Concurrent programs: what clients do at once, drawn from a seed before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.workloads.base import Workload
from chaos.workloads.derived import Expiry, Queue, Stream
from chaos.workloads.items import Claim, Counter, Register
from chaos.workloads.transactions import Append, Bank, Fork

_ALL: tuple[Workload, ...] = (Register(), Counter(), Append(), Bank(), Fork(), Claim(), Queue(), Stream(), Expiry())

WORKLOADS: Mapping[str, Workload] = {workload.name: workload for workload in _ALL}
"""Every workload by name."""
