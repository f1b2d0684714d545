"""Tokens → tree, refusing what the grammar refuses, in its words (dataplane:PQL-1 to PQL-4).

The grammar is the one of PartiQL's reference implementation, in which a statement is an expression: operators by
precedence, statements as terms.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from reference.expressions.parser import REMEMBERED_LENGTH
from reference.partiql.expressions import ExpressionReader, PartiqlSyntaxError, Steps, run
from reference.partiql.lexer import tokenise
from reference.partiql.tree import (
    Assign,
    Change,
    Constant,
    Delete,
    Expression,
    Insert,
    Item,
    Order,
    Remove,
    Select,
    Source,
    nesting,
)
from reference.rules import Violation, violation

MAX_NESTING = 100
"""Expressions inside each other that are looked into; what is nested deeper is refused."""

_AFTER_SELECT = 6
"""The precedence from which on an expression inside SELECT is read."""

_CLAUSES = ("let", "group", "having", "limit", "offset")
_RECORDED = frozenset(
    {
        "Expected data manipulation",
        "Expected identifier for simple path",
        "Expected type name",
        "Invalid path dot component",
        "Missing right-hand side expression of infix operator",
        "Unexpected keyword",
        "Unexpected operator",
        "Unexpected term",
        "Unexpected token after expression",
    }
)
"""Details that AWS was seen to give; the others are what the reference implementation says."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a statement says and how many parameters it takes, or the violation that keeps it from saying anything."""

    tree: Expression | None
    parameters: int = 0
    fault: Violation | None = None


def parse(statement: str) -> Parsed:
    """The statement as data. Pure; any text is answered, in time linear in its length."""
    return _parse(statement) if len(statement) <= REMEMBERED_LENGTH else _parse.__wrapped__(statement)


@functools.lru_cache(maxsize=1024)
def _parse(statement: str) -> Parsed:
    tokens = tokenise(statement)
    if tokens is None:
        return Parsed(None, fault=violation("partiql.unreadable"))
    reader = _Reader(tokens)
    try:
        tree = run(reader.statement())
    except PartiqlSyntaxError as error:
        name = "partiql.syntax" if error.detail in _RECORDED else "partiql.syntax-detail"
        return Parsed(None, fault=violation(name, detail=error.detail))
    if nesting(tree) > MAX_NESTING:
        return Parsed(None, fault=violation("partiql.nesting"))
    return Parsed(tree, reader.parameters)


class _Reader(ExpressionReader):
    """Reads statements, each a term of the expression it stands in."""

    def statement(self) -> Steps:
        """One statement and nothing behind it but a semicolon."""
        tree = yield self._expression()
        if self._took(";") and self.head.kind:
            raise PartiqlSyntaxError("Unexpected token after semicolon. (Only one query is allowed.)")
        if self.head.kind:
            raise PartiqlSyntaxError("Unexpected token after expression")
        return tree

    def _statement(self, word: str) -> Steps | None:
        statement = self._STATEMENTS.get(word)
        return None if statement is None else statement(self)

    def _select(self) -> Steps:
        token = self._next()
        unsupported = self._next() if self.head.kind in ("distinct", "value") else None
        self._took("all")
        items = [(yield self._item())]
        while self._took(","):
            items.append((yield self._item()))
        if len(items) > 1 and any(item.expression is None for item in items):
            raise PartiqlSyntaxError(
                "Other expressions may not be present in the select list when '*' is used without dot notation."
            )
        self._keyword("from", "Expected FROM after SELECT list")
        source = yield self._source((yield self._expression(_AFTER_SELECT)))
        where = (yield self._expression(_AFTER_SELECT)) if self._took("where") else None
        unsupported = (yield self._clauses()) or unsupported
        order: tuple[Order, ...] = ()
        if self._took("order"):
            self._keyword("by")
            order = yield self._order()
            unsupported = (yield self._clauses()) or unsupported
        return Select(tuple(items), source, where, order, unsupported, token)

    def _item(self) -> Steps:
        token = self.head
        if self._took("*"):
            return Item(None, alias=False, token=token)
        expression = yield self._expression()
        return Item(expression, self._alias(), token)

    def _source(self, path: Expression) -> Steps:
        """What follows FROM, UPDATE or DELETE FROM: its path has been read, an alias may follow."""
        yield from ()
        return Source(path, self._alias())

    def _alias(self) -> bool:
        if self._took("as"):
            if self.head.kind not in ("name", "quoted"):
                raise PartiqlSyntaxError("Expected identifier for AS-alias")
            self.at += 1
            return True
        return self._took("name") or self._took("quoted")

    def _clauses(self) -> Steps:
        """Clauses that PartiQL knows and DynamoDB doesn't; the first one's token."""
        first = None
        while self.head.kind in _CLAUSES:
            token = self._next()
            first = first or token
            if token.kind == "group":
                self._keyword("by")
            yield self._list()
        return first

    def _order(self) -> Steps:
        keys = []
        while True:
            key = yield self._expression(_AFTER_SELECT)
            descending = self._took("desc")
            if not descending:
                self._took("asc")
            keys.append(Order(key, descending))
            if not self._took(","):
                return tuple(keys)

    def _insert(self) -> Steps:
        token = self._next()
        if not self._took("into"):
            raise PartiqlSyntaxError("Unexpected keyword")
        target = yield self._simple_path()
        one = self._took("value")
        return Insert(target, (yield self._expression()), one, token)

    def _update(self) -> Steps:
        token = self._next()
        source = yield self._source((yield self._simple_path()))
        actions = yield self._actions()
        where = (yield self._expression()) if self._took("where") else None
        return Change(source, actions, where, self._returning(), token)

    def _from(self) -> Steps:
        token = self._next()
        source = yield self._source((yield self._expression()))
        where = (yield self._expression()) if self._took("where") else None
        actions = yield self._actions()
        return Change(source, actions, where, self._returning(), token)

    def _alone(self) -> Steps:
        """SET or REMOVE that belongs to nothing."""
        token = self.head
        actions = yield self._actions()
        return Change(Source(Constant("missing", token), alias=False), actions, None, None, token)

    def _actions(self) -> Steps:
        actions: list[Any] = []
        while True:
            if self._took("set"):
                actions += yield self._assignments()
            elif self._took("remove"):
                actions.append(Remove((yield self._simple_path())))
            elif self.head.kind == "insert" and self._peek() == "into":
                actions.append((yield self._insert()))
            elif actions:
                return tuple(actions)
            else:
                raise PartiqlSyntaxError("Expected data manipulation")

    def _assignments(self) -> Steps:
        assignments = []
        while True:
            target = yield self._simple_path()
            if not self._took("="):
                raise PartiqlSyntaxError("Expected '='")
            assignments.append(Assign(target, (yield self._expression())))
            if not self._took(","):
                return assignments

    def _delete(self) -> Steps:
        token = self._next()
        self._keyword("from", "Expected FROM after DELETE")
        source = yield self._source((yield self._simple_path()))
        where = (yield self._expression()) if self._took("where") else None
        return Delete(source, where, self._returning(), token)

    def _returning(self) -> str | None:
        if not self._took("returning"):
            return None
        scope, which = self._next().kind, self._next().kind
        if scope not in ("all", "modified") or which not in ("old", "new"):
            raise PartiqlSyntaxError("Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element.")
        if not self._took("*"):
            raise PartiqlSyntaxError("Expected * in the returning clause")
        return f"{scope} {which}".upper()

    _STATEMENTS: ClassVar[dict[str, Callable[[_Reader], Steps]]] = {
        "select": _select,
        "insert": _insert,
        "update": _update,
        "delete": _delete,
        "from": _from,
        "set": _alone,
        "remove": _alone,
    }
