"""Expressions of PartiQL, read by precedence.

The reader runs on a stack of generators instead of the interpreter's own (``run``): each method that reads something of
unknown depth is a generator that yields the generators it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

from reference.partiql.lexer import KEYWORDS, Token
from reference.partiql.tree import (
    Access,
    Constant,
    Expression,
    Function,
    IsType,
    Name,
    Number,
    Operation,
    Parameter,
    Sequence,
    Struct,
    Text,
    Unary,
)

_PRECEDENCE = {
    "or": 10, "and": 20, "not": 30,
    "=": 40, "<>": 40, "is": 40, "is not": 40, "in": 40, "not in": 40,
    "<": 50, "<=": 50, ">": 50, ">=": 50, "between": 50, "not between": 50, "like": 50, "not like": 50,
    "+": 60, "-": 60, "||": 60, "*": 70, "/": 70, "%": 70,
}  # fmt: skip
_OPERATORS = frozenset({"and", "or", "not", "is", "in", "between", "like", "@", *_PRECEDENCE})
_AFTER_SELECT = 6
"""The precedence from which on an expression inside SELECT is read."""

_FUNCTION_WORDS = frozenset(
    {
        "avg", "bag", "bit_length", "char_length", "character_length", "count", "exists", "list", "lower", "max", "min",
        "octet_length", "sexp", "size", "sum", "upper",
    }
)  # fmt: skip
TYPE_NAMES = frozenset(
    {
        "any", "bag", "bigint", "blob", "bool", "boolean", "char", "character", "clob", "date", "dec", "decimal",
        "float", "int", "int2", "int4", "int8", "integer", "integer2", "integer4", "integer8", "list", "missing",
        "null", "numeric", "real", "sexp", "smallint", "string", "struct", "symbol", "time", "timestamp", "tuple",
        "varchar",
    }
)  # fmt: skip
"""The words that may stand behind IS, beside ``double precision`` and ``character varying``."""
_TWO_WORD_TYPES = {"double": "precision", "character": "varying"}
_CLOSING = {"]": "RIGHT_BRACKET", ">>": "RIGHT_DOUBLE_ANGLE_BRACKET", "}": "RIGHT_CURLY", ")": "RIGHT_PAREN"}

Steps: TypeAlias = Generator[Any, Any, Any]


class PartiqlSyntaxError(Exception):
    """The tokens can't go on so; ``detail`` is what the service says of it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ExpressionReader:
    """One pass over the tokens of one statement; its terms that are statements are read by a subclass."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.parameters = 0

    @property
    def head(self) -> Token:
        """The token to be read next."""
        return self.tokens[self.at]

    def _peek(self, ahead: int = 1) -> str:
        at = self.at + ahead
        return self.tokens[at].kind if at < len(self.tokens) else ""

    def _next(self) -> Token:
        token = self.tokens[self.at]
        if token.kind:
            self.at += 1
        return token

    def _took(self, kind: str) -> bool:
        if self.head.kind != kind:
            return False
        self.at += 1
        return True

    def _close(self, kind: str) -> None:
        if not self._took(kind):
            raise PartiqlSyntaxError(f"Expected {_CLOSING[kind]}")

    def _keyword(self, word: str, detail: str | None = None) -> None:
        if not self._took(word):
            raise PartiqlSyntaxError(detail or f"Expected KEYWORD {word}")

    # Expressions by precedence

    def _expression(self, precedence: int = -1) -> Steps:
        left = yield self._prefixed()
        while True:
            operator, width = self._infix()
            if operator is None or precedence >= _PRECEDENCE[operator]:
                return left
            token = self.head
            rest = len(self.tokens) - self.at - width + 1
            self.at += width
            if operator in ("is", "is not"):
                left = IsType(left, self._type(), token)
                left = Unary("not", left, token) if operator == "is not" else left
                continue
            listed = operator in ("in", "not in") and self.head.kind == "(" and self._peek() not in ("select", "values")
            if listed:
                opening = self._next()
                right: Any = Sequence("list", (yield self._list()), opening)
                self._close(")")
            else:
                if rest < 3:
                    raise PartiqlSyntaxError("Missing right-hand side expression of infix operator")
                right = yield self._expression(_PRECEDENCE[operator])
            left = yield self._combined(operator, left, right, token)

    def _infix(self) -> tuple[str | None, int]:
        """The operator that goes on with an expression here, and how many tokens it is."""
        kind, after = self.head.kind, self._peek()
        if kind == "not" and after in ("in", "between", "like"):
            return f"not {after}", 2
        if kind == "is" and after == "not":
            return "is not", 2
        return (kind, 1) if kind in _PRECEDENCE and kind != "not" else (None, 0)

    def _combined(self, operator: str, left: Any, right: Any, token: Token) -> Steps:
        word = operator.removeprefix("not ")
        node: Expression
        if word == "between":
            self._keyword("and")
            if self.head.kind in ("", ";"):
                raise PartiqlSyntaxError("Expected expression after AND")
            node = Operation(word, (left, right, (yield self._expression(_PRECEDENCE[word]))), token)
        elif word == "like" and self._took("escape"):
            node = Operation(word, (left, right, (yield self._expression(_PRECEDENCE[word]))), token)
        elif word in ("and", "or") and isinstance(left, Operation) and left.operator == word:
            node = replace(left, operands=(*left.operands, right))
        else:
            node = Operation(word, (left, right), token)
        return Unary("not", node, token) if word != operator else node

    def _type(self) -> str:
        first = self.head.kind
        second = _TWO_WORD_TYPES.get(first)
        if second is not None and self._peek() == second:
            self.at += 2
            return f"{first} {second}"
        if first not in TYPE_NAMES:
            raise PartiqlSyntaxError("Expected type name")
        self.at += 1
        return first

    def _prefixed(self) -> Steps:
        token = self.head
        if token.kind == "not":
            self.at += 1
            return Unary("not", (yield self._expression(_PRECEDENCE["not"])), token)
        if token.kind not in ("+", "-"):
            return (yield self._path())
        self.at += 1
        operand = yield self._prefixed()
        if not isinstance(operand, Number):
            return Unary(token.kind, operand, token)
        if token.kind == "+":
            return operand
        negated = operand.text[1:] if operand.text.startswith("-") else f"-{operand.text}"
        return Number(negated, operand.token)

    # Paths and terms

    def _simple_path(self) -> Steps:
        if self.head.kind not in ("name", "quoted"):
            raise PartiqlSyntaxError("Expected identifier for simple path")
        return (yield self._steps(self._named(), simple=True))

    def _path(self) -> Steps:
        return (yield self._steps((yield self._term()), simple=False))

    def _steps(self, root: Expression, *, simple: bool) -> Steps:
        start = root.token
        steps: list[Expression | None] = []
        while True:
            if self._took("."):
                if self.head.kind == "*" and not simple:
                    self.at += 1
                    steps.append(None)
                elif self.head.kind in ("name", "quoted"):
                    steps.append(self._named())
                else:
                    star = " for simple path" if self.head.kind == "*" else ""
                    raise PartiqlSyntaxError(f"Invalid path dot component{star}")
            elif self._took("["):
                if self._took("*"):
                    step: Expression | None = None
                else:
                    step = yield self._expression()
                self._close("]")
                if simple and not isinstance(step, Text | Number | Constant | Name | Parameter):
                    raise PartiqlSyntaxError("Invalid path component for simple path")
                steps.append(step)
            else:
                return Access(root, tuple(steps), start) if steps else root

    def _named(self) -> Name:
        token = self._next()
        return Name(token.text, token)

    def _term(self) -> Steps:
        token = self.head
        kind = token.kind
        if kind in ("name", "quoted"):
            if self._peek() == "(":
                self.at += 1
                return (yield self._call(token))
            return self._named()
        if kind in _LITERALS:
            self.at += 1
            return _LITERALS[kind](token)
        if kind == "?":
            self.at += 1
            self.parameters += 1
            return Parameter(self.parameters - 1, token)
        opened = self._OPENED.get(kind)
        if opened is not None:
            self.at += 1
            return (yield opened(self, token))
        if kind in _OPERATORS:
            raise PartiqlSyntaxError("Unexpected operator")
        if kind not in KEYWORDS:
            raise PartiqlSyntaxError("Unexpected term")
        return (yield self._worded(token))

    def _worded(self, token: Token) -> Steps:
        """A term that begins with a keyword: a statement or a function."""
        statement = self._statement(token.kind)
        if statement is not None:
            return (yield statement)
        if token.kind in _FUNCTION_WORDS and self._peek() == "(":
            self.at += 1
            return (yield self._call(token))
        raise PartiqlSyntaxError("Unexpected keyword")

    def _statement(self, _word: str) -> Steps | None:
        """What reads the statement that begins with that keyword, None when none does."""
        return None

    def _group(self, _token: Token) -> Steps:
        elements = yield self._list()
        self._close(")")
        return elements[0] if len(elements) == 1 else Sequence("list", elements, _token)

    def _bracketed(self, token: Token) -> Steps:
        if self._took("]"):
            return Sequence("list", (), token)
        elements = yield self._list()
        self._close("]")
        return Sequence("list", elements, token)

    def _bag(self, token: Token) -> Steps:
        if self._took(">>"):
            return Sequence("bag", (), token)
        elements = yield self._list()
        self._close(">>")
        return Sequence("bag", elements, token)

    def _struct(self, token: Token) -> Steps:
        members = []
        if self._took("}"):
            return Struct((), token)
        while True:
            key = yield self._expression()
            if not self._took(":"):
                raise PartiqlSyntaxError("Expected COLON")
            members.append((key, (yield self._expression())))
            if not self._took(","):
                break
        self._close("}")
        return Struct(tuple(members), token)

    def _list(self) -> Steps:
        elements = [(yield self._expression())]
        while self._took(","):
            elements.append((yield self._expression()))
        return tuple(elements)

    def _call(self, token: Token) -> Steps:
        name = token.text.lower()
        self.at += 1
        if self._took(")"):
            return Function(name, (), token)
        if self._took("*"):
            if name != "count":
                raise PartiqlSyntaxError(f"{name}(*) is not allowed")
            self._close(")")
            return Function(name, (), token, star=True)
        arguments = yield self._list()
        self._close(")")
        return Function(name, arguments, token)

    _OPENED: ClassVar[dict[str, Callable[[ExpressionReader, Token], Steps]]] = {
        "(": _group,
        "[": _bracketed,
        "<<": _bag,
        "{": _struct,
    }


def _constant(token: Token) -> Constant:
    return Constant(token.kind, token)


_LITERALS: dict[str, Callable[[Token], Expression]] = {
    "string": lambda token: Text(token.text, token),
    "number": lambda token: Number(token.text, token),
    **dict.fromkeys(("true", "false", "null", "missing"), _constant),
}


def run(start: Steps) -> Any:
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
