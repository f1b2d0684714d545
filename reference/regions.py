"""Which words may name a region of AWS."""

from __future__ import annotations

import re

_NAME = re.compile(r"(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-iso[a-z]?)?-[a-z]+-[0-9]")


def possible(region: str) -> bool:
    """Whether a region of that name may exist; new ones come every year."""
    return _NAME.fullmatch(region) is not None
