"""The power of a study before anybody rates: simulated votes through the ratings' own estimator.

Boundary: numbers in, numbers out; reads no file and no database.

The first model is ahead of all others, which are equal, by the wished difference. Each rater has tastes of their own,
drawn once per model; sides are drawn; pairs and raters get equal numbers of votes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.intervals import DEFAULT_LEVEL, estimate_intervals
from playground.ratings.pairs import FIRST, SECOND, TIE, PairTable


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Assumptions on models and raters.

    Raises:
        InvalidValue: a number that makes no sense.
    """

    models: int
    pairs: tuple[tuple[int, int], ...]  # indices of models
    difference: float = 70.0  # points that the first model is ahead
    ties: float = 0.2  # share of the votes
    raters: int = 20
    tastes: float = 60.0  # points: standard deviation of a rater's own view of a model
    runs: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, valid in (
            ("difference", self.difference > 0, "above 0"),
            ("ties", 0 <= self.ties < 1, "0 to below 1"),
            ("raters", self.raters >= 1, "1 or more"),
            ("tastes", self.tastes >= 0, "0 or more"),
            ("runs", 1 <= self.runs <= 100_000, "1 to 100,000"),
        ):
            if not value:
                raise InvalidValue(f"{name} is {getattr(self, name)!r}; valid: {valid}")


@dataclass(frozen=True, slots=True)
class Power:
    """The chances of a study with some number of votes."""

    votes: int
    told_apart: float  # the 95 % interval of the first model's difference to the second excludes 0, on the right side
    leads: float  # the first model is better than every other one, all of it together at 95 %
    wrong: float  # the interval excludes 0 on the wrong side
    half_width: float  # of that interval, in points; the median


def power_curve(assumed: Assumptions, votes: Sequence[int]) -> Iterator[Power]:
    """Yield the power at each number of votes, as it is known."""
    for number in votes:
        yield _power(assumed, number)


def _power(assumed: Assumptions, votes: int) -> Power:
    random = np.random.default_rng((assumed.seed, votes))
    told_apart = leads = wrong = 0
    widths = []
    for _ in range(assumed.runs):
        table = simulated(assumed, votes, random)
        fitted = fit(table.wins)
        found = estimate_intervals(table, fitted, level=DEFAULT_LEVEL)
        lower, upper = found.difference_lower[0, 1], found.difference_upper[0, 1]
        told_apart += bool(lower > 0)
        wrong += bool(upper < 0)
        leads += bool(found.better[0, 1:].all())
        widths.append((upper - lower) / 2)
    runs = assumed.runs
    return Power(votes, told_apart / runs, leads / runs, wrong / runs, float(np.nanmedian(widths)))


def simulated(assumed: Assumptions, votes: int, random: np.random.Generator) -> PairTable:
    """Return the table of some simulated votes."""
    strength = np.zeros(assumed.models)
    strength[0] = assumed.difference
    own = strength + random.normal(0, assumed.tastes, (assumed.raters, assumed.models))
    number = np.arange(votes)
    pair = np.array(assumed.pairs)[number % len(assumed.pairs)]
    is_swapped = random.random(votes) < 0.5
    first = np.where(is_swapped, pair[:, 1], pair[:, 0])
    second = np.where(is_swapped, pair[:, 0], pair[:, 1])
    rater = random.permutation(number % assumed.raters)
    chance = expit((own[rater, first] - own[rater, second]) / POINTS)
    outcome = np.where(random.random(votes) < chance, FIRST, SECOND)
    outcome = np.where(random.random(votes) < assumed.ties, TIE, outcome)
    return PairTable(
        models=tuple(f"model {index:03}" for index in range(assumed.models)),
        first=first,
        second=second,
        outcome=outcome,
        weight=np.ones(votes),
        vote=number,
        rater=np.unique(rater, return_inverse=True)[1],
        unrated=0,
    )
