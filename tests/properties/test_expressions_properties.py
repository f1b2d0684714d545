"""Properties of expressions: printing and reading, evaluation that never fails, garbage that is always answered."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.expressions import legacy
from reference.expressions import update as updates
from reference.expressions.binding import bind, named
from reference.expressions.condition import evaluate
from reference.expressions.key_condition import analyse
from reference.expressions.parser import parse
from reference.expressions.printing import Placed, render
from reference.expressions.projection import project
from reference.expressions.request import read
from reference.expressions.tree import (
    Add,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Delete,
    In,
    Literal,
    Not,
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
    Set,
    Update,
)
from reference.expressions.update import returned, statement_bytes
from reference.rules import every, surface
from reference.values.value import compare, normalise

few = settings(max_examples=100, deadline=None, derandomize=True)

NAMES = st.sampled_from(["a", "b", "c", "x1", "status", "a.b", "and", "SET", "ü", "#odd", "3"])
TEXTS = st.text("ab😀", max_size=3)
NUMBERS = st.integers(-12, 12).map(str)
BINARIES = st.sampled_from(["", "YQ==", "YWI=", "gA=="])


def _set_of(tag: str, members: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(members, min_size=1, max_size=3, unique=True).map(lambda m: _normal({tag: m}))


def _normal(value: dict[str, Any]) -> dict[str, Any]:
    kept = normalise(value, "current", [])
    assert kept is not None
    return kept


SCALARS = st.one_of(
    TEXTS.map(lambda t: {"S": t}),
    NUMBERS.map(lambda t: {"N": t}),
    BINARIES.map(lambda t: {"B": t}),
    st.booleans().map(lambda b: {"BOOL": b}),
    st.just({"NULL": True}),
    _set_of("SS", TEXTS),
    _set_of("NS", NUMBERS),
    _set_of("BS", BINARIES),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda elements: {"L": elements}),
        st.dictionaries(NAMES, inner, max_size=3).map(lambda members: {"M": members}),
    ),
    max_leaves=5,
)
ITEMS = st.dictionaries(NAMES, VALUES, max_size=5)
PATHS = st.builds(
    lambda first, rest: Path((first, *rest)), NAMES, st.lists(st.one_of(NAMES, st.integers(0, 3)), max_size=3)
)
LITERALS = VALUES.map(Literal)
ATOMS = st.one_of(PATHS, LITERALS)
OPERANDS = st.one_of(ATOMS, ATOMS.map(lambda atom: Call("size", (atom,))))
LEAVES = st.one_of(
    st.builds(Compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), OPERANDS, OPERANDS),
    st.builds(Between, OPERANDS, OPERANDS, OPERANDS),
    st.builds(In, OPERANDS, st.lists(OPERANDS, min_size=1, max_size=3).map(tuple)),
    st.builds(lambda f, p: Call(f, (p,)), st.sampled_from(["attribute_exists", "attribute_not_exists"]), PATHS),
    st.builds(
        lambda f, a, b: Call(f, (a, b)),
        st.sampled_from(["begins_with", "contains", "attribute_type"]),
        OPERANDS,
        OPERANDS,
    ),
)


def _joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), inner.map(Not))


CONDITIONS = st.recursive(LEAVES, _joined, max_leaves=6)
SET_VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda p, o: Call("if_not_exists", (p, o)), PATHS, inner),
        st.builds(lambda a, b: Call("list_append", (a, b)), inner, inner),
    ),
    max_leaves=4,
)
ACTIONS = st.one_of(
    st.builds(Set, PATHS, st.one_of(SET_VALUES, st.builds(Arithmetic, st.sampled_from("+-"), SET_VALUES, SET_VALUES))),
    st.builds(Remove, PATHS),
    st.builds(Add, PATHS, LITERALS),
    st.builds(Delete, PATHS, LITERALS),
)
SECTIONS = [Set, Remove, Add, Delete]


def _gathered(actions: list[Any]) -> Update:
    return Update(tuple(sorted(actions, key=lambda action: SECTIONS.index(type(action)))))


UPDATES = st.lists(ACTIONS, min_size=1, max_size=4).map(_gathered)
PROJECTIONS = st.lists(PATHS, min_size=1, max_size=4).map(lambda paths: Projection(tuple(paths)))


def _read_back(kind: Any, tree: Any) -> Any:
    """The tree after printing it, reading the text, and putting names and values back in by hand."""
    placed = Placed()
    text = render(tree, placed)
    parsed = parse(kind, text)
    assert parsed.tree is not None, text
    assert set(parsed.aliases) == set(placed.names)
    assert set(parsed.placeholders) == set(placed.values)
    filled = named(kind, text, placed.names).tree
    return _filled(filled, placed.values)


def _filled(node: Any, values: dict[str, Any]) -> Any:
    if isinstance(node, Placeholder):
        return Literal(values[node.name])
    if isinstance(node, tuple):
        return tuple(_filled(each, values) for each in node)
    if hasattr(node, "__dataclass_fields__") and not isinstance(node, Path):
        return type(node)(*(_filled(getattr(node, name), values) for name in node.__dataclass_fields__))
    return node


@few
@given(CONDITIONS)
def test_conditions_print_and_read_back(tree: Any) -> None:
    for kind in ("Condition", "Filter", "KeyCondition"):
        assert _read_back(kind, tree) == tree


@few
@given(UPDATES)
def test_updates_print_and_read_back(tree: Any) -> None:
    assert _read_back("Update", tree) == tree


@few
@given(PROJECTIONS)
def test_projections_print_and_read_back(tree: Any) -> None:
    assert _read_back("Projection", tree) == tree


@few
@given(CONDITIONS)
def test_what_binds_is_the_tree(tree: Any) -> None:
    placed = Placed()
    text = render(tree, placed)
    found, bound = every(bind(named("Condition", text, placed.names), placed.values))
    assert (bound == tree) if not found else bound is None
    # The second time the checks may be remembered: the answer is the same.
    assert every(bind(named("Condition", text, placed.names), placed.values)) == (found, bound)


@few
@given(CONDITIONS, ITEMS)
def test_evaluation_never_fails(tree: Any, item: dict[str, Any]) -> None:
    truth = evaluate(tree, item)
    assert truth in (True, False)
    assert evaluate(Not(tree), item) is not truth
    assert evaluate(And((tree, Not(tree))), item) is False
    assert evaluate(Or((tree, Not(tree))), item) is True


@few
@given(OPERANDS, OPERANDS, ITEMS)
def test_comparisons_agree_with_each_other(left: Any, right: Any, item: dict[str, Any]) -> None:
    def holds(operator: str) -> bool:
        return evaluate(Compare(operator, left, right), item)

    assert holds("=") is not holds("<>")
    assert holds("<") == evaluate(Compare(">", right, left), item)
    assert holds("<=") == evaluate(Compare(">=", right, left), item)
    if holds("<"):
        assert holds("<=")
        assert not holds("=")
        assert not holds(">")
    if holds("<=") and holds(">="):
        assert holds("=")
    assert evaluate(In(left, (right,)), item) is holds("=")
    assert evaluate(Between(left, right, right), item) is (holds("<=") and holds(">="))


@few
@given(st.lists(PATHS, min_size=1, max_size=4), ITEMS)
def test_projection_keeps_and_does_not_invent(paths: list[Path], item: dict[str, Any]) -> None:
    part = project(paths, item)
    assert _inside(part, item)
    assert set(part) <= {path.steps[0] for path in paths}
    assert project([Path((name,)) for name in item], item) == item
    assert project([*paths, *paths], item) == part


def _inside(part: dict[str, Any], whole: dict[str, Any]) -> bool:
    return all(name in whole and _within(value, whole[name]) for name, value in part.items())


def _within(part: Any, whole: Any) -> bool:
    if part == whole:
        return True
    if "M" in part and "M" in whole:
        return _inside(part["M"], whole["M"])
    if "L" in part and "L" in whole:
        rest = iter(whole["L"])
        return all(any(_within(element, other) for other in rest) for element in part["L"])
    return False


KEY = {"p": {"S": "k"}}


@few
@given(UPDATES, st.one_of(st.none(), ITEMS))
def test_updates_never_fail_and_change_nothing_in_place(tree: Update, item: dict[str, Any] | None) -> None:
    item = None if item is None else KEY | item
    before = repr(item)
    for update in (tree, Update(tree.actions, legacy=True)):
        found, result = every(updates.apply(update, item, KEY))
        assert repr(item) == before
        assert statement_bytes(update) >= 0
        assert (result is None) == bool(found)
        if result is None:
            continue
        for which in ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
            returned(result, which)
        assert returned(result, "ALL_OLD") == item
        if result.new is not None:
            assert result.new["p"] == KEY["p"]
            untouched = {name for name in item or {} if name not in {t.steps[0] for t in result.targets}}
            assert all(result.new[name] == (item or {})[name] for name in untouched)
            assert all(normalise(value, "current", []) == value for value in result.new.values())


@few
@given(ITEMS, NAMES, NAMES)
def test_set_swaps(item: dict[str, Any], one: str, two: str) -> None:
    if one == two or one not in item or two not in item:
        return
    swap = Update((Set(Path((one,)), Path((two,))), Set(Path((two,)), Path((one,)))))
    _, once = every(updates.apply(swap, KEY | item, KEY))
    assert once is not None
    assert once.new is not None
    assert (once.new[one], once.new[two]) == (item[two], item[one])
    _, twice = every(updates.apply(swap, once.new, KEY))
    assert twice is not None
    assert twice.new == KEY | item


@few
@given(st.lists(VALUES, max_size=4), st.sets(st.integers(0, 6), max_size=3), st.sets(st.integers(0, 6), max_size=3))
def test_list_indexes_are_those_before_the_update(elements: list[Any], removed: set[int], written: set[int]) -> None:
    written = written - removed
    new: dict[str, Any] = {"S": "new"}
    update = Update(
        tuple([Remove(Path(("l", i))) for i in removed] + [Set(Path(("l", i)), Literal(new)) for i in written])
    )
    _, result = every(updates.apply(update, KEY | {"l": {"L": elements}}, KEY))
    assert result is not None
    assert result.new is not None
    kept = [new if i in written else element for i, element in enumerate(elements) if i not in removed]
    assert result.new["l"] == {"L": kept + [new] * sum(i >= len(elements) for i in written)}


@few
@given(_set_of("NS", NUMBERS), _set_of("NS", NUMBERS))
def test_sets_add_and_delete(have: dict[str, Any], given_: dict[str, Any]) -> None:
    add = Update((Add(Path(("s",)), Literal(given_)),))
    _, result = every(updates.apply(add, KEY | {"s": have}, KEY))
    assert result is not None
    assert result.new is not None
    union = result.new["s"]["NS"]
    assert set(union) == {*have["NS"], *given_["NS"]}
    assert union == sorted(union, key=int)
    take = Update((Delete(Path(("s",)), Literal(given_)),))
    _, result = every(updates.apply(take, result.new, KEY))
    assert result is not None
    assert result.new is not None
    assert set(result.new.get("s", {}).get("NS", ())) == set(have["NS"]) - set(given_["NS"])


WORDS = """
SET REMOVE ADD DELETE AND OR NOT BETWEEN IN ( ) [ ] . , = <> < <= > >= + - a b #n #m :v :w 0 1 99999999999 status
size( f( contains( begins_with( attribute_type( attribute_exists( if_not_exists( list_append( _ ! 😀
"""
PIECES = st.sampled_from(WORDS.split())
GARBAGE = st.one_of(
    st.text(max_size=40),
    st.lists(PIECES, max_size=25).map(" ".join),
    st.lists(PIECES, max_size=25).map("".join),
    st.builds(lambda piece, count: piece * count, PIECES, st.integers(0, 4200)),
    st.builds(lambda a, b, n: a * n + "a" + b * n, PIECES, PIECES, st.integers(0, 2100)),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL", "x"]), inner),
    ),
    max_leaves=6,
)


def _wrapped(value: Any, count: int) -> Any:
    for _ in range(count):
        value = {"L": [value]}
    return value


ANY_VALUES = st.one_of(VALUES, JSON, st.builds(_wrapped, JSON, st.integers(30, 70)), st.just({"S": "a", "L": [{}]}))
ALL_KINDS = ("Update", "Condition", "KeyCondition", "Filter", "Projection")


@few
@given(
    st.sampled_from(["UpdateItem", "TransactWriteItems", "Query", "Scan"]),
    st.lists(GARBAGE, min_size=5, max_size=5),
    st.dictionaries(st.sampled_from([":v", ":w", ":", "v"]), ANY_VALUES),
)
def test_any_garbage_is_answered(operation: str, texts: list[str], values: dict[str, Any]) -> None:
    request: dict[str, Any] = {f"{kind}Expression": text for kind, text in zip(ALL_KINDS, texts, strict=True)}
    request |= {"ExpressionAttributeNames": {"#n": "a"}, "ExpressionAttributeValues": values}
    for layer in ("current", "older"):
        found, _ = every(read(operation, request, ALL_KINDS, layer))  # type: ignore[arg-type]
        for fault in found:
            assert fault.message(surface(operation)) is not None


def _entries(*members: str) -> st.SearchStrategy[dict[str, Any]]:
    """Legacy entries of the right JSON types but any content."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "Value": ANY_VALUES,
        "AttributeValueList": st.lists(ANY_VALUES, max_size=3),
        "Exists": st.booleans(),
        "ComparisonOperator": st.sampled_from(["EQ", "NE", "LT", "IN", "BETWEEN", "NULL", "CONTAINS", "BEGINS_WITH"]),
        "Action": st.sampled_from(["PUT", "ADD", "DELETE"]),
    }
    return st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={m: parts[m] for m in members}), max_size=3)


@few
@given(
    _entries("Value", "AttributeValueList", "Exists", "ComparisonOperator"),
    _entries("Value", "Action"),
    st.sampled_from([None, "AND", "OR"]),
    ITEMS,
)
def test_any_legacy_parameters_are_answered(
    conditions: dict[str, Any], changes: dict[str, Any], operator: str | None, item: dict[str, Any]
) -> None:
    request = {"Expected": conditions, "AttributeUpdates": changes, "ConditionalOperator": operator}
    found, condition = every(legacy.expected(request, "current"))
    if not found and condition is not None:
        evaluate(condition, item)
    filters = {
        name: entry | {"ComparisonOperator": "EQ"}
        for name, entry in conditions.items()
        if "AttributeValueList" in entry
    }
    every(legacy.filters({"QueryFilter": filters, "ConditionalOperator": operator}, "QueryFilter", "older"))
    asked, clauses = every(legacy.key_conditions({"KeyConditions": filters}, "current"))
    if not asked and clauses is not None:
        every(analyse(clauses, [("a", "S")], [("b", "N")]))
    wrong, update = every(legacy.attribute_updates(request, "current"))
    if not wrong and update is not None:
        every(updates.apply(update, KEY | item, KEY))


@few
@given(VALUES, VALUES)
def test_between_is_refused_exactly_when_its_bounds_are_out_of_order(low: Any, high: Any) -> None:
    text = "a BETWEEN :v AND :w"
    found, _ = every(bind(named("Condition", text, {}), {":v": low, ":w": high}))
    order = compare(low, high)
    assert bool(found) is (order is None or order > 0)
