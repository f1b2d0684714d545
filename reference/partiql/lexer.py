"""Statement text → tokens (dataplane:PQL-2).

The language is PartiQL's: its keywords are those of SQL-92 and of PartiQL's own reference grammar, so that ``m.inner``
is no path, whatever DynamoDB does with inner joins.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = """
absolute action add all allocate alter and any are as asc assertion at authorization avg begin between bit
bit_length by cascade cascaded case cast catalog char character char_length character_length check close coalesce
collate collation column commit connect connection constraint constraints continue convert corresponding count
create cross current current_date current_time current_timestamp current_user cursor date deallocate dec decimal
declare default deferrable deferred delete desc describe descriptor diagnostics disconnect distinct domain double
drop else end escape except exception exec execute exists external extract false fetch first float for foreign found
from full get global go goto grant group having identity immediate in indicator initially inner input insensitive
insert int integer intersect interval into is isolation join key language last left level like local lower match max
min module names national natural nchar next no not null nullif numeric octet_length of on only open option or order
outer output overlaps pad partial position precision prepare preserve primary prior privileges procedure public read
real references relative restrict revoke right rollback rows schema scroll section select session session_user set
size smallint some space sql sqlcode sqlerror sqlstate substring sum system_user table temporary then time timestamp
to transaction translate translation trim true union unique unknown update upper usage user using value values
varchar varying view when whenever where with work write zone bag bigint blob bool boolean can_cast
can_lossless_cast clob conflict date_add date_diff do index int2 int4 int8 integer2 integer4 integer8 let limit list
missing modified new nothing offset old pivot remove returning sexp string struct symbol tuple unpivot
"""
KEYWORDS = frozenset(_WORDS.split())
"""Words that are no identifiers, in any letter case."""

_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t\r\n\f\v]|--[^\n\r]*|/\*(?:[^*]|\*(?!/))*\*/)+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_$][A-Za-z0-9_$]*)"
    r"|'(?P<string>(?:[^']|'')*)'"
    r'|"(?P<quoted>(?:[^"]|"")*)"'
    r"|(?P<symbol><<|>>|<=|>=|<>|!=|\|\||[<>=+\-*%()\[\]{},:;.?@]|/(?!\*))",
    re.DOTALL,
)
_EXPONENT = re.compile(r"[0-9]*(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?")
_INT32 = 1 << 31


class Token(NamedTuple):
    """A piece of a statement.

    ``kind`` is ``name``, ``quoted``, ``string``, ``number``, or for keywords and symbols the keyword in lower case or
    the symbol; it is empty at the end of the statement. ``text`` is what the token says: without quotes, as written
    otherwise. ``line`` and ``column`` count from one, in characters, ``length`` too.
    """

    kind: str
    text: str
    line: int
    column: int
    length: int

    @property
    def place(self) -> str:
        """Where the token stands, as messages say it: line, column, length."""
        return f"{self.line}:{self.column}:{self.length}"


def tokenise(statement: str) -> list[Token] | None:
    """All tokens of a statement, the one at its end too; None when a part of it is no token at all.

    That is: a character outside the language, an open quote or comment, or a number whose exponent or scale no 32-bit
    integer holds.
    """
    tokens: list[Token] = []
    position, line, line_start = 0, 1, 0
    while position < len(statement):
        match = _TOKEN.match(statement, position)
        if match is None:
            return None
        kind = match.lastgroup or ""
        if kind == "number" and not _readable(match[0]):
            return None
        if kind != "blank":
            text = match[kind]
            tokens.append(Token(_kind(kind, text), _said(kind, text), line, position - line_start + 1, len(match[0])))
        breaks = match[0].count("\n")
        if breaks:
            line += breaks
            line_start = position + match[0].rindex("\n") + 1
        position = match.end()
    tokens.append(Token("", "", line, position - line_start + 1, 0))
    return tokens


def _kind(group: str, text: str) -> str:
    if group == "symbol":
        return "<>" if text == "!=" else text
    if group == "word":
        word = text.lower()
        return word if word in KEYWORDS else "name"
    return group


def _said(group: str, text: str) -> str:
    if group == "string":
        return text.replace("''", "'")
    return text.replace('""', '"') if group == "quoted" else text


def _readable(number: str) -> bool:
    """Whether exponent and scale, the digits after the point less the exponent, are 32-bit integers."""
    found = _EXPONENT.fullmatch(number)
    assert found is not None, "a number token has this form"
    digits = (found[3] or "0").lstrip("0") or "0"
    if len(digits) > 10:
        return False
    exponent = -int(digits) if found[2] == "-" else int(digits)
    scale = len(found[1] or "") - exponent
    return -_INT32 <= exponent < _INT32 and -_INT32 <= scale < _INT32
