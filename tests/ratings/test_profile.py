"""Bounds from the profile of the likelihood exist for every table of wins."""

from __future__ import annotations

import numpy as np

from playground.ratings.bradley_terry import maximise, win_probability
from playground.ratings.profile import FARTHEST, Profile


def test_bound_far_from_the_maximum_is_found_where_other_models_fly_apart() -> None:
    wins = np.array([[0, 6.15, 0, 2.15], [0.15, 0, 0.65, 1.65], [0, 0.65, 0, 1.15], [0.15, 0.65, 0.15, 0]])
    groups = np.zeros(4, dtype=np.int64)
    profile = Profile(wins, groups, maximise(wins, groups), np.array([0.75, -0.25, -0.25, -0.25]))
    ends = [profile.bound(-1, quantile, lambda strengths, direction: 1.0) for quantile in (2.0, 4.0, 8.0, 12.7)]
    assert ends == sorted(ends, reverse=True)  # a higher quantile reaches further
    assert profile.value - FARTHEST <= ends[-1] < ends[0] < profile.value


def test_small_prior_lets_models_fly_apart_without_an_overflow() -> None:
    wins = np.array([[0, 9, 0, 3], [0, 0, 1, 2], [0, 1, 0, 2], [0, 1, 0, 0]]) + 0.002 * (1 - np.eye(4))
    groups = np.zeros(4, dtype=np.int64)
    profile = Profile(wins, groups, maximise(wins, groups), np.array([0.75, -0.25, -0.25, -0.25]))
    ends = [profile.bound(side, 12.7, lambda strengths, direction: 1.0) for side in (-1, 1)]
    assert profile.value - FARTHEST <= ends[0] < profile.value < ends[1] <= profile.value + FARTHEST
    assert win_probability(np.array([0.0, 1000.0])).tolist() == [[0.5, 0.0], [1.0, 0.5]]
