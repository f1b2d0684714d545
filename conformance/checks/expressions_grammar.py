"""Checks of the grammar of expressions, and of the paths in them."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    aliases,
    batch_get,
    condition,
    get,
    holds,
    n,
    named,
    partition,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_update,
    transact,
    update,
)
from conformance.program import Step
from reference.api import Json

_V = {"v": n(1)}
_ONCE = "section can only be used once in an update expression;"
_TOO_LARGE = "Expression size has exceeded the maximum allowed size;"
_ABSENT = "attribute_not_exists(nope)"


def _syntax(kind: str, token: str, near: str) -> str:
    return f'Invalid {kind}Expression: Syntax error; token: "{token}", near: "{near}"'


GRAMMAR: tuple[Check, ...] = (
    *(
        refuses(
            "expressions.empty",
            step,
            f"{prefix}Invalid {kind}Expression: The expression can not be empty;",
            control=control,
            name=name,
        )
        for name, kind, prefix, step, control in (
            ("condition", "Condition", ENVELOPE, put(ConditionExpression=""), put(ConditionExpression=_ABSENT)),
            ("update", "Update", ENVELOPE, update(""), update("REMOVE v")),
            ("filter", "Filter", "", scan(FilterExpression=""), scan(FilterExpression=_ABSENT)),
            ("projection", "Projection", "", get(ProjectionExpression=""), get(ProjectionExpression="v")),
            ("key-condition", "KeyCondition", "", query(""), partition()),
            ("transaction", "Condition", "", transact(t_check("")), transact(t_check(_ABSENT))),
        )
    ),
    refuses(
        "expressions.size",
        put(ConditionExpression=_ABSENT.ljust(4097)),
        f"{ENVELOPE}Invalid ConditionExpression: {_TOO_LARGE} expression size: 4097",
        control=put(ConditionExpression=_ABSENT.ljust(4096)),
        name="condition",
    ),
    refuses(
        "expressions.size",
        put(ConditionExpression="a" * 200004),
        f"{ENVELOPE}Invalid ConditionExpression: {_TOO_LARGE} expression size: 200004",
        control=put(ConditionExpression=_ABSENT),
        name="before-parsing",
    ),
    refuses(
        "expressions.size",
        update("REMOVE v".ljust(4097)),
        f"{ENVELOPE}Invalid UpdateExpression: {_TOO_LARGE}",
        control=update("REMOVE v".ljust(4096)),
        name="update",
    ),
    refuses(
        "expressions.size",
        scan(FilterExpression=_ABSENT.ljust(4097)),
        f"Invalid FilterExpression: {_TOO_LARGE} expression size: 4097",
        control=scan(FilterExpression=_ABSENT.ljust(4096)),
        name="filter",
    ),
    refuses(
        "expressions.size",
        get(ProjectionExpression="v".ljust(4097)),
        f"Invalid ProjectionExpression: {_TOO_LARGE}",
        control=get(ProjectionExpression="v".ljust(4096)),
        name="projection",
    ),
    refuses(
        "expressions.size",
        query("pk = :v".ljust(4097), {"v": s("a")}),
        f"Invalid KeyConditionExpression: {_TOO_LARGE}",
        control=query("pk = :v".ljust(4096), {"v": s("a")}),
        name="key-condition",
    ),
    refuses(
        "expressions.syntax",
        update("INVALID SYNTAX"),
        ENVELOPE + _syntax("Update", "INVALID", "INVALID SYNTAX"),
        control=update("REMOVE v"),
        name="update",
    ),
    refuses(
        "expressions.syntax",
        update("SET _123 = :v", _V),
        ENVELOPE + _syntax("Update", "_", "SET _123"),
        control=update("SET v_123 = :v", _V),
        name="underscore",
    ),
    refuses(
        "expressions.syntax",
        put(ConditionExpression="!!!"),
        ENVELOPE + _syntax("Condition", "!", "!!"),
        control=put(ConditionExpression=_ABSENT),
        name="condition",
    ),
    refuses(
        "expressions.syntax",
        transact(t_check("attribute_not_exists(")),
        _syntax("Condition", "<EOF>", "("),
        control=transact(t_check(_ABSENT)),
        name="end",
    ),
    refuses(
        "expressions.syntax",
        scan(FilterExpression="a = = b"),
        _syntax("Filter", "=", "= = b"),
        control=scan(FilterExpression="a = b"),
        name="operator-twice",
    ),
    *(
        refuses("expressions.syntax", step, phrase="Syntax error; token: ", control=control, name=name)
        for name, step, control in (
            ("path behind parentheses", update("SET a = (v.w).x + v"), scan(FilterExpression="(v.w).x = v")),
            ("operand-alone", scan(FilterExpression="a"), scan(FilterExpression="a = b")),
            ("value-alone", holds(":v", _V), holds("a = :v", _V)),
            ("empty IN", scan(FilterExpression="a IN ()"), scan(FilterExpression="a IN (b)")),
            ("plus-three", update("SET v = :v + :v + :v", _V), update("SET v = :v + :v", _V)),
            (
                "plus-in-function",
                update("SET v = if_not_exists(w, :v + :v)", _V),
                update("SET v = if_not_exists(w, :v) + :v", _V),
            ),
            ("index-placeholder", get(ProjectionExpression="v[:i]"), get(ProjectionExpression="v[0]")),
            ("negative-index", get(ProjectionExpression="v[-1]"), get(ProjectionExpression="v[1]")),
            ("add-path", update("ADD v w"), update("ADD v :v", _V)),
            ("trailing-comma", get(ProjectionExpression="v,"), get(ProjectionExpression="v, w")),
            ("keyword-operand", scan(FilterExpression="and = b"), scan(FilterExpression="a = b")),
        )
    ),
    refuses(
        "expressions.operators",
        scan(FilterExpression=" or ".join(["a<b"] * 151)),
        "Invalid FilterExpression: The expression contains too many operators; operator count: 301",
        control=scan(FilterExpression=" or ".join(["a<b"] * 150)),
        name="filter",
    ),
    refuses(
        "expressions.operators",
        put(ConditionExpression=" and ".join(["a<>b"] * 151)),
        f"{ENVELOPE}Invalid ConditionExpression: The expression contains too many operators; operator count: 301",
        control=put(ConditionExpression=" or ".join(["a<>b"] * 150)),
        name="condition",
    ),
    refuses(
        "expressions.operators",
        put(ConditionExpression="not " * 1000 + "a = b"),
        phrase="The expression contains too many operators; operator count: 1001",
        control=put(ConditionExpression="not not not a = b"),
        name="not",
    ),
    refuses(
        "expressions.redundant-parentheses",
        put(ConditionExpression="((v <> :v))", ExpressionAttributeValues={":v": n(1)}),
        f"{ENVELOPE}Invalid ConditionExpression: The expression has redundant parentheses;",
        control=put(ConditionExpression="((v <> :v) AND w <> :v)", ExpressionAttributeValues={":v": n(1)}),
        name="condition",
    ),
    refuses(
        "expressions.redundant-parentheses",
        holds("((v = :v))", _V),
        "Invalid FilterExpression: The expression has redundant parentheses;",
        control=holds("(v = :v)", _V),
        name="filter",
    ),
    refuses(
        "expressions.redundant-parentheses",
        query("((pk = :v))", {"v": s("a")}),
        "Invalid KeyConditionExpression: The expression has redundant parentheses;",
        control=query("(pk = :v)", {"v": s("a")}),
        name="key-condition",
    ),
    refuses(
        "expressions.redundant-parentheses",
        holds("((v)) = :v", _V),
        "Invalid FilterExpression: The expression has redundant parentheses;",
        control=holds("(v) = :v", _V),
        name="operand",
    ),
    refuses(
        "expressions.redundant-parentheses",
        scan(FilterExpression="((v<>v))"),
        "Invalid FilterExpression: The expression has redundant parentheses;",
        control=scan(FilterExpression="((v<>w) and v<>w)"),
        name="before-distinctness",
    ),
    refuses(
        "expressions.reserved-word",
        condition("abOrt <> :v", _V),
        f"{ENVELOPE}Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: abOrt",
        control=condition("abOrts <> :v", _V),
        name="condition",
    ),
    refuses(
        "expressions.reserved-word",
        get(ProjectionExpression="v.Status"),
        "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: Status",
        control=get(ProjectionExpression="v.#s", **aliases(s="Status")),
        name="nested",
    ),
    refuses(
        "expressions.reserved-word",
        update("SET zone = :v", _V),
        f"{ENVELOPE}Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: zone",
        control=update("SET zones = :v", _V),
        name="update",
    ),
    refuses(
        "expressions.section-twice",
        update("SET v = :v SET w = :v", _V),
        f'{ENVELOPE}Invalid UpdateExpression: The "SET" {_ONCE}',
        control=update("SET v = :v, w = :v", _V),
        name="SET",
    ),
    refuses(
        "expressions.section-twice",
        transact(t_update("REMOVE v REMOVE w")),
        f'Invalid UpdateExpression: The "REMOVE" {_ONCE}',
        control=transact(t_update("REMOVE v, w")),
        name="transaction",
    ),
    *(
        refuses(
            "expressions.section-twice",
            update(f"{section} v :v {section} w :v", {"v": {"SS": ["a"]}}),
            f'{ENVELOPE}Invalid UpdateExpression: The "{section}" {_ONCE}',
            control=update(f"{section} v :v, w :v", {"v": {"SS": ["a"]}}),
            name=section,
        )
        for section in ("ADD", "DELETE")
    ),
)


def _batch(**members: Json) -> Step:
    return batch_get(KEY, within=members)


def _overlap(kind: str, one: str, two: str) -> str:
    return (
        f"Invalid {kind}Expression: Two document paths overlap with each other; must remove or rewrite one of these "
        f"paths; path one: {one}, path two: {two}"
    )


def _conflict(kind: str, one: str, two: str) -> str:
    return (
        f"Invalid {kind}Expression: Two document paths conflict with each other; must remove or rewrite one of these "
        f"paths; path one: {one}, path two: {two}"
    )


_AB = {"x": n(1), "y": n(2)}

PATHS: tuple[Check, ...] = (
    refuses(
        "expressions.path-depth",
        get(ProjectionExpression=".".join(["v"] * 33)),
        "Invalid ProjectionExpression: The document path has too many nesting levels; nesting levels: 33",
        control=get(ProjectionExpression=".".join(["v"] * 32)),
    ),
    refuses(
        "expressions.path-depth",
        scan(FilterExpression="attribute_exists(v" + "[0]" * 32 + ")"),
        "Invalid FilterExpression: The document path has too many nesting levels; nesting levels: 33",
        control=scan(FilterExpression="attribute_exists(v" + "[0]" * 31 + ")"),
        name="indexes",
    ),
    refuses(
        "expressions.list-index",
        get(ProjectionExpression="v[99999999999999]"),
        "Invalid ProjectionExpression: List index is not within the allowable range; index: [99999999999999]",
        control=get(ProjectionExpression="v[2147483647]"),
    ),
    refuses(
        "expressions.path-overlap",
        get(ProjectionExpression="a, a"),
        _overlap("Projection", "[a]", "[a]"),
        control=get(ProjectionExpression="a, b"),
        name="same",
    ),
    refuses(
        "expressions.path-overlap",
        get(ProjectionExpression="a, a.b"),
        _overlap("Projection", "[a]", "[a, b]"),
        control=get(ProjectionExpression="a.c, a.b"),
        name="projection",
    ),
    refuses(
        "expressions.path-overlap",
        get(ProjectionExpression="a.b[0], a.b[0]"),
        _overlap("Projection", "[a, b, [0]]", "[a, b, [0]]"),
        control=get(ProjectionExpression="a.b[0], a.b[1]"),
        name="elements",
    ),
    refuses(
        "expressions.path-overlap",
        get(ProjectionExpression="#x, a", **aliases(x="a")),
        _overlap("Projection", "[a]", "[a]"),
        control=get(ProjectionExpression="#x, a", **aliases(x="a.b")),
        name="alias",
    ),
    refuses(
        "expressions.path-overlap",
        _batch(ProjectionExpression="a, a.b"),
        _overlap("Projection", "[a]", "[a, b]"),
        control=_batch(ProjectionExpression="a"),
        name="BatchGetItem",
    ),
    refuses(
        "expressions.path-overlap",
        scan(ProjectionExpression="a, a.b"),
        _overlap("Projection", "[a]", "[a, b]"),
        control=scan(ProjectionExpression="a"),
        name="Scan",
    ),
    refuses(
        "expressions.path-overlap",
        update("SET a = :x, a = :y", _AB),
        ENVELOPE + _overlap("Update", "[a]", "[a]"),
        control=update("SET a = :x, b = :y", _AB),
        name="SET twice",
    ),
    refuses(
        "expressions.path-overlap",
        update("SET a = :x REMOVE a.b", {"x": n(1)}),
        ENVELOPE + _overlap("Update", "[a]", "[a, b]"),
        control=update("SET a = :x REMOVE b", {"x": n(1)}),
        name="clauses",
    ),
    refuses(
        "expressions.path-conflict",
        update("SET a.b = :x, a[1] = :y", _AB),
        ENVELOPE + _conflict("Update", "[a, b]", "[a, [1]]"),
        given=[put({"a": named()})],
        control=update("SET a.b = :x, a.c = :y", _AB),
        name="update",
    ),
    refuses(
        "expressions.path-conflict",
        get(ProjectionExpression="a.c, a[1]"),
        _conflict("Projection", "[a, c]", "[a, [1]]"),
        control=get(ProjectionExpression="a.c, b[1]"),
        name="projection",
    ),
)


CHECKS: tuple[Check, ...] = (*GRAMMAR, *PATHS)
