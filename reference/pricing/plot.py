"""The break-even curve as a picture: SVG, with nothing but lines and letters."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from reference.pricing.calculator import Prices, Workload, break_even, curve

WIDTH, HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 50, 60
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.t{font-size:16px;font-weight:bold}.g{stroke:#ddd}.a{stroke:#222}"
    ".p{stroke:#1f5fa8;fill:none;stroke-width:2.5}.o{stroke:#c2571a;fill:none;stroke-width:2.5}"
    ".b{stroke:#666;stroke-dasharray:5 4}.lp{fill:#1f5fa8}.lo{fill:#c2571a}"
)


def picture(work: Workload, at: Prices) -> str:
    """What both modes cost a month over utilisation, as one SVG document."""
    points = list(curve(work, at))
    most = max(max(fixed, asked) for _, fixed, asked in points) or 1.0
    step = _round(most / 5)
    top = step * (int(most / step) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(_title(work))}</title><style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 24, _title(work), "t"),
        *_grid(top, step),
        _line([(share, fixed) for share, fixed, _ in points], top, "p"),
        _line([(share, asked) for share, _, asked in points], top, "o"),
        _text(_x(0.02), _y(points[0][1], top) - 8, "provisioned for the peak", "lp"),
        _text(_x(0.98), _y(points[-1][2], top) - 8, "on-demand", "lo", "end"),
        *_even(work, at, top),
        _text(_LEFT, HEIGHT - 12, f"{at.region}, {at.table_class}, prices since {at.since}, seen {at.seen}"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _title(work: Workload) -> str:
    return f"A month of {work.reads:g} RCU and {work.writes:g} WCU at the peak, by how much of it is used"


def _round(step: float) -> float:
    """A round number of at least that size: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** len(str(int(step))) / 10 if step >= 1 else 0.01
    while power < step and power * 2 < step and power * 5 < step:
        power *= 10
    return next(n * power for n in (1, 2, 5, 10) if n * power >= step)


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(dollars: float, top: float) -> float:
    return HEIGHT - _BOTTOM - dollars / top * (HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    style = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _grid(top: float, step: float) -> list[str]:
    drawn = []
    for n in range(round(top / step) + 1):
        y = _y(n * step, top)
        drawn.append(f'<line class="g" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(_LEFT - 8, y + 4, f"${n * step:,.{0 if step >= 1 else 2}f}", "", "end"))
    for per_cent in range(0, 101, 20):
        drawn.append(_text(_x(per_cent / 100), HEIGHT - _BOTTOM + 20, f"{per_cent} %", "", "middle"))
    y = HEIGHT - _BOTTOM
    return [*drawn, f'<line class="a" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>']


def _line(points: Sequence[tuple[float, float]], top: float, style: str) -> str:
    drawn = " ".join(f"{_x(share):.1f},{_y(dollars, top):.1f}" for share, dollars in points)
    return f'<polyline class="{style}" points="{drawn}"/>'


def _even(work: Workload, at: Prices, top: float) -> list[str]:
    share = break_even(work, at)
    if share is None:
        return []
    x = _x(share)
    return [
        f'<line class="b" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>',
        _text(x + 6, _TOP + 12, f"break-even at {100 * share:.0f} %"),
    ]
