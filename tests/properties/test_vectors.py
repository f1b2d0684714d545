"""Vectors: what an index hands back is what it holds, and a search misses nothing."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.vectors import distance
from reference.vectors.embedding import decimal, element

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
FUNCTIONS = st.sampled_from(["COSINE", "EUCLIDEAN", "DOT_PRODUCT"])
VECTORS = st.lists(FLOATS, min_size=2, max_size=2).map(tuple)


def bits(value: float) -> bytes:
    return struct.pack("<f", value)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(FLOATS)
def test_the_decimal_of_a_float_names_it(value: float) -> None:
    again = element(decimal(value))
    assert again is not None
    assert bits(again) == bits(value + 0.0)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(FUNCTIONS, VECTORS, VECTORS)
def test_scores_are_finite_and_symmetrical(function: str, one: tuple[float, ...], two: tuple[float, ...]) -> None:
    score = distance.score(function, one, two)
    assert abs(score) <= distance.GREATEST
    assert score == distance.score(function, two, one)
    assert function == "DOT_PRODUCT" or score >= 0
    assert function != "COSINE" or score <= 2
    assert function != "EUCLIDEAN" or distance.score(function, one, one) == 0


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def numbers(vector: tuple[float, ...]) -> list[dict[str, str]]:
    return [{"N": f"{each:.9g}"} for each in vector]


SMALL = st.lists(st.sampled_from([-1.5, -1.0, 0.0, 0.1, 1.0, 2.0]), min_size=2, max_size=2).map(tuple)
ITEMS = st.dictionaries(st.sampled_from("abcdefgh"), st.one_of(st.none(), SMALL))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(FUNCTIONS, ITEMS, SMALL, st.integers(1, 100))
def test_a_search_finds_the_nearest(
    function: str, items: dict[str, tuple[float, ...] | None], query: tuple[float, ...], top: int
) -> None:
    service = Service(Account(ManualClock()))
    index = {
        "IndexName": "vix",
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 2,
        "DistanceFunction": function,
        "Projection": {"ProjectionType": "ALL"},
    }
    ok(
        service,
        "CreateTable",
        TableName="docs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        VectorIndexes=[index],
    )
    for pk, vector in items.items():
        item = {"pk": {"S": pk}} if vector is None else {"pk": {"S": pk}, "v": {"L": numbers(vector)}}
        ok(service, "PutItem", TableName="docs", Item=item)
    results = ok(service, "SearchVectors", TableName="docs", IndexName="vix", SearchVector=numbers(query), TopK=top)[
        "SearchResults"
    ]
    held = {pk: vector for pk, vector in items.items() if vector is not None}
    assert len(results) == min(top, len(held))
    scores = [each["Score"] for each in results]
    assert scores == sorted(scores, reverse=function == "DOT_PRODUCT")
    left = set(held) - {each["Item"]["pk"]["S"] for each in results}
    narrow = {pk: tuple(struct.unpack("<2f", struct.pack("<2f", *held[pk]))) for pk in left}
    aim = tuple(struct.unpack("<2f", struct.pack("<2f", *query)))
    for vector in narrow.values():
        beyond = distance.score(function, aim, vector)
        assert beyond <= scores[-1] if function == "DOT_PRODUCT" else beyond >= scores[-1]
