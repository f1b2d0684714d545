"""Checks of expressions that need the keys of the table or index (dataplane:KEY-10, KCE-10)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from reference.expressions.checking import atoms_of, leaves_of
from reference.expressions.tree import Action, Condition, Path, Projection, Tree, Update
from reference.rules import Checks, violation


def paths_of(tree: Tree) -> list[Path]:
    """Every path in a tree, in the order written: targets as well as operands."""
    if isinstance(tree, Projection):
        return list(tree.paths)
    if isinstance(tree, Update):
        return [path for action in tree.actions for path in (action.target, *_operand_paths(action))]
    return [path for leaf in leaves_of(tree) for path in _operand_paths(leaf)]


def _operand_paths(node: Condition | Action) -> Iterator[Path]:
    return (atom for atom in atoms_of(node) if isinstance(atom, Path))


def update_of_key(update: Update, key_names: Sequence[str]) -> Checks[None]:
    """No action may name a primary key attribute; the first in schema order is reported."""
    heads = {action.target.steps[0] for action in update.actions}
    for name in key_names:
        if name in heads:
            yield violation("keys.update-key", key=name)


def nested_in_key(tree: Tree, key_names: Sequence[str], index_key_names: Collection[str] = ()) -> Checks[None]:
    """No path may go into a key attribute: first those of the table, then those of its indexes."""
    nested = {path.steps[0] for path in paths_of(tree) if len(path.steps) > 1}
    if not nested:
        return
    for name in key_names:
        if name in nested:
            yield violation("keys.nested-path", key=name)
    for name in index_key_names:
        if name in nested and name not in key_names:
            yield violation("indexes.nested-key-path", key=name)


def filter_on_key(condition: Condition, key_names: Sequence[str], *, legacy: bool = False) -> Checks[None]:
    """A Query's filter may not touch the key attributes of the table or index it queries, not even as an operand."""
    heads = {path.steps[0] for path in paths_of(condition)}
    for name in key_names:
        if name in heads:
            yield violation("legacy.filter-on-key" if legacy else "expressions.filter-on-key", key=name)
