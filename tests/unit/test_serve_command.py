"""``dynoracle serve``: what its options make of the service it serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from reference import cli, server
from reference.api import Call, Success
from reference.dax import Caching
from reference.folder import FolderBuckets
from reference.knobs import KnobError, resolve
from reference.service import Service
from reference.serving import Expiring
from reference.unkind import LIKE_AWS, UnkindService, Weather

URL = "http://127.0.0.1:8000"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command would have served; nothing is."""
    seen: dict[str, Any] = {}

    def serve_forever(service: Any, **options: Any) -> None:
        seen.update(options, service=service)
        options["ready"](URL)

    monkeypatch.setattr(server, "serve_forever", serve_forever)
    return seen


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(cli.serve)
    return CliRunner().invoke(app, arguments)


def test_serves_the_reference_on_loopback(served: dict[str, Any]) -> None:
    result = run()
    assert result.exit_code == 0
    assert URL in result.output
    assert isinstance(served["service"], Service)
    assert isinstance(served["service"].execute(Call("ListTables", {})), Success)
    assert (served["host"], served["port"], served["region"]) == ("127.0.0.1", 8000, "us-east-1")
    assert served["credentials"] is None


def test_checks_signatures_with_a_key_and_its_secret(served: dict[str, Any]) -> None:
    assert run("--access-key", "key", "--secret-key", "secret").exit_code == 0
    assert served["credentials"] == {"key": "secret"}
    assert run("--access-key", "key").exit_code == 2
    assert run("--secret-key", "secret").exit_code == 2


def test_is_unkind_when_asked_to(served: dict[str, Any]) -> None:
    result = run("--like", "aws", "--seed", "7")
    assert result.exit_code == 0
    assert "seed 7" in result.output
    assert isinstance(served["service"], Expiring)
    assert isinstance(served["service"].service, UnkindService)
    # Expired items are deleted by what stands before it.
    assert served["service"].service.weather == replace(LIKE_AWS, sweeps=0.0)


def test_each_setting_alone(served: dict[str, Any]) -> None:
    assert run("--staleness", "0.25").exit_code == 0
    assert served["service"].weather == Weather(staleness=0.25)
    assert served["router"] is None
    assert run("--ttl-lag", "5").exit_code == 0
    assert isinstance(served["service"], Expiring)
    assert run("--dax", "--dax-item-ttl", "7").exit_code == 0
    assert served["service"].caching == Caching(item_ttl=7.0)


def test_settings_from_the_file(served: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dynoracle.toml").write_text('[serve]\nlike = "aws"\nstaleness = 0.1\nindex-lag = 0.2\n')
    assert run("--index-lag", "0.3").exit_code == 0
    weather = served["service"].service.weather
    assert (weather.staleness, weather.index_lag, weather.partial) == (0.1, 0.3, LIKE_AWS.partial)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--errors", "2"], "a share of calls"),
        (["--stream-shards", "0"], "must be 1 to 64"),
        (["--staleness", "-1"], "must not be negative"),
        (["--regions", "nowhere"], "no region of AWS"),
        (["--clock", "manual", "--host", "0.0.0.0"], "for this machine alone"),
    ],
)
def test_settings_that_make_no_sense(served: dict[str, Any], arguments: list[str], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[serve", "not TOML"),
        ("serve = 1", "must be a table"),
        ("[serve]\nwhat = 1", "no setting"),
        ("[serve]\ndax = 1", "true or false"),
        ('[serve]\nseed = "x"', "must be a number"),
        ('[serve]\nlike = "x"', "one of emulator, aws"),
        ('[serve]\nclock = "x"', "one of wall, manual"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Any, text: str, told: str) -> None:
    (tmp_path / "dynoracle.toml").write_text(text)
    with pytest.raises(KnobError, match=told):
        resolve({}, tmp_path)


def test_tables_are_creating_for_as_long_as_asked(served: dict[str, Any]) -> None:
    assert run("--create-seconds", "30").exit_code == 0
    table = {
        "TableName": "tab",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    assert isinstance(served["service"].execute(Call("CreateTable", table)), Success)
    described = served["service"].execute(Call("DescribeTable", {"TableName": "tab"}))
    assert described.body["Table"]["TableStatus"] == "CREATING"


def test_buckets_are_folders_that_exist(served: dict[str, Any], tmp_path: Any) -> None:
    assert run("--bucket-dir", str(tmp_path)).exit_code == 0
    assert isinstance(served["service"], FolderBuckets)
    assert run("--bucket-dir", str(tmp_path / "none")).exit_code == 2


def test_a_port_that_is_none(served: dict[str, Any]) -> None:
    assert run("--port", "65536").exit_code == 2
    assert not served
    assert run("--port", "65535").exit_code == 0


def test_an_address_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("in use")

    monkeypatch.setattr(server, "serve_forever", refuse)
    result = run("--port", "80")
    assert result.exit_code == 2
    assert "127.0.0.1:80" in result.output
    assert "choose another --port" in result.output
