"""The plot of ratings and intervals."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from playground.ui.pages.leaderboard.forest import MARGIN, forest
from playground.ui.pages.leaderboard.scale import scale
from tests.support.boards import BOARD

ROWS = BOARD.rows


def places(html: str, attribute: str) -> list[float]:
    """The values of an attribute, in per cent of the width."""
    return [float(value) for value in re.findall(rf"\b{attribute}='([0-9.]+)%'", html)]


def test_ticks_have_equal_distances() -> None:
    ticks = [float(value) for value in re.findall(r"<line class='rule' x1='([0-9.]+)%'", forest(ROWS, "95"))]
    gaps = {round(after - before, 1) for before, after in pairwise(ticks)}
    assert len(gaps) == 1, ticks


def test_dot_is_on_its_interval() -> None:
    html = forest(ROWS, "95")
    bars = re.findall(r"class='bar' x1='([0-9.]+)%' x2='([0-9.]+)%'", html)
    assert len(bars) == len(ROWS)
    for (left, right), dot in zip(bars, places(html, "cx"), strict=True):
        assert float(left) < dot < float(right)


def test_interval_that_reaches_far_does_not_shrink_the_others() -> None:
    far = replace(ROWS[0], rating=1300.0, rating_lower=1200.0, rating_upper=4000.0)
    near = replace(ROWS[1], rating=900.0, rating_lower=850.0, rating_upper=950.0)
    html = forest([far, near], "95")
    assert ">2000<" not in html
    assert max(places(html, "x2")) == 100 - MARGIN
    assert "1200 to 4000" in html  # in words


def test_plot_says_in_words_which_rating_is_provisional() -> None:
    html = forest([replace(ROWS[0], provisional=True), ROWS[1]], "95")
    words = html.split("aria-label='")[1].split("'")[0]
    assert words.count("provisional") == 1
    assert all(row.name in words for row in ROWS[:2])


def test_names_are_escaped_and_negative_ratings_have_a_minus_sign() -> None:
    html = forest([replace(ROWS[0], name="<b>", rating=-20.4, rating_lower=-300.0, rating_upper=250.0)], "95")
    assert "<b>" not in html
    assert "−300" in html
    assert "-300" not in html


def test_scale_has_few_round_ticks() -> None:
    assert scale([931.0, 1068.0]) == [900.0, 950.0, 1000.0, 1050.0, 1100.0]
    assert len(scale([-4e6, 4e6])) <= 8
