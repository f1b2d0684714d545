"""Items: normal form, names and size."""

from __future__ import annotations

from collections.abc import Mapping

from reference.api import AttributeValue, Item, Json
from reference.rules import Cohort, Violation, violation
from reference.values.number import normal, number_size
from reference.values.value import check_names, normalise, size, text_size

MAX_ITEM_BYTES = 409_600
"""Bytes of the largest item, inclusive (dataplane:SIZE-6)."""


def attribute_names(item: Mapping[str, object]) -> list[Violation]:
    """What is wrong with the names of an item's top-level attributes."""
    found: list[Violation] = []
    check_names(item, found)
    return found


def normalise_item(
    item: Json, layer: Cohort, found: list[Violation], depth_rule: str = "values.nesting"
) -> Item | None:
    """The item in normal form, or None when a part of it is unusable.

    Violations are appended to ``found`` in the service's order: names of top-level attributes, nesting of any value,
    then the values one by one (conflicts:14, conflicts:15). ``depth_rule`` names the rule that too deep values break.
    An item already in normal form is returned as it is.
    """
    if type(item) is not dict:
        return None
    bad = check_names(item, found)
    changed: Item | None = None
    late: list[Violation] = []
    for name, value in item.items():
        if type(value) is dict and len(value) == 1:
            ((tag, inner),) = value.items()
            if type(inner) is str and (tag == "S" or (tag == "N" and normal(inner, layer) is inner)):
                continue
        kept = normalise(value, layer, late)
        if kept is None:
            bad = True
        elif kept is not value:
            if changed is None:
                changed = dict(item)
            changed[name] = kept
    if late:
        _report(found, late, depth_rule)
    if bad:
        return None
    return item if changed is None else changed


def _report(found: list[Violation], late: list[Violation], depth_rule: str) -> None:
    """Append the violations of the values, the nesting of any of them first."""
    others = [v for v in late if v.rule.name != "values.nesting"]
    if len(others) < len(late):
        found.append(violation(depth_rule))
    found.extend(others)


def item_size(item: Mapping[str, AttributeValue]) -> int:
    """Bytes of an item in normal form: its attributes' names and values, nothing else (dataplane:SIZE-1)."""
    total = text_size("".join(item))
    for value in item.values():
        ((tag, inner),) = value.items()
        if tag == "S" and inner.isascii():
            total += len(inner)
        elif tag == "N":
            total += number_size(inner)
        else:
            total += size(value)
    return total
