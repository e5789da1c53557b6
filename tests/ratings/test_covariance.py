"""Variances: the formula by hand, the unit that was chosen, and no false certainty from small numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import MEAN, POINTS, fit, maximise
from playground.ratings.covariance import (
    MIN_RATERS,
    VARIANCE_FLOOR,
    choose_unit,
    difference_variance,
    effective_raters,
    jackknife,
    spread,
)
from tests.support.judged import GALPACA, MINOTAUR, ORCA, pair, simulated, table_from, table_of, votes


def test_the_variance_of_two_models_is_that_of_a_proportion() -> None:
    """For wins of n votes between two: variance of the log-odds (1 / n p q), times n / (n - 1)."""
    table = table_of((GALPACA, ORCA, "model_a", 60), (GALPACA, ORCA, "model_b", 40), raters=100)
    fitted = fit(table.wins, prior=0)
    found = difference_variance(jackknife(table, fitted, "vote").covariance)[0, 1]
    assert found == pytest.approx(POINTS**2 / (100 * 0.6 * 0.4) * 100 / 99)
    assert difference_variance(fitted.covariance)[0, 1] == pytest.approx(POINTS**2 / (100 * 0.6 * 0.4))


def test_ten_votes_alike_of_one_rater_are_worth_one() -> None:
    once = votes((GALPACA, ORCA, "model_a", 12), (ORCA, GALPACA, "model_a", 8), raters=20)
    tenfold = [
        pair(p.model_a, p.model_b, number=10 * n + k, rater_id=p.rater_id)
        for n, p in enumerate(once)
        for k in range(10)
    ]
    one, ten = table_from(once), table_from(tenfold)
    by_rater = jackknife(ten, fit(ten.wins, prior=0), "rater").covariance
    assert by_rater == pytest.approx(jackknife(one, fit(one.wins, prior=0), "vote").covariance)


def test_swapping_the_sides_changes_nothing() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 9), (ORCA, MINOTAUR, "tie", 5), (MINOTAUR, GALPACA, "model_a", 4))
    swapped = table_of((ORCA, GALPACA, "model_b", 9), (MINOTAUR, ORCA, "tie", 5), (GALPACA, MINOTAUR, "model_b", 4))
    for unit in ("rater", "vote"):
        assert jackknife(table, fit(table.wins), unit).covariance == pytest.approx(
            jackknife(swapped, fit(swapped.wins), unit).covariance
        )


def test_the_pairs_of_one_vote_are_one_unit() -> None:
    rows = [(GALPACA, ORCA), (GALPACA, MINOTAUR)]
    together = [pair(a, b, w, n, vote_id=f"v{n}") for n, w in enumerate(["model_a", "model_b"] * 10) for a, b in rows]
    apart = [pair(p.model_a, p.model_b, p.winner, n) for n, p in enumerate(together)]
    one, other = table_from(together), table_from(apart)
    fitted = fit(one.wins)
    first = one.models.index(GALPACA)
    assert (
        jackknife(one, fitted, "vote").covariance[first, first]
        > 1.5 * jackknife(other, fitted, "vote").covariance[first, first]
    )


@pytest.mark.parametrize(
    ("raters", "unit"), [(1, "vote"), (MIN_RATERS - 1, "vote"), (MIN_RATERS, "rater"), (40, "rater")]
)
def test_raters_are_the_unit_when_there_are_enough(raters: int, unit: str) -> None:
    assert choose_unit(table_of((GALPACA, ORCA, "tie", 120), raters=raters)) == unit


def test_one_rater_with_nearly_all_votes_is_one_rater() -> None:
    busy = votes((GALPACA, ORCA, "model_a", 100), raters=1)
    others = [pair(GALPACA, ORCA, number=1000 + k) for k in range(12)]
    table = table_from([*busy, *others])
    assert (table.num_raters, choose_unit(table)) == (13, "vote")
    assert effective_raters(table) == pytest.approx(112**2 / (100**2 + 12))


def test_a_named_unit_is_taken_and_an_unknown_one_refused() -> None:
    table = table_of((GALPACA, ORCA, "tie", 3), raters=3)
    assert (choose_unit(table, "rater"), choose_unit(table, "vote")) == ("rater", "vote")
    with pytest.raises(InvalidValue, match="unit is 'person'; valid are: auto, rater, vote"):
        choose_unit(table, "person")


def test_a_model_that_one_rater_judged_is_not_called_certain() -> None:
    many = votes((GALPACA, ORCA, "model_a", 60), (ORCA, GALPACA, "model_a", 60), raters=20)
    alone = [
        pair(MINOTAUR, GALPACA, winner, 1000 + k, rater_id="rater-3")
        for k, winner in enumerate(["model_a", "model_b", "model_a"] * 10)
    ]
    table = table_from([*many, *alone])
    fitted = fit(table.wins)
    found = spread(table, fitted, "rater")
    new = table.models.index(MINOTAUR)
    assert found.few_raters.tolist() == [model == MINOTAUR for model in table.models]
    assert found.rating[new] >= jackknife(table, fitted, "vote").covariance[new, new]
    assert found.rating_degrees[new] < 1.5


@pytest.mark.parametrize("winner", ["model_a", "tie"], ids=["undefeated", "only ties"])
def test_votes_without_surprise_are_not_called_certain(winner: str) -> None:
    table = table_of((GALPACA, ORCA, winner, 200), raters=20)
    fitted = fit(table.wins)
    for unit in ("rater", "vote"):
        found = spread(table, fitted, unit)
        assert found.difference[0, 1] == pytest.approx(VARIANCE_FLOOR * difference_variance(fitted.covariance)[0, 1])


@pytest.mark.parametrize("unit", ["rater", "vote"])
def test_no_vote_and_one_vote_have_a_spread(unit: str) -> None:
    empty, one = table_from([]), table_from([pair(GALPACA, ORCA)])
    assert spread(empty, fit(empty.wins), unit).difference.shape == (0, 0)
    found = spread(one, fit(one.wins), unit)
    assert np.isfinite(found.difference).all()
    assert found.difference[0, 1] > 0
    assert found.difference_degrees[0, 1] == found.rating_degrees[0] == 1


def test_lighter_votes_lower_the_effective_raters() -> None:
    games = votes((GALPACA, ORCA, "model_a", 90), (ORCA, GALPACA, "model_a", 30), raters=6)
    busy = [replace(game, rater_id="rater-0") if n % 2 else game for n, game in enumerate(games)]
    before, after = (table_from(busy, weights=weights) for weights in ({}, {"rater-0": 0.25}))
    assert effective_raters(before) < effective_raters(after) <= 4


def test_the_jackknife_is_nearly_that_of_refits() -> None:
    table = simulated(
        np.array([0.5, 0.2, 0.0, -0.7]),
        num_votes=400,
        num_raters=12,
        taste=0.5,
        ties=0.2,
        rng=np.random.default_rng(20250131),
    )
    fitted = fit(table.wins)
    refits = []
    for rater in range(table.num_raters):
        without = table.wins_with(np.where(table.rater == rater, 0.0, table.weight))
        refits.append(MEAN + POINTS * maximise(without + fitted.prior_wins, fitted.groups))
    changes = np.array(refits) - fitted.ratings
    by_refits = (table.num_raters - 1) / table.num_raters * changes.T @ changes
    found = jackknife(table, fitted, "rater").covariance
    assert difference_variance(found) == pytest.approx(difference_variance(by_refits), rel=0.1)


def test_pairs_in_votes_and_votes_in_raters_have_the_same_variance_however_they_are_summed() -> None:
    """Votes that say the same are summed as one unit; the same votes with two pairs each are not."""
    table = table_of((GALPACA, ORCA, "model_a", 30), (ORCA, MINOTAUR, "model_a", 12), (MINOTAUR, GALPACA, "tie", 9))
    fitted = fit(table.wins)
    halves = replace(
        table,
        **{name: np.repeat(getattr(table, name), 2) for name in ("first", "second", "outcome", "vote", "rater")},
        weight=np.repeat(table.weight / 2, 2),
    )
    whole, split = jackknife(table, fitted, "vote"), jackknife(halves, fitted, "vote")
    assert np.diagonal(split.covariance) == pytest.approx(np.diagonal(whole.covariance), rel=0.1)
    assert (np.diagonal(split.covariance) > np.diagonal(whole.covariance)).all()  # the whole correction, and half of it
    assert (split.difference_degrees <= whole.difference_degrees * 1.01).all()


def test_votes_at_even_odds_leave_no_doubt_about_their_variance_and_others_do() -> None:
    even = table_of((GALPACA, ORCA, "model_a", 50), (ORCA, GALPACA, "model_a", 50), raters=100)
    odd = table_of((GALPACA, ORCA, "model_a", 95), (ORCA, GALPACA, "model_a", 5), raters=100)
    degrees = [jackknife(t, fit(t.wins), "vote").difference_degrees[0, 1] for t in (even, odd)]
    assert degrees[0] > 1e6
    assert degrees[1] == pytest.approx(99, rel=0.01)


@pytest.mark.parametrize("raters", [2, 8, 30])
def test_alike_raters_have_one_degree_of_freedom_less_than_there_are(raters: int) -> None:
    table = table_of((GALPACA, ORCA, "model_a", 5 * raters), (ORCA, GALPACA, "model_a", 4 * raters), raters=raters)
    found = jackknife(table, fit(table.wins), "rater")
    assert found.difference_degrees[0, 1] == pytest.approx(raters - 1, rel=0.02)
    assert found.rating_degrees == pytest.approx(found.difference_degrees[0, 1])


def test_a_model_that_two_raters_judged_has_one_degree_of_freedom_on_any_board() -> None:
    many = votes((GALPACA, ORCA, "model_a", 60), (ORCA, GALPACA, "model_a", 60), raters=20)
    two = [
        pair(MINOTAUR, GALPACA, "model_a" if k % 3 else "model_b", 1000 + k, rater_id=f"rater-{k % 2}")
        for k in range(60)
    ]
    table = table_from([*many, *two])
    found = spread(table, fit(table.wins), "rater")
    galpaca, minotaur, orca = (table.models.index(model) for model in (GALPACA, MINOTAUR, ORCA))
    assert found.difference_degrees[galpaca, orca] > 15
    assert found.difference_degrees[galpaca, minotaur] < 1.5
    assert found.difference_degrees[minotaur, orca] < 2


def test_unequal_raters_with_tastes_have_fewer_degrees_of_freedom_than_their_votes_say() -> None:
    rng = np.random.default_rng(20250131)
    few = np.repeat(np.arange(12), [200] * 2 + [10] * 10)
    liked = rng.normal(size=12) * 1.5
    games = [
        pair(GALPACA, ORCA, "model_a" if rng.random() < 1 / (1 + np.exp(-liked[g])) else "model_b", n, rater_id=f"r{g}")
        for n, g in enumerate(few)
    ]
    table = table_from(games)
    assert jackknife(table, fit(table.wins), "rater").difference_degrees[0, 1] < effective_raters(table) - 1
