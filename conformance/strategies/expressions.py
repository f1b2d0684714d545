"""Expressions drawn as text with their placeholders: the whole grammar, in short readable pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.strategies import nearby, values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.schemas import Features, TableWorld
from reference.expressions.reserved import RESERVED

Item = dict[str, Any]
COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(slots=True)
class Placeholders:
    """Allots ``#n`` and ``:v`` placeholders and collects them for the request."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, draw: Draw, attribute: str) -> str:
        """The attribute as an expression may write it: bare where the grammar allows, else behind ``#``."""
        bare = (
            attribute.isascii()
            and attribute.isidentifier()
            and attribute[0] != "_"
            and attribute.upper() not in RESERVED
        )
        if bare and not chance(draw, 20):
            return attribute
        for placeholder, known in self.names.items():
            if known == attribute:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, value: dict[str, Any]) -> str:
        """A placeholder for a value."""
        for placeholder, known in self.values.items():
            if known == value:
                return placeholder
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

    def into(self, body: dict[str, Any]) -> None:
        """Put what was allotted into a request."""
        if self.names:
            body["ExpressionAttributeNames"] = {**body.get("ExpressionAttributeNames", {}), **self.names}
        if self.values:
            body["ExpressionAttributeValues"] = {**body.get("ExpressionAttributeValues", {}), **self.values}


@dataclass(slots=True)
class Writer:
    """Draws expressions over one table; ``item`` is a likely item, so that paths and types meet something."""

    draw: Draw
    table: TableWorld
    features: Features
    item: Item
    placeholders: Placeholders = field(default_factory=Placeholders)
    met: dict[str, Any] | None = None
    """What the likely item holds where the last path leads."""

    def attribute(self, *, keys: bool = True) -> str:
        """A top-level attribute name, mostly one that exists."""
        own = [name for name, _ in self.table.keys]
        present = [name for name in self.item if keys or name not in own]
        if present and chance(self.draw, 60):
            return str(pick(self.draw, present))
        return str(pick(self.draw, (*self.table.attributes, *self.table.index_keys, *(own if keys else ()))))

    def path(self, *, keys: bool = True) -> str:
        """A document path."""
        return self.walk(self.attribute(keys=keys))

    def walk(self, attribute: str) -> str:
        """A path that begins with an attribute and follows what the likely item holds."""
        text = self.placeholders.name(self.draw, attribute)
        value = self.met = self.item.get(attribute)
        depth = 0
        if attribute in dict(self.table.keys) and not chance(self.draw, 3):
            return text
        while self.features.on("nested") and depth < 3 and chance(self.draw, 45):
            depth += 1
            if value is not None and "M" in value:
                name = pick(self.draw, [*value["M"], "x", "y"])
                text += "." + self.placeholders.name(self.draw, name)
                value = value["M"].get(name)
            elif value is not None and "L" in value:
                position = number(self.draw, 0, len(value["L"]))
                text += f"[{position}]"
                value = value["L"][position] if position < len(value["L"]) else None
            elif chance(self.draw, 30):
                text += pick(self.draw, (".x", "[0]"))
                value = None
            else:
                break
        self.met = value
        return text

    def held(self, path_type: str | None = None) -> dict[str, Any]:
        """A value, often one the item holds, so that equalities come true."""
        present = [v for v in self.item.values() if path_type is None or path_type in v]
        if present and chance(self.draw, 60):
            return dict(pick(self.draw, present))
        return values.value(self.draw, depth=1) if path_type is None else {path_type: self._content(path_type)}

    def _content(self, kind: str) -> Any:
        if kind in ("SS", "NS", "BS"):
            return values.members(self.draw, kind)
        if kind in ("L", "M"):
            return values.value(self.draw, depth=1, types=(kind,))[kind]
        return values.scalar(self.draw, kind)

    def literal(self, path_type: str | None = None) -> str:
        """A placeholder of a value."""
        return self.placeholders.value(self.held(path_type))

    def condition(self, depth: int = 2, *, keys: bool = True) -> str:
        """A condition or filter; ``keys`` says whether key attributes may stand in it."""
        if depth and chance(self.draw, 40):
            shape = pick(self.draw, ("and", "or", "not", "parens"))
            first = self.condition(depth - 1, keys=keys)
            if shape == "not":
                return f"NOT {first}" if not first.startswith("(") else f"NOT ({first[1:-1]})"
            if shape == "parens":
                return first if first.startswith("(") else f"({first})"
            return f"{first} {shape.upper()} {self.condition(depth - 1, keys=keys)}"
        return self._predicate(keys=keys)

    def _predicate(self, *, keys: bool) -> str:
        kind = pick(
            self.draw, ("compare", "exists", "between", "in", "begins_with", "contains", "type", "size", "paths")
        )
        path = self.path(keys=keys)
        if self.met is not None and kind not in ("exists", "paths") and chance(self.draw, 60):
            suited = pick(self.draw, nearby.KINDS[next(iter(self.met))])
            near = nearby.value(self.draw, suited, self.met)
            if near is not None:
                return self._about(suited, path, near)
        if kind == "compare":
            comparator = pick(self.draw, COMPARATORS)
            ordered = comparator not in ("=", "<>")
            literal = self.literal(pick(self.draw, ("N", "S", "B"))) if ordered else self.literal()
            return f"{path} {comparator} {literal}"
        if kind == "exists":
            return f"{pick(self.draw, ('attribute_exists', 'attribute_not_exists'))}({path})"
        if kind == "between":
            return self._between(path)
        if kind == "in":
            return f"{path} IN ({', '.join(self.literal() for _ in range(number(self.draw, 1, 3)))})"
        if kind == "begins_with":
            return f"begins_with({path}, {self.literal(pick(self.draw, ('S', 'B')))})"
        if kind == "contains":
            return f"contains({path}, {self.literal(pick(self.draw, ('S', 'N', 'B')))})"
        if kind == "type":
            return f"attribute_type({path}, {self.placeholders.value({'S': pick(self.draw, values.TYPES)})})"
        if kind == "size":
            bound = self.placeholders.value({"N": str(number(self.draw, 0, 4))})
            return f"size({path}) {pick(self.draw, COMPARATORS)} {bound}"
        other = self.path(keys=keys)
        return f"{path} {pick(self.draw, COMPARATORS)} {other}" if other != path else f"attribute_exists({path})"

    def _about(self, kind: str, path: str, near: list[dict[str, Any]]) -> str:
        """A predicate whose values were made from what its path leads to."""
        written = [self.placeholders.value(value) for value in near]
        if kind in ("compare", "size"):
            ordered = kind == "size" or next(iter(near[0])) in ("S", "N", "B")
            comparator = pick(self.draw, COMPARATORS if ordered else COMPARATORS[:2])
            return f"{f'size({path})' if kind == 'size' else path} {comparator} {written[0]}"
        if kind == "between":
            return f"{path} BETWEEN {written[0]} AND {written[1]}"
        if kind == "in":
            return f"{path} IN ({', '.join(written)})"
        return f"{'attribute_type' if kind == 'type' else kind}({path}, {written[0]})"

    def _between(self, path: str) -> str:
        kind = pick(self.draw, ("N", "S"))
        if kind == "N":
            low = number(self.draw, -1, 9)
            bounds = [{"N": str(low)}, {"N": str(low + number(self.draw, 0, 3))}]
        else:
            bounds = [
                {"S": text} for text in sorted((pick(self.draw, values.STRINGS), pick(self.draw, values.STRINGS)))
            ]
        return f"{path} BETWEEN {self.placeholders.value(bounds[0])} AND {self.placeholders.value(bounds[1])}"

    def projection(self) -> str:
        """A projection without overlapping paths."""
        names = some(self.draw, self._targets(keys=True), least=1, most=3)
        return ", ".join(self.walk(name) for name in names)

    def _targets(self, *, keys: bool) -> list[str]:
        own = [name for name, _ in self.table.keys] if keys else []
        held = [name for name in self.item if keys or name not in dict(self.table.keys)]
        return list(dict.fromkeys((*held, *self.table.attributes, *self.table.index_keys, *own)))

    def update(self) -> str:
        """An update expression whose targets do not overlap."""
        targets = some(self.draw, self._targets(keys=False), least=1, most=3)
        clauses: dict[str, list[str]] = {}
        for target in targets:
            kind, action = self._action(target)
            clauses.setdefault(kind, []).append(action)
        parts = [f"{kind} {', '.join(actions)}" for kind, actions in clauses.items()]
        return " ".join(parts[::-1] if chance(self.draw, 30) else parts)

    def _action(self, target: str) -> tuple[str, str]:
        held = self.item.get(target)
        kind = next(iter(held)) if held else ""
        index_type = self.table.index_keys.get(target)
        choices = ["set", "set", "remove"]
        if index_type == "N" or kind in ("", "N"):
            choices += ["add-number"]
        if index_type == "N" or kind == "N":
            choices += ["plus"]
        if not index_type:
            choices += ["if-not-exists"] + ["append"] * (kind in ("", "L")) + ["add-set"] * (not kind)
            choices += ["copy"] if self.item else []
        if kind in ("SS", "NS", "BS"):
            choices += ["delete-set", "add-set"]
        if chance(self.draw, 10):
            choices = ["plus", "append", "copy", "add-number", "delete-set", "add-set"]
        choice = pick(self.draw, choices)
        if index_type:
            return self._index_action(choice, target, index_type)
        if kind == "L" and chance(self.draw, 25):
            return self._elements(target, len(self.item[target]["L"]))
        path = self.walk(target)
        if choice == "remove":
            return "REMOVE", path
        if choice == "add-number":
            return "ADD", f"{path} {self.literal('N')}"
        if choice == "add-set":
            return (
                "ADD",
                f"{path} {self.literal(kind if kind in ('SS', 'NS', 'BS') else pick(self.draw, ('SS', 'NS')))}",
            )
        if choice == "delete-set":
            return "DELETE", f"{path} {self.literal(kind if kind in ('SS', 'NS', 'BS') else 'SS')}"
        return "SET", f"{path} = {self._operand(choice, path)}"

    def _elements(self, target: str, length: int) -> tuple[str, str]:
        """Several elements of a list removed, or some set at its end and beyond."""
        name = self.placeholders.name(self.draw, target)
        if chance(self.draw, 50):
            gone = some(self.draw, range(length + 1), least=1, most=3)
            return "REMOVE", ", ".join(f"{name}[{index}]" for index in gone)
        places = some(self.draw, range(length, length + 4), least=1, most=2)
        return "SET", ", ".join(f"{name}[{index}] = {self.literal()}" for index in places)

    def _index_action(self, choice: str, target: str, index_type: str) -> tuple[str, str]:
        path = self.placeholders.name(self.draw, target)
        if choice == "remove":
            return "REMOVE", path
        value = self.placeholders.value(values.key_value(self.draw, index_type))
        return ("ADD", f"{path} {value}") if choice == "add-number" else ("SET", f"{path} = {value}")

    def _operand(self, choice: str, path: str) -> str:
        if choice == "plus":
            sign = pick(self.draw, ("+", "-"))
            left = path if chance(self.draw, 70) else self.literal("N")
            return f"{left} {sign} {self.literal('N')}"
        if choice == "append":
            base = path
            if chance(self.draw, 60):
                base = f"if_not_exists({path}, {self.placeholders.value({'L': []})})"
            other = self.placeholders.value(values.value(self.draw, depth=1, types=("L",)))
            return f"list_append({', '.join((base, other) if chance(self.draw, 70) else (other, base))})"
        if choice == "if-not-exists":
            return f"if_not_exists({self.path()}, {self.literal()})"
        return self.path() if choice == "copy" else self.literal()
