"""Hostile requests against the reference server: ``python -m benchmarks.hostile --requests 100000 --seed 1``.

Each request goes over a socket to a server in this process, whose failures are therefore seen as they are raised. What
is AWS JSON is first put to ``Service.outcomes``, which must tell in advance what the server answers. Exit status 1 when
the server fails, drops a connection, needs more than a second, or answers what ``outcomes`` did not say.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import logging
import re
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import Client
from benchmarks.hostility import Hostile, hostile, world
from reference.account import Account
from reference.api import Call, Reply, Success
from reference.clock import ManualClock
from reference.server import ThreadedServer
from reference.service import Service
from reference.wire import encode_json, parse_json

SLOW_SECONDS = 1.0
"""The most processor time that one request may take, in ``outcomes`` or at the server; waiting ends after ten."""
TRIES = 3
"""A request is slow, or goes without an answer, only when it does so this often: others use this machine too."""
EPOCH = 400
"""Requests until the service starts anew with the tables as they were."""
SHOWN = 12
PROGRESS = 10_000
LIMIT = 100
"""Faults after which a run ends."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(slots=True)
class Fault:
    """What went wrong with a request."""

    what: str
    case: Hostile


@dataclass(slots=True)
class Tally:
    """What came of a run; ``answers`` counts kinds of requests by status, ``again`` tries that were not the first."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    slowest: float = 0.0
    again: int = 0


class _Failures(logging.Handler):
    """What the server logs as its own failures."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(logging.Formatter().format(record))


class Arena:
    """A served service that is replaced by a fresh one now and then."""

    def __init__(self) -> None:
        self.service = Service()
        self.renew()
        self.server = ThreadedServer(self)
        self.tally = Tally()
        self._failures = _Failures()

    def operations(self) -> frozenset[str]:
        return frozenset(self.service.operations())

    def execute(self, call: Call) -> Reply:
        return self.service.execute(call)

    def renew(self) -> None:
        self.service = Service(Account(ManualClock()))
        for call in world():
            reply = self.service.execute(call)
            assert isinstance(reply, Success), reply

    def run(self, requests: int, seed: int) -> Iterator[int]:
        """Put so many hostile requests; yields how many are done after each."""
        log = logging.getLogger("reference.server")
        log.addHandler(self._failures)
        log.propagate = False
        try:
            with self.server:
                client = Client(self.server.port)
                cases = itertools.islice(hostile(seed, self.server.port), requests)
                for number, case in enumerate(cases, 1):
                    self._put(client, case)
                    if number % EPOCH == 0:
                        self.renew()
                    yield number
                    if len(self.tally.faults) >= LIMIT:
                        return
                client.close()
        finally:
            log.removeHandler(self._failures)
            log.propagate = True

    def _put(self, client: Client, case: Hostile) -> None:
        for _ in range(TRIES):
            expected, took = self._foretold(case)
            began = time.process_time()
            answer, lost = self._send(client, case)
            took = max(took, time.process_time() - began)
            if took <= SLOW_SECONDS and not lost:
                break
            self.tally.again += 1
        self.tally.slowest = max(self.tally.slowest, took)
        if took > SLOW_SECONDS:
            self._blame(f"took {took:.1f} s", case)
        if lost:
            self._blame(f"no answer: {lost}", case)
        self._judge(case, expected, answer)

    def _foretold(self, case: Hostile) -> tuple[tuple[int, bytes] | None, float]:
        """What the server must answer by ``outcomes``, None where that is not asked; seconds it took to say."""
        if case.text is None:
            return None, 0.0
        try:
            body = parse_json(case.text)
        except ValueError:
            return None, 0.0
        if not isinstance(body, dict):
            return None, 0.0
        call = Call(case.operation, body)
        began = time.process_time()
        try:
            told = self.service.outcomes(call)
            took = time.process_time() - began
            if told.outcome is not None:
                return (200, b"" if told.outcome.body is None else encode_json(told.outcome.body)), took
            refusal = self.service.refusal(call, told.violations[0])
        except Exception as error:
            self._blame(f"outcomes raised {type(error).__name__}: {error}", case)
            return None, time.process_time() - began
        return (refusal.status, json.dumps(refusal.message).encode()), took

    def _send(self, client: Client, case: Hostile) -> tuple[bytes, str]:
        """The answer, and why there is none."""
        try:
            return client.send(case.data) if case.text is not None else _throw(self.server.port, case.data), ""
        except OSError as error:
            client.close()
            return b"", str(error)

    def _judge(self, case: Hostile, expected: tuple[int, bytes] | None, answer: bytes) -> None:
        statuses = [int(status) for status in _STATUS.findall(answer)]
        for status in statuses or [0]:
            self.tally.answers[f"{case.kind}: {status or 'nothing'}"] += 1
        for text in self._failures.seen:
            self._blame(f"the server failed:\n{text}", case)
        self._failures.seen.clear()
        if case.text is None or not statuses:
            if answer and not answer.startswith(b"HTTP/1.1 "):
                self._blame(f"answered {answer[:100]!r}", case)
            return
        if expected is None:
            return
        status, told = expected
        body = answer.partition(b"\r\n\r\n")[2]
        if statuses != [status]:
            self._blame(f"answered {statuses}, outcomes said {status} {told[:200]!r}: {body[:300]!r}", case)
        elif status == 200 and body != told:
            self._blame(f"answered {body[:300]!r}, outcomes said {told[:300]!r}", case)
        elif status == 400 and told != b"null" and told != b'""':
            answered = parse_json(body)
            text = answered.get("message", answered.get("Message"))
            if text != json.loads(told):
                self._blame(f"answered {text!r:.300}, outcomes said {told[:300]!r}", case)

    def _blame(self, what: str, case: Hostile) -> None:
        self.tally.faults.append(Fault(what, case))


def _throw(port: int, data: bytes) -> bytes:
    """Send bytes on a connection of their own, end it on our side, and read until the other side closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10.0) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        # The server may have closed on bytes it did not read; what it said before is all there is.
        try:
            while part := sock.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass
    return answer


def _resident_megabytes() -> int:
    """The most memory this process has had resident (Linux counts it in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _keep(faults: list[Fault], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for fault in faults:
        name = hashlib.sha256(fault.case.data).hexdigest()[:12]
        (folder / f"{name}.http").write_bytes(fault.case.data)
        (folder / f"{name}.txt").write_text(fault.what, encoding="utf-8", errors="replace")


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder to write faulty requests to")
    options = parser.parse_args(arguments)
    arena, began, done = Arena(), time.perf_counter(), 0
    for done in arena.run(options.requests, options.seed):
        if done % PROGRESS == 0:
            print(f"{done:,} requests, {len(arena.tally.faults)} faults, {_resident_megabytes():,} MB", file=sys.stderr)
    tally = arena.tally
    took = time.perf_counter() - began
    print(f"{done:,} requests in {took:.0f} s, seed {options.seed}; the slowest took {tally.slowest:.2f} s")
    print(f"{tally.again} tries were slow or unanswered; {TRIES} of one request would be a fault")
    for answer, count in sorted(tally.answers.items()):
        print(f"{count:>9,}  {answer}")
    for fault in tally.faults[:SHOWN]:
        print(
            f"\n{fault.case.kind} {fault.case.operation}: {fault.what}\n{(fault.case.text or fault.case.data)[:400]!r}"
        )
    if options.keep is not None and tally.faults:
        _keep(tally.faults, options.keep)
    print(f"\n{len(tally.faults)} faults" if tally.faults else "\nNo faults.")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
