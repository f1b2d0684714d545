"""Numbers: what is read, what is refused and with which words, arithmetic and size."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reference.rules import Violation, surface
from reference.values.number import add, decimal, normal, number_size, subtract, text

NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
PRECISION = "Attempting to store more than 38 significant digits in a Number"


def refusal(result: str | Violation, operation: str = "GetItem") -> str | None:
    assert isinstance(result, Violation), f"accepted as {result}"
    return result.message(surface(operation))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+5", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("+.5", "0.5"),
        ("1.", "1"),
        ("1.e5", "100000"),
        ("00042", "42"),
        ("-0", "0"),
        ("+0", "0"),
        ("0", "0"),
        ("-0.0", "0"),
        ("+1e2", "100"),
        ("1E2", "100"),
        ("1e+5", "100000"),
        ("-17.4E1", "-174"),
        ("3.1400", "3.14"),
        ("0001.23", "1.23"),
        ("1e3", "1000"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
        ("0e125", "0"),
        ("0.0e126", "0"),
        ("0.1e126", "1" + "0" * 125),
        ("0e-130", "0"),
        ("1e0000000000000000000000000000000001", "10"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("-12345678901234567890123456789012345678", "-12345678901234567890123456789012345678"),
        ("1234567890123456789012345678901234567800", "1234567890123456789012345678901234567800"),
        ("000000000000000000000000000000000000000000001", "1"),
    ],
)
@pytest.mark.parametrize("layer", ["current", "older"])
def test_accepted_spellings_read_back_in_normal_form(written, kept, layer):
    assert normal(written, layer) == kept


@pytest.mark.parametrize(
    "written",
    [
        *["abc", " 1", "1 ", "1\n", "0x10", "1e", "1e+", "e2", "NaN", "Infinity", "-Infinity", "1.2.3", "+", "-", "."],
        *["+.", "++5", "+-5", "+1+2", "1+2", "1_000", "1.2e3.4", "+e2", ".e5", "1,5", "\u0661", "\u00b2", "1e\u0661"],
        "\x00",
    ],
)
@pytest.mark.parametrize("layer", ["current", "older"])
def test_malformed_numbers_are_echoed(written, layer):
    assert refusal(normal(written, layer)) == f"{NOT_NUMERIC}: {written}"


@pytest.mark.parametrize(
    ("written", "current", "older"),
    [
        ("", f"{NOT_NUMERIC}: ", NOT_NUMERIC),
        ("1e126", OVERFLOW, OVERFLOW),
        ("-1e126", OVERFLOW, OVERFLOW),
        ("11e125", OVERFLOW, OVERFLOW),
        ("1" + "0" * 126, OVERFLOW, OVERFLOW),
        ("1e-131", UNDERFLOW, UNDERFLOW),
        ("0.9e-130", UNDERFLOW, UNDERFLOW),
        ("0e126", OVERFLOW, OVERFLOW),
        ("0e-131", UNDERFLOW, UNDERFLOW),
        ("1e2147483646", OVERFLOW, OVERFLOW),
        ("1e2147483647", OVERFLOW, UNDERFLOW),
        ("1e2147483648", OVERFLOW, f"{NOT_NUMERIC}: 1e2147483648"),
        ("1e-2147483648", UNDERFLOW, f"{NOT_NUMERIC}: 1e-2147483648"),
        ("1e99999999999", OVERFLOW, f"{NOT_NUMERIC}: 1e99999999999"),
        ("-1e99999999999", OVERFLOW, f"{NOT_NUMERIC}: -1e99999999999"),
        ("1e-99999999999", UNDERFLOW, f"{NOT_NUMERIC}: 1e-99999999999"),
        ("1e9223372036854775807", OVERFLOW, f"{NOT_NUMERIC}: 1e9223372036854775807"),
        ("1e9223372036854775808", f"{NOT_NUMERIC}: 1e9223372036854775808", f"{NOT_NUMERIC}: 1e9223372036854775808"),
        ("1234567890123456789012345678901234567890", PRECISION, PRECISION),
        ("3.14159265358979323846264338327950288419", PRECISION, PRECISION),
        ("314159265358979323846264338327950288419e30", PRECISION, PRECISION),
    ],
)
def test_refusals_by_layer(written, current, older):
    assert refusal(normal(written, "current"), "GetItem") == current
    assert refusal(normal(written, "older"), "BatchWriteItem") == older


def test_single_item_writes_envelope_and_scan_wraps():
    bad = normal("abc", "current")
    assert isinstance(bad, Violation)
    assert bad.at(":v").message(surface("UpdateItem")) == f"1 validation error detected: {NOT_NUMERIC}: abc"
    assert bad.at(":v").message(surface("Query")) == f"{NOT_NUMERIC}: abc"
    wrapped = f"ExpressionAttributeValues contains invalid value: {NOT_NUMERIC}: abc for key :v"
    assert bad.at(":v").message(surface("Scan")) == wrapped
    assert bad.at(":v").message(surface("TransactWriteItems")) == wrapped


@pytest.mark.parametrize(("digits", "exponent"), [("9" * 1_000_000, ""), ("1", "e" + "9" * 1_000_000)])
def test_hostile_lengths_are_refused(digits, exponent):
    for layer in ("current", "older"):
        assert isinstance(normal(digits + exponent, layer), Violation)
    assert normal("0" * 1_000_000 + "7", "current") == "7"


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [
        ("0.1", "0.2", "0.3"),
        ("99999999999999999999999999999999999999", "1", "1" + "0" * 38),
        ("1", "10000000000000000000000", "10000000000000000000001"),
        ("-1", "1", "0"),
        ("1.5", "-0.5", "1"),
        ("5" + "0" * 125, "4" + "0" * 125, "9" + "0" * 125),
        ("0", "0", "0"),
    ],
)
def test_sums_are_exact(a, b, total):
    assert add(a, b) == total
    assert add(b, a) == total


def test_differences_are_exact():
    assert subtract("10000000000000000000000", "1") == "9999999999999999999999"
    assert subtract("1", "1") == "0"
    assert subtract("1", "2.5") == "-1.5"
    assert subtract("0", "5") == "-5"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (add("1" + "0" * 50, "1"), OVERFLOW),
        (subtract("1" + "0" * 50, "1"), OVERFLOW),
        (add("9" + "0" * 125, "9" + "0" * 125), OVERFLOW),
        (subtract("9" + "0" * 125, "-9" + "0" * 125), OVERFLOW),
        (add("0." + "0" * 129 + "1", "1"), OVERFLOW),
        (add("9" * 38 + "0" * 88, "1" + "0" * 87), OVERFLOW),
        (subtract("0." + "0" * 129 + "11", "0." + "0" * 129 + "1"), UNDERFLOW),
    ],
)
def test_arithmetic_out_of_range_is_bare_even_on_single_item_writes(result, message):
    assert refusal(result, "UpdateItem") == message


def test_text_and_decimal_are_inverse():
    for written in ["0", "-1.5", "100", "0.001", "1" + "0" * 125]:
        assert text(decimal(written)) == written
    assert text(Decimal("1.500")) == "1.5"
    assert text(Decimal("1E+3")) == "1000"
    assert text(Decimal("-0")) == "0"


# The literals measured on AWS on 18 August 2026 (numberByteSize.test.ts of the parity suite).
@pytest.mark.parametrize(
    ("literal", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("1234", 3),
        ("12345678901234567890123456789012345678", 20),
        ("0042", 2),
        ("100", 2),
        ("1010", 3),
        ("0.0000001", 2),
        ("1E125", 2),
        ("1E-100", 2),
        ("1.5", 3),
        ("15", 2),
        ("1.2", 3),
        ("1.200", 3),
        ("1.234", 4),
        ("3.14159", 5),
        ("123456", 4),
        ("100.5", 4),
        ("0.15", 2),
        ("-42", 3),
        ("-0", 1),
    ],
)
def test_captured_sizes(literal, size):
    canonical = normal(literal, "current")
    assert isinstance(canonical, str)
    assert number_size(canonical) == size


def test_minus_costs_a_byte():
    assert number_size("-100") == 3
    assert number_size("-0.15") == 3
    assert number_size("-100.5") == 5


def test_a_sum_that_is_both_too_large_and_too_precise_may_be_told_as_either():
    both = add("9" * 38 + "0" * 88, "1" + "0" * 87)
    assert isinstance(both, Violation)
    assert both.rule.name == "values.arithmetic-precision"
