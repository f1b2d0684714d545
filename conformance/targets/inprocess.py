"""Targets inside this very process: a WSGI application such as moto's, and the reference itself."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from conformance.targets.raw import RawReply, RawRequest, address, call_headers, encode, merge_headers, parse_reply
from conformance.targets.signing import FAKE, amz_date, authorization
from reference.api import Call, Lost, Reply

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_HOST = "127.0.0.1"


class WsgiTransport:
    """Calls a WSGI application directly: no socket, no server thread. A call can't be timed out."""

    def __init__(self, application: WsgiApplication, *, region: str = "us-east-1") -> None:
        self._application = application
        self._region = region

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Put one call; what the application raises is lost as ``garbage: status 500``."""
        answer = self.send_raw(call, raw=raw, timeout=timeout)
        return answer if isinstance(answer, Lost) else parse_reply(answer)

    def send_raw(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> RawReply | Lost:
        """As ``send``, but hand back the answer unread. ValueError for ``raw.exact``: there is no wire here."""
        raw = raw or RawRequest()
        if raw.exact is not None:
            raise ValueError("an in-process target takes no exact bytes: start it as a server process instead")
        del timeout
        environ = self._environ(call, raw)
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            answered[:] = [status, headers]
            return lambda _data: None

        try:
            chunks = self._application(environ, start_response)
            body = b"".join(chunks)
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        except Exception as error:
            return RawReply(500, "raised", (), f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
        number, _, reason = answered[0].partition(" ")
        return RawReply(int(number), reason, tuple(answered[1]), body)

    def close(self) -> None:
        """Nothing is held open."""

    def _environ(self, call: Call, raw: RawRequest) -> dict[str, Any]:
        service, _ = address(call.operation)
        body = (encode(call.body) if raw.body is None else raw.body).ljust(raw.pad)
        headers = merge_headers([("Host", _HOST), *call_headers(call)], raw)
        named = {name.lower(): value for name, value in headers}
        if raw.signed and "authorization" not in {name.lower() for name, _ in raw.headers}:
            date = named.get("x-amz-date") or amz_date(time.time())
            headers.append(("X-Amz-Date", date))
            value = authorization(
                FAKE,
                region=self._region,
                service=service.signing,
                date=date,
                method=raw.method,
                target=raw.path,
                headers=headers,
                payload=body,
            )
            headers.append(("Authorization", value))
        path, _, query = raw.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": raw.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": _HOST,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": _HOST,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ


def moto_application() -> WsgiApplication:
    """Moto's server application, emptied. Its state belongs to the process: there is one of it."""
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    for name in ("dynamodb", "dynamodbstreams"):
        get_backend(name).reset()
    application: WsgiApplication = DomainDispatcherApplication(create_backend_app)
    return application


class Executes(Protocol):
    """What ``ReferenceTransport`` needs of a service: ``reference.service.Service`` has it."""

    def execute(self, call: Call) -> Reply:
        """Answer one call and do what it asks."""
        ...


class ReferenceTransport:
    """The reference as a target, called directly; one call at a time, so that every history is serial."""

    def __init__(self, service: Executes) -> None:
        self.service = service
        self._lock = threading.Lock()

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Put one call. ValueError for ``raw``: what lies below the call is the server's business."""
        if raw is not None:
            raise ValueError("the reference in process takes calls only: start it as a server process for raw requests")
        del timeout
        with self._lock:
            return self.service.execute(call)

    def send_raw(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> RawReply | Lost:
        """ValueError: there is no HTTP answer to hand back."""
        raise ValueError("the reference in process has no HTTP answers: start it as a server process instead")

    def close(self) -> None:
        """Nothing is held open."""
