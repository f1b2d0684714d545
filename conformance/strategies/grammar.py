"""The rest of the expression grammar: every operand in every place, what is rarely written, what is just too much."""

from __future__ import annotations

import re
from typing import Any

from conformance.strategies import values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.expressions import COMPARATORS, Placeholders, Writer
from conformance.strategies.schemas import Features, TableWorld
from reference.expressions.parser import MAX_BYTES, MAX_INDEX, MAX_STEPS
from reference.expressions.reserved import RESERVED

Body = dict[str, Any]
_KEYWORDS = re.compile(r"\b(AND|OR|NOT|IN|BETWEEN|SET|REMOVE|ADD|DELETE)\b")
_TOKENS = re.compile(r"[#:]?\w+|<>|<=|>=|\S")
_RARE = ("turned", "sizes", "beyond", "paths", "options", "bounds", "negated", "type", "function", "literal")
_STRAY = ("(", ")", ",", ".", "=", "<>", "AND", "NOT", "SET", ":v", "#n", "[0]", "size(a)", "a", "+", "[", "5", "&")
_WORDS = sorted(RESERVED)[::7]
"""Some of the reserved words."""


class Grammar(Writer):
    """Draws expressions as ``Writer`` does, and those that people seldom write."""

    def _predicate(self, *, keys: bool) -> str:
        if not chance(self.draw, 40):
            return super()._predicate(keys=keys)
        kind = pick(self.draw, _RARE)
        path = self.path(keys=keys)
        if kind == "turned":
            return f"{self.literal()} {pick(self.draw, COMPARATORS[:2])} {path}"
        if kind == "beyond":
            return self._beyond(path)
        if kind == "sizes":
            return self._sizes(path, self.path(keys=keys))
        if kind == "paths":
            return f"{path} {pick(self.draw, COMPARATORS)} {self.path(keys=keys)}"
        if kind == "options":
            options = [self.operand(keys=keys) for _ in range(number(self.draw, 1, 4))]
            return f"{self.operand(keys=keys)} IN ({', '.join(options)})"
        if kind == "bounds":
            low, high = (self.operand(keys=keys) if chance(self.draw, 50) else self.literal("N") for _ in range(2))
            return f"{path} BETWEEN {low} AND {high}"
        if kind == "negated":
            return f"NOT NOT {self._predicate(keys=keys)}"
        if kind == "type":
            name = pick(self.draw, ("X", "string", "")) if self._mistaken() else pick(self.draw, values.TYPES)
            return f"attribute_type({path}, {self.placeholders.value({'S': name})})"
        if kind == "function":
            name = pick(self.draw, ("begins_with", "contains", "contains"))
            return f"{name}({path}, {self.operand(keys=keys)})"
        comparator = pick(self.draw, COMPARATORS)
        return f"{self.literal('N')} {comparator} {self.literal('N')}"

    def _mistaken(self) -> bool:
        return self.features.on("mistakes") and chance(self.draw, 12)

    def _beyond(self, path: str) -> str:
        """An element after the last of a list, compared with the last."""
        lists = [name for name, value in self.item.items() if value.get("L")]
        if not lists:
            return f"attribute_not_exists({path}[0])" if not path.endswith("]") else f"attribute_exists({path})"
        name = pick(self.draw, lists)
        held = self.item[name]["L"]
        place = len(held) + number(self.draw, 0, 2)
        written = self.placeholders.name(self.draw, name)
        return f"{written}[{place}] = {self.placeholders.value(held[-1])}"

    def _sizes(self, path: str, other: str) -> str:
        bound = self.placeholders.value({"N": str(number(self.draw, 0, 4))})
        return pick(self.draw, (
            f"size({path}) BETWEEN {bound} AND {self.placeholders.value({'N': '5'})}",
            f"size({path}) IN ({bound}, {self.placeholders.value({'N': '2'})})",
            f"{bound} {pick(self.draw, COMPARATORS)} size({path})",
            f"size({path}) {pick(self.draw, COMPARATORS)} size({other})",
            f"size({path}) {pick(self.draw, COMPARATORS)} {other}",
            f"size({self.literal('S')}) >= {bound}",
        ))  # fmt: skip

    def operand(self, *, keys: bool = True) -> str:
        """A path or a value."""
        return self.path(keys=keys) if chance(self.draw, 50) else self.literal()

    def condition(self, depth: int = 2, *, keys: bool = True) -> str:
        """As ``Writer`` draws them, or with groups inside groups."""
        if depth > 1 and chance(self.draw, 25):
            first, second, third = (self._predicate(keys=keys) for _ in range(3))
            return pick(self.draw, (
                f"({first} OR {second}) AND {third}",
                f"NOT ({first} AND ({second} OR {third}))",
                f"{first} OR {second} AND NOT {third}",
                f"({first}) AND ({second}) AND NOT ({third})",
            ))  # fmt: skip
        return super().condition(depth, keys=keys)

    def update(self) -> str:
        """Up to four actions, each as ``Writer`` draws them or an assignment of any operand."""
        if chance(self.draw, 40):
            return super().update()
        targets = some(self.draw, self._targets(keys=False), least=1, most=4)
        clauses: dict[str, list[str]] = {}
        for target in targets:
            indexed = target in self.table.index_keys
            kind, action = self._action(target) if indexed or chance(self.draw, 45) else self._assignment(target)
            clauses.setdefault(kind, []).append(action)
        parts = [f"{kind} {', '.join(actions)}" for kind, actions in clauses.items()]
        return " ".join(parts[::-1] if chance(self.draw, 50) else parts)

    def _assignment(self, target: str) -> tuple[str, str]:
        held = self.item.get(target)
        path = self.walk(target)
        kind = pick(self.draw, ("sum", "sum", "list", "list", "fallback", "copy", "element", "set"))
        if kind == "sum":
            left, right = self._number(path), self._number(path)
            return "SET", f"{path} = {left} {pick(self.draw, '+-')} {right}"
        if kind == "list":
            return "SET", f"{path} = list_append({self._list(path)}, {self._list(path)})"
        if kind == "fallback":
            return "SET", f"{path} = if_not_exists({self.path()}, {self.operand()})"
        if kind == "element" and held is not None and held.get("L"):
            place = number(self.draw, 0, len(held["L"]) + 1)
            name = self.placeholders.name(self.draw, target)
            return "SET", f"{name}[{place}] = {self.operand()}"
        if kind == "set":
            members = self.literal(pick(self.draw, ("SS", "NS", "BS")))
            return pick(self.draw, ("ADD", "DELETE")), f"{self.placeholders.name(self.draw, target)} {members}"
        return "SET", f"{path} = {self.operand()}"

    def _number(self, path: str) -> str:
        zero = self.placeholders.value({"N": "0"})
        return pick(self.draw, (self.literal("N"), path, f"if_not_exists({path}, {zero})", self.literal("N")))

    def _list(self, path: str) -> str:
        empty = self.placeholders.value({"L": []})
        return pick(self.draw, (self.literal("L"), f"if_not_exists({path}, {empty})", path, self.literal("L")))


def dressed(draw: Draw, text: str) -> str:
    """The same expression with other blanks and letters of another case, where these mean nothing."""
    if chance(draw, 15):
        text = text.replace(" ", pick(draw, ("\n", "  ", "\t", " \r\n ")))
    if chance(draw, 15):
        text = _KEYWORDS.sub(lambda found: pick(draw, (str.lower, str.title))(found[0]), text)
    return text.replace(", ", ",") if chance(draw, 10) else text


def broken(draw: Draw, text: str) -> str:
    """The expression with one token too many, too few, or another."""
    tokens = _TOKENS.findall(text) or [""]
    at = number(draw, 0, len(tokens) - 1)
    choice = pick(draw, ("drop", "double", "swap", "insert", "replace", "reserved"))
    if choice == "drop":
        del tokens[at]
    elif choice == "double":
        tokens.insert(at, tokens[at])
    elif choice == "swap" and at:
        tokens[at - 1], tokens[at] = tokens[at], tokens[at - 1]
    elif choice == "insert":
        tokens.insert(at, pick(draw, _STRAY))
    else:
        tokens[at] = pick(draw, _WORDS) if choice == "reserved" else pick(draw, _STRAY)
    return " ".join(tokens)


def used(placeholders: Placeholders, *texts: str) -> Placeholders:
    """The placeholders that some text mentions."""
    held = set(_TOKENS.findall(" ".join(texts)))
    return Placeholders(
        {name: attribute for name, attribute in placeholders.names.items() if name in held},
        {name: value for name, value in placeholders.values.items() if name in held},
    )


def limits(draw: Draw) -> Body:
    """A condition at one of the grammar's limits, or one beyond it, with its placeholders."""
    over = int(chance(draw, 45))
    choice = pick(draw, ("options", "operators", "bytes", "depth", "index", "alias", "groups", "calls", "not"))
    names: Body = {}
    text = "a = :v"
    if choice == "options":
        text = f"a IN ({', '.join([':v'] * (100 + over))})"
    elif choice == "operators":
        text = " AND ".join([text] * (150 + over))
    elif choice == "bytes":
        text += " " * (MAX_BYTES + over - len(text))
    elif choice == "depth":
        text = ".".join(["a"] * (MAX_STEPS + over)) + " = :v"
    elif choice == "index":
        text = f"a[{MAX_INDEX + over}] = :v"
    elif choice == "alias":
        alias = "#" + "n" * (254 + over)
        names, text = {alias: "a"}, f"{alias} = :v"
    elif choice == "groups":
        text = "(" * 20 + text + " OR a = :v)" * 20
    elif choice == "calls":
        text = "size(" * (1 + over) + "a" + ")" * (1 + over) + " = :v"
    else:
        text = "NOT " * pick(draw, (4, 40, 299, 300)) + text
    body: Body = {"ConditionExpression": text, "ExpressionAttributeValues": {":v": {"N": "1"}}}
    return body | ({"ExpressionAttributeNames": names} if names else {})


RETURNS = {
    "PutItem": ("NONE", "ALL_OLD"),
    "DeleteItem": ("NONE", "ALL_OLD"),
    "UpdateItem": ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
}


def written(
    draw: Draw, world: TableWorld, features: Features, at: Body, item: Body, *, spoil: bool
) -> tuple[str, Body]:
    """A PutItem, UpdateItem or DeleteItem with a condition; ``item`` is what is likely there, ``spoil`` breaks it."""
    writer = Grammar(draw, world, features, item)
    operation = pick(draw, ("UpdateItem", "UpdateItem", "UpdateItem", "PutItem", "DeleteItem"))
    body: Body = {"TableName": world.reference}
    body |= {"Item": {**item, **at}} if operation == "PutItem" else {"Key": at}
    if operation == "UpdateItem":
        body["UpdateExpression"] = dressed(draw, writer.update())
    if features.on("conditions") and (operation != "UpdateItem" or chance(draw, 45)):
        body["ConditionExpression"] = dressed(draw, writer.condition())
        if chance(draw, 60):
            body["ReturnValuesOnConditionCheckFailure"] = pick(draw, ("ALL_OLD", "ALL_OLD", "NONE"))
    if chance(draw, 70):
        body["ReturnValues"] = pick(draw, RETURNS[operation])
    expressions = [name for name in ("UpdateExpression", "ConditionExpression") if name in body]
    if spoil and expressions:
        at_fault = pick(draw, expressions)
        body[at_fault] = broken(draw, body[at_fault])
    used(writer.placeholders, *(body[name] for name in expressions)).into(body)
    return operation, body


def filtered(draw: Draw, world: TableWorld, features: Features, item: Body, *, spoil: bool) -> tuple[str, Body]:
    """A Scan or a Query of an item's partition with a filter, a projection or both."""
    body: Body = {"TableName": world.reference}
    writer = Grammar(draw, world, features, item)
    operation = pick(draw, ("Scan", "Query"))
    barred = dict(world.keys) if operation == "Query" else {}
    if operation == "Query":
        held = item.get(world.hash[0]) or values.key_value(draw, world.hash[1])
        text = f"{writer.placeholders.name(draw, world.hash[0])} = {writer.placeholders.value(held)}"
        body["KeyConditionExpression"] = dressed(draw, text)
    if chance(draw, 75):
        writer.item = {name: value for name, value in item.items() if name not in barred}
        body["FilterExpression"] = dressed(draw, writer.condition(keys=not barred))
    if features.on("projections") and ("FilterExpression" not in body or chance(draw, 30)):
        writer.item = item
        body["ProjectionExpression"] = dressed(draw, writer.projection())
    expressions = [name for name in body if name.endswith("Expression")]
    if spoil and expressions:
        at_fault = pick(draw, expressions)
        body[at_fault] = broken(draw, body[at_fault])
    used(writer.placeholders, *(body[name] for name in expressions)).into(body)
    return operation, body
