"""JUnit XML: one case per directed check, and one per capability and rule that findings were made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from conformance.record.finding import Finding
from conformance.record.run import Run
from reports.notation import answer, clip, one_line, readable, visible
from reports.outline import Outline, accepted, duration, outline, replay_command, replays, verdict_of
from reports.steps import steps

FINDING_LIMIT = 20
"""Findings of one rule that are written out in its case."""
TEXT_LIMIT = 20_000
"""Characters of the text of one case."""

_OUTCOMES = {"violated": "failure", "unknown": "error", "unsupported": "skipped", "not-reached": "skipped"}


def render(run: Run, folder: Path) -> str:
    """The XML document. Failures are divergences, errors what could not be judged, skipped what was not tested."""
    view = outline(run)
    root = ElementTree.Element("testsuites", name="dynoracle", time=f"{run.seconds:.3f}")
    _suite(root, "run", run, _run_cases(view))
    _suite(root, "checks", run, _check_cases(view, folder))
    _suite(root, "search", run, _search_cases(view, folder))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(root: ElementTree.Element, name: str, run: Run, cases: Iterable[ElementTree.Element]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=f"dynoracle.{name}", timestamp=_clean(run.started))
    properties = ElementTree.SubElement(suite, "properties")
    target = {f"target.{key}": str(value) for key, value in run.target.items()}
    for key, value in {**target, "seed": str(run.seed), "version": run.version, "ledger": run.ledger}.items():
        ElementTree.SubElement(properties, "property", name=_clean(key), value=_clean(value))
    suite.extend(cases)
    tags = [outcome.tag for case in suite.findall("testcase") for outcome in case]
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(tags.count(tag)))
    suite.set("tests", str(len(suite.findall("testcase"))))


def _case(
    suite: str, capability: str, name: str, verdict: str, message: str = "", text: str = ""
) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_clean(f"dynoracle.{suite}.{capability}"), name=_clean(name))
    tag = _OUTCOMES.get(verdict)
    if tag is not None:
        outcome = ElementTree.SubElement(case, tag, type=_clean(verdict), message=one_line(message or verdict, 500))
        outcome.text = clip(_clean(text), TEXT_LIMIT) or None
    return case


def _clean(text: str) -> str:
    """The text without what XML 1.0 forbids: such characters come as escapes."""
    return visible(text)


def _run_cases(view: Outline) -> Iterable[ElementTree.Element]:
    run = view.run
    told = f"{run.programs:,} programs, {run.calls:,} calls in {duration(run.seconds)}; ended: {run.stopped}"
    yield _case("run", "run", "the run came to its end", "unknown" if run.errors else "ok", told, "\n".join(run.errors))


def _check_cases(view: Outline, folder: Path) -> Iterable[ElementTree.Element]:
    known = {finding.fingerprint: finding for finding in view.run.findings}
    for check in sorted(view.run.checks, key=lambda c: c.check):
        finding = known.get(check.fingerprint or "")
        text = _told(finding, folder) if finding is not None else check.detail
        message = check.detail or (readable(finding.summary) if finding is not None else check.rule)
        yield _case("checks", check.capability, check.check, verdict_of(check.verdict), message, text)


def _search_cases(view: Outline, folder: Path) -> Iterable[ElementTree.Element]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in (*view.findings, *view.unsettled):
        groups.setdefault((finding.capability, finding.rule), []).append(finding)
    for (capability, rule), findings in sorted(groups.items()):
        yield _rule_case(capability, rule, findings, folder)
    for result in view.capabilities:
        verdict = verdict_of(result.verdict)
        if verdict != "violated":
            told = f"{result.programs:,} programs, {result.calls:,} calls"
            yield _case("search", result.capability, "programs", verdict, f"{verdict}: {told}")


def _rule_case(capability: str, rule: str, findings: Sequence[Finding], folder: Path) -> ElementTree.Element:
    """A rule's case: it fails for settled findings that no baseline accepts, and never for what is not implemented."""
    failing = [f for f in findings if not f.unsettled and f.severity != "unsupported" and not accepted(f)]
    shown = failing or findings
    text = "\n\n".join(_told(finding, folder) for finding in shown[:FINDING_LIMIT])
    if len(shown) > FINDING_LIMIT:
        text += f"\n\n{len(shown) - FINDING_LIMIT:,} more findings of this rule"
    first = shown[0]
    if failing:
        case = _case("search", capability, rule, "violated", readable(first.summary), text)
        case[0].set("type", _clean(first.severity))
        return case
    why = "unsettled, not held against the target" if first.unsettled else "not implemented"
    if accepted(first):
        why = "accepted by the baseline"
    case = _case("search", capability, rule, "unsupported", f"{why}: {readable(first.summary)}", text)
    case[0].set("type", "accepted" if accepted(first) else "unsettled" if first.unsettled else "unsupported")
    return case


def _told(finding: Finding, folder: Path) -> str:
    lines = [
        f"{finding.severity}: {readable(finding.summary)}",
        f"rule: {finding.rule}: {finding.says} ({finding.strength})",
        "",
    ]
    lines += [f"{step.number:>3}  {step.text}" for step in steps(finding.program)]
    lines += [
        "",
        f"DynamoDB:    {answer(finding.expected, 2000)}",
        f"this target: {answer(finding.observed, 2000)}",
        "",
    ]
    lines += [f"{replays(finding)}, seen {finding.seen:,} times", replay_command(folder, finding)]
    return "\n".join(lines)
