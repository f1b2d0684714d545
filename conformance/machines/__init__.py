"""One machine per capability; machines draw programs and nothing else."""

from __future__ import annotations

from conformance.machines.data import MACHINES

__all__ = ["MACHINES"]
