"""Pictures of concurrent calls: a lane for each client, time from left to right, as text and as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from chaos.checkers.verdict import INFINITY, Span

TEXT_LIMIT = 24
"""Calls that a text picture shows."""
SVG_LIMIT = 4_000
"""Calls that an SVG picture shows."""
_LANE, _MARGIN, _TOP = 26, 70, 26


@dataclass(frozen=True, slots=True)
class Band:
    """A fault while it lasted."""

    start: float
    end: float
    label: str


def text(spans: Sequence[Span]) -> str:
    """Lanes in plain text: columns are moments in order, not to scale; ``>`` means never answered, ``*`` is marked."""
    shown = sorted(spans, key=lambda span: (span.called, span.index))[:TEXT_LIMIT]
    moments = sorted({t for span in shown for t in (span.called, span.returned) if t != INFINITY})
    column = {moment: n for n, moment in enumerate(moments)}
    # A column is as wide as its widest call needs.
    width = [2] * (len(moments) + 1)
    for span in shown:
        first, last = column[span.called], column.get(span.returned, len(moments))
        need = len(_label(span)) + 3
        while sum(width[first:last]) < need:
            width[max(first, last - 1)] += 1
    start = [sum(width[:n]) for n in range(len(width) + 1)]
    lines = []
    for process in sorted({span.process for span in shown}):
        line = ""
        for span in (s for s in shown if s.process == process):
            first, last = column[span.called], column.get(span.returned, len(moments))
            body = _label(span).ljust(max(start[last] - start[first] - 2, 0), "-")
            line = line.ljust(start[first]) + f"|{body}{'>' if span.returned == INFINITY else '|'}"
        lines.append(f"client {process:<3} {line}")
    if len(spans) > TEXT_LIMIT:
        lines.append(f"(and {len(spans) - TEXT_LIMIT} calls more)")
    return "\n".join(lines)


def _label(span: Span) -> str:
    return f"*{_plain(span.label)}" if span.marked else _plain(span.label)


def _plain(text: str) -> str:
    """What a target said may be anything: only printable characters are drawn."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def svg(spans: Sequence[Span], bands: Sequence[Band] = (), title: str = "") -> str:
    """The same as an SVG document, to scale, faults as bands behind the calls."""
    shown = sorted(spans, key=lambda span: (span.called, span.index))[:SVG_LIMIT]
    ends = [t for span in shown for t in (span.called, span.returned) if t != INFINITY]
    ends += [t for band in bands for t in (band.start, band.end) if t != INFINITY]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    processes = sorted({span.process for span in shown})
    across = min(max(900, 14 * len(shown) // max(1, len(processes))), 12_000)
    scale = (across - _MARGIN - 20) / ((high - low) or 1.0)
    height = _TOP + _LANE * len(processes) + 24

    def x(moment: float) -> float:
        return _MARGIN + (min(moment, high) - low) * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{height}" font-family="monospace" '
        f'font-size="10" role="img" aria-label={quoteattr(title or "timeline")}>',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="8" y="16">{escape(title)}</text>',
    ]
    for band in bands:
        parts.append(
            f'<rect x="{x(band.start):.1f}" y="{_TOP}" width="{max(x(band.end) - x(band.start), 2):.1f}" '
            f'height="{_LANE * len(processes)}" fill="#fbe3b5"><title>{escape(_plain(band.label))}</title></rect>'
        )
    for row, process in enumerate(processes):
        y = _TOP + row * _LANE
        parts.append(f'<text x="8" y="{y + 16}">client {process}</text>')
        parts.append(f'<line x1="{_MARGIN}" x2="{across}" y1="{y + _LANE}" y2="{y + _LANE}" stroke="#ddd"/>')
        parts += [_bar(span, x(span.called), x(span.returned), y + 4) for span in shown if span.process == process]
    parts.append(f'<text x="{_MARGIN}" y="{height - 8}">{high - low:.3f} s; {len(spans)} calls</text></svg>')
    return "\n".join(parts) + "\n"


def _bar(span: Span, left: float, right: float, y: float) -> str:
    colour = "#d33" if span.marked else ("#bbb" if span.returned == INFINITY else "#7aa6d8")
    width = max(right - left, 2.0)
    fits = int((width - 4) / 6)
    label = f'<text x="{left + 2:.1f}" y="{y + 12:.1f}">{escape(_plain(span.label[:fits]))}</text>' if fits >= 3 else ""
    answered = "never answered" if span.returned == INFINITY else f"{span.called:.6f} to {span.returned:.6f} s"
    return (
        f'<g><rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="16" fill="{colour}"/>{label}'
        f"<title>call {span.index}: {escape(_plain(span.label))}, {answered}</title></g>"
    )
