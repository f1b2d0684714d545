"""The documentation: links lead somewhere, commands and options exist, the tutorial's bug is what it says it is."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

import dynoracle
from conformance.program import Program, Step
from conformance.targets.catalogue import catalogue
from reference.service import Service
from tests.planted.arena import divergences
from tests.planted.base import Executes

ROOT = Path(__file__).parents[2]
NAMES = ("tutorial.md", "how-to.md", "reference.md", "explanation.md", "examples.md")
FINDINGS = [ROOT / "docs" / "findings.md", *sorted((ROOT / "docs" / "findings").glob("*.md"))]
PUBLISHED = [ROOT / "reports" / "published" / "README.md"]
PAGES = [ROOT / "README.md", *(ROOT / "docs" / name for name in NAMES), *FINDINGS, *PUBLISHED]
WORDS_ALONE = {"explanation.md", "README.md"}
"""Pages that need not show a command."""


def commands(path: Path) -> list[list[str]]:
    """Every command line of ours that a page shows."""
    text = path.read_text()
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines += re.findall(r"`(dynoracle [a-z][^`]*)`", text)
    words = (shlex.split(line, comments=True) for line in lines)
    return [found[1:] for found in words if found and found[0] == "dynoracle"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" in link:
            continue
        place = (path.parent / link).resolve()
        assert place.exists(), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_and_their_options_exist(path: Path) -> None:
    root = typer.main.get_command(dynoracle.app)
    shown = commands(path)
    assert shown or path.name in WORDS_ALONE
    for words in shown:
        command = root
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands") or not words or words[0].isupper(), (path.name, words)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.split("=")[0] for word in words if word.startswith("-")} <= known | {"--help"}, words


def test_every_command_has_help_and_stands_in_the_reference() -> None:
    root = typer.main.get_command(dynoracle.app)
    text = (ROOT / "docs" / "reference.md").read_text()
    for name in root.commands:  # type: ignore[attr-defined]
        told = CliRunner().invoke(dynoracle.app, [name, "--help"])
        assert told.exit_code == 0, told.output
        assert f"`dynoracle {name}" in text or name in ELSEWHERE, name


ELSEWHERE = {"chaos", "lockstep"}
"""Commands that pages of their own describe."""


def test_targets_that_pages_name_are_in_the_catalogue() -> None:
    names = {words[1] for path in PAGES for words in commands(path) if words[:1] == ["run"] and len(words) > 1}
    plain = {name for name in names if re.fullmatch(r"[a-z][a-z-]*", name)}
    assert plain - {"mine"} <= set(catalogue(ROOT))


def emulator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tutorial_emulator", ROOT / "docs" / "tutorial_emulator.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tutorials_emulator_has_the_bug_and_no_other() -> None:
    module = emulator()

    def wrap(service: Service) -> Executes:
        return module.Emulator(service.account)  # type: ignore[no-any-return]

    table = {
        "TableName": "${table:t0}", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST",
    }  # fmt: skip
    key = {"TableName": "${table:t0}", "Key": {"pk": {"S": "a"}}}
    values = {"ExpressionAttributeValues": {":v0": {"N": "1"}, ":v1": {"S": "a"}}}
    put = Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}}})
    delete = Step("DeleteItem", {**key, "ConditionExpression": "size(b) > :v0 OR b IN (:v1)", **values})
    (found,) = divergences(wrap, Program("items", {"t0": table}, (delete,)))
    assert (found.rule, found.severity) == ("items.condition-failed", "accepts")
    assert found.fingerprint in (ROOT / "docs" / "tutorial.md").read_text()
    assert divergences(wrap, Program("items", {"t0": table}, (put, Step("DeleteItem", key)))) == []


def test_the_tutorial_names_the_lines_that_are_wrong() -> None:
    module = emulator()
    text = (ROOT / "docs" / "tutorial.md").read_text()
    lines = Path(str(module.__file__)).read_text()
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block
    assert block[1] in lines
