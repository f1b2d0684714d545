"""What updates do to items, what they return and what they cost: the recorded vectors."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions import update as updates
from reference.expressions.request import read
from reference.expressions.tree import Update
from reference.expressions.update import UpdateResult, returned, statement_bytes
from reference.rules import every, surface

KEY = {"p": {"S": "k"}}
INVALID_PATH = "The document path provided in the update expression is invalid for update"
MISSING = "The provided expression refers to an attribute that does not exist in the item"
MISTYPED = "An operand in the update expression has an incorrect data type"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"


def n(number: int | str) -> dict[str, str]:
    return {"N": str(number)}


def s(text: str) -> dict[str, str]:
    return {"S": text}


def strings(*texts: str) -> dict[str, Any]:
    return {"L": [s(text) for text in texts]}


def numbers(*given: int) -> dict[str, Any]:
    return {"L": [n(number) for number in given]}


def parsed(text: str, **values: Any) -> Update:
    """The update; keyword arguments are its ``:values``."""
    request: dict[str, Any] = {"UpdateExpression": text}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    found, expressions = every(read("UpdateItem", request, ("Update", "Condition"), "current"))
    assert not found
    assert expressions is not None
    assert expressions.update is not None
    return expressions.update


def result(item: dict[str, Any] | None, text: str, **values: Any) -> UpdateResult:
    whole = None if item is None else KEY | item
    found, made = every(updates.apply(parsed(text, **values), whole, KEY))
    assert not found, [v.rule.name for v in found]
    assert made is not None
    return made


def updated(item: dict[str, Any] | None, text: str, **values: Any) -> dict[str, Any] | None:
    """The attributes but the key after the update; None when there is no item."""
    new = result(item, text, **values).new
    if new is None:
        return None
    assert new["p"] == KEY["p"]
    return {name: value for name, value in new.items() if name != "p"}


def refused(item: dict[str, Any] | None, text: str, **values: Any) -> list[str | None]:
    whole = None if item is None else KEY | item
    found, made = every(updates.apply(parsed(text, **values), whole, KEY))
    assert made is None
    return [v.message(surface("UpdateItem")) for v in found]


def faults(item: dict[str, Any], text: str, **values: Any) -> list[str]:
    found, _ = every(updates.apply(parsed(text, **values), KEY | item, KEY))
    return [v.rule.name for v in found]


def test_set_past_the_end_of_a_list_appends() -> None:
    a = strings("one", "two", "three")
    a = updated({"a": a}, "SET a[7] = :v", v=s("hello"))["a"]  # type: ignore[index]
    assert a == strings("one", "two", "three", "hello")
    text = "SET a[84] = :one, a[37] = :two, a[17] = :three, a[50] = :four"
    values = {"one": s("a1"), "two": s("a2"), "three": s("a3"), "four": s("a4")}
    assert updated({"a": a}, text, **values) == {"a": strings("one", "two", "three", "hello", "a3", "a2", "a4", "a1")}
    assert updated({"l": strings("a", "b", "c")}, "SET l[84] = :p, l[17] = :q", p=s("p"), q=s("q")) == {
        "l": strings("a", "b", "c", "q", "p")
    }


def test_remove_uses_the_indexes_before_the_update() -> None:
    a = numbers(2, 3, 4, 5, 6, 7)
    assert updated({"a": a}, "REMOVE a[1], a[3]") == {"a": numbers(2, 4, 6, 7)}
    for text in ("REMOVE a[1] SET a[3] = :v", "SET a[3] = :v REMOVE a[1]"):
        assert updated({"a": a}, text, v=n(17)) == {"a": numbers(2, 4, 17, 6, 7)}
    assert updated({"a": strings("a", "b", "c")}, "REMOVE a[0], a[2]") == {"a": strings("b")}
    assert updated({"a": a}, "REMOVE a[99]") == {"a": a}
    assert updated({"a": numbers(1)}, "REMOVE a[0]") == {"a": {"L": []}}
    assert updated({"a": {"M": {"b": n(1)}}}, "REMOVE a.b") == {"a": {"M": {}}}
    assert updated({"a": numbers(1, 2)}, "SET a[9] = :v REMOVE a[0]", v=n(3)) == {"a": numbers(2, 3)}


def test_paths_that_lead_nowhere() -> None:
    for text in ("REMOVE x.y", "REMOVE x[0]", "REMOVE b", "DELETE a :s", "DELETE a.b :s"):
        values = {"s": {"SS": ["x"]}} if ":s" in text else {}
        made = result(None, text, **values)
        assert (made.old, made.new) == (None, None)
        assert returned(made, "ALL_NEW") is None
    for text in ("SET b[0] = :v", "SET x.y = :v", "ADD x.y :v"):
        assert refused(None, text, v=n(1)) == [INVALID_PATH]
    for text in ("REMOVE a[0]", "REMOVE b[0]", "REMOVE x.y", "REMOVE a.b", "REMOVE l.x", "REMOVE m[0]"):
        assert refused({"a": s("hello"), "l": numbers(1), "m": {"M": {}}}, text) == [INVALID_PATH]
    for text in ("SET a.c = :v", "SET b.c = :v", "SET c.c = :v", "SET a[0] = :v", "ADD c.c :v"):
        assert refused({"a": s("hello"), "b": strings("hi")}, text, v=n(7)) == [INVALID_PATH]
    assert refused({"l": numbers(1)}, "SET l[3].x = :v", v=n(7)) == [INVALID_PATH]
    assert refused({"a": s("x")}, "DELETE a.b :s", s={"SS": ["x"]}) == [INVALID_PATH]
    assert updated({"a": {"M": {"x": n(3)}}}, "REMOVE a.y") == {"a": {"M": {"x": n(3)}}}
    assert updated({"a": {"M": {"x": n(3)}}}, "DELETE a.y :s", s={"SS": ["x"]}) == {"a": {"M": {"x": n(3)}}}


def test_what_creates_an_item() -> None:
    assert updated(None, "SET a = :v", v=n(1)) == {"a": n(1)}
    assert updated(None, "ADD a :v", v=n(1)) == {"a": n(1)}
    assert updated(None, "SET a = :v REMOVE b.c", v=n(1)) == {"a": n(1)}
    found, made = every(updates.apply(Update(()), None, KEY))
    assert not found
    assert made is not None
    assert made.new == KEY


def test_actions_read_the_item_as_it_was() -> None:
    assert updated({"a": s("old")}, "SET a = :v, b = a", v=s("new")) == {"a": s("new"), "b": s("old")}
    assert updated({"a": n(1), "b": n(2)}, "SET a = b, b = a") == {"a": n(2), "b": n(1)}
    assert updated({"a": s("x")}, "REMOVE a SET b = a") == {"b": s("x")}
    assert refused({"b": n(1)}, "SET b = a") == [MISSING]
    assert refused({"b": n(1)}, "SET x = :v, y = x", v=n(4)) == [MISSING]
    assert refused({"b": n(1)}, "SET z = z") == [MISSING]
    assert refused(None, "SET z = z + :v", v=n(1)) == [MISSING]
    assert updated({"a": s("x")}, "SET c = p") == {"a": s("x"), "c": s("k")}


def test_nested_targets() -> None:
    item = {"a": {"M": {"x": n(3), "y": n(4), "c": {"M": {"y": n(3)}}}}, "b": {"M": {"x": n(1), "y": n(2)}}}
    text = "SET a.b = :u, a.c.d = :v, b.x = :w REMOVE a.x, b.y"
    assert updated(item, text, u=n(10), v=s("dog"), w=n(17)) == {
        "a": {"M": {"y": n(4), "b": n(10), "c": {"M": {"y": n(3), "d": s("dog")}}}},
        "b": {"M": {"x": n(17)}},
    }
    deep = {"a": {"M": {"c": {"L": [s("hi"), {"M": {"x": {"M": {"y": numbers(3, 5, 7)}}, "q": n(2)}}]}}}}
    assert updated(deep, "SET a.c[1].x.y[1] = :v", v=n(9)) == {
        "a": {"M": {"c": {"L": [s("hi"), {"M": {"x": {"M": {"y": numbers(3, 9, 7)}}, "q": n(2)}}]}}}
    }
    assert updated(deep, "REMOVE a.c[1].x.y[1], a.c[1].q") == {
        "a": {"M": {"c": {"L": [s("hi"), {"M": {"x": {"M": {"y": numbers(3, 7)}}}}]}}}
    }


def test_nothing_that_was_there_is_changed_in_place() -> None:
    item = {"a": {"M": {"b": numbers(1, 2)}}, "s": {"SS": ["x"]}}
    result(item, "SET a.b[0] = :n, a.c = a ADD s :s", n=n(5), s={"SS": ["y"]})
    assert item == {"a": {"M": {"b": numbers(1, 2)}}, "s": {"SS": ["x"]}}


def test_list_append() -> None:
    assert updated({}, "SET a = list_append(:x, :y)", x=numbers(4), y=strings("hi")) == {"a": {"L": [n(4), s("hi")]}}
    assert updated({"a": numbers(1)}, "SET a = list_append(a, :l)", l=numbers(2)) == {"a": numbers(1, 2)}
    assert updated({"a": numbers(1)}, "SET a = list_append(:l, a)", l=numbers(2)) == {"a": numbers(2, 1)}
    text = "SET a = list_append(if_not_exists(a, :e), :l)"
    assert updated(None, text, e={"L": []}, l=numbers(2)) == {"a": numbers(2)}
    assert updated({"a": numbers(1)}, text, e={"L": []}, l=numbers(2)) == {"a": numbers(1, 2)}
    assert refused({"a": s("x")}, "SET a = list_append(a, :l)", l=numbers(2)) == [MISTYPED]
    assert refused({}, "SET a = list_append(a, :l)", l=numbers(2)) == [MISSING]


def test_if_not_exists() -> None:
    assert updated({}, "SET a = if_not_exists(a, :v)", v=n(2)) == {"a": n(2)}
    assert updated({"a": n(2)}, "SET b = if_not_exists(a, :v)", v=n(6)) == {"a": n(2), "b": n(2)}
    assert updated({"a": {"NULL": True}}, "SET a = if_not_exists(a, :v)", v=n(6)) == {"a": {"NULL": True}}
    assert updated({}, "SET a = if_not_exists(a, :v) + :one", v=n(4), one=n(1)) == {"a": n(5)}
    assert updated({"c": n(9)}, "SET a = if_not_exists(a, if_not_exists(b, c))") == {"c": n(9), "a": n(9)}


def test_arithmetic() -> None:
    assert updated({"a": n(2)}, "SET a = a + :v", v=n(3)) == {"a": n(5)}
    assert updated({"a": n(2)}, "SET a = (:v - a)", v=n(7)) == {"a": n(5)}
    assert updated({"a": n(7)}, "SET a = a + a") == {"a": n(14)}
    assert updated({}, "SET a = :x + :y", x=n("0.1"), y=n("0.2")) == {"a": n("0.3")}
    nines = "9" * 38
    assert updated({"a": n(nines)}, "SET a = a + :one", one=n(1)) == {"a": n("1" + "0" * 38)}
    assert refused({"a": n("1" + "0" * 50)}, "SET a = a + :one", one=n(1)) == [OVERFLOW]
    assert refused({"a": s("x")}, "SET a = a + :one", one=n(1)) == [MISTYPED]
    assert refused({"a": s("x")}, "SET a = :one - a", one=n(1)) == [MISTYPED]


def test_the_fallback_of_if_not_exists_has_a_type_too() -> None:
    text = "SET a = if_not_exists(a, :s) + :one"
    assert refused({}, text, s=s("x"), one=n(1)) == [MISTYPED]
    assert updated({"a": n(1)}, text, s=s("x"), one=n(1)) == {"a": n(2)}
    assert faults({}, text, s=s("x"), one=n(1)) == ["expressions.fallback-type"]
    assert faults({"a": s("y")}, text, s=s("x"), one=n(1)) == ["expressions.stored-type"]
    nested = "SET a = list_append(if_not_exists(a, if_not_exists(b, :s)), :l)"
    assert faults({}, nested, s=s("x"), l={"L": []}) == ["expressions.fallback-type"]
    assert faults({"b": s("y")}, nested, s=s("x"), l={"L": []}) == ["expressions.stored-type"]


def test_add() -> None:
    assert updated({}, "ADD a :v", v=n(7)) == {"a": n(7)}
    assert updated({"a": n(3)}, "ADD a :v", v=n(4)) == {"a": n(7)}
    assert refused({"a": s("dog")}, "ADD a :v", v=n(4)) == [MISTYPED]
    assert refused({"a": {"NS": ["1"]}}, "ADD a :v", v={"SS": ["x"]}) == [MISTYPED]
    animals = {"SS": ["beaver", "coati", "lynx"]}
    assert updated({"a": animals}, "ADD a :v", v={"SS": ["coati", "beaver", "badger"]}) == {
        "a": {"SS": ["badger", "beaver", "coati", "lynx"]}
    }
    assert updated({"a": {"NS": ["9"]}}, "ADD a :v", v={"NS": ["10", "1"]}) == {"a": {"NS": ["1", "9", "10"]}}
    nested = {"a": {"M": {"d": {"L": [s("e"), {"SS": ["g"]}]}, "n": n(1)}}}
    assert updated(nested, "ADD a.d[1] :s, a.n :n, a.fresh :n", s={"SS": ["l"]}, n=n(2)) == {
        "a": {"M": {"d": {"L": [s("e"), {"SS": ["g", "l"]}]}, "n": n(3), "fresh": n(2)}}
    }


def test_delete() -> None:
    pets = {"SS": ["cat", "dog", "mouse"]}
    assert updated({"a": pets}, "DELETE a :v", v={"SS": ["cat", "mouse"]}) == {"a": {"SS": ["dog"]}}
    assert updated({"a": pets}, "DELETE a :v", v={"SS": ["pig"]}) == {"a": pets}
    assert updated({"a": pets}, "DELETE a :v", v=pets) == {}
    assert updated({}, "DELETE a :v", v=pets) == {}
    assert refused({"a": {"NS": ["1"]}}, "DELETE a :v", v=pets) == [MISTYPED]
    assert updated({"m": {"M": {"s": pets}}}, "DELETE m.s :v", v=pets) == {"m": {"M": {}}}


def test_all_that_is_wrong_is_found() -> None:
    text = "SET a = x, b.c = :one, d = s + :one REMOVE e.f"
    assert refused({"s": s("x")}, text, one=n(1)) == [MISSING, INVALID_PATH, MISTYPED, INVALID_PATH]


def returns(item: dict[str, Any] | None, which: str, text: str, **values: Any) -> dict[str, Any] | None:
    return returned(result(item, text, **values), which)


def nested_item(b: dict[str, Any], c: dict[str, Any]) -> dict[str, Any]:
    return {"a": {"M": {"b": b, "c": c}}, "d": s("cat")}


def in_a(**members: Any) -> dict[str, Any]:
    return {"a": {"M": members}}


def test_returned_values_of_nested_targets() -> None:
    item = nested_item(s("dog"), numbers(1, 2, 3))
    assert returns(item, "ALL_OLD", "SET a.b = :v", v=s("hi")) == KEY | item
    assert returns(item, "ALL_NEW", "SET a.b = :v", v=s("hi")) == KEY | nested_item(s("hi"), numbers(1, 2, 3))
    assert returns(item, "UPDATED_OLD", "SET a.b = :v", v=s("yo")) == in_a(b=s("dog"))
    assert returns(item, "UPDATED_OLD", "SET a.c[1] = :v", v=n(7)) == in_a(c=numbers(2))
    old = returns(item, "UPDATED_OLD", "SET a.c[1] = :v, a.b = :w", v=n(8), w=s("dog"))
    assert old == in_a(b=s("dog"), c=numbers(2))
    assert returns(item, "UPDATED_NEW", "SET a.b = :v", v=s("hello")) == in_a(b=s("hello"))
    assert returns(item, "UPDATED_NEW", "SET a.c[1] = :v", v=n(4)) == in_a(c=numbers(4))
    assert returns(nested_item(s("hi"), numbers(1, 3, 3)), "UPDATED_OLD", "REMOVE a.c[1], a.c[3]") == in_a(c=numbers(3))
    assert returns(item, "UPDATED_OLD", "SET a.x1 = :v", v=n(8)) is None
    assert returns(item, "UPDATED_NEW", "SET a.x2 = :v", v=n(8)) == in_a(x2=n(8))
    assert returns(item, "UPDATED_NEW", "SET a.c[100] = :v", v=n(70)) is None
    assert returns(nested_item(s("hi"), numbers(1, 3, 70)), "UPDATED_NEW", "REMOVE a.c[1]") == in_a(c=numbers(70))
    assert returns(nested_item(s("hi"), numbers(1, 3)), "UPDATED_NEW", "REMOVE a.c[1]") is None


def test_returned_values_of_top_level_targets() -> None:
    item = {"a": s("hi"), "b": s("dog")}
    text = "SET b = :v, c = :w"
    assert returns(item, "UPDATED_OLD", text, v=s("cat"), w=s("hello")) == {"b": s("dog")}
    assert returns(item, "UPDATED_NEW", text, v=s("cat"), w=s("hello")) == {"b": s("cat"), "c": s("hello")}
    assert returns(item, "UPDATED_OLD", "SET b = :v", v=s("dog")) == {"b": s("dog")}
    assert returns(item, "UPDATED_OLD", "REMOVE b") == {"b": s("dog")}
    assert returns(item, "UPDATED_NEW", "REMOVE b") is None
    assert returns(item, "UPDATED_NEW", "SET a = :v REMOVE b", v=s("x")) == {"a": s("x")}
    assert returns(item, "NONE", "SET a = :v", v=s("x")) is None
    assert returns(None, "UPDATED_NEW", "SET a = :v", v=n(1)) == {"a": n(1)}
    assert returns(None, "ALL_OLD", "SET a = :v", v=n(1)) is None
    assert returns(None, "UPDATED_OLD", "SET a = :v", v=n(1)) is None
    assert returns(None, "ALL_NEW", "SET b = :v", v=s("cat")) == KEY | {"b": s("cat")}
    assert returns(None, "ALL_NEW", "REMOVE b") is None
    assert returns({"n": n(3)}, "UPDATED_NEW", "ADD n :v", v=n(1)) == {"n": n(4)}
    sets = {"x": {"SS": ["a", "b"]}}
    assert returns(sets, "UPDATED_NEW", "ADD x :v", v={"SS": ["a"]}) == sets
    assert returns(sets, "UPDATED_NEW", "DELETE x :v", v={"SS": ["c"]}) == sets


TEN = s("y" * 10)


@pytest.mark.parametrize(
    ("text", "values", "charge"),
    [
        ("SET b = :v", {"v": TEN}, 19 + 1 + 10),
        ("SET d.leaf = :v", {"v": TEN}, 19 + 1 + 8 + 10),
        ("SET d[0] = :v", {"v": TEN}, 19 + 1 + 5 + 10),
        ("SET c = abcdefghij", {}, 19 + 1 + 1 + 24),
        ("SET c = m.z", {}, 19 + 1 + 1 + 15 + 15),
        ("SET c = m.a.z", {}, 19 + 1 + 1 + 15 * 3),
        ("SET c = l[10]", {}, 19 + 1 + 1 + 15 + 16),
        ("SET l = list_append(l, :v)", {"v": {"L": [TEN]}}, 19 + 1 + 37 + 16 + 14),
        ("SET l = list_append(:a, :c)", {"a": {"L": [s("e")]}, "c": {"L": [TEN]}}, 19 + 1 + 37 + 5 + 14),
        ("SET c = if_not_exists(c, :m)", {"m": {"M": {"a": s("y" * 100)}}}, 19 + 1 + 39 + 16 + 105),
        ("SET c = if_not_exists(c, :s), d = if_not_exists(d, :s)", {"s": s("s" * 100)}, 2 * (20 + 39 + 16 + 100)),
        ("SET n = n + :one", {"one": n(1)}, 19 + 1 + 34 + 16 + 2),
        ("SET n = n - :one", {"one": n(1)}, 19 + 1 + 37 + 16 + 2),
        ("ADD abcdefghij :one", {"one": n(1)}, 19 + 10 + 2),
        ("ADD ss :v", {"v": {"SS": ["s" * 500]}}, 19 + 2 + 500),
        ("REMOVE r", {}, 2),
        ("REMOVE abcdefghij", {}, 11),
        ("REMOVE m.yyyyyyyyyy", {}, 1 + 1 + 14),
        ("REMOVE abcdefghij[1]", {}, 1 + 10 + 5),
        ("REMOVE l[10]", {}, 1 + 1 + 6),
        ("DELETE ss :v", {"v": {"SS": ["q" * 20, "r" * 30]}}, 3),
    ],
)
def test_what_a_statement_is_charged(text: str, values: dict[str, Any], charge: int) -> None:
    assert statement_bytes(parsed(text, **values)) == 3 + charge


def test_what_an_empty_or_legacy_update_is_charged() -> None:
    assert statement_bytes(Update(())) == 3
    assert statement_bytes(Update(parsed("SET b = :v", v=TEN).actions, legacy=True)) == 0
