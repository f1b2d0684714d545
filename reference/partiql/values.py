"""Literals and parameters → attribute values (dataplane:PQL-6, TYPE-10, XTRA-PQL-1)."""

from __future__ import annotations

from collections.abc import Sequence as Listing
from typing import Any

from reference.api import AttributeValue, Item, Json
from reference.partiql.tree import (
    Access,
    Constant,
    Expression,
    Function,
    Insert,
    Number,
    Operation,
    Parameter,
    Select,
    Sequence,
    Struct,
    Text,
    children,
)
from reference.rules import Cohort, Violation, violation
from reference.values.number import normal
from reference.values.value import normalise, type_of

_LAYER: Cohort = "older"
"""PartiQL reads numbers with exponents of 32 bits, parameters included (conflicts:4)."""

_CONSTANTS: dict[str, AttributeValue] = {"true": {"BOOL": True}, "false": {"BOOL": False}, "null": {"NULL": True}}
_FAULTS = {
    "values.number-overflow": "partiql.literal-overflow",
    "values.number-underflow": "partiql.literal-underflow",
    "values.number-wrapped": "partiql.literal-underflow",
    "values.number-precision": "partiql.literal-precision",
}
_SET_OF = {"S": "SS", "N": "NS", "B": "BS"}
LITERALS = (Text, Number, Constant, Parameter, Sequence, Struct)
"""The nodes that stand for values."""


class Values:
    """The values of one statement, each converted once, in the order written; ``faults`` is what is wrong with them."""

    def __init__(self, parameters: Listing[Json]) -> None:
        self.faults: list[Violation] = []
        self._parameters = parameters
        self._known: dict[int, AttributeValue | None] = {}

    def collect(self, root: Expression) -> None:
        """Convert every literal and parameter in a statement. Nodes must outlive this object: they are known by id."""
        stack = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, LITERALS):
                self._known[id(node)] = self._whole(node)
            else:
                stack += reversed(list(_inside(node)))

    def of(self, node: Expression) -> AttributeValue | None:
        """The value of a literal or parameter; None for any other node and for a value that is refused."""
        return self._known.get(id(node))

    def _whole(self, node: Expression) -> AttributeValue | None:
        if isinstance(node, Parameter):
            return self._parameter(node)
        value = self._value(node, "root")
        if value is None:
            return None
        return normalise(value, _LAYER, self.faults)

    def _parameter(self, node: Parameter) -> AttributeValue | None:
        if node.position >= len(self._parameters):
            return None
        return normalise(self._parameters[node.position], _LAYER, self.faults)

    def _value(self, node: Expression, path: str) -> Any:
        """The value as it would stand on the wire, its numbers already in normal form; None when it is refused.

        The recursion is bounded: a statement nests a hundred expressions at most.
        """
        if isinstance(node, Text):
            return {"S": node.value}
        if isinstance(node, Number):
            return self._number(node, path)
        if isinstance(node, Constant) and node.word in _CONSTANTS:
            return _CONSTANTS[node.word]
        if isinstance(node, Parameter):
            return self._parameter(node)
        if isinstance(node, Struct):
            return self._struct(node, path)
        if isinstance(node, Sequence):
            elements = [self._value(element, f"{path}[{i}]") for i, element in enumerate(node.elements)]
            if None in elements:
                return None
            return self._bag(elements) if node.kind == "bag" else {"L": elements}
        if isinstance(node, Function):
            self.faults.append(
                violation("partiql.unsupported-data-type", type=node.name, path=path, place=node.token.place)
            )
        else:
            self.faults.append(violation("partiql.unsupported-value", place=node.token.place))
        return None

    def _number(self, node: Number, path: str) -> AttributeValue | None:
        text = normal(node.text, _LAYER)
        if isinstance(text, str):
            return {"N": text}
        self.faults.append(violation(_FAULTS[text.rule.name], path=path))
        return None

    def _struct(self, node: Struct, path: str) -> AttributeValue | None:
        members = self.members(node, path)
        return None if members is None else {"M": members}

    def members(self, node: Struct, path: str | None = None) -> Item | None:
        """The members of a map literal; without a path each is the root of its own messages, as in INSERT."""
        members: dict[str, Any] = {}
        for key, value in node.members:
            if not isinstance(key, Text):
                self.faults.append(violation("partiql.map-key", place=key.token.place))
                continue
            if key.value in members:
                self.faults.append(violation("partiql.map-key-twice", key=key.value))
            members[key.value] = self._value(value, f"{path}.{key.value}" if path is not None else "root")
        return members if len(members) == len(node.members) and None not in members.values() else None

    def _bag(self, elements: list[Any]) -> AttributeValue | None:
        if not elements:
            self.faults.append(violation("partiql.empty-bag"))
            return None
        types = {type_of(element) for element in elements}
        kind = _SET_OF.get(next(iter(types))) if len(types) == 1 else None
        if kind is None:
            self.faults.append(violation("partiql.mixed-bag"))
            return None
        found: list[Violation] = []
        value = normalise({kind: [next(iter(element.values())) for element in elements]}, _LAYER, found)
        self.faults += found
        return value


def _inside(node: Expression) -> Listing[Expression]:
    """Where in an expression to look for values: not in the brackets of paths, and in IN's list one by one."""
    if isinstance(node, Access):
        return [node.root]
    if isinstance(node, Operation) and node.operator == "in" and isinstance(node.operands[1], Sequence):
        return [node.operands[0], *node.operands[1].elements]
    if isinstance(node, Insert):
        # The planner reads the item of an INSERT member by member.
        return [] if isinstance(node.value, Struct) else [node.value]
    if isinstance(node, Select):
        return [child for child in children(node) if not any(child is item.expression for item in node.items)]
    return list(children(node))
