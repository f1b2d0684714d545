"""Tables that tests of Query read, and the members of a Query."""

from __future__ import annotations

from typing import Any

from reference.service import Service
from tests.unit.item_tables import index, item, ok, service


def queried() -> Service:
    """Partition a holds sort keys 0 … 9; by-n reverses them, by-g groups odd and even ones."""
    made = service(
        tab={
            "types": "pk:S sk:N n:N g:S",
            "key": ("pk", "sk"),
            "gsi": [index("by-g", "g", "n", kind="INCLUDE", more=("x",)), index("all-g", "g")],
            "lsi": [index("by-n", "pk", "n", kind="KEYS_ONLY"), index("all-n", "pk", "n")],
        },
        hash={"types": "pk:S", "key": ("pk",)},
        bytes={"types": "pk:S sk:B", "key": ("pk", "sk")},
        text={"types": "pk:S sk:S", "key": ("pk", "sk")},
    )
    for sk in range(10):
        more = {"g": "odd" if sk % 2 else "even", "n": 9 - sk, "x": f"x{sk}", "y": f"y{sk}"}
        ok(made, "PutItem", TableName="tab", Item=item(pk="a", sk=sk, **more))
    ok(made, "PutItem", TableName="tab", Item=item(pk="b", sk=0))
    return made


def ask(condition: str = "pk = :p", /, **values: Any) -> dict[str, Any]:
    """The members of a Query of table ``tab`` with that key condition; ``p`` is a unless given."""
    named = {"p": "a", **values} if ":p" in condition else values
    body: dict[str, Any] = {"TableName": "tab", "KeyConditionExpression": condition}
    if named:
        body["ExpressionAttributeValues"] = {f":{name}": value for name, value in item(**named).items()}
    return body


def keys(body: dict[str, Any]) -> list[int]:
    return [int(each["sk"]["N"]) for each in body["Items"]]
