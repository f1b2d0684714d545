from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.record.folder import RecordError, RunFolder, read_finding, read_run, read_trace, write_trace
from conformance.record.op import op_from_json
from tests.unit.record_samples import ACCEPTS, CRASH, DATA, HOSTILE, RUN


def test_a_run_comes_back_from_its_folder_and_from_its_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_run(RUN)
    assert read_run(tmp_path / "run") == RUN
    assert read_run(str(tmp_path / "run" / "report.json")) == RUN
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["report.json"]


def test_a_finding_comes_back_with_its_trace_and_script(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    place = folder.write_finding(DATA, "print('again')\n")
    assert place == tmp_path / "findings" / "0a1b2c3d4e5f"
    assert sorted(path.name for path in place.iterdir()) == ["finding.json", "reproduce.py", "trace.jsonl"]
    assert read_finding(place) == read_finding(place / "finding.json") == DATA
    assert (place / "reproduce.py").read_text() == "print('again')\n"
    folder.write_finding(replace(DATA, seen=18), "print('again')\n")
    folder.write_finding(ACCEPTS, "")
    assert [(f.fingerprint, f.seen) for f in folder.read_findings()] == [("0a1b2c3d4e5f", 18), ("1111aaaa2222", 2)]


def test_a_trace_is_read_from_its_file_its_finding_and_its_folder(tmp_path: Path) -> None:
    place = RunFolder(tmp_path).write_finding(DATA, "")
    ops = tuple(op_from_json(row) for row in DATA.program)
    for path in (place, place / "trace.jsonl", place / "finding.json"):
        header, read = read_trace(path)
        assert read == ops
        assert (header["kind"], header["schema"], header["fingerprint"]) == ("trace", 1, "0a1b2c3d4e5f")
    first = json.loads((place / "trace.jsonl").read_text().splitlines()[0])
    assert first == {
        "kind": "trace", "schema": 1, "fingerprint": "0a1b2c3d4e5f", "rule": "expressions.addition",
        "severity": "data", "capability": "expressions",
    }  # fmt: skip
    (place / "trace.jsonl").unlink()
    assert read_trace(place)[1] == ops


def test_a_trace_keeps_raw_requests_and_hostile_text(tmp_path: Path) -> None:
    op = replace(op_from_json(CRASH.program[0]), body={HOSTILE: "\ud800\n" + HOSTILE})
    write_trace(tmp_path / "trace.jsonl", {"seed": 3}, [op])
    header, ops = read_trace(tmp_path / "trace.jsonl")
    assert header == {"seed": 3, "kind": "trace", "schema": 1}
    assert ops == (op,)


def test_lines_of_unknown_kinds_are_passed_over(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "trace.jsonl", {}, [op_from_json(DATA.program[1])])
    path.write_bytes(path.read_bytes() + b'\n{"kind":"later"}\n')
    assert len(read_trace(path)[1]) == 1


def test_a_fingerprint_cannot_leave_the_folder(tmp_path: Path) -> None:
    for name in ("../x", "a/b", "", "..", "a\n"):
        with pytest.raises(RecordError, match="cannot name a file"):
            RunFolder(tmp_path).write_finding(replace(DATA, fingerprint=name), "")


def test_nothing_is_left_when_a_finding_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "findings" / "0a1b2c3d4e5f" / "finding.json").mkdir(parents=True)
    with pytest.raises(OSError):
        RunFolder(tmp_path).write_finding(DATA, "")
    left = {path.name for path in (tmp_path / "findings" / "0a1b2c3d4e5f").iterdir()}
    assert left == {"finding.json", "reproduce.py", "trace.jsonl"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, r"report.json: cannot be read \(No such file or directory\): run it again"),
        (b"", r"report.json: is not JSON"),
        (b'{"schema": 1, "see', r"report.json: is not JSON .* it begins b'\{\"schema\": 1, \"see'"),
        (b"[]", r"report.json: must hold a JSON object, not list"),
        (b"{}", r"report.json: has no schema number, this version reads schema 1"),
        (b'{"schema": 2}', r"report.json: has schema 2, this version reads schema 1: use the dynoracle that wrote it"),
        (b'{"schema": 1, "seed": 3}', r"report.json: a run cannot be read .*missing.*'target'"),
        (b'{"schema": 1, "checks": [{"verdict": "ok"}]}', r"report.json: a run cannot be read .*missing"),
        (b'{"schema": 1, "findings": 7}', r"report.json: a run cannot be read"),
    ],
)
def test_what_is_wrong_with_a_report_is_said(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(RecordError, match=says):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "its first line is no trace header"),
        (b'{"kind":"op","index":0}\n', "its first line is no trace header"),
        (b'{"kind":"trace","schema":9}\n', "has schema 9, this version reads schema 1"),
        (b'{"kind":"trace","schema":1}\n{"kind":"op","ind\n', "trace.jsonl, line 2: is not JSON"),
        (b'{"kind":"trace","schema":1}\n{"kind":"op","index":0}\n', "a op lacks the member 'operation'"),
    ],
)
def test_what_is_wrong_with_a_trace_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "trace.jsonl").write_bytes(content)
    with pytest.raises(RecordError, match=says):
        read_trace(tmp_path / "trace.jsonl")


def test_a_run_of_a_later_version_with_more_members_is_read(tmp_path: Path) -> None:
    path = RunFolder(tmp_path).write_run(RUN)
    row = json.loads(path.read_text())
    row["news"] = 1
    row["findings"][0]["news"] = 1
    path.write_text(json.dumps(row))
    assert read_run(path) == RUN
