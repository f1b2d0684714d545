"""What may be a resource-based policy, and its canonical text (beyond:POL-1, POL-4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from reference.rules import Checks, Violation, violation

MAX_BYTES = 20_480
STREAM_ACTIONS = frozenset({"dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator"})
"""What is done to a stream, and so is no matter of a table's policy."""
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORDER = ("Version", "Id", "Statement")
_STATEMENT_ORDER = ("Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition")
_EFFECTS = {"allow": "Allow", "deny": "Deny"}
_RELATIVE = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:(table/[^/*?]+(?P<stream>/stream/[^*?]+)?)")
"""An ARN that means one table, or one stream; what patterns and indexes mean for the other kind is not known."""


def check(text: str, arn: str) -> Checks[None]:
    """Whether a text can be the policy of a table or stream: its size, its JSON, its statements, whom it lets in."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        yield violation("account.policy-size", limit=MAX_BYTES)
        return
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        yield violation("account.policy-json")
        return
    policy = _policy(read)
    if policy is None:
        yield _unlike(read, text)
        return
    statements = _statements(policy)
    for statement in statements:
        yield from _sound(statement, arn)
    sids = [each["Sid"] for each in statements if isinstance(each.get("Sid"), str)]
    if len(set(sids)) < len(sids):
        yield violation("account.policy-sids")
    if any(_public(statement) for statement in statements):
        yield violation("account.policy-public")


def _unlike(read: Any, text: str) -> Violation:
    """Why JSON is no policy document."""
    if isinstance(read, list):
        return violation("account.policy-json")
    if not isinstance(read, dict):
        return violation("account.policy-text")
    if not read:
        return violation("account.policy-syntax", column=len(text.rstrip()) + 1)
    if read.get("Statement") == []:
        return violation("account.policy-empty")
    if _statements(read) and all(isinstance(each, dict) for each in _statements(read)):
        return violation("account.policy-field", field="Effect")
    return violation("account.policy-malformed")


def _sound(statement: dict[str, Any], arn: str) -> Checks[None]:
    if isinstance(statement.get("Principal"), str) and statement["Principal"] != "*":
        yield violation("account.policy-principal")
    if "Resource" not in statement and "NotResource" not in statement:
        yield violation("account.policy-field", field="Resource")
    of_stream = "/stream/" in arn
    foreign = [f'"{each}"' for each in _texts(statement.get("Action")) if each.lower() in STREAM_ACTIONS]
    if foreign and not of_stream:
        yield violation("account.policy-actions", actions=", ".join(foreign))
    for each in _texts(statement.get("Resource")):
        relative = _RELATIVE.fullmatch(each)
        if relative is not None and (relative["stream"] is not None) != of_stream:
            yield violation("account.policy-relative", relative=relative[1], arn=each)


def locks_out(text: str, account: str, arn: str) -> bool:
    """Whether the policy of ``arn`` keeps the account itself from changing it again."""
    return any(
        _EFFECTS.get(str(each.get("Effect")).lower()) == "Deny"
        and not each.get("Condition")
        and _means(each.get("Principal"), account)
        and any(_covers(action.lower(), "dynamodb:putresourcepolicy") for action in _texts(each.get("Action")))
        and any(_covers(resource, arn) for resource in _texts(each.get("Resource")))
        for each in _statements(parsed(text) or {})
    )


def _means(principal: Any, account: str) -> bool:
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return any(each in ("*", account, _root(account)) for each in _texts(named))


def _covers(pattern: str, name: str) -> bool:
    """Whether a pattern of a policy, with ``*`` and ``?``, means an action or an ARN; a hostile one takes no longer."""
    # The ends of all beginnings of the name that what was read of the pattern means.
    reached = {0}
    for sign in pattern:
        if sign == "*":
            reached = set(range(min(reached), len(name) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(name) and sign in ("?", name[at])}
        if not reached:
            return False
    return len(name) in reached


def parsed(text: str) -> dict[str, Any] | None:
    """The policy document, or None where the text is none; nesting beyond the parser's reach makes it none."""
    try:
        return _policy(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _policy(read: Any) -> dict[str, Any] | None:
    if not isinstance(read, dict) or not _statements(read):
        return None
    return read if all(isinstance(each, dict) and "Effect" in each for each in _statements(read)) else None


def _statements(policy: dict[str, Any]) -> list[Any]:
    statements = policy.get("Statement")
    return statements if isinstance(statements, list) else [statements] if statements is not None else []


def _public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    anyone = principal == "*" or (isinstance(principal, dict) and "*" in _list(principal.get("AWS")))
    allows = _EFFECTS.get(str(statement.get("Effect")).lower()) == "Allow"
    return allows and anyone and not statement.get("Condition")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> Iterator[str]:
    return (each for each in _list(value) if isinstance(each, str))


def canonical(policy: dict[str, Any]) -> str:
    """Minified, in a fixed order, with lists of one as their only element and account ids as ARNs (beyond:POL-4)."""
    policy = {"Version": "2008-10-17", **policy, "Statement": [_statement(each) for each in _statements(policy)]}
    return json.dumps(_ordered(policy, _ORDER), separators=(",", ":"), ensure_ascii=False)


def _ordered(members: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    return {**{name: members[name] for name in order if name in members}, **members}


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    told = {name: _single(value) for name, value in _ordered(statement, _STATEMENT_ORDER).items()}
    told["Effect"] = _EFFECTS.get(str(told["Effect"]).lower(), told["Effect"])
    if isinstance(told.get("Principal"), dict):
        told["Principal"] = {kind: _single(_roots(names)) for kind, names in told["Principal"].items()}
    if isinstance(told.get("Condition"), dict):
        told["Condition"] = {operator: _condition(keys) for operator, keys in told["Condition"].items()}
    return told


def _condition(keys: Any) -> Any:
    return {name: _single(value) for name, value in keys.items()} if isinstance(keys, dict) else keys


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _roots(names: Any) -> Any:
    """Principals, each of them once; actions and resources are not looked through like this."""
    found: list[Any] = []
    for name in _list(names):
        told = _root(name) if isinstance(name, str) and _ACCOUNT.fullmatch(name) else name
        if told not in found:
            found.append(told)
    return found


def _root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"
