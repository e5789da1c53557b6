"""The plot of ratings and intervals."""

from __future__ import annotations

from dataclasses import replace

from playground.ui.pages.leaderboard.forest import forest
from playground.ui.pages.leaderboard.scale import scale
from tests.support.boards import BOARD

ROWS = BOARD.rows


def test_interval_that_reaches_far_does_not_shrink_the_others() -> None:
    far = replace(ROWS[0], rating=1300.0, rating_lower=1200.0, rating_upper=4000.0)
    near = replace(ROWS[1], rating=900.0, rating_lower=850.0, rating_upper=950.0)
    html = forest([far, near])
    assert ">2000<" not in html
    assert "right:0.00%" in html
    assert "4000" in html  # in words


def test_scale_has_few_round_ticks() -> None:
    assert scale([931.0, 1068.0]) == [900.0, 950.0, 1000.0, 1050.0, 1100.0]
    assert len(scale([-4e6, 4e6])) <= 8
