"""Which attributes the expressions of a request name."""

from __future__ import annotations

from reference.expressions.against_schema import paths_of
from reference.expressions.tree import Tree


def roots(tree: Tree | None) -> list[str]:
    """The top-level attributes that a tree names, each once, in the order written."""
    return [] if tree is None else list(dict.fromkeys(str(path.steps[0]) for path in paths_of(tree)))
