"""The house: its layout, its import rule, and a ledger in which every rule is named in code and every name exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.rules import STRENGTHS, ledger, pattern

HOME = Path(__file__).resolve().parents[2]
PACKAGES = ("reference", "conformance", "chaos", "reports")
KINDS = {*STRENGTHS}


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((HOME / package).rglob("*.py"))


def test_layout() -> None:
    for name in ("pyproject.toml", "README.md", "dynoracle.py", *PACKAGES, "tests"):
        assert (HOME / name).exists(), name


def test_nothing_imports_the_composition_root() -> None:
    for path in sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "dynoracle" not in {name.split(".")[0] for name in names}, path


def test_import_rule() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


PURE_EXCEPTIONS = {"server.py", "cli.py"}
IMPURE = {"socket", "threading", "asyncio", "random", "time", "datetime", "subprocess", "requests", "http", "urllib3"}


def test_the_reference_does_no_io() -> None:
    # unkind.py and the like take their randomness as a seeded parameter.
    for path in sources("reference"):
        if path.name in PURE_EXCEPTIONS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                call = ast.unparse(node.func)
                assert call not in {"time.time", "random.random", "datetime.now", "os.urandom", "uuid.uuid4"}, path


def literals(*packages: str) -> set[str]:
    """Every string in the code that looks like a rule's name."""
    found = set()
    for path in sources(*packages):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", node.value)
            ):
                found.add(node.value)
    return found


def named_in_violations() -> Iterator[tuple[Path, str]]:
    for path in sources("reference"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "violation"
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield path, first.value


def test_every_rule_named_in_code_exists() -> None:
    missing = {(path.name, name) for path, name in named_in_violations() if name not in ledger()}
    assert not missing


def composed(name: str, seen: set[str]) -> bool:
    """Whether a name that no literal holds is put together in code from its parts."""
    area, _, slug = name.partition(".")
    return (
        any(name.startswith(text) and len(text) > len(area) + 1 for text in seen if text.startswith(area))
        or slug in seen
    )


def test_every_rule_is_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources("reference", "conformance", "chaos"))
    names = set(re.findall(r"[a-z-]+\.[a-z0-9-]+", text))
    pieces = set(re.findall(r"""["']([a-z0-9-]+)["']""", text)) | set(re.findall(r"f[\"']([a-z]+\.[a-z-]+-)\{", text))
    unused = [
        name
        for name, rule in ledger().items()
        if rule.observable and name not in names and not composed(name, names | pieces)
    ]
    assert not unused


@pytest.mark.parametrize("name", sorted(ledger()))
def test_a_rule_is_whole(name: str) -> None:
    rule = ledger()[name]
    assert rule.says.rstrip(")").endswith("."), "says is one sentence"
    assert rule.evidence, "no evidence"
    assert {e.kind for e in rule.evidence} <= KINDS
    assert all(e.source for e in rule.evidence)
    assert all(
        re.fullmatch(r"(dataplane|beyond|drift|messages|recorded|surprises|conflicts|article-claims):\S.*", s)
        for s in rule.spec
    )
    for template in (rule.message, rule.older, rule.phrase):
        if template is not None:
            pattern(template)
