"""Intervals that cover as often as they promise, and ranks that hold together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.interval_coverage import coverage, half_a_tie_each, shared_ties
from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.intervals import (
    Profiles,
    critical_values,
    estimate_intervals,
    largest_of_differences,
    rank_ranges,
)
from playground.ratings.pairs import FloatArray
from playground.ratings.profile import FARTHEST
from playground.ratings.student import student_quantile
from tests.support.judged import GALPACA, MINOTAUR, ORCA, group_of, simulated, table_from, table_of, true_ratings

UNEQUAL = np.array([0.6, 0.25, 0.1, -0.3, -0.65])


def rates(
    strengths: FloatArray,
    *,
    runs: int,
    num_votes: int,
    num_raters: int,
    taste: float,
    ties: float,
    resamples: int = 0,
) -> tuple[FloatArray, FloatArray, float]:
    """Return the coverage of rating and difference intervals, and the rate of false ranks."""
    rng, m = np.random.default_rng(20250131), len(strengths)
    truth = true_ratings(strengths, taste=taste, ties=ties)
    apart = truth[:, None] - truth
    ratings, differences, false_order = np.zeros(m), np.zeros((m, m)), 0
    for run in range(runs):
        table = simulated(strengths, num_votes=num_votes, num_raters=num_raters, taste=taste, ties=ties, rng=rng)
        fitted = fit(table.wins)
        found = estimate_intervals(table, fitted, resamples=resamples, seed=run)
        ratings += (found.lower <= truth) & (truth <= found.upper)
        differences += (found.difference_lower <= apart) & (apart <= found.difference_upper)
        false_order += bool((found.better & (apart < 1e-6)).any())
    return ratings / runs, differences[np.triu_indices(m, 1)] / runs, false_order / runs


ARENAS = {
    "200 votes, no ties": {"num_votes": 200, "num_raters": 0, "taste": 0.0, "ties": 0.0},
    "200 votes, ties": {"num_votes": 200, "num_raters": 0, "taste": 0.0, "ties": 0.5},
    "500 votes, 200 per model, ties": {"num_votes": 500, "num_raters": 0, "taste": 0.0, "ties": 0.5},
    "200 votes, 20 raters with tastes, ties": {"num_votes": 200, "num_raters": 20, "taste": 0.5, "ties": 0.5},
    "500 votes, 23 raters with tastes, ties": {"num_votes": 500, "num_raters": 23, "taste": 0.5, "ties": 0.5},
    "500 votes, 12 raters with tastes, ties": {"num_votes": 500, "num_raters": 12, "taste": 0.5, "ties": 0.5},
}


@pytest.mark.slow
@pytest.mark.parametrize("arena", [ARENAS["200 votes, ties"], ARENAS["500 votes, 23 raters with tastes, ties"]])
def test_95_percent_intervals_cover_about_95_percent(arena: dict[str, float]) -> None:
    runs = 300
    ratings, differences, _ = rates(UNEQUAL, runs=runs, **arena)
    four_errors = 4 * math.sqrt(0.95 * 0.05 / runs)
    assert np.abs(ratings - 0.95).max() < four_errors
    assert np.abs(differences - 0.95).max() < four_errors
    assert differences.mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("arena", ARENAS.values(), ids=ARENAS.keys())
def test_95_percent_intervals_cover_94_to_97_percent(arena: dict[str, float]) -> None:
    """The jackknife's variance is a little too large with few raters, by design."""
    ratings, differences, _ = rates(UNEQUAL, runs=1500, **arena)
    assert 0.94 <= ratings.mean() <= 0.97
    assert 0.94 <= differences.mean() <= 0.97
    three_errors = 3 * math.sqrt(0.95 * 0.05 / 1500)
    assert min(ratings.min(), differences.min()) > 0.94 - three_errors
    assert max(ratings.max(), differences.max()) < 0.97 + three_errors


@pytest.mark.slow
def test_intervals_of_20_models_cover_and_half_a_tie_for_each_pair_would_not() -> None:
    found = coverage(20, 600, 150, shared_ties)
    assert 0.94 - 3 * found.error <= found.ratings.mean() <= 0.96 + 3 * found.error
    assert min(found.ratings.min(), found.pairs.min()) >= 0.88
    before = coverage(20, 600, 150, half_a_tie_each)
    assert before.ratings.mean() < 0.90
    assert before.ratings.min() < 0.75


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "votes"), [(5, 200), *(pytest.param(*size, marks=pytest.mark.long) for size in ((20, 600), (40, 1500)))]
)
def test_intervals_of_any_number_of_models_cover_94_to_96_percent(models: int, votes: int) -> None:
    found = coverage(models, votes, 4000, shared_ties)
    assert found.keeps_its_promise, found


@pytest.mark.slow
@pytest.mark.parametrize("num_raters", [0, 23])
def test_equal_models_are_rarely_given_an_order(num_raters: int) -> None:
    taste = 0.5 if num_raters else 0.0
    *_, false_order = rates(np.zeros(5), runs=2000, num_votes=500, num_raters=num_raters, taste=taste, ties=0.4)
    assert false_order < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.long
def test_the_bootstrap_covers_too() -> None:
    ratings, differences, _ = rates(UNEQUAL, runs=300, num_votes=500, num_raters=23, taste=0.5, ties=0.4, resamples=300)
    assert ratings.mean() == pytest.approx(0.95, abs=0.025)
    assert differences.mean() == pytest.approx(0.95, abs=0.025)


def test_the_interval_of_two_models_is_the_rating_and_student_times_the_error() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 60), (GALPACA, ORCA, "model_b", 40), raters=100)
    fitted = fit(table.wins)
    found = estimate_intervals(table, fitted, level=0.9)
    error = math.sqrt(found.spread.difference[0, 1])
    apart = fitted.ratings[0] - fitted.ratings[1]
    degrees = found.spread.difference_degrees[0, 1]
    assert degrees > 99
    assert found.difference_upper[0, 1] == pytest.approx(apart + student_quantile(0.95, degrees) * error)
    assert found.difference_lower[0, 1] == pytest.approx(-found.difference_upper[1, 0])
    assert found.upper[0] - found.lower[0] == pytest.approx(student_quantile(0.95, degrees) * error)


def test_there_is_no_interval_without_a_comparison() -> None:
    table = table_from([], models=[GALPACA, ORCA])
    found = estimate_intervals(table, fit(table.wins))
    assert np.isnan([found.lower, found.upper]).all()
    assert np.isnan(found.difference_lower).all()
    assert not found.better.any()


def test_models_of_different_groups_are_not_compared() -> None:
    table = table_of(("a", "b", "model_a", 90), ("c", "d", "model_a", 90), ("d", "c", "model_a", 5))
    found = estimate_intervals(table, fit(table.wins))
    assert found.better.tolist() == [
        [False, True, False, False],
        [False, False, False, False],
        [False, False, False, True],
        [False, False, False, False],
    ]
    assert np.isnan(found.difference_lower[0, 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": 95}, "level is 95; valid: between 0 and 1, for example 0.95"),
        ({"level": 0.0}, "level is 0.0; valid: between 0 and 1"),
        ({"unit": "day"}, "unit is 'day'; valid are: auto, rater, vote"),
        ({"resamples": 1}, "resamples is 1; valid: 2 or more, 1000 is usual"),
    ],
)
def test_unknown_ways_to_estimate_are_refused(changes: dict[str, float | str], message: str) -> None:
    table = table_of((GALPACA, ORCA, "model_a", 3))
    with pytest.raises(InvalidValue, match=message):
        estimate_intervals(table, fit(table.wins), **changes)


# Ranks


def better(m: int, *pairs: tuple[int, int]) -> np.ndarray:
    matrix = np.zeros((m, m), dtype=bool)
    for i, j in pairs:
        matrix[i, j] = True
    return matrix


@pytest.mark.parametrize(
    ("matrix", "lowest", "highest"),
    [
        (better(3), [1, 1, 1], [3, 3, 3]),
        (better(3, (0, 1), (0, 2), (1, 2)), [1, 2, 3], [1, 2, 3]),
        (better(3, (0, 1), (0, 2)), [1, 2, 2], [1, 3, 3]),
        (better(3, (0, 2)), [1, 1, 2], [2, 3, 3]),
    ],
    ids=["nobody", "everybody", "a leader", "only the ends"],
)
def test_ranks_are_ranges(matrix: np.ndarray, lowest: list[int], highest: list[int]) -> None:
    ranges = rank_ranges(matrix, group_of(0, 0, 0))
    assert [r.tolist() for r in ranges] == [lowest, highest]


def test_ranks_count_within_a_group() -> None:
    lowest, highest = rank_ranges(better(5, (3, 4)), group_of(0, 0, 0, 1, 1))
    assert (lowest.tolist(), highest.tolist()) == ([1, 1, 1, 1, 2], [3, 3, 3, 1, 2])


def test_ranks_are_corrected_for_the_number_of_comparisons() -> None:
    """Two models need the quantile of one comparison; five equal ones that of the studentised range, over root 2."""
    assert largest_of_differences(np.eye(2), 0.95) == pytest.approx(1.96, abs=0.05)
    assert largest_of_differences(np.eye(5), 0.95) == pytest.approx(3.858 / math.sqrt(2), abs=0.05)


def test_models_that_nobody_compared_are_never_told_apart() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 60), (ORCA, GALPACA, "model_a", 40), raters=100)
    critical = critical_values(fit(table.wins), np.full((2, 2), 30.0), 0.95)
    assert critical[0, 1] == pytest.approx(student_quantile(0.975, 30), abs=0.06)
    apart = table_of(("a", "b", "model_a", 9), ("c", "d", "model_a", 9))
    critical = critical_values(fit(apart.wins), np.full((4, 4), 30.0), 0.95)
    assert np.isinf(critical[:2, 2:]).all()


# A model that nearly always wins


def test_the_profile_of_two_models_is_the_likelihood_of_a_proportion() -> None:
    """58 wins in 60 and the prior's tie: the ends are where twice the log-likelihood has fallen by 1.96²."""
    table = table_of((GALPACA, ORCA, "model_a", 58), (GALPACA, ORCA, "model_b", 2), raters=60)
    fitted = fit(table.wins)
    found = estimate_intervals(table, fitted, unit="vote")
    profiles = Profiles(table, fitted, found.spread, 0.95)
    quantile = float(student_quantile(0.975, found.spread.difference_degrees[0, 1]))

    def fallen(points: float) -> float:
        p, best = 1 / (1 + math.exp(-points / POINTS)), 58.5 / 61
        return 2 * (58.5 * math.log(best / p) + 2.5 * math.log((1 - best) / (1 - p)))

    least = profiles.least_difference(0, 1)
    assert fallen(least) == pytest.approx(quantile**2, rel=0.3)  # wider where votes vary more than the model says
    assert fallen(least) >= quantile**2 * (1 - 1e-4)
    assert found.upper[0] - fitted.ratings[0] > 1.3 * (fitted.ratings[0] - found.lower[0])
    assert profiles.lopsided.all()


def test_an_undefeated_model_has_a_wide_interval_above_and_a_narrow_one_below() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 40), (ORCA, MINOTAUR, "model_a", 20), (MINOTAUR, ORCA, "model_a", 20))
    fitted = fit(table.wins)
    found = estimate_intervals(table, fitted)
    assert found.upper[0] - fitted.ratings[0] > 2 * (fitted.ratings[0] - found.lower[0])
    assert np.isfinite([found.lower, found.upper]).all()
    assert not Profiles(table, fitted, found.spread, 0.95).lopsided[2]


def test_a_model_that_won_everything_is_better_than_one_that_lost_to_it() -> None:
    """45 to 0: the curvature at the maximum says little about equality, the likelihood there says all."""
    table = table_of((GALPACA, ORCA, "model_a", 45), (ORCA, MINOTAUR, "model_a", 30), (MINOTAUR, ORCA, "model_a", 30))
    fitted = fit(table.wins)
    found = estimate_intervals(table, fitted)
    galpaca, orca = table.models.index(GALPACA), table.models.index(ORCA)
    pairs = np.zeros((3, 3), dtype=bool)
    pairs[galpaca, orca] = True
    tested = Profiles(table, fitted, found.spread, 0.95).tested_variance(pairs)[galpaca, orca]
    ratio = (fitted.ratings[galpaca] - fitted.ratings[orca]) ** 2 / tested
    assert ratio == pytest.approx(2 * 45 * math.log(2), rel=0.12)
    assert found.better[galpaca, orca]


def test_a_bound_without_an_end_stops_far_away() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 30), raters=2)
    fitted = fit(table.wins)
    found = estimate_intervals(table, fitted, unit="rater")
    assert found.upper[0] == pytest.approx(fitted.ratings[0] + FARTHEST * POINTS / 2, rel=0.5)
    assert np.isfinite(found.upper).all()


def strong_coverage(strength: float, *, models: int, num_votes: int, runs: int) -> float:
    """Return how often the interval of a model this far ahead of equal others contains its true rating."""
    strengths = np.zeros(models)
    strengths[0] = strength
    rng, truth = np.random.default_rng(20250131), true_ratings(strengths, taste=0.0, ties=0.0)
    covered = 0
    for _ in range(runs):
        table = simulated(strengths, num_votes=num_votes, num_raters=0, taste=0.0, ties=0.0, rng=rng)
        found = estimate_intervals(table, fit(table.wins))
        covered += bool(found.lower[0] <= truth[0] <= found.upper[0])
    return covered / runs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strength", "models", "num_votes"), [(4.0, 5, 200), (4.0, 5, 60), (6.0, 5, 200), (math.log(19), 2, 50)]
)
def test_the_interval_of_a_strong_model_covers(strength: float, models: int, num_votes: int) -> None:
    runs = 400
    covered = strong_coverage(strength, models=models, num_votes=num_votes, runs=runs)
    assert covered >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / runs)
