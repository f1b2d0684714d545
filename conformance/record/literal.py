"""Python source of JSON-shaped values, for programs that people copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NESTING_LIMIT = 80
"""Levels of brackets that are written; Python itself reads no more than 200."""
WIDTH = 100
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of source that stands among values, such as the name of a variable."""

    text: str


class TooDeep(ValueError):
    """A value nested deeper than ``NESTING_LIMIT``."""


def literal(value: Any, indent: int = 0) -> str:
    """The value as Python source, on one line where it fits, else a member a line; ``indent`` counts its levels.

    Text that could mislead a reader (controls, bidirectional marks, lone surrogates) comes escaped.
    """
    if indent > NESTING_LIMIT:
        raise TooDeep(f"nested deeper than {NESTING_LIMIT} levels")
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Mapping):
        brackets = "{}"
        members = [f"{name.text if isinstance(name, Code) else _text(name)}: {literal(member, indent + 1)}"
                   for name, member in value.items()]  # fmt: skip
    elif isinstance(value, list | tuple):
        brackets = "[]"
        members = [literal(member, indent + 1) for member in value]
    else:
        return _text(value) if isinstance(value, str) else repr(value)
    line = ", ".join(members)
    if len(line) + len(_STEP) * indent < WIDTH and "\n" not in line:
        return f"{brackets[0]}{line}{brackets[1]}"
    inner = "".join(f"{_STEP * (indent + 1)}{member},\n" for member in members)
    return f"{brackets[0]}\n{inner}{_STEP * indent}{brackets[1]}"


def _text(value: str) -> str:
    """As ``repr``, but in double quotes where that needs no more escapes."""
    plain = repr(value)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain and "\\'" not in plain else plain
