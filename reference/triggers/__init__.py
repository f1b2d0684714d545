"""Functions that are handed the records of a stream, as Lambda's event source mappings do it: to test stream handlers.

    triggers = Triggers(service.execute, clock)
    orders = triggers.connect(stream_arn, handler, batch_size=10, retries=2, bisect=True, on_failure=Failures())
    …
    triggers.settle()      # hand over whatever is due
    triggers.advance(60)   # let a minute pass: retries, batching windows, tumbling windows

``service.execute`` is the reference; any function from ``Call`` to ``Reply`` does, so the stream may be another
endpoint's: ``conformance.functions.triggers_at(url)``. Only a clock that is driven can be advanced.
"""

from __future__ import annotations

from reference.triggers.events import Throttled
from reference.triggers.mapping import EventSourceMapping, Failures, FunctionContext, Handler
from reference.triggers.settings import Settings
from reference.triggers.triggers import TriggerLoop, Triggers

__all__ = [
    "EventSourceMapping",
    "Failures",
    "FunctionContext",
    "Handler",
    "Settings",
    "Throttled",
    "TriggerLoop",
    "Triggers",
]
