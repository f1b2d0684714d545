"""One item as an object with operations: the model that histories of a key are held against.

An item's state is its attributes without its key, sorted by name; None where there is no item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from chaos.checkers.verdict import Span

Value = str | int | tuple[int, ...] | None
Attributes = tuple[tuple[str, Value], ...]
State = Attributes | None
Sight = tuple[State] | None
"""A state that an answer showed; None when it showed none."""

Action = Literal["read", "put", "update", "delete"]
Change = tuple[Literal["set", "add", "append", "remove"], str, Value]
Test = tuple[Literal["=", ">=", "absent", "present", "size"], str, Value]

ILLEGAL: State = (("illegal", 0),)
"""What ``step`` gives, by identity, for a call that could not have been answered so in this state."""


@dataclass(frozen=True, slots=True)
class Access:
    """What one call did to one key.

    ``returned`` is infinite where it may still take effect; then ``applies`` says that it may (``info``) or certainly
    does (an ``ok`` known from elsewhere has its answer's time). ``refused``: its condition did not hold. ``before`` and
    ``after`` are the images the answer showed, ``shown`` single attributes of the new image (``UPDATED_NEW``).
    """

    index: int
    process: int
    called: float
    returned: float
    action: Action
    item: State = None
    changes: tuple[Change, ...] = ()
    condition: tuple[Test, ...] = ()
    refused: bool = False
    before: Sight = None
    after: Sight = None
    shown: Attributes = ()
    info: bool = False

    @property
    def reads_only(self) -> bool:
        """Whether it changes nothing in any state."""
        return self.action == "read" or self.refused

    def writes(self, name: str) -> bool:
        """Whether it gives the attribute a value or takes it away, if it takes effect."""
        if self.reads_only:
            return False
        return self.action != "update" or any(change[1] == name for change in self.changes)

    def value_of(self, name: str) -> Value:
        """The value it gives an attribute whatever was there before; None when it gives none."""
        if self.reads_only:
            return None
        if self.action == "put":
            return dict(self.item or ()).get(name)
        return next((value for how, who, value in self.changes if how == "set" and who == name), None)

    def sights(self) -> Iterator[State]:
        """The states that the answer shows as they were without this call's own changes."""
        if self.before is not None:
            yield self.before[0]
        if self.after is not None and self.reads_only:
            yield self.after[0]

    def span(self, *, marked: bool = False) -> Span:
        """Its bar in a picture."""
        return Span(self.index, self.process, self.called, self.returned, self.label(), marked)

    def label(self) -> str:
        """The call and its answer in few words."""
        if self.action == "read":
            return f"read {said(self.after)}" if self.after is not None else "read"
        words = {
            "put": f"put {shown(self.item)}",
            "update": "update " + " ".join(_change(change) for change in self.changes),
            "delete": "delete",
        }[self.action]
        if self.condition:
            words += " if " + " and ".join(_test(test) for test in self.condition)
        if self.refused:
            words += " refused"
        if self.before is not None:
            words += f" (was {shown(self.before[0])})"
        if self.shown or (self.after is not None and self.action == "update"):
            words += f" (now {shown(self.shown or (self.after or (None,))[0])})"
        return words


def step(access: Access, state: State) -> State:
    """The state after the call, or ILLEGAL when it could not have been answered as it was in this state."""
    holds = not access.condition or _holds(access.condition, state)
    if access.info:
        return _applied(access, state) if holds else state
    if access.before is not None and access.before[0] != state:
        return ILLEGAL
    if access.refused:
        return ILLEGAL if holds else state
    if not holds:
        return ILLEGAL
    if access.action == "read":
        return ILLEGAL if access.after is not None and access.after[0] != state else state
    fresh = _applied(access, state)
    if access.after is not None and access.after[0] != fresh:
        return ILLEGAL
    if access.shown and not set(access.shown) <= set(fresh or ()):
        return ILLEGAL
    return fresh


def _applied(access: Access, state: State) -> State:
    if access.action == "put":
        return access.item
    if access.action == "delete":
        return None
    made = dict(state or ())
    for how, name, value in access.changes:
        if how == "set":
            made[name] = value
        elif how == "remove":
            made.pop(name, None)
        elif how == "add":
            held = made.get(name, 0)
            made[name] = (held if isinstance(held, int) else 0) + (value if isinstance(value, int) else 0)
        else:
            listed = made.get(name, ())
            more = value if isinstance(value, tuple) else ()
            made[name] = (listed if isinstance(listed, tuple) else ()) + more
    return tuple(sorted(made.items()))


def _holds(condition: tuple[Test, ...], state: State) -> bool:
    held = dict(state or ())
    for how, name, value in condition:
        found = held.get(name) if name else state
        if how == "absent":
            met = found is None
        elif how == "present":
            met = found is not None
        elif how == "=":
            met = found == value
        elif how == "size":
            met = isinstance(found, tuple) and len(found) == value
        else:
            met = isinstance(found, int) and isinstance(value, int) and found >= value
        if not met:
            return False
    return True


def shown(state: State) -> str:
    """A state in few words: ``v=a1 n=3``, ``nothing`` where there is no item, ``only its key`` without more."""
    if state is None:
        return "nothing"
    return " ".join(f"{name}={_value(value)}" for name, value in state) or "only its key"


def said(sight: Sight) -> str:
    """A state that was shown, or that none was."""
    return "?" if sight is None else shown(sight[0])


def _value(value: Value) -> str:
    return "[" + " ".join(map(str, value)) + "]" if isinstance(value, tuple) else str(value)


def _change(change: Change) -> str:
    how, name, value = change
    sign = {"set": "=", "add": "+=", "append": "++", "remove": ""}[how]
    return f"-{name}" if how == "remove" else f"{name}{sign}{_value(value)}"


def _test(test: Test) -> str:
    how, name, value = test
    if how in ("absent", "present"):
        return f"{name or 'item'} {how}"
    return f"size({name})={value}" if how == "size" else f"{name}{how}{_value(value)}"
