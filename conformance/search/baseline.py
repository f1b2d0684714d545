"""What is known of a target before a run: its accepted findings (the baseline) and those of an earlier run.

A run first replays every one of them. Only a replay that does not show it any more makes a finding *vanished*: that a
search did not meet it again says nothing. A baseline is a file that people keep beside their code, TOML or JSON.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from conformance.record.codec import RecordError, dumps, loads
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.folder import RunFolder, read_run, write_text
from conformance.record.run import Run

SCHEMA = 1
KNOWN_FILE = "known.json"
"""The copy of what was known that a run folder keeps, so that it can be merged and resumed by itself."""
STATES = ("still there", "flaky", "vanished", "other", "not replayed")
"""Of a known finding: every replay shows it; some do; none does; none does but another difference shows; not tried."""
BASELINE, PREVIOUS = "baseline", "previous"


@dataclass(frozen=True, slots=True)
class Known:
    """A finding that is known of: its smallest program (ops as JSON) and, if accepted, why and until when.

    ``expires`` is an ISO date, the last day on which it is accepted, or empty for no end. ``origin`` is ``baseline``
    or ``previous``; only baseline entries are accepted.
    """

    fingerprint: str
    program: tuple[Mapping[str, Any], ...]
    rule: str = ""
    severity: str = ""
    operation: str = ""
    summary: str = ""
    reason: str = ""
    link: str = ""
    expires: str = ""
    origin: str = BASELINE

    def accepted(self, today: date) -> bool:
        """Whether it is in the baseline and its time has not run out."""
        return self.origin == BASELINE and not self.expired(today)

    def expired(self, today: date) -> bool:
        """Whether it was accepted until a day that is over."""
        return self.origin == BASELINE and bool(self.expires) and today > date.fromisoformat(self.expires)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The accepted findings of one target, by fingerprint."""

    target: str = ""
    entries: Mapping[str, Known] = field(default_factory=dict)


_SENT = ("index", "operation", "body", "raw", "notes")
_TEXTS = tuple(f.name for f in fields(Known) if f.name not in ("program", "origin"))


def known_of(finding: Finding) -> Known:
    """A finding of an earlier run as something known: of its calls, what is sent."""
    program = tuple({name: op[name] for name in _SENT if name in op} for op in finding.program)
    return Known(
        finding.fingerprint, program, finding.rule, finding.severity, finding.operation, finding.summary,
        origin=PREVIOUS,
    )  # fmt: skip


def read_baseline(path: Path) -> Baseline:
    """The baseline of a ``.toml`` or ``.json`` file; RecordError says which file and entry cannot be used, and why."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be read ({error.strerror}): make it with `dynoracle baseline update`"
        ) from error
    try:
        row = tomllib.loads(text.decode("utf-8")) if path.suffix == ".toml" else loads(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: is not {'TOML' if path.suffix == '.toml' else 'JSON'}: {error}") from error
    if not isinstance(row, dict) or row.get("schema") != SCHEMA or not isinstance(row.get("findings", []), list):
        raise RecordError(f"{path}: is no baseline of schema {SCHEMA}: make it with `dynoracle baseline update`")
    entries = [_entry(f"{path}: findings[{n}]", member) for n, member in enumerate(row.get("findings", []))]
    return Baseline(str(row.get("target", "")), {entry.fingerprint: entry for entry in entries})


def _entry(where: str, row: Any) -> Known:
    if not isinstance(row, dict) or not isinstance(row.get("fingerprint"), str):
        raise RecordError(f"{where}: needs a fingerprint")
    program = row.get("program", [])
    try:
        ops = tuple(loads(op.encode()) if isinstance(op, str) else dict(op) for op in program)
    except (ValueError, TypeError) as error:
        raise RecordError(f"{where}: its program cannot be read ({error})") from error
    if not ops or not all(isinstance(op, dict) and {"index", "operation", "body"} <= op.keys() for op in ops):
        raise RecordError(f"{where}: needs the program that shows it, as `dynoracle baseline update` writes it")
    texts = {name: str(row.get(name, "")) for name in _TEXTS}
    try:
        expiry_of(texts["expires"])
    except ValueError as error:
        raise RecordError(f"{where}: expires: {error}") from error
    return Known(program=ops, **texts)


def expiry_of(text: str) -> str:
    """An expiry as it is kept: an ISO date, or empty for none; ValueError for anything else."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2027-01-31") from None


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all, as TOML or JSON by the file's name; entries by rule and fingerprint."""
    entries = sorted(baseline.entries.values(), key=lambda e: (e.rule, e.operation, e.fingerprint))
    if path.suffix == ".toml":
        write_text(path, "\n".join(_toml(baseline.target, entries)))
        return
    rows = [{**_told(entry), "program": list(entry.program)} for entry in entries]
    content = dumps({"schema": SCHEMA, "target": baseline.target, "findings": rows}, pretty=True)
    write_text(path, content.decode("utf-8") + "\n")


def _told(entry: Known) -> dict[str, str]:
    return {name: getattr(entry, name) for name in _TEXTS}


def _toml(target: str, entries: Iterable[Known]) -> Iterable[str]:
    yield "# Differences from DynamoDB that are accepted here. `reason`, `link` and `expires` are for people to edit;"
    yield "# `program` is what a run replays. Written by `dynoracle baseline update`."
    yield f"schema = {SCHEMA}"
    yield f"target = {_quoted(target)}"
    for entry in entries:
        yield "\n[[findings]]"
        for name, text in _told(entry).items():
            yield f"{name} = {_quoted(text)}"
        yield "program = ["
        yield from (f"  {_quoted(dumps(op).decode('utf-8'))}," for op in entry.program)
        yield "]"
    yield ""


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes, and what TOML forbids besides."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def updated(
    baseline: Baseline, run: Run, *, reason: str = "", link: str = "", expires: str = "", only: Iterable[str] = ()
) -> tuple[Baseline, list[str], list[str]]:
    """The baseline after a run: its settled findings are taken in, entries that its replays found vanished go.

    Entries that are there keep their words unless new ones are given for them: a reason, a link or an expiry given is
    written to every finding taken in (those named in ``only``, else all). Returns the fingerprints
    added and removed.
    """
    wanted = set(only)
    entries = dict(baseline.entries)
    gone = {str(row["fingerprint"]) for row in run.known if row.get("state") == "vanished"} & entries.keys()
    removed = sorted(gone - wanted if wanted else gone)
    for fingerprint in removed:
        del entries[fingerprint]
    added = []
    for finding in run.findings:
        if finding.fingerprint in wanted or (not wanted and counts(finding)):
            known = entries.get(finding.fingerprint)
            if known is None:
                added.append(finding.fingerprint)
                known = replace(known_of(finding), origin=BASELINE)
            entries[finding.fingerprint] = replace(
                known, reason=reason or known.reason, link=link or known.link, expires=expires or known.expires
            )
    return Baseline(baseline.target or str(run.target.get("name", "")), entries), added, removed


def counts(finding: Finding) -> bool:
    """Whether a finding is held against a target: it is settled, and about something the target offers."""
    return not finding.unsettled and finding.severity != "unsupported"


def gather(baseline: Path | None, previous: Path | None) -> tuple[Known, ...]:
    """Everything known before a run, the baseline first; RecordError when a file cannot be used."""
    known: dict[str, Known] = {}
    if previous is not None:
        known |= {f.fingerprint: known_of(f) for f in read_run(previous).findings if f.program}
    if baseline is not None:
        known |= read_baseline(baseline).entries
    return tuple(sorted(known.values(), key=lambda k: (k.origin, k.rule, k.fingerprint)))


def write_known(folder: RunFolder, known: Iterable[Known]) -> None:
    """Leave what is known in the run folder, for the run to replay and for ``merge``."""
    rows = [asdict(entry) for entry in known]
    if rows:
        write_text(folder.path / KNOWN_FILE, dumps({"schema": SCHEMA, "known": rows}).decode("utf-8"))


def read_known(folder: RunFolder) -> tuple[Known, ...]:
    """What was known when the run of a folder began."""
    path = folder.path / KNOWN_FILE
    if not path.exists():
        return ()
    try:
        rows = loads(path.read_bytes())["known"]
        return tuple(Known(**{**row, "program": tuple(row["program"])}) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: cannot be read ({error}): the file is damaged") from error


def regression(known: Iterable[Known], replayed: Mapping[str, Mapping[str, Any]], today: date) -> list[dict[str, Any]]:
    """What became of everything known: one row each, by the journalled replays (fingerprint → row)."""
    rows = []
    for entry in known:
        told = replayed.get(entry.fingerprint, {})
        rows.append(
            {
                **_told(entry),
                "origin": entry.origin,
                "state": told.get("state", "not replayed"),
                "replayed": told.get("replayed", 0),
                "replays": told.get("replays", 0),
                "accepted": entry.accepted(today),
                "expired": entry.expired(today),
            }
        )
    return rows


def noted(finding: Finding, known: Mapping[str, Known], today: date) -> Finding:
    """The finding with a note that it is accepted, or that its acceptance has expired."""
    entry = known.get(finding.fingerprint)
    if entry is None or entry.origin != BASELINE:
        return finding
    words = {"reason": entry.reason, "link": entry.link, "expires": entry.expires}
    return replace(finding, notes={**finding.notes, "accepted" if entry.accepted(today) else "expired": words})


def failing(run: Run, severities: Collection[str]) -> list[Finding]:
    """The findings that make a run fail: settled, of these severities, and not accepted by its baseline."""
    return [f for f in run.findings if f.severity in severities and not f.unsettled and "accepted" not in f.notes]


def severities_of(text: str) -> set[str]:
    """A comma list of severities, ``any`` or ``none``; ValueError names one that is unknown."""
    if text in ("any", "none"):
        return set(SEVERITIES) - {"unsupported"} if text == "any" else set()
    chosen = {part.strip() for part in text.split(",") if part.strip()}
    unknown = chosen - set(SEVERITIES)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is no severity; known: any, none, {', '.join(SEVERITIES)}")
    return chosen
