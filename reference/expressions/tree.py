"""What an expression says, as data.

One set of node types serves both stages. As parsed, a tree may hold ``Alias`` path steps (``#name``) and
``Placeholder`` operands (``:value``); a *bound* tree holds attribute names and ``Literal`` operands only, and is what
the evaluators take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Words
from typing import TypeAlias

from reference.api import AttributeValue

Kind = Words["Update", "Condition", "KeyCondition", "Filter", "SearchCondition", "Projection"]
"""Which parameter an expression stands in: its name without ``Expression``."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An expression attribute name as written, with its ``#``."""

    name: str


Step: TypeAlias = str | int | Alias
"""One step of a path: an attribute or map member, a list index, or a name not yet looked up."""


@dataclass(frozen=True, slots=True)
class Path:
    """A document path; the first step is never an index."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An expression attribute value as written, with its ``:``."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value from the request, in normal form."""

    value: AttributeValue


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments. It stands as an operand or as a condition; which is allowed is a later check."""

    function: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` or ``left - right`` in a SET action."""

    operator: Words["+", "-"]
    left: Operand
    right: Operand


Operand: TypeAlias = "Path | Placeholder | Literal | Call | Arithmetic"


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison with one of ``= <> < <= > >=``."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``, bounds included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    """``operand IN (option, …)``."""

    operand: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """Two or more conditions that must all hold, in the order written."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more conditions of which one must hold, in the order written."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = "Compare | Between | In | Call | Not | And | Or"


@dataclass(frozen=True, slots=True)
class Set:
    """``SET target = value``."""

    target: Path
    value: Operand


@dataclass(frozen=True, slots=True)
class Remove:
    """``REMOVE target``."""

    target: Path


@dataclass(frozen=True, slots=True)
class Add:
    """``ADD target value``: a number to a number or members to a set."""

    target: Path
    value: Operand


@dataclass(frozen=True, slots=True)
class Delete:
    """``DELETE target value``: members from a set."""

    target: Path
    value: Operand


Action: TypeAlias = Set | Remove | Add | Delete


@dataclass(frozen=True, slots=True)
class Update:
    """The actions of an update in the order written.

    ``legacy`` marks an update made from AttributeUpdates: there ADD also appends to lists, a stored value of another
    type is answered with another text, and the size of the statement does not count (dataplane:LEG-7).
    """

    actions: tuple[Action, ...]
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """The paths a read returns, in the order written."""

    paths: tuple[Path, ...]


Tree: TypeAlias = "Condition | Update | Projection"


def path_text(path: Path) -> str:
    """A path as the service prints it in messages, for example ``[a, b, [1]]``."""
    return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else str(step) for step in path.steps) + "]"
