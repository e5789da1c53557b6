"""Each two models of a board: how they met, how often one is expected to win, and the interval of their difference.

Boundary: reads a `Board`; no sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from playground.ratings.board import Board, or_none


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two rated models that met: the pairs that count, by outcome."""

    model_a: str  # above `model_b` on the board
    model_b: str
    wins_a: int
    wins_b: int
    ties: int
    both_bad: int


@dataclass(frozen=True, slots=True)
class RatingDifference:
    """The rating of one model minus that of another one of its group, with the interval of that difference alone."""

    model: str  # the one with the higher rating
    other: str
    difference: float  # points
    lower: float
    upper: float


def meetings_of(board: Board) -> Iterator[Meeting]:
    """Yield the rated models that met, in the order of rows."""
    outcomes, models = board.table.outcomes_by_pair, board.table.models
    for i, j in combinations(board.order, 2):
        if outcomes[i, j].any():
            yield Meeting(models[i], models[j], *(int(count) for count in outcomes[i, j]))


def win_probability_of(board: Board) -> tuple[tuple[float | None, ...], ...]:
    """Return the fitted probability that row beats column, in the order of rows."""
    return tuple(tuple(or_none(board.fit.probability[i, j]) for j in board.order) for i in board.order)


def differences_of(board: Board) -> Iterator[RatingDifference]:
    """Yield the difference of each two models of a group, with its interval."""
    intervals, models, ratings = board.intervals, board.table.models, board.fit.ratings
    for group in board.groups:
        for i, j in combinations(group, 2):
            lower, upper = float(intervals.difference_lower[i, j]), float(intervals.difference_upper[i, j])
            yield RatingDifference(models[i], models[j], float(ratings[i] - ratings[j]), lower, upper)
