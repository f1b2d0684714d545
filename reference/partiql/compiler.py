"""PartiQL expressions → the trees of the expression language, whose evaluators then serve both (dataplane:PQL-7 to 11).

Two things are worded differently: ``<>`` is false where an attribute is missing (conflicts:120), and ``IS`` asks for
types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from reference.expressions import tree as expression
from reference.expressions.checking import ANY_TYPE, ORDERED, TYPE_NAMES, check_paths
from reference.expressions.tree import And, Between, Call, Compare, Condition, In, Not, Operand, Or, Path
from reference.partiql.tree import (
    Access,
    Assign,
    Constant,
    Expression,
    Function,
    IsType,
    Name,
    Number,
    Operation,
    Parameter,
    Remove,
    Select,
    Sequence,
    Struct,
    Text,
    Unary,
)
from reference.partiql.values import LITERALS, Values
from reference.rules import Violation, violation
from reference.values.value import type_of

MAX_OPTIONS = 100
MAX_INDEX = 2**31 - 1
_ARITY = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_TEXTS = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
_NAMES = {
    "and": "And", "or": "Or", "not": "Not", "in": "InCollection", "between": "Between", "like": "Like", "=": "Eq",
    "<>": "Ne", "<": "Lt", "<=": "Lte", ">": "Gt", ">=": "Gte", "+": "Plus", "-": "Minus", "*": "Times",
    "/": "Divide", "%": "Modulo", "||": "Concat",
}  # fmt: skip
_NODE_NAMES: dict[type, str] = {
    IsType: "IsType", Name: "Id", Access: "Path", Function: "Call", Parameter: "Parameter", Text: "Lit", Number: "Lit",
    Constant: "Lit", Sequence: "List", Struct: "Struct", Select: "Select",
}  # fmt: skip
_NUMBER_TYPES = (
    "bigint", "dec", "decimal", "double precision", "float", "int", "int2", "int4", "int8", "integer", "integer2",
    "integer4", "integer8", "numeric", "real", "smallint",
)  # fmt: skip
_TEXT_TYPES = ("char", "character", "character varying", "string", "symbol", "varchar")
_TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_NUMBER_TYPES, ("N",)),
    **dict.fromkeys(_TEXT_TYPES, ("S",)),
    "bool": ("BOOL",),
    "boolean": ("BOOL",),
    "blob": ("B",),
    "null": ("NULL",),
    "list": ("L",),
    "struct": ("M",),
    "tuple": ("M",),
    "bag": ("SS", "NS", "BS"),
}
"""What types of DynamoDB a type of PartiQL is; those not named here are none (dataplane:PQL-7)."""


def operation_name(node: Expression) -> str:
    """What messages call the kind of an expression that can't be run."""
    if isinstance(node, Operation | Unary):
        return _NAMES[node.operator]
    return _NODE_NAMES.get(type(node), "Dml")


class Compiler:
    """Compiles the parts of one statement; ``faults`` is what is wrong with them, in the order met."""

    def __init__(self, values: Values) -> None:
        self.faults: list[Violation] = []
        self._values = values

    def _fault(self, name: str, **params: Any) -> None:
        self.faults.append(violation(name, **params))

    # Conditions. The recursion is bounded: a statement nests a hundred expressions at most.

    def condition(self, node: Expression) -> Condition | None:
        """A condition as the evaluator takes it; None when a part of it is refused."""
        if isinstance(node, Unary) and node.operator == "not":
            inner = self.condition(node.operand)
            return None if inner is None else Not(inner)
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, IsType):
            return self._is_type(node)
        if isinstance(node, Function):
            call = self._call(node)
            if call is None or call.function != "size":
                return call
        self._fault("partiql.unsupported-operation", operation=operation_name(node))
        return None

    def _operation(self, node: Operation) -> Condition | None:
        if node.operator in ("and", "or"):
            parts = [self.condition(operand) for operand in node.operands]
            if None in parts:
                return None
            return (And if node.operator == "and" else Or)(tuple(part for part in parts if part is not None))
        if node.operator in _COMPARISONS:
            return self._comparison(node)
        if node.operator == "in":
            return self._in(node)
        if node.operator == "between":
            operands = [self._operand(operand) for operand in node.operands]
            self._check_types("BETWEEN", operands, ORDERED)
            return None if None in operands else Between(*operands)  # type: ignore[arg-type]
        self._fault("partiql.unsupported-operation", operation=operation_name(node))
        return None

    def _comparison(self, node: Operation) -> Condition | None:
        left, right = node.operands
        for call, other in ((left, right), (right, left)):
            truth = self._truth(other)
            if isinstance(call, Function) and call.name != "size" and call.name in _ARITY and truth is not None:
                held = self._call(call)
                return held if held is None or (node.operator == "=") is truth else Not(held)
        operands = [self._operand(left), self._operand(right)]
        if node.operator not in ("=", "<>"):
            self._check_types(node.operator, operands, ORDERED)
        if operands[0] is None or operands[1] is None:
            return None
        compared = Compare(node.operator, operands[0], operands[1])
        if node.operator != "<>":
            return compared
        present = [Call("attribute_exists", (each,)) for each in operands if isinstance(each, Path)]
        return And((compared, *present)) if present else compared

    def _truth(self, node: Expression) -> bool | None:
        if not isinstance(node, LITERALS):
            return None
        value = self._values.of(node)
        return value.get("BOOL") if value is not None else None

    def _in(self, node: Operation) -> Condition | None:
        tested = self._operand(node.operands[0])
        listed = node.operands[1]
        options: list[Operand | None]
        if isinstance(listed, Sequence):
            options = [self._operand(element) for element in listed.elements]
        else:
            value = self._values.of(listed) if isinstance(listed, LITERALS) else None
            if value is None or "L" not in value:
                if not isinstance(listed, LITERALS) or value is not None:
                    self._fault("partiql.unsupported-operation", operation=operation_name(node))
                return None
            options = [expression.Literal(element) for element in value["L"]]
        if len(options) > MAX_OPTIONS:
            self._fault("partiql.in-limit", count=len(options), limit=MAX_OPTIONS)
        if tested is None or None in options:
            return None
        return In(tested, tuple(option for option in options if option is not None))

    def _is_type(self, node: IsType) -> Condition | None:
        path = self.path(node.operand) if isinstance(node.operand, Name | Access) else None
        if path is None:
            self._fault("partiql.unsupported-operation", operation="IsType")
            return None
        if node.type == "missing":
            return Call("attribute_not_exists", (path,))
        if node.type == "any":
            return Call("attribute_exists", (path,))
        tests: list[Condition] = [
            Call("attribute_type", (path, expression.Literal({"S": tag}))) for tag in _TYPES.get(node.type, ())
        ]
        if not tests:
            self._fault("partiql.unsupported-operation", operation="IsType")
            return None
        return tests[0] if len(tests) == 1 else Or(tuple(tests))

    def _call(self, node: Function) -> Call | None:
        """A function of the expression language, its operands checked."""
        name = node.name
        if name not in _ARITY:
            self._fault("partiql.unknown-function", function=name, place=node.token.place)
            return None
        if len(node.arguments) != _ARITY[name]:
            self._fault("partiql.operand-count", operator=name, count=len(node.arguments))
            return None
        arguments = [self._operand(argument) for argument in node.arguments]
        if None in arguments:
            return None
        if name in ("attribute_exists", "attribute_not_exists"):
            if not isinstance(arguments[0], Path):
                self._fault("partiql.path-required", operator=name)
                return None
        elif name == "begins_with":
            self._check_types(name, arguments, _TEXTS)
        elif name == "size":
            self._check_types(name, arguments, _SIZED)
        elif name == "attribute_type":
            self._check_type_name(arguments[1])
        return Call(name, tuple(argument for argument in arguments if argument is not None))

    def _operand(self, node: Expression) -> Operand | None:
        if isinstance(node, LITERALS):
            value = self._values.of(node)
            return None if value is None else expression.Literal(value)
        if isinstance(node, Name | Access):
            return self.path(node)
        if isinstance(node, Function):
            if node.name != "size" and node.name in _ARITY:
                self._fault("partiql.unsupported-operation", operation="Call")
                return None
            return self._call(node)
        self._fault("partiql.unsupported-operation", operation=operation_name(node))
        return None

    def _check_types(self, operator: str, operands: Iterable[Operand | None], allowed: frozenset[str]) -> None:
        for operand in operands:
            if isinstance(operand, expression.Literal) and type_of(operand.value) not in allowed:
                self._fault("partiql.operand-type", operator=operator, type=type_of(operand.value))
                return

    def _check_type_name(self, operand: Operand | None) -> None:
        if isinstance(operand, Path):
            self._fault("partiql.operand-type", operator="attribute_type", type=f"{{{ANY_TYPE}}}")
            return
        self._check_types("attribute_type", (operand,), frozenset({"S"}))
        if isinstance(operand, expression.Literal):
            wanted = operand.value.get("S", TYPE_NAMES[0])
            if wanted not in TYPE_NAMES:
                self._fault("partiql.type-name", type=wanted, valid=",".join(TYPE_NAMES))

    # Paths

    def path(self, node: Expression) -> Path | None:
        """A document path; names stand behind dots or, as strings, in brackets."""
        if isinstance(node, Name):
            return Path((node.name,))
        if not isinstance(node, Access) or not isinstance(node.root, Name):
            self._fault("partiql.path-step", place=node.token.place)
            return None
        steps: list[expression.Step] = [node.root.name]
        for step in node.steps:
            if isinstance(step, Name | Text):
                steps.append(step.name if isinstance(step, Name) else step.value)
            elif isinstance(step, Number) and _is_index(step.text):
                steps.append(int(step.text))
            else:
                self._fault("partiql.path-step", place=node.token.place)
                return None
        return Path(tuple(steps))

    # Updates

    def update(self, actions: Iterable[Any]) -> expression.Update | None:
        """SET and REMOVE as actions of an update; None when one of them is refused."""
        compiled = [self._action(action) for action in actions]
        if None in compiled:
            return None
        update = expression.Update(tuple(action for action in compiled if action is not None))
        for overlap in check_paths("Update", update, (), {}):
            self._fault("partiql.path-overlap", one=overlap.params["one"], two=overlap.params["two"])
        return update

    def _action(self, action: Any) -> expression.Action | None:
        if not isinstance(action, Assign | Remove):
            self._fault("partiql.unsupported-operation", operation="Dml")
            return None
        target = self.path(action.target)
        if isinstance(action, Remove):
            return None if target is None else expression.Remove(target)
        if isinstance(action.value, Function) and action.value.name in _SET_FUNCTIONS:
            return self._set_function(action.value, target)
        value = self._assigned(action.value)
        return None if target is None or value is None else expression.Set(target, value)

    def _set_function(self, call: Function, target: Path | None) -> expression.Action | None:
        name, place = call.name.upper(), call.token.place
        if len(call.arguments) != 2:
            self._fault("partiql.set-arguments", function=name, place=place)
            return None
        first, second = call.arguments
        same = isinstance(first, Name | Access) and self.path(first) == target
        if not same:
            self._fault("partiql.set-first-argument", function=name, place=place)
        value = self._values.of(second) if isinstance(second, LITERALS) else None
        if value is not None and type_of(value) in ("SS", "NS", "BS"):
            action = _SET_FUNCTIONS[call.name]
            return action(target, expression.Literal(value)) if same and target is not None else None
        if value is not None or not isinstance(second, LITERALS):
            self._fault("partiql.set-second-argument", function=name, place=first.token.place)
        return None

    def _assigned(self, node: Expression) -> Operand | None:
        """What an attribute is set to: a value, another attribute, a sum, or a function of these."""
        if isinstance(node, Operation) and node.operator in ("+", "-") and len(node.operands) == 2:
            left, right = (self._assigned(operand) for operand in node.operands)
            self._check_types(node.operator, (left, right), frozenset({"N"}))
            if left is None or right is None:
                return None
            return expression.Arithmetic("+" if node.operator == "+" else "-", left, right)
        if isinstance(node, Function):
            return self._update_call(node)
        return self._operand(node)

    def _update_call(self, node: Function) -> Operand | None:
        if node.name not in ("list_append", "if_not_exists"):
            self._fault("partiql.unknown-function", function=node.name, place=node.token.place)
            return None
        if len(node.arguments) != 2:
            self._fault("partiql.operand-count", operator=node.name, count=len(node.arguments))
            return None
        arguments = [self._assigned(argument) for argument in node.arguments]
        if node.name == "list_append":
            self._check_types(node.name, arguments, frozenset({"L"}))
        elif arguments[0] is not None and not isinstance(arguments[0], Path):
            self._fault("partiql.path-required", operator=node.name)
        if None in arguments:
            return None
        return Call(node.name, tuple(argument for argument in arguments if argument is not None))


_SET_FUNCTIONS: dict[str, Callable[[Path, Operand], expression.Action]] = {
    "set_add": expression.Add,
    "set_delete": expression.Delete,
}


def _is_index(text: str) -> bool:
    return text.isdigit() and len(text) <= 10 and int(text) <= MAX_INDEX
