"""Soundness, run long: lawful weather of random settings over all machines must never be faulted.

``python -m tests.properties.soak --seconds 600 --seed 1`` prints a line a minute and exits 1 at the first fault.
``--harsh`` turns on every freedom in every program: what coincides seldom otherwise is found sooner.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.perturbed import campaign, rulings, run_program, weather_of


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=600.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--capabilities", default="", help="comma list of machines; all by default")
    options.add_argument("--harsh", action="store_true", help="every freedom on, and strongly")
    chosen = options.parse_args()
    only = tuple(name for name in chosen.capabilities.split(",") if name)
    end = time.monotonic() + chosen.seconds
    seed, totals, told = chosen.seed, Counter[str](), time.monotonic()
    while time.monotonic() < end:
        for program, weather_seed in campaign(seed, capabilities=only):
            ops = run_program(program, weather_seed, weather_of(weather_seed, harsh=chosen.harsh))
            totals += rulings(ops)
            for judged in ops:
                if judged.verdict.ruling == "violated":
                    print(f"faulted: chunk {seed}, weather {weather_seed}: {judged.verdict.divergence}")
                    return 1
        seed += 1
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"{sum(totals.values())} calls judged, {totals['unknown']} unknown, none faulted", flush=True)
    print(f"lawful weather: {sum(totals.values())} calls judged, {totals['unknown']} unknown, none faulted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
