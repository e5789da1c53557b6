"""Coverage of 95 % intervals on simulated leaderboards of 5, 20 and 40 models.

Run ``python benchmarks/interval_coverage.py [--runs 4000] [--quick]``. Strengths are quantiles of a normal distribution
with a standard deviation of 1 log-odds, every pair is drawn at random, every vote is by another rater. Each board is
fitted twice: with the leaderboard's prior, and with half a tie for each pair of models that met. Exit status 1 if the
leaderboard's mean coverage over the models is outside of 94 to 96 %, or that of the worst pair below 88 %.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.rounds import machine
from playground.ratings.bradley_terry import DEFAULT_PRIOR, Fit, fit
from playground.ratings.intervals import estimate_intervals
from playground.ratings.pairs import FloatArray
from tests.support.judged import simulated, true_ratings

SEED = 20250131
ROWS = ((5, 200), (20, 600), (40, 1500))
"""Models and votes of each simulated board."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of boards whose intervals contain the true value."""

    ratings: FloatArray  # (m,) per rating
    pairs: FloatArray  # (m (m - 1) / 2,) per difference
    error: float  # Monte Carlo standard error of the mean of `ratings`

    @property
    def keeps_its_promise(self) -> bool:
        """True if the mean is 94 to 96 % and no rating or difference is below 88 %."""
        return bool(0.94 <= self.ratings.mean() <= 0.96 and min(self.ratings.min(), self.pairs.min()) >= 0.88)


def normal_strengths(models: int) -> FloatArray:
    """Return log-odds (m,), the strongest first."""
    return np.array([NormalDist().inv_cdf(1 - (i + 0.5) / models) for i in range(models)])


def shared_ties(wins: FloatArray) -> Fit:
    """Fit as the leaderboard does."""
    return fit(wins)


def half_a_tie_each(wins: FloatArray) -> Fit:
    """Fit with half a tie for each pair that met; all models must be connected."""
    met = np.count_nonzero(np.triu(wins + wins.T))
    return fit(wins, prior=0.5 * met / max(len(wins) - 1, 1))


def coverage(models: int, votes: int, runs: int, fitted: Callable[[FloatArray], Fit], seed: int = SEED) -> Coverage:
    """Return the coverage on `runs` boards, the same for the same seed."""
    rng, strengths = np.random.default_rng(seed), normal_strengths(models)
    truth = true_ratings(strengths, taste=0.0, ties=0.0)
    apart, upper = truth[:, None] - truth, np.triu_indices(models, 1)
    ratings, pairs = np.zeros((runs, models)), np.zeros(len(upper[0]))
    for run in range(runs):
        table = simulated(strengths, num_votes=votes, num_raters=0, taste=0.0, ties=0.0, rng=rng)
        found = estimate_intervals(table, fitted(table.wins))
        ratings[run] = (found.lower <= truth) & (truth <= found.upper)
        pairs += ((found.difference_lower <= apart) & (apart <= found.difference_upper))[upper]
    error = float(ratings.mean(axis=1).std(ddof=1)) / math.sqrt(runs)
    return Coverage(ratings.mean(axis=0), pairs / runs, error)


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=4000, help="simulated boards of each size")
    parser.add_argument("--models", type=int, default=0, help="only boards of so many models")
    parser.add_argument("--quick", action="store_true", help="100 boards of each size")
    arguments = parser.parse_args()
    runs = 100 if arguments.quick else arguments.runs
    print(f"{machine(runs, 'numpy')}; a round is one board of each size\n")
    print("| models × votes | prior | ratings, mean | worst rating | differences, mean | worst difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    kept = True
    for models, votes in (row for row in ROWS if arguments.models in (0, row[0])):
        now = coverage(models, votes, runs, shared_ties)
        kept = kept and now.keeps_its_promise
        _print_row(models, votes, f"{DEFAULT_PRIOR:g} × (models − 1) ties, shared", now)
        _print_row(models, votes, "0.5 of a tie for each pair", coverage(models, votes, runs, half_a_tie_each))
    return 0 if kept or arguments.quick else 1  # a hundred boards are too few


def _print_row(models: int, votes: int, prior: str, found: Coverage) -> None:
    mean = f"{100 * found.ratings.mean():.1f} ± {100 * found.error:.1f}"
    others = (found.ratings.min(), found.pairs.mean(), found.pairs.min())
    print(f"| {models} × {votes:,} | {prior} | {mean} | {' | '.join(f'{100 * share:.1f}' for share in others)} |")


if __name__ == "__main__":
    sys.exit(main())
