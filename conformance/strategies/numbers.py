"""Numbers in every spelling: up to 38 digits anywhere in the range, respelt, neighbours, and pairs that just add up."""

from __future__ import annotations

from decimal import Context, Decimal

from conformance.strategies.draws import Draw, chance, number, pick
from reference.values.number import MAX_DIGITS, normal, text

_EXACT = Context(prec=512)
_DIGITS = (1, 2, 3, 17, 18, 20, MAX_DIGITS - 1, MAX_DIGITS, MAX_DIGITS)
_PLACES = (0, 1, 2, -1, -2, 5, 15, 16, 17, 20, 37, 38, -20, -37, 120, 125, -120, -130)
"""Powers of ten of the first digit: 1E125 and 1E-130 are the outermost."""

EDGES = (
    "9.9999999999999999999999999999999999999e125",
    "-9.9999999999999999999999999999999999999e125",
    "1e-130",
    "-1e-130",
    "99999999999999999999999999999999999999",
    "0.00000000000000000000000000000000000001",
    "9007199254740993",
    "-9223372036854775809",
    "18446744073709551617",
    "0.1000000000000000055511151231257827",
    "340282366920938463463374607431768211456",
    "0e-129",
    "-0.0",
    "00000000000000000000000000000000000000000001",
    "1.000000000000000000000000000000000000000000",
)
"""Numbers that are lost where a target keeps them as floats, as 64-bit integers, or as they are written; the one of
39 digits is refused."""

REFUSED = (
    "1e126", "-1e126", "9.99999999999999999999999999999999999999e125", "1e-131", "1" * 39,
    "1.23456789012345678901234567890123456789", "1_000", "1,5", "0x1F", "1e", "e5", ".", "+", "--1", "1e1.5", "1 ",
    "\uff11", "Infinity", "-NaN", "1e99999999999999999999", "",
)  # fmt: skip
"""What is no number, or none that fits."""


def spelt(draw: Draw) -> str:
    """A number of any size and precision, mostly one that fits, in any spelling."""
    if chance(draw, 25):
        return pick(draw, EDGES)
    digits = _digits(draw, pick(draw, _DIGITS))
    value = Decimal(digits).scaleb(pick(draw, _PLACES) - len(digits) + 1, _EXACT)
    return respelt(draw, text(value if chance(draw, 70) else -value))


def _digits(draw: Draw, count: int) -> str:
    """So many digits with no zero at either end."""
    if chance(draw, 20):
        return "9" * count
    first, last = str(number(draw, 1, 9)), str(number(draw, 1, 9))
    middle = str(number(draw, 0, 10**6)) * count
    return (first + middle)[: count - 1] + last if count > 1 else first


def respelt(draw: Draw, plain: str) -> str:
    """The same number written in another way, or in the same."""
    negative = plain.startswith("-")
    body = plain.lstrip("-")
    form = pick(draw, ("plain", "plain", "scientific", "zeros", "shifted", "plus"))
    if form == "scientific" and body.strip("0."):
        _, digits, exponent = Decimal(body).normalize(_EXACT).as_tuple()
        written = "".join(map(str, digits))
        power = len(digits) - 1 + int(exponent)
        fraction = f".{written[1:]}" if len(written) > 1 else ""
        body = f"{written[0]}{fraction}{pick(draw, ('e', 'E'))}{pick(draw, ('', '+')) if power >= 0 else ''}{power}"
    elif form == "zeros":
        body = f"{'0' * number(draw, 1, 3)}{body}" + ("" if "." not in body else "0" * number(draw, 1, 3))
    elif form == "shifted":
        body = text(Decimal(body).scaleb(-3, _EXACT)) + "E3"
    elif form == "plus" and not negative:
        return f"+{body}"
    return f"-{body}" if negative else body


def beside(draw: Draw, plain: str) -> str:
    """The number next to one in normal form, in its last digit or in the 38th; itself where there is none."""
    value = Decimal(plain).normalize(_EXACT)
    last = value.adjusted() - MAX_DIGITS + 1 if chance(draw, 50) else int(value.as_tuple().exponent)
    step = Decimal(1).scaleb(last, _EXACT)
    other = normal(text(_EXACT.add(value, step if chance(draw, 50) else -step)), "current")
    return other if isinstance(other, str) else plain


SUMS = (
    ("99999999999999999999999999999999999999", "1"),
    ("9" * 37, "0.1"),
    ("1e37", "0.1"),
    ("1e38", "0.1"),
    ("9.9999999999999999999999999999999999999e125", "1e88"),
    ("9e125", "1e125"),
    ("-9e125", "-1e125"),
    ("1e-130", "-1e-130"),
    ("1.5e-130", "1e-130"),
    ("0.1", "0.2"),
    ("9007199254740992", "1"),
    ("123456789012345678901234567890.12345678", "-0.00000001"),
    ("5", "-5.0"),
)
"""Pairs whose sum or difference just fits 38 digits and the range, or just does not."""
