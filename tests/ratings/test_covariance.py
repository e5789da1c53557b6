"""Variances: the formula by hand, the unit that was chosen, and no false certainty from small numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.covariance import (
    MIN_RATERS,
    VARIANCE_FLOOR,
    choose_unit,
    difference_variance,
    effective_raters,
    effective_raters_by_model,
    sandwich,
    spread,
)
from playground.ratings.pairs import PairTable
from tests.support.judged import GALPACA, MINOTAUR, ORCA, pair, table_of, votes


def test_the_sandwich_of_two_models_is_that_of_a_proportion() -> None:
    """For wins of n votes between two: variance of the log-odds (1 / n p q), times n / (n - 1)."""
    table = table_of((GALPACA, ORCA, "model_a", 60), (GALPACA, ORCA, "model_b", 40), raters=100)
    fitted = fit(table.wins, prior=0)
    found = difference_variance(sandwich(table, fitted, "vote"))[0, 1]
    assert found == pytest.approx(POINTS**2 / (100 * 0.6 * 0.4) * 100 / 99)
    assert difference_variance(fitted.covariance)[0, 1] == pytest.approx(POINTS**2 / (100 * 0.6 * 0.4))


def test_ten_votes_alike_of_one_rater_are_worth_one() -> None:
    once = votes((GALPACA, ORCA, "model_a", 12), (ORCA, GALPACA, "model_a", 8), raters=20)
    tenfold = [
        pair(p.model_a, p.model_b, number=10 * n + k, rater_id=p.rater_id)
        for n, p in enumerate(once)
        for k in range(10)
    ]
    one, ten = PairTable.from_judged(once), PairTable.from_judged(tenfold)
    by_rater = sandwich(ten, fit(ten.wins, prior=0), "rater")
    assert by_rater == pytest.approx(sandwich(one, fit(one.wins, prior=0), "vote"))


def test_swapping_the_sides_changes_nothing() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 9), (ORCA, MINOTAUR, "tie", 5), (MINOTAUR, GALPACA, "model_a", 4))
    swapped = table_of((ORCA, GALPACA, "model_b", 9), (MINOTAUR, ORCA, "tie", 5), (GALPACA, MINOTAUR, "model_b", 4))
    for unit in ("rater", "vote"):
        assert sandwich(table, fit(table.wins), unit) == pytest.approx(sandwich(swapped, fit(swapped.wins), unit))


def test_the_pairs_of_one_vote_are_one_unit() -> None:
    rows = [(GALPACA, ORCA), (GALPACA, MINOTAUR)]
    together = [pair(a, b, w, n, vote_id=f"v{n}") for n, w in enumerate(["model_a", "model_b"] * 10) for a, b in rows]
    apart = [pair(p.model_a, p.model_b, p.winner, n) for n, p in enumerate(together)]
    one, other = PairTable.from_judged(together), PairTable.from_judged(apart)
    fitted = fit(one.wins)
    first = one.models.index(GALPACA)
    assert sandwich(one, fitted, "vote")[first, first] > 1.5 * sandwich(other, fitted, "vote")[first, first]


@pytest.mark.parametrize(
    ("raters", "unit"), [(1, "vote"), (MIN_RATERS - 1, "vote"), (MIN_RATERS, "rater"), (40, "rater")]
)
def test_raters_are_the_unit_when_there_are_enough(raters: int, unit: str) -> None:
    assert choose_unit(table_of((GALPACA, ORCA, "tie", 120), raters=raters)) == unit


def test_one_rater_with_nearly_all_votes_is_one_rater() -> None:
    busy = votes((GALPACA, ORCA, "model_a", 100), raters=1)
    others = [pair(GALPACA, ORCA, number=1000 + k) for k in range(12)]
    table = PairTable.from_judged([*busy, *others])
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
    table = PairTable.from_judged([*many, *alone])
    fitted = fit(table.wins)
    found = spread(table, fitted, "rater")
    new = table.models.index(MINOTAUR)
    assert effective_raters_by_model(table)[new] == 1
    assert found.few_raters.tolist() == [model == MINOTAUR for model in table.models]
    assert sandwich(table, fitted, "rater")[new, new] < 0.2 * sandwich(table, fitted, "vote")[new, new]
    assert found.rating[new] == pytest.approx(sandwich(table, fitted, "vote")[new, new])


@pytest.mark.parametrize("winner", ["model_a", "tie"], ids=["undefeated", "only ties"])
def test_votes_without_surprise_are_not_called_certain(winner: str) -> None:
    table = table_of((GALPACA, ORCA, winner, 200), raters=20)
    fitted = fit(table.wins)
    for unit in ("rater", "vote"):
        found = spread(table, fitted, unit)
        assert found.difference[0, 1] == pytest.approx(VARIANCE_FLOOR * difference_variance(fitted.covariance)[0, 1])


@pytest.mark.parametrize("unit", ["rater", "vote"])
def test_no_vote_and_one_vote_have_a_spread(unit: str) -> None:
    empty, one = PairTable.from_judged([]), PairTable.from_judged([pair(GALPACA, ORCA)])
    assert spread(empty, fit(empty.wins), unit).difference.shape == (0, 0)
    found = spread(one, fit(one.wins), unit)
    assert np.isfinite(found.difference).all()
    assert found.difference[0, 1] > 0
    assert found.degrees == 1


def test_a_rater_whose_votes_weigh_less_is_less_of_a_rater() -> None:
    games = votes((GALPACA, ORCA, "model_a", 90), (ORCA, GALPACA, "model_a", 30), raters=6)
    busy = [replace(game, rater_id="rater-0") if n % 2 else game for n, game in enumerate(games)]
    before, after = (PairTable.from_judged(busy, weights=weights) for weights in ({}, {"rater-0": 0.25}))
    assert effective_raters(before) < effective_raters(after) <= 4
