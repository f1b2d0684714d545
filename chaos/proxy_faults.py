"""What the proxy does for each fault of the catalogue: one function for each."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping

import orjson

from chaos.proxy_http import Framer, body_of, error_answer, rewritten
from chaos.proxy_ledger import Delivery, Entry
from chaos.proxy_link import Ended, Link, Pipe, Request, Signal, fetch, keeps_alive, read_answer
from chaos.schedule import Firing
from conformance.targets.signing import amz_date, authorization
from reference.api import Json
from reference.unkind import THROTTLED

Handler = Callable[[Link, Entry, Request, Firing], Awaitable[None]]

HANDLERS: dict[str, Handler] = {}
"""The function of each fault that the proxy puts in, by name."""

_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"
ERRORS: Mapping[int, tuple[str, str]] = {
    500: (f"{_NAMESPACE}InternalServerError", "Internal server error"),
    503: ("com.amazon.coral.availability#ServiceUnavailable", "The service cannot handle the request right now."),
}
THROTTLES = (
    (f"{_NAMESPACE}ProvisionedThroughputExceededException", THROTTLED),
    ("com.amazon.coral.availability#ThrottlingException", "Rate exceeded"),
    (f"{_NAMESPACE}RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account."),
)


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Registers a function as what these faults do."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


async def _pass_on(link: Link, entry: Entry, request: Request, raw: bytes | None = None) -> None:
    """Deliver a request and hand its answer to the client."""
    _, answer = await link.deliver(entry, request, raw)
    _hand_over(link, entry, answer)


def _hand_over(link: Link, entry: Entry, answer: bytes | None) -> None:
    if answer is None:
        raise Ended
    link.answer(entry, answer)
    _end_as_told(answer)


def _end_as_told(answer: bytes) -> None:
    """End the client's connection where the answer says that this is its last."""
    if not keeps_alive(answer):
        raise Ended


# Slow, but right.


@handles("latency")
async def _latency(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    await _slowly(link, entry, request, firing.settings["request_ms"], firing.settings["reply_ms"])


@handles("jitter")
async def _jitter(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    before = firing.settings["request_ms"] * firing.chance("request")
    await _slowly(link, entry, request, before, firing.settings["reply_ms"] * firing.chance("reply"))


async def _slowly(link: Link, entry: Entry, request: Request, before_ms: float, after_ms: float) -> None:
    await link.proxy.sleep(before_ms / 1000)
    _, answer = await link.deliver(entry, request)
    await link.proxy.sleep(after_ms / 1000)
    _hand_over(link, entry, answer)


@handles("bandwidth")
async def _bandwidth(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    rate = firing.settings["bytes_per_second"]
    size = max(int(rate // 100), 16)
    upstream = await link.connect(entry)
    delivery = _started(entry, request)
    await _in_pieces(link, upstream, request.raw, size, size / rate, delivery)
    answer = await read_answer(upstream, delivery, request)
    if answer is None:
        raise Ended
    await _in_pieces(link, link.client, answer, size, size / rate)
    entry.returned += len(answer)
    _end_as_told(answer)


@handles("slice-request")
async def _slice_request(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    upstream = await link.connect(entry)
    delivery = _started(entry, request)
    await _sliced(link, upstream, request.raw, firing, delivery)
    _hand_over(link, entry, await read_answer(upstream, delivery, request))


@handles("slice-reply")
async def _slice_reply(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    _, answer = await link.deliver(entry, request)
    if answer is None:
        raise Ended
    await _sliced(link, link.client, answer, firing)
    entry.returned += len(answer)
    _end_as_told(answer)


def _started(entry: Entry, request: Request) -> Delivery:
    delivery = Delivery(time.monotonic(), size=len(request.raw))
    entry.deliveries.append(delivery)
    return delivery


async def _sliced(link: Link, sink: Pipe, raw: bytes, firing: Firing, delivery: Delivery | None = None) -> None:
    size, gap = int(firing.settings["size"]), firing.settings["gap_ms"] / 1000
    small = min(len(raw), size * int(firing.settings["pieces"]))
    await _in_pieces(link, sink, raw[:small], size, gap, delivery)
    sink.write(raw[small:])
    if delivery is not None:
        delivery.sent += len(raw) - small
        delivery.whole = delivery.sent == delivery.size


async def _in_pieces(
    link: Link, sink: Pipe, raw: bytes, size: int, gap: float, delivery: Delivery | None = None
) -> None:
    for at in range(0, len(raw), size):
        piece = raw[at : at + size]
        sink.write(piece)
        if delivery is not None:
            delivery.sent += len(piece)
            delivery.whole = delivery.sent == delivery.size
        # A turn of the loop at least, so that each piece leaves by itself.
        await link.proxy.sleep(gap)


# Connections that end oddly.


@handles("slow-close")
async def _slow_close(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    link.hold_close = firing.settings["hold_ms"] / 1000
    await _pass_on(link, entry, request)


@handles("half-close")
async def _half_close(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    upstream = await link.connect(entry)
    delivery = _started(entry, request)
    delivery.sent, delivery.whole = delivery.size, True
    upstream.write(request.raw)
    upstream.end()
    answer = await read_answer(upstream, delivery, request)
    if answer is not None:
        link.answer(entry, answer)
    raise Ended


@handles("reset-request")
async def _reset_request(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    upstream = await link.connect(entry)
    delivery = _started(entry, request)
    # Never the last byte: with it the request would be whole, and the fate of its write open.
    delivery.sent = min(int(len(request.raw) * firing.settings["part"]), len(request.raw) - 1)
    upstream.write(request.raw[: delivery.sent])
    await link.proxy.sleep(0.002)
    upstream.reset()
    link.client.reset()
    raise Ended


@handles("reset-reply")
async def _reset_reply(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    _, answer = await link.deliver(entry, request)
    if answer is not None:
        link.answer(entry, answer[: min(int(len(answer) * firing.settings["part"]), len(answer) - 1)])
        await link.proxy.sleep(0.002)
    link.client.reset()
    raise Ended


@handles("swallow")
async def _swallow(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    await link.proxy.sleep(firing.settings["hold_ms"] / 1000)
    raise Ended


@handles("drop-reply")
async def _drop_reply(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    await link.deliver(entry, request)
    raise Ended


# Answers that are not the target's.


@handles("truncate-reply")
async def _truncate_reply(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    _, answer = await link.deliver(entry, request)
    if answer is not None:
        head, body = _parted(answer)
        kept = min(int(len(body) * firing.settings["part"]), len(body) - 1)
        link.answer(entry, head + body[:kept] if body else head[:-1])
    raise Ended


@handles("corrupt-reply")
async def _corrupt_reply(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    _, answer = await link.deliver(entry, request)
    if answer is None:
        raise Ended
    head, body = _parted(answer)
    if not body:
        raise Ended
    at = min(int(len(body) * firing.settings["part"]), len(body) - 1)
    bent = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    if b"x-amz-crc32:" not in head.lower():
        # Without a checksum nobody could tell, and the target would be blamed for what was done here.
        head = rewritten(head, [(b"x-amz-crc32", b"%d" % zlib.crc32(body))])
    link.answer(entry, head + bent)
    raise Ended


def _parted(answer: bytes) -> tuple[bytes, bytes]:
    """Head and body of a final answer; a body in chunks is put together, with its length stated."""
    framer = Framer(response=True)
    framer.feed(answer)
    framer.end()
    if framer.headers.get(b"transfer-encoding") is None and not framer.until_end:
        return framer.head, answer[len(answer) - framer.body_size :]
    body = body_of(framer, answer)
    length = b"%d" % len(body)
    return rewritten(framer.head, [(b"Transfer-Encoding", None), (b"Content-Length", length)]), body


@handles("error-before")
async def _error_before(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    link.answer(entry, _server_error(firing, entry))


@handles("error-after")
async def _error_after(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    _, answer = await link.deliver(entry, request)
    link.answer(entry, _server_error(firing, entry))
    if answer is None:
        raise Ended


def _server_error(firing: Firing, entry: Entry) -> bytes:
    status = 503 if firing.settings["status"] > 500 else 500
    return error_answer(status, *ERRORS[status], request_id=f"proxy-{entry.id}")


@handles("throttle")
async def _throttle(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    link.answer(entry, error_answer(400, *THROTTLES[int(firing.settings["kind"])], request_id=f"proxy-{entry.id}"))


@handles("partial-batch")
async def _partial_batch(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    asked = request.json
    kept, left = split_batch(asked, firing)
    if not left or not isinstance(asked, dict):
        await _pass_on(link, entry, request)
        return
    smaller = {**asked, "RequestItems": kept}
    delivery, answer = await link.deliver(entry, request, _with_body(link, request, orjson.dumps(smaller)))
    delivery.body = smaller
    if answer is None or delivery.status != 200:
        _hand_over(link, entry, answer)
        return
    head, body = _parted(answer)
    told = orjson.loads(body)
    name = "UnprocessedItems" if entry.operation == "BatchWriteItem" else "UnprocessedKeys"
    told[name] = _joined(told.get(name) or {}, left)
    entry.notes["unprocessed"] = left
    whole = orjson.dumps(told)
    crc = [(b"x-amz-crc32", b"%d" % zlib.crc32(whole))] if b"x-amz-crc32:" in head.lower() else []
    _hand_over(link, entry, rewritten(head, [(b"Content-Length", b"%d" % len(whole)), *crc]) + whole)


def split_batch(asked: Json, firing: Firing) -> tuple[dict[str, Json], dict[str, Json]]:
    """The parts of a batch that are passed on and that are not; the first always is. A batch of one is passed whole."""
    items = asked.get("RequestItems") if isinstance(asked, dict) else None
    if not isinstance(items, dict):
        return {}, {}
    kept: dict[str, Json] = {}
    left: dict[str, Json] = {}
    for table, entry in items.items():
        elements = entry.get("Keys") if isinstance(entry, dict) else entry
        if not isinstance(elements, list):
            return {}, {}
        chosen = [(n, bool(kept) or n > 0) for n in range(len(elements))]
        out = [n for n, free in chosen if free and firing.chance(f"{table}/{n}") >= firing.settings["keep"]]
        for part, wanted in ((kept, [n for n, _ in chosen if n not in out]), (left, out)):
            if wanted:
                some = [elements[n] for n in wanted]
                part[table] = {**entry, "Keys": some} if isinstance(entry, dict) else some
    return kept, left


def _joined(one: Json, other: Mapping[str, Json]) -> dict[str, Json]:
    joined: dict[str, Json] = dict(one) if isinstance(one, dict) else {}
    for table, entry in other.items():
        known = joined.get(table)
        if isinstance(known, list) and isinstance(entry, list):
            joined[table] = known + entry
        elif isinstance(known, dict) and isinstance(entry, dict):
            joined[table] = {**entry, "Keys": [*known.get("Keys", []), *entry["Keys"]]}
        else:
            joined[table] = entry
    return joined


def _with_body(link: Link, request: Request, body: bytes) -> bytes:
    changes = [
        (b"Content-Length", b"%d" % len(body)), (b"Transfer-Encoding", None), (b"Content-Encoding", None),
        (b"Expect", None),
    ]  # fmt: skip
    return _signed(link, rewritten(request.framer.head, changes), request, body)


def _signed(link: Link, head: bytes, request: Request, body: bytes) -> bytes:
    """A request with a signature of its own for its body and date; unsigned where it came unsigned."""
    claim = request.framer.headers.get(b"authorization", b"").decode("latin-1")
    parts = claim.partition("Credential=")[2].partition(",")[0].split("/")
    if len(parts) != 5:
        return head + body
    lines = [line.decode("latin-1").partition(":") for line in head.rstrip().split(b"\r\n")[1:]]
    headers = [(name, value.strip()) for name, _, value in lines if name.lower() != "authorization"]
    date = next((value for name, value in headers if name.lower() == "x-amz-date"), "")
    made = authorization(
        link.proxy.credentials, region=parts[2], service=parts[3], date=date,
        method=request.framer.method.decode("latin-1"), target=request.framer.target.decode("latin-1"),
        headers=headers, payload=body,
    )  # fmt: skip
    return rewritten(head, [(b"Authorization", made.encode())]) + body


@handles("clock-skew")
async def _clock_skew(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    date = amz_date(time.time() + firing.settings["seconds"])
    head = rewritten(request.framer.head, [(b"X-Amz-Date", date.encode())])
    entry.notes["date"] = date
    await _pass_on(
        link, entry, request, _signed(link, head, request, request.raw[len(request.raw) - request.framer.body_size :])
    )


# Deliveries at another time, or twice.


@handles("duplicate")
async def _duplicate(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    upstream = await link.connect(entry)
    other = await link.proxy.open(Signal())
    try:
        if firing.settings["parallel"] >= 1:
            first, _ = await asyncio.gather(fetch(upstream, entry, request), fetch(other, entry, request))
        else:
            first = await fetch(upstream, entry, request)
            await fetch(other, entry, request)
    finally:
        other.close()
    _hand_over(link, entry, first[1])


@handles("delay-delivery")
async def _delay_delivery(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    link.proxy.owe(entry, request, entry.ordinal + int(firing.settings["requests"]))
    raise Ended


@handles("reorder")
async def _reorder(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    await link.proxy.let_pass(int(firing.settings["passes"]), firing.settings["limit_ms"] / 1000)
    await _pass_on(link, entry, request)


# The process behind it.


@handles("kill", "terminate")
async def _end_process(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    during = firing.settings["during"] >= 1
    if during:
        upstream = await link.connect(entry)
        delivery = _started(entry, request)
        delivery.sent, delivery.whole = delivery.size, True
        # Both at once: the signal may find the request unread, half done, or answered.
        striking = asyncio.ensure_future(link.proxy.strike(firing))
        await asyncio.sleep(0)
        upstream.write(request.raw)
        try:
            answer = await read_answer(upstream, delivery, request)
        finally:
            await striking
        if answer is not None:
            link.answer(entry, answer)
        raise Ended
    await link.proxy.strike(firing)
    if link.upstream is not None:
        link.upstream.close()
        link.upstream = None
    await _pass_on(link, entry, request)


@handles("pause")
async def _pause(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    upstream = await link.connect(entry)
    await link.proxy.strike(firing)
    _, answer = await fetch(upstream, entry, request)
    _hand_over(link, entry, answer)


@handles("disk-full", "descriptors")
async def _limit(link: Link, entry: Entry, request: Request, firing: Firing) -> None:
    await link.proxy.strike(firing)
    await _pass_on(link, entry, request)
