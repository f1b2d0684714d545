"""Checks of PartiQL statements: what is refused of them by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import Check
from conformance.checks.steps import PLAIN, deep, many, n, put, refuses
from conformance.program import Step
from reference.api import AttributeValue, Json

TABLE = '"${table:t0}"'
"""The check's table as a statement names it."""
NWF = "Statement wasn't well formed, can't be processed: "


def sql(statement: str) -> str:
    """A statement in which ``@`` stands for the check's table."""
    return statement.replace("@", TABLE)


def execute(statement: str, *parameters: AttributeValue, **members: Json) -> Step:
    """ExecuteStatement of a statement in which ``@`` stands for the check's table."""
    given = {"Parameters": list(parameters)} if parameters else {}
    return Step("ExecuteStatement", {"Statement": sql(statement), **given, **members})


def batch(*statements: str, **members: Json) -> Step:
    """BatchExecuteStatement."""
    return Step("BatchExecuteStatement", {"Statements": [{"Statement": sql(text)} for text in statements], **members})


def transaction(*statements: str, **members: Json) -> Step:
    """ExecuteTransaction."""
    listed = [{"Statement": sql(text)} for text in statements]
    return Step("ExecuteTransaction", {"TransactStatements": listed, **members})


ALL = execute("SELECT * FROM @")
ONE = "SELECT * FROM @ WHERE pk = 'a'"


def wrong(
    rule: str,
    statement: str,
    message: str | None = None,
    *parameters: AttributeValue,
    phrase: str | None = None,
    control: str | Step = ALL,
    name: str = "",
    tables: dict[str, Json] | None = None,
    given: Sequence[Step] = (),
    **members: Json,
) -> Check:
    """A statement that is refused."""
    passes = execute(control) if isinstance(control, str) else control
    return refuses(
        rule,
        execute(statement, *parameters, **members),
        message,
        phrase=phrase,
        control=passes,
        name=name or statement,
        tables=tables or dict(PLAIN),
        given=given,
    )


def _syntax(statement: str, detail: str, control: str | Step = ALL) -> Check:
    return wrong("partiql.syntax", statement, NWF + detail, control=control)


_AFTER = "Unexpected token after expression"

GRAMMAR: tuple[Check, ...] = (
    _syntax("UPDATE @ WHERE pk = 'a'", "Expected data manipulation"),
    _syntax("FROM @ WHERE pk = 'a'", "Expected data manipulation"),
    _syntax("HELLO WORLD", _AFTER),
    _syntax("SELECT * FROM @ x y", _AFTER),
    _syntax("SELECT * FROM @ WHERE pk = 'a')", _AFTER),
    _syntax("DELETE FROM @ WHERE pk = 'a' ORDER BY pk", _AFTER, "DELETE FROM @ WHERE pk = 'a'"),
    _syntax("SELECT * FROM @ WHERE", "Unexpected term"),
    _syntax("SELECT * FROM @ WHERE NOT", "Unexpected term"),
    _syntax("SELECT * FROM", "Unexpected term"),
    _syntax("SELECT * FROM @ WHERE v = 1 AND", "Missing right-hand side expression of infix operator"),
    _syntax("SELECT * FROM @ WHERE v = 1 OR", "Missing right-hand side expression of infix operator"),
    _syntax("SELECT * FROM @ WHERE ORDER BY pk", "Unexpected keyword"),
    _syntax("SELECT * FROM @ WHERE IS NULL", "Unexpected operator"),
    _syntax("SELECT * FROM @ WHERE v IS FOO", "Expected type name"),
    _syntax("DELETE FROM", "Expected identifier for simple path"),
    _syntax("SELECT m.inner FROM @", "Invalid path dot component", 'SELECT m."inner" FROM @'),
    *(
        wrong("partiql.unreadable", statement, NWF)
        for statement in (
            "SELECT * FROM @ WHERE v = 'open",
            "SELECT * FROM @ /* open",
            "SELECT * FROM @ # comment",
            "SELECT * FROM @ WHERE v = 1e2147483648",
        )
    ),
    wrong("partiql.syntax-detail", "SELECT * FROM @ WHERE (v = 1", phrase=NWF),
    wrong("partiql.nesting", "SELECT * FROM @ WHERE v = " + "[" * 1000 + "1" + "]" * 1000, phrase="", name="lists"),
    wrong("partiql.aliasing", "SELECT * FROM @ x WHERE x.pk = 'a'", "Aliasing is not supported"),
    wrong("partiql.aliasing", "SELECT * FROM @ AS x", "Aliasing is not supported"),
    wrong("partiql.aliasing", "UPDATE @ x SET v = 1 WHERE pk = 'a'", "Aliasing is not supported"),
    wrong(
        "partiql.unsupported-operation", "SELECT * FROM @ WHERE v LIKE 'a'", phrase="Unsupported operation", name="LIKE"
    ),
    wrong("partiql.unsupported-clause", "SELECT * FROM @ GROUP BY v", phrase="", name="GROUP BY"),
    wrong(
        "partiql.unsupported-clause", "SELECT DISTINCT v FROM @", phrase="", control="SELECT v FROM @", name="DISTINCT"
    ),
    wrong(
        "partiql.from-components",
        'SELECT * FROM @."a"."b"',
        "A path may contain at most 2 components in the FROM clause",
    ),
    wrong("partiql.from-empty", 'SELECT * FROM ""', "Path component cannot be an empty string"),
    wrong("partiql.from-empty", 'SELECT * FROM "dynoracle-none".""', "Path component cannot be an empty string"),
    wrong("partiql.from-source", "SELECT * FROM 'text'", phrase=""),
    wrong(
        "partiql.insert-target",
        "INSERT INTO @.\"i\" VALUE {'pk': 'a'}",
        phrase="FROM clause may only contain a single table name",
        control="INSERT INTO @ VALUE {'pk': 'a'}",
    ),
    wrong("partiql.write-index", "UPDATE @.\"i\" SET v = 1 WHERE pk = 'a'", phrase="", control=ALL),
    refuses(
        "items.table-missing",
        Step("ExecuteStatement", {"Statement": 'SELECT * FROM "dynoracle-none"'}),
        "Requested resource not found",
        code="ResourceNotFoundException",
        control=ALL,
        name="ExecuteStatement",
    ),
    refuses(
        "wire.size-min",
        Step("ExecuteStatement", {"Statement": sql("SELECT * FROM @"), "Parameters": []}),
        "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
        control=ALL,
        name="Parameters",
    ),
    refuses(
        "wire.size-min",
        Step("BatchExecuteStatement", {"Statements": []}),
        "1 validation error detected: Value '[]' at 'statements' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
        control=batch(ONE),
        name="Statements",
    ),
    refuses(
        "wire.transact-statements-empty",
        Step("ExecuteTransaction", {"TransactStatements": []}),
        "1 validation error detected: Value at 'transactStatements' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1",
        control=transaction(ONE),
    ),
    refuses(
        "wire.transact-statements-many",
        transaction(*[f"SELECT * FROM @ WHERE pk = '{i}'" for i in range(101)]),
        phrase="failed to satisfy constraint: Member must have length less than or equal to 100",
        control=transaction(*[f"SELECT * FROM @ WHERE pk = '{i}'" for i in range(100)]),
    ),
    refuses(
        "wire.value-min",
        execute("SELECT * FROM @", Limit=0),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value "
        "greater "
        "than or equal to 1",
        control=execute("SELECT * FROM @", Limit=1),
        name="ExecuteStatement",
    ),
)

_OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
_UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
_PRECISION = "Attempting to store more than 38 significant digits in a Number"
_NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
_INSERT = "INSERT INTO @ VALUE {'pk': 'a', 'v': %s}"


def _inserted(rule: str, literal: str, message: str | None, name: str = "", *, phrase: str | None = None) -> Check:
    return wrong(rule, _INSERT % literal, message, phrase=phrase, control=_INSERT % "1", name=name or literal)


def _parameter(rule: str, value: AttributeValue, message: str, name: str) -> Check:
    return wrong(
        rule,
        "SELECT * FROM @ WHERE v = ?",
        message,
        value,
        control=execute("SELECT * FROM @ WHERE v = ?", n(1)),
        name=name,
    )


VALUES: tuple[Check, ...] = (
    wrong("partiql.literal-overflow", "SELECT * FROM @ WHERE v = 1e126", f"{_OVERFLOW} under root"),
    _inserted("partiql.literal-overflow", "1e126", f"{_OVERFLOW} under root", "inserted"),
    _inserted("partiql.literal-overflow", "{'x': 1e126}", f"{_OVERFLOW} under root.x"),
    wrong("partiql.literal-overflow", "SELECT * FROM @ WHERE v = [1, 1e126]", f"{_OVERFLOW} under root[1]"),
    wrong("partiql.literal-underflow", "SELECT * FROM @ WHERE v = 1e-131", f"{_UNDERFLOW} under root"),
    wrong(
        "partiql.literal-precision",
        f"SELECT * FROM @ WHERE v = {'1' * 39}",
        f"{_PRECISION} under root",
        name="39 digits",
    ),
    _inserted(
        "partiql.unsupported-data-type",
        "set_add(v, <<1>>)",
        None,
        phrase="Unsupported data type: set_add under key root",
    ),
    wrong(
        "partiql.unsupported-value", "INSERT INTO @ VALUE {'pk': 'a', 'v': MISSING}", phrase="", control=_INSERT % "1"
    ),
    wrong("partiql.map-key", "INSERT INTO @ VALUE {'pk': 'a', 1: 2}", phrase="", control=_INSERT % "1"),
    wrong("partiql.map-key-twice", "INSERT INTO @ VALUE {'pk': 'a', 'v': 1, 'v': 2}", phrase="", control=_INSERT % "1"),
    _inserted("partiql.empty-bag", "<<>>", "Empty bags are not supported"),
    _inserted("partiql.mixed-bag", "<<1, 'a'>>", None, phrase=""),
    _inserted(
        "values.duplicate-strings",
        "<<'x', 'x'>>",
        "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
        "set literal",
    ),
    wrong(
        "partiql.parameter-count",
        "SELECT * FROM @ WHERE v = ?",
        "Number of parameters in request and statement don't match.",
        control=execute("SELECT * FROM @ WHERE v = ?", n(1)),
        name="too few",
    ),
    wrong(
        "partiql.parameter-count",
        "SELECT * FROM @ WHERE v = ?",
        "Number of parameters in request and statement don't match.",
        n(1),
        n(2),
        control=execute("SELECT * FROM @ WHERE v = ?", n(1)),
        name="too many",
    ),
    _parameter("values.number-malformed", n("abc"), f"{_NOT_NUMERIC}: abc", "parameter"),
    _parameter("values.number-exponent", n("1e99999999999"), f"{_NOT_NUMERIC}: 1e99999999999", "parameter"),
    _parameter("values.number-exponent", n("1e2147483648"), f"{_NOT_NUMERIC}: 1e2147483648", "parameter, 2^31"),
    _parameter("values.number-wrapped", n("1e2147483647"), _UNDERFLOW, "parameter"),
    _parameter("values.number-empty", n(""), _NOT_NUMERIC, "parameter"),
    _parameter(
        "values.nesting",
        deep(33),
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
        "limit",
        "parameter",
    ),
    _parameter(
        "values.null-false",
        {"NULL": False},
        "One or more parameter values were invalid: Null attribute value types must have the value of true",
        "parameter",
    ),
)

_TYPE = "Incorrect operand type for operator or function; operator or function: "
_COUNT = "Incorrect number of operands for operator or function; operator or function: "
_PATH = "Operator or function requires a document path; operator or function: "

CONDITIONS: tuple[Check, ...] = (
    wrong(
        "partiql.unknown-function",
        "SELECT * FROM @ WHERE exists(v)",
        phrase="Unrecognized function: exists at 1:",
        control="SELECT * FROM @ WHERE attribute_exists(v)",
    ),
    wrong(
        "partiql.operand-count",
        "SELECT * FROM @ WHERE attribute_exists()",
        f"{_COUNT}attribute_exists, number of operands: 0",
        control="SELECT * FROM @ WHERE attribute_exists(v)",
    ),
    wrong(
        "partiql.operand-count",
        "SELECT * FROM @ WHERE attribute_exists(v, w)",
        f"{_COUNT}attribute_exists, number of operands: 2",
        control="SELECT * FROM @ WHERE attribute_exists(v)",
    ),
    wrong(
        "partiql.path-required",
        "SELECT * FROM @ WHERE attribute_exists(1)",
        f"{_PATH}attribute_exists",
        control="SELECT * FROM @ WHERE attribute_exists(v)",
    ),
    wrong(
        "partiql.operand-type",
        "SELECT * FROM @ WHERE v < true",
        f"{_TYPE}<, operand type: BOOL",
        control="SELECT * FROM @ WHERE v < 1",
    ),
    wrong(
        "partiql.operand-type",
        "SELECT * FROM @ WHERE v >= ?",
        f"{_TYPE}>=, operand type: L",
        many(),
        control=execute("SELECT * FROM @ WHERE v >= ?", n(1)),
        name="parameter",
    ),
    wrong(
        "partiql.operand-type",
        'SELECT * FROM "dynoracle-none" WHERE v > null',
        f"{_TYPE}>, operand type: NULL",
        name="before the table",
    ),
    wrong(
        "partiql.type-name",
        "SELECT * FROM @ WHERE pk = 'a' AND attribute_type(v, 'X')",
        "Invalid attribute type name found; type: X, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
        control="SELECT * FROM @ WHERE pk = 'a' AND attribute_type(v, 'N')",
    ),
    wrong(
        "partiql.in-limit",
        f"SELECT * FROM @ WHERE v IN [{', '.join(map(str, range(101)))}]",
        phrase="",
        control=f"SELECT * FROM @ WHERE v IN [{', '.join(map(str, range(99)))}]",
        name="values",
    ),
    wrong(
        "partiql.in-limit",
        "SELECT * FROM @ WHERE pk IN [" + ", ".join(f"'{i}'" for i in range(51)) + "]",
        phrase="",
        control="SELECT * FROM @ WHERE pk IN [" + ", ".join(f"'{i}'" for i in range(50)) + "]",
        name="keys",
    ),
    wrong("partiql.projection", "SELECT COUNT(*) FROM @", phrase="Unexpected path component at 1:8:"),
    wrong(
        "partiql.projection",
        "SELECT size(v) FROM @",
        phrase="Unexpected path component at 1:8:",
        control="SELECT v FROM @",
    ),
    wrong("partiql.path-step", "SELECT v[1.5] FROM @", phrase="", control="SELECT v[1] FROM @"),
    wrong(
        "partiql.path-overlap",
        "UPDATE @ SET v = 1 SET v.w = 2 WHERE pk = 'a'",
        phrase="Two document paths overlap with each other",
        given=[put()],
        control="UPDATE @ SET v = 1 SET w = 2 WHERE pk = 'a'",
    ),
    wrong(
        "partiql.set-first-argument",
        "UPDATE @ SET v = set_add(w, <<1>>) WHERE pk = 'a'",
        phrase="The first argument to SET_ADD must equal the assignment value at 1:",
        given=[put()],
        control="UPDATE @ SET v = set_add(v, <<1>>) WHERE pk = 'a'",
    ),
    wrong(
        "partiql.set-second-argument",
        "UPDATE @ SET v = set_add(v, 1) WHERE pk = 'a'",
        phrase="The second argument to SET_ADD must be a value with type SET at 1:",
        given=[put()],
        control="UPDATE @ SET v = set_delete(v, <<1>>) WHERE pk = 'a'",
    ),
    wrong(
        "partiql.set-arguments",
        "UPDATE @ SET v = set_delete(v) WHERE pk = 'a'",
        phrase="SET_DELETE must have exactly two arguments at 1:",
        given=[put()],
        control="UPDATE @ SET v = set_delete(v, <<1>>) WHERE pk = 'a'",
    ),
    wrong(
        "partiql.delete-returning",
        "DELETE FROM @ WHERE pk = 'a' RETURNING MODIFIED OLD *",
        "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
        control="DELETE FROM @ WHERE pk = 'a' RETURNING ALL OLD *",
    ),
    wrong("partiql.insert-value", "INSERT INTO @ VALUE 'text'", phrase="", control="INSERT INTO @ VALUE {'pk': 'a'}"),
    wrong(
        "partiql.order-where",
        "SELECT * FROM @ ORDER BY pk",
        "Must have WHERE clause in the statement when using ORDER BY clause.",
        control="SELECT * FROM @ WHERE pk = 'a' ORDER BY pk",
    ),
    wrong(
        "partiql.order-hash",
        "SELECT * FROM @ WHERE v = 1 ORDER BY pk",
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        control="SELECT * FROM @ WHERE pk = 'a' ORDER BY pk",
    ),
    wrong(
        "partiql.order-key",
        "SELECT * FROM @ WHERE pk = 'a' ORDER BY v",
        phrase="",
        control="SELECT * FROM @ WHERE pk = 'a' ORDER BY pk",
    ),
)

CHECKS: tuple[Check, ...] = (*GRAMMAR, *VALUES, *CONDITIONS)
