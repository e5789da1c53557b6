"""Simulated leaderboards: how often intervals, claims and stated numbers of votes are wrong.

Run ``python benchmarks/simulated_boards.py [--runs 400] [--only WORD]``. Every row has known strengths and a limit;
exit status 1 if a rate is beyond its limit by more than three Monte Carlo standard errors. The coverage of 20 and 40
models is in ``interval_coverage.py``.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.rounds import machine
from benchmarks.simulations import (
    Arena,
    Count,
    covered,
    enough_votes,
    ever_leads,
    ever_leads_adaptively,
    ever_ordered,
    false_alarms,
    power_by_votes,
    wrong_about_these_raters,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One question to simulations, with the rate that answers it and its limit."""

    name: str
    before: str  # by the earlier method
    limit: float
    at_least: bool
    count: Count


EQUAL = (0.0,) * 5
UNEQUAL = (0.6, 0.25, 0.1, -0.3, -0.65)
GAPS = (50, 70, 100, 150, 250)
"""Points between a leader and four equal models."""
ROWS = (
    Row(
        "strong: 5 models × 200 votes, one 4 log-odds ahead", "82 %", 0.93, True, covered(Arena((4.0, 0, 0, 0, 0), 200))
    ),
    Row("strong: 5 × 60, 4 ahead", "62 %", 0.93, True, covered(Arena((4.0, 0, 0, 0, 0), 60))),
    Row("strong: 5 × 200, 6 ahead", "0.4 %", 0.93, True, covered(Arena((6.0, 0, 0, 0, 0), 200))),
    Row("strong: 2 × 50, one wins 95 %", "89 %", 0.93, True, covered(Arena((math.log(19), 0.0), 50))),
    Row(
        "raters: 3 × 1,000 votes with tastes: a false claim about these raters at any time",
        "16 % and 90 %",
        0.05,
        False,
        wrong_about_these_raters(3, 1000, 0.5),
    ),
    Row(
        "raters: 10 with tastes, 500 votes: intervals in the population",
        "–",
        0.93,
        True,
        covered(Arena(UNEQUAL, 500, raters=10, taste=0.5)),
    ),
    Row(
        "looks: 2 equal models, up to 1,000 votes: a leader at any time",
        "23 %",
        0.05,
        False,
        ever_leads(Arena((0.0, 0.0), 1000)),
    ),
    Row(
        "looks: 5 equal models, up to 1,000 votes: an order at any time",
        "21 %",
        0.05,
        False,
        ever_ordered(Arena(EQUAL, 1000)),
    ),
    Row(
        "looks: 2 equal models, 10 raters with tastes, 500 votes each: a leader at any time",
        "20 %",
        0.05,
        False,
        ever_leads(Arena((0.0, 0.0), 5000, raters=10, taste=0.5)),
    ),
    Row(
        "looks: 2 equal models, 20 raters with tastes, 500 votes each",
        "13 %",
        0.05,
        False,
        ever_leads(Arena((0.0, 0.0), 10000, raters=20, taste=0.5)),
    ),
    Row(
        "looks: 2 equal models, 200 raters with tastes, 5 votes each",
        "–",
        0.05,
        False,
        ever_leads(Arena((0.0, 0.0), 1000, raters=200, taste=0.5)),
    ),
    Row("looks: 4 equal models, the two best meet most often", "–", 0.05, False, ever_leads_adaptively(1000)),
    Row(
        "votes needed: the upper number separates first from second",
        "26 to 49 %",
        0.80,
        True,
        enough_votes(likely=True),
    ),
    Row(
        "fit: 5 models, 500 votes of 40 raters with tastes: false alarms",
        "–",
        0.05,
        False,
        false_alarms(Arena(UNEQUAL, 500, raters=40, taste=0.5)),
    ),
    Row(
        "fit: 5 models, 500 votes of 10 raters with tastes: false alarms",
        "–",
        0.05,
        False,
        false_alarms(Arena(UNEQUAL, 500, raters=10, taste=0.5)),
    ),
    Row(
        "fit: one 4 log-odds ahead, 200 votes: false alarms",
        "–",
        0.05,
        False,
        false_alarms(Arena((4.0, 0, 0, 0, 0), 200)),
    ),
)


def beyond(row: Row, number: int, total: int) -> bool:
    """Return True if the rate is on the wrong side of the limit by more than chance of the simulation."""
    error = math.sqrt(row.limit * (1 - row.limit) / max(total, 1))
    rate = number / max(total, 1)
    return rate < row.limit - 3 * error if row.at_least else rate > row.limit + 3 * error


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=400, help="simulated boards of each row")
    parser.add_argument("--only", default="", help="only rows whose name has this word")
    arguments = parser.parse_args()
    print(f"{machine(arguments.runs, 'numpy', 'scipy')}; a round is one board of each row\n", flush=True)
    print("| simulated | before | now, % | limit |\n| --- | --- | --- | --- |", flush=True)
    failed = 0
    for row in (row for row in ROWS if arguments.only in row.name):
        number, total = row.count(arguments.runs)
        rate = number / max(total, 1)
        error = math.sqrt(max(rate * (1 - rate), 1 / max(total, 1)) / max(total, 1))
        limit = f"{'≥' if row.at_least else '≤'} {100 * row.limit:g}"
        print(f"| {row.name} | {row.before} | {100 * rate:.1f} ± {100 * error:.1f} | {limit} |", flush=True)
        failed += beyond(row, number, total)
    if arguments.only in ("", "power"):
        print_power(10 * arguments.runs)
    return 1 if failed else 0


def print_power(runs: int) -> None:
    """Print the votes after which a leader of five models is named in four of five boards."""
    print(
        "\n| points ahead | leads at 200 votes, in one look / at any time, % | votes for 80 %, one look | at any time |"
    )
    print("| --- | --- | --- | --- |")
    for gap in GAPS:
        numbers, one_look, any_time = power_by_votes(gap, runs)
        at_200 = max(k for k, votes in enumerate(numbers) if votes <= 200)
        enough = [f"{numbers[int(np.argmax(power >= 0.8))]:,}" for power in (one_look, any_time)]
        print(f"| {gap} | {100 * one_look[at_200]:.1f} / {100 * any_time[at_200]:.1f} | {' | '.join(enough)} |")


if __name__ == "__main__":
    sys.exit(main())
