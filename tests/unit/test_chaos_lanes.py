from __future__ import annotations

from xml.etree import ElementTree

from chaos import lanes
from chaos.checkers.verdict import INFINITY, Span

SPANS = [
    Span(0, 0, 0.0, 1.0, "put 1"),
    Span(1, 1, 0.5, INFINITY, "put 2"),
    Span(2, 0, 2.0, 3.0, "read 1", marked=True),
]


def test_text_has_a_lane_for_each_client() -> None:
    assert lanes.text(SPANS).splitlines() == [
        "client 0   |put 1-|  |*read 1-|",
        "client 1     |put 2------------->",
    ]


def test_text_is_bounded() -> None:
    many = [Span(n, 0, float(n), n + 0.5, "read") for n in range(lanes.TEXT_LIMIT + 5)]
    assert lanes.text(many).splitlines()[-1] == "(and 5 calls more)"


def test_svg_is_well_formed_whatever_a_target_says() -> None:
    spans = [*SPANS, Span(3, 2, 0.0, 3.0, "<script>\x00\ud800 & \x1b[31m")]
    text = lanes.svg(spans, [lanes.Band(0.2, 0.4, "drop-reply@0.1 <x>")], "a & b")
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "drop-reply@0.1 <x>" in titles
    assert any("never answered" in title for title in titles)
    assert lanes.svg([]).startswith("<svg")
