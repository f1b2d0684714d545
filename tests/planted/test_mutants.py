"""Mutants are drawn by seed, differ in one place, live beside the reference, and never leak into it."""

from __future__ import annotations

import ast

import pytest

from reference.account import Account
from reference.api import Call, Lost, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service
from tests.planted import mutants
from tests.planted.arena import divergences, plain
from tests.planted.mutants import Mutant, Site, affected, draw, mutant_of, sites
from tests.planted.plants import plant_of
from tests.planted.power import check_fails, same, usable_checks, witness_of, witnesses

WITNESS = plant_of("put-merges").witness


def changed(module: str, what: str, text: str) -> Mutant:
    """The mutant with that change in the line that holds this text."""
    lines = mutants._source(module).splitlines()
    found = [site for site in sites() if site.module == module and site.what == what and text in lines[site.line - 1]]
    mutant = mutant_of(found[0])
    assert mutant is not None
    return mutant


def test_the_same_seed_draws_the_same() -> None:
    one, two, other = ([m.name for m in draw(3, seed)] for seed in (5, 5, 6))
    assert one == two != other


def test_every_kind_of_change_is_there() -> None:
    kinds = {site.what.split(":")[0] for site in sites()}
    for what in ("< becomes <=", "in becomes not in", "and becomes or", "not is dropped", "0 becomes 1", "dropped",
                 "True becomes False", "the condition of if is turned round", "+ becomes -"):  # fmt: skip
        assert what in kinds


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("< becomes <=", "a < b", "a <= b"),
        ("not is dropped", "not a", "a"),
        ("1 becomes 2", "a[1]", "a[2]"),
        ("the condition of if is turned round", "if a:\n    b", "if not a:\n    b"),
        (
            "dropped: (yield from f())",
            "def g():\n    yield from f()",
            "def g():\n    if False:\n        yield from f()",
        ),
        ("dropped: a += b", "a += b", "pass"),
    ],
)
def test_changes(what: str, before: str, after: str) -> None:
    counting = mutants._Mutator()
    counting.visit(ast.parse(before))
    number = [w for _, w in counting.sites].index(what)
    assert ast.unparse(mutants._Mutator(number).visit(ast.parse(before))) == after


def test_what_is_no_behaviour_is_left_alone() -> None:
    text = '"""1"""\na: Literal[1]\nassert a == 1\nf"{a == 1}"\ndef __repr__(self):\n    return 1 + 1\n'
    counting = mutants._Mutator()
    counting.visit(ast.parse(text))
    assert counting.sites == []


def test_a_copy_without_a_change_is_the_reference() -> None:
    module = "reference.operations.items"
    copied = mutants._copied(module, compile(mutants._source(module), module, "exec"))

    def wrap(service: Service) -> mutants.MutantService:
        return mutants.MutantService(copied, service)

    assert divergences(wrap, WITNESS) == []
    assert [c.id for c in usable_checks("items", "backups", "global-tables") if check_fails(c, wrap)] == []
    assert "reference.api" not in affected(module)
    assert "reference.service" in affected(module)


def test_a_mutant_differs_and_does_not_leak() -> None:
    mutant = changed("reference.values.number", "38 becomes 39", "38")
    body = {
        "TableName": "table",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    long = {"TableName": "table", "Item": {"pk": {"S": "a"}, "n": {"N": "1" * 39}}}
    one, other = (make(Service(Account(ManualClock()))) for make in (mutant.wrap, plain))
    for service, kind in ((one, Success), (other, Refusal), (one, Success)):
        service.execute(Call("CreateTable", body))
        assert isinstance(service.execute(Call("PutItem", long)), kind)
    assert divergences(plain, WITNESS) == []


def test_what_raises_or_hangs_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    service = next(draw(1, 1)).wrap(Service(Account(ManualClock())))

    class Bad:
        def execute(self, call: Call) -> None:
            while call.operation == "Hang":
                pass
            raise KeyError("oops")

    service.service = Bad()
    monkeypatch.setattr(mutants, "SECONDS", 0.05)
    assert service.execute(Call("Hang", {})) == Lost("timeout")
    assert service.execute(Call("Raise", {})) == Refusal("InternalServerError", "KeyError: 'oops'", 500)


def test_witnesses_tell_a_change_from_none(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.planted.power.WITNESS_CHUNKS", 0)
    told = list(witnesses([c for c in usable_checks("values") if "number" in c.rule], tmp_path))
    assert all(same(each, plain) for each in told)
    assert witness_of(changed("reference.values.number", "38 becomes 39", "38"), told)
    site = Site("reference.operations.items", 1, -1, "nothing")
    unchanged = mutant_of(site)
    assert unchanged is not None
    assert witness_of(unchanged, told) == ""
