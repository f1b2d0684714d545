from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.record.codec import RecordError, dumps, loads
from conformance.record.folder import RunFolder
from conformance.record.journal import Journal, read


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    with Journal(tmp_path / "deep" / "w0.jsonl") as journal:
        journal.append("run", target="moto")
        journal.append("op", index=0, body={"Item": {"pk": {"S": "\u202e é \x00"}}})
    assert list(read(tmp_path / "deep" / "w0.jsonl")) == [
        {"kind": "run", "target": "moto"},
        {"kind": "op", "index": 0, "body": {"Item": {"pk": {"S": "\u202e é \x00"}}}},
    ]


def test_every_line_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "w0.jsonl")
    journal.append("end", stopped="budget")
    assert (tmp_path / "w0.jsonl").read_bytes() == b'{"kind":"end","stopped":"budget"}\n'
    journal.close()
    journal.close()


def test_kill_loses_nothing_appended(tmp_path: Path) -> None:
    code = """
import sys
from conformance.record.journal import Journal
journal = Journal(sys.argv[1])
for i in range(1000):
    journal.append("op", index=i)
print("written", flush=True)
sys.stdin.read()
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "w0.jsonl")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root,
    ) as worker:  # fmt: skip
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"written\n"
        os.kill(worker.pid, signal.SIGKILL)
    assert [row["index"] for row in read(tmp_path / "w0.jsonl")] == list(range(1000))


@pytest.mark.parametrize("torn", [b'{"kind":"op","ind', b"\xff\xfe", b"[1]\n", b'{"no":"kind"}\n'])
def test_a_torn_line_is_reported(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "w0.jsonl"
    path.write_bytes(b'{"kind":"run"}\n' + torn)
    whole, report = read(path)
    assert whole == {"kind": "run"}
    assert report["kind"] == "torn"
    assert report["line"] == 2


def test_a_reopened_journal_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "w0.jsonl"
    path.write_bytes(b'{"kind":"run"}\n{"kind":"op","ind')
    with Journal(path) as journal:
        journal.append("end")
    assert [row["kind"] for row in read(path)] == ["run", "torn", "end"]


def test_an_empty_journal_has_no_lines(tmp_path: Path) -> None:
    Journal(tmp_path / "w0.jsonl").close()
    assert list(read(tmp_path / "w0.jsonl")) == []


def test_workers_names_are_file_names(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.journal("w1").close()
    folder.journal("w0").close()
    assert [path.name for path in folder.journals] == ["w0.jsonl", "w1.jsonl"]
    for name in ("../w0", "", ".hidden", "a/b", "x" * 101):
        with pytest.raises(RecordError, match="cannot name a file"):
            folder.journal(name)


def deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ({"a": "\ud800"}, {"a": "\ud800"}),
        ({"a": 2**70}, {"a": 2**70}),
        ({"a": "\ud800", "b": float("nan"), "c": float("inf")}, {"a": "\ud800", "b": None, "c": None}),
        ({"a": float("nan")}, {"a": None}),
        ({"a": b"\x00\xff", "b": {3, 1}, "c": Path("/x")}, {"a": "AP8=", "b": [1, 3], "c": "/x"}),
        (("a", None, True, 1.5), ["a", None, True, 1.5]),
    ],
)
def test_whatever_a_target_says_can_be_recorded(value: object, back: object) -> None:
    assert loads(dumps(value)) == back
    assert loads(dumps(value, pretty=True)) == back
    assert b"\n" not in dumps(value)


def test_what_is_nested_too_deep_is_left_out() -> None:
    row = loads(dumps({"before": 1, "deep": deep(900)}))
    assert row["before"] == 1
    assert "deeper than 200 levels: left out" in json.dumps(row)
    assert loads(dumps(deep(150))) == deep(150)


def test_what_is_no_json_is_a_value_error() -> None:
    for text in (b"", b"{", b"[" * 100_000, b"\xff"):
        with pytest.raises(ValueError):
            loads(text)
