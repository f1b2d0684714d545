"""Checks of vector indexes: their definitions, writes of vectors, and searches."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    ENVELOPE,
    INVALID,
    KEY,
    answers,
    batch_put,
    get,
    item,
    many,
    n,
    put,
    query,
    refuses,
    s,
    scan,
)
from conformance.checks.tables import UNITS, creation, definitions
from conformance.checks.tables_update import change, changing
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import AttributeValue, Json


def vector_index(
    name: str = "plain", dimensions: int = 3, function: str = "COSINE", **members: Json
) -> dict[str, Json]:
    """A vector index on the attribute ``e``."""
    return {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": "e"},
        "Dimensions": dimensions,
        "DistanceFunction": function,
        "Projection": {"ProjectionType": "ALL"},
        **members,
    }


def indexed(*indexes: dict[str, Json], types: str = "pk:S") -> dict[str, Json]:
    """A table with vector indexes."""
    return {"t0": {**table(), "AttributeDefinitions": definitions(types), "VectorIndexes": list(indexes)}}


def vector(*numbers: int | str) -> AttributeValue:
    """A list of numbers."""
    return many(*map(n, numbers))


def search(*numbers: int | str, **members: Json) -> Step:
    """SearchVectors of the index ``plain``, the three nearest."""
    body = {"TableName": T0, "IndexName": "plain", "SearchVector": [n(x) for x in numbers], "TopK": 3}
    return Step("SearchVectors", {**body, **members})


def _schema(*elements: str) -> dict[str, Json]:
    pairs = (element.split(":") for element in elements)
    return {"SearchSchema": [{"AttributeName": name, "SearchSchemaElementType": kind} for name, kind in pairs]}


_PLAIN = indexed(vector_index())
_TENANT = indexed(vector_index(**_schema("tenant:HASH", "kind:INLINE_FILTER")), types="pk:S tenant:S kind:S")
_GOOD = create(VectorIndexes=[vector_index()])
_MANY = [vector_index(f"index_{i}") for i in range(6)]
_FILTERS = [f"f{i:02}" for i in range(19)]

DEFINED: tuple[Check, ...] = (
    creation(
        "vectors.on-demand-only",
        create(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS, VectorIndexes=[vector_index()]),
        f"{INVALID}Vector indexes are only supported for PAY_PER_REQUEST tables",
        control=_GOOD,
    ),
    creation("vectors.list-empty", create(VectorIndexes=[]), phrase="", control=_GOOD),
    creation(
        "vectors.dimensions",
        create(VectorIndexes=[vector_index(dimensions=4097)]),
        f"{INVALID}Number of dimensions must be between 1 and 4096 inclusive.",
        control=create(VectorIndexes=[vector_index(dimensions=4096)]),
    ),
    creation(
        "wire.enum",
        create(VectorIndexes=[vector_index(function="MANHATTAN")]),
        f"{ENVELOPE}Value 'MANHATTAN' at 'vectorIndexes.1.member.distanceFunction' failed to satisfy constraint: "
        "Member must satisfy enum value set: [DOT_PRODUCT, COSINE, EUCLIDEAN]",
        control=_GOOD,
        name="DistanceFunction",
    ),
    creation(
        "vectors.search-attribute-undefined",
        create(VectorIndexes=[vector_index(**_schema("tenant:HASH"))]),
        f"{INVALID}One element in SearchSchema is not defined in attribute definitions",
        control=_GOOD,
    ),
    creation(
        "vectors.search-schema-limit",
        create(
            AttributeDefinitions=definitions("pk:S " + " ".join(f"{name}:S" for name in _FILTERS)),
            VectorIndexes=[vector_index(**_schema(*(f"{name}:INLINE_FILTER" for name in _FILTERS)))],
        ),
        f"{INVALID}Value '19' at 'SearchSchema' failed to satisfy constraint: Member must have INLINE_FILTER count "
        "less than or equal to 18",
        control=_GOOD,
        name="INLINE_FILTER",
    ),
    creation(
        "vectors.search-schema-limit",
        create(
            AttributeDefinitions=definitions("pk:S a:S b:S"),
            VectorIndexes=[vector_index(**_schema("a:HASH", "b:HASH"))],
        ),
        f"{INVALID}Value '2' at 'SearchSchema' failed to satisfy constraint: Member must have HASH count less than or "
        "equal to 1",
        control=_GOOD,
        name="HASH",
    ),
    creation(
        "vectors.search-schema-duplicate",
        create(
            AttributeDefinitions=definitions("pk:S a:S"),
            VectorIndexes=[vector_index(**_schema("a:HASH", "a:INLINE_FILTER"))],
        ),
        f"{INVALID}SearchSchema contains a duplicate AttributeName",
        control=_GOOD,
    ),
    creation(
        "vectors.attribute-defined",
        create(AttributeDefinitions=definitions("pk:S e:B"), VectorIndexes=[vector_index()]),
        f"{INVALID}Conflicting attribute definition for 'e'. An attribute cannot be defined in AttributeDefinitions "
        "when used as a VectorAttribute.",
        control=_GOOD,
    ),
    changing(
        "vectors.attribute-redefined",
        change(VectorIndexUpdates=[{"Create": vector_index(VectorAttribute={"AttributeName": "pk"})}]),
        f"{INVALID}Attributes cannot be redefined. Please check that your attribute has the same type as previously "
        "defined. Existing schema: Schema:[SchemaElement: key{pk:S:HASH}] New schema: "
        "VectorIndexSchema:[VectorAttribute: key{pk:L:3}]",
    ),
    changing(
        "vectors.update-limit",
        change(VectorIndexUpdates=[{"Create": vector_index("index_5")}]),
        "Subscriber limit exceeded: Number of vector secondary indexes exceeds per-table limit of 5",
        tables=indexed(*_MANY[:5]),
        code="LimitExceededException",
    ),
    changing(
        "vectors.on-demand-only",
        change(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        f"{INVALID}Vector indexes are only supported for PAY_PER_REQUEST tables",
        tables=_PLAIN,
        name="switched",
    ),
    creation(
        "vectors.conflicting-dimensions",
        create(VectorIndexes=[vector_index(), vector_index("other", 4)]),
        f"{INVALID}Conflicting attribute definition for 'e'. All VectorIndexes on the same vector attribute must use "
        "the same dimensions.",
        control=create(VectorIndexes=[vector_index(), vector_index("other")]),
    ),
    creation(
        "vectors.index-limit",
        create(VectorIndexes=_MANY),
        f"{INVALID}VectorIndex count exceeds the per-table limit of 5",
        control=create(VectorIndexes=_MANY[:5]),
    ),
    changing(
        "vectors.update-empty",
        change(VectorIndexUpdates=[{}]),
        phrase="",
        control=change(VectorIndexUpdates=[{"Create": vector_index()}]),
    ),
)

_BAD = "One or more parameter values were invalid. "
_FLOAT = "Expected: 32-bit floating point number"


def _write(
    rule: str, value: AttributeValue, message: str | None = None, *, phrase: str | None = None, name: str = ""
) -> Check:
    return refuses(
        rule, put({"e": value}), message, phrase=phrase, tables=_PLAIN, control=put({"e": vector(1, 0, 0)}), name=name
    )


WRITTEN: tuple[Check, ...] = (
    _write("vectors.not-a-list", s("x"), f"{_BAD}Invalid type for parameter e, {_FLOAT} list IndexName: plain"),
    _write(
        "vectors.size", vector(1, 0), f"{_BAD}Invalid size for parameter e, Expected: 3, Actual: 2 IndexName: plain"
    ),
    _write(
        "vectors.element-type",
        many(n(1), s("x"), n(0)),
        f"{_BAD}Invalid type for parameter e[1], {_FLOAT}, Actual: S. IndexName: plain",
    ),
    _write("vectors.element-range", vector(1, 0, "1e39"), phrase="Invalid value for parameter e[2], Value: "),
    refuses(
        "vectors.hash-type",
        put({"e": vector(1, 0, 0), "tenant": n(1)}),
        phrase="Attribute 'tenant' type mismatch. Expected: S, Actual: N",
        tables=_TENANT,
        control=put({"e": vector(1, 0, 0), "tenant": s("a")}),
    ),
    refuses(
        "indexes.empty-string",
        put({"e": vector(1, 0, 0), "tenant": s("")}),
        phrase="The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ",
        tables=_TENANT,
        control=put({"e": vector(1, 0, 0)}),
        name="vector index",
    ),
    answers(
        "vectors.write-capacity",
        put({"e": vector(1, 0, 0)}, ReturnConsumedCapacity="INDEXES"),
        tables=_PLAIN,
        at="ConsumedCapacity",
        has={"VectorIndexes": {"plain": {"VectorWriteRequestBytes": 1024}}, "CapacityUnits": 1.0},
        name="least",
    ),
    answers(
        "vectors.write-capacity",
        put({"e": vector(1, 0, 0)}, ReturnConsumedCapacity="INDEXES"),
        tables=_PLAIN,
        given=[put({"e": vector(1, 0, 0)})],
        at="ConsumedCapacity",
        lacks=("VectorIndexes",),
        name="nothing changed",
    ),
    answers(
        "vectors.write-capacity",
        put({"e": vector(1, 0, 0), "tenant": s("b")}, ReturnConsumedCapacity="INDEXES"),
        tables=_TENANT,
        given=[put({"e": vector(1, 0, 0), "tenant": s("a")})],
        at="ConsumedCapacity",
        has={"VectorIndexes": {"plain": {"VectorWriteRequestBytes": 2048}}},
        name="moved to another partition",
    ),
    answers(
        "vectors.write-capacity",
        put({"e": vector(1, 0, 0)}, ReturnConsumedCapacity="TOTAL"),
        tables=_PLAIN,
        body={"ConsumedCapacity": {"TableName": T0, "CapacityUnits": 1.0}},
        name="total",
    ),
)

_NOT_FOUND = "The table does not have the specified index: nope"
_COMPARATOR = "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression"


def _refused(
    rule: str,
    when: Step,
    message: str | None = None,
    *,
    phrase: str | None = None,
    tables: dict[str, Json] = _PLAIN,
    control: Step | None = None,
    name: str = "",
    code: str = "ValidationException",
    needs: str = "",
    given: Sequence[Step] = (),
) -> Check:
    return refuses(
        rule,
        when,
        message,
        phrase=phrase,
        tables=tables,
        control=control or search(1, 0, 0),
        name=name,
        code=code,
        needs=needs,
        given=given,
    )


def _condition(rule: str, text: str, message: str, **values: AttributeValue) -> Check:
    return _refused(
        rule,
        _where(text, **values),
        message,
        tables=_TENANT,
        control=_where("tenant = :t", t=s("a")),
        name=text,
    )


def _where(text: str, **values: AttributeValue) -> Step:
    given = {f":{key}": value for key, value in values.items()}
    return search(1, 0, 0, SearchConditionExpression=text, ExpressionAttributeValues=given)


_A = s("a")

SEARCHED: tuple[Check, ...] = (
    _refused(
        "vectors.top-k",
        search(1, 0, 0, TopK=101),
        "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive",
        control=search(1, 0, 0, TopK=100),
    ),
    _refused("wire.search-value-min", search(1, 0, 0, TopK=0), phrase="", control=search(1, 0, 0, TopK=1)),
    _refused(
        "vectors.search-dimensions",
        search(1, 0),
        "Input search vector dimension 2 does not match vector index dimension 3",
    ),
    _refused(
        "vectors.search-vector",
        search(1, 0, 0, SearchVector=[n(1), s("x"), n(0)]),
        "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point "
        "number attribute",
    ),
    _refused("vectors.unknown", search(1, 0, 0, IndexName="nope"), _NOT_FOUND),
    _refused(
        "vectors.backfilling",
        search(1, 0, 0),
        phrase="",
        tables={"t0": table()},
        given=[change(VectorIndexUpdates=[{"Create": vector_index()}])],
        control=scan(),
        needs="slow backfill",
    ),
    _refused(
        "wire.search-length-min",
        search(1, 0, 0, SearchVector=[]),
        "1 validation error detected: Value at 'SearchVector' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
    ),
    _refused(
        "wire.search-length-max",
        search(1, 0, 0, SearchVector=[n(1)] * 4097),
        phrase="failed to satisfy constraint: Member must have length less than or equal to 4096",
    ),
    _refused(
        "wire.search-type",
        search(1, 0, 0, TableName=None),
        phrase="invalid type: null, expected a string at line 1 column ",
        code="SerializationException",
    ),
    _refused(
        "wire.search-missing-field",
        Step("SearchVectors", {"IndexName": "plain", "SearchVector": [], "TopK": 101}),
        phrase="missing field `TableName` at line 1 column ",
    ),
    _refused(
        "vectors.query",
        query("e = :e", {"e": s("x")}, IndexName="plain"),
        "Query operation not supported on this index type.",
    ),
    _refused(
        "vectors.scan",
        scan(IndexName="plain"),
        phrase="Scan operation not supported on this index type",
        control=scan(),
    ),
    _refused(
        "vectors.scan",
        scan(IndexName="plain", ConsistentRead=True),
        phrase="Scan operation not supported on this index type",
        control=scan(ConsistentRead=True),
        name="consistently",
    ),
    _refused(
        "vectors.scan",
        Step("ExecuteStatement", {"Statement": 'SELECT * FROM "${table:t0}"."plain"'}),
        phrase="Scan operation not supported on this index type",
        control=Step("ExecuteStatement", {"Statement": 'SELECT * FROM "${table:t0}"'}),
        name="PartiQL",
    ),
    _refused(
        "vectors.condition-required",
        search(1, 0, 0),
        "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        tables=_TENANT,
        control=_where("tenant = :t", t=_A),
    ),
    _condition("vectors.condition-comparator", "tenant > :t", _COMPARATOR, t=_A),
    _condition("vectors.condition-comparator", "tenant = :t OR kind = :t", _COMPARATOR, t=_A),
    _condition(
        "vectors.condition-nested",
        "tenant = :t AND kind.x = :t",
        "Invalid SearchConditionExpression: SearchConditionExpression cannot have conditions on nested attributes",
        t=_A,
    ),
    _condition(
        "vectors.condition-twice",
        "tenant = :t AND tenant = :u",
        "Invalid SearchConditionExpression: SearchConditionExpression must only contain one condition per attribute",
        t=_A,
        u=_A,
    ),
    _condition(
        "vectors.condition-attribute",
        "tenant = :t AND pk = :t",
        "SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: pk",
        t=_A,
    ),
    _condition(
        "vectors.condition-without-hash",
        "kind = :t",
        "SearchConditionExpression must have all HASH attributes in configured SearchSchema",
        t=_A,
    ),
    _condition(
        "vectors.condition-type",
        "tenant = :t",
        "Type of 'tenant' attribute in SearchConditionExpression (N) does not match type in search schema (S)",
        t=n(1),
    ),
    _condition(
        "vectors.filter-type",
        "tenant = :t AND kind = :k",
        "Type of 'kind' attribute in SearchConditionExpression (N) does not match type in search schema (S)",
        t=_A,
        k=n(1),
    ),
)

_POINTS: list[tuple[str, tuple[int | str, ...]]] = [
    ("a", (1, 0, 0)),
    ("b", (".6", ".8", 0)),
    ("c", (0, 1, 0)),
    ("d", (-1, 0, 0)),
]
_FILLED = batch_put(*({"pk": s(pk), "e": vector(*numbers)} for pk, numbers in _POINTS))


def _score(function: str, position: int, pk: str, score: float) -> Check:
    return answers(
        "vectors.scores",
        search(1, 0, 0, TopK=4),
        tables=indexed(vector_index(function=function)),
        given=[_FILLED],
        at=f"SearchResults[{position}]",
        has={"Item": {"pk": s(pk)}, "Score": score},
        name=f"{function} {position}",
    )


FOUND: tuple[Check, ...] = (
    _score("COSINE", 0, "a", 0.0),
    _score("COSINE", 2, "c", 1.0),
    _score("COSINE", 3, "d", 2.0),
    _score("EUCLIDEAN", 0, "a", 0.0),
    _score("EUCLIDEAN", 3, "d", 2.0),
    _score("DOT_PRODUCT", 0, "a", 1.0),
    _score("DOT_PRODUCT", 3, "d", -1.0),
    answers(
        "vectors.results",
        search(1, 0, 0, TopK=1),
        tables=_PLAIN,
        given=[_FILLED, put({"pk": s("none")})],
        body={"SearchResults": [{"Item": {"pk": s("a")}, "Score": 0.0}]},
        name="nearest, without its vector",
    ),
    answers("vectors.results", search(1, 0, 0), tables=_PLAIN, body={"SearchResults": []}, name="empty"),
    answers(
        "vectors.results",
        _where("tenant = :t", t=_A),
        tables=_TENANT,
        given=[
            put({"e": vector(1, 0, 0), "tenant": _A}),
            put({"pk": s("b"), "e": vector(1, 0, 0), "tenant": s("b")}),
            put({"pk": s("c"), "e": vector(1, 0, 0)}),
        ],
        body={"SearchResults": [{"Item": {**KEY, "tenant": _A}, "Score": 0.0}]},
        name="one partition",
    ),
    answers(
        "vectors.float-copy",
        get(),
        tables=_PLAIN,
        given=[put({"e": vector("0.123456789012345", 0, 0)})],
        body={"Item": item(e=vector("0.123456789012345", 0, 0))},
        name="the table keeps what was written",
    ),
)

CHECKS: tuple[Check, ...] = (*DEFINED, *WRITTEN, *SEARCHED, *FOUND)
