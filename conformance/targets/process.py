"""Server processes of targets: only what was started here is ever signalled, and nothing outlives us."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

READY_LIMIT = 60.0
"""Seconds in which a process must answer after its start."""
PAUSE_LIMIT = 2.0
"""Seconds in which a process must stand still after SIGSTOP."""
STOP_LIMIT = 5.0
"""Seconds between SIGTERM and SIGKILL, and after SIGKILL."""
TAIL = 2_000
"""How many bytes of the log an error shows."""
LOGGED = 64 * 1024
"""How many bytes of the log are read at most."""
_POLL = 0.02
_PORT_TRIES = 200
_PORT_CLASHES = 3
# Below the range from which the kernel gives ports to clients: such a port stays ours while its process is down.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000

# Reads the process group from its pipe, then waits there for our end, however we end, and takes the group with us.
_GUARD = 'read -r group || exit; while read -r _; do :; done; kill -s KILL -- "-$group" 2>/dev/null'


class ProcessError(Exception):
    """A process that did not start or ended; the message says which, how, and ends with the tail of its log."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server.

    ``argv`` and ``env`` values may hold ``{port}``, ``{host}`` and ``{dir}`` (the data folder). ``env`` is added to
    ours, from which all AWS_* variables are taken away. ``cwd`` None means the data folder: some servers leave files
    where they are started.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


Probe = Callable[[int], bool]
"""``probe(port)``: whether the server on that loopback port answers."""


def free_port() -> int:
    """A loopback port that nobody listens on now; OSError when none of many tries is free."""
    pick = random.SystemRandom()
    for _ in range(_PORT_TRIES):
        port = pick.randint(_FIRST_PORT, _LAST_PORT)
        if _is_free(port):
            return port
    raise OSError(errno.EADDRINUSE, f"no free port found between {_FIRST_PORT} and {_LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Process:
    """One server process in a group of its own on a loopback port, with a data folder and a log in ``folder``."""

    def __init__(self, name: str, command: Command, folder: Path, probe: Probe, *, ready_limit: float = READY_LIMIT):
        self.name = name
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / f"{name}.log"
        self.port = 0
        self.starts = 0
        self.ready_seconds = 0.0
        self._command = command
        self._probe = probe
        self._ready_limit = ready_limit
        self._popen: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._lock = threading.RLock()

    @property
    def pid(self) -> int | None:
        """The process id while it runs or has not been taken leave of, else None."""
        return None if self._popen is None else self._popen.pid

    def start(self) -> None:
        """Start and wait until it answers; on a port of its own choice the first time, on the same one later.

        ProcessError when it ends, or does not answer within the limit.
        """
        with self._lock:
            if self._popen is not None:
                raise ProcessError(f"{self.name} runs already (process {self.pid})")
            first = self.port == 0
            for attempt in range(_PORT_CLASHES if first else 1):
                if first:
                    self.port = free_port()
                self._spawn()
                try:
                    self._await_ready()
                except _PortClashError as clash:
                    self.kill()
                    if attempt + 1 == (_PORT_CLASHES if first else 1):
                        raise ProcessError(str(clash)) from None
                except BaseException:
                    self.kill()
                    raise
                else:
                    return

    def alive(self) -> bool:
        """Whether the process runs (paused counts as running)."""
        return self._popen is not None and _exit_status(self._popen.pid) is None

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and end it (SIGKILL) when it does not; nothing if it does not run."""
        with self._lock:
            if self._popen is None:
                return
            self.resume()
            self._signal(signal.SIGTERM)
            _wait_exit(self._popen.pid, STOP_LIMIT)
            self.kill()

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does, with all it started; nothing if it does not run."""
        with self._lock:
            if self._popen is None:
                return
            # The group is signalled before its leader is reaped: until then its number can't be anyone else's.
            self._signal(signal.SIGKILL)
            _wait_exit(self._popen.pid, STOP_LIMIT)
            try:
                self._popen.wait(timeout=STOP_LIMIT)
            except subprocess.TimeoutExpired:
                raise ProcessError(f"{self.name} (process {self.pid}) does not end after SIGKILL") from None
            finally:
                self._dismiss_guard()
            self._popen = None
            self._paused = False
            _running.discard(self)

    def pause(self) -> None:
        """Stop it where it stands (SIGSTOP): connections stay open, nothing is answered."""
        with self._lock:
            self._signal(signal.SIGSTOP)
            self._paused = True
            if self._popen is not None:
                # Until a thread of it takes the signal, which can be a while on a busy machine, the others run on.
                _wait_stopped(self._popen.pid, PAUSE_LIMIT)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        with self._lock:
            if self._paused:
                self._signal(signal.SIGCONT)
                self._paused = False

    def restart(self) -> None:
        """Start again on the same port and data folder, ending it first (SIGTERM) if it still runs."""
        with self._lock:
            self.stop()
            self.start()

    def log_size(self) -> int:
        """The length of its log in bytes: a mark for ``logged``."""
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def logged(self, mark: int) -> str:
        """What it has logged since ``mark``, at most ``LOGGED`` bytes of it, the last ones."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(mark, 0, self.log_size() - LOGGED))
                return log.read(LOGGED).decode("utf-8", "replace")
        except OSError:
            return ""

    def tail(self) -> str:
        """The end of its log."""
        return self.logged(self.log_size() - TAIL).strip()

    def _spawn(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / "tmp"
        scratch.mkdir(exist_ok=True)
        names = {"port": str(self.port), "host": "127.0.0.1", "dir": str(self.data)}
        environ = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environ |= {"TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}
        environ |= {name: fill(value, names) for name, value in self._command.env.items()}
        argv = [fill(part, names) for part in self._command.argv]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with self.log.open("ab") as log:
                self._popen = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._command.cwd or self.data,
                    env=environ,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            self._dismiss_guard()
            why = getattr(error, "strerror", None) or error
            raise ProcessError(f"{self.name} could not be started: {argv[0]!r}: {why}") from error
        assert self._guard.stdin is not None
        self._guard.stdin.write(f"{self._popen.pid}\n".encode())
        self._guard.stdin.flush()
        self._paused = False
        self.starts += 1
        _running.add(self)

    def _dismiss_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
            guard.wait()
            if guard.stdin is not None:
                with contextlib.suppress(OSError):
                    guard.stdin.close()

    def _await_ready(self) -> None:
        assert self._popen is not None
        began = time.monotonic()
        while True:
            status = _exit_status(self._popen.pid)
            if status is not None:
                raise ProcessError(
                    f"{self.name} ended with {status} before it answered on port {self.port}{self._why()}"
                )
            if self._probe(self.port):
                break
            if time.monotonic() - began > self._ready_limit:
                raise ProcessError(
                    f"{self.name} did not answer on port {self.port} in {self._ready_limit:g} s{self._why()}"
                )
            time.sleep(_POLL)
        self.ready_seconds = time.monotonic() - began
        if not _listens(self._popen.pid, self.port):
            raise _PortClashError(f"another process answers on port {self.port}, not {self.name}{self._why()}")

    def _why(self) -> str:
        tail = self.tail()
        return f". Its log ({self.log}) ends:\n{tail}" if tail else f". Its log ({self.log}) is empty."

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is None:
            raise ProcessError(f"{self.name} does not run")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)


class _PortClashError(Exception):
    """Somebody else took the port first."""


def fill(template: str, names: Mapping[str, str]) -> str:
    """The template with ``{name}`` replaced for the names given; other braces stay."""
    for name, value in names.items():
        template = template.replace("{" + name + "}", value)
    return template


def _exit_status(pid: int) -> str | None:
    """How a child of ours ended, without reaping it; None while it runs."""
    try:
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return "an unknown status"
    if info is None:
        return None
    if info.si_code == os.CLD_EXITED:
        return f"exit status {info.si_status}"
    return f"signal {signal.Signals(info.si_status).name}"


def _wait_exit(pid: int, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while _exit_status(pid) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL / 4)
    return True


def _wait_stopped(pid: int, limit: float) -> None:
    deadline = time.monotonic() + limit
    with contextlib.suppress(ChildProcessError):
        while os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > deadline:
                return
            time.sleep(_POLL / 20)


def _listens(group: int, port: int) -> bool:
    """Whether a process of the group listens on the port; true where the system does not tell (no /proc)."""
    sockets = _listening_sockets(port)
    if not sockets:
        return True
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and _group_of(int(entry.name)) == group:
            owned = _descriptors(f"{entry.path}/fd")
            if owned is None or owned & sockets:
                return True
    return False


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _descriptors(folder: str) -> set[str] | None:
    """What a process has open, less what it closes meanwhile; None when we may not look."""
    found = set()
    try:
        for descriptor in os.scandir(folder):
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(descriptor.path))
    except FileNotFoundError:
        return set()
    except OSError:
        return None
    return found


def _listening_sockets(port: int) -> frozenset[str]:
    wanted = f":{port:04X}"
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[1].endswith(wanted) and columns[3] == "0A":
                found.add(f"socket:[{columns[9]}]")
    return frozenset(found)


_running: set[Process] = set()


def running() -> Sequence[Process]:
    """The processes started here that were not ended yet."""
    return tuple(_running)


@atexit.register
def _end_all() -> None:
    for process in running():
        with contextlib.suppress(ProcessError):
            process.kill()
