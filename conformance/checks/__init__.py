"""Directed checks by rule. Every module here has a ``CHECKS`` tuple; ``all_checks`` joins them."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from conformance.checks.base import Check


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """Every directed check, in the order of the modules' names."""
    found: list[Check] = []
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        if module != "base":
            found += getattr(importlib.import_module(f"{__name__}.{module}"), "CHECKS", ())
    return tuple(found)
