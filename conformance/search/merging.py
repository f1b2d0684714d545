"""Several run folders into one: shards of a campaign, or what a killed run left."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.record import journal
from conformance.record.codec import RecordError
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder, read_run
from conformance.record.run import Run
from conformance.search.baseline import BASELINE, Known, read_known, write_known
from conformance.search.campaign import merge, new_folder


def merge_runs(runs: Sequence[Path], out: Path | None) -> tuple[RunFolder, Run]:
    """One run of all folders, by the same code that ends every run. RecordError: one is no run, or of another target.

    With ``out`` the folders are left as they are; without it there must be one alone, which is merged where it is.
    """
    folders = [RunFolder(path) for path in runs]
    for folder in folders:
        if not folder.journals:
            raise RecordError(f"{folder.path}: has no journals: name the folder of a run")
    _demand_one_target(folders)
    stopped = _stopped(folders)
    if out is None:
        if len(folders) > 1:
            raise RecordError("several runs are merged into a new folder: name it with --out")
        return folders[0], merge(folders[0], stopped=stopped)
    if any(out.resolve() == folder.path.resolve() for folder in folders):
        raise RecordError(f"--out {out} is one of the runs: name another folder")
    made = new_folder(out, "merged", 0)
    for number, folder in enumerate(folders, 1):
        _copy(folder, made, number)
    write_known(made, _together(folders))
    return made, merge(made, stopped=stopped)


def _demand_one_target(folders: Iterable[RunFolder]) -> None:
    first: tuple[str, str] | None = None
    for folder in folders:
        headers = (row for path in folder.journals for row in journal.read(path) if row["kind"] == "run")
        header = next(headers, None)
        if header is None:
            continue
        target = header["target"]
        told = (f"{target.get('name')} {target.get('version')}", str(header.get("ledger")))
        if first is None:
            first = told
        elif told != first:
            what = "target" if told[0] != first[0] else "ledger"
            raise RecordError(
                f"{folder.path}: is of another {what}, {' '.join(told)}, than the first, {' '.join(first)}"
            )


def _stopped(folders: Iterable[RunFolder]) -> str:
    """Why the runs ended; one that left no report was killed."""
    told = []
    for folder in folders:
        try:
            told.append(read_run(folder.path).stopped)
        except RecordError:
            told.append("killed")
    return next((why for why in told if why != "budget"), "budget")


def _copy(folder: RunFolder, made: RunFolder, number: int) -> None:
    """Copy journals and findings; of two findings of one fingerprint the surer and smaller one is kept."""
    for path in folder.journals:
        place = made.path / "journal" / f"{number}-{path.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    there = {finding.fingerprint: finding for finding in made.read_findings()}
    for finding in folder.read_findings():
        known = there.get(finding.fingerprint)
        if known is None or _worth(finding) > _worth(known):
            place = made.finding_folder(finding.fingerprint)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder.finding_folder(finding.fingerprint), place)


def _worth(finding: Finding) -> tuple[bool, float, int]:
    share = finding.replayed / finding.replays if finding.replays else 0.0
    return (not finding.notes.get("unreduced"), share, -finding.calls)


def _together(folders: Iterable[RunFolder]) -> list[Known]:
    known: dict[str, Known] = {}
    for folder in folders:
        for entry in read_known(folder):
            if entry.fingerprint not in known or entry.origin == BASELINE:
                known[entry.fingerprint] = entry
    return list(known.values())
