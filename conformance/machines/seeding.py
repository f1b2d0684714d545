"""Draws that depend on their seed alone.

Hypothesis mixes constants into what it draws that it finds in the modules which happen to be loaded from outside
site-packages. Programs would then differ from one checkout, version or command to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.conjecture import providers

_MODULE: Any = providers
_NAMES = ("_get_local_constants", "CONSTANTS_CACHE")
_KNOWN = all(hasattr(_MODULE, name) for name in (*_NAMES, "Constants", "LRUCache"))
"""Whether this version of Hypothesis has what is put aside here; one that has not draws as it does by itself."""
_OURS = (_MODULE.Constants, _MODULE.LRUCache(1024)) if _KNOWN else ()


@contextmanager
def by_seed_alone() -> Iterator[None]:
    """While this lasts, no constants of loaded modules are drawn, in the whole process: there is no setting for it."""
    before = [(name, getattr(_MODULE, name)) for name in _NAMES if _KNOWN]
    for name, ours in zip(_NAMES, _OURS, strict=False):
        setattr(_MODULE, name, ours)
    try:
        yield
    finally:
        for name, held in before:
            setattr(_MODULE, name, held)
