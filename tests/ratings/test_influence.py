"""Votes to flip the first place, against hand calculation, brute force and simulated arenas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, connected_groups, fit
from playground.ratings.influence import CLEARLY, Flip, votes_to_flip
from playground.ratings.pairs import FloatArray
from tests.support.judged import simulated, wins_of


@pytest.mark.parametrize(
    ("wins", "votes"),
    [
        ([[0, 10], [5, 0]], 6),  # 11 to 10
        ([[0, 10], [9.5, 0]], 1),
        ([[0, 5], [5, 0]], 1),  # equal: the first one is first until somebody beats it
        ([[0, 1], [0, 0]], 2),
    ],
)
def test_of_two_models_the_other_one_has_to_win_more_often(wins: list[list[float]], votes: int) -> None:
    for prior in (0.0, 1.0) if min(wins[0][1], wins[1][0]) else (1.0,):
        assert votes_to_flip(wins_of(wins), prior=prior) == Flip(0, 1, 1, votes)


def test_of_three_models_the_second_needs_the_fewest() -> None:
    wins = wins_of([[0, 6, 9], [4, 0, 8], [1, 2, 0]])
    found = votes_to_flip(wins)
    assert (found.leader, found.favoured, found.first) == (0, 1, 1)
    assert found == _brute_force(wins, 1.0)


def _brute_force(wins: FloatArray, prior: float) -> Flip:
    """By adding one vote after the other."""
    leader = int(np.argmax(np.round(fit(wins, prior=prior).ratings, 6)))
    for votes in range(1, 1000):
        for favoured in (j for j in range(len(wins)) if j != leader):
            more = wins.copy()
            more[favoured, leader] += votes
            ratings = fit(more, prior=prior).ratings
            if ratings.max() > ratings[leader] + CLEARLY:
                return Flip(leader, favoured, int(np.argmax(ratings)), votes)
    raise AssertionError("never")


WINS = st.integers(2, 5).flatmap(
    lambda m: arrays(np.float64, (m, m), elements=st.integers(0, 24).map(lambda n: n / 2)).map(
        lambda wins: wins * (1 - np.eye(m))
    )
)


@given(WINS.filter(lambda wins: not connected_groups(wins).any()), st.sampled_from([0.1, 0.5, 1.0]))
@settings(deadline=None, max_examples=40)
def test_no_fewer_votes_for_any_model_would_do(wins: FloatArray, prior: float) -> None:
    assert votes_to_flip(wins, prior=prior).votes == _brute_force(wins, prior).votes


@given(WINS.filter(lambda wins: not connected_groups(wins).any()))
@settings(deadline=None, max_examples=40)
def test_flip_is_reached_by_its_votes_and_not_by_one_fewer(wins: FloatArray) -> None:
    flip = votes_to_flip(wins)
    for votes, first in ((flip.votes, flip.first), (flip.votes - 1, flip.leader)):
        more = wins.copy()
        more[flip.favoured, flip.leader] += votes
        ratings = fit(more).ratings
        assert ratings[first] >= ratings.max() - CLEARLY


def test_a_few_per_cent_of_dishonest_votes_put_the_second_of_five_models_first() -> None:
    aimed, blind = [], []
    for seed in range(15):
        strengths = np.arange(5)[::-1] * 60 / POINTS
        rng = np.random.default_rng(seed)
        wins = simulated(strengths, num_votes=1000, num_raters=40, taste=0.5, ties=0.1, rng=rng).wins
        aimed.append(votes_to_flip(wins).votes / 1000)
        blind.append(_votes_on_any_battle(wins) / 1000)
    assert 0.03 <= np.median(aimed) <= 0.05
    assert 0.06 <= np.median(blind) <= 0.10


def _votes_on_any_battle(wins: FloatArray) -> int:
    """Return the votes for the second model, spread over all others, that put it first."""
    leader, second = (int(i) for i in np.argsort(-fit(wins).ratings)[:2])
    others = [j for j in range(len(wins)) if j != second]
    for each in range(1, 1000):
        more = wins.copy()
        more[second, others] += each
        if np.argmax(fit(more).ratings) != leader:
            return each * len(others)
    raise AssertionError("never")


@pytest.mark.parametrize("wins", [[[0.0]], [[0, 1, 0], [1, 0, 0], [0, 0, 0]]])
def test_without_a_common_scale_there_is_no_first_place_to_lose(wins: list[list[float]]) -> None:
    with pytest.raises(InvalidValue, match="that battles connect"):
        votes_to_flip(wins_of(wins))
