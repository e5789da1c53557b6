"""The bootstrap draws whole raters or votes, with a seed."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import MEAN, fit
from playground.ratings.covariance import jackknife
from playground.ratings.intervals import estimate_intervals
from playground.ratings.resampling import resampled_ratings
from tests.support.judged import GALPACA, ORCA, simulated, table_of

ARENA = simulated(
    np.array([0.5, 0.0, -0.5]),
    num_votes=400,
    num_raters=40,
    taste=0.5,
    ties=0.3,
    rng=np.random.default_rng(7),
)


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, same, other = (estimate_intervals(ARENA, fit(ARENA.wins), resamples=50, seed=seed) for seed in (1, 1, 2))
    assert one.method == "bootstrap"
    assert np.array_equal(one.lower, same.lower)
    assert not np.array_equal(one.lower, other.lower)


@pytest.mark.parametrize("unit", ["rater", "vote"])
def test_the_spread_is_that_of_the_jackknife(unit: str) -> None:
    drawn = resampled_ratings(ARENA, fit(ARENA.wins), unit=unit, resamples=400, seed=3)
    assert drawn.shape == (400, 3)
    assert drawn.mean(axis=1) == pytest.approx(np.full(400, MEAN))
    by_formula = np.sqrt(np.diagonal(jackknife(ARENA, fit(ARENA.wins), unit).covariance))
    assert drawn.std(axis=0) == pytest.approx(by_formula, rel=0.15)


def test_a_bootstrap_without_a_prior_is_refused() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 3), (GALPACA, ORCA, "model_b", 1))
    with pytest.raises(InvalidValue, match="a bootstrap needs a prior above 0"):
        resampled_ratings(table, fit(table.wins, prior=0), unit="vote", resamples=10, seed=0)
