"""Resource-based policies: what may be one, its canonical text, its revisions (beyond:POL-1 to POL-4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reference.rules import Checks, violation
from reference.tables.settings import Policy
from reference.tables.table import Table

MAX_BYTES = 20_480
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORDER = ("Version", "Id", "Statement")
ROOM = "policies"


def check(text: str) -> Checks[None]:
    """Whether a text can be a policy: its size, then its JSON, then whom it lets in."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        yield violation("account.policy-size", limit=MAX_BYTES)
        return
    policy = _parsed(text)
    if policy is None:
        yield violation("account.policy-malformed")
    elif any(_public(statement) for statement in _statements(policy)):
        yield violation("account.policy-public")


@dataclass(slots=True)
class Revisions:
    """The latest revision that was given to a policy which may be gone."""

    last: int = 0

    def copy(self) -> Revisions:
        """An independent one in the same state."""
        return Revisions(self.last)


def revisions(rooms: dict[str, Any]) -> Revisions:
    """The account's room of revisions."""
    room = rooms.setdefault(ROOM, Revisions())
    assert isinstance(room, Revisions)
    return room


def latest(rooms: dict[str, Any], tables: Iterable[Table]) -> int:
    """The latest revision of any policy of an account, now or before."""
    gone = revisions(rooms).last if ROOM in rooms else 0
    return max([gone, *(int(policy.revision) for table in tables for policy in table.settings.policies.values())])


def revised(held: Policy | None, text: str, now: float, last: int = 0) -> Policy:
    """The policy after ``text`` was put at ``now`` (epoch seconds); one that says the same keeps its revision.

    ``last`` is the latest that the account has given: no two are the same, however close they are.
    """
    canonical = _canonical(_parsed(text) or {})
    if held is not None and held.text == canonical:
        return held
    return Policy(canonical, str(max(round(now * 1000), last + 1)), now)


def _parsed(text: str) -> dict[str, Any] | None:
    """The policy document, or None where the text is none; nesting beyond the parser's reach makes it none."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(policy, dict) or not _statements(policy):
        return None
    return policy if all(isinstance(each, dict) and "Effect" in each for each in _statements(policy)) else None


def _statements(policy: dict[str, Any]) -> list[Any]:
    statements = policy.get("Statement")
    return statements if isinstance(statements, list) else [statements] if statements is not None else []


def _public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    anyone = principal == "*" or (isinstance(principal, dict) and "*" in _list(principal.get("AWS")))
    return statement.get("Effect") == "Allow" and anyone and not statement.get("Condition")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _canonical(policy: dict[str, Any]) -> str:
    """Minified, in a fixed order, with lists of one as their only element and account ids as ARNs (beyond:POL-4)."""
    policy = {"Version": "2008-10-17", **policy, "Statement": [_statement(each) for each in _statements(policy)]}
    ordered = {name: policy[name] for name in _ORDER if name in policy}
    return json.dumps({**ordered, **policy}, separators=(",", ":"), ensure_ascii=False)


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    told = {name: _single(value) for name, value in statement.items()}
    if isinstance(told.get("Principal"), dict):
        told["Principal"] = {kind: _single(_roots(names)) for kind, names in told["Principal"].items()}
    return told


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _roots(names: Any) -> Any:
    return [
        f"arn:aws:iam::{name}:root" if isinstance(name, str) and _ACCOUNT.fullmatch(name) else name
        for name in _list(names)
    ]
