"""What a target says of operations and features that it does not have."""

from __future__ import annotations

from conformance.oracle.about import lacking_rule
from conformance.oracle.divergence import Divergence
from conformance.record.op import reply_to_json
from reference.api import Refusal, Reply

UNSUPPORTED_CODES = frozenset(
    {"UnknownOperationException", "NotImplementedException", "NotImplemented", "UnsupportedOperationException"}
)
UNSUPPORTED_WORDS = ("not implemented", "not yet implemented", "unsupported operation")


def lacking(operation: str, expected: Reply, reply: Reply) -> Divergence:
    """The divergence of an operation or feature that a target does not have: one for each operation."""
    accepted = (reply_to_json(expected),)
    text = f"{operation} is not supported"
    return Divergence(operation, lacking_rule(operation), "unsupported", "", text, expected, reply, accepted, ("*",))


def unsupported(reply: Refusal) -> bool:
    """Whether a refusal says that the target lacks an operation or feature."""
    message = (reply.message or "").lower()
    return (
        reply.code in UNSUPPORTED_CODES or reply.status == 501 or any(words in message for words in UNSUPPORTED_WORDS)
    )
