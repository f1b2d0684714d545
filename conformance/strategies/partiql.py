"""PartiQL statements over a table: what the grammar offers, and statements with a native twin."""

from __future__ import annotations

import re
from typing import Any

from conformance.strategies import values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.requests import key
from conformance.strategies.schemas import TableWorld
from reference.expressions.reserved import RESERVED

Body = dict[str, Any]
SIMPLE = ("S", "N", "BOOL", "NULL", "L", "M", "SS", "NS")
PLAIN_NUMBERS = ("0", "1", "2", "10", "-1", "1.5", "0.1", "100")


class Statement:
    """Builds one statement; values stand as literals or as parameters."""

    def __init__(self, draw: Draw, world: TableWorld, *, literals: bool) -> None:
        self.draw = draw
        self.world = world
        self.literals = literals
        self.parameters: list[Body] = []

    def value(self, value: Body) -> str:
        """A value, written out where the grammar can, else as ``?``."""
        text = literal(value) if self.literals else None
        if text is not None:
            return text
        self.parameters.append(value)
        return "?"

    def body(self, text: str) -> Body:
        """The request."""
        return {"Statement": text, **({"Parameters": self.parameters} if self.parameters else {})}

    @property
    def table(self) -> str:
        """The quoted table name."""
        return f'"{self.world.reference}"'

    def where_key(self, at: Body) -> str:
        """Equality on every key attribute."""
        return " AND ".join(f"{quoted(name)} = {self.value(at[name])}" for name, _ in self.world.keys)


_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch


def quoted(name: str) -> str:
    """An attribute's name as a statement writes it: bare where the grammar allows."""
    if _BARE(name) and name.upper() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: Body) -> str | None:
    """A value as PartiQL writes it, None where it can't (binary, odd numbers)."""
    ((kind, content),) = value.items()
    if kind == "S":
        return "'" + content.replace("'", "''") + "'" if "\0" not in content else None
    if kind == "N":
        return str(content) if content in PLAIN_NUMBERS else None
    if kind == "BOOL":
        return "true" if content else "false"
    if kind == "NULL":
        return "null"
    if kind == "L":
        inner = [literal(element) for element in content]
        return None if None in inner else f"[{', '.join(map(str, inner))}]"
    if kind == "M":
        members = {name: literal(element) for name, element in content.items()}
        if None in members.values() or any("'" in name for name in members):
            return None
        return "{" + ", ".join(f"'{name}': {text}" for name, text in members.items()) + "}"
    if kind in ("SS", "NS"):
        parts = [literal({kind[0]: member}) for member in content]
        return None if None in parts else f"<<{', '.join(map(str, parts))}>>"
    return None


def insert(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """An INSERT, of a new item mostly."""
    statement = Statement(draw, world, literals=chance(draw, 60))
    item: Body = key(draw, world, known if chance(draw, 20) else [])
    for name in some(draw, world.attributes, most=2):
        item[name] = values.value(draw, depth=1, types=SIMPLE)
    for name, kind in world.index_keys.items():
        if chance(draw, 60):
            item[name] = values.key_value(draw, kind)
    members = ", ".join(f"'{name}': {statement.value(value)}" for name, value in item.items())
    return statement.body(f"INSERT INTO {statement.table} VALUE {{{members}}}")


def update(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """An UPDATE by full key, with a further predicate and RETURNING at times."""
    statement = Statement(draw, world, literals=chance(draw, 60))
    at = key(draw, world, known)
    clauses = []
    for name in some(draw, world.attributes, least=1, most=2):
        kind = pick(draw, ("set", "set", "remove", "plus"))
        if kind == "remove":
            clauses.append(f"REMOVE {quoted(name)}")
        elif kind == "plus":
            clauses.append(f"SET {quoted(name)} = {quoted(name)} + {statement.value({'N': '1'})}")
        else:
            clauses.append(f"SET {quoted(name)} = {statement.value(values.value(draw, depth=1, types=SIMPLE))}")
    where = statement.where_key(at)
    if chance(draw, 30):
        where += f" AND {predicate(statement, known)}"
    returning = (
        f" RETURNING {pick(draw, ('ALL', 'MODIFIED'))} {pick(draw, ('OLD', 'NEW'))} *" if chance(draw, 50) else ""
    )
    return statement.body(f"UPDATE {statement.table} {' '.join(clauses)} WHERE {where}{returning}")


def delete(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """A DELETE by full key."""
    statement = Statement(draw, world, literals=chance(draw, 60))
    where = statement.where_key(key(draw, world, known))
    if chance(draw, 30):
        where += f" AND {predicate(statement, known)}"
    return statement.body(f"DELETE FROM {statement.table} WHERE {where}{' RETURNING ALL OLD *' * chance(draw, 40)}")


def select(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """A SELECT by full key, by partition key, or of everything, with predicates."""
    statement = Statement(draw, world, literals=chance(draw, 60))
    shown = (*world.attributes, world.hash[0])
    columns = "*" if chance(draw, 60) else ", ".join(map(quoted, some(draw, shown, least=1, most=2)))
    at = key(draw, world, known)
    shape = pick(draw, ("key", "partition", "all", "filter"))
    parts = []
    if shape == "key":
        parts.append(statement.where_key(at))
    elif shape == "partition":
        parts.append(f"{quoted(world.hash[0])} = {statement.value(at[world.hash[0]])}")
    if shape == "filter" or chance(draw, 30):
        parts.append(predicate(statement, known))
    text = f"SELECT {columns} FROM {statement.table}" + (f" WHERE {' AND '.join(parts)}" if parts else "")
    if shape == "partition" and world.range is not None and chance(draw, 40):
        text += f" ORDER BY {quoted(world.range[0])}{pick(draw, ('', ' ASC', ' DESC'))}"
    body = statement.body(text)
    if shape == "partition" and chance(draw, 30):
        body["Limit"] = number(draw, 1, 3)
    if chance(draw, 30):
        body["ConsistentRead"] = True
    if chance(draw, 15):
        body["ReturnConsumedCapacity"] = "TOTAL"
    return body


def spoil(draw: Draw, body: Body) -> Body:
    """A statement with a mistake in what is sent with it."""
    held = body.get("Parameters", [])
    choice = pick(draw, ("more", "fewer", "bad", "limit", "token"))
    if choice == "more":
        return {**body, "Parameters": [*held, {"S": "a"}]}
    if choice == "fewer" and held:
        return {**body, "Parameters": held[:-1]}
    if choice == "bad" and held:
        return {**body, "Parameters": [*held[:-1], pick(draw, ({"N": "x"}, {"SS": []}, {"NULL": False}, {}))]}
    return {**body, **({"Limit": pick(draw, (0, -1))} if choice == "limit" else {"NextToken": "no token"})}


def predicate(statement: Statement, known: list[Body]) -> str:
    """A condition on an attribute that is no key."""
    draw = statement.draw
    name = pick(draw, statement.world.attributes)
    held = [item[name] for item in known if name in item and next(iter(item[name])) in SIMPLE]
    shown = quoted(name)
    kind = pick(draw, ("=", "<", ">=", "between", "in", "begins_with", "contains", "missing", "exists", "not"))
    if kind in ("<", ">="):
        return f"{shown} {kind} {statement.value({'N': str(number(draw, 0, 9))})}"
    if kind == "between":
        low = number(draw, 0, 5)
        return f"{shown} BETWEEN {statement.value({'N': str(low)})} AND {statement.value({'N': str(low + 3)})}"
    if kind == "in":
        listed = [statement.value(values.value(draw, depth=1, types=("S", "N"))) for _ in range(number(draw, 1, 3))]
        return f"{shown} IN [{', '.join(listed)}]"
    if kind in ("begins_with", "contains"):
        return f"{kind}({shown}, {statement.value({'S': pick(draw, ('a', 'aa', 'b'))})})"
    if kind == "missing":
        return f"{shown} IS {'NOT ' * chance(draw, 40)}MISSING"
    if kind == "exists":
        return f"{pick(draw, ('attribute_exists', 'attribute_not_exists'))}({shown})"
    wanted = pick(draw, held) if held and chance(draw, 60) else values.value(draw, depth=1, types=SIMPLE)
    return f"{'NOT ' if kind == 'not' else ''}{shown} = {statement.value(wanted)}"
