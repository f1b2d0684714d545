"""How long the static site of many runs takes: 200 runs of each of 5 targets with 300 findings each, synthetic.

python -m benchmarks.site [--runs 200] [--targets 5] [--findings 300]
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import orjson

from conformance.record.run import run_to_json
from reports.site import build
from tests.unit.record_samples import ACCEPTS, DATA, RUN


def make(top: Path, targets: int, runs: int, findings: int) -> int:
    """Write the runs; how many bytes they are."""
    size = 0
    row = run_to_json(replace(RUN, findings=(DATA, ACCEPTS)))
    samples = row["findings"]
    for target, number in itertools.product(range(targets), range(runs)):
        row["target"] = {"name": f"target-{target}", "version": f"1.{number}"}
        row["started"] = f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}T00:{number % 60:02}:00+00:00"
        first = target * 100_003 + number // 20
        row["findings"] = [
            {**samples[n % 2], "fingerprint": f"{first + n:012x}", "rule": f"items.rule-{n % 150}"}
            for n in range(findings)
        ]
        folder = top / f"{target}-{number:04}"
        folder.mkdir(parents=True)
        size += (folder / "report.json").write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2))
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--targets", type=int, default=5)
    parser.add_argument("--findings", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        size = make(Path(home) / "runs", given.targets, given.runs, given.findings)
        print(f"{given.targets} targets x {given.runs} runs x {given.findings} findings: {size / 1e6:,.0f} MB")
        start, busy = time.perf_counter(), time.process_time()
        site = build(Path(home) / "runs", Path(home) / "site")
        took, busy = time.perf_counter() - start, time.process_time() - busy
        print(f"{site.pages:,} pages in {took:.1f} s, {busy:.1f} s of them at work")


if __name__ == "__main__":
    main()
