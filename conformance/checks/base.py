"""Directed checks: the smallest program for a rule, with the expected reply written down from the evidence."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.oracle.compare import Difference, differences
from conformance.program import Program, Step
from conformance.symbols import bind
from conformance.targets.raw import RawReply
from reference.api import Json, Lost, Refusal, Reply, Success


@dataclass(frozen=True, slots=True)
class Refused:
    """The call must be refused with this code and, where given, this text or a text that contains ``phrase``.

    ``fields`` are further members of the error body that must be there, such as ``Item``.
    """

    code: str
    message: str | None = None
    phrase: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)

    def wrong(self, reply: Reply) -> str | None:
        """What differs in a reply, or None when it is as expected."""
        if not isinstance(reply, Refusal):
            return f"expected {self.code}, got {_told(reply)}"
        if reply.code != self.code:
            return f"expected {self.code}, got {_told(reply)}"
        if self.message is not None and reply.message != self.message:
            return f"expected the message {self.message!r}, got {reply.message!r}"
        if self.phrase is not None and self.phrase not in (reply.message or ""):
            return f"expected a message with {self.phrase!r}, got {reply.message!r}"
        return next((d.place for d in differences(dict(self.fields), _only(reply.fields, self.fields))), None)

    def to_json(self) -> dict[str, Json]:
        """What must come, as a JSON object for scripts; members that ask for nothing are left out."""
        asked = {"code": self.code, "message": self.message, "phrase": self.phrase, "fields": dict(self.fields)}
        return {"refusal": {name: member for name, member in asked.items() if member}}


@dataclass(frozen=True, slots=True)
class Answered:
    """The call must succeed. ``body``: exactly this body; ``has``: at least these members; ``lacks``: none of these.

    ``at`` is where in the body these members are looked for, as in ``Table.GlobalSecondaryIndexes[0]``.
    """

    body: Json = None
    has: Mapping[str, Json] | None = None
    lacks: Sequence[str] = ()
    at: str = ""

    def wrong(self, reply: Reply) -> str | None:
        """What differs in a reply, or None when it is as expected."""
        if not isinstance(reply, Success):
            return f"expected success, got {_told(reply)}"
        if self.body is not None and (found := next(differences(self.body, reply.body), None)) is not None:
            return f"{found.place}: expected {found.expected!r}, got {found.observed!r}"
        members = _member(reply.body, self.at)
        if not isinstance(members, dict):
            return f"{self.at or 'the body'} is {members!r}, expected an object" if self.has or self.lacks else None
        found = next(differences(dict(self.has or {}), _only(members, self.has or {})), None)
        if found is not None:
            return f"{found.place}: expected {found.expected!r}, got {found.observed!r}"
        extra = [name for name in self.lacks if name in members]
        return f"{extra[0]} must be absent" if extra else None

    def differences(self, told: Json) -> Iterator[Difference]:
        """Everything in which a body differs from the one that must come, by its place in the whole body."""
        if self.body is not None:
            yield from differences(self.body, told)
        place = tuple("*" if step.isdigit() else step for step in _STEPS.findall(self.at))
        members = _member(told, self.at)
        if not isinstance(members, dict):
            if self.has or self.lacks:
                yield Difference(place, "missing", dict(self.has or {}), members)
            return
        yield from differences(dict(self.has or {}), _only(members, self.has or {}), place)
        yield from (Difference((*place, name), "extra", None, members[name]) for name in self.lacks if name in members)

    def to_json(self) -> dict[str, Json]:
        """What must come, as a JSON object for scripts; members that ask for nothing are left out."""
        asked = {"body": self.body, "has": self.has, "lacks": list(self.lacks), "at": self.at}
        return {"answer": {name: member for name, member in asked.items() if member not in (None, [], "")}}


@dataclass(frozen=True, slots=True)
class Http:
    """The HTTP answer itself must be so, for what lies below replies.

    ``headers`` are regular expressions for the whole value by lower-case name, None for a header that must be absent.
    ``body`` is the whole body, decompressed, JSON without blanks; ``matches`` a regular expression for all of it.
    ``presumes``: an answer of another status is about something else, and leaves open what is looked for.
    """

    status: int = 200
    body: str | None = None
    matches: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    presumes: bool = False

    def wrong(self, answer: RawReply | Lost) -> str | None:
        """What differs in an HTTP answer, or None when it is as expected."""
        found = self.difference(answer)
        return None if found is None else found[1]

    def difference(self, answer: RawReply | Lost) -> tuple[str, str] | None:
        """Which part of an HTTP answer differs, and how; None when it is as expected."""
        if isinstance(answer, Lost):
            return "answer", f"no answer ({answer.why})"
        if answer.status != self.status:
            return "status", f"expected status {self.status}, got {answer.status}: {answer.body[:200]!r}"
        for name, wanted in self.headers.items():
            value = answer.header(name)
            if (wanted is None) != (value is None) or (wanted and not re.fullmatch(wanted, value or "", re.IGNORECASE)):
                return name, f"expected the header {name} to be {wanted or 'absent'}, got {value!r}"
        text = compact(plain_body(answer))
        if self.body is not None and text != self.body:
            return "body", f"expected the body {self.body!r}, got {text!r:.300}"
        if self.matches is not None and not re.fullmatch(self.matches, text, re.DOTALL):
            return "body", f"expected a body like {self.matches!r}, got {text!r:.300}"
        told = _wrong_checksum(answer)
        return None if told is None else ("x-amz-crc32", told)

    def to_json(self) -> dict[str, Json]:
        """What must come, as a JSON object for scripts; members that ask for nothing are left out."""
        row: dict[str, Json] = {"status": self.status, "headers": dict(self.headers)}
        texts = {"body": self.body, "matches": self.matches}
        return {"http": row | {name: text for name, text in texts.items() if text is not None}}


def compact(text: str) -> str:
    """A JSON object or list without the blanks that mean nothing; any other text as it is."""
    return _BLANKS.sub(lambda found: found[1] or "", text) if text[:1] in ("{", "[") else text


_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def plain_body(answer: RawReply) -> str:
    """The body of an HTTP answer as text, decompressed."""
    encoding = (answer.header("content-encoding") or "").strip().lower()
    try:
        if encoding == "gzip":
            return gzip.decompress(answer.body).decode("utf-8", "replace")
        if encoding == "deflate":
            return zlib.decompress(answer.body).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        return f"not {encoding}: {error}"
    return answer.body.decode("utf-8", "replace")


def _wrong_checksum(answer: RawReply) -> str | None:
    told = answer.header("x-amz-crc32")
    left_out = not answer.body and answer.header("content-length") not in (None, "0")
    if told is None or left_out or told.strip() == str(zlib.crc32(answer.body)):
        return None
    return f"x-amz-crc32 is {told}, that of the body as sent is {zlib.crc32(answer.body)}"


Expected = Refused | Answered | Http


def bound(then: Expected, names: Mapping[str, str], replies: Mapping[int, Json], start: float = 0.0) -> Expected:
    """What must come, with its symbols replaced as ``symbols.bind`` does it for requests."""

    def filled(part: Json) -> Json:
        return bind(part, names, replies, start)

    if isinstance(then, Refused):
        texts = filled({"message": then.message, "phrase": then.phrase})
        return replace(then, **texts, fields=filled(dict(then.fields)))
    if isinstance(then, Http):
        return replace(then, body=filled(then.body), matches=filled(then.matches))
    return replace(then, body=filled(then.body), has=filled(then.has))


_STEPS = re.compile(r"[^.\[\]]+")


def _member(body: Json, path: str) -> Json:
    """A member of a body by its path, None where there is none."""
    for step in _STEPS.findall(path):
        if isinstance(body, list) and step.isdigit() and int(step) < len(body):
            body = body[int(step)]
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def _only(body: Mapping[str, Json], members: Mapping[str, Json]) -> dict[str, Json]:
    return {name: body[name] for name in members if name in body}


def _told(reply: Reply) -> str:
    if isinstance(reply, Refusal):
        return f"{reply.code}: {reply.message}"
    return f"no answer ({reply.why})" if isinstance(reply, Lost) else f"success {reply.body!r}"


ARTICLE = "article"
"""The capability that checks of the article's claims are counted under."""


@dataclass(frozen=True, slots=True)
class Check:
    """One smallest program for one rule.

    ``rule`` is the ledger's name; ``name`` tells several checks of a rule apart. ``tables`` are symbol → CreateTable
    body. ``given`` must succeed, ``when`` is the call that shows the rule, ``then`` what must come. ``control`` is the
    near-by call that the rule lets pass (for rules that refuse), sent after ``when`` and expected to succeed.
    ``needs`` says what a target must be or allow beyond answering calls: ``slow`` and the changes that must take their
    time (``create``, ``update``, ``delete``, ``backfill``, ``restore``, ``transfer``, ``replica``, ``enabling`` of
    backups), ``bucket`` with the objects of ``checks.transfer``, ``signatures`` that it verifies, ``cooldowns``,
    ``quotas``, ``expensive``: it asks for what would cost or take long on AWS.
    ``pause`` is how many seconds pass before ``when``, on targets whose clock can be driven. ``settings`` are what a
    target must be served with (``throttling``, ``metrics``): its profile says with which it is. ``claim`` is
    the claim of the article (``conformance.claims``) of which it shows what is true: such checks are made when they are
    asked for.
    """

    rule: str
    when: Step
    then: Expected
    tables: Mapping[str, Json] = field(default_factory=dict)
    given: Sequence[Step] = ()
    control: Step | None = None
    name: str = ""
    needs: str = ""
    pause: float = 0.0
    settings: tuple[str, ...] = ()
    claim: str = ""

    @property
    def id(self) -> str:
        """The rule's name, or the claim's, and, where it has several checks, which one."""
        shown = f"claims.{self.claim}" if self.claim else self.rule
        return f"{shown}[{self.name}]" if self.name else shown

    @property
    def area(self) -> str:
        """The area of the service that its rule is of."""
        return self.rule.split(".", 1)[0]

    @property
    def capability(self) -> str:
        """What it is counted under: the area of the service, or the article."""
        return ARTICLE if self.claim else self.area

    @property
    def below_the_sdk(self) -> bool:
        """Whether a step of it is an HTTP request that no SDK would send."""
        return any(step.raw is not None for step in self.steps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is sent once the tables are there."""
        return (*self.given, self.when, *((self.control,) if self.control else ()))

    def program(self) -> Program:
        """The check as a program; ``when`` is step ``len(given)``."""
        return Program(self.capability, self.tables, self.steps)


def table(symbol: str = "t0", key: str = "pk:S", *, gsi: Sequence[str] = (), lsi: Sequence[str] = ()) -> dict[str, Any]:
    """A CreateTable body in shorthand.

    ``key`` is ``pk:S`` or ``pk:S,sk:N``. Indexes are ``name=g:S,h:N/KEYS_ONLY`` or ``name=g:S/INCLUDE:a+b``; the
    projection is ALL where none is given. The table is on-demand.
    """
    types: dict[str, str] = {}
    body: dict[str, Any] = {
        "TableName": f"${{table:{symbol}}}",
        "KeySchema": _schema(key, types),
        "BillingMode": "PAY_PER_REQUEST",
    }
    for member, listed in (("GlobalSecondaryIndexes", gsi), ("LocalSecondaryIndexes", lsi)):
        if listed:
            body[member] = [_index(text, types) for text in listed]
    body["AttributeDefinitions"] = [{"AttributeName": n, "AttributeType": t} for n, t in types.items()]
    return body


def _schema(key: str, types: dict[str, str]) -> list[dict[str, str]]:
    schema = []
    for part, kind in zip(key.split(","), ("HASH", "RANGE"), strict=False):
        name, _, attribute_type = part.partition(":")
        types[name] = attribute_type
        schema.append({"AttributeName": name, "KeyType": kind})
    return schema


def _index(text: str, types: dict[str, str]) -> dict[str, Any]:
    found = re.fullmatch(r"([\w.-]+)=([^/]+)(?:/(\w+)(?::(.+))?)?", text)
    if found is None:
        raise ValueError(f"{text!r} is no index; write name=g:S,h:N/KEYS_ONLY")
    name, key, projection, include = found.groups()
    described: dict[str, Any] = {"ProjectionType": projection or "ALL"}
    if include:
        described["NonKeyAttributes"] = include.split("+")
    return {"IndexName": name, "KeySchema": _schema(key, types), "Projection": described}


T0 = "${table:t0}"
"""The name of the first table in symbolic bodies."""
