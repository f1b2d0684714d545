"""What projections return: the recorded vectors."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions.projection import project
from reference.expressions.request import read
from reference.rules import every

N2, N4, N5 = {"N": "2"}, {"N": "4"}, {"N": "5"}
XY = {"M": {"x": {"S": "hi"}, "y": {"S": "yo"}}}
ITEM = {
    "p": {"S": "key"},
    "a": {"M": {"b": {"L": [N2, N4, XY]}, "c": N5}},
    "b": {"S": "hello"},
    "a.b": {"S": "dotted"},
    "l": {"L": [{"S": "l0"}, {"S": "l1"}, {"S": "l2"}]},
    "m": {"L": [{"M": {"a": N2, "b": N4, "c": N5}}, XY]},
    "hollow": {"M": {}},
}


def projected(text: str, item: dict[str, Any], **names: str) -> dict[str, Any]:
    """The item's parts that the expression names; keyword arguments are its ``#names``."""
    request: dict[str, Any] = {"ProjectionExpression": text}
    if names:
        request["ExpressionAttributeNames"] = {f"#{name}": value for name, value in names.items()}
    found, expressions = every(read("GetItem", request, ("Projection",), "current"))
    assert not found
    assert expressions is not None
    assert expressions.projection is not None
    return project(expressions.projection.paths, item)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p, b", {"p": {"S": "key"}, "b": {"S": "hello"}}),
        ("b", {"b": {"S": "hello"}}),
        ("a.b", {"a": {"M": {"b": {"L": [N2, N4, XY]}}}}),
        ("a.b[0]", {"a": {"M": {"b": {"L": [N2]}}}}),
        ("a.b[2]", {"a": {"M": {"b": {"L": [XY]}}}}),
        ("a.b[2].y", {"a": {"M": {"b": {"L": [{"M": {"y": {"S": "yo"}}}]}}}}),
        ("a.b[0],a.b[1]", {"a": {"M": {"b": {"L": [N2, N4]}}}}),
        ("a.b[1],a.b[0]", {"a": {"M": {"b": {"L": [N2, N4]}}}}),
        ("a.b[0],a.c", {"a": {"M": {"b": {"L": [N2]}, "c": N5}}}),
        ("a.c,b", {"a": {"M": {"c": N5}}, "b": {"S": "hello"}}),
        ("a.x, a.b[0], x, a.b[3].x", {"a": {"M": {"b": {"L": [N2]}}}}),
        ("a[0]", {}),
        ("a.b[0].x", {}),
        ("a.b[0][0]", {}),
        ("a.b.x", {}),
        ("a.x.y", {}),
        ("a.b[3]", {}),
        ("x", {}),
        ("hollow.x", {}),
        ("hollow", {"hollow": {"M": {}}}),
        ("m[0].a, m[0].b", {"m": {"L": [{"M": {"a": N2, "b": N4}}]}}),
        ("m[1].x, m[0].c", {"m": {"L": [{"M": {"c": N5}}, {"M": {"x": {"S": "hi"}}}]}}),
        ("m[1].nothing, m[0].c", {"m": {"L": [{"M": {"c": N5}}]}}),
    ],
)
def test_projection(text: str, expected: dict[str, Any]) -> None:
    assert projected(text, ITEM) == expected


def test_names_stand_for_one_attribute_each() -> None:
    assert projected("#n", ITEM, n="a.b") == {"a.b": {"S": "dotted"}}
    assert projected("#l[2], #l[0]", ITEM, l="l") == {"l": {"L": [{"S": "l0"}, {"S": "l2"}]}}
    assert projected("#a.#c", ITEM, a="a", c="c") == {"a": {"M": {"c": N5}}}
