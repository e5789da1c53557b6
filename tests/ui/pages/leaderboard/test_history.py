"""Ratings over time on the Leaderboard page: a plot for each model, and every number in a table."""

from __future__ import annotations

import re
from dataclasses import replace

from playground.ratings.history import History, HistoryModel, HistoryPoint, RatingThen
from playground.ui.pages.leaderboard.history import HEIGHT, TOP, WIDTH, history

FOUND = History(
    (HistoryModel("a", "A <b>"), HistoryModel("b", "B")),
    0.9,
    False,
    (
        HistoryPoint("2026-11-01", 40, "vote", (RatingThen("a", 1010.4, 960, 1060),)),
        HistoryPoint("2026-11-03", 80, "rater", (RatingThen("a", 1030, 1000, 1060), RatingThen("b", 970, 940, 1000))),
        HistoryPoint("2026-11-11", 1200, "rater", (RatingThen("a", 1040, 1020, 1060), RatingThen("b", 960, -9e9, 980))),
    ),
)


def test_each_model_has_a_plot_that_says_what_it_shows() -> None:
    html = history(FOUND)
    assert html.count("<figure>") == 2
    assert "with its 90 % interval" in html
    assert "aria-label='A &lt;b&gt;: from 1010 (2026-11-01) to 1040 (2026-11-11). The table has all numbers.'" in html
    assert "<b>A &lt;b&gt;</b> <span class='soft'>1040 (1020–1060)</span>" in html


def test_lines_are_placed_by_day_and_stay_in_the_plot() -> None:
    html = history(FOUND)
    lines = [
        [tuple(map(float, place.split(","))) for place in line.split()]
        for line in re.findall(r"points='([^']*)'", html)
    ]
    assert [x for x, _ in lines[1]] == [0, WIDTH / 5, WIDTH]
    assert all(0 <= x <= WIDTH and TOP <= y <= TOP + HEIGHT for line in lines for x, y in line)
    first, *_, last = lines[1]
    assert first[1] > last[1]


def test_every_number_is_in_the_table_newest_first() -> None:
    table = history(FOUND).partition("<table>")[2]
    assert re.findall(r"scope='row'>([^<]*)<", table) == ["2026-11-11", "2026-11-03", "2026-11-01"]
    assert "<td>1,200</td><td>1040 (1020–1060)</td>" in table
    assert "<td>40</td><td>1010 (960–1060)</td><td>–</td>" in table


def test_differences_from_the_board_and_between_points_are_noted() -> None:
    notes = ("a unit of the intervals on days with too few raters", "those of the board are from its bootstrap")
    assert [note in history(FOUND) for note in notes] == [True, False]
    same = tuple(replace(point, unit="rater") for point in FOUND.points)
    assert [note in history(replace(FOUND, points=same, is_resampled=True)) for note in notes] == [False, True]


def test_without_two_days_the_box_says_what_is_missing() -> None:
    assert history(None) == (
        "<p>Votes of two days or more, with enough battles of two models, show how ratings changed.</p>"
    )
