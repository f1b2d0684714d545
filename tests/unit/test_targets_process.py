"""Processes of our own: a small server in a file, started, paused, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from conformance.targets import process as module
from conformance.targets.process import Command, Process, ProcessError, fill, free_port, running

ROOT = Path(__file__).parents[2]

SERVER = textwrap.dedent("""
    import os, socket, sys
    print("hello from", os.getcwd(), os.environ.get("TMPDIR"), os.environ.get("GREETING"), flush=True)
    print("keys", [k for k in os.environ if k.startswith("AWS_")], flush=True)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    sock.listen()
    while True:
        client, _ = sock.accept()
        client.sendall(b"hi")
        client.close()
""")
COMMAND = Command((sys.executable, "-c", SERVER, "{port}"), {"GREETING": "{dir}"})


def greets(port, timeout=5.0):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
            return sock.recv(2) == b"hi"
    except OSError:
        return False


def exists(pid):
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, limit=5.0):
    deadline = time.monotonic() + limit
    while exists(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def server(tmp_path):
    process = Process("small", COMMAND, tmp_path / "small", greets)
    yield process
    process.kill()


def test_start_and_stop(server, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tiger")
    server.start()
    assert server.alive()
    assert greets(server.port)
    assert server in running()
    pid = server.pid
    log = server.log.read_text()
    assert f"hello from {server.data} {server.folder / 'tmp'} {server.data}" in log
    assert "keys []" in log
    server.stop()
    assert not server.alive()
    assert not exists(pid)
    assert server not in running()
    server.stop()


def test_restart_keeps_port_and_folder(server):
    server.start()
    port, pid = server.port, server.pid
    (server.data / "kept").write_text("x")
    server.restart()
    assert (server.port, server.starts) == (port, 2)
    assert server.pid != pid
    assert (server.data / "kept").exists()
    assert greets(port)


def test_kill_and_start_again(server):
    server.start()
    port = server.port
    server.kill()
    assert not greets(port)
    server.start()
    assert server.port == port
    assert greets(port)


def test_pause_and_resume(server):
    server.start()
    server.pause()
    assert server.alive()
    assert not greets(server.port, timeout=0.05)
    server.resume()
    assert greets(server.port)
    server.pause()
    server.stop()
    assert not server.alive()


def test_end_that_nobody_asked_for_is_seen(server):
    server.start()
    os.kill(server.pid, signal.SIGKILL)
    assert gone(server.pid)
    assert not server.alive()
    with pytest.raises(ProcessError, match="runs already"):
        server.start()
    server.restart()
    assert server.alive()


def test_early_end_shows_the_log(tmp_path):
    command = Command((sys.executable, "-c", "import sys; print('no such table'); sys.exit(3)"))
    process = Process("broken", command, tmp_path, greets)
    with pytest.raises(ProcessError, match=r"broken ended with exit status 3 before it answered[^$]*no such table"):
        process.start()
    assert not process.alive()
    assert running() == ()


def test_silence_is_bounded(tmp_path):
    command = Command((sys.executable, "-c", "import time; time.sleep(60)"))
    process = Process("silent", command, tmp_path, lambda port: False, ready_limit=0.05)
    with pytest.raises(ProcessError, match=r"silent did not answer on port \d+ in 0.05 s.* is empty"):
        process.start()
    assert process.pid is None


def test_missing_program(tmp_path):
    process = Process("none", Command(("/no/such/program",)), tmp_path, greets)
    with pytest.raises(ProcessError, match="none could not be started: '/no/such/program': No such file"):
        process.start()
    assert process._guard is None


def test_somebody_elses_port_is_not_ours(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(module, "free_port", lambda: port)
        command = Command((sys.executable, "-c", "import time; time.sleep(60)"))
        process = Process("late", command, tmp_path, lambda port: True)
        with pytest.raises(ProcessError, match=f"another process answers on port {port}, not late"):
            process.start()
    assert process.starts == 3


def test_signals_go_to_our_own_only(server):
    for ask in (server.pause, lambda: server._signal(signal.SIGTERM)):
        with pytest.raises(ProcessError, match="does not run"):
            ask()
    server.kill()


def test_children_end_with_their_parent(tmp_path):
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); exec(sys.argv[2])"
    process = Process("family", Command((sys.executable, "-c", code, "{port}", SERVER)), tmp_path, greets)
    process.start()
    child = int(process.log.read_text().split()[0])
    assert exists(child)
    process.stop()
    assert gone(child)


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 9)", "os._exit(0)", "sys.exit(0)", "1 / 0"])
def test_nothing_outlives_us(tmp_path, how):
    script = textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_targets_process import COMMAND, greets
        from conformance.targets.process import Process
        process = Process("small", COMMAND, Path({str(tmp_path)!r}), greets)
        process.start()
        print(process.pid, process._guard.pid, flush=True)
        {how}
    """)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environ, check=False)
    server, guard = map(int, done.stdout.split())
    assert gone(server)
    assert gone(guard)


def test_log_is_read_from_a_mark(server):
    server.start()
    mark = server.log_size()
    assert server.logged(mark) == ""
    assert server.logged(0).startswith("hello from")
    assert server.tail().endswith("keys []")


def test_ports_are_free():
    assert len({free_port() for _ in range(20)}) > 1


def test_fill_leaves_other_braces():
    assert fill("{port} {other} {{port}}", {"port": "1"}) == "1 {other} {1}"
