"""The proxy's own small HTTP interface, on a loopback port of its own.

``GET /`` status and counts · ``GET /ledger?since=N`` entries as JSON Lines · ``PUT /schedule`` arm the TOML body ·
``DELETE /schedule`` arm nothing · ``POST /heal`` take every fault out.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import orjson

from chaos.proxy import HOST, Proxy
from chaos.proxy_http import Framer, body_of
from chaos.schedule import ScheduleError, dump, parse

MAX_REQUEST_BYTES = 1024 * 1024
_READ_LIMIT = 10.0


class Control:
    """Serves the control interface of one proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> str:
        """Listen; the address."""
        self._server = await asyncio.start_server(self._serve, HOST, port)
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request, raw = Framer(), bytearray()
            async with asyncio.timeout(_READ_LIMIT):
                while not (request.complete or request.blind) and len(raw) < MAX_REQUEST_BYTES:
                    data = await reader.read(64 * 1024)
                    if not data:
                        break
                    raw += data[: request.feed(data)]
            if request.complete:
                status, body = await self._answer(request, body_of(request, bytes(raw)))
            else:
                status, body = "400 Bad Request", b'{"error":"not a whole HTTP request"}'
            head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Framer, body: bytes) -> tuple[str, bytes]:
        where = urlsplit(request.target.decode("latin-1"))
        asked = f"{request.method.decode('latin-1')} {where.path}"
        if asked == "GET /":
            return "200 OK", orjson.dumps(self._status())
        if asked == "GET /ledger":
            since = parse_qs(where.query).get("since", ["0"])[0]
            entries = self._proxy.ledger.since(int(since) if since.isdigit() else 0)
            return "200 OK", b"".join(orjson.dumps(entry.to_json(), default=str) + b"\n" for entry in entries)
        if asked == "PUT /schedule":
            try:
                schedule = parse(body.decode("utf-8"))
            except (ScheduleError, UnicodeDecodeError) as error:
                return "400 Bad Request", orjson.dumps({"error": str(error)})
            self._proxy.arm(schedule)
            return "200 OK", orjson.dumps({"rules": len(schedule.rules)})
        if asked == "DELETE /schedule":
            self._proxy.arm(None)
            return "200 OK", b"{}"
        if asked == "POST /heal":
            await self._proxy.heal()
            return "200 OK", b"{}"
        return "404 Not Found", b'{"error":"known: GET /, GET /ledger, PUT and DELETE /schedule, POST /heal"}'

    def _status(self) -> dict[str, object]:
        plan = self._proxy.plan
        return {
            "upstream": self._proxy.upstream,
            "ports": {str(client): port for client, port in self._proxy.ports.items()},
            "connections": self._proxy.connections,
            "counts": dict(self._proxy.ledger.totals()),
            "schedule": dump(plan.schedule) if plan is not None else None,
        }
