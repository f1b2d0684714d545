"""All event source mappings of an account, and the time that passes for them."""

from __future__ import annotations

from typing import Any

from reference.agenda import Agenda
from reference.api import ServiceError
from reference.clock import Clock, DrivenClock
from reference.rules import Violation, first, surface, violation
from reference.triggers import reading
from reference.triggers.mapping import EventSourceMapping, Failures, Handler, function_arn, named
from reference.triggers.reading import Send
from reference.triggers.settings import Settings, check

MOST_STEPS = 100_000
"""Steps in which everything due must be done."""
_LONGEST_PAUSE = 600.0
"""Seconds between two looks at a stream while time is let pass: iterators are good for fifteen minutes."""
_SPEAK = surface("CreateEventSourceMapping")


class TriggerLoop(RuntimeError):
    """Functions keep writing what calls them again."""


class Triggers:
    """Event source mappings over the streams that ``send`` answers for.

    ``clock`` tells the time, ``delay`` how many seconds a mapping takes to change its state. Nothing happens but in
    ``settle`` and ``advance``, in the caller's thread.
    """

    def __init__(self, send: Send, clock: Clock, *, delay: float = 0.0) -> None:
        self._send = send
        self._clock = clock
        self._delay = delay
        self._agenda = Agenda()
        self.mappings: list[EventSourceMapping] = []

    def connect(
        self,
        stream_arn: str,
        handler: Handler,
        *,
        name: str | None = None,
        on_failure: Failures | None = None,
        **settings: Any,
    ) -> EventSourceMapping:
        """Hand the stream's records to a function from now on; ``settings`` are those of ``Settings``.

        ``name`` is the function's, by default the Python function's. ServiceError: there is no such stream, it is
        connected with that function already, or a setting is wrong.
        """
        wanted = Settings(**settings)
        broken, fits = first(check(wanted))
        if broken is not None or fits is None:
            assert broken is not None
            raise _refused(broken)
        try:
            reading.ask(self._send, "DescribeStream", StreamArn=stream_arn)
        except ServiceError as error:
            raise _refused(violation("streams.trigger-stream-missing", arn=stream_arn)) from error
        arn = function_arn(stream_arn, named(handler, name))
        for other in self.mappings:
            if (other.stream_arn, other.function_arn) == (stream_arn, arn):
                raise _refused(violation("streams.trigger-exists", stream=stream_arn, function=arn, uuid=other.uuid))
        made = EventSourceMapping(
            self._send,
            self._clock,
            stream_arn,
            handler,
            function_arn=arn,
            settings=wanted,
            fits=fits,
            on_failure=on_failure,
        )
        self.mappings.append(made)
        self._later(made, "Enabled")
        return made

    def disable(self, mapping: EventSourceMapping) -> None:
        """Hand nothing over any more; what has not been handed over waits."""
        mapping.turn("Disabling")
        self._later(mapping, "Disabled")

    def enable(self, mapping: EventSourceMapping) -> None:
        """Go on where it was disabled."""
        mapping.turn("Enabling")
        self._later(mapping, "Enabled")

    def delete(self, mapping: EventSourceMapping) -> None:
        """End a mapping."""
        mapping.turn("Deleting")
        self._later(mapping, "Deleted")

    def settle(self) -> int:
        """Do everything that is due by now; the number of calls of functions that it took.

        TriggerLoop when there is no end to it, as with a function that writes to the table whose stream calls it.
        """
        before = sum(mapping.tally.calls for mapping in self.mappings)
        for _ in range(MOST_STEPS):
            self._change_states()
            if not sum(mapping.step() for mapping in tuple(self.mappings)):
                return sum(mapping.tally.calls for mapping in self.mappings) - before
        raise TriggerLoop(f"after {MOST_STEPS:,} steps there is still something due")

    def advance(self, seconds: float) -> int:
        """Let seconds pass, doing everything when it is due; the number of calls of functions that it took.

        TypeError when the clock is one that goes by itself.
        """
        clock = self._clock
        if not isinstance(clock, DrivenClock):
            raise TypeError("a clock that goes by itself can't be advanced: wait, and settle")
        end, calls = clock.now() + seconds, self.settle()
        while clock.now() < end:
            upcoming = [moment for mapping in self.mappings for moment in mapping.moments() if moment > clock.now()]
            upcoming += [end, clock.now() + _LONGEST_PAUSE]
            clock.set(min(upcoming if (change := self._agenda.moment()) is None else [*upcoming, change]))
            calls += self.settle()
        return calls

    def _later(self, mapping: EventSourceMapping, state: str) -> None:
        self._agenda.add(self._clock.now() + self._delay, state, mapping.uuid)

    def _change_states(self) -> None:
        while (event := self._agenda.next_due(self._clock.now())) is not None:
            for mapping in self.mappings:
                if mapping.uuid == event.about[0]:
                    mapping.turn(event.what)
            self.mappings = [mapping for mapping in self.mappings if mapping.state != "Deleted"]


def _refused(broken: Violation) -> ServiceError:
    return ServiceError(broken.refusal(_SPEAK))
