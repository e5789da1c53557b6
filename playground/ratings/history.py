"""Ratings after each of some days: the fit of all votes up to that day, as far as they count today.

Boundary: a board and the day of each of its pairs in, numbers out.

Which votes count, and how much, is today's decision: the history shows how these ratings came to be, not which board
was shown on a day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.messages import Message
from playground.ratings.board import Board
from playground.ratings.pairs import FloatArray, IntArray, PairTable
from playground.ratings.parts import rows_of, until

MOST_POINTS = 30
FEWEST_POINTS = 6
"""The most points of a board with more votes than can be read so often."""
MOST_VOTES_READ = 6_000_000
"""Votes that all points read together, which take some four seconds; with more of them there are fewer points."""
FEWEST_BETWEEN = 10
"""Votes between two points."""


@dataclass(frozen=True, slots=True)
class RatingThen:
    """One model's rating after a day."""

    model: str
    rating: float
    rating_lower: float
    rating_upper: float


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """The ratings from all votes up to a day."""

    day: str  # in UTC, such as 2026-11-30
    votes: int
    unit: str  # rater | vote: what the intervals took to be independent
    ratings: tuple[RatingThen, ...]  # of the models with enough battles then, in the order of `History.models`


@dataclass(frozen=True, slots=True)
class HistoryModel:
    """A model that has a rating at some point."""

    model: str
    name: str


@dataclass(frozen=True, slots=True)
class History:
    """The ratings of the largest group of models over the days."""

    models: tuple[HistoryModel, ...]  # best first today
    level: float  # of the intervals, each for itself
    is_resampled: bool  # the board's own intervals are those of a bootstrap; these are not
    points: tuple[HistoryPoint, ...]  # by day; the last is the board

    @property
    def changes_unit(self) -> bool:
        """True if some points have raters as the unit and others votes."""
        return len({point.unit for point in self.points}) > 1

    def notes(self) -> list[str]:
        """Return what differs between points, or from the board."""
        found: list[str] = []
        if self.is_resampled:
            found.append(Message("These intervals are from the jackknife; those of the board are from its bootstrap."))
        if self.changes_unit:
            found.append(
                Message(
                    "Each vote is a unit of the intervals on days with too few raters, and each rater on the others: "
                    "where that changes the intervals do too."
                )
            )
        return found

    def sentences(self) -> list[str]:
        """Return one sentence on each model, its first rating and its last, then the notes."""
        return [*(_sentence(model, self.of(model.model)) for model in self.models), *self.notes()]

    def of(self, model: str) -> list[tuple[HistoryPoint, RatingThen]]:
        """Return the points at which a model has a rating."""
        return [(point, then) for point in self.points for then in point.ratings if then.model == model]


def history_of(board: Board, days: IntArray) -> History | None:
    """Return the ratings of the largest group over the days; None until two of them have ratings.

    Intervals are those of the jackknife, also beside a board that has a bootstrap's.

    Args:
        days: (n,) of the rows of the board's table, as numbers such as 20261130; those of a vote are equal.
    """
    is_resampled = board.options.resamples > 0
    if is_resampled:  # of every point: the jackknife says the same in a hundredth of the time
        board = replace(board, options=replace(board.options, resamples=0))
    group = board.groups[0] if board.groups else ()
    table, days = in_order(board.table, days)
    found = ((day, _after(board, table, votes)) for day, votes in points_at(days[_ends(table)]))
    points = [point for day, then in found if (point := _point(_words_of(day), then, group)) is not None]
    if len(points) < 2:
        return None
    known = {then.model for point in points for then in point.ratings}
    models = [HistoryModel(board.table.models[i], board.names[i]) for i in group if board.table.models[i] in known]
    return History(tuple(models), board.options.level, is_resampled, tuple(points))


def too_few() -> str:
    """Return the reason for having no history."""
    return Message("Votes of two days or more, with enough battles of two models, show how ratings changed.")


def in_order(table: PairTable, days: IntArray) -> tuple[PairTable, IntArray]:
    """Return a table whose votes are in the order of their days, and the days of its rows.

    Votes are numbered as they were stored: an imported one, or one given while a clock was wrong, may be older than
    those before it.
    """
    if not np.any(np.diff(days) < 0):
        return table, days
    rows = np.argsort(days, kind="stable")
    moved = rows_of(table, rows)
    vote = np.cumsum(np.diff(moved.vote, prepend=moved.vote[0]) != 0)
    return replace(moved, vote=vote), days[rows]


def points_at(days: IntArray) -> list[tuple[int, int]]:
    """Return up to `MOST_POINTS` days with the number of votes up to each, from the day of each vote, in order.

    Between two of them there are enough votes for another rating; the last day is always one.
    """
    total = len(days)
    most = int(np.clip(2 * MOST_VOTES_READ // max(total, 1), FEWEST_POINTS, MOST_POINTS))
    apart = max(FEWEST_BETWEEN, math.ceil(total / (most - 1)))
    ends = np.flatnonzero(np.diff(days, append=0))
    points: list[tuple[int, int]] = []
    for end in map(int, ends):
        before = points[-1][1] if points else 0
        if end + 1 - before >= apart or end + 1 == total:
            points.append((int(days[end]), end + 1))
    return points


def _ends(table: PairTable) -> IntArray:
    """Return the last row of each vote, shape (v,)."""
    return np.flatnonzero(np.diff(table.vote, append=-1))


def _after(board: Board, table: PairTable, votes: int) -> Board:
    """Return the board of the first votes of a table."""
    if votes == board.table.num_votes:
        return board
    return replace(board, table=until(table, votes), other=None, stricter=None)


def _point(day: str, board: Board, group: Sequence[int]) -> HistoryPoint | None:
    """Return the ratings of those models of a group that were connected, and had enough battles; None without any."""
    connected = next((set(there) for there in board.groups if len(set(there) & set(group)) > 1), set())
    known = [i for i in group if i in connected and board.settled[i]]
    if not known:
        return None  # intervals would be computed for nothing
    numbers: Sequence[FloatArray] = (board.fit.ratings, board.intervals.lower, board.intervals.upper)
    found = (RatingThen(board.table.models[i], *(float(of[i]) for of in numbers)) for i in known)
    finite = tuple(then for then in found if math.isfinite(then.rating_lower) and math.isfinite(then.rating_upper))
    return HistoryPoint(day, board.table.num_votes, board.intervals.spread.unit, finite) if finite else None


def _words_of(day: int) -> str:
    """Return 2026-11-30 for 20261130."""
    return f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}"


def _sentence(model: HistoryModel, points: Sequence[tuple[HistoryPoint, RatingThen]]) -> str:
    first, last = points[0], points[-1]
    if first is last:
        return Message(
            "{name}: {rating} up to {day}.", name=model.name, rating=f"{last[1].rating:.0f}", day=last[0].day
        )
    return Message(
        "{name}: {first} with all votes up to {first_day}, {last} up to {last_day}.",
        name=model.name,
        first=f"{first[1].rating:.0f}",
        first_day=first[0].day,
        last=f"{last[1].rating:.0f}",
        last_day=last[0].day,
    )
