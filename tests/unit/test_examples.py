"""The examples of docs/examples.md run as they stand, against ``dynoracle serve``; what boto3 asks for beyond them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from conformance.functions import ServedClock, triggers_at

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "examples.md").read_text()
ADDRESS = "http://127.0.0.1:8000"
COMMAND = re.search(r"dynoracle (serve [^#\n]*)", PAGE)


def examples() -> dict[str, str]:
    """Heading → the code below it; what all begin with stands under the page's title."""
    found = {}
    for heading, text in re.findall(r"^#+ (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE):
        found[heading] = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    return found


EXAMPLES = examples()
PREAMBLE = EXAMPLES.pop("Examples")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An endpoint served by the page's own command, on a free port."""
    assert COMMAND
    words = COMMAND[1].replace("--port 8000", "--port 0").split()
    with subprocess.Popen(
        [sys.executable, "-m", "dynoracle", *words], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        try:
            answering = re.search(r"http://\S+?(?=;)", process.stdout.readline())
            assert answering
            yield answering[0]
        finally:
            process.kill()


def test_each_capability_has_an_example() -> None:
    assert list(EXAMPLES) == [
        "Streams", "Triggers", "Kinesis", "Time to live", "Backups and point-in-time recovery", "Export and import",
        "Bulk puts", "Vector search", "Tags, policies, insights",
    ]  # fmt: skip
    assert all(code.count("assert ") >= 2 or name == "Vector search" for name, code in EXAMPLES.items())


def test_the_examples_run(url: str) -> None:
    """One after the other on one endpoint: they keep out of each other's way, as a reader would want it."""
    names: dict[str, Any] = {}
    exec(compile(PREAMBLE.replace(ADDRESS, url), "examples.md", "exec"), names)
    for heading, code in EXAMPLES.items():
        exec(compile(code, f"examples.md: {heading}", "exec"), dict(names))


def test_functions_are_called_on_any_endpoint(url: str) -> None:
    aws = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    db = boto3.client("dynamodb", **aws)
    table = db.create_table(
        TableName="tasks",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    seen: list[Any] = []

    def copy(event: dict[str, Any], context: Any) -> None:
        """Writes back to the same endpoint, as handlers do."""
        for record in event["Records"]:
            seen.append(record["dynamodb"]["NewImage"])
            if "copied" not in record["dynamodb"]["NewImage"]:
                db.put_item(TableName="tasks", Item={"id": {"S": "copy"}, "copied": {"BOOL": True}})

    triggers = triggers_at(url)
    triggers.connect(table["LatestStreamArn"], copy)
    db.put_item(TableName="tasks", Item={"id": {"S": "a"}, "data": {"B": b"\x00\xff"}})
    assert triggers.settle() == 2
    # Binary values come as base64 text, as in the events of Lambda.
    assert seen == [{"id": {"S": "a"}, "data": {"B": "AP8="}}, {"id": {"S": "copy"}, "copied": {"BOOL": True}}]
    assert db.get_item(TableName="tasks", Key={"id": {"S": "copy"}})["Item"]["copied"] == {"BOOL": True}


def test_a_served_clock_is_told_from_one_that_goes_by_itself(url: str) -> None:
    clock = ServedClock(url)
    assert clock.driven()
    before = clock.now()
    clock.set(before + 60)
    assert clock.now() == before + 60
    with pytest.raises(ValueError, match="never goes back"):
        clock.set(before)
    assert not ServedClock("http://127.0.0.1:9").driven()
    with pytest.raises(TypeError):
        triggers_at("http://127.0.0.1:9").advance(1)
    assert urllib3.request("GET", f"{url}/_dynoracle/clock").status == 200
