"""The command line's own manners: its version, and one line for whatever is wrong with how it is used."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

import dynoracle
from conformance.record.folder import RunFolder
from conformance.suite.runner import suite_version
from tests.unit.record_samples import RUN


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = dynoracle.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written = RunFolder(tmp_path / "run")
    written.path.mkdir()
    written.write_run(RUN)
    return written.path


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--version") == (0, f"dynoracle {suite_version()}\n", "")


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys)
    assert code == 2
    assert "Usage: dynoracle" in out + err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("frobnicate",), ("'frobnicate'", "`dynoracle --help`")),
        (("rule",), ("'rules'",)),
        (("targets", "nope"), ("'nope'", "`dynoracle targets --help`")),
        (("run", "moto", "--nonsense"), ("--nonsense", "`dynoracle run --help`")),
        (("run", "moto", "--seed", "abc"), ("--seed", "'abc'", "integer")),
        (("run", "moto", "-n", "0"), ("-n", "'0'", "1")),
        (("run", "moto", "--budget", "soon"), ("--budget", "'soon'", "write 90s, 2m or 1h30m")),
        (("run", "moto", "--budget", "0"), ("--budget", "'0'", "write 90s, 2m or 1h30m")),
        (("run", "moto", "--fail-on", "all"), ("--fail-on", "'all'", "precedence")),
        (("run", "moto", "--capability", "nope"), ("'nope'", "expressions")),
        (("run", "moto", "--shard", "5/2"), ("--shard", "'5/2'", "3/16")),
        (("run", "nope"), ("'nope'", "moto")),
        (("run", "http://example.com"), ("example.com", "--allow-host")),
        (("run", "ftp://x"), ("'ftp://x'", "https://")),
        (("bisect",), ("finding", "`dynoracle bisect --help`")),
        (("serve", "--port", "99999"), ("--port", "'99999'", "65535")),
        (("proxy", "--upstream", "x"), ("'x'", "http://host:port")),
        (("chaos", "moto", "--workload", "nope"), ("'nope'", "register")),
        (("chaos", "moto", "--scenario", "nope"), ("'nope'", ".toml")),
        (("rules", "nope"), ("'nope'", "`dynoracle rules`")),
    ],
)
def test_wrong_use_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    code, out, err = told(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("dynoracle: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "{none}"), ("cannot be read", "run it again")),
        (("report", "{top}"), ("report.json", "merge")),
        (("matrix", "{run}", "{none}"), ("cannot be read",)),
        (("matrix", "{run}", "--out", "x.pdf"), ("'x.pdf'", ".html or .md")),
        (("compare", "{run}", "{none}"), ("cannot be read",)),
        (("trend", "{none}"), ("is no folder",)),
        (("badge", "{none}"), ("cannot be read",)),
        (("site", "{none}", "--out", "{top}/site"), ("is no folder",)),
        (("replay", "{none}"), ("cannot be read", "trace.jsonl")),
        (("judge", "{none}"), ("cannot be read", "--record")),
        (("clean", "{none}"), ("lists no tables",)),
        (("baseline", "update", "{none}", "--file", "x.toml"), ("cannot be read",)),
        (("run", "moto", "--baseline", "{none}"), ("cannot be read", "`dynoracle baseline update`")),
        (("run", "moto", "--previous", "{none}"), ("cannot be read",)),
        (("run", "moto", "--schema", "{none}"), ("cannot be read", "JSON or YAML")),
        (("chaos", "moto", "--replay", "{none}"), ("holds no experiment", "findings/")),
        (("lockstep", "moto", "--schedule", "{none}"), ("cannot be read", "TOML")),
        (("serve", "--bucket-dir", "{none}"), ("--bucket-dir", "no such folder")),
    ],
)
def test_what_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    places = {"none": folder.parent / "not-there", "run": folder, "top": folder.parent}
    code, _, err = told(capsys, *(word.format(**places) for word in arguments))
    assert code == 2
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    if "{none}" in arguments:
        assert str(places["none"]) in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"schema": 99}', ("schema 99", "reads schema 1", "use the dynoracle that wrote it")),
        (b'{"schema": 1, "target"', ("is not JSON", "write it again")),
        (bytes(range(256)), ("is not JSON", "write it again")),
        (b"[]", ("must hold a JSON object",)),
    ],
)
@pytest.mark.parametrize("command", ["report", "matrix", "badge"])
def test_a_run_that_cannot_be_read_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, content: bytes, words: tuple[str, ...]
) -> None:
    (tmp_path / "report.json").write_bytes(content)
    code, out, err = told(capsys, command, tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for word in (str(tmp_path), *words):
        assert word in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("matrix", "{run}", "--out", "{file}/x.html"),
        ("badge", "{run}", "--out", "{file}/x.svg"),
        ("compare", "{run}", "{run}", "--out", "{file}/x.md"),
        ("site", "{top}", "--out", "{file}/site"),
        ("baseline", "update", "{run}", "--file", "{file}/x.toml"),
        ("run", "moto", "--out", "{file}/run"),
        ("run", "moto", "--out", "{file}"),
        ("chaos", "moto", "--out", "{file}/run"),
        ("lockstep", "moto", "--out", "{file}/run"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: tuple[str, ...]
) -> None:
    file = folder.parent / "file"
    file.write_text("not a folder")
    code, _, err = told(capsys, *(word.format(run=folder, file=file, top=folder.parent) for word in arguments))
    assert code == 2
    assert err.count("\n") == 1
    assert str(file) in err
    assert "name another place" in err


@pytest.mark.parametrize("command", [("serve",), ("proxy", "--upstream", "http://127.0.0.1:1")])
def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = told(capsys, *command, "--port", port)
    assert code == 2
    assert err.count("\n") == 1
    assert str(port) in err
    assert "choose another --port" in err


def test_what_is_ours_to_mend_is_not_hidden(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("reports.cli.render", broken)
    with pytest.raises(ValueError, match="a bug"):
        dynoracle.main(["report", str(folder)])


def test_a_target_that_is_not_there_keeps_its_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "run"
    code, out, err = told(capsys, "run", "http://127.0.0.1:1", "--budget", "1s", "--out", place)
    assert code == 2
    assert "does not answer as DynamoDB does: refused (is it up?)" in err
    assert "none of the capabilities was reached" in out
    assert json.loads((place / "report.json").read_bytes())["target"] == {"name": "http://127.0.0.1:1"}
