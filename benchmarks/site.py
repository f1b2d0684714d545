"""How long the static site of many runs takes: 200 runs of each of 5 targets with 300 findings each, synthetic.

python -m benchmarks.site [--runs 200] [--targets 5] [--findings 300]
"""

from __future__ import annotations

import argparse
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
    for target in range(targets):
        for number in range(runs):
            shown = [
                replace(
                    (DATA, ACCEPTS)[n % 2],
                    fingerprint=f"{(target * 100_003 + n + number // 20) % 1_000_000:012x}",
                    rule=f"items.rule-{n % 150}",
                )
                for n in range(findings)
            ]
            run = replace(
                RUN,
                target={"name": f"target-{target}", "version": f"1.{number}"},
                started=f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}T00:{number % 60:02}:00+00:00",
                findings=tuple(shown),
            )
            folder = top / f"{target}-{number:04}"
            folder.mkdir(parents=True)
            text = orjson.dumps(run_to_json(run), option=orjson.OPT_INDENT_2)
            size += (folder / "report.json").write_bytes(text)
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
        start = time.perf_counter()
        site = build(Path(home) / "runs", Path(home) / "site")
        print(f"{site.pages:,} pages in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
