"""Many experiments: controls, repeats of what fails, the smallest plan that still shows it, and the run folder."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chaos import lanes
from chaos.checkers.verdict import Anomaly
from chaos.experiment import Settings, Trial, experiment, schedule_for
from chaos.faults import FAULTS
from chaos.schedule import Schedule, dump, parse
from chaos.summary import Made
from chaos.workloads import WORKLOADS
from chaos.workloads.base import Act, Plan, Size, smaller
from conformance.record.codec import dumps, loads
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder, write_text
from conformance.record.op import Op, op_to_json
from conformance.record.run import CapabilityResult, CheckResult, Run
from conformance.search.campaign import ledger_version
from conformance.targets.target import Target
from reference.rules import ledger

REPLAYS = 3
"""How often a failing experiment is run again as it was."""
MINIMISE_TRIALS = 24
"""Experiments that are spent on making one finding small."""
MINIMISE_SECONDS = 30.0
FINDING_LIMIT = 30
"""Findings of one run that are reduced; further ones are only counted."""
PLAN, SCHEDULE, HISTORY, EVIDENCE, TIMELINE = (
    "plan.json", "schedule.toml", "history.jsonl", "evidence.txt", "timeline.svg",
)  # fmt: skip

SCRIPT = '''\
"""Runs this experiment again, on a target: ``python reproduce.py [TARGET]``; exit code 1 while it shows."""

import subprocess
import sys
from pathlib import Path

target = sys.argv[1] if len(sys.argv) > 1 else {target!r}
command = [sys.executable, "-m", "dynoracle", "chaos", target, "--replay", str(Path(__file__).parent)]
sys.exit(subprocess.run(command, check=False).returncode)
'''


def fingerprint(workload: str, anomaly: Anomaly) -> str:
    """One cause, one fingerprint is the aim: what was run, which rule broke, and how; never values or seeds."""
    # A process may die of any workload.
    where = "" if anomaly.severity == "crash" else workload
    text = "\n".join(("chaos", where, anomaly.rule, anomaly.kind))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something found: the trial that showed it, the anomaly, and how surely it shows."""

    trial: Trial
    anomaly: Anomaly
    without_faults: bool = False
    replayed: int = 0
    replays: int = 0
    trials: int = 0

    @property
    def fingerprint(self) -> str:
        """See ``fingerprint``."""
        return fingerprint(self.trial.plan.workload, self.anomaly)


@dataclass(slots=True)
class Campaign:
    """Experiments on one target until the time is over; everything found goes to the run folder.

    ``watch`` is called after each trial. ``persist`` of the target is the caller's choice when opening it.
    """

    target: Target
    folder: RunFolder
    settings: Settings
    workloads: Sequence[str]
    size: Size = field(default_factory=Size)
    seed: int = 0
    watch: Callable[[Trial, bool], None] = lambda trial, control: None
    problems: dict[str, Problem] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    made: Made = field(default_factory=Made)
    errors: list[str] = field(default_factory=list)

    def run(self, budget: float, rounds: int | None = None) -> None:
        """Experiment after experiment, each with its control, for so many seconds or rounds of all workloads."""
        deadline = time.monotonic() + budget
        number = 0
        while time.monotonic() < deadline and (rounds is None or number < rounds):
            for name in self.workloads:
                if time.monotonic() > deadline and number:
                    return
                self.one(name, self.seed + number)
                if not self.made.last and not self.target.alive():
                    self.errors.append(f"{self.target.endpoint or self.target.name} does not answer any more")
                    return
            number += 1

    def one(self, name: str, seed: int) -> None:
        """One experiment and its control: the same plan without faults."""
        workload = WORKLOADS[name]
        plan = workload.draw(seed, self.size)
        schedule = schedule_for(workload, plan, self.settings)
        control = self._try(plan, None, control=True)
        fresh = self._note(control, without_faults=True)
        if schedule is not None and control.verdict != "violated":
            fresh += self._note(self._try(plan, schedule, control=False), without_faults=False)
        for problem in fresh:
            if len(self.problems) <= FINDING_LIMIT:
                reduced = self.reduce(problem)
                self.problems[problem.fingerprint] = reduced
                write_problem(self.folder, self.target, reduced, self.settings)

    def _try(self, plan: Plan, schedule: Schedule | None, *, control: bool) -> Trial:
        path = self.folder.path / "journal" / f"chaos-{self.made.trials:04}-{plan.workload}-{plan.seed}.jsonl"
        trial = experiment(self.target, plan, schedule, self.settings, path)
        self.made.add(trial, control=control)
        self.watch(trial, control)
        if trial.verdict != "violated" and path.exists():
            path.unlink()
        return trial

    def _note(self, trial: Trial, *, without_faults: bool) -> list[Problem]:
        """The problems of a trial that were not known; of all of them it is counted how many experiments show them."""
        fresh = []
        self.seen.update({fingerprint(trial.plan.workload, anomaly) for anomaly in trial.anomalies()})
        for anomaly in trial.anomalies():
            problem = Problem(trial, anomaly, without_faults)
            if problem.fingerprint not in self.problems:
                self.problems[problem.fingerprint] = problem
                fresh.append(problem)
        return fresh

    def reduce(self, problem: Problem) -> Problem:
        """Run it again as it was, then look for the smallest plan and schedule that show the same."""
        trial = problem.trial
        again = [self._shows(problem.fingerprint, trial.plan, trial.schedule) for _ in range(REPLAYS)]
        shown = [found for found in again if found is not None]
        problem = replace(problem, replayed=len(shown), replays=REPLAYS, trials=REPLAYS)
        return self._minimise(problem) if shown else problem

    def _shows(self, wanted: str, plan: Plan, schedule: Schedule | None) -> Problem | None:
        trial = experiment(self.target, plan, schedule, self.settings)
        for anomaly in trial.anomalies():
            if fingerprint(plan.workload, anomaly) == wanted:
                return Problem(trial, anomaly)
        return None

    def _minimise(self, problem: Problem) -> Problem:
        deadline = time.monotonic() + MINIMISE_SECONDS
        best, spent = problem, 0
        # What shows only now and then is given a second chance each time.
        votes = 1 if problem.replayed == problem.replays else 2

        def attempt(plan: Plan, schedule: Schedule | None) -> bool:
            nonlocal best, spent
            for _ in range(votes):
                if spent >= MINIMISE_TRIALS or time.monotonic() > deadline:
                    return False
                spent += 1
                found = self._shows(problem.fingerprint, plan, schedule)
                if found is not None:
                    best = replace(best, trial=found.trial, anomaly=found.anomaly)
                    return True
            return False

        shrink(problem.trial.plan, problem.trial.schedule, attempt)
        return replace(best, trials=problem.trials + spent)


def shrink(plan: Plan, schedule: Schedule | None, attempt: Callable[[Plan, Schedule | None], bool]) -> None:
    """Try smaller and smaller plans and schedules: ``attempt`` says whether one still shows the problem.

    First without faults, then fewer clients, shorter clients, fewer faults, fewer acts.
    """
    if schedule is not None and attempt(plan, None):
        schedule = None
    for client in range(len(plan.clients)):
        if plan.clients[client] and sum(map(bool, plan.clients)) > 1:
            fewer = smaller(plan, [() if n == client else acts for n, acts in enumerate(plan.clients)])
            plan = fewer if attempt(fewer, schedule) else plan
    for part in (0.25, 0.5, 0.75):
        shorter = smaller(plan, [acts[: max(1, int(len(acts) * part))] for acts in plan.clients])
        if shorter.acts < plan.acts and attempt(shorter, schedule):
            plan = shorter
            break
    if schedule is not None:
        for half in range(2):
            rules = schedule.rules[half::2]
            if rules and len(rules) < len(schedule.rules) and attempt(plan, replace(schedule, rules=rules)):
                schedule = replace(schedule, rules=rules)
    for client in range(len(plan.clients)):
        for half in range(2):
            acts: Sequence[Act] = plan.clients[client]
            middle = len(acts) // 2
            kept = acts[middle:] if half == 0 else acts[:middle]
            if middle and kept:
                fewer = smaller(plan, [kept if n == client else own for n, own in enumerate(plan.clients)])
                plan = fewer if attempt(fewer, schedule) else plan


def write_problem(folder: RunFolder, target: Target, problem: Problem, settings: Settings) -> Finding:
    """Write a problem as a finding, with its plan, schedule, evidence and timeline beside it."""
    finding = finding_of(problem, target, settings)
    place = folder.write_finding(finding, SCRIPT.format(target=target.name))
    trial, anomaly = problem.trial, problem.anomaly
    write_text(place / PLAN, dumps(trial.plan.to_json(), pretty=True).decode() + "\n")
    if trial.schedule is not None:
        write_text(place / SCHEDULE, dump(trial.schedule))
    write_text(place / HISTORY, "".join(dumps(op_to_json(op)).decode() + "\n" for op in trial.ops))
    write_text(place / EVIDENCE, "\n".join([anomaly.summary, "", *anomaly.prose, *met(problem)]) + "\n")
    picture = lanes.svg(trial.spans(anomaly.ops()), trial.bands, f"{finding.operation}: {anomaly.kind}")
    write_text(place / TIMELINE, picture)
    return finding


def spoken_of(problem: Problem) -> list[Op]:
    """The calls that the evidence speaks of, with every attempt of those that were sent again."""
    wanted = set(problem.anomaly.ops())
    return [op for op in problem.trial.ops if op.index in wanted or op.attempt_of in wanted]


def met(problem: Problem) -> list[str]:
    """What a reader of the evidence must know of its calls: attempts, faults, and clients that go by a new number."""
    told = []
    if problem.anomaly.severity == "crash" and problem.trial.fired:
        met_by = ", ".join(f"{name} {count}" for name, count in sorted(problem.trial.fired.items()))
        told.append(f"Faults that the clients' requests met: {met_by}.")
    clients = len(problem.trial.plan.clients)
    renamed: dict[int, int] = {}
    for op in spoken_of(problem):
        if op.attempt_of is not None:
            told.append(f"Call {op.index} is call {op.attempt_of} again, with the same token.")
        for firing in op.faults:
            name = firing.partition("@")[0]
            says = f": it {FAULTS[name].says}" if name in FAULTS else ""
            told.append(f"Call {op.index} met the fault {name}{says}.")
        client = op.notes.get("client")
        if isinstance(client, int) and client < clients and op.process != client:
            renamed[op.process] = client
    told += [f"Client {new} is client {old}, after a call without an answer." for new, old in sorted(renamed.items())]
    if any("final" in op.notes for op in spoken_of(problem)):
        told.append(f"Client {clients + 1} reads what is left when all others have ended.")
    return told


def finding_of(problem: Problem, target: Target, settings: Settings) -> Finding:
    """The finding of a problem: its program are the calls that the evidence speaks of."""
    trial, anomaly = problem.trial, problem.anomaly
    rule = ledger().get(anomaly.rule)
    ops = spoken_of(problem)
    faults = sorted({name.partition("@")[0] for op in trial.ops for name in op.faults} | set(trial.fired))
    clients = sum(map(bool, trial.plan.clients))
    return Finding(
        fingerprint=problem.fingerprint,
        capability=rule.capability if rule else "consistency",
        operation=f"{trial.plan.workload} by {clients} client{'' if clients == 1 else 's'}",
        rule=anomaly.rule,
        severity=anomaly.severity,
        path=anomaly.kind,
        summary=anomaly.summary,
        says=rule.says if rule else "",
        strength=rule.strength if rule else "inferred",
        evidence=tuple(asdict(e) for e in rule.evidence) if rule else (),
        spec=rule.spec if rule else (),
        expected={"history": rule.says if rule else "an order of the calls that explains every answer"},
        observed={"history": "\n".join([*anomaly.prose, *met(problem)])},
        program=tuple(op_to_json(op) for op in ops),
        calls=len(ops),
        unsettled=rule is None or rule.strength == "inferred",
        replayed=problem.replayed,
        replays=problem.replays,
        minimise_requests=problem.trials,
        first_seen=datetime.now(UTC).isoformat(timespec="seconds"),
        notes={
            "target": target.name, "version": target.version, "endpoint": target.endpoint, "seed": trial.plan.seed,
            "workload": trial.plan.workload, "faults": faults, "without_faults": trial.schedule is None,
            "black_box": settings.black_box, "acts": trial.plan.acts, "evidence": EVIDENCE, "timeline": TIMELINE,
            "history": HISTORY,
        },
    )  # fmt: skip


def saved(path: Path) -> tuple[Plan, Schedule | None]:
    """The plan and schedule that stand in a finding's folder; OSError, ValueError or KeyError when they do not."""
    plan = Plan.from_json(loads((path / PLAN).read_bytes()))
    schedule = path / SCHEDULE
    return plan, parse(schedule.read_text(encoding="utf-8")) if schedule.exists() else None


def write_run(campaign: Campaign, *, command: str, budget: float, started: str, seconds: float, stopped: str) -> Run:
    """The run of a campaign, written to its folder: a check for each workload, with and without faults."""
    for finding in folder_findings(campaign.folder):
        seen = campaign.seen[finding.fingerprint]
        if seen > finding.seen:
            campaign.folder.write_finding(replace(finding, seen=seen), SCRIPT.format(target=campaign.target.name))
    findings = tuple(folder_findings(campaign.folder))
    by_capability: dict[str, Counter[str]] = {}
    for finding in findings:
        if not finding.unsettled:
            by_capability.setdefault(finding.capability, Counter())[finding.severity] += 1
    checks = _checks(campaign)
    own = worst_of(check.verdict for check in checks)
    names = dict.fromkeys(["consistency", *by_capability])
    made = campaign.made
    try:
        ours = version("dynoracle")
    except PackageNotFoundError:
        ours = "0"
    target = campaign.target
    run = Run(
        target={"name": target.name, "version": target.version, "endpoint": target.endpoint},
        command=command,
        version=ours,
        ledger=ledger_version(),
        seed=campaign.seed,
        budget=budget,
        started=started,
        seconds=round(seconds, 1),
        programs=made.trials,
        calls=made.calls,
        stopped=stopped,
        capabilities=tuple(
            CapabilityResult(
                name,
                "violated" if by_capability.get(name) else own,
                made.trials if name == "consistency" else 0,
                made.calls if name == "consistency" else 0,
                dict(by_capability.get(name, {})),
            )
            for name in names
        ),
        findings=findings,
        checks=tuple(checks),
        profile={**target.profile.to_json(), "black_box": campaign.settings.black_box},
        coverage={"faults": dict(made.fired), "operations": dict(made.operations)},
        errors=tuple(campaign.errors),
        experiments=tuple(made.experiments()),
    )
    campaign.folder.write_run(run)
    return run


def worst_of(verdicts: Any) -> str:
    """The worst of some checks' verdicts: violated, unknown where nothing is ok, else ok."""
    known = set(verdicts)
    return "violated" if "violated" in known else ("ok" if "ok" in known else "unknown")


def folder_findings(folder: RunFolder) -> list[Finding]:
    """The findings of a folder, worst evidence first."""
    return sorted(folder.read_findings(), key=lambda f: (f.unsettled, f.rule, f.fingerprint))


def _checks(campaign: Campaign) -> list[CheckResult]:
    """A check for each checker of each workload, with and without faults; a violated one names its finding."""
    found = []
    for (workload, control, checker), checked in campaign.made.checked.items():
        verdict = worst_of(checked.verdicts)
        anomaly = checked.first
        name = f"chaos:{workload}/{checker}/{'control' if control else 'faults'}"
        rule = anomaly.rule if anomaly else RULES.get(checker, "consistency.linearizable-item")
        detail = anomaly.summary if anomaly else "; ".join(sorted(checked.reasons))
        print_of = fingerprint(workload, anomaly) if anomaly else None
        found.append(CheckResult(name, rule, rule.partition(".")[0], verdict, print_of, detail))
    return found


RULES: Mapping[str, str] = {
    "alive": "consistency.stays-up",
    "linearizable": "consistency.linearizable-item",
    "transactions": "consistency.serializable-transactions",
    "bank": "consistency.serializable-transactions",
    "sessions": "consistency.read-after-write",
    "streams": "consistency.stream-exactly-once",
    "durability": "consistency.durable-acknowledged",
    "convergence": "consistency.views-agree",
    "index": "consistency.index-converges",
    "ttl": "ttl.expiry",
}
"""The rule that a checker first of all checks."""
