"""Position: shares of decided pairs with honest intervals."""

from __future__ import annotations

import math

import pytest

from playground.ratings.bias import _difference, wilson, wins_by_side
from tests.support.judged import GALPACA, MINOTAUR, ORCA, table_from, table_of, votes


def test_wilson_agrees_with_the_textbook() -> None:
    """81 of 263: Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0 / 20, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(29 / 29, 29) == pytest.approx((0.8830, 1.0), abs=5e-5)


def test_difference_of_shares_agrees_with_the_paper() -> None:
    """Newcombe 1998, table II, contrast (a): 56/70 and 48/80, method 10."""
    found, lower, upper = _difference(56, 70, 48, 80, 0.95)
    assert found == pytest.approx(0.2)
    assert (round(lower, 4), round(upper, 4)) == (0.0524, 0.3339)


def test_wins_are_counted_on_each_side() -> None:
    table = table_of(
        (GALPACA, ORCA, "model_a", 5),
        (GALPACA, ORCA, "model_b", 1),
        (ORCA, GALPACA, "model_a", 2),
        (ORCA, GALPACA, "tie", 1),
    )
    galpaca, orca = wins_by_side(table)
    assert (galpaca.won_earlier, galpaca.earlier, galpaca.won_later, galpaca.later) == (5, 6, 0, 2)
    assert (orca.won_earlier, orca.earlier, orca.won_later, orca.later) == (2, 2, 1, 6)
    assert galpaca.lower < galpaca.difference < galpaca.upper


def test_models_without_a_pair_do_not_widen_the_intervals_of_others() -> None:
    games = ((GALPACA, ORCA, "model_a", 5), (ORCA, GALPACA, "model_a", 4))
    assert wins_by_side(table_of(*games))[0] == wins_by_side(table_from(votes(*games), models=(MINOTAUR,)))[0]


def test_model_on_one_side_only_has_no_difference() -> None:
    assert math.isnan(wins_by_side(table_of((GALPACA, ORCA, "model_a", 5)))[0].difference)
