"""Numbers against the decimal module: reading, order, arithmetic, size."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.rules import Violation
from reference.values.number import add, decimal, normal, number_size, subtract, text

lawful = settings(deadline=None, max_examples=150, derandomize=True)
digits = st.text("0123456789", max_size=6) | st.text("09", max_size=45)
exponents = st.integers(-140, 140) | st.integers(-(2**66), 2**66) | st.sampled_from([2**31 - 1, 2**31, -(2**31)])
written = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "", "-", "+"]),
    digits,
    st.sampled_from(["", "."]),
    digits,
    st.just("") | st.builds("{}{}".format, st.sampled_from("eE"), exponents),
)
layers = st.sampled_from(["current", "older"])


@st.composite
def canonical(draw):
    """A number that may be stored, in canonical text."""
    whole = draw(st.integers(0, 10 ** draw(st.integers(0, 38)) - 1))
    kept = normal(f"{draw(st.sampled_from(['', '-']))}{whole}e{draw(st.integers(-130, 87))}", "current")
    return kept if isinstance(kept, str) else "0"


def expected(literal: str) -> str | Decimal:
    """The slow reading of a literal in the current layer: its value, or the rule it breaks."""
    mantissa, _, exponent = literal.lower().partition("e")
    if not mantissa.strip("+-").replace(".", "", 1):
        return "values.number-malformed" if literal else "values.number-empty"
    power = int(exponent or "0")
    if not -(2**63) <= power < 2**63:
        return "values.number-malformed"
    whole, _, fraction = mantissa.strip("+-").partition(".")
    significant = (whole + fraction).lstrip("0")
    magnitude = max(len(significant), 1) - 1 - len(fraction) + power
    if magnitude > 125:
        return "values.number-overflow"
    if magnitude < -130:
        return "values.number-underflow"
    if len(significant.rstrip("0")) > 38:
        return "values.number-precision"
    with localcontext(prec=400):
        return Decimal(literal)


@lawful
@given(written)
def test_reading_agrees_with_decimal(literal):
    result = normal(literal, "current")
    if isinstance(result, Violation):
        assert result.rule.name == expected(literal)
    else:
        assert Decimal(result) == expected(literal)


@lawful
@given(written | st.text(max_size=8) | st.text("0123456789+-.eE _x", max_size=12), layers)
def test_normal_form_is_idempotent_and_plain(literal, layer):
    result = normal(literal, layer)
    if isinstance(result, str):
        assert normal(result, "current") == normal(result, "older") == result
        assert text(decimal(result)) == result
        assert set(result) <= set("-.0123456789")
        assert result == "0" or result.lstrip("-")[0] != "0" or result.lstrip("-")[1] == "."
        assert "." not in result or result[-1] not in "0."


@lawful
@given(canonical(), canonical())
def test_equal_texts_are_equal_numbers(a, b):
    assert (a == b) == (Decimal(a) == Decimal(b))


@lawful
@given(canonical(), canonical())
def test_arithmetic_is_exact_or_refused(a, b):
    with localcontext(prec=600) as exact:
        for result, value in ((add(a, b), Decimal(a) + Decimal(b)), (subtract(a, b), Decimal(a) - Decimal(b))):
            if isinstance(result, str):
                assert Decimal(result) == value
                assert normal(result, "current") == result
            else:
                digits_ = value.normalize(exact).as_tuple().digits
                assert len(digits_) > 38 or not -130 <= value.adjusted() <= 125
    assert add(a, b) == add(b, a) or isinstance(add(a, b), Violation)
    assert subtract(a, a) == "0"


@lawful
@given(canonical())
def test_size_counts_pairs_of_significant_digits(number):
    pairs = len(Decimal(number).normalize().as_tuple().digits)
    least = 1 + (pairs + 1) // 2
    if number == "0":
        assert number_size(number) == 1
    else:
        extra = number_size(number) - least - number.startswith("-")
        assert extra >= 0 if "." in number else extra == 0
        assert number_size(number) <= 1 + 1 + 20 + 65
