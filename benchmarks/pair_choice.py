"""Votes that a ranking of 20 models needs if pairs are drawn for what they tell, against drawing all alike.

Run ``python benchmarks/pair_choice.py [--runs 200]``. Strengths are spread evenly over ±2 log-odds, every vote is by
another rater, chances are computed anew when the votes have grown by a twentieth, as in the playground. Accuracy is the
share of pairs of models that the ratings put in the true order; the votes that give it are read from the mean curves,
and their error from a bootstrap over boards. Exit status 1 if the mean coverage of the board's 95 % intervals is
outside of 94 to 96 % by more than three Monte Carlo standard errors.
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
from playground.arena.pair_choice import GROWTH
from playground.ratings.bradley_terry import fit, win_probability
from playground.ratings.intervals import estimate_intervals
from playground.ratings.pairing import VOTES_PER_MODEL, chances_of, gains_of
from playground.ratings.pairs import FIRST, SECOND, FloatArray, IntArray, PairTable
from tests.support.judged import true_ratings

SEED = 20250131
MODELS = 20
STRENGTHS = np.linspace(-2, 2, MODELS)
LOOKS = (300, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1600, 1800, 2000, 2300, 2600, 3000)
COMPARED = (1000, 1400, 2000)
"""Votes on uniform pairs whose accuracy the informative ones are to reach."""
COVERED = (600, 2000)
"""Votes at which intervals are computed."""
BOOTSTRAPS = 2000


@dataclass(frozen=True, slots=True)
class Curves:
    """Each board's accuracy at each of `LOOKS`, and the coverage of its intervals at each of `COVERED`."""

    in_order: FloatArray  # (boards, looks) share of pairs of models
    error: FloatArray  # (boards, looks) root mean square of the ratings, points
    covered: FloatArray  # (boards, len(COVERED)) share of models


def simulate(runs: int, informative: bool, looks: tuple[int, ...] = LOOKS, seed: int = SEED) -> Curves:
    """Return the curves of boards, the same for the same seed."""
    rng = np.random.default_rng([seed, informative])
    boards = [_board(informative, looks, rng) for _ in range(runs)]
    return Curves(*(np.array(values) for values in zip(*boards, strict=True)))


def _board(
    informative: bool, looks: tuple[int, ...], rng: np.random.Generator
) -> tuple[list[float], list[float], list[float]]:
    first, second = np.triu_indices(MODELS, 1)
    chances, table = np.full(len(first), 1 / len(first)), _table(np.array([], dtype=np.int64))
    truth = true_ratings(STRENGTHS, taste=0.0, ties=0.0)
    curves: tuple[list[float], list[float], list[float]] = ([], [], [])
    refreshed = 0
    while table.num_votes < looks[-1]:
        votes = table.num_votes
        if informative and votes >= VOTES_PER_MODEL * MODELS and GROWTH * (votes - refreshed) >= votes:
            chances, refreshed = chances_of(gains_of(table.wins)[0])[first, second], votes
        following = min(look for look in looks if look > votes)
        more = min(max(votes // GROWTH, 1), following - votes)
        drawn = rng.choice(len(first), size=more, p=chances)
        table = _table(np.concatenate([_cells(table), _judged(first[drawn], second[drawn], rng)]))
        if table.num_votes == following:
            fitted = fit(table.wins)
            curves[0].append(_in_order(fitted.ratings, truth))
            curves[1].append(float(np.sqrt(np.mean((fitted.ratings - truth) ** 2))))
            if following in COVERED:
                found = estimate_intervals(table, fitted)
                curves[2].append(float(((found.lower <= truth) & (truth <= found.upper)).mean()))
    return curves


def _judged(first: IntArray, second: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a number for each vote: its models and the winner."""
    wins = rng.random(len(first)) < win_probability(STRENGTHS)[first, second]
    return np.asarray((first * MODELS + second) * 2 + np.where(wins, FIRST, SECOND))


def _cells(table: PairTable) -> IntArray:
    return (table.first * MODELS + table.second) * 2 + table.outcome


def _table(cells: IntArray) -> PairTable:
    """Return the votes as a table, every vote by another rater."""
    return PairTable(
        models=tuple(f"model-{i:02}" for i in range(MODELS)),
        first=cells // 2 // MODELS,
        second=cells // 2 % MODELS,
        outcome=cells % 2,
        weight=np.ones(len(cells)),
        vote=np.arange(len(cells)),
        rater=np.arange(len(cells)),
        unrated=0,
    )


def _in_order(ratings: FloatArray, truth: FloatArray) -> float:
    upper = np.triu_indices(MODELS, 1)
    same = np.sign(ratings[:, None] - ratings)[upper] == np.sign(truth[:, None] - truth)[upper]
    return float(same.mean())


def votes_for(accuracy: float, curve: FloatArray, looks: tuple[int, ...] = LOOKS) -> float:
    """Return the votes at which a curve reaches an accuracy, between looks by roots; infinite if it never does."""
    best = np.maximum.accumulate(curve)  # chance makes a mean fall now and then
    return float(np.interp(accuracy, best, np.sqrt(looks), right=math.inf) ** 2)


def relative(uniform: FloatArray, informative: FloatArray, votes: int) -> tuple[float, float]:
    """Return the votes on informative pairs for the accuracy of so many on uniform ones, relative to these, ± error.

    Args:
        uniform: accuracies, higher is better, shape (boards, looks).
        informative: likewise.
    """

    def ratio(one: FloatArray, other: FloatArray) -> float:
        return votes_for(float(one.mean(axis=0)[LOOKS.index(votes)]), other.mean(axis=0)) / votes

    rng, boards = np.random.default_rng(SEED), len(uniform)
    again = [
        ratio(uniform[rng.integers(boards, size=boards)], informative[rng.integers(boards, size=boards)])
        for _ in range(BOOTSTRAPS)
    ]
    return ratio(uniform, informative), float(np.std(again))


def main() -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=200, help="simulated boards of each kind")
    runs = parser.parse_args().runs
    print(f"{machine(runs, 'numpy', 'scipy')}; a round is one board of each kind\n", flush=True)
    uniform, informative = simulate(runs, False), simulate(runs, True)
    print("| votes | in order, uniform, % | in order, informative, % | error, points | error, informative |")
    print("| --- | --- | --- | --- | --- |")
    for k, look in enumerate(LOOKS):
        shares = [f"{100 * c.in_order[:, k].mean():.2f}" for c in (uniform, informative)]
        errors = [f"{c.error[:, k].mean():.1f}" for c in (uniform, informative)]
        print(f"| {look:,} | {' | '.join((*shares, *errors))} |")
    print("\n| as good as uniform at | votes for the same order | votes for the same error |\n| --- | --- | --- |")
    for votes in COMPARED:
        order = relative(uniform.in_order, informative.in_order, votes)
        error = relative(-uniform.error, -informative.error, votes)
        print(f"| {votes:,} | {order[0]:.2f} ± {order[1]:.2f} | {error[0]:.2f} ± {error[1]:.2f} |")
    return print_coverage(informative, uniform)


def print_coverage(informative: Curves, uniform: Curves) -> int:
    """Print the coverage; return 1 if that of informative pairs is not as promised."""
    failed = 0
    print("\n| votes | coverage, uniform, % | coverage, informative, % |\n| --- | --- | --- |")
    for k, votes in enumerate(COVERED):
        means = [100 * c.covered[:, k].mean() for c in (uniform, informative)]
        errors = [100 * c.covered[:, k].std(ddof=1) / math.sqrt(len(c.covered)) for c in (uniform, informative)]
        print(f"| {votes:,} | {' | '.join(f'{m:.1f} ± {e:.1f}' for m, e in zip(means, errors, strict=True))} |")
        failed += not 94 - 3 * errors[1] <= means[1] <= 96 + 3 * errors[1]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
