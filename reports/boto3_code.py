"""The program of a finding as boto3 code to copy."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.model import Shape
from botocore.validate import ParamValidator

from conformance.record.codec import dumps
from conformance.record.finding import Finding
from conformance.record.literal import Code, TooDeep, literal
from reports.notation import answer

_SERVICES = {"dynamodb": "client", "dynamodbstreams": "streams"}
_SYMBOL = re.compile(r"\$\{(table|arn|token|reply|time|epoch|lit):([^{}]*)\}")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w{0,30}", re.ASCII)


class _Unsendable(ValueError):
    """A request that boto3 cannot be made to send as it is."""


def boto3_code(finding: Finding, limit: int = 12_000) -> str | None:
    """The finding's program as a short script; empty where it is longer than ``limit`` characters or nested too deep.

    None where boto3 cannot send these requests as they are: raw HTTP, unknown members, or a list where the service
    model has a structure; ``reproduce.py`` sends such requests.
    """
    if sum(len(dumps(op["body"])) for op in finding.program) > limit:
        return ""
    try:
        calls = [_call(op, last=op is finding.program[-1]) for op in finding.program]
    except (TooDeep, RecursionError):
        return ""
    except _Unsendable:
        return None
    if not calls:
        return None
    body = "\n".join(text for text, _, _ in calls)
    valid = all(valid for _, _, valid in calls)
    body = re.sub(r"^r(\d+) = ", lambda made: made[0] if f"r{made[1]}[" in body else "", body, flags=re.MULTILINE)
    services = {service for _, service, _ in calls} | ({"dynamodb"} if "client." in body else set())
    said = f"# DynamoDB: {answer(finding.expected)}\n# here:     {answer(finding.observed)}\n"
    code = f"{_head(finding, services, body, valid=valid)}\n{body}\n{said}"
    return code if len(code) <= limit else ""


def _head(finding: Finding, services: set[str], body: str, *, valid: bool) -> str:
    settings = 'retries={"total_max_attempts": 1}' + ("" if valid else ", parameter_validation=False")
    endpoint = str(finding.notes.get("endpoint") or "http://127.0.0.1:8000")
    host = urlsplit(endpoint).hostname or ""
    local = host == "localhost" or host.startswith("127.") or host == "::1"
    region = literal(finding.notes.get("region", "us-east-1"))
    lines = ["import boto3", "from botocore.config import Config"]
    lines += [f"import {name}" for name in ("time", "uuid") if f"{name}." in body]
    lines += ["", "options = dict(", f"    endpoint_url={literal(endpoint)}, region_name={region},"]
    lines += ['    aws_access_key_id="dynoracle", aws_secret_access_key="dynoracle",'] if local else []
    lines += [")"]
    for service, variable in _SERVICES.items():
        if service in services:
            lines.append(f"{variable} = boto3.client({literal(service)}, config=Config({settings}), **options)")
    return "\n".join(lines) + "\n"


@functools.cache
def _models() -> dict[str, Any]:
    session = botocore.session.Session()
    return {name: session.get_service_model(name) for name in _SERVICES}


def _call(op: Mapping[str, Any], *, last: bool) -> tuple[str, str, bool]:
    """The code of one call, the service it goes to, and whether boto3's own validation lets it pass."""
    operation, body = op["operation"], op["body"]
    service = next((name for name, model in _models().items() if operation in model.operation_names), None)
    if service is None or op.get("raw") or not isinstance(body, Mapping):
        raise _Unsendable(operation)
    shape = _models()[service].operation_model(operation).input_shape
    arguments = _arguments(shape, body)
    # First the text, as that ends what is nested too deep for boto3's validation to look at.
    members = "".join(f"    {name}={literal(value, 1)},\n" for name, value in arguments.items())
    valid = shape is None or not ParamValidator().validate(_plain(shape, body), shape).has_errors()
    call = f"{_SERVICES[service]}.{xform_name(operation)}(" + (f"\n{members})" if members else ")")
    refused = "refusal" in op.get("reply", {}) and not last
    if refused:
        inner = call.replace("\n", "\n    ")
        return (
            f"try:\n    {inner}\nexcept {_SERVICES[service]}.exceptions.ClientError as error:\n    print(error)",
            service,
            valid,
        )
    text = f"print({call})" if last else f"r{op.get('index', 0)} = {call}"
    if operation == "CreateTable" and not last and "TableName" in arguments:
        text += f'\nclient.get_waiter("table_exists").wait(TableName={literal(arguments["TableName"])})'
    return text, service, valid


def _arguments(shape: Shape | None, body: Mapping[str, Any]) -> dict[str, Any]:
    if shape is None:
        if body:
            raise _Unsendable("a body where there is none")
        return {}
    arguments: dict[str, Any] = _given(shape, body)
    return arguments


def _given(shape: Shape, value: Any) -> Any:
    """The value as boto3 wants it: blobs as bytes, symbols as variables."""
    symbol = _SYMBOL.fullmatch(value) if isinstance(value, str) else None
    if symbol is not None and symbol[1] != "lit":
        return Code(_variable(symbol))
    kind = shape.type_name
    if kind in ("structure", "map"):
        if not isinstance(value, Mapping):
            raise _Unsendable(f"{type(value).__name__} for a {kind}")
        if kind == "map":
            return {_text(name): _given(shape.value, member) for name, member in value.items()}
        if set(value) - set(shape.members):
            raise _Unsendable("an unknown member")
        return {name: _given(shape.members[name], member) for name, member in value.items()}
    if kind == "list":
        if not isinstance(value, list):
            raise _Unsendable(f"{type(value).__name__} for a list")
        return [_given(shape.member, member) for member in value]
    if kind == "blob":
        return _bytes(value)
    if isinstance(value, list | Mapping):
        raise _Unsendable(f"{type(value).__name__} for a {kind}")
    return _text(value) if isinstance(value, str) else value


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise _Unsendable("not base64") from error


def _plain(shape: Shape, value: Any) -> Any:
    """The value with its symbols replaced by something of their type, for boto3's validation."""
    if isinstance(value, str):
        if shape.type_name == "blob":
            return value.encode()
        return value if _SYMBOL.fullmatch(value) is None or shape.type_name == "string" else _stand_in(shape)
    if isinstance(value, Mapping):
        if shape.type_name == "map":
            return {name: _plain(shape.value, member) for name, member in value.items()}
        return {name: _plain(shape.members[name], member) for name, member in value.items()}
    return [_plain(shape.member, member) for member in value] if isinstance(value, list) else value


def _stand_in(shape: Shape) -> Any:
    return {"list": [], "structure": {}, "map": {}, "blob": b""}.get(shape.type_name, 0)


def _text(value: str) -> Any:
    """A string with symbols inside as the sum of its parts, any other as it is."""
    if "${" not in value:
        return value
    parts, end = [], 0
    for symbol in _SYMBOL.finditer(value):
        parts += [literal(value[end : symbol.start()])] if symbol.start() > end else []
        parts.append(_variable(symbol))
        end = symbol.end()
    parts += [literal(value[end:])] if end < len(value) else []
    return Code(" + ".join(parts)) if parts else value


def _variable(symbol: re.Match[str]) -> str:
    """The Python expression for a symbol."""
    kind, name = symbol[1], symbol[2]
    if kind == "lit":
        return literal(name)
    if kind == "table":
        return literal(f"dynoracle-{name}")
    if kind == "token":
        return "str(uuid.uuid4())"
    if kind in ("time", "epoch"):
        if re.fullmatch(r"[+-]?\d{1,12}", name, re.ASCII) is None:
            raise _Unsendable("no whole number of seconds")
        moment = f"int(time.time()) + {int(name)}"
        return f"str({moment})" if kind == "time" else moment
    if kind == "arn":
        return f'client.describe_table(TableName={literal(f"dynoracle-{name}")})["Table"]["TableArn"]'
    index, _, path = name.partition(":")
    steps = re.findall(r"[^.\[\]]+", path)
    if not index.isdigit():
        raise _Unsendable("no number of a reply")
    return f"r{int(index)}" + "".join(f"[{step}]" if step.isdigit() else f"[{literal(step)}]" for step in steps)
