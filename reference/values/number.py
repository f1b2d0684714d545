"""Numbers: exact decimals of 38 significant digits, held as canonical text.

Canonical text is plain decimal, never an exponent, with no superfluous zero, sign or point (dataplane:NUM-8), so two
numbers are equal when their texts are.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from reference.rules import Cohort, Violation, violation

MAX_DIGITS = 38
"""Significant digits a number may have (dataplane:NUM-4)."""

MAX_POINT = 126
MIN_POINT = -129
"""Bounds of the place of the decimal point before the first significant digit: 1E125 has 126, 1E-130 has -129."""

_INT32 = 1 << 31
_INT64 = 1 << 63
_LONGEST_EXPONENT = 19
_CANONICAL = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?").fullmatch
_LITERAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?").fullmatch
_EXACT = Context(prec=512, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999, traps=[])


def normal(text: str, layer: Cohort) -> str | Violation:
    """The canonical text of a number as the wire wrote it, or why the service refuses it (dataplane:NUM-1 to NUM-8).

    The ``current`` value layer reads an exponent of 64 bits, the ``older`` one of 32 (conflicts:4).
    """
    if len(text) <= MAX_DIGITS:
        if text.isdigit() and text[0] != "0" and text.isascii():
            return text
        if _CANONICAL(text):
            return text
    return _read(text, layer)


def _read(text: str, layer: Cohort) -> str | Violation:
    if not text:
        return violation("values.number-empty")
    found = _LITERAL(text)
    if found is None or not (found[2] or found[3]):
        return violation("values.number-malformed", text=text)
    sign, whole, fraction = found[1], found[2], found[3] or ""
    digits = (whole + fraction).lstrip("0")
    # Zero counts as one digit, so it is ranged by the exponent it is written with (dataplane:NUM-7).
    precision = len(digits) or 1
    exponent = _exponent(found[4] or "", found[5] or "0")
    scale = len(fraction) - exponent
    point = precision - scale
    if layer == "older":
        if not (_fits(exponent, _INT32) and _fits(scale, _INT32)):
            return violation("values.number-exponent", text=text)
        if point >= _INT32:
            return violation("values.number-wrapped")
    elif not _fits(exponent, _INT64):
        return violation("values.number-malformed", text=text)
    if point > MAX_POINT:
        return violation("values.number-overflow")
    if point < MIN_POINT:
        return violation("values.number-underflow")
    digits = digits.rstrip("0")
    if len(digits) > MAX_DIGITS:
        return violation("values.number-precision")
    return _plain(sign == "-", digits, point) if digits else "0"


def _exponent(sign: str, digits: str) -> int:
    """The exponent, or of one too long for any layer's integers something as unfit."""
    digits = digits.lstrip("0")
    exponent = int(digits or "0") if len(digits) <= _LONGEST_EXPONENT else _INT64 + 1
    return -exponent if sign == "-" else exponent


def _fits(number: int, bound: int) -> bool:
    return -bound <= number < bound


def _plain(negative: bool, digits: str, point: int) -> str:  # noqa: FBT001
    """0.digits × 10^point as plain text; ``digits`` has no zero at either end."""
    if point <= 0:
        body = f"0.{'0' * -point}{digits}"
    elif point >= len(digits):
        body = digits + "0" * (point - len(digits))
    else:
        body = f"{digits[:point]}.{digits[point:]}"
    return f"-{body}" if negative else body


@lru_cache(maxsize=8_192)
def decimal(text: str) -> Decimal:
    """The exact value of a canonical text."""
    return Decimal(text)


def text(value: Decimal) -> str:
    """The canonical text of a finite decimal, however large."""
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def add(a: str, b: str) -> str | Violation:
    """a + b of two canonical texts, exact; one of more than 38 digits is refused (dataplane:NUM-10, conflicts:53)."""
    if a.isdigit() and b.isdigit() and len(a) < MAX_DIGITS and len(b) < MAX_DIGITS:
        return str(int(a) + int(b))
    return _result(_EXACT.add(decimal(a), decimal(b)))


def subtract(a: str, b: str) -> str | Violation:
    """a - b of two canonical texts, under the rules of :func:`add`."""
    return _result(_EXACT.subtract(decimal(a), decimal(b)))


def _result(value: Decimal) -> str | Violation:
    if not value:
        return "0"
    _, digits, exponent = value.normalize(_EXACT).as_tuple()
    point = len(digits) + int(exponent)
    if len(digits) > MAX_DIGITS:
        return violation("values.arithmetic-precision")
    if point > MAX_POINT:
        return violation("values.arithmetic-overflow")
    if point < MIN_POINT:
        return violation("values.arithmetic-underflow")
    return text(value)


def number_size(text: str) -> int:
    """The bytes a canonical number counts for: a byte, one per two digits on either side of the point, one for minus.

    Zeros at the outer ends of the significant digits don't count (dataplane:SIZE-3).
    """
    if text.isdigit():
        return 1 + (len(text.rstrip("0")) + 1) // 2
    negative = text[0] == "-"
    whole, _, fraction = text[negative:].partition(".")
    if not fraction:
        whole = whole.rstrip("0")
    elif whole == "0":
        whole, fraction = "", fraction.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + negative
