"""Expression text → tree, with the answers that need no placeholders.

The language is read by recursive descent, but on a stack of generators instead of the interpreter's own: hostile
nesting costs memory in proportion to its length and nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from reference.expressions.reserved import is_reserved
from reference.expressions.tokens import CONDITION_WORDS, UPDATE_WORDS, Token, near, tokenise
from reference.expressions.tree import (
    Action,
    Add,
    Alias,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Condition,
    Delete,
    In,
    Kind,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
    Set,
    Step,
    Tree,
    Update,
)
from reference.rules import Violation, violation

REMEMBERED_LENGTH = 1024
"""Characters of the longest text whose tree is remembered: what is remembered stays small, whatever is sent."""
MAX_BYTES = 4096
MAX_OPERATORS = 300
MAX_STEPS = 32
MAX_INDEX = 2**31 - 1
MAX_CALLS = {"Update": 256, "Condition": 8, "Filter": 8, "KeyCondition": 8, "SearchCondition": 8}
"""Function calls inside each other that any valid expression can have, and more: 4,096 bytes hold 256 if_not_exists."""
CONDITION_FUNCTIONS = frozenset(
    {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"}
)
UPDATE_FUNCTIONS = frozenset({"if_not_exists", "list_append"})
FUNCTIONS = CONDITION_FUNCTIONS | UPDATE_FUNCTIONS
_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_SIGNS: tuple[Literal["+"], Literal["-"]] = ("+", "-")
_Steps: TypeAlias = Generator[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one expression text says.

    ``tree`` is None when the text cannot be read. ``aliases`` and ``placeholders`` are the ``#names`` and ``:values``
    it uses, each once, in the order of first use. ``faults`` are the violations that do not depend on what these stand
    for, in the service's order; ``late`` those that are checked after everything else (dataplane:EXPR-25).
    """

    kind: Kind
    text: str
    tree: Tree | None
    aliases: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    faults: tuple[Violation, ...] = ()
    late: tuple[Violation, ...] = ()


def parse(kind: Kind, text: str) -> Parsed:
    """The expression as data. Pure; any string is answered, in time linear in its length."""
    return _parse(kind, text) if len(text) <= REMEMBERED_LENGTH else _parse.__wrapped__(kind, text)


@functools.lru_cache(maxsize=2048)
def _parse(kind: Kind, text: str) -> Parsed:
    if not text:
        return Parsed(kind, text, None, faults=(violation("expressions.empty", kind=kind),))
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        # Recorded with the number for conditions and filters only.
        detail = f" expression size: {size}" if kind in ("Condition", "Filter") else ""
        return Parsed(kind, text, None, faults=(violation("expressions.size", kind=kind, detail=detail),))
    reader = _Reader(kind, text)
    try:
        tree = reader.read()
    except _UnexpectedTokenError:
        token = reader.token
        fault = violation(
            "expressions.syntax",
            kind=kind,
            token="<EOF>" if token.kind == "end" else token.text,
            near=near(text, reader.tokens, reader.at),
        )
        return Parsed(kind, text, None, faults=(fault,))
    faults, late = reader.faults()
    if reader.too_nested:
        # Calls nested this deep are always refused; if for nothing else, then because size() takes no number.
        if not faults and not late:
            late.append(violation("expressions.operand-type", kind=kind, operator="size", type="N"))
        return Parsed(kind, text, None, faults=(*faults, *late))
    if reader.operators > MAX_OPERATORS:
        return Parsed(kind, text, None, faults=(*faults, *late))
    return Parsed(kind, text, tree, tuple(reader.aliases), tuple(reader.placeholders), tuple(faults), tuple(late))


class _UnexpectedTokenError(Exception):
    """The reader's current token cannot stand where it stands."""


class _Reader:
    """One pass over the tokens of one expression; collects the tree and the faults that come with it."""

    def __init__(self, kind: Kind, text: str) -> None:
        words = UPDATE_WORDS if kind == "Update" else frozenset() if kind == "Projection" else CONDITION_WORDS
        self.kind: Kind = kind
        self.tokens = tokenise(text, words)
        self.at = 0
        self.operators = 0
        self.too_nested = False
        self.aliases: dict[str, None] = {}
        self.placeholders: dict[str, None] = {}
        self._calls = 0
        self._groups: dict[int, int] = {}
        self._redundant = False
        self._unknown: list[str] = []
        self._misused: list[str] = []
        self._foreign: list[str] = []
        self._reserved: list[str] = []
        self._too_deep: list[int] = []
        self._bad_index: list[str] = []
        self._sections: list[str] = []

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def read(self) -> Tree:
        if self.kind == "Projection":
            return self._projection()
        tree: Tree = _run(self._update() if self.kind == "Update" else self._whole_condition())
        return tree

    def faults(self) -> tuple[list[Violation], list[Violation]]:
        """What is wrong with the text just read: the early and the late violations."""
        kind = self.kind
        early: list[Violation] = []
        if self.operators > MAX_OPERATORS:
            early.append(violation("expressions.operators", kind=kind, count=self.operators))
        if self._redundant:
            early.append(violation("expressions.redundant-parentheses", kind=kind))
        unknown = [violation("expressions.unknown-function", kind=kind, function=f) for f in self._unknown[:1]]
        misused = [violation(self._misuse(f), kind=kind, function=f) for f in self._misused[:1]]
        foreign = [violation(self._misuse(f), kind=kind, function=f) for f in self._foreign[:1]]
        reserved = [violation("expressions.reserved-word", kind=kind, word=w) for w in self._reserved[:1]]
        late: list[Violation] = []
        if kind == "Update":
            early += reserved + unknown + foreign
            early += [violation("expressions.section-twice", section=s) for s in self._sections[:1]]
            late = misused
        else:
            early += unknown + misused + reserved
        early += [violation("expressions.path-depth", kind=kind, levels=n) for n in self._too_deep[:1]]
        early += [violation("expressions.list-index", kind=kind, index=i) for i in self._bad_index[:1]]
        return early, late

    def _misuse(self, function: str) -> str:
        """The rule that a function breaks which may not stand where it stands."""
        if self.kind == "Update":
            return (
                "expressions.foreign-to-update" if function in CONDITION_FUNCTIONS else "expressions.misused-function"
            )
        return "expressions.foreign-to-condition" if function in UPDATE_FUNCTIONS else "expressions.misused-function"

    def _take(self, kind: str) -> Token:
        token = self.tokens[self.at]
        if token.kind != kind:
            raise _UnexpectedTokenError
        self.at += 1
        return token

    def _took(self, kind: str) -> bool:
        if self.tokens[self.at].kind == kind:
            self.at += 1
            return True
        return False

    # Conditions

    def _whole_condition(self) -> _Steps:
        condition = yield self._disjunction()
        self._need_condition(condition)
        self._take("end")
        self._place(condition)
        return condition

    def _disjunction(self) -> _Steps:
        return self._chain("OR", self._conjunction, Or)

    def _conjunction(self) -> _Steps:
        return self._chain("AND", self._negation, And)

    def _chain(self, word: str, part: Callable[[], _Steps], node: type[And] | type[Or]) -> _Steps:
        first = yield part()
        if self.token.kind != word:
            return first
        self._need_condition(first)
        parts = [first]
        while self._took(word):
            self.operators += 1
            parts.append((yield part()))
            self._need_condition(parts[-1])
        for each in parts:
            self._place(each)
        return node(tuple(parts))

    def _negation(self) -> _Steps:
        count = 0
        while self._took("NOT"):
            count += 1
        self.operators += count
        condition: Any = yield self._comparison()
        if count:
            self._need_condition(condition)
            self._place(condition)
        for _ in range(count):
            condition = Not(condition)
        return condition

    def _comparison(self) -> _Steps:
        left: Any = (yield self._group()) if self.token.kind == "(" else (yield self._operand())
        if not isinstance(left, Path | Placeholder | Call):
            return left
        token = self.token
        if token.kind in _COMPARATORS:
            self.at += 1
            self.operators += 1
            right: Operand = yield self._operand()
            self._operands(left, right)
            return Compare(token.kind, left, right)
        if self._took("BETWEEN"):
            self.operators += 1
            low = yield self._operand()
            self._take("AND")
            high = yield self._operand()
            self._operands(left, low, high)
            return Between(left, low, high)
        if self._took("IN"):
            self.operators += 1
            options = yield self._arguments()
            self._operands(left, *options)
            return In(left, tuple(options))
        return left

    def _group(self) -> _Steps:
        start = self.at
        self._take("(")
        inner = yield self._disjunction()
        self._close(start)
        return self._continued(inner)

    def _close(self, start: int) -> None:
        """Ends the parentheses opened at token ``start``; a pair that holds nothing but another pair is redundant."""
        end = self.at
        self._take(")")
        self._groups[start] = end
        if self._groups.get(start + 1) == end - 1:
            self._redundant = True

    def _need_condition(self, node: Condition | Operand) -> None:
        if isinstance(node, Path | Placeholder):
            raise _UnexpectedTokenError

    def _place(self, node: Condition) -> None:
        """Notes a function that stands as a condition and may not."""
        if isinstance(node, Call) and (node.function == "size" or node.function in UPDATE_FUNCTIONS):
            self._misused.append(node.function)

    def _operands(self, *operands: Operand) -> None:
        """Notes functions that stand as operands of a condition and may not: all but size()."""
        for operand in operands:
            if isinstance(operand, Call) and operand.function != "size" and operand.function in FUNCTIONS:
                self._misused.append(operand.function)

    # Operands

    def _operand(self) -> _Steps:
        token = self.token
        if token.kind == "(":
            start = self.at
            self.at += 1
            inner = yield self._operand()
            self._close(start)
            return self._continued(inner)
        if token.kind == "value":
            self.at += 1
            self.placeholders[token.text] = None
            return Placeholder(token.text)
        if token.kind == "name" and self.tokens[self.at + 1].kind == "(":
            self.at += 1
            self._calls += 1
            if self._calls > MAX_CALLS[self.kind]:
                self.too_nested = True
            arguments = yield self._arguments()
            self._calls -= 1
            return self._call(token.text, tuple(arguments))
        return self._path()

    def _arguments(self) -> _Steps:
        self._take("(")
        arguments = [(yield self._operand())]
        while self._took(","):
            arguments.append((yield self._operand()))
        self._take(")")
        return arguments

    def _call(self, name: str, arguments: tuple[Operand, ...]) -> Call:
        if name not in FUNCTIONS:
            self._unknown.append(name)
        if self.kind != "Update":
            self._operands(*arguments)
        elif name in CONDITION_FUNCTIONS:
            self._foreign.append(name)
        elif name == "list_append":
            self._misused += [a.function for a in arguments if isinstance(a, Call) and a.function == "list_append"]
        return Call(name, arguments)

    def _path(self) -> Path:
        return self._steps([self._name()])

    def _continued(self, inner: Condition | Operand) -> Condition | Operand:
        """A path in parentheses may go on behind them, but not in an update expression."""
        if isinstance(inner, Path) and self.token.kind in (".", "[") and self.kind != "Update":
            return self._steps(list(inner.steps))
        return inner

    def _steps(self, steps: list[Step]) -> Path:
        while True:
            if self._took("."):
                steps.append(self._name())
            elif self._took("["):
                digits = self._take("index").text
                self._take("]")
                steps.append(self._index(digits))
            else:
                break
        if len(steps) > MAX_STEPS:
            self._too_deep.append(len(steps))
        return Path(tuple(steps))

    def _index(self, digits: str) -> int:
        # At most 4,096 digits: the interpreter converts that many without complaint.
        index = int(digits)
        if index > MAX_INDEX:
            self._bad_index.append(digits)
        return index

    def _name(self) -> Step:
        token = self.token
        if token.kind == "alias":
            self.at += 1
            self.aliases[token.text] = None
            return Alias(token.text)
        name = self._take("name").text
        if is_reserved(name):
            self._reserved.append(name)
        return name

    # Updates

    def _update(self) -> _Steps:
        actions: list[Action] = []
        seen: set[str] = set()
        while True:
            section = self.token.kind
            if section not in UPDATE_WORDS:
                raise _UnexpectedTokenError
            self.at += 1
            if section in seen:
                self._sections.append(section)
            seen.add(section)
            actions.append((yield self._action(section)))
            while self._took(","):
                actions.append((yield self._action(section)))
            if self._took("end"):
                return Update(tuple(actions))

    def _action(self, section: str) -> _Steps:
        target = self._path()
        if section == "REMOVE":
            return Remove(target)
        if section == "SET":
            self._take("=")
            return Set(target, (yield self._value()))
        token = self._take("value")
        self.placeholders[token.text] = None
        value = Placeholder(token.text)
        return Add(target, value) if section == "ADD" else Delete(target, value)

    def _value(self) -> _Steps:
        if self.token.kind == "(":
            start = self.at
            self.at += 1
            left = yield self._value()
            self._close(start)
            if isinstance(left, Arithmetic):
                return left
        else:
            left = yield self._operand()
        for operator in _SIGNS:
            if self._took(operator):
                self.operators += 1
                return Arithmetic(operator, left, (yield self._operand()))
        return left

    # Projections

    def _projection(self) -> Projection:
        paths = [self._path()]
        while self._took(","):
            paths.append(self._path())
        self._take("end")
        return Projection(tuple(paths))


def _run(start: _Steps) -> Any:
    """Runs generators that yield the generators they wait for; the result of the first."""
    stack = [start]
    result: Any = None
    while stack:
        try:
            stack.append(stack[-1].send(result))
            result = None
        except StopIteration as stop:
            stack.pop()
            result = stop.value
    return result
