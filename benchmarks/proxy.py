"""What the proxy itself costs: processor time for each request, in front of a server with one canned answer.

``python -m benchmarks.proxy [requests]`` runs the proxy in a process of its own, so that only its time is counted.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import time
import zlib
from collections.abc import Callable
from multiprocessing.connection import Connection

import uvloop

from chaos.faults import find
from chaos.proxy import Proxy
from chaos.proxy_http import Framer
from chaos.schedule import Rule, Schedule

CONNECTIONS = 8
BUDGET_MS = 0.5

BODY = json.dumps({"Item": {"pk": {"S": "a"}, "text": {"S": "x" * 400}}}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: 0\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n" % (zlib.crc32(BODY), len(BODY)) + BODY
)
ASKED = json.dumps({"TableName": "music", "Key": {"pk": {"S": "a"}}, "ConsistentRead": True}).encode()
REQUEST = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"X-Amz-Target: DynamoDB_20120810.GetItem\r\nX-Amz-Date: 20261001T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 "
    b"Credential=dynoracle/20261001/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=%b\r\n"
    b"Content-Length: %d\r\n\r\n" % (b"0" * 64, len(ASKED)) + ASKED
)
SCHEDULES: dict[str, Schedule | None] = {
    "no schedule": None,
    "20 rules that never match": Schedule(
        tuple(Rule(find("drop-reply"), at=frozenset({n + 10**9})) for n in range(20))
    ),
    "rules by table": Schedule((Rule(find("drop-reply"), table="other"),)),
}


class Canned(asyncio.Protocol):
    """Answers every whole request with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._framer = Framer()

    def data_received(self, data: bytes) -> None:
        while data:
            data = data[self._framer.feed(data) :]
            if self._framer.complete:
                self._transport.write(ANSWER)  # type: ignore[attr-defined]
                self._framer = Framer()


def serve_proxy(pipe: Connection, upstream: str, name: str) -> None:
    """Run a proxy until told to stop; say its port, then the processor seconds between two messages."""

    async def serve() -> None:
        proxy = Proxy(upstream, SCHEDULES[name])
        pipe.send(await proxy.listen())
        await asyncio.to_thread(pipe.recv)
        began = time.process_time()
        pipe.send("go")
        await asyncio.to_thread(pipe.recv)
        pipe.send(time.process_time() - began)
        await proxy.stop()

    uvloop.run(serve())


async def load(port: int, requests: int) -> None:
    """So many requests in all over a few connections."""

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests // CONNECTIONS):
            writer.write(REQUEST)
            assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))


def measure(name: str, requests: int) -> tuple[float, float]:
    """Processor milliseconds of the proxy for each request, and requests in a second."""

    async def run() -> tuple[float, float]:
        server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
        upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve_proxy, args=(theirs, upstream, name), daemon=True)
        process.start()
        try:
            receive: Callable[[], object] = ours.recv
            port = await asyncio.to_thread(receive)
            assert isinstance(port, int)
            await load(port, CONNECTIONS * 20)
            ours.send("start")
            await asyncio.to_thread(receive)
            began = time.perf_counter()
            await load(port, requests)
            elapsed = time.perf_counter() - began
            ours.send("stop")
            seconds = await asyncio.to_thread(receive)
            assert isinstance(seconds, float)
            return seconds / requests * 1000, requests / elapsed
        finally:
            process.join(5)
            if process.is_alive():
                process.kill()
            server.close()

    return uvloop.run(run())


def main() -> None:
    """Print one line for each schedule."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 8_000
    print(f"{CONNECTIONS} connections, {requests} requests, {os.cpu_count()} cores; budget {BUDGET_MS} ms")
    for name in SCHEDULES:
        own, rate = measure(name, requests)
        print(f"{name:<28} {own:.3f} ms of the proxy's own for each request, {rate:,.0f} requests/s")


if __name__ == "__main__":
    main()
