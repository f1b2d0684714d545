"""The user's own tables: from DescribeTable answers, CreateTable requests, or CloudFormation templates.

What is read becomes CreateTable bodies; names, replicas, tags and time to live of the originals play no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from conformance.record.codec import dumps, loads
from conformance.record.folder import write_text
from conformance.strategies.schemas import Attribute, IndexWorld, TableWorld
from reference.account import Account
from reference.api import Call, Refusal
from reference.service import Service

Body = dict[str, Any]
KINDS = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
FILE = "schema.json"
"""What a run folder keeps of the tables."""
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
"""Throughput of provisioned tables whose own is not in the file, as with automatic scaling."""
MAX_TABLES = 100
_NUMBERS = ("ReadCapacityUnits", "WriteCapacityUnits")
_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


class DefinitionError(Exception):
    """A file that holds no usable table; the message names file, table and member, and says what to do."""


def read_definitions(path: Path) -> list[Body]:
    """The tables of a JSON or YAML file as CreateTable bodies, each under its own name; DefinitionError if none."""
    content = _content(path)
    bodies = []
    for where, row in _tables(path, content):
        bodies.append(definition_of(where, row))
    if not bodies:
        raise DefinitionError(
            f"{path}: holds no table: give a DescribeTable answer, a list of them, or a CloudFormation template with "
            f"{' or '.join(KINDS)} resources"
        )
    if len(bodies) > MAX_TABLES:
        raise DefinitionError(f"{path}: holds {len(bodies)} tables; at most {MAX_TABLES} can be searched at once")
    return bodies


def definition_of(where: str, row: Mapping[str, Any]) -> Body:
    """The CreateTable body of what DescribeTable or a template says of a table; DefinitionError begins with where."""
    body = _body(where, dict(row))
    _demand_valid(where, body)
    return body


def write_definitions(folder: Path, bodies: Sequence[Body]) -> None:
    """Leave the tables in a run folder, for its workers and for ``--resume``."""
    write_text(folder / FILE, dumps(list(bodies), pretty=True).decode("utf-8") + "\n")


def definitions_of(folder: Path) -> tuple[TableWorld, ...]:
    """The user's own tables that a run is to draw its programs over; none where it has none."""
    path = folder / FILE
    return worlds_of(read_definitions(path)) if path.exists() else ()


def worlds_of(bodies: Sequence[Body]) -> tuple[TableWorld, ...]:
    """The tables as machines draw programs over them."""
    return tuple(_world(body) for body in bodies)


# --- what a file may be -----------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML with CloudFormation's short forms: ``!Ref a`` is ``{"Ref": "a"}``."""


def _short(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Body:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short)


def _content(path: Path) -> Any:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DefinitionError(f"{path}: cannot be read ({error.strerror}): name a JSON or YAML file") from error
    if path.suffix in (".yaml", ".yml", ".template") and not text.lstrip().startswith((b"{", b"[")):
        try:
            return yaml.load(text, _Loader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            raise DefinitionError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    try:
        return loads(text)
    except ValueError as error:
        raise DefinitionError(f"{path}: is not JSON: {error}; name YAML files .yaml or .yml") from error


def _tables(path: Path, content: Any) -> Iterator[tuple[str, Body]]:
    """Where each table of a file stands, and what is said of it."""
    if isinstance(content, dict) and isinstance(content.get("Resources"), dict):
        template = _Template(content)
        for name, resource in content["Resources"].items():
            if isinstance(resource, dict) and resource.get("Type") in KINDS and template.made(resource):
                yield f"{path}: Resources.{name}", template.table(f"{path}: Resources.{name}", name, resource)
        return
    if isinstance(content, dict) and isinstance(content.get("Tables"), list):
        content = content["Tables"]
    for number, row in enumerate(content if isinstance(content, list) else [content]):
        where = f"{path}: tables[{number}]" if isinstance(content, list) else str(path)
        table = row
        for member in ("Table", "TableDescription"):
            if isinstance(table, dict) and isinstance(table.get(member), dict):
                table = table[member]
        if not isinstance(table, dict) or "KeySchema" not in table:
            raise DefinitionError(f"{where}: is no table: it must have a KeySchema, as DescribeTable answers it")
        yield where, table


class _Template:
    """A CloudFormation template: parameters have their defaults, conditions what follows from them."""

    def __init__(self, content: Body) -> None:
        parameters = content.get("Parameters") or {}
        self._known = {
            name: row["Default"] for name, row in parameters.items() if isinstance(row, dict) and "Default" in row
        }
        self._conditions = content.get("Conditions") or {}

    def made(self, resource: Body) -> bool:
        """Whether a resource's condition holds; one that cannot be told does."""
        return self._holds(resource.get("Condition")) is not False

    def table(self, where: str, name: str, resource: Body) -> Body:
        """A table's properties, what stands for a value replaced by it."""
        properties = self._value(resource.get("Properties") or {}, 0)
        if not isinstance(properties, dict) or "KeySchema" not in properties:
            raise DefinitionError(f"{where}: has no KeySchema")
        table = {**properties, "TableName": name}
        if resource.get("Type") == KINDS[1] and table.get("BillingMode", "PROVISIONED") == "PROVISIONED":
            table["ProvisionedThroughput"] = dict(UNITS)
        return table

    def _value(self, value: Any, depth: int) -> Any:
        if depth > 50:
            return None
        if isinstance(value, list):
            return [self._value(member, depth + 1) for member in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" and argument in self._known:
                return self._known[argument]
            if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
                holds = self._holds(argument[0])
                return value if holds is None else self._value(argument[1 if holds else 2], depth + 1)
        members = ((name, self._value(member, depth + 1)) for name, member in value.items())
        return {name: member for name, member in members if member != {"Ref": "AWS::NoValue"}}

    def _holds(self, condition: Any, depth: int = 0) -> bool | None:
        """Whether a condition holds, None when that cannot be told."""
        if isinstance(condition, str):
            return self._holds(self._conditions.get(condition), depth + 1)
        if not isinstance(condition, dict) or len(condition) != 1 or depth > 20:
            return None
        ((name, argument),) = condition.items()
        if name == "Condition":
            return self._holds(argument, depth + 1)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            one, other = (self._value(each, 0) for each in argument)
            return None if isinstance(one, dict) or isinstance(other, dict) else str(one) == str(other)
        parts = [self._holds(each, depth + 1) for each in argument] if isinstance(argument, list) else []
        if not parts or None in parts:
            return None
        return {"Fn::Not": not parts[0], "Fn::And": all(parts), "Fn::Or": any(parts)}.get(name)


# --- a table ----------------------------------------------------------------------------------------------------------


def _body(where: str, row: Body) -> Body:
    """The CreateTable body of one table, whatever it was read from."""
    _demand_plain(where, {name: row.get(name) for name in ("KeySchema", "AttributeDefinitions", "BillingMode")})
    billing = row.get("BillingMode") or (row.get("BillingModeSummary") or {}).get("BillingMode")
    on_demand = billing == "PAY_PER_REQUEST"
    body: Body = {
        "TableName": str(row.get("TableName", "")),
        "KeySchema": row["KeySchema"],
        "AttributeDefinitions": row.get("AttributeDefinitions") or [],
    }
    body |= {"BillingMode": "PAY_PER_REQUEST"} if on_demand else {"ProvisionedThroughput": _units(where, row)}
    for member in _INDEXES:
        if row.get(member):
            _demand_list(f"{where}.{member}", row[member])
            global_ones = member == _INDEXES[0]
            body[member] = [
                _index(f"{where}.{member}[{n}]", index, provisioned=global_ones and not on_demand)
                for n, index in enumerate(row[member])
            ]
    view = (row.get("StreamSpecification") or {}).get("StreamViewType")
    if isinstance(view, str):
        body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    table_class = row.get("TableClass") or (row.get("TableClassSummary") or {}).get("TableClass")
    return body | ({"TableClass": table_class} if isinstance(table_class, str) else {})


def _index(where: str, row: Any, *, provisioned: bool) -> Body:
    if not isinstance(row, dict):
        raise DefinitionError(f"{where}: is {row!r}, which is no index")
    kept = {name: row.get(name) for name in ("IndexName", "KeySchema", "Projection")}
    _demand_plain(where, kept)
    return kept | ({"ProvisionedThroughput": _units(where, row)} if provisioned else {})


def _units(where: str, row: Body) -> Body:
    held = row.get("ProvisionedThroughput")
    if not isinstance(held, dict):
        return dict(UNITS)
    units = {}
    for name in _NUMBERS:
        try:
            units[name] = int(held.get(name) or UNITS[name])
        except (TypeError, ValueError):
            raise DefinitionError(f"{where}.ProvisionedThroughput.{name}: {held.get(name)!r} is no number") from None
    return units


def _demand_list(where: str, value: Any) -> None:
    if not isinstance(value, list):
        raise DefinitionError(f"{where}: is {value!r}; it must be a list with its members written out")


def _demand_plain(where: str, value: Any) -> None:
    """DefinitionError where a template leaves to its parameters or functions what must be known here."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name == "Ref" or str(name).startswith("Fn::"):
                raise DefinitionError(
                    f"{where}: {{{name}: {member!r}}} is not known here: give its parameter a default, or write the "
                    "value out"
                )
            _demand_plain(f"{where}.{name}", member)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _demand_plain(f"{where}[{number}]", member)


def _demand_valid(where: str, body: Body) -> None:
    """DefinitionError for a table that DynamoDB would refuse, in its words."""
    reply = Service(Account()).execute(Call("CreateTable", {**body, "TableName": "table"}))
    if isinstance(reply, Refusal):
        raise DefinitionError(f"{where}: DynamoDB would refuse this table: {reply.message}")


# --- as machines see it -----------------------------------------------------------------------------------------------


def _world(body: Body) -> TableWorld:
    types = {row["AttributeName"]: row["AttributeType"] for row in body["AttributeDefinitions"]}
    hashed, ranged = (_keys(body["KeySchema"], types, role) for role in ("HASH", "RANGE"))
    indexes = []
    for kind, member in (("GSI", _INDEXES[0]), ("LSI", _INDEXES[1])):
        for row in body.get(member, ()):
            own, sort = (_keys(row["KeySchema"], types, role) for role in ("HASH", "RANGE"))
            projection = row["Projection"]
            indexes.append(
                IndexWorld(
                    row["IndexName"], kind, own[0], sort[0] if sort else None, projection["ProjectionType"],
                    tuple(projection.get("NonKeyAttributes", ())), (*own[1:], *sort[1:]), len(own) - 1,
                )
            )  # fmt: skip
    projected = [name for index in indexes for name in index.include if name not in types]
    plain = [name for name in (*dict.fromkeys(projected), "a", "b", "c") if name not in types]
    return TableWorld(
        "", hashed[0], ranged[0] if ranged else None, tuple(indexes), tuple(plain[:5]) or ("plain",),
        body.get("BillingMode") == "PAY_PER_REQUEST", body,
    )  # fmt: skip


def _keys(schema: Sequence[Body], types: Mapping[str, str], role: str) -> list[Attribute]:
    return [(row["AttributeName"], types[row["AttributeName"]]) for row in schema if row["KeyType"] == role]
