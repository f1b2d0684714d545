"""CBOR: known texts both ways, and texts that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.cbor import decode, encode

KNOWN = [
    (0, "00"), (23, "17"), (24, "1818"), (1000, "1903e8"), (1000000, "1a000f4240"), (-1, "20"), (-1000, "3903e7"),
    (1.1, "fb3ff199999999999a"), (False, "f4"), (True, "f5"), (None, "f6"), ("", "60"), ("IETF", "6449455446"),
    (b"\x01\x02", "420102"), ([], "80"), ([1, [2, 3]], "8201820203"), ({}, "a0"),
    ({"a": 1, "b": [2]}, "a261610161628102"),
]  # fmt: skip
"""Examples of RFC 8949, appendix A."""


@pytest.mark.parametrize(("value", "text"), KNOWN, ids=[text for _, text in KNOWN])
def test_both_ways(value: object, text: str) -> None:
    assert encode(value) == bytes.fromhex(text)
    assert decode(bytes.fromhex(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("c11a514b67b0", 1363896240), ("f90001", 5.960464477539063e-08), ("fa47c35000", 100000.0), ("f7", None),
        ("9f0102ff", [1, 2]), ("bf616101ff", {"a": 1}), ("7f61616162ff", "ab"), ("5f41014102ff", b"\x01\x02"),
    ],
)  # fmt: skip
def test_what_is_read_in_other_forms(text: str, value: object) -> None:
    assert decode(bytes.fromhex(text)) == value


def test_moments_are_tagged() -> None:
    names = frozenset({"at"})
    assert encode({"at": 1}, names).hex() == "a1626174c101"
    assert encode({"at": [1.5]}, names).hex() == "a162617481c1fb3ff8000000000000"
    assert encode({"b": 1}, names).hex() == "a1616201"


@pytest.mark.parametrize(
    "text",
    ["", "18", "1c", "6261", "81", "9bffffffffffffffff", "a10102", "ff", "0000", "9f", "81ff", "7f01ff",
     "bf6161ff", "62c328", "f8", "1f", "81" * 100],
)  # fmt: skip
def test_what_is_no_text(text: str) -> None:
    with pytest.raises(ValueError):
        decode(bytes.fromhex(text))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(VALUES)
def test_what_is_written_is_read(value: object) -> None:
    assert decode(encode(value)) == value


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        pass
