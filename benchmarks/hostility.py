"""Requests that nobody means well with, drawn from a seed: bodies, texts, headers and bytes of every kind of wrong."""

from __future__ import annotations

import copy
import functools
import gzip
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.client import request_bytes
from conformance.checks import all_checks
from conformance.symbols import SymbolError, bind
from reference.api import Call, Json
from reference.operations import OPERATIONS
from reference.requests.model import Shape, input_of

Body = dict[str, Any]
Path = tuple[Any, ...]

TABLES = ("hostile-t0", "hostile-t1")
START = 1_790_000_000
NAMES = {
    **{f"table:t{n}": f"hostile-t{n}" for n in range(8)},
    **{f"arn:t{n}": f"arn:aws:dynamodb:us-east-1:400000000004:table/hostile-t{n}" for n in range(8)},
    **{f"token:{name}": f"token-{name}" for name in "abcd"},
}
KINDS = ("mistyped", "mutated", "mutated", "mutated", "text", "http", "bytes")
"""What kinds of hostility there are; those named more often are drawn more often."""


LONGEST = 17_000_000
"""Bytes of the longest body that is sent: some are beyond what a request can hold, none makes us wait for minutes."""
REPEATED_LENGTH = 50_000
"""Characters of a list that is still repeated: more would grow it beyond what a request can hold."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request as bytes. ``call`` is what it asks where it is plain AWS JSON, as operation and JSON text."""

    kind: str
    data: bytes
    operation: str = ""
    text: bytes | None = None


def world() -> Iterator[Call]:
    """The calls that make the tables which requests are about."""
    index = {"KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
    local = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}]
    for number, keys in enumerate((("pk",), ("pk", "sk"))):
        kinds = zip(keys, ("HASH", "RANGE"), strict=False)
        body: Body = {
            "TableName": TABLES[number],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in kinds],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in (*keys, "g")],
            "GlobalSecondaryIndexes": [{"IndexName": "gsi", **index}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }
        if len(keys) > 1:
            body["AttributeDefinitions"].append({"AttributeName": "l", "AttributeType": "N"})
            keys_only = {"ProjectionType": "KEYS_ONLY"}
            body["LocalSecondaryIndexes"] = [{"IndexName": "lsi", "KeySchema": local, "Projection": keys_only}]
        yield Call("CreateTable", body)
        for each in range(5):
            item = {name: {"S": f"k{each}"} for name in keys} | {"g": {"S": "g"}, "n": {"N": str(each)}}
            yield Call("PutItem", {"TableName": TABLES[number], "Item": item | {"m": {"M": {"a": {"L": []}}}}})


@functools.cache
def seeds() -> tuple[tuple[str, str], ...]:
    """Requests that mean something, as operation and JSON text: those of the directed checks, and some of the model."""
    found: dict[tuple[str, str], None] = {}
    for check in all_checks():
        for step in (*check.given, check.when, *((check.control,) if check.control else ())):
            try:
                body = bind(step.body, NAMES, {}, START)
                found[step.operation, json.dumps(body)] = None
            except (SymbolError, TypeError, ValueError, RecursionError):
                continue
    rng = random.Random(0)
    for operation in OPERATIONS:
        for _ in range(8):
            found[operation, json.dumps(sample(rng, input_of(operation)))] = None
    # Checks of sizes have bodies of megabytes; here they would only take time.
    return tuple((operation, text) for operation, text in found if len(text) < 20_000 and operation in OPERATIONS)


def sample(rng: random.Random, shape: Shape, *, full: bool = False, member: str = "") -> Json:
    """A value that a shape of the model allows, more or less; ``full`` has every member."""
    if shape.kind == "structure":
        chosen = (m for m in shape.members if full or m in shape.required or rng.random() < 0.4)
        return {m: sample(rng, shape.members[m], full=full, member=m) for m in chosen}
    if shape.kind == "list":
        assert shape.element is not None
        return [sample(rng, shape.element, full=full, member=member) for _ in range(1 if full else rng.randint(1, 3))]
    if shape.kind == "map":
        assert shape.element is not None
        names = rng.sample((*TABLES, "pk", "#a", ":v"), 1 if full else 2)
        return {name: sample(rng, shape.element, full=full, member=member) for name in names}
    if shape.kind == "value":
        return copy.deepcopy(rng.choice(_VALUES))
    if shape.kind == "boolean":
        return rng.random() < 0.5
    if shape.kind in ("integer", "long", "double", "timestamp"):
        return rng.choice((1, 5, START))
    if shape.enum:
        return rng.choice(shape.enum)
    if shape.kind == "table" or member.endswith(("TableName", "Arn")):
        return rng.choice((*TABLES, NAMES["arn:t0"], "none-such"))
    return rng.choice(_STRINGS.get(member, ("pk", "g", "gsi", "lsi", "x", "#a", ":v")))


_VALUES: tuple[Json, ...] = (
    {"S": "k1"}, {"N": "1"}, {"B": "AA=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a", "b"]}, {"NS": ["1", "2.5"]},
    {"BS": ["AA=="]}, {"L": [{"S": "a"}, {"N": "2"}]}, {"M": {"a": {"S": "b"}}},
)  # fmt: skip
_STRINGS: dict[str, tuple[str, ...]] = {
    "KeyConditionExpression": ("pk = :v", "pk = :v AND begins_with(sk, :v)", "#a = :v"),
    "ConditionExpression": ("attribute_exists(pk)", "#a = :v AND NOT (g < :v OR size(m) > :v)", "m.a[0] IN (:v, :v)"),
    "FilterExpression": ("contains(m, :v)", "#a <> :v", "attribute_type(n, :v)"),
    "UpdateExpression": ("SET #a = if_not_exists(x, :v) + :v REMOVE m.a[0]", "ADD n :v DELETE ss :v", "SET x = :v"),
    "ProjectionExpression": ("pk, m.a[0], #a", "n"),
    "Statement": (
        'SELECT * FROM "hostile-t0" WHERE pk = ?',
        "INSERT INTO \"hostile-t0\" VALUE {'pk': 'a', 'l': [1, {'b': <<1, 2>>}]}",
        "UPDATE \"hostile-t0\" SET x = list_append(l, [1]) REMOVE y WHERE pk = 'k1' RETURNING ALL NEW *",
        "DELETE FROM \"hostile-t0\" WHERE pk = 'k1' AND n BETWEEN 1 AND 2",
    ),
}

# What stands in a body for text that no JSON writer would write.
_MARK = "\u241f"


def _raw(text: str) -> str:
    return f"{_MARK}{text}{_MARK}"


_MARKED = re.compile(f'"{_MARK}(.*?){_MARK}"')


def spell(body: Json) -> bytes:
    """The JSON text of a body with its raw parts put in."""
    text = json.dumps(body, ensure_ascii=False)
    # Raw parts were made strings of JSON, and are read back from that.
    text = _MARKED.sub(lambda found: str(json.loads(f'"{found[1]}"')), text)
    return text.encode("utf-8", "surrogatepass")


def _nested(rng: random.Random, open_: str, inner: str, close: str) -> str:
    depth = rng.choice((5, 31, 33, 62, 63, 100, 254, 256, 600, 1_000, 1_025, 5_000, 50_000))
    return open_ * depth + inner + close * depth


_DEEP = (
    ('{"M":{"a":', '{"S":"x"}', "}}"),
    ('{"L":[', '{"N":"1"}', "]}"),
    ("[", "1", "]"),
    ('{"a":', "null", "}"),
)


def _deep(rng: random.Random) -> Json:
    return _raw(_nested(rng, *rng.choice(_DEEP)))


def _number_text(rng: random.Random) -> str:
    return rng.choice((
        "9" * 38, "9" * 39, "1" * 20_000, "1e125", "1e126", "-1e-130", "1e-131", "1e999999999999", "1e-999999999999",
        "0" * 50_000, "0." + "0" * 50_000 + "1", "NaN", "Infinity", "-", "+1", "1_0", "0x1F", "١٢٣", "1e", ".5", "5.",
        "", " 1", "--1", "1.1.1", "1e1e1", "\ud800", "9" * 100_000 + "e-100000",
    ))  # fmt: skip


def _number(rng: random.Random) -> Json:
    return rng.choice((
        0, -1, 2**31, 2**63 - 1, 2**63, -(2**64), 1.5, 1e308, _raw("1e400"), _raw("-1e400"), _raw("9" * 400),
        _raw("1" * 5_000), _raw("-0"), _raw("0.1e-400"), _raw("NaN"), _raw("Infinity"), _raw("01"), _raw("1" * 100_000),
    ))  # fmt: skip


def _text(rng: random.Random) -> Json:
    return rng.choice((
        "", " ", "a" * 256, "a" * 1_025, "a" * 2_049, "a" * 66_000, "a" * 500_000, "\0", "\ud800", "é\u0301",
        "🜁" * 2_000,
        "../../etc", "${x}", "{}", "{0}", "%s", "<script>", "a.b", "a[0]", "#", ":", "arn:",
        "arn:aws:dynamodb:::table/",
        "arn:aws:dynamodb:us-east-1:400000000004:table/hostile-t0/index/gsi", "\r\n", "\u2028", "AA=", "AAA", "A===",
    ))  # fmt: skip


def _expression(rng: random.Random) -> Json:
    many = rng.choice((2, 50, 300, 301, 1_000, 4_097))
    pieces: tuple[Callable[[], str], ...] = (
        lambda: "(" * many + "pk = :v" + ")" * many,
        lambda: "NOT " * many + "pk = :v",
        lambda: " AND ".join(["pk = :v"] * many),
        lambda: " OR ".join([f"a{n} = :v" for n in range(many)]),
        lambda: "pk IN (" + ", ".join([":v"] * many) + ")",
        lambda: "a" + ".a" * many + " = :v",
        lambda: "a" + "[0]" * many + " = :v",
        lambda: "SET a[99999999999999999999] = :v",
        lambda: "SET " + ", ".join(f"a{n} = :v" for n in range(many)),
        lambda: "SET a = " + " + ".join([":v"] * many),
        lambda: "SET a = " + "if_not_exists(a, " * many + ":v" + ")" * many,
        lambda: "REMOVE " + ", ".join(f"a[{n}]" for n in range(many)),
        lambda: "size(" * many + "a" + ")" * many + " > :v",
        lambda: ", ".join(["a.b.c"] * many),
        lambda: "a" * 65_536,
        lambda: "SET SET = :v REMOVE REMOVE",
        lambda: "ADD n :v, n.x :v DELETE n :v SET n = n - n",
        lambda: "\0", lambda: "'", lambda: '"', lambda: "#", lambda: ":", lambda: "#a#b", lambda: "a..b", lambda: "a[",
        lambda: "pk = :v AND pk = :v", lambda: "pk BETWEEN :v AND :v", lambda: "contains(:v, :v)", lambda: "a = a = a",
        lambda: " " * 60_000 + "a", lambda: "\ud800 = :v", lambda: "ünïcode = :v", lambda: "a[-1] = :v",
        lambda: "a[1.5]",
    )  # fmt: skip
    return rng.choice(pieces)()


def _statement(rng: random.Random) -> Json:
    many = rng.choice((2, 50, 500, 2_000))
    table = '"hostile-t0"'
    return rng.choice((
        f"SELECT * FROM {table} WHERE " + "(" * many + "pk = 'a'" + ")" * many,
        f"SELECT * FROM {table} WHERE " + "NOT " * many + "pk = 'a'",
        f"SELECT * FROM {table} WHERE " + " OR ".join(["pk = 'a'"] * many),
        f"SELECT * FROM {table} WHERE pk IN [" + ",".join(["'a'"] * many) + "]",
        f"SELECT {','.join(['a.b[0]'] * many)} FROM {table}",
        f"INSERT INTO {table} VALUE {{'pk': " + "[" * many + "]" * many + "}",
        f"INSERT INTO {table} VALUE {{'pk': " + "{'a':" * many + "1" + "}" * many + "}",
        f"INSERT INTO {table} VALUE {{'pk': 'a', 'pk': 'b', '': 1, 'n': {'9' * 50}}}",
        f"UPDATE {table} SET a = " + "list_append(" * many + "[1]" + ")" * many + " WHERE pk = 'a'",
        f"UPDATE {table} " + " ".join(f"SET a{n} = ?" for n in range(many)) + " WHERE pk = 'a'",
        f"SELECT * FROM {table}.\"gsi\" WHERE g = ?", "SELECT", "", ";", "--", "'", '"', "?" * many, "SELECT * FROM ?",
        "a" * 9_000, "SELECT * FROM \"" + "a" * 300 + "\"", f"EXISTS(SELECT * FROM {table} WHERE pk = 'a')",
        f"SELECT COUNT(*), x FROM {table} ORDER BY pk", f"SELECT * FROM {table} WHERE pk = 1e99999999", "\ud800",
        f"SELECT * FROM {table} WHERE pk = `{{x}}` AND <<1>> = [?", f"DELETE FROM {table} WHERE pk = {'-' * many}1",
    ))  # fmt: skip


def _value(rng: random.Random) -> Json:
    return rng.choice((
        {}, {"S": None}, {"S": 1}, {"N": 1}, {"N": _number_text(rng)}, {"NS": [_number_text(rng), "1"]}, {"NS": []},
        {"SS": ["a", "a"]}, {"BS": ["AA==", "AA=="]}, {"B": "A"}, {"BOOL": "maybe"}, {"NULL": False}, {"S": "a",
        "N": "1"},
        {"X": "a"}, {"M": []}, {"L": {}}, {"M": {"": {"S": ""}}}, {"L": [None]}, {"SS": [None]}, {"S": "a" * 400_001},
        {"L": [{"N": "1"} for _ in range(5_000)]}, {"M": {f"a{n}": {"BOOL": True} for n in range(3_000)}},
        {"SS": ["é", "é"]},
    ))  # fmt: skip


def _wide(rng: random.Random) -> Json:
    many = rng.choice((26, 101, 2_000))
    return rng.choice((
        [{} for _ in range(many)], [None] * many, ["a"] * many, {f"a{n}": None for n in range(many)},
        {f":v{n}": {"N": "1"} for n in range(many)}, {f"#n{n}": "a" for n in range(many)}, [[[]] for _ in range(many)],
    ))  # fmt: skip


WRONG: tuple[Json, ...] = (
    None, True, False, 0, 7, -1, 1.5, "", "x", "true", [], {}, [None], [[]], [{}], {"": None}, {"S": "x"}, ["x"],
)  # fmt: skip
"""One of each JSON type, and what comes close to something."""


def _any(rng: random.Random, path: Path) -> Json:
    name = path[-1] if path else ""
    if isinstance(name, str) and name.endswith("Expression") and rng.random() < 0.7:
        return _expression(rng)
    if name == "Statement" and rng.random() < 0.7:
        return _statement(rng)
    if name == "N" and rng.random() < 0.7:
        return _number_text(rng)
    makers = (_number, _text, _value, _wide, _deep, _expression, lambda r: copy.deepcopy(r.choice(WRONG)))
    return rng.choice(makers)(rng)


def paths(body: Json) -> list[Path]:
    """Every place in a body."""
    found: list[Path] = []
    stack: list[tuple[Path, Json]] = [((), body)]
    while stack:
        path, node = stack.pop()
        found.append(path)
        if isinstance(node, dict):
            stack += [((*path, name), inner) for name, inner in node.items()]
        elif isinstance(node, list):
            stack += [((*path, n), inner) for n, inner in enumerate(node)]
    return found


def _at(body: Json, path: Path) -> Json:
    for step in path:
        body = body[step]
    return body


def replaced(body: Json, path: Path, value: Json) -> Json:
    """The body with something else at a place; changed where it stands."""
    if not path:
        return value
    _at(body, path[:-1])[path[-1]] = value
    return body


def mutate(rng: random.Random, body: Json) -> Json:
    """A body with one to four things wrong with it."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        known = paths(body)
        path = rng.choice(known)
        how = rng.random()
        holder = _at(body, path[:-1]) if path else None
        if how < 0.12 and holder is not None:
            del holder[path[-1]]
        elif how < 0.2 and isinstance(holder, dict):
            holder[rng.choice(("", "X", "pk", "sk", str(path[-1]) * 2, "a" * 70_000, "\ud800", "#a", ":v"))] = (
                holder.pop(path[-1])
            )
        elif how < 0.3 and isinstance(holder, list) and len(json.dumps(holder)) < REPEATED_LENGTH:
            # Parts must not be shared: what one of them is changed to would stand in each.
            holder.extend([part for _ in range(rng.choice((1, 30))) for part in copy.deepcopy(holder)])
        elif how < 0.45:
            body = replaced(body, path, copy.deepcopy(_at(body, rng.choice(known))))
        else:
            body = replaced(body, path, _any(rng, path))
    return body


def _spoilt_text(rng: random.Random, text: bytes) -> bytes:
    """A JSON text cut, flipped, filled or framed."""
    place = rng.randrange(len(text) + 1)
    deep = _nested(rng, *rng.choice(_DEEP)).encode()
    return rng.choice((
        text[:place], text[:place] + bytes([rng.randrange(256)]) + text[place + 1 :],
        text[:place] + rng.randbytes(4) + text[place:],
        b"\xef\xbb\xbf" + text, text.decode("utf-8", "replace").encode("utf-16"), text + text, text + b"x",
        b"[" + text + b"]",
        b"", b" " * 5_000, b"null", b'"text"', b"1", b"[" * 200_000, b'{"a":' * 100_000, deep,
        b"{" + b'"a":1,' * 20_000 + b'"b":2}',
        b"NaN", b"{'a': 1}", b"/**/" + text, text.replace(b'"', b"'"), text.replace(b":", b"", 1), rng.randbytes(300),
        b'{"TableName":"a","TableName":' + text + b"}", text[:1] + b'"\\ud800":1,' + text[1:], b"9" * 1_000_000,
    ))  # fmt: skip


_HEADERS: tuple[tuple[bytes, ...], ...] = (
    (b"Content-Type",), (b"Content-Type", b"text/plain"), (b"Content-Type", b"application/x-amz-json-1.1"),
    (b"Content-Type", b"\xff\xfe"), (b"X-Amz-Target",), (b"X-Amz-Target", b"DynamoDB_20120810."),
    (b"X-Amz-Target", b"DynamoDB_20111205.GetItem"), (b"X-Amz-Target", b"." * 3_000), (b"Authorization",),
    (b"Authorization", b"AWS4-HMAC-SHA256"), (b"Authorization", b"Basic \xff"), (b"Authorization", b"=,=,=,=," * 900),
    (b"Authorization", b"AWS4-HMAC-SHA256 Credential=///, SignedHeaders=;;, Signature="), (b"X-Amz-Date", b"yesterday"),
    (b"X-Amz-Date",), (b"X-Amz-Date", b"99999999T999999Z"), (b"Content-Encoding", b"gzip"),
    (b"Content-Encoding", b"br"),
    (b"Content-Encoding", b"deflate"), (b"Content-Encoding", b"gzip, gzip"), (b"Accept-Encoding", b"gzip;q=9e9,*;q="),
    (b"Accept-Encoding", b"," * 4_000), (b"Expect", b"100-continue"), (b"Expect", b"200-maybe"),
    (b"Origin", b"\xff" * 50),
    (b"Upgrade", b"h2c"), (b"Upgrade", b"websocket"), (b"Connection", b"upgrade, close"), (b"Content-Length", b"-1"),
    (b"Content-Length", b"99999999999999999999"), (b"Content-Length", b"1"), (b"Content-Length", b"0x10"),
    (b"Content-Length",),
    (b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"gzip, chunked"), (b"Transfer-Encoding", b"\0"),
    (b"Host",),
    (b"X-Long", b"a" * 15_000), (b"X-Long", b"a" * 17_000), (b"X-Null", b"\0"), (b"X-Fold", b"a\r\n b"),
    (b"X-Split", b"a\rb"),
)  # fmt: skip
_LINES = (
    b"POST / HTTP/1.0", b"POST / HTTP/2.0", b"POST / HTTP/9.9", b"POST /", b"GET / HTTP/1.1", b"HEAD / HTTP/1.1",
    b"OPTIONS / HTTP/1.1", b"PUT /x HTTP/1.1", b"DELETE / HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"post / HTTP/1.1",
    b"POST " + b"/a" * 9_000 + b" HTTP/1.1", b"POST http://other/ HTTP/1.1", b"POST \xff HTTP/1.1", b"TRACE / HTTP/1.1",
    b"POST /?X-Amz-Signature=%zz&X-Amz-Date=&X-Amz-Credential=// HTTP/1.1", b"PRI * HTTP/2.0", b"POST  /  HTTP/1.1",
)  # fmt: skip


@functools.cache
def _bomb() -> bytes:
    """A small body that decompresses to more than a request may hold."""
    return gzip.compress(b"\0" * 20_000_000, 1)


def _spoilt_http(rng: random.Random, request: bytes, text: bytes) -> bytes:
    """A request with one to three of its lines wrong, or its body packed, rightly or wrongly."""
    head, _, _ = request.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    body = text
    if rng.random() < 0.25:
        packed = rng.choice((gzip.compress(text), zlib.compress(text), _bomb()))
        body = packed if rng.random() < 0.5 else packed[: rng.randrange(len(packed))]
        lines.append(b"Content-Encoding: " + rng.choice((b"gzip", b"deflate", b"GZIP", b"identity", b"zstd")))
        lines = [each for each in lines if not each.lower().startswith(b"content-length")]
        lines.append(b"Content-Length: %d" % len(body))
    if rng.random() < 0.2:
        line = rng.choice(_LINES)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        name, *value = rng.choice(_HEADERS)
        if not value or rng.random() < 0.8:
            lines = [each for each in lines if not each.lower().startswith(name.lower() + b":")]
        lines += [name + b": " + each for each in value]
    if rng.random() < 0.1:
        lines = [rng.choice((b"no colon", b": empty", b"a b: c", b"X: " + rng.randbytes(20), *lines)) for _ in lines]
    return b"\r\n".join([line, *lines]) + b"\r\n\r\n" + body


def _garbage(rng: random.Random, request: bytes) -> bytes:
    """Bytes that are hardly a request."""
    place = rng.randrange(len(request))
    noise = rng.randbytes(rng.choice((1, 10, 1_000, 40_000)))
    return rng.choice((
        noise, b"\0" * 5_000, b"\r\n" * 5_000, b"\x16\x03\x01\x02\x00\x01\x00" + noise, request[:place],
        noise + request,
        request[:place] + noise + request[place:], request + noise, request * 3, request + request[:place], b"GET",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise, b"POST / HTTP/1.1\r\n" * 500, b"A: b\r\n" * 2_000 + b"\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", request.replace(b"\r\n", b"\n"),
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 2_000 + b"0\r\n\r\n",
        request.lower(),
    ))  # fmt: skip


def _mistyped(seed: int) -> Iterator[tuple[str, Json]]:
    """Every wrong type at every path of every operation's request, in seeded order, over and over."""
    rng = random.Random(seed)
    full = {operation: sample(rng, input_of(operation), full=True) for operation in OPERATIONS}
    places = [(operation, path) for operation, body in full.items() for path in paths(body)]
    every = [(operation, path, wrong) for operation, path in places for wrong in range(len(WRONG))]
    rng.shuffle(every)
    while True:
        for operation, path, wrong in every:
            yield operation, replaced(copy.deepcopy(full[operation]), path, copy.deepcopy(WRONG[wrong]))


def hostile(seed: int, port: int) -> Iterator[Hostile]:
    """Hostile requests to a loopback port without end, the same for the same seed."""
    rng = random.Random(seed)
    meant, mistyped = seeds(), _mistyped(seed)
    while True:
        kind = rng.choice(KINDS)
        operation, text = rng.choice(meant)
        plain: bytes = text.encode()
        if kind == "mistyped":
            operation, body = next(mistyped)
            plain = spell(body)
        elif kind == "mutated":
            plain = spell(mutate(rng, json.loads(text)))
        elif kind == "text":
            plain = _spoilt_text(rng, plain)
        if len(plain) > LONGEST:
            continue
        call = Call(operation, None)
        request = request_bytes(call, port, plain)
        if kind in ("mistyped", "mutated", "text"):
            yield Hostile(kind, request, operation, plain)
        else:
            spoilt = _spoilt_http(rng, request, plain) if kind == "http" else _garbage(rng, request)
            yield Hostile(kind, spoilt)
