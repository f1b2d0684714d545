"""Which attributes the expressions of a request name."""

from __future__ import annotations

from reference.expressions.against_schema import paths_of
from reference.expressions.tree import Tree


def roots(tree: Tree | None) -> list[str]:
    """The top-level attributes that a tree names, each once, in the order written."""
    return [] if tree is None else list(dict.fromkeys(str(path.steps[0]) for path in paths_of(tree)))


def nested_roots(*trees: Tree | None) -> list[str]:
    """The top-level attributes that paths of more than one step go into, each once, in the order written."""
    paths = [path for tree in trees if tree is not None for path in paths_of(tree)]
    return list(dict.fromkeys(str(path.steps[0]) for path in paths if len(path.steps) > 1))
