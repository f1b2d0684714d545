"""Shards of a campaign on a Dask cluster of this machine, merged into one run."""

from __future__ import annotations

import gc
from pathlib import Path

import distributed
import pytest
from typer.testing import CliRunner

from conformance.fleet import FleetError, run_fleet
from conformance.record import journal
from conformance.record.folder import RunFolder, read_run
from dynoracle import app

ARGUMENTS = ["reference", "--budget", "2s", "--capability", "items", "--capability", "keys"]


def test_two_shards_become_one_run(tmp_path: Path) -> None:
    said: list[str] = []
    schema = tmp_path / "own.json"
    schema.write_text(
        '{"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",'
        ' "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}'
    )
    arguments = [*ARGUMENTS[:5], "--schema", "schema.json"]
    folder, run = run_fleet(arguments, {"schema.json": schema}, 2, "", tmp_path / "out", said.append)
    assert sorted(said) == ["part 1/2: done", "part 2/2: done"]
    assert read_run(folder.path) == run
    assert run.stopped == "budget"
    assert run.programs >= 2
    assert run.errors == ()
    chunks = [
        {row["chunk"] for row in journal.read(path) if row["kind"] == "program-start"} for path in folder.journals
    ]
    assert len(chunks) == 2
    assert not chunks[0] & chunks[1]
    definitions = [row for path in folder.journals for row in journal.read(path) if row["kind"] == "run"]
    assert {tuple(row["shard"]) for row in definitions} == {(1, 2), (2, 2)}


@pytest.mark.parametrize("address", ["nowhere://127.0.0.1:1", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr("conformance.fleet.PATIENCE", 0.5)
    with pytest.raises(FleetError, match="no Dask scheduler answers"):
        run_fleet(ARGUMENTS, {}, 1, address, Path("out"))
    clients = [each for each in gc.get_objects() if isinstance(each, distributed.Client)]
    assert all(each.status == "closed" for each in clients)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["fleet", "no-such-target", "--shards", "1", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "no part came back" in " ".join(result.output.split())
    assert "no target is named" in " ".join(result.output.split())
    assert not RunFolder(tmp_path / "out").journals
