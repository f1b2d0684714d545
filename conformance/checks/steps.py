"""Short ways to write the calls, values and texts of directed checks. Everything here ends up as plain wire JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from conformance.checks.base import T0, Answered, Check, Refused, table
from conformance.program import Step
from reference.api import AttributeValue, Item, Json

ENVELOPE = "1 validation error detected: "
INVALID = "One or more parameter values were invalid: "

PLAIN: Mapping[str, Json] = {"t0": table()}
"""One table with the partition key ``pk`` of type S."""
SORTED: Mapping[str, Json] = {"t0": table(key="pk:S,sk:S")}
"""One table with the keys ``pk`` and ``sk``, both of type S."""
NUMBERED: Mapping[str, Json] = {"t0": table(key="pk:S,sk:N")}
"""One table with the partition key ``pk`` of type S and the sort key ``sk`` of type N."""


def s(text: str) -> AttributeValue:
    """A string."""
    return {"S": text}


def n(number: int | str) -> AttributeValue:
    """A number, as it is written."""
    return {"N": str(number)}


def b(base64: str) -> AttributeValue:
    """A binary value, given in base64."""
    return {"B": base64}


def many(*values: AttributeValue) -> AttributeValue:
    """A list."""
    return {"L": list(values)}


def named(**members: AttributeValue) -> AttributeValue:
    """A map."""
    return {"M": members}


NULL: AttributeValue = {"NULL": True}
TRUE: AttributeValue = {"BOOL": True}
KEY: Item = {"pk": {"S": "a"}}


def deep(wraps: int, value: AttributeValue | None = None) -> AttributeValue:
    """A value inside that many lists."""
    wrapped = value or n(1)
    for _ in range(wraps):
        wrapped = {"L": [wrapped]}
    return wrapped


def item(attributes: Item | None = None, **more: AttributeValue) -> Item:
    """An item with the key ``a`` and these attributes; a key given here replaces it."""
    return {**KEY, **(attributes or {}), **more}


def put(attributes: Item | None = None, **members: Json) -> Step:
    """PutItem of the item with key ``a``, these attributes and further request members."""
    return Step("PutItem", {"TableName": T0, "Item": item(attributes), **members})


def get(key: Item | None = None, **members: Json) -> Step:
    """A strongly consistent GetItem of key ``a`` or another one."""
    return Step("GetItem", {"TableName": T0, "Key": KEY if key is None else key, "ConsistentRead": True, **members})


def delete(key: Item | None = None, **members: Json) -> Step:
    """DeleteItem of key ``a`` or another one."""
    return Step("DeleteItem", {"TableName": T0, "Key": KEY if key is None else key, **members})


def update(expression: str | None, values: Item | None = None, key: Item | None = None, **members: Json) -> Step:
    """UpdateItem of key ``a`` or another one; ``values`` are given without their colon."""
    body: dict[str, Json] = {"TableName": T0, "Key": KEY if key is None else key}
    if expression is not None:
        body["UpdateExpression"] = expression
    return Step("UpdateItem", {**body, **placeholders(values), **members})


def condition(text: str, values: Item | None = None, **members: Json) -> Step:
    """PutItem of the item with key ``a`` under a condition."""
    return put(ConditionExpression=text, **placeholders(values), **members)


def holds(text: str, values: Item | None = None, **members: Json) -> Step:
    """A Scan that returns the items for which a condition is true."""
    return scan(FilterExpression=text, **placeholders(values), **members)


def query(text: str | None, values: Item | None = None, **members: Json) -> Step:
    """A Query by a key condition."""
    body: dict[str, Json] = {"TableName": T0}
    if text is not None:
        body["KeyConditionExpression"] = text
    return Step("Query", {**body, **placeholders(values), **members})


def partition(**members: Json) -> Step:
    """A Query for the partition ``a``; further ``values`` come as ExpressionAttributeValues."""
    values = {":pk": s("a"), **members.pop("ExpressionAttributeValues", {})}
    text = members.pop("KeyConditionExpression", "pk = :pk")
    return Step(
        "Query",
        {"TableName": T0, "KeyConditionExpression": text, "ExpressionAttributeValues": values, **members},
    )


def scan(**members: Json) -> Step:
    """A Scan."""
    return Step("Scan", {"TableName": T0, **members})


def batch_get(*keys: Item, within: Mapping[str, Json] | None = None, **members: Json) -> Step:
    """BatchGetItem of keys of one table; ``within`` are members beside the keys."""
    return Step("BatchGetItem", {"RequestItems": {T0: {"Keys": list(keys), **(within or {})}}, **members})


def batch_put(*items: Item, **members: Json) -> Step:
    """BatchWriteItem that puts items into one table."""
    requests = [{"PutRequest": {"Item": one}} for one in items]
    return Step("BatchWriteItem", {"RequestItems": {T0: requests}, **members})


def batch_delete(*keys: Item, **members: Json) -> Step:
    """BatchWriteItem that deletes keys of one table."""
    requests = [{"DeleteRequest": {"Key": key}} for key in keys]
    return Step("BatchWriteItem", {"RequestItems": {T0: requests}, **members})


def transact(*actions: Mapping[str, Json], **members: Json) -> Step:
    """TransactWriteItems."""
    return Step("TransactWriteItems", {"TransactItems": list(actions), **members})


def t_put(attributes: Item | None = None, **members: Json) -> dict[str, Json]:
    """A Put action."""
    return {"Put": {"TableName": T0, "Item": item(attributes), **members}}


def t_update(expression: str, values: Item | None = None, key: Item | None = None, **members: Json) -> dict[str, Json]:
    """An Update action."""
    body = {"TableName": T0, "Key": KEY if key is None else key, "UpdateExpression": expression}
    return {"Update": {**body, **placeholders(values), **members}}


def t_delete(key: Item | None = None, **members: Json) -> dict[str, Json]:
    """A Delete action."""
    return {"Delete": {"TableName": T0, "Key": KEY if key is None else key, **members}}


def t_check(text: str, values: Item | None = None, key: Item | None = None, **members: Json) -> dict[str, Json]:
    """A ConditionCheck action."""
    body = {"TableName": T0, "Key": KEY if key is None else key, "ConditionExpression": text}
    return {"ConditionCheck": {**body, **placeholders(values), **members}}


def t_get(key: Item | None = None, **members: Json) -> dict[str, Json]:
    """A Get action of TransactGetItems."""
    return {"Get": {"TableName": T0, "Key": KEY if key is None else key, **members}}


def transact_get(*actions: Mapping[str, Json], **members: Json) -> Step:
    """TransactGetItems."""
    return Step("TransactGetItems", {"TransactItems": list(actions), **members})


def describe() -> Step:
    """DescribeTable."""
    return Step("DescribeTable", {"TableName": T0})


def aliases(**names: str) -> dict[str, Json]:
    """ExpressionAttributeNames from names without their hash."""
    return {"ExpressionAttributeNames": {f"#{alias}": name for alias, name in names.items()}}


def placeholders(values: Item | None) -> dict[str, Json]:
    """ExpressionAttributeValues from names without their colon; nothing for none."""
    return {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}


def reply(index: int, path: str) -> str:
    """A member of an earlier reply; calls are counted from 0, those that create the check's tables included."""
    return f"${{reply:{index}:{path}}}"


def refuses(
    rule: str,
    when: Step,
    message: str | None = None,
    *,
    control: Step | None = None,
    name: str = "",
    code: str = "ValidationException",
    phrase: str | None = None,
    fields: Mapping[str, Json] | None = None,
    tables: Mapping[str, Json] = PLAIN,
    given: Sequence[Step] = (),
    needs: str = "",
    pause: float = 0.0,
    settings: tuple[str, ...] = (),
) -> Check:
    """A check of a rule that refuses, by default on one table with the partition key ``pk``."""
    then = Refused(code, message, phrase, fields or {})
    return Check(rule, when, then, tables, tuple(given), control, name, needs, pause, settings)


def answers(
    rule: str,
    when: Step,
    *,
    name: str = "",
    tables: Mapping[str, Json] = PLAIN,
    given: Sequence[Step] = (),
    needs: str = "",
    lacks: Sequence[str] = (),
    has: Mapping[str, Json] | None = None,
    body: Json = None,
    at: str = "",
    pause: float = 0.0,
    settings: tuple[str, ...] = (),
) -> Check:
    """A check of a rule about behaviour: the answer has exactly this body, or at least these members."""
    return Check(
        rule, when, Answered(body, has, tuple(lacks), at), tables, tuple(given), None, name, needs, pause, settings
    )


def claimed(claim: str, *checks: Check, name: str | None = None) -> tuple[Check, ...]:
    """The checks as those of a claim of the article, such as ``C108``, under another name where one is given."""
    return tuple(replace(check, claim=claim, name=check.name if name is None else name) for check in checks)
