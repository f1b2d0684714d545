"""Ion text as DynamoDB writes and reads it, after the samples in AWS's guide and Ion's own rules."""

from __future__ import annotations

from typing import Any

import pytest

from reference.transfer import ion

BOOK = (
    '$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",'
    'ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,ProductCategory:"Book"}}'
)
BOOK_ITEM = {
    "Authors": {"SS": ["Author1", "Author2"]},
    "Dimensions": {"S": "8.5 x 11.0 x 1.5"},
    "ISBN": {"S": "333-3333333333"},
    "Id": {"N": "103"},
    "InPublication": {"BOOL": False},
    "PageCount": {"N": "600"},
    "Price": {"N": "2000"},
    "ProductCategory": {"S": "Book"},
}


def items(text: str) -> list[dict[str, Any]]:
    return [ion.item(dict(node.value)["Item"]) for node in ion.read(text)]


def test_the_guides_sample_is_written() -> None:
    assert f"$ion_1_0 {{Item:{ion.write_item(BOOK_ITEM)}}}" == BOOK


def test_the_guides_sample_is_read() -> None:
    (found,) = items(BOOK)
    assert found == {**BOOK_ITEM, "PageCount": {"N": "6e2"}, "Price": {"N": "2e3"}}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0."),
        ("103", "103."),
        ("-600", "-6d2"),
        ("8.5", "8.5"),
        ("-0.5", "-0.5"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1d-7"),
        ("100.25", "100.25"),
        ("1" + "0" * 125, "1d125"),
    ],
)
def test_numbers(number: str, text: str) -> None:
    assert ion.write_number(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": 'a"b\\\n\té\x01'}, '"a\\"b\\\\\\n\\té\\x01"'),
        ({"B": "AAE="}, "{{AAE=}}"),
        ({"BOOL": True}, "true"),
        ({"NULL": True}, "null"),
        ({"L": [{"S": "x"}, {"L": []}]}, '["x",[]]'),
        ({"M": {"a b": {"N": "1"}, "true": {"N": "2"}, "it's": {"N": "3"}}}, "{'a b':1.,'true':2.,'it\\'s':3.}"),
        ({"NS": ["1", "2.5"]}, "$dynamodb_NS::[1.,2.5]"),
        ({"BS": ["AA==", "/w=="]}, "$dynamodb_BS::[{{AA==}},{{/w==}}]"),
    ],
)
def test_values_are_written_and_read_again(value: dict[str, Any], text: str) -> None:
    assert ion.write_item({"v": value}) == f"{{v:{text}}}"
    (node,) = ion.read(f"{{v:{text}}}")
    assert ion.item(node)["v"] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", {"N": "12"}),
        ("-1_000.5d+2", {"N": "-1000.5e+2"}),
        ("null.string", {"NULL": True}),
        ("'''one ''' /* and */ '''two'''", {"S": "one two"}),
        (r'"\x41\u00e9\U0001F600\
"', {"S": "Aé😀"}),
        (r'"\ud83d\ude00"', {"S": "😀"}),
        ("{{ AA\n== }}", {"B": "AA=="}),
        ("[1, 2, ] // end", {"L": [{"N": "1"}, {"N": "2"}]}),
        ('{"quoted" : 1, \'so\' : 2, }', {"M": {"quoted": {"N": "1"}, "so": {"N": "2"}}}),
    ],
)  # fmt: skip
def test_other_spellings(text: str, value: dict[str, Any]) -> None:
    (node,) = ion.read(f"{{v:{text}\n}}")
    assert ion.item(node)["v"] == value


@pytest.mark.parametrize(
    "text",
    ["{", "{v:}", "{v:1", "[1 2]", '"x', "{{AAA}}", "1e5", "(1 2)", "nan", "{v 1}", "[" * 1000, '"\\q"', "'''x", "}"],
)
def test_what_is_no_ion(text: str) -> None:
    with pytest.raises(ion.IonError):
        list(ion.read(text))


@pytest.mark.parametrize(
    "text", ["{v:symbol}", "{v:odd::1}", "{v:$dynamodb_SS::[1]}", "{v:$dynamodb_SS::1}", "[1]", "a::{}"]
)
def test_what_is_no_item(text: str) -> None:
    (node,) = ion.read(text)
    with pytest.raises(ion.IonError):
        ion.item(node)
