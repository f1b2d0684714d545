"""Which words may name a region of AWS."""

from __future__ import annotations

import re

_WHERE = "(north|south|east|west|central|(north|south)(east|west))"
_NAME = re.compile(rf"(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-iso[a-z]?)?-{_WHERE}-[0-9]")


def possible(region: str) -> bool:
    """Whether a region of that name may exist; new ones come every year."""
    return _NAME.fullmatch(region) is not None
