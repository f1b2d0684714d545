"""Checks of expressions that are refused before anything is read: placeholders, grammar, operands, paths."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    ENVELOPE,
    SORTED,
    batch_get,
    condition,
    delete,
    get,
    holds,
    item,
    many,
    n,
    named,
    partition,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_delete,
    t_put,
    t_update,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Json

KEY_A = {"pk": {"S": "a"}}
_V = {"v": n(1)}


def _names(**names: str) -> dict[str, Json]:
    return {"ExpressionAttributeNames": {f"#{key}": name for key, name in names.items()}}


def _batch_get(**members: Json) -> Step:
    return Step("BatchGetItem", {"RequestItems": {T0: {"Keys": [KEY_A], **members}}})


_NAMES_ALONE = "ExpressionAttributeNames can only be specified when using expressions"
_VALUES_ALONE = "ExpressionAttributeValues can only be specified when using expressions"
_KEY_CONDITIONS = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("a")]}}


def _old_query(**members: Json) -> Step:
    return query(None, KeyConditions=_KEY_CONDITIONS, **members)


_NO_NAME = "An expression attribute name used in the document path is not defined; attribute name: "
_NO_VALUE = "An expression attribute value used in expression is not defined; attribute value: "
_UNUSED_NAME = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"
_UNUSED_VALUE = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"

PLACEHOLDERS: tuple[Check, ...] = (
    refuses(
        "expressions.names-without-expression",
        put(**_names(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=put(),
        name="PutItem",
    ),
    refuses(
        "expressions.names-without-expression",
        delete(**_names(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=delete(),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-without-expression",
        update(None, **_names(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=update(None),
        name="UpdateItem",
    ),
    refuses(
        "expressions.names-without-expression",
        get({"no": s("a")}, **_names(a="a")),
        _NAMES_ALONE,
        control=get(),
        name="GetItem",
    ),
    refuses(
        "expressions.names-without-expression",
        _batch_get(**_names(a="a")),
        _NAMES_ALONE,
        control=_batch_get(),
        name="BatchGetItem",
    ),
    refuses("expressions.names-without-expression", scan(**_names(a="a")), _NAMES_ALONE, control=scan(), name="Scan"),
    refuses(
        "expressions.names-without-expression",
        _old_query(**_names(a="a")),
        _NAMES_ALONE,
        control=_old_query(),
        name="Query",
    ),
    refuses(
        "expressions.names-without-expression",
        transact(t_put(**_names(a="a"))),
        _NAMES_ALONE,
        control=transact(t_put()),
        name="transaction",
    ),
    refuses(
        "expressions.values-without-expression",
        put(ExpressionAttributeValues={":v": n(1)}),
        ENVELOPE + _VALUES_ALONE,
        control=put(),
        name="PutItem",
    ),
    refuses(
        "expressions.values-without-expression",
        delete(ExpressionAttributeValues={":v": n(1)}),
        ENVELOPE + _VALUES_ALONE,
        control=delete(),
        name="DeleteItem",
    ),
    refuses(
        "expressions.values-without-expression",
        update(None, _V),
        ENVELOPE + _VALUES_ALONE,
        control=update(None),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-without-expression",
        scan(ExpressionAttributeValues={":v": n(1)}),
        f"{_VALUES_ALONE}: FilterExpression is null",
        control=scan(),
        name="Scan",
    ),
    refuses(
        "expressions.values-without-expression",
        _old_query(ExpressionAttributeValues={":v": n(1)}),
        f"{_VALUES_ALONE}: FilterExpression and KeyConditionExpression are null",
        control=_old_query(),
        name="Query",
    ),
    refuses(
        "expressions.values-without-expression",
        transact(t_put(ExpressionAttributeValues={":v": n(1)})),
        f"{_VALUES_ALONE}: ConditionExpression is null",
        control=transact(t_put()),
        name="transaction",
    ),
    refuses(
        "expressions.names-empty",
        delete(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeNames={}),
        f"{ENVELOPE}ExpressionAttributeNames must not be empty",
        control=delete(ConditionExpression="attribute_not_exists(v)"),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-empty",
        get(ProjectionExpression="v", ExpressionAttributeNames={}),
        "ExpressionAttributeNames must not be empty",
        control=get(ProjectionExpression="v"),
        name="GetItem",
    ),
    refuses(
        "expressions.names-empty",
        transact(t_check("attribute_not_exists(v)", ExpressionAttributeNames={})),
        "ExpressionAttributeNames must not be empty",
        control=transact(t_check("attribute_not_exists(v)")),
        name="transaction",
    ),
    refuses(
        "expressions.values-empty",
        update("REMOVE v", ExpressionAttributeValues={}),
        f"{ENVELOPE}ExpressionAttributeValues must not be empty",
        control=update("REMOVE v"),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-empty",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={}),
        "ExpressionAttributeValues must not be empty",
        control=scan(FilterExpression="attribute_exists(v)"),
        name="Scan",
    ),
    refuses(
        "expressions.values-empty",
        transact(t_check("attribute_not_exists(v)", ExpressionAttributeValues={})),
        "ExpressionAttributeValues must not be empty",
        control=transact(t_check("attribute_not_exists(v)")),
        name="transaction",
    ),
    refuses(
        "expressions.names-key",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeNames={"a": "v"}),
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        control=scan(FilterExpression="attribute_exists(#a)", **_names(a="v")),
        name="Scan",
    ),
    refuses(
        "expressions.names-key",
        put(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeNames={"#a-b": "v"}),
        f'{ENVELOPE}ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"',
        control=put(ConditionExpression="attribute_not_exists(#_1)", **_names(_1="v")),
        name="PutItem",
    ),
    refuses(
        "expressions.values-key",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={"loc": n(1)}),
        'ExpressionAttributeValues contains invalid key: Syntax error; key: "loc"',
        control=scan(FilterExpression="v = :loc", ExpressionAttributeValues={":loc": n(1)}),
        name="Scan",
    ),
    refuses(
        "expressions.values-key",
        update("SET v = :v", ExpressionAttributeValues={"v": n(1)}),
        f'{ENVELOPE}ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
        control=update("SET v = :v", _V),
        name="UpdateItem",
    ),
    refuses(
        "expressions.placeholder-length",
        get(ProjectionExpression="#" + "n" * 255, **_names(**{"n" * 255: "v"})),
        phrase="ExpressionAttributeNames contains invalid key",
        control=get(ProjectionExpression="#" + "n" * 254, **_names(**{"n" * 254: "v"})),
        name="name",
    ),
    refuses(
        "expressions.placeholder-length",
        scan(FilterExpression="v = :" + "n" * 255, ExpressionAttributeValues={":" + "n" * 255: n(1)}),
        phrase="ExpressionAttributeValues contains invalid key",
        control=scan(FilterExpression="v = :" + "n" * 254, ExpressionAttributeValues={":" + "n" * 254: n(1)}),
        name="value",
    ),
    refuses(
        "expressions.names-value",
        get(ProjectionExpression="#a", **_names(a="")),
        phrase="Empty attribute name",
        control=get(ProjectionExpression="#a", **_names(a=" ")),
        name="empty",
    ),
    refuses(
        "expressions.names-value",
        get(ProjectionExpression="#a", **_names(a="n" * 65536)),
        phrase="6553",
        control=get(ProjectionExpression="#a", **_names(a="n" * 65535)),
        name="too long",
    ),
    refuses(
        "expressions.names-unused",
        update("REMOVE v", **_names(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=update("REMOVE #x", **_names(x="w")),
        name="UpdateItem",
    ),
    refuses(
        "expressions.names-unused",
        put(ConditionExpression="attribute_not_exists(v)", **_names(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=put(ConditionExpression="attribute_not_exists(#x)", **_names(x="w")),
        name="PutItem",
    ),
    refuses(
        "expressions.names-unused",
        delete(ConditionExpression="attribute_not_exists(v)", **_names(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=delete(ConditionExpression="attribute_not_exists(#x)", **_names(x="w")),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-unused",
        get(ProjectionExpression="v", **_names(x="w")),
        _UNUSED_NAME,
        control=get(ProjectionExpression="#x", **_names(x="w")),
        name="GetItem",
    ),
    refuses(
        "expressions.names-unused",
        _batch_get(ProjectionExpression="v", **_names(x="w")),
        _UNUSED_NAME,
        control=_batch_get(ProjectionExpression="#x", **_names(x="w")),
        name="BatchGetItem",
    ),
    refuses(
        "expressions.names-unused",
        scan(FilterExpression="attribute_exists(v)", **_names(x="w")),
        _UNUSED_NAME,
        control=scan(FilterExpression="attribute_exists(#x)", **_names(x="w")),
        name="Scan",
    ),
    refuses(
        "expressions.names-unused",
        partition(**_names(x="w")),
        _UNUSED_NAME,
        control=partition(FilterExpression="attribute_exists(#x)", **_names(x="w")),
        name="Query",
    ),
    refuses(
        "expressions.names-unused",
        transact_get({"Get": {"TableName": T0, "Key": KEY_A, "ProjectionExpression": "v", **_names(x="w")}}),
        _UNUSED_NAME,
        control=transact_get({"Get": {"TableName": T0, "Key": KEY_A, "ProjectionExpression": "#x", **_names(x="w")}}),
        name="TransactGetItems",
    ),
    refuses(
        "expressions.values-unused",
        condition("v = :v", {**_V, "x": n(2)}),
        ENVELOPE + _UNUSED_VALUE,
        control=condition("v <> :v AND v <> :x", {**_V, "x": n(2)}),
        name="condition-false",
    ),
    refuses(
        "expressions.values-unused",
        update("SET v = :v", {**_V, "x": n(2)}),
        ENVELOPE + _UNUSED_VALUE,
        control=update("SET v = :v, w = :x", {**_V, "x": n(2)}),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-unused",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={":x": n(2)}),
        _UNUSED_VALUE,
        control=scan(FilterExpression="v = :x", ExpressionAttributeValues={":x": n(2)}),
        name="Scan",
    ),
    *(
        refuses(
            "expressions.values-unused",
            transact(action),
            _UNUSED_VALUE,
            control=transact(good),
            name=f"transaction-{name}",
        )
        for name, action, good in (
            (
                "Put",
                t_put(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeValues={":x": n(2)}),
                t_put(ConditionExpression="v <> :x", ExpressionAttributeValues={":x": n(2)}),
            ),
            ("Update", t_update("REMOVE v", {"x": n(2)}), t_update("SET v = :x", {"x": n(2)})),
            (
                "Delete",
                t_delete(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeValues={":x": n(2)}),
                t_delete(ConditionExpression="v <> :x", ExpressionAttributeValues={":x": n(2)}),
            ),
            ("ConditionCheck", t_check("attribute_not_exists(v)", {"x": n(2)}), t_check("v <> :x", {"x": n(2)})),
        )
    ),
    refuses(
        "expressions.undefined-name",
        get(ProjectionExpression="#undef"),
        f"Invalid ProjectionExpression: {_NO_NAME}#undef",
        control=get(ProjectionExpression="#undef", **_names(undef="v")),
        name="projection",
    ),
    refuses(
        "expressions.undefined-name",
        update("SET v.#u = :v", _V),
        f"{ENVELOPE}Invalid UpdateExpression: {_NO_NAME}#u",
        given=[put({"v": named()})],
        control=update("SET v.#u = :v", _V, **_names(u="x")),
        name="update",
    ),
    refuses(
        "expressions.undefined-value",
        update("SET v = :v"),
        f"{ENVELOPE}Invalid UpdateExpression: {_NO_VALUE}:v",
        control=update("SET v = :v", _V),
        name="update",
    ),
    refuses(
        "expressions.undefined-value",
        put(ConditionExpression="v = :v"),
        f"{ENVELOPE}Invalid ConditionExpression: {_NO_VALUE}:v",
        control=condition("v <> :v", _V),
        name="condition",
    ),
    refuses(
        "expressions.undefined-value",
        scan(FilterExpression="v = :v"),
        f"Invalid FilterExpression: {_NO_VALUE}:v",
        control=holds("v = :v", _V),
        name="filter",
    ),
    refuses(
        "expressions.undefined-value",
        query("pk = :v"),
        f"Invalid KeyConditionExpression: {_NO_VALUE}:v",
        control=query("pk = :v", {"v": s("a")}),
        name="key-condition",
    ),
)

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
        f"Invalid ProjectionExpression: {_TOO_LARGE} expression size: 4097",
        control=get(ProjectionExpression="v".ljust(4096)),
        name="projection",
    ),
    refuses(
        "expressions.size",
        query("pk = :v".ljust(4097), {"v": s("a")}),
        f"Invalid KeyConditionExpression: {_TOO_LARGE} expression size: 4097",
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
        control=get(ProjectionExpression="v.#s", **_names(s="Status")),
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
        get(ProjectionExpression="#x, a", **_names(x="a")),
        _overlap("Projection", "[a]", "[a]"),
        control=get(ProjectionExpression="#x, a", **_names(x="a.b")),
        name="alias",
    ),
    refuses(
        "expressions.path-overlap",
        _batch_get(ProjectionExpression="a, a.b"),
        _overlap("Projection", "[a]", "[a, b]"),
        control=_batch_get(ProjectionExpression="a"),
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

_TYPE = "Incorrect operand type for operator or function; operator or function: "
_LONG_TYPES = (
    ("STRING", s("x")),
    ("BINARY", {"B": "AA=="}),
    ("NULL", {"NULL": True}),
    ("BOOLEAN", {"BOOL": True}),
    ("LIST", many()),
    ("MAP", named()),
)
_DISTINCT = "The first operand must be distinct from the remaining operands for this operator or function; operator: "


def _unfit(kind: str, operator: str, tag: str) -> str:
    return f"Invalid {kind}Expression: {_TYPE}{operator}, operand type: {tag}"


OPERANDS: tuple[Check, ...] = (
    refuses(
        "expressions.unknown-function",
        scan(FilterExpression="whatever(a)"),
        "Invalid FilterExpression: Invalid function name; function: whatever",
        control=scan(FilterExpression="attribute_exists(a)"),
        name="filter",
    ),
    refuses(
        "expressions.unknown-function",
        put(ConditionExpression="ATTRIBUTE_NOT_EXISTS(a)"),
        f"{ENVELOPE}Invalid ConditionExpression: Invalid function name; function: ATTRIBUTE_NOT_EXISTS",
        control=put(ConditionExpression="attribute_not_exists(a)"),
        name="case",
    ),
    refuses(
        "expressions.unknown-function",
        put(ConditionExpression="a < " + "f(" * 200 + "b" + ")" * 200),
        f"{ENVELOPE}Invalid ConditionExpression: Invalid function name; function: f",
        control=put(ConditionExpression="not a < size(b)"),
        name="deep",
    ),
    refuses(
        "expressions.misused-function",
        scan(FilterExpression="size(a)"),
        f"Invalid FilterExpression: {_MISUSED}size",
        control=scan(FilterExpression="size(a) = b"),
        name="size",
    ),
    refuses(
        "expressions.misused-function",
        scan(FilterExpression="attribute_exists(a) = b"),
        f"Invalid FilterExpression: {_MISUSED}attribute_exists",
        control=scan(FilterExpression="attribute_exists(a)"),
        name="attribute_exists",
    ),
    refuses(
        "expressions.misused-function",
        holds("if_not_exists(a, :v) = :v", _V),
        f"Invalid FilterExpression: {_MISUSED}if_not_exists",
        control=holds("a = :v", _V),
        name="if_not_exists",
    ),
    refuses(
        "expressions.misused-function",
        update("SET v = attribute_exists(a)"),
        f"{ENVELOPE}Invalid UpdateExpression: {_MISUSED}attribute_exists",
        control=update("SET v = if_not_exists(a, :v)", _V),
        name="update",
    ),
    refuses(
        "expressions.misused-function",
        update("SET v = list_append(list_append(:v, :v), :v)", {"v": many()}),
        f"{ENVELOPE}Invalid UpdateExpression: {_MISUSED}list_append",
        control=update("SET v = list_append(if_not_exists(a, :v), :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.operand-count",
        holds("begins_with(a)"),
        f"Invalid FilterExpression: {_COUNT}begins_with, number of operands: 1",
        control=holds("begins_with(a, b)"),
        name="begins_with",
    ),
    refuses(
        "expressions.operand-count",
        holds("size(a, a) = b"),
        f"Invalid FilterExpression: {_COUNT}size, number of operands: 2",
        control=holds("size(a) = b"),
        name="size",
    ),
    refuses(
        "expressions.operand-count",
        put(ConditionExpression="attribute_exists(a, b)"),
        f"{ENVELOPE}Invalid ConditionExpression: {_COUNT}attribute_exists, number of operands: 2",
        control=put(ConditionExpression="attribute_not_exists(a)"),
        name="attribute_exists",
    ),
    refuses(
        "expressions.operand-count",
        update("SET v = list_append(:v)", {"v": many()}),
        f"{ENVELOPE}Invalid UpdateExpression: {_COUNT}list_append, number of operands: 1",
        control=update("SET v = list_append(:v, :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.in-options",
        scan(FilterExpression=f"a IN ({', '.join(['b'] * 101)})"),
        phrase="operands",
        control=scan(FilterExpression=f"a IN ({', '.join(['b'] * 99)})"),
    ),
    refuses(
        "expressions.operand-type",
        holds("a < :v", {"v": {"BOOL": True}}),
        _unfit("Filter", "<", "BOOL"),
        control=holds("a < :v", _V),
        name="<",
    ),
    refuses(
        "expressions.operand-type",
        holds(":v >= a", {"v": many()}),
        _unfit("Filter", ">=", "L"),
        control=holds(":v >= a", _V),
        name=">=",
    ),
    refuses(
        "expressions.operand-type",
        condition("begins_with(a, :v)", _V),
        ENVELOPE + _unfit("Condition", "begins_with", "N"),
        control=condition("not begins_with(a, :v)", {"v": s("x")}),
        name="begins_with",
    ),
    refuses(
        "expressions.operand-type",
        holds("a BETWEEN :v AND :v", {"v": {"NULL": True}}),
        _unfit("Filter", "BETWEEN", "NULL"),
        control=holds("a BETWEEN :v AND :v", _V),
        name="BETWEEN",
    ),
    refuses(
        "expressions.operand-type",
        holds("size(:v) = a", _V),
        _unfit("Filter", "size", "N"),
        control=holds("size(:v) = a", {"v": s("xyz")}),
        name="size",
    ),
    refuses(
        "expressions.operand-type",
        update("SET a = a + :v", {"v": s("x")}),
        ENVELOPE + _unfit("Update", "+", "S"),
        given=[put({"a": n(1)})],
        control=update("SET a = a + :v", _V),
        name="+",
    ),
    refuses(
        "expressions.operand-type",
        update("SET a = list_append(a, :v)", {"v": s("x")}),
        ENVELOPE + _unfit("Update", "list_append", "S"),
        given=[put({"a": many()})],
        control=update("SET a = list_append(a, :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.operand-type",
        holds("attribute_type(a, :v)", _V),
        _unfit("Filter", "attribute_type", "N"),
        control=holds("attribute_type(a, :v)", {"v": s("N")}),
        name="attribute_type",
    ),
    refuses(
        "expressions.operand-type",
        holds("attribute_type(a, b)"),
        phrase=f"{_TYPE}attribute_type, operand type: {{",
        control=holds("attribute_type(a, :v)", {"v": s("N")}),
        name="attribute_type-path",
    ),
    refuses(
        "expressions.operand-type",
        query("pk = :p AND begins_with(sk, :v)", {"p": s("a"), "v": n(1)}),
        _unfit("KeyCondition", "begins_with", "N"),
        tables=SORTED,
        control=query("pk = :p AND begins_with(sk, :v)", {"p": s("a"), "v": s("x")}),
        name="key-condition",
    ),
    refuses(
        "expressions.operand-type",
        query("pk = :p AND :v >= sk", {"p": s("a"), "v": {"BOOL": True}}),
        _unfit("KeyCondition", ">=", "BOOL"),
        tables=SORTED,
        control=query("pk = :p AND :v >= sk", {"p": s("a"), "v": s("x")}),
        name="key-condition->=",
    ),
    refuses(
        "expressions.operand-type",
        Step(
            "Query",
            {
                "TableName": "no-such-table-here",
                "KeyConditionExpression": "pk = :p AND sk < :v",
                "ExpressionAttributeValues": {":p": s("a"), ":v": {"BOOL": True}},
            },
        ),
        _unfit("KeyCondition", "<", "BOOL"),
        control=partition(),
        name="before-the-table",
    ),
    *(
        refuses(
            "expressions.action-operand",
            update("ADD a :v", {"v": value}),
            f"{ENVELOPE}Invalid UpdateExpression: {_ACTION}ADD, operand type: {name}",
            control=update("ADD a :v", _V),
            name=f"ADD {name}",
        )
        for name, value in _LONG_TYPES
    ),
    *(
        refuses(
            "expressions.action-operand",
            update("DELETE a :v", {"v": value}),
            f"{ENVELOPE}Invalid UpdateExpression: {_ACTION}DELETE, operand type: {name}",
            control=update("DELETE a :v", {"v": {"SS": ["x"]}}),
            name=f"DELETE {name}",
        )
        for name, value in (*_LONG_TYPES, ("NUMBER", n(1)))
    ),
    refuses(
        "expressions.path-required",
        holds("attribute_exists(:v)", _V),
        f"Invalid FilterExpression: {_NEEDS_PATH}attribute_exists",
        control=holds("attribute_type(:v, :t)", {**_V, "t": s("N")}),
        name="attribute_exists",
    ),
    refuses(
        "expressions.path-required",
        holds("attribute_not_exists(:v)", _V),
        f"Invalid FilterExpression: {_NEEDS_PATH}attribute_not_exists",
        control=holds("attribute_not_exists(v)"),
        name="attribute_not_exists",
    ),
    refuses(
        "expressions.path-required",
        update("SET v = if_not_exists(:v, :v)", _V),
        f"{ENVELOPE}Invalid UpdateExpression: {_NEEDS_PATH}if_not_exists",
        control=update("SET v = if_not_exists(v, :v)", _V),
        name="if_not_exists",
    ),
    refuses(
        "expressions.distinct-operands",
        put(ConditionExpression="contains(data1, data1)"),
        f"{ENVELOPE}Invalid ConditionExpression: {_DISTINCT}contains, first operand: [data1]",
        control=put(ConditionExpression="not contains(data1, data2)"),
        name="contains",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a = a"),
        f"Invalid FilterExpression: {_DISTINCT}=, first operand: [a]",
        control=scan(FilterExpression="a = b"),
        name="=",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="ab.bc[1].a <> ab.bc[1].a"),
        f"Invalid FilterExpression: {_DISTINCT}<>, first operand: [ab, bc, [1], a]",
        control=scan(FilterExpression="ab.bc[1].a <> ab.bc[2].a"),
        name="nested",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a < #x", **_names(x="a")),
        f"Invalid FilterExpression: {_DISTINCT}<, first operand: [a]",
        control=scan(FilterExpression="a < #x", **_names(x="b")),
        name="alias",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a IN (b, a)"),
        f"Invalid FilterExpression: {_DISTINCT}IN, first operand: [a]",
        control=scan(FilterExpression="a IN (b, b)"),
        name="IN",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a BETWEEN b AND a"),
        f"Invalid FilterExpression: {_DISTINCT}BETWEEN, first operand: [a]",
        control=scan(FilterExpression="a BETWEEN b AND b"),
        name="BETWEEN",
    ),
    refuses(
        "expressions.type-name",
        holds("attribute_type(a, :v)", {"v": s("DOG")}),
        phrase="Invalid FilterExpression: Invalid attribute type name found; type: DOG, valid types: {",
        control=holds("attribute_type(a, :v)", {"v": s("BOOL")}),
    ),
    refuses(
        "expressions.between-types",
        holds("a BETWEEN :x AND :y", {"x": n(1), "y": s("a")}),
        f"Invalid FilterExpression: {_SAME_TYPE}AttributeValue: {{N:1}}, upper bound operand: AttributeValue: {{S:a}}",
        control=holds("a BETWEEN :x AND b", {"x": n(1)}),
        name="filter",
    ),
    refuses(
        "expressions.between-types",
        condition("a BETWEEN :x AND :y", {"x": s("dog"), "y": n(1)}),
        f"{ENVELOPE}Invalid ConditionExpression: {_SAME_TYPE}AttributeValue: {{S:dog}}, upper bound operand: AttributeValue: {{N:1}}",
        control=condition("not a BETWEEN :x AND :y", {"x": n(1), "y": n(1)}),
        name="condition",
    ),
    refuses(
        "expressions.between-order",
        holds("a BETWEEN :x AND :y", {"x": s("b"), "y": s("a")}),
        f"Invalid FilterExpression: {_ORDERED}AttributeValue: {{S:b}}, upper bound operand: AttributeValue: {{S:a}}",
        control=holds("a BETWEEN :x AND :y", {"x": s("a"), "y": s("b")}),
        name="filter",
    ),
    refuses(
        "expressions.between-order",
        query("pk = :p AND sk BETWEEN :x AND :y", {"p": s("a"), "x": s("b"), "y": s("a")}),
        f"Invalid KeyConditionExpression: {_ORDERED}AttributeValue: {{S:b}}, upper bound operand: AttributeValue: {{S:a}}",
        tables=SORTED,
        control=query("pk = :p AND sk BETWEEN :x AND :y", {"p": s("a"), "x": s("a"), "y": s("b")}),
        name="key-condition",
    ),
)

CHECKS: tuple[Check, ...] = (*PLACEHOLDERS, *GRAMMAR, *PATHS, *OPERANDS)
