"""The relations themselves: what one reading says of another. Each finds at most one breach, or nothing to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.oracle.compare import canonical, is_value
from conformance.relations.reading import ALL, Question, Reading, Row, Source, in_partition, is_item
from reference.api import Item, Json
from reference.values.value import size

Tables = Mapping[str, Mapping[str, Source]]


@dataclass(frozen=True, slots=True)
class Breach:
    """A relation that does not hold: its name, the rule it breaks, how, and what the later answer should have held."""

    relation: str
    rule: str
    kind: str
    text: str
    expected: tuple[Row, ...] | None


RELATIONS = (
    "repeated", "paged", "turned", "counted", "segmented", "filtered", "projected", "within", "indexed", "stated",
)  # fmt: skip
"""The same asked again; in pages of another size; backwards; as a count; by segments; by a filter and its negation;
with a projection; a part of the table beside the whole; an index beside its table; in PartiQL."""


def same(later: Reading, earlier: Reading, tables: Tables) -> Iterator[tuple[str, Breach | None]]:
    """Two readings of one question, however they were asked."""
    if later.question != earlier.question or (later.segment or earlier.segment):
        return
    relation, rule = _difference(later, earlier)
    if later.rows is None or earlier.rows is None:
        wrong = later.count != earlier.count
        told = f"{earlier.count} rows were counted before, now {later.count}"
        yield "counted", Breach("counted", "queries.count", "value", told, None) if wrong else None
        return
    yield relation, _compared(relation, rule, later, earlier, tables)


def _difference(later: Reading, earlier: Reading) -> tuple[str, str]:
    """In what two readings of one question were asked differently, and the rule that makes this no matter."""
    scanning = later.call.operation == "Scan"
    if later.statement != earlier.statement:
        return "stated", "partiql.select" if later.question.index == "" else "partiql.index-read"
    if later.call.operation != earlier.call.operation:
        return "within", "consistency.views-agree"
    if later.forward != earlier.forward:
        return "turned", "queries.order"
    if later.limit != earlier.limit or later.pages != earlier.pages:
        return "paged", "scans.result" if scanning else "queries.page"
    return "repeated", "scans.result" if scanning else "consistency.read-after-write"


def _compared(relation: str, rule: str, later: Reading, earlier: Reading, tables: Tables) -> Breach | None:
    rows, before = later.rows or (), earlier.rows or ()
    breach = _alike(relation, rule, later, before)
    if breach is None and None not in (later.scanned, earlier.scanned) and later.scanned != earlier.scanned:
        text = f"{earlier.scanned} rows were looked at before, now {later.scanned}"
        return Breach(relation, rule, "scanned", text, None)
    if breach is not None or later.forward is None or earlier.forward is None:
        return breach
    turned = later.forward != earlier.forward
    before = before[::-1] if turned else before
    names = tables[later.question.table][later.question.index].names if later.question.index else ()
    if _order(rows, names) == _order(before, names):
        return None
    text = "the same rows come in another order than before" + (" backwards" if turned else "")
    return Breach(relation, "queries.order", "order", text, tuple(before[later.before :]))


def _order(rows: Sequence[Row], names: Sequence[str]) -> list[Any]:
    """What tells the order of rows: of a table each by itself, of an index its key alone, as ties have no order."""
    if not names:
        return [row.text for row in rows]
    return [[row.item.get(name) for name in names] for row in rows] if all(
        name in row.item for row in rows for name in names
    ) else []  # fmt: skip


def _alike(relation: str, rule: str, later: Reading, wanted: Sequence[Row]) -> Breach | None:
    """Whether a reading shows just these rows; its last page should have held what its others did not."""
    assert later.rows is not None
    missing = Counter(row.text for row in wanted) - Counter(row.text for row in later.rows)
    surplus = Counter(row.text for row in later.rows) - Counter(row.text for row in wanted)
    if not missing and not surplus:
        return None
    kind = "differs" if missing and surplus else "missing" if missing else "surplus"
    shown = Counter(row.text for row in later.rows[: later.before])
    left = []
    for row in wanted:
        if shown[row.text]:
            shown[row.text] -= 1
        else:
            left.append(row)
    rows = missing if missing else surplus
    text = f"{sum(rows.values())} rows {'are missing' if missing else 'are too many'}, by what was answered before"
    return Breach(relation, rule, kind, text, tuple(left))


def segmented(later: Reading, readings: Sequence[Reading]) -> Iterator[tuple[str, Breach | None]]:
    """The segments of a parallel Scan beside the Scan: the same rows, each once."""
    if later.question.chosen != ALL:
        return
    alike = [r for r in (*readings, later) if r.question == later.question and r.rows is not None]
    wholes = [r for r in alike if r.segment is None and not r.statement]
    for total in sorted({r.segment[1] for r in alike if r.segment is not None}):
        parts = {r.segment[0]: r for r in alike if r.segment is not None and r.segment[1] == total}
        if len(parts) != total or not wholes:
            continue
        whole = wholes[-1]
        if later is whole:
            joined = [row for r in parts.values() for row in r.rows or ()]
            yield "segmented", _alike("segmented", "scans.segments", whole, joined)
        elif later.segment is not None and parts.get(later.segment[0]) is later:
            others = [row for r in parts.values() if r is not later for row in r.rows or ()]
            yield "segmented", _alike("segmented", "scans.segments", _after(others, later), whole.rows or ())


def _after(others: Sequence[Row], later: Reading) -> Reading:
    """A reading as the last part of what other readings began."""
    return replace(later, rows=(*others, *(later.rows or ())), before=len(others) + later.before)


def filtered(later: Reading, readings: Sequence[Reading]) -> Iterator[tuple[str, Breach | None]]:
    """A filter and its negation beside no filter: each row is in one of the two."""
    known = {r.question: r for r in (*readings, later) if r.segment is None and r.rows is not None}
    bare = replace(later.question, filter="")
    for question in list(known):
        inner = negated(question.filter)
        if inner is None or replace(question, filter="") != bare:
            continue
        three = [known.get(replace(bare, filter=text)) for text in ("", inner, question.filter)]
        whole, kept, left = three
        if whole is None or kept is None or left is None or later not in (whole, kept, left):
            continue
        if any(r.statement for r in (whole, kept, left)):
            continue
        rule = "expressions.precedence"
        if later is whole:
            yield "filtered", _alike("filtered", rule, whole, (*(kept.rows or ()), *(left.rows or ())))
        else:
            other = kept if later is left else left
            yield "filtered", _alike("filtered", rule, _after(other.rows or (), later), whole.rows or ())


def negated(text: str) -> str | None:
    """What a filter that is wholly ``NOT (…)`` negates; None for any other filter."""
    if not text.startswith("NOT (") or not text.endswith(")"):
        return None
    depth, quoted, escaped = 0, False, False
    for place, letter in enumerate(text[4:], 4):
        if quoted:
            escaped, quoted = (letter == "\\" and not escaped), letter != '"' or escaped
            continue
        quoted = letter == '"'
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(text) - 1:
            return None
    return text[5:-1]


def projected(later: Reading, readings: Iterable[Reading], tables: Tables) -> Iterator[tuple[str, Breach | None]]:
    """What a projection shows is part of what the read shows without it, row by row."""
    if not later.question.projection or later.rows is None or later.segment is not None:
        return
    source = tables[later.question.table][later.question.index]
    if source.kind == "LSI" and source.stored is not None:
        return  # A local index fetches what is named and it lacks.
    question = replace(later.question, projection="")
    for whole in readings:
        if whole.question != question or whole.rows is None or whole.segment is not None:
            continue
        if len(later.rows) != len(whole.rows):
            if later.question.chosen.startswith("item "):
                continue
            text = f"{len(whole.rows)} rows come without the projection, with it {len(later.rows)}"
            yield "projected", Breach("projected", "items.projected", "count", text, None)
            return
        yield "projected", _unfounded(later, whole.rows)
        return


def _unfounded(later: Reading, wholes: Sequence[Row]) -> Breach | None:
    """A projected row that is part of no whole one; it should have held what the nearest holds."""
    for row in later.rows or ():
        if any(part_of(row.item, whole.item) for whole in wholes):
            continue
        nearest = max(wholes, key=lambda whole: len(row.item.keys() & whole.item.keys())).item
        fitted = Row(_fitted(row.item, nearest), b"", "")
        rows = tuple(fitted if each is row else replace(each, place="") for each in later.rows or ())
        text = "a projection shows what the item does not hold"
        return Breach("projected", "items.projected", "content", text, rows[later.before :])
    return None


def part_of(part: Item, whole: Item) -> bool:
    """Whether a projected item, or the inside of a map, is a part of the whole one."""
    return all(name in whole and _of_value(value, whole[name]) for name, value in part.items())


def _of_value(part: Json, whole: Json) -> bool:
    """Whether a projected value is a part of the whole: members of maps, elements of lists in their order."""
    if not is_value(part) or not is_value(whole):
        return bool(part == whole)
    ((kind, shown),) = part.items()
    held = whole.get(kind)
    if kind == "M" and isinstance(shown, dict) and isinstance(held, dict):
        return part_of(shown, held)
    if kind == "L" and isinstance(shown, list) and isinstance(held, list):
        rest = iter(held)
        return all(any(_of_value(element, other) for other in rest) for element in shown)
    return canonical(part) == canonical(whole)


def _fitted(part: Item, whole: Item) -> Item:
    """The projected item with what the whole one holds at its attributes."""
    return {
        name: value if _of_value(value, whole[name]) else whole[name] for name, value in part.items() if name in whole
    }


def within(later: Reading, readings: Iterable[Reading], tables: Tables) -> Iterator[tuple[str, Breach | None]]:
    """A partition or an item beside all rows, and an item beside its partition."""
    for other in readings:
        large, small = (other, later) if _larger(other.question, later.question) else (later, other)
        if not _larger(large.question, small.question) or None in (large.rows, small.rows):
            continue
        if replace(large.question, chosen="") != replace(small.question, chosen="") or large.question.projection:
            continue
        if large.segment is not None or small.segment is not None:
            continue
        if small.key is not None and in_partition(large.question.chosen, small.key) is False:
            continue
        names = tables[large.question.table][large.question.index].names
        among = [row for row in large.rows or () if _chooses(small.question.chosen, row.item, names)]
        rule = "partiql.select" if later.statement or other.statement else "consistency.views-agree"
        relation = "stated" if later.statement or other.statement else "within"
        if later is small:
            yield relation, _alike(relation, rule, small, among)
        else:
            others = [row for row in large.rows or () if row not in among]
            yield relation, _alike(relation, rule, large, (*others, *(small.rows or ())))


def _larger(large: Question, small: Question) -> bool:
    ranks = [_rank(question.chosen) for question in (large, small)]
    return None not in ranks and bool(ranks[0] > ranks[1])  # type: ignore[operator]


def _rank(chosen: str) -> int | None:
    return 2 if chosen == ALL else 1 if chosen.startswith("partition ") else 0 if chosen.startswith("item ") else None


def _chooses(chosen: str, item: Item, names: Sequence[str]) -> bool:
    return bool(in_partition(chosen, item) or is_item(chosen, item, names))


def indexed(later: Reading, readings: Iterable[Reading], tables: Tables) -> Iterator[tuple[str, Breach | None]]:
    """All rows of an index beside all rows of its table: those that have its key, and of them what it stores."""
    if later.question.chosen != ALL or later.rows is None or later.segment is not None:
        return
    for other in readings:
        pair = (other, later) if later.question.index else (later, other)
        table, index = pair
        if table.question.index or not index.question.index or table.question.table != index.question.table:
            continue
        if any(_partial(reading) for reading in pair) or index.rows is None or table.rows is None:
            continue
        held = tables[index.question.table]
        source = held.get(index.question.index)
        if source is None:
            continue
        wanted = [_shown(source, row.item) for row in table.rows if fits(source, row.item)]
        yield "indexed", _as_indexed(later, index, table, wanted, held[""].names)


def _partial(reading: Reading) -> bool:
    asked = reading.question
    return bool(asked.chosen != ALL or asked.filter or asked.projection or asked.select or reading.segment)


def _shown(source: Source, item: Item) -> Row:
    """What an index holds of an item."""
    held = item if source.stored is None else {name: value for name, value in item.items() if name in source.stored}
    return Row(held, canonical(held), "")


def _as_indexed(
    later: Reading, index: Reading, table: Reading, wanted: Sequence[Row], names: Sequence[str]
) -> Breach | None:
    breach = _alike("indexed", "indexes.sparse", index, wanted)
    if breach is None:
        return None
    keys = [Counter(canonical([row.item.get(n) for n in names]) for row in rows) for rows in (wanted, index.rows or ())]
    if keys[0] == keys[1]:
        breach = replace(breach, rule="indexes.projection", kind="content")
    # Which of the two is wrong the later one can't say; a table is right to show what it showed.
    return breach if later is index else replace(breach, expected=None)


def fits(source: Source, item: Item) -> bool:
    """Whether an item has every key attribute of an index, of its type, not empty and not too long."""
    for (name, kind), limit in zip(source.keys, source.limits, strict=True):
        value = item.get(name)
        if not isinstance(value, dict) or not value.get(kind):
            return False
        if kind != "N" and size(value) > limit:
            return False
    return True
