"""Which attributes the expressions of a request name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reference.expressions.checking import atoms_of, leaves_of
from reference.expressions.tree import Condition, Path, Projection, Update


def paths_in(tree: Condition | Update | Projection | None) -> Iterator[Path]:
    """Every path of a bound tree, in the order written."""
    if tree is None:
        return
    if isinstance(tree, Projection):
        yield from tree.paths
    elif isinstance(tree, Update):
        for action in tree.actions:
            yield action.target
            yield from _paths(atoms_of(action))
    else:
        for leaf in leaves_of(tree):
            yield from _paths(atoms_of(leaf))


def _paths(atoms: Iterable[object]) -> Iterator[Path]:
    return (atom for atom in atoms if isinstance(atom, Path))


def roots(tree: Condition | Update | Projection | None) -> list[str]:
    """The top-level attributes that a tree names, each once, in the order written."""
    return list(dict.fromkeys(str(path.steps[0]) for path in paths_in(tree)))


def nested_roots(*trees: Condition | Update | Projection | None) -> list[str]:
    """The top-level attributes that paths of more than one step go into, each once, in the order written."""
    return list(dict.fromkeys(str(path.steps[0]) for tree in trees for path in paths_in(tree) if len(path.steps) > 1))
