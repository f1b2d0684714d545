"""An event source mapping: one function that is handed the records of one stream (beyond:ESM-1 to ESM-10)."""

from __future__ import annotations

import json
import traceback
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference.api import Json
from reference.clock import Clock
from reference.triggers import events, reading
from reference.triggers.events import Condition, Result, Throttled, Window
from reference.triggers.filters import Fits
from reference.triggers.lanes import Lane, Work
from reference.triggers.reading import Send, ShardReader
from reference.triggers.settings import Settings, described

Handler = Callable[[dict[str, Json], "FunctionContext"], Json]
"""A function as Lambda calls it: with an event and a context. What it raises is a failed call."""

MOST_ERRORS = 100
"""Errors of a function that a mapping remembers."""


@dataclass(frozen=True, slots=True)
class FunctionContext:
    """What a function is told of itself and of this call."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    function_version: str = "$LATEST"


@dataclass(slots=True)
class Failures:
    """An on-failure destination that keeps what it gets.

    ``arn`` says of what kind it is. Queues and topics are told where the records stand in the stream; a bucket
    (``arn:aws:s3:::…``) gets them as well, under ``payload`` (beyond:ESM-5).
    """

    arn: str = "arn:aws:sqs:us-east-1:400000000004:failures"
    documents: list[dict[str, Json]] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What a mapping has done: calls, failed and throttled ones; records read, passed over, done and given up."""

    calls: int = 0
    failed: int = 0
    throttled: int = 0
    read: int = 0
    filtered: int = 0
    done: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _Shard:
    """A shard that is read, its lanes, and what they need of the mapping."""

    reader: ShardReader
    lanes: list[Lane]

    @property
    def over(self) -> bool:
        return self.reader.ended and all(lane.idle for lane in self.lanes)


class EventSourceMapping:
    """Made by ``Triggers.connect``; ``state``, ``tally`` and ``errors`` tell how it goes."""

    def __init__(
        self,
        send: Send,
        clock: Clock,
        stream_arn: str,
        handler: Handler,
        *,
        function_arn: str,
        settings: Settings,
        fits: Sequence[Fits],
        on_failure: Failures | None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._handler = handler
        self._fits = tuple(fits)
        self._on_failure = on_failure
        self._shards: dict[str, _Shard] = {}
        self._over: set[str] = set()
        self._modified = clock.now()
        self.stream_arn = stream_arn
        self.function_arn = function_arn
        self.settings = settings
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stream_arn}/{function_arn}/{clock.now()}"))
        self.state = "Creating"
        self.result = "No records processed"
        self.tally = Tally()
        self.errors: deque[str] = deque(maxlen=MOST_ERRORS)
        """Tracebacks of what the function raised, the latest last."""
        if settings.starting_position == "LATEST":
            self._skip()

    def describe(self) -> dict[str, Json]:
        """The mapping as Lambda's API shows it."""
        destination = {"Destination": self._on_failure.arn} if self._on_failure is not None else {}
        return {
            "UUID": self.uuid,
            **described(self.settings),
            "EventSourceArn": self.stream_arn,
            "FunctionArn": self.function_arn,
            "LastModified": self._modified,
            "LastProcessingResult": self.result,
            "State": self.state,
            "StateTransitionReason": "User action",
            "DestinationConfig": {"OnFailure": destination},
        }

    def turn(self, state: str) -> None:
        """Enter a state; records are handed over while it is ``Enabled``."""
        self.state = state
        self._modified = self._clock.now()

    def step(self) -> bool:
        """Read what has come, and do at most one thing per lane; whether anything was done."""
        if self.state != "Enabled":
            return False
        self._find_shards()
        worked = False
        for held in list(self._shards.values()):
            worked |= self._read(held)
            for lane in held.lanes:
                worked |= lane.step(self._clock.now())
            if held.over:
                self._over.add(held.reader.id)
                del self._shards[held.reader.id]
                worked = True
        return worked

    def moments(self) -> Iterator[float]:
        """When its lanes will have something to do (epoch seconds)."""
        if self.state == "Enabled":
            for held in self._shards.values():
                yield from (moment for lane in held.lanes if (moment := lane.moment()) is not None)

    # --- shards -------------------------------------------------------------------------------------------------------

    def _skip(self) -> None:
        """Begin with what comes from now on: closed shards are over, open ones are read from their end."""
        for shard in reading.shards(self._send, self.stream_arn):
            if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
                self._over.add(shard["ShardId"])
                continue
            self._begin(shard).reader.skip(self._clock.now())

    def _find_shards(self) -> None:
        """Begin to read the shards whose parents are over, or no longer there."""
        listed = reading.shards(self._send, self.stream_arn)
        ids = {shard["ShardId"] for shard in listed}
        self._over &= ids
        for shard in listed:
            parent = shard.get("ParentShardId")
            known = shard["ShardId"] in self._over or shard["ShardId"] in self._shards
            if not known and (parent in self._over or parent not in ids) and parent not in self._shards:
                self._begin(shard)

    def _begin(self, shard: dict[str, Any]) -> _Shard:
        port = _Port(self, shard["ShardId"])
        lanes = [Lane(self.settings, port) for _ in range(self.settings.parallelization_factor)]
        held = self._shards[shard["ShardId"]] = _Shard(ShardReader(self._send, self.stream_arn, shard), lanes)
        return held

    def _read(self, held: _Shard) -> bool:
        before = self.tally.read
        for record in held.reader.read(self._clock.now()):
            self.tally.read += 1
            handed = events.handed(record, self.stream_arn)
            if self._fits and not any(fits(handed) for fits in self._fits):
                self.tally.filtered += 1
                continue
            key = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
            held.lanes[zlib.crc32(key.encode()) % len(held.lanes)].add(handed, self._clock.now())
        for lane in held.lanes:
            lane.ended = held.reader.ended
        return self.tally.read > before

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, shard: str, records: Sequence[Json], window: Window | None, *, final: bool) -> Result:
        """Call the function."""
        self.tally.calls += 1
        context = FunctionContext(self.function_arn.rsplit(":", 1)[-1], self.function_arn, self._request())
        told = json.loads(json.dumps(events.event(records, self.stream_arn, shard, window, final=final)))
        try:
            response = self._handler(told, context)
        except Throttled:
            self.tally.throttled += 1
            return Result(throttled=True)
        except Exception:
            self.errors.append(traceback.format_exc())
            result = Result(failed=0, error="Unhandled")
        else:
            settings = self.settings
            result = events.understood(
                response, records, partial=settings.partial, windowed=settings.tumbling_window > 0
            )
        done = len(records) if result.failed is None else result.failed
        self.tally.done += done
        self.tally.failed += result.failed is not None
        self.result = "OK" if result.failed is None else "PROBLEM: Function call failed"
        return result

    def give_up(self, shard: str, records: Sequence[Json], condition: Condition, work: Work) -> None:
        """Hand records to the on-failure destination, if there is one."""
        self.tally.given_up += len(records)
        if self._on_failure is None:
            return
        document = events.failure(
            records,
            stream_arn=self.stream_arn,
            shard=shard,
            function_arn=self.function_arn,
            request=self._request(),
            condition=condition,
            calls=work.attempts,
            error=work.error,
            now=self._clock.now(),
        )
        if self._on_failure.arn.split(":")[2:3] == ["s3"]:
            document["payload"] = events.event(records, self.stream_arn, shard, None, final=False)
        self._on_failure.documents.append(document)

    def _request(self) -> str:
        made = f"{self.uuid}/{self.tally.calls}/{self.tally.given_up}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, made))


@dataclass(frozen=True, slots=True)
class _Port:
    """What a lane calls: its mapping, told which shard it is of."""

    mapping: EventSourceMapping
    shard: str

    def call(self, records: Sequence[Json], window: Window | None, *, final: bool) -> Result:
        return self.mapping.call(self.shard, records, window, final=final)

    def give_up(self, records: Sequence[Json], condition: Condition, work: Work) -> None:
        self.mapping.give_up(self.shard, records, condition, work)


def named(handler: Handler, name: str | None) -> str:
    """A function's name: the given one, or that of the Python function."""
    return name or getattr(handler, "__name__", type(handler).__name__).strip("<>")


def function_arn(stream_arn: str, name: str) -> str:
    """The ARN of a function beside a stream."""
    parts: Mapping[int, str] = dict(enumerate(stream_arn.split(":")))
    return f"arn:aws:lambda:{parts.get(3, '')}:{parts.get(4, '')}:function:{name}"
