"""Reading a stream as a poller does: every shard from its start, parents before their children (beyond:ESM-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reference.api import Call, Json, Refusal, Reply, ServiceError, Success

Send = Callable[[Call], Reply]
"""What answers calls: ``Service.execute``, or a client of some endpoint."""

MOST_PAGES = 10_000
"""Answers that are read of one shard, or of one list of shards, at a time."""


def ask(send: Send, operation: str, **body: Json) -> dict[str, Any] | None:
    """The answer's body, None when there is none; ServiceError when the call is refused."""
    reply = send(Call(operation, body))
    if isinstance(reply, Refusal):
        raise ServiceError(reply)
    return reply.body if isinstance(reply, Success) else None


def shards(send: Send, stream_arn: str) -> list[dict[str, Any]]:
    """All shards of a stream in the order of their ids; ServiceError when it can't be read."""
    found: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        answer = ask(send, "DescribeStream", StreamArn=stream_arn, **start)
        described = (answer or {}).get("StreamDescription", {})
        found += described.get("Shards", [])
        if described.get("LastEvaluatedShardId") is None:
            break
        start = {"ExclusiveStartShardId": described["LastEvaluatedShardId"]}
    return found


class ShardReader:
    """A place in a shard; ``ended`` when it was closed and all of it has been read."""

    def __init__(self, send: Send, stream_arn: str, shard: dict[str, Any]) -> None:
        self._send = send
        self._arn = stream_arn
        self.id: str = shard["ShardId"]
        self.parent: str | None = shard.get("ParentShardId")
        self.ended = False
        self._iterator: str | None = None
        self._last: str | None = None
        self._latest: float | None = None

    def skip(self, now: float) -> None:
        """Begin after the latest record there is at ``now`` (epoch seconds)."""
        self._latest = now
        try:
            # Should the iterator expire unused, then a moment alone does not tell what this second has brought so far.
            self._iterator = self._place()
            for _ in self.read(now):
                pass
        except ServiceError:
            pass  # not every endpoint knows moments
        self._iterator = self._renewed("LATEST")

    def read(self, now: float) -> Iterator[Json]:
        """Every record that has come since the last time."""
        for _ in range(MOST_PAGES):
            if self.ended:
                return
            answer = self._page()
            if answer is None:
                return
            for record in answer["Records"]:
                number = record["dynamodb"]["SequenceNumber"]
                # An iterator that was renewed by its moment may show again what was read in that second.
                if self._last is None or int(number) > int(self._last):
                    self._last = number
                    yield record
            self._iterator = answer.get("NextShardIterator")
            self.ended = self._iterator is None
            self._latest = now if self._latest is not None else None
            if not answer["Records"]:
                return

    def _page(self) -> dict[str, Any] | None:
        """The next page; an iterator that was not used for too long is renewed."""
        for _ in range(3):
            if self._iterator is None:
                self._iterator = self._place()
            if self._iterator is None:
                return None
            try:
                return ask(self._send, "GetRecords", ShardIterator=self._iterator)
            except ServiceError as error:
                self._iterator = None
                if error.refusal.code == "TrimmedDataAccessException":
                    self._last = self._latest = None
                elif error.refusal.code == "ResourceNotFoundException":
                    self.ended = True
                    return None
                elif error.refusal.code != "ExpiredIteratorException":
                    raise
        return None

    def _place(self) -> str | None:
        if self._last is not None:
            return self._renewed("AFTER_SEQUENCE_NUMBER", SequenceNumber=self._last)
        if self._latest is not None:
            return self._renewed("AT_TIMESTAMP", Timestamp=int(self._latest))
        return self._renewed("TRIM_HORIZON")

    def _renewed(self, kind: str, **members: Json) -> str | None:
        try:
            answer = ask(
                self._send, "GetShardIterator", StreamArn=self._arn, ShardId=self.id, ShardIteratorType=kind, **members
            )
        except ServiceError as error:
            if error.refusal.code == "TrimmedDataAccessException":
                return self._renewed("TRIM_HORIZON")
            if error.refusal.code == "ResourceNotFoundException":
                self.ended = True
                return None
            raise
        return None if answer is None else str(answer["ShardIterator"])
