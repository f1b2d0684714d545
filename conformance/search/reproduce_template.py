"""Sends the calls of one finding to an endpoint and tells whether it still answers otherwise than DynamoDB does.

Needs boto3. Makes fresh tables on each run and drops them at the end; touches nothing else.
Exit code 1: the divergence shows. 0: it is gone. 2: cannot tell, for the reason that is printed.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import ipaddress
import json
import re
import socket
import ssl
import sys
import time
import uuid
import zlib
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any
from urllib.parse import urlsplit

try:
    import boto3
    import urllib3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError as missing:
    print(f"cannot tell: this script needs boto3 (pip install boto3): {missing}")
    sys.exit(2)

from conformance.symbols import SymbolError, bind

# What was found. Texts with ${...} stand for what is only known when a call is sent.
FINDING: dict[str, Any] = {}

SHOWS, GONE, CANNOT_TELL = 1, 0, 2
ACTIVE_LIMIT = 120.0  # seconds that a table may take to become ACTIVE, or to go
PRINT_LIMIT, TEXT_LIMIT = 4000, 200  # characters that are printed of an answer, and of one text in it
MEMBER_LIMIT, DEPTH_LIMIT = 20, 12  # members of a list or map that are printed, and how deep
NOT_SENT = (
    urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError,
)  # fmt: skip


class CannotTell(Exception):
    """The endpoint could not be brought to the point where the divergence would show."""


class Unreachable(Exception):
    """No byte of the request reached the endpoint."""


# --- what is acceptable -----------------------------------------------------------------------------------------------


def acceptable(reply: Mapping[str, Any], alternative: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    """Whether a reply is the given one, as far as the finding looks: DynamoDB leaves the rest open."""
    if "http" in alternative:
        return "http" in reply and same_http(reply["http"], alternative["http"])
    if "answer" in alternative:
        return "success" in reply and answered(reply["success"], alternative["answer"])
    if "refusal" in alternative:
        return "refusal" in reply and same_refusal(reply["refusal"], alternative["refusal"], finding)
    if finding.get("succeeds") and "success" in alternative:
        return "success" in reply
    if "success" in alternative and "success" in reply:
        expected, observed = (looked_at(r["success"], finding) for r in (alternative, reply))
        return json.dumps(expected, sort_keys=True) == json.dumps(observed, sort_keys=True)
    return False


def answered(body: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a success body is the given one, and has members, or lacks them, at a place in it."""
    whole, has, lacks = canonical(wanted.get("body")), canonical(wanted.get("has", {})), wanted.get("lacks", ())
    held = body = canonical(body)
    for step in re.findall(r"[^.\[\]]+", wanted.get("at", "")):
        numbered = {str(index): member for index, member in enumerate(held)} if isinstance(held, list) else held
        held = numbered.get(step) if isinstance(numbered, dict) else None
    if not isinstance(held, dict):
        return whole in (None, body) and not has and not lacks
    right = all(name in held and held[name] == member for name, member in has.items())
    return whole in (None, body) and right and not any(name in held for name in lacks)


def same_http(observed: Mapping[str, Any], accepted: Mapping[str, Any]) -> bool:
    """Whether an HTTP answer has the status, the headers (patterns; null: none) and the body that are asked for."""
    headers, body = observed["headers"], observed["body"]
    for name, wanted in accepted["headers"].items():
        value = headers.get(name)
        if (wanted is None) != (value is None) or (wanted and not re.fullmatch(wanted, value or "", re.IGNORECASE)):
            return False
    if accepted.get("body", body) != body or observed["status"] != accepted["status"]:
        return False
    return "matches" not in accepted or re.fullmatch(accepted["matches"], body, re.DOTALL) is not None


def same_refusal(observed: Mapping[str, Any], accepted: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    """Whether an error is the accepted one: its code, and its words and further members where they are given."""
    exact = finding.get("exact", False)
    message = observed.get("message") or ""
    if observed.get("code") != accepted.get("code"):
        return False
    if accepted.get("message") is not None and accepted["message"] != message:
        return False
    if accepted.get("phrase", "") not in message:
        return False
    if accepted.get("message_pattern") is not None and not re.search(accepted["message_pattern"], message, re.DOTALL):
        return False
    wanted, fields = (canonical(reply.get("fields") or {}, exact=exact) for reply in (accepted, observed))
    return all(fields.get(name) == value for name, value in wanted.items())  # None: the member must be absent


def looked_at(body: Any, finding: Mapping[str, Any]) -> Any:
    """The members of a success body that decide, in canonical form."""
    body = canonical(body, exact=finding.get("exact", False))
    if finding.get("unordered") and isinstance(body, dict):
        batches = body["Responses"].values() if isinstance(body.get("Responses"), dict) else ()
        for items in (body.get("Items"), *batches):
            if isinstance(items, list):
                items.sort(key=lambda item: json.dumps(item, sort_keys=True))
    if finding.get("compare"):
        return [part(body, path, presence=finding.get("presence", False)) for path in finding["compare"]]
    if isinstance(body, dict) and not finding.get("capacity"):
        return {name: value for name, value in body.items() if name != "ConsumedCapacity"}
    return body


def part(body: Any, path: Sequence[str], *, presence: bool = False) -> Any:
    """What of the body lies on the path (``presence``: only that it does); ``*`` stands for every member."""
    if not path:
        return presence or body
    step, rest = path[0], path[1:]
    if isinstance(body, dict):
        return {n: part(value, rest, presence=presence) for n, value in body.items() if step in ("*", n)}
    if isinstance(body, list):
        return [part(v, rest, presence=presence) for index, v in enumerate(body) if step in ("*", str(index))]
    return body


def canonical(value: Any, *, exact: bool = False) -> Any:
    """Equal for equal bodies: numbers by value (unless ``exact``: as they are spelt), sets in one order."""
    if isinstance(value, list):
        return [canonical(member, exact=exact) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "N" and isinstance(inner, str):
            return {kind: inner if exact else number(inner)}
        if kind in ("SS", "NS", "BS") and isinstance(inner, list):
            return {kind: sorted(str(m) if exact or kind != "NS" else number(str(m)) for m in inner)}
    return {name: canonical(moment(name, member), exact=exact) for name, member in value.items()}


def moment(name: str, value: Any) -> Any:
    """A moment in epoch seconds as one for all: it is told at another time on every run."""
    return 0 if name.endswith("DateTime") and isinstance(value, int | float) else value


def number(text: str) -> str:
    """One spelling for all spellings of a number; text that is no number stays."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text):
        return text
    value = Decimal(text)
    return str(value.normalize(Context(prec=len(text)))) if value else "0"


# --- the endpoint -----------------------------------------------------------------------------------------------------


class Endpoint:
    """Sends single calls, signed as boto3 signs them, with nothing validated and nothing sent twice."""

    def __init__(self, url: str, region: str, timeout: float) -> None:
        self.url, self.region, self.timeout = urlsplit(url), region, timeout
        if self.url.scheme not in ("http", "https") or not self.url.hostname:
            raise CannotTell(f"--endpoint-url is {url!r}; it must look like http://127.0.0.1:8000")
        self.credentials = Credentials("dynoracle", "dynoracle")
        if not is_loopback(self.url.hostname):
            session = boto3.Session(region_name=region).get_credentials()
            if session is None:
                raise CannotTell(f"boto3 finds no credentials for {url}; give it some, for example by AWS_PROFILE")
            self.credentials = session.get_frozen_credentials()

    def call(self, operation: str, body: Any) -> dict[str, Any]:
        """The reply to an ordinary call."""
        return self.send({"call": operation}, body, {})

    def send(self, step: Mapping[str, Any], body: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to one call: ``success``, ``refusal`` or ``lost``; Unreachable when nothing could be sent."""
        method, path = raw.get("method", "POST"), raw.get("path", "/")
        payload = given_bytes(raw, "body")
        if payload is None:
            payload = json.dumps(body).encode()
        payload = payload.ljust(raw.get("pad", 0))
        host = self.url.netloc.rpartition("@")[2]
        if host.endswith(".amazonaws.com") and step.get("host"):
            host = f"{step['host']}.{host.partition('.')[2]}"
        try:
            exact = given_bytes(raw, "exact")
            if exact is not None:
                return with_http(*self.exchange(host, exact, method))
            headers = self.headers(step, raw, method, f"{self.url.scheme}://{host}{path}", payload)
            # A connection for each call: one that the server closed while idle would look like a lost answer.
            with urllib3.PoolManager(timeout=self.timeout, retries=False) as pool:
                answer = pool.request(
                    method, f"{self.url.scheme}://{host}{path}", body=payload, headers=headers,
                    redirect=False, decode_content=False,
                )  # fmt: skip
            told = (answer.status, dict(answer.headers), answer.data)
            return with_http(*told) if "raw" in step else read_reply(*told)
        except NOT_SENT as error:
            raise Unreachable(str(error)) from error
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            return {"lost": f"{type(error).__name__}: {error}"}

    def headers(
        self, step: Mapping[str, Any], raw: Mapping[str, Any], method: str, url: str, payload: bytes
    ) -> urllib3.HTTPHeaderDict:
        """The usual headers, less those that the recorded request replaces or leaves out, then those it gives."""
        given = [(name, value) for name, value in raw.get("headers", ())]
        named = {name.lower() for name, _ in given}
        headers = urllib3.HTTPHeaderDict()
        for name, value in (
            ("Content-Type", step.get("content_type", "application/x-amz-json-1.0")),
            ("X-Amz-Target", step.get("target", f"DynamoDB_20120810.{step['call']}")),
        ):
            if name.lower() not in named:
                headers[name] = value
        for name, value in given:
            if value is not None:
                headers.add(name, value)
        if raw.get("signed", True):
            date = headers.get("X-Amz-Date", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
            signed = self.signature({**step, **raw}, method, url, payload, dict(headers), date)
            for name, value in signed.items():
                if name.lower() not in named:
                    headers[name] = value
        return headers

    def signature(
        self, step: Mapping[str, Any], method: str, url: str, payload: bytes, headers: dict[str, str], date: str
    ) -> dict[str, str]:
        """The headers that sign a request at the given moment."""
        made = {"X-Amz-Date": date}
        own = self.credentials
        credentials = Credentials(
            step.get("access_key") or own.access_key, step.get("secret_key") or own.secret_key, own.token
        )
        if own.token:
            made["X-Amz-Security-Token"] = own.token
        request = AWSRequest(method=method, url=url, data=payload, headers={**headers, **made})
        request.context["timestamp"] = date
        signer = SigV4Auth(credentials, step.get("signing", "dynamodb"), self.region)
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        names = signer.signed_headers(signer.headers_to_sign(request))
        made["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
        )
        return made

    def exchange(self, host: str, request: bytes, method: str) -> tuple[int, dict[str, str], bytes]:
        """Send a whole request as it was recorded, byte for byte."""
        address = urlsplit(f"//{host}")
        port = address.port or (443 if self.url.scheme == "https" else 80)
        try:
            plain = socket.create_connection((address.hostname or host, port), timeout=self.timeout)
        except OSError as error:
            raise Unreachable(str(error)) from error
        with plain:
            sock: socket.socket = plain
            if self.url.scheme == "https":
                sock = ssl.create_default_context().wrap_socket(plain, server_hostname=address.hostname)
            sock.sendall(request)
            answer = http.client.HTTPResponse(sock, method=method)
            answer.begin()
            return answer.status, dict(answer.headers), answer.read()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that made-up credentials will do."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def given_bytes(raw: Mapping[str, Any], name: str) -> bytes | None:
    """The bytes that a recorded request gives for its body, or for all of it."""
    if f"{name}64" in raw:
        return base64.b64decode(raw[f"{name}64"])
    text: str | None = raw.get(name)
    return None if text is None else text.encode()


def with_http(status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The reply in an HTTP answer, and the answer itself, its body decompressed."""
    named = {name.lower(): value for name, value in headers.items()}
    try:
        if named.get("content-encoding", "").strip().lower() in ("gzip", "deflate"):
            plain = zlib.decompress(content, zlib.MAX_WBITS | 32)
        else:
            plain = content
    except zlib.error:
        plain = content
    text = plain.decode("utf-8", "replace")
    # Blanks between the tokens of JSON mean nothing.
    if text[:1] in ("{", "["):
        text = re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', lambda found: found[1] or "", text)
    answer = {"status": status, "headers": named, "body": text}
    return {**read_reply(status, headers, content), "http": answer}


def read_reply(status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The reply in an HTTP answer."""
    named = {name.lower(): value for name, value in headers.items()}
    checksum = named.get("x-amz-crc32")
    if checksum is not None and checksum.strip() != str(zlib.crc32(content)):
        return {"lost": f"garbage: status {status}: wrong x-amz-crc32"}
    try:
        if named.get("content-encoding", "").strip().lower() == "gzip":
            content = gzip.decompress(content)
        body = json.loads(content) if content else None
    except (ValueError, OSError, EOFError, RecursionError, zlib.error):
        bare = re.fullmatch(rb"<([A-Za-z]+)/>\s*", content)
        if bare and status >= 300:
            return {"refusal": {"code": bare[1].decode(), "message": None, "status": status}}
        return {"lost": f"garbage: status {status}: {content[:200]!r}"}
    if status < 300:
        return {"success": body}
    fields = dict(body) if isinstance(body, dict) else {}
    kind = str(fields.pop("__type", None) or named.get("x-amzn-errortype") or "")
    if not kind and status >= 500:
        return {"lost": f"garbage: status {status}: {content[:200]!r}"}
    message = next((fields.pop(name) for name in ("message", "Message") if isinstance(fields.get(name), str)), None)
    code = kind.rpartition("#")[2].partition(":")[0]
    return {"refusal": {"code": code, "message": message, "status": status, **({"fields": fields} if fields else {})}}


# --- the calls --------------------------------------------------------------------------------------------------------


class Replay:
    """One run of the calls on fresh tables."""

    def __init__(self, endpoint: Endpoint, finding: Mapping[str, Any]) -> None:
        self.endpoint, self.finding = endpoint, finding
        self.start = time.time()
        self.replies: dict[int, Any] = {}
        self.made: list[str] = []
        self.answered = False
        run, text = uuid.uuid4().hex[:8], json.dumps(finding, ensure_ascii=False)
        self.names = {}
        for name in sorted(set(re.findall(r"\$\{(?:table|arn):([^{}]*)\}", text))):
            table = f"dynoracle-{run}-{name}"
            self.names[f"table:{name}"] = table
            self.names[f"arn:{name}"] = f"arn:aws:dynamodb:{endpoint.region}:400000000004:table/{table}"
        for name in set(re.findall(r"\$\{token:([^{}]*)\}", text)):
            self.names[f"token:{name}"] = str(uuid.uuid4())

    def bound(self, value: Any) -> Any:
        """The value with names, reply members and moments of this run in place of their symbols."""
        try:
            return bind(value, self.names, self.replies, self.start)
        except SymbolError as error:
            raise CannotTell(str(error)) from error

    def run(self) -> int:
        """Send all calls and judge the reply to the last one."""
        *before, last = self.finding["steps"]
        for step in before:
            reply = self.send(step)
            recorded = step.get("answer", "lost")
            if recorded not in ("lost", outcome(reply)):
                if step.get("due") == outcome(reply):
                    print(f"\ngone: {step['call']} goes as with DynamoDB, so that it does not come to the divergence")
                    return GONE
                raise CannotTell(
                    f"{step['call']} was answered with {recorded} when this was found, now: {json.dumps(short(reply))}"
                )
            self.settle(step, reply)
        reply = self.send(last)
        accepted = [self.bound(alternative) for alternative in self.finding["accepted"]]
        observed = self.finding["observed"]
        show("DynamoDB answers", accepted[0])
        for alternative in accepted[1:]:
            show("or", alternative)
        show("this endpoint answers", reply)
        if "lost" in reply and "http" not in reply and "lost" not in observed:
            raise CannotTell("the last call got no answer")
        if any(acceptable(reply, alternative, self.finding) for alternative in accepted):
            print("\ngone: the last answer is one that DynamoDB could give")
            return GONE
        usual = outcome(reply) == outcome(observed)
        print("\nthe divergence shows" if usual else f"\nit still diverges, but was found with {outcome(observed)}")
        return SHOWS

    def send(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Send one call, print it, and remember what it tells."""
        body, raw = self.bound(step.get("body")), self.bound(step.get("raw") or {})
        try:
            reply = self.endpoint.send(step, body, raw)
            self.answered = True
        except Unreachable as error:
            # An endpoint that has answered before and cannot be reached now has ended: an answer of its own kind.
            if not self.answered:
                raise CannotTell(f"the endpoint cannot be reached: {error}") from error
            reply = {"lost": f"refused: {error}"}
        print(
            f"{step['index']:>3}  {step['call']} {clip(json.dumps(short(raw or body)), 300)}\n     -> {outcome(reply)}"
        )
        self.replies[step["index"]] = reply.get("success")
        self.note_tables(body, reply)
        return reply

    def note_tables(self, body: Any, reply: Mapping[str, Any]) -> None:
        """Remember which tables a call made: they are dropped at the end, and their ARNs are now known."""
        if not isinstance(body, dict) or "refusal" in reply:
            return
        parameters = body.get("TableCreationParameters")
        inner = parameters.get("TableName") if isinstance(parameters, dict) else None
        made = body.get("TableName") if "KeySchema" in body else body.get("TargetTableName") or inner
        ours = {text: name for name, text in self.names.items() if name.startswith("table:")}
        if made not in ours:
            return
        self.made.append(made)
        description = (reply.get("success") or {}).get("TableDescription")
        if isinstance(description, dict) and isinstance(description.get("TableArn"), str):
            self.names[ours[made].replace("table:", "arn:", 1)] = description["TableArn"]

    def settle(self, step: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Wait until a changed table is ACTIVE, or gone."""
        body = self.bound(step.get("body"))
        if "success" not in reply or not step.get("wait", True):
            return
        if step["call"] in ("CreateTable", "UpdateTable", "DeleteTable"):
            self.wait(body["TableName"], gone=step["call"] == "DeleteTable")
        elif "TargetTableName" in body:
            self.wait(body["TargetTableName"], gone=False)

    def wait(self, table: str, *, gone: bool) -> None:
        """Wait until a table and its indexes are ACTIVE, or until there is no such table."""
        deadline, pause = time.monotonic() + ACTIVE_LIMIT, 0.05
        while time.monotonic() < deadline:
            reply = self.endpoint.call("DescribeTable", {"TableName": table})
            missing = outcome(reply) == "ResourceNotFoundException"
            if ("refusal" in reply and not missing) or (gone and missing):
                return
            described = (reply.get("success") or {}).get("Table") or {}
            parts = [described, *(described.get("GlobalSecondaryIndexes") or ())]
            if not gone and all(p.get("TableStatus", p.get("IndexStatus")) == "ACTIVE" for p in parts):
                return
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        raise CannotTell(f"{table} is not {'gone' if gone else 'ACTIVE'} after {ACTIVE_LIMIT:.0f} s")

    def drop(self) -> None:
        """Drop the tables that this run made."""
        for table in dict.fromkeys(self.made):
            deadline = time.monotonic() + ACTIVE_LIMIT
            try:
                reply = self.endpoint.call("DeleteTable", {"TableName": table})
                while outcome(reply) == "ResourceInUseException" and time.monotonic() < deadline:
                    time.sleep(1)
                    reply = self.endpoint.call("DeleteTable", {"TableName": table})
            except Unreachable as error:
                reply = {"lost": str(error)}
            if outcome(reply) not in ("success", "ResourceNotFoundException"):
                print(f"left behind: table {table}: {json.dumps(reply)}")


def outcome(reply: Mapping[str, Any]) -> str:
    """A reply in one word: ``success``, ``lost`` or the error's code."""
    return str(reply["refusal"].get("code")) if "refusal" in reply else "success" if "success" in reply else "lost"


def show(title: str, reply: Mapping[str, Any]) -> None:
    """Print a reply under a title. JSON in ASCII, so that nothing in it can play tricks with a terminal."""
    print(f"\n{title}:\n{clip(json.dumps(short(reply), indent=2), PRINT_LIMIT)}")


def short(value: Any, depth: int = 0) -> Any:
    """What is printed of a value: the beginning of long texts and lists. What is compared is whole."""
    if isinstance(value, str):
        return clip(value, TEXT_LIMIT)
    if depth > DEPTH_LIMIT and isinstance(value, dict | list):
        return "..."
    if isinstance(value, list):
        shown = [short(member, depth + 1) for member in value[:MEMBER_LIMIT]]
        return [*shown, f"... {len(value) - MEMBER_LIMIT} more"] if len(value) > MEMBER_LIMIT else shown
    if isinstance(value, dict):
        told = {clip(name, TEXT_LIMIT): short(member, depth + 1) for name, member in list(value.items())[:MEMBER_LIMIT]}
        return {**told, "...": f"{len(value) - MEMBER_LIMIT} more"} if len(value) > MEMBER_LIMIT else told
    return value


def clip(text: str, limit: int) -> str:
    """The text, shortened where it is too long to read."""
    return text if len(text) <= limit else f"{text[:limit]} ... ({len(text)} characters)"


def main(arguments: Sequence[str] | None = None, finding: Mapping[str, Any] = FINDING) -> int:
    """Replay the finding as the command line says; the exit code tells what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", default=finding["endpoint"], help="default: %(default)s")
    parser.add_argument("--region", default=finding["region"], help="default: %(default)s")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for one answer; default: 30")
    options = parser.parse_args(arguments)
    print(f"{finding['rule']}: {finding['says']}\n{clip(finding['summary'], 300)}\n")
    try:
        replay = Replay(Endpoint(options.endpoint_url, options.region, options.timeout), finding)
        try:
            return replay.run()
        finally:
            replay.drop()
    except CannotTell as why:
        print(f"\ncannot tell: {why}")
    except Exception as error:  # a fault of this script or of the network must not look like the divergence
        print(f"\ncannot tell: {type(error).__name__}: {error}")
    return CANNOT_TELL


if __name__ == "__main__":
    sys.exit(main())
