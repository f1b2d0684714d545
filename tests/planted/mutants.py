"""Bugs that nobody thought up: one small change of the reference's source, drawn by seed, in a copy in this process.

A mutated module is executed anew together with every module that imports it, and those alone; what they share with the
reference (calls, replies, rules) is the same. The copy is never installed: the reference goes on as it was.
"""

from __future__ import annotations

import ast
import copy
import importlib
import random
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import reference.service
from conformance.program import BUCKET
from reference.api import Call, Lost, Refusal, Reply
from reference.service import Service

HOME = Path(reference.service.__file__).parents[1]
KEPT = frozenset({"reference", "reference.api", "reference.rules", "reference.clock"})
"""Modules that are never mutated: the words that reference and search speak to each other in."""
REGISTRY = "reference.lifecycle"
"""The module that others enter what they do into, so that each copy needs one of its own."""
SECONDS = 3.0
"""A call that takes longer has lost its way."""
_NAMES = ("__repr__", "__str__", "__hash__", "__post_init__")


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the source and what is done there; ``number`` counts the sites of a module."""

    module: str
    line: int
    number: int
    what: str

    @property
    def place(self) -> str:
        """File and line."""
        return f"{path_of(self.module).relative_to(HOME)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A site with the copy that has it; looks like a plant to whatever searches plants."""

    name: str
    about: str
    capability: str
    site: Site
    wrap: Callable[[Service], MutantService]


class MutantService:
    """A mutated copy of the service; what it raises, a server would answer with 500, and what hangs is lost."""

    def __init__(self, modules: dict[str, types.ModuleType], service: Service) -> None:
        account = service.account
        fresh = modules["reference.account"].Account(account.clock, region=account.region)
        if account.rooms:
            modules["reference.transfer.buckets"].buckets(fresh.rooms).make(BUCKET)
        self.service: Any = modules["reference.service"].Service(fresh)

    def execute(self, call: Call) -> Reply:
        try:
            with _alarm():
                reply: Reply = self.service.execute(copy.deepcopy(call))
            return reply
        except _HangsError:
            return Lost("timeout")
        except Exception as error:
            return Refusal("InternalServerError", f"{type(error).__name__}: {error}", 500)

    def operations(self) -> Any:
        return self.service.operations()


class _HangsError(BaseException):
    pass


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(signum: int, frame: object) -> None:
        raise _HangsError

    # Processor time: a busy machine is no mistake. Again and again, for a collector of garbage swallows what is raised.
    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# Sites

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], str]] = {
    ast.Lt: (ast.LtE, "< becomes <="), ast.LtE: (ast.Lt, "<= becomes <"), ast.Gt: (ast.GtE, "> becomes >="),
    ast.GtE: (ast.Gt, ">= becomes >"), ast.Eq: (ast.NotEq, "== becomes !="), ast.NotEq: (ast.Eq, "!= becomes =="),
    ast.In: (ast.NotIn, "in becomes not in"), ast.NotIn: (ast.In, "not in becomes in"),
    ast.Is: (ast.IsNot, "is becomes is not"), ast.IsNot: (ast.Is, "is not becomes is"),
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], tuple[type[ast.operator], str]] = {
    ast.Add: (ast.Sub, "+ becomes -"), ast.Sub: (ast.Add, "- becomes +"), ast.Mult: (ast.FloorDiv, "* becomes //"),
    ast.FloorDiv: (ast.Mult, "// becomes *"), ast.BitOr: (ast.BitAnd, "| becomes &"),
    ast.BitAnd: (ast.BitOr, "& becomes |"),
}  # fmt: skip


class _Mutator(ast.NodeTransformer):
    """Numbers every site; at ``wanted`` it makes the change. Docstrings, annotations and names are left alone."""

    def __init__(self, wanted: int | None = None) -> None:
        self.wanted = wanted
        self.sites: list[tuple[int, str]] = []
        self.depth = 0

    def here(self, node: Any, what: str) -> bool:
        """Note a site; whether it is the one to change."""
        self.sites.append((node.lineno, what))
        return self.wanted == len(self.sites) - 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name in _NAMES:
            return node
        self.depth += 1
        node.body = [part for statement in node.body for part in _listed(self.visit(statement))]
        self.depth -= 1
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for position, operator in enumerate(node.ops):
            other = _COMPARED.get(type(operator))
            if other is not None and self.here(node, other[1]):
                node.ops[position] = other[0]()
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        both = isinstance(node.op, ast.And)
        if self.here(node, "and becomes or" if both else "or becomes and"):
            node.op = ast.Or() if both else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.Not) and self.here(node, "not is dropped") else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = _COMPUTED.get(type(node.op))
        if self.depth and other is not None and self.here(node, other[1]):
            node.op = other[0]()
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            return ast.Constant(not value) if self.here(node, f"{value} becomes {not value}") else node
        if isinstance(value, int):
            return ast.Constant(value + 1) if self.here(node, f"{value} becomes {value + 1}") else node
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.test) != "TYPE_CHECKING" and self.here(node, "the condition of if is turned round"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        if self.depth and isinstance(node.value, ast.Call | ast.YieldFrom | ast.Yield):
            text = ast.unparse(node.value)
            if self.here(node, f"dropped: {text[:60]}"):
                # Not one statement less: where a check is dropped, the function stays a generator.
                return ast.parse(f"if False:\n    {ast.unparse(node)}").body[0]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Pass() if self.here(node, f"dropped: {ast.unparse(node)[:60]}") else node


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part]


# Drawing


@cache
def modules() -> dict[str, frozenset[str]]:
    """Every module behind the service with the modules it imports."""
    found: dict[str, frozenset[str]] = {}
    left = ["reference.service"]
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = frozenset(_imports(name))
        left += found[name]
    return found


def path_of(name: str) -> Path:
    """The source of a module."""
    path = HOME.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() and (path / "__init__.py").exists() else path.with_suffix(".py")


def _imports(name: str) -> Iterator[str]:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reference"):
            yield str(node.module)
            parts = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (part for part in parts if path_of(part).exists())
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("reference"))


@cache
def _source(name: str) -> str:
    return path_of(name).read_text(encoding="utf-8")


def _tree(name: str) -> ast.Module:
    return ast.parse(_source(name))


def sites() -> list[Site]:
    """Every place where something small can be changed."""
    found = []
    for name in sorted(modules().keys() - KEPT):
        mutator = _Mutator()
        mutator.visit(_tree(name))
        found += [Site(name, line, number, what) for number, (line, what) in enumerate(mutator.sites)]
    return found


def draw(count: int, seed: int) -> Iterator[Mutant]:
    """So many mutants, the same for the same seed; a change that can't even be imported is none."""
    listed = sites()
    made = 0
    for site in random.Random(seed).sample(listed, len(listed)):
        if made == count:
            return
        mutant = mutant_of(site)
        if mutant is not None:
            made += 1
            yield mutant


def mutant_of(site: Site) -> Mutant | None:
    """The copy of the reference that has this change; None where it does not come up."""
    mutator = _Mutator(site.number)
    tree = ast.fix_missing_locations(mutator.visit(_tree(site.module)))
    try:
        code = compile(tree, str(path_of(site.module)), "exec")
        with _alarm():
            copied = _copied(site.module, code)
    except (_HangsError, Exception):
        return None
    capability = site.module.split(".")[1]
    name = f"{site.place}#{site.number}"
    return Mutant(name, site.what, capability, site, lambda service: MutantService(copied, service))


# Executing


def affected(name: str) -> set[str]:
    """The module and all that import it, at one remove or more."""
    found = {name}
    while True:
        more = {each for each, imported in modules().items() if imported & found} - found
        if not more:
            return found
        found |= more


class _Finder(MetaPathFinder, Loader):
    """Gives one module other code."""

    def __init__(self, name: str, code: types.CodeType) -> None:
        self.name = name
        self.code = code

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        place = path_of(fullname)
        spec = ModuleSpec(fullname, self, origin=str(place), is_package=place.name == "__init__.py")
        spec.submodule_search_locations = [str(place.parent)] if place.name == "__init__.py" else None
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        module.__file__ = str(path_of(self.name))
        exec(self.code, module.__dict__)


def _copied(name: str, code: types.CodeType) -> dict[str, types.ModuleType]:
    """The modules that a change reaches, executed anew; every other as it is."""
    anew = affected(name) | affected(REGISTRY)
    ours = {each: module for each, module in sys.modules.items() if each.split(".")[0] == "reference"}
    finder = _Finder(name, code)
    for each in anew & ours.keys():
        del sys.modules[each]
        parent, _, child = each.rpartition(".")
        # `from package import module` would find the old one on a package that is not executed anew.
        delattr(ours[parent], child)
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module("reference.service")
        return {each: module for each, module in sys.modules.items() if each.split(".")[0] == "reference"}
    finally:
        sys.meta_path.remove(finder)
        for each in [each for each in sys.modules if each.split(".")[0] == "reference"]:
            del sys.modules[each]
        sys.modules.update(ours)
        for each, module in ours.items():
            parent, _, child = each.rpartition(".")
            if parent in ours:
                setattr(ours[parent], child, module)
