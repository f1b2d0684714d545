"""How near two vectors are. Elements are 32-bit floats, sums are not; a score is a 32-bit float again (VEC-4)."""

from __future__ import annotations

import math

from reference.vectors.embedding import Vector, narrow

GREATEST = 3.4028234663852886e38
"""The greatest 32-bit float: no score is beyond it."""


def score(function: str, query: Vector, stored: Vector) -> float:
    """The score of a stored vector for a search vector of the same dimensions.

    ``COSINE`` is 0 for the same direction and 2 for the opposite, 1 where one of them has no direction; ``EUCLIDEAN``
    the distance; ``DOT_PRODUCT`` the product. Finite, whatever the vectors are.
    """
    if function == "EUCLIDEAN":
        found = math.sqrt(math.fsum((q - s) ** 2 for q, s in zip(query, stored, strict=True)))
    elif function == "DOT_PRODUCT":
        found = _dot(query, stored)
    else:
        found = _cosine(query, stored)
    nearest = narrow(min(max(found, -GREATEST), GREATEST))
    return math.copysign(GREATEST, found) if nearest is None else nearest


def closeness(function: str, score: float) -> float:
    """What results are sorted by, the nearest first: high products, low distances."""
    return -score if function == "DOT_PRODUCT" else score


def _dot(one: Vector, two: Vector) -> float:
    return math.fsum(a * b for a, b in zip(one, two, strict=True))


def _cosine(query: Vector, stored: Vector) -> float:
    lengths = _dot(query, query), _dot(stored, stored)
    if 0.0 in lengths:
        return 1.0
    if query == stored:
        return 0.0
    found = 1.0 - _dot(query, stored) / (math.sqrt(lengths[0]) * math.sqrt(lengths[1]))
    return min(max(found, 0.0), 2.0)
