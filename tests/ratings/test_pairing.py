"""Gains and chances of pairs: known answers, bounds, and what they learn from."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.pairing import LEAST, MOST, VOTES_PER_MODEL, Pairing, bounded, chances_of, gains_of
from playground.ratings.pairs import FloatArray
from tests.support.judged import pair, table_from, table_of, wins_of

MODELS = ("alder", "birch", "cedar", "dogwood")


def games(**counts: int) -> list[tuple[str, str, str, int]]:
    """Votes on pairs named by their first letters, half of them for each."""
    by_letter = {model[0]: model for model in MODELS}
    halves = (("model_a", 0), ("model_b", 1))
    return [
        (by_letter[pair[0]], by_letter[pair[1]], winner, (count + more) // 2)
        for pair, count in counts.items()
        for winner, more in halves
    ]


EVEN = {"ab": 8, "ac": 8, "ad": 8, "bc": 8, "bd": 8, "cd": 8}


def test_gain_is_what_a_vote_takes_off_the_weighted_variances() -> None:
    wins = wins_of([[0, 9, 4, 6], [3, 0, 5, 7], [1, 5, 0, 3], [2, 2, 8, 0]])
    gains, _ = gains_of(wins)
    fitted = fit(wins)  # all met: the leaderboard's prior is the same
    p = np.where(np.eye(4, dtype=bool), 0.5, fitted.probability)
    apart = fitted.ratings[:, None] / POINTS - fitted.ratings / POINTS

    def variances(games: FloatArray) -> FloatArray:
        weights = games * p * p.T
        covariance = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
        own = np.diagonal(covariance)
        return own[:, None] + own - 2 * covariance

    played = wins + wins.T + fitted.prior_wins + fitted.prior_wins.T
    before = variances(played)
    pairs = list(combinations(range(4), 2))
    weights = {pair: math.exp(-(apart[pair] ** 2) / (4 * before[pair])) / before[pair] for pair in pairs}
    for i, j in pairs:
        more = played.copy()
        more[i, j] += 1
        more[j, i] += 1
        after = variances(more)
        taken_off = sum(weights[pair] * (before[pair] - after[pair]) for pair in pairs)
        assert gains[i, j] == pytest.approx(taken_off, rel=1e-6)


@given(arrays.arrays(float, st.integers(1, 60), elements=st.floats(0, 1e6)).filter(lambda w: w.max() > 0))
def test_chances_sum_to_one_and_keep_their_bounds(weights: FloatArray) -> None:
    chances = bounded(weights)
    relative = chances * len(weights)
    assert chances.sum() == pytest.approx(1)
    assert relative.min() >= LEAST - 1e-9
    assert relative.max() <= MOST + 1e-9
    order = np.argsort(weights, kind="stable")
    assert (np.diff(chances[order]) >= -1e-12).all()


def test_bounds_hold_among_models_that_are_some_of_all() -> None:
    pairing = Pairing.of(table_of(*games(ab=2, ac=40, ad=40, bc=40, bd=40, cd=40)))
    for models in (MODELS, MODELS[1:], MODELS[:3]):
        chances = pairing.chances(models)
        assert chances is not None
        relative = chances[np.triu_indices(len(models), 1)] * math.comb(len(models), 2)
        assert relative.min() >= LEAST - 1e-9
        assert relative.max() <= MOST + 1e-9


def test_pairs_that_met_seldom_and_close_pairs_are_likelier() -> None:
    [first, *_] = Pairing.of(table_of(*games(**EVEN | {"bd": 2}))).pairs_of(MODELS)
    assert (first.model_a, first.model_b, first.met, first.is_close) == ("birch", "dogwood", 2, True)
    lopsided = [("alder", model, "model_a", 16) for model in MODELS[1:]]
    pairs = Pairing.of(table_of(*games(bc=16, bd=16, cd=16), *lopsided)).pairs_of(MODELS)
    assert {state.model_a for state in pairs[3:]} == {"alder"}
    assert not any(state.is_close for state in pairs[3:])


def test_all_pairs_are_alike_until_there_are_votes_enough() -> None:
    enough = VOTES_PER_MODEL * len(MODELS)
    for votes in (0, enough - 1, enough):
        judged = [pair("alder", "birch", number=number) for number in range(votes)]
        pairing = Pairing.of(table_from(judged, models=MODELS))
        chances = [state.chance for state in pairing.pairs_of(MODELS)]
        assert pairing.is_informed == (votes == enough) == (max(chances) > min(chances) + 1e-9)
        assert pairing.is_informed or chances == pytest.approx([1 / 6] * 6)


def test_unknown_model_has_no_chances() -> None:
    pairing = Pairing.of(table_of(*games(**EVEN)))
    assert pairing.chances((*MODELS, "elm")) is None
    assert pairing.pairs_of((*MODELS, "elm")) == ()


def test_undefeated_and_unconnected_models_have_finite_gains() -> None:
    gains, _ = gains_of(wins_of([[0, 500, 0, 0], [0, 0, 0, 0], [0, 0, 0, 300], [0, 0, 0, 0]]))
    chances = chances_of(gains)
    assert np.isfinite(chances).all()
    assert chances.sum() == pytest.approx(2)


def test_reason_names_the_pair_that_the_votes_favoured() -> None:
    pairing = Pairing.of(table_of(*games(**EVEN | {"bd": 2})))
    chances = pairing.chances(MODELS)
    assert chances is not None
    why = pairing.why(("dogwood", "birch"), MODELS, float(chances[1, 3]) / 2)
    assert (why.probability, why.uniform) == (pytest.approx(chances[1, 3]), pytest.approx(1 / 6))
    assert why.pair is not None
    assert (why.pair.model_a, why.pair.model_b, why.pair.met) == ("birch", "dogwood", 2)
    assert pairing.why(("alder", "birch"), MODELS, float(chances[0, 1]) / 2).pair is None
