"""Keys against the schema: what is wrong with an item's key, a lookup key or a secondary index key.

Each function takes values in normal form and gives the violations in the service's order; none means that the key is
good. Nothing here reads an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reference.api import AttributeValue, Item
from reference.rules import Violation, violation
from reference.tables.schema import KeyAttribute, KeySchema
from reference.tables.table import MAX_HASH_BYTES, MAX_RANGE_BYTES, Index, Table
from reference.values.value import size, type_of
from reference.vectors import embedding

_NONE: tuple[Violation, ...] = ()


def item_key_faults(schema: KeySchema, item: Item) -> Sequence[Violation]:
    """What is wrong with the primary key of an item to put (dataplane:KEY-2, KEY-3, KEY-5)."""
    if _plainly_good(schema, item):
        return _NONE
    found = []
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is None:
            found.append(violation("keys.missing", key=attribute.name))
        elif attribute.type not in value:
            found.append(
                violation("keys.type-mismatch", key=attribute.name, expected=attribute.type, actual=type_of(value))
            )
        else:
            found += _value_faults(attribute, value, hashed=attribute in schema.hash)
    return found


def lookup_key_faults(schema: KeySchema, key: Item) -> Sequence[Violation]:
    """What is wrong with the Key of a lookup: exactly the key attributes, each of its type (KEY-2, KEY-4, KEY-5)."""
    attributes = schema.attributes
    if len(key) == len(attributes) and _plainly_good(schema, key):
        return _NONE
    found = []
    if mismatched(schema, key):
        found.append(violation("keys.schema-mismatch"))
    return found + list(value_faults(schema, key))


def put_key_faults(schema: KeySchema, item: Item) -> Sequence[Violation]:
    """What is wrong with the primary key of an item that BatchWriteItem puts (dataplane:KEY-4, conflicts:61)."""
    if _plainly_good(schema, item):
        return _NONE
    found = []
    if any(a.type not in item.get(a.name, ()) for a in schema.attributes):
        found.append(violation("keys.schema-mismatch"))
    return found + list(value_faults(schema, item))


def mismatched(schema: KeySchema, key: Item) -> bool:
    """Whether a key lacks an attribute of the schema, has one more, or one of another type."""
    attributes = schema.attributes
    return len(key) != len(attributes) or any(a.type not in key.get(a.name, ()) for a in attributes)


def value_faults(schema: KeySchema, key: Item) -> Iterator[Violation]:
    """What is wrong with the values of those key attributes that are present and of their type (KEY-2, KEY-5)."""
    for attribute in schema.attributes:
        value = key.get(attribute.name)
        if value is not None and attribute.type in value:
            yield from _value_faults(attribute, value, hashed=attribute in schema.hash)


def value_fault(attribute: KeyAttribute, value: AttributeValue, *, hashed: bool) -> Violation | None:
    """What is wrong with one key value of the right type: empty or too long."""
    return next(_value_faults(attribute, value, hashed=hashed), None)


def _value_faults(attribute: KeyAttribute, value: AttributeValue, *, hashed: bool) -> Iterator[Violation]:
    kind = attribute.type
    if kind == "N":
        return
    text = value[kind]
    if not text:
        yield violation("keys.empty-string" if kind == "S" else "keys.empty-binary", key=attribute.name)
    elif hashed and _longer(value, text, MAX_HASH_BYTES):
        yield violation("keys.hash-too-long")
    elif not hashed and _longer(value, text, MAX_RANGE_BYTES):
        yield violation("keys.range-too-long")


def _longer(value: AttributeValue, text: str, limit: int) -> bool:
    # A character is at most four bytes, and base64 text is longer than what it stands for.
    return len(text) * 4 > limit and size(value) > limit


def _plainly_good(schema: KeySchema, item: Item) -> bool:
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is None:
            return False
        text = value.get(attribute.type)
        if not text or len(text) * 4 > MAX_RANGE_BYTES:
            return False
    return True


def index_key_faults(table: Table, item: Item) -> Sequence[Violation]:
    """What is wrong with an item's secondary index keys as a whole is put (dataplane:KEY-6 to KEY-8, VEC-2).

    An absent index key attribute is fine: the item is not in that index.
    """
    vectors = table.settings.vectors
    if not table.indexes and not vectors:
        return _NONE
    found: list[Violation] = []
    for indexed in table.index_attributes():
        attribute = indexed.attribute
        value = item.get(attribute.name)
        if value is None:
            continue
        text = value.get(attribute.type)
        if not text and attribute.name in table.key.names:
            # The table has said so already.
            continue
        if text is None:
            found.append(index_type_mismatch(indexed.index, attribute, value))
        elif not text:
            rule = "indexes.empty-string" if attribute.type == "S" else "indexes.empty-binary"
            found.append(violation(rule, index=indexed.index.schema.name, key=attribute.name))
        elif too_long(attribute, value, hashed=indexed.hashed):
            found.append(violation("indexes.hash-too-long" if indexed.hashed else "indexes.range-too-long"))
    if vectors:
        found += embedding.faults(vectors, table.settings.attribute_types, item)
    return found


def index_type_mismatch(index: Index, attribute: KeyAttribute, value: AttributeValue) -> Violation:
    """The violation of an index key value of another type than declared (dataplane:KEY-6)."""
    return violation(
        "indexes.type-mismatch",
        key=attribute.name,
        expected=attribute.type,
        actual=type_of(value),
        index=index.schema.name,
    )


def too_long(attribute: KeyAttribute, value: AttributeValue, *, hashed: bool) -> bool:
    """Whether a value of the right type is longer than a partition or sort key may be."""
    if attribute.type == "N":
        return False
    return _longer(value, value[attribute.type], MAX_HASH_BYTES if hashed else MAX_RANGE_BYTES)


def key_of(schema: KeySchema, item: Mapping[str, AttributeValue]) -> Item:
    """The key attributes of an item, in schema order."""
    return {name: item[name] for name in schema.names if name in item}
