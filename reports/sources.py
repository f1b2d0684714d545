"""Where a rule's evidence can be looked up."""

from __future__ import annotations

import re

_SUITE = "github.com/paritysuite/dynamodb-conformance"
_AWS = "docs.aws.amazon.com/amazondynamodb/latest"
_RULES: tuple[tuple[str, str], ...] = (
    (r"paritysuite/dynamodb-conformance (?P<p>[\w./-]+\.\w+)", _SUITE + "/blob/main/{p}"),
    (r"paritysuite/dynamodb-conformance\b", _SUITE),
    (r"scylladb test/alternator (?P<p>[\w./-]+\.py)", "github.com/scylladb/scylladb/blob/master/test/alternator/{p}"),
    (r"scylladb\b", "github.com/scylladb/scylladb/tree/master/test/alternator"),
    (r"AWS Developer Guide: (?P<p>[\w.-]*\w)", _AWS + "/developerguide/{p}.html"),
    (r"AWS API Reference: (?:API_)?(?P<p>\w+)", _AWS + "/APIReference/API_{p}.html"),
    (r"botocore service model\b", "github.com/boto/botocore/tree/develop/botocore/data/dynamodb/2012-08-10"),
    (r"moto(?: [\d.]+)? (?P<p>tests/[\w./-]*\w)", "github.com/getmoto/moto/tree/master/{p}"),
    (r"localstack(?:/localstack)? (?P<p>tests/[\w./-]*\w)", "github.com/localstack/localstack/tree/main/{p}"),
    (r"(?:architect/)?dynalite\b", "github.com/architect/dynalite"),
    (r"(?P<p>nubo-db/dynoxide)\b", "github.com/{p}"),
)
_PATTERNS = tuple((re.compile(pattern, re.ASCII), place) for pattern, place in _RULES)
_ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./?&=%#~+,;@:!$()*-]*)?", re.ASCII)


def link(source: str) -> str | None:
    """The address of the page or file that a citation names, or None. Only http and https, in plain ASCII."""
    if _ADDRESS.fullmatch(source):
        return source
    for pattern, place in _PATTERNS:
        found = pattern.match(source)
        if found is not None:
            return "https://" + place.format(**found.groupdict())
    return None
