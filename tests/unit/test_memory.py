"""What the reference remembers between requests stays small, however long the texts are that it is sent."""

from __future__ import annotations

from reference.expressions.binding import named
from reference.expressions.parser import REMEMBERED_LENGTH, parse
from reference.partiql import parser as partiql
from reference.tables.view import token


def test_short_expressions_are_remembered_and_long_ones_are_not() -> None:
    assert parse("Condition", "a = b") is parse("Condition", "a = b")
    long = "a = " + "b" * REMEMBERED_LENGTH
    assert parse("Condition", long) is not parse("Condition", long)
    assert parse("Condition", long) == parse("Condition", long)


def test_expressions_with_long_names_are_not_remembered() -> None:
    short, long = {"#a": "x"}, {"#a": "x" * REMEMBERED_LENGTH}
    assert named("Condition", "#a = b", short) is named("Condition", "#a = b", short)
    assert named("Condition", "#a = b", long) is not named("Condition", "#a = b", long)
    assert named("Condition", "#a = b", long).tree == named("Condition", "#a = b", long).tree


def test_short_statements_are_remembered_and_long_ones_are_not() -> None:
    short = "SELECT * FROM tab"
    assert partiql.parse(short) is partiql.parse(short)
    long = short + " " * REMEMBERED_LENGTH
    assert partiql.parse(long) is not partiql.parse(long)
    assert partiql.parse(long) == partiql.parse(short)


def test_long_keys_have_a_place_too() -> None:
    assert token({"S": "k" * 256}) == token({"S": "k" * 256})
    assert token({"S": "k" * 2048}) == token({"S": "k" * 2048})
    assert len({token({"S": "k" * length}) for length in (1, 255, 256, 257, 2048)}) == 5
