"""Ratings over time: which days have a point, and what each point is the fit of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.ratings.board import Board, LeaderboardOptions
from playground.ratings.counting import count
from playground.ratings.history import FEWEST_BETWEEN, FEWEST_POINTS, MOST_POINTS, history_of, in_order, points_at
from playground.ratings.pairs import IntArray, PairTable
from playground.ratings.parts import rows_of
from playground.ratings.policy import EVERY_VOTE
from tests.support.judged import judged_votes, simulated, table_of

OPTIONS = LeaderboardOptions(policy=EVERY_VOTE)
FIRST = date(2026, 11, 1)


def number_of(day: int) -> int:
    return int(f"{FIRST + timedelta(days=day):%Y%m%d}")


def board_of(table: PairTable, options: LeaderboardOptions = OPTIONS) -> Board:
    return Board(table, count(judged_votes([]), EVERY_VOTE), options, {})


def days_of(rows: int, per_day: int) -> IntArray:
    return np.array([number_of(row // per_day) for row in range(rows)])


@pytest.fixture(scope="module")
def arena() -> PairTable:
    """400 votes of 20 raters on four models."""
    strengths = np.array([0.8, 0.2, -0.2, -0.8])
    return simulated(strengths, num_votes=400, num_raters=20, taste=0.3, ties=0.2, rng=np.random.default_rng(5))


def test_the_last_point_is_the_board(arena: PairTable) -> None:
    board = board_of(arena)
    history = history_of(board, days_of(400, 40))
    assert history is not None
    last = history.points[-1]
    assert (last.day, last.votes) == ("2026-11-10", 400)
    rows = [(row.model, row.rating, row.rating_lower, row.rating_upper) for row in board.rows]
    assert [(one.model, one.rating, one.rating_lower, one.rating_upper) for one in last.ratings] == rows
    assert [model.model for model in history.models] == [row.model for row in board.rows]


def test_each_point_is_the_board_of_all_votes_up_to_that_day(arena: PairTable) -> None:
    history = history_of(board_of(arena), days_of(400, 40))
    assert history is not None
    assert [point.votes for point in history.points] == [80, 120, 160, 200, 240, 280, 320, 360, 400]
    for point in history.points:
        rows = {row.model: row for row in board_of(rows_of(arena, slice(point.votes))).rows}
        for one in point.ratings:
            row = rows[one.model]
            assert (one.rating, one.rating_lower, one.rating_upper) == pytest.approx(
                (row.rating, row.rating_lower, row.rating_upper)
            )


def test_known_answer_of_two_models() -> None:
    """Without a prior, wins of 3 : 1 are odds of 3, so 400 log10(3) points: 1000 ± 95.4; of 1 : 1 nothing."""
    games = [("a", "b", "model_a", 30), ("a", "b", "model_b", 10), ("a", "b", "model_b", 20)]
    table = table_of(*games, raters=60)
    days = np.array([20261101] * 40 + [20261103] * 20)
    history = history_of(board_of(table, replace(OPTIONS, prior=0.0)), days)
    assert history is not None
    found = [(point.day, {one.model: round(one.rating, 1) for one in point.ratings}) for point in history.points]
    assert found == [("2026-11-01", {"a": 1095.4, "b": 904.6}), ("2026-11-03", {"a": 1000.0, "b": 1000.0})]
    assert history.sentences()[0] == ("a: 1095 with all votes up to 2026-11-01, 1000 up to 2026-11-03.")


def test_the_unit_of_each_point_is_that_of_its_board(arena: PairTable) -> None:
    few_first = replace(arena, rater=np.where(np.arange(400) < 100, arena.rater % 4, arena.rater))
    history = history_of(board_of(few_first, replace(OPTIONS, resamples=10)), days_of(400, 50))
    assert history is not None
    assert (history.points[0].unit, history.points[-1].unit) == ("vote", "rater")
    assert len(history.notes()) == 2
    unchanged = history_of(board_of(arena), days_of(400, 100))
    assert unchanged is not None
    assert unchanged.notes() == []


def test_nothing_is_shown_of_one_day_or_of_few_battles(arena: PairTable) -> None:
    assert history_of(board_of(arena), days_of(400, 400)) is None
    assert history_of(board_of(rows_of(arena, slice(20))), days_of(20, 1)) is None
    assert history_of(board_of(rows_of(arena, slice(0))), days_of(0, 1)) is None


def test_a_model_that_joins_has_no_earlier_point() -> None:
    table = table_of(
        ("a", "b", "model_a", 40), ("a", "b", "model_b", 30), ("a", "c", "model_a", 30), ("a", "c", "model_b", 20)
    )
    history = history_of(board_of(table), np.array([20261101] * 70 + [20261102] * 50))
    assert history is not None
    assert [[one.model for one in point.ratings] for point in history.points] == [["a", "b"], ["a", "b", "c"]]
    assert len(history.of("c")) == 1


def test_votes_stored_out_of_order_are_taken_by_their_day(arena: PairTable) -> None:
    board, days = board_of(arena), days_of(400, 40)
    shuffled = np.random.default_rng(3).permutation(400)
    moved = replace(rows_of(arena, shuffled), vote=np.arange(400))
    expected, found = history_of(board, days), history_of(board_of(moved), days[shuffled])
    assert expected is not None
    assert found is not None
    for one, other in zip(expected.points, found.points, strict=True):
        assert (one.day, one.votes) == (other.day, other.votes)
        assert [then.rating_lower for then in one.ratings] == pytest.approx(
            [then.rating_lower for then in other.ratings]
        )


def test_pairs_of_one_vote_stay_together_when_votes_are_sorted() -> None:
    table = table_of(("a", "b", "model_a", 4))
    table = replace(table, vote=np.array([0, 0, 1, 1]))
    sorted_table, days = in_order(table, np.array([20261102, 20261102, 20261101, 20261101]))
    assert sorted_table.vote.tolist() == [0, 0, 1, 1]
    assert days.tolist() == [20261101, 20261101, 20261102, 20261102]


@given(st.lists(st.integers(1, 400), max_size=200))
def test_points_are_few_and_far_enough_apart(votes_of_days: list[int]) -> None:
    days = np.repeat([number_of(day) for day in range(len(votes_of_days))], votes_of_days)
    points = points_at(days)
    assert len(points) <= MOST_POINTS
    assert [votes for _, votes in points] == [int(np.count_nonzero(days <= day)) for day, _ in points]
    assert all(b[1] - a[1] >= FEWEST_BETWEEN for a, b in pairwise(points[:-1]))
    assert not votes_of_days or points[-1] == (number_of(len(votes_of_days) - 1), len(days))


def test_a_large_board_has_fewer_points() -> None:
    days = np.repeat([number_of(day) for day in range(100)], 20_000)
    assert 1 < len(points_at(days)) <= FEWEST_POINTS
