"""Pages of HTML that many reports share: one look, no scripts, every text escaped."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.matrix import Matrix, mark
from reports.notation import one_line, titled, visible
from reports.outline import moment
from reports.trend import points

TITLE_LIMIT = 160
"""Characters of a finding's summary in a table."""
_TEMPLATES = Path(__file__).parent / "templates"
_CLASSES = frozenset(
    {"violated", "crash", "data", "accepts", "refuses", "error", "precedence", "message", "shape"}
)  # fmt: skip


def page(template: str, title: str, home: str | None, **told: Any) -> str:
    """A page from one of the templates; ``home`` is the way to the site's top (``../``), None for a page by itself."""
    style, policy = _style()
    return _environment().get_template(template).render(
        title=one_line(title, TITLE_LIMIT), home=home, style=style, policy=policy, **told
    )  # fmt: skip


def matrix_page(matrix: Matrix) -> str:
    """The matrix as one page by itself."""
    telling = list(matrix.telling())
    names = {name for name, _ in telling}
    rest = [(name, standings) for name, standings in matrix.rules.items() if name not in names]
    title = "DynamoDB conformance: " + ", ".join(column.label for column in matrix.columns)
    return page("matrix.html.j2", title, None, m=matrix, telling=telling, rest=rest)


def brief(text: str) -> str:
    """A finding's summary, cut to fit a table."""
    return one_line(titled(text), TITLE_LIMIT)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, finalize=_finalize, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(mark=mark, points=points, brief=brief, known_classes=_CLASSES, moment=moment)
    return environment


@functools.cache
def _style() -> tuple[Markup, str]:
    """The style sheet, and the policy that lets it and nothing else act."""
    text = (_TEMPLATES / "site.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self'; style-src 'sha256-{digest}'"
    return Markup(text), policy


def _finalize(value: Any) -> Any:
    """What every ``{{ … }}`` goes through before it is escaped."""
    if isinstance(value, Markup):
        return value
    return visible(value if isinstance(value, str) else str(value))
