"""Strengths: known answers, two other libraries, and properties that must hold for any table of wins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import MEAN, POINTS, connected_groups, fit
from playground.ratings.pairs import FloatArray
from tests.support.judged import wins_of

TWENTY_TWO_GAMES = wins_of([[0, 2, 0, 1], [3, 0, 5, 0], [0, 3, 0, 1], [4, 0, 3, 0]])


def tables(largest: int = 6) -> st.SearchStrategy[FloatArray]:
    """Wins with empty diagonals, some pairs never met, some undefeated, some groups apart."""
    cells = st.one_of(st.just(0.0), st.integers(0, 40).map(float), st.integers(0, 40).map(lambda n: n / 2))
    square = st.integers(2, largest).flatmap(lambda m: hnp.arrays(np.float64, (m, m), elements=cells))
    return square.map(lambda wins: wins * (1 - np.eye(len(wins))))


def test_the_example_of_the_encyclopedia() -> None:
    strengths = np.exp((fit(TWENTY_TWO_GAMES, prior=0).ratings - MEAN) / POINTS)
    assert np.round(strengths, 3).tolist() == [0.640, 1.043, 0.660, 2.270]


def test_ten_times_the_wins_are_400_points() -> None:
    ratings = fit(wins_of([[0, 100], [10, 0]]), prior=0).ratings
    assert ratings == pytest.approx([1200, 800], abs=1e-9)


@pytest.mark.parametrize(
    ("wins", "added"),
    [
        ([[0, 6], [0, 0]], [[0, 0.5], [0.5, 0]]),
        ([[0, 6, 0], [0, 0, 3], [0, 1, 0]], [[0, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0]]),
        ([[0, 6, 1], [0, 0, 3], [0, 1, 0]], [[0, 1 / 3, 1 / 3], [1 / 3, 0, 1 / 3], [1 / 3, 1 / 3, 0]]),
        (1.0 - np.eye(8), (1 - np.eye(8)) / 8),
        (np.zeros((3, 3)), np.zeros((3, 3))),
    ],
    ids=["two models", "a chain", "three models", "eight models", "no vote"],
)
def test_prior_is_m_minus_one_ties_shared_by_pairs_that_met(wins: list[list[float]], added: list[list[float]]) -> None:
    fitted = fit(wins_of(wins))
    assert fitted.prior_wins == pytest.approx(wins_of(added))
    if np.any(added):
        assert fitted.ratings == pytest.approx(fit(wins_of(wins) + added, prior=0).ratings, abs=1e-9)


@given(tables(9), st.sampled_from([0.25, 1.0, 4.0]))
@settings(deadline=None)
def test_each_group_gets_its_own_share_of_ties(wins: FloatArray, prior: float) -> None:
    fitted = fit(wins, prior=prior)
    for group in np.unique(fitted.groups):
        inside = fitted.groups == group
        assert fitted.prior_wins[inside].sum() == pytest.approx(prior * (inside.sum() - 1))
        assert len(np.unique(fitted.prior_wins[inside][(wins + wins.T)[inside] > 0])) <= 1
    assert (fitted.prior_wins == fitted.prior_wins.T).all()
    assert not fitted.prior_wins[wins + wins.T == 0].any()


@pytest.mark.slow
@given(tables())
@settings(max_examples=60, deadline=None)
def test_choix_agrees(wins: FloatArray) -> None:
    import choix

    fitted = fit(wins)
    assume(fitted.groups.max() == 0)
    theirs = choix.ilsr_pairwise_dense(wins + fitted.prior_wins, alpha=0.0, tol=1e-12, max_iter=10_000)
    assert fitted.ratings == pytest.approx(MEAN + POINTS * (theirs - theirs.mean()), abs=1e-6)


@given(tables())
@settings(max_examples=30, deadline=None)
def test_evalica_agrees(wins: FloatArray) -> None:
    import evalica

    fitted = fit(wins)
    assume(fitted.groups.max() == 0)
    i, j = np.nonzero(wins + fitted.prior_wins)
    winners = [evalica.Winner.X] * len(i)
    weights = (wins + fitted.prior_wins)[i, j].tolist()
    result = evalica.bradley_terry(i.tolist(), j.tolist(), winners, weights=weights, tolerance=1e-14, limit=100_000)
    theirs = np.log(result.scores.sort_index().to_numpy())
    assert fitted.ratings == pytest.approx(MEAN + POINTS * (theirs - theirs.mean()), abs=1e-6)


@given(tables(), st.sampled_from([0.01, 0.5, 3.0]))
@settings(deadline=None)
def test_the_mean_of_each_group_is_1000_and_everything_is_finite(wins: FloatArray, prior: float) -> None:
    fitted = fit(wins, prior=prior)
    assert np.isfinite(fitted.ratings).all()
    assert np.isfinite(fitted.covariance).all()
    for group in np.unique(fitted.groups):
        assert fitted.ratings[fitted.groups == group].mean() == pytest.approx(MEAN, abs=1e-6)


@given(tables())
@settings(deadline=None)
def test_expected_wins_equal_wins_at_the_maximum(wins: FloatArray) -> None:
    fitted = fit(wins)
    played, chance = wins + fitted.prior_wins, np.nan_to_num(fitted.probability)
    expected = ((played + played.T) * chance).sum(axis=1)
    assert played.sum(axis=1) == pytest.approx(expected, abs=1e-6)


@given(tables(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_other_names_give_the_same_ratings(wins: FloatArray, random) -> None:
    order = list(range(len(wins)))
    random.shuffle(order)
    assert fit(wins[np.ix_(order, order)]).ratings == pytest.approx(fit(wins).ratings[order], abs=1e-6)


@given(tables())
@settings(deadline=None)
def test_wins_turned_into_losses_mirror_the_ratings(wins: FloatArray) -> None:
    assert fit(wins.T).ratings == pytest.approx(2 * MEAN - fit(wins).ratings, abs=1e-6)


@given(tables(), st.data())
@settings(deadline=None)
def test_another_win_never_lowers_a_rating(wins: FloatArray, data) -> None:
    met = np.argwhere(wins + wins.T > 0).tolist()
    assume(met)
    i, j = data.draw(st.sampled_from(met))
    more = wins.copy()
    more[i, j] += 1
    assert fit(more).ratings[i] >= fit(wins).ratings[i] - 1e-6


@pytest.mark.parametrize("wins", [1, 30, 1e6, 1e9])
def test_an_undefeated_model_stays_finite(wins: float) -> None:
    expected = POINTS * np.log((wins + 0.5) / 0.5)
    ratings = fit(wins_of([[0, wins], [0, 0]])).ratings
    assert ratings[0] - ratings[1] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "wins",
    [[[0, 5], [0, 0]], [[0, 1, 3], [1, 0, 3], [0, 0, 0]], [[0, 2, 0], [0, 0, 2], [0, 0, 0]]],
    ids=["undefeated", "winless", "a chain"],
)
def test_without_a_prior_an_infinite_maximum_is_refused(wins: list[list[float]]) -> None:
    with pytest.raises(InvalidValue, match=r"no finite strengths.*set prior above 0, for example 1\.0"):
        fit(wins_of(wins), prior=0)


def test_unconnected_models_are_groups_of_their_own() -> None:
    wins = wins_of([[0, 0, 3, 0], [0, 0, 0, 9], [1, 0, 0, 0], [0, 2, 0, 0]])
    assert connected_groups(wins).tolist() == [0, 1, 0, 1]
    fitted = fit(wins)
    assert np.isnan(fitted.probability[0, 1])
    alone = fit(wins[np.ix_([0, 2], [0, 2])])
    assert fitted.ratings[[0, 2]] == pytest.approx(alone.ratings)
    assert fitted.covariance[np.ix_([0, 2], [0, 2])] == pytest.approx(alone.covariance)
    assert not fitted.covariance[0, 1]


def test_a_chain_of_battles_connects() -> None:
    assert connected_groups(wins_of([[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 4, 0, 0]])).tolist() == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("m", [0, 1, 3])
def test_no_battle_gives_no_order(m: int) -> None:
    fitted = fit(np.zeros((m, m)))
    assert fitted.ratings.tolist() == [MEAN] * m
    assert fitted.groups.tolist() == list(range(m))


def test_only_ties_give_equal_ratings() -> None:
    assert fit(wins_of([[0, 9, 2], [9, 0, 4], [2, 4, 0]])).ratings == pytest.approx([MEAN] * 3, abs=1e-9)


@pytest.mark.parametrize(
    ("wins", "message"),
    [
        (np.zeros((2, 3)), r"wins has shape \(2, 3\); it has to be \(m, m\)"),
        (wins_of([[0, -1], [0, 0]]), "negative or infinite entry, or no number"),
        (wins_of([[0, np.nan], [0, 0]]), "negative or infinite entry, or no number"),
        (wins_of([[1, 0], [0, 0]]), "a model does not play against itself"),
    ],
)
def test_invalid_wins_are_refused(wins: FloatArray, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        fit(wins)


@pytest.mark.parametrize("prior", [-0.5, float("nan"), float("inf")])
def test_a_prior_that_is_no_part_of_a_tie_is_refused(prior: float) -> None:
    with pytest.raises(InvalidValue, match=r"prior is .*; valid: 0 \(no prior\) or a finite number above 0"):
        fit(np.zeros((2, 2)), prior=prior)
