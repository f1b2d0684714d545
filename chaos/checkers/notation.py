"""Histories as short texts, for tests and examples.

A key's history is a line for each client, time from left to right::

    A: [w1   ]   [r2]
    B:    [w2 ]  [c12]

``[`` and ``]`` are the moments of call and answer; ``>`` in place of ``]`` says that no answer came. Calls, all on one
key: ``w1`` put v=1, ``w2/1`` put that showed v=1 as the old value, ``r1`` read 1, ``r_`` read nothing, ``c12`` replace
1 by 2 if it is 1, ``c12!`` the same refused, ``n1`` put 1 if nothing is there, ``n1!`` refused, ``d`` delete, ``d/1``
delete that showed 1, ``+1`` add 1, ``+1=3`` add 1 that arrived at 3, ``=3`` read a count of 3.

Transactions are words of calls, after Elle: ``ax1ry12`` appends 1 to x and reads 1, 2 from y. ``rx_`` reads an empty
list, a leading ``~`` marks a read that is only read-committed, a trailing ``!`` a transaction that failed, ``?`` one
that was never answered. The n-th word is transaction n; each is after the one before.
"""

from __future__ import annotations

import re

from chaos.checkers.item import Access, State
from chaos.checkers.transactions import Mop, Transaction
from chaos.checkers.verdict import INFINITY

_CALL = re.compile(r"\[\s*([^\s\]>-]+)[\s-]*([\]>])")
_MOP = re.compile(r"([ar])([a-z])(_|\d*)")


def lanes(*lines: str) -> list[Access]:
    """The history that the lines show; ValueError for a call that is none."""
    found: list[tuple[int, int, float, str]] = []
    for process, line in enumerate(lines):
        _, _, line = line.rpartition(":")
        for call in _CALL.finditer(line):
            end = INFINITY if call[2] == ">" else float(call.end() - 1)
            found.append((call.start(), process, end, call[1]))
    found.sort()
    return [_access(n, process, float(at), end, word) for n, (at, process, end, word) in enumerate(found)]


def _access(index: int, process: int, called: float, returned: float, word: str) -> Access:
    info = returned == INFINITY

    def made(action: str, **more: object) -> Access:
        return Access(index, process, called, returned, action, info=info, **more)  # type: ignore[arg-type]

    refused = word.endswith("!")
    word, _, old = word.rstrip("!").partition("/")
    before = None if not old else (_state(old),)
    head, rest = word[0], word[1:]
    if head == "w":
        return made("put", item=_state(rest), before=before)
    if head == "r":
        return made("read", after=None if info else (_state(rest),))
    if head == "c":
        return made("put", item=_state(rest[1:]), condition=(("=", "v", rest[0]),), refused=refused)
    if head == "n":
        return made("put", item=_state(rest), condition=(("absent", "", None),), refused=refused)
    if head == "d":
        return made("delete", before=before)
    if head == "+":
        delta, _, total = rest.partition("=")
        shown = (("n", int(total)),) if total else ()
        return made("update", changes=(("add", "n", int(delta)),), shown=shown)
    if head == "=":
        return made("read", after=None if info else ((("n", int(rest)),),))
    raise ValueError(f"{word!r} is no call")


def _state(word: str) -> State:
    return None if word == "_" else (("v", word),)


def transactions(text: str) -> list[Transaction]:
    """The transactions that the words show; ValueError for a word that is none."""
    return [transaction(word, n) for n, word in enumerate(text.split())]


def transaction(word: str, index: int = 0) -> Transaction:
    """The transaction that one word shows."""
    committed_only, rest = word.startswith("~"), word.lstrip("~")
    fate = {"!": "fail", "?": "info"}.get(rest[-1:], "ok")
    rest = rest.rstrip("!?")
    if not re.fullmatch(f"(?:{_MOP.pattern})+", rest):
        raise ValueError(f"{word!r} is no transaction")
    mops: list[Mop] = []
    for how, key, digits in _MOP.findall(rest):
        if how == "a":
            mops.append(("append", key, int(digits)))
        else:
            mops.append(("read", key, None if digits == "" else tuple(int(d) for d in digits if d != "_")))
    return Transaction(index, index, float(2 * index), 2 * index + 1.0, tuple(mops), fate, weak=committed_only)  # type: ignore[arg-type]
