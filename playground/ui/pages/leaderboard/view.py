"""A board with the other things that its page shows.

Boundary: values only; the page reads them, the parts draw them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from playground.ratings.board import LeaderboardRow
from playground.ratings.leaderboard import Leaderboard
from playground.records import ModelCard
from playground.ui.board_address import BoardAddress

MOST_METRICS = 3
"""Columns of published figures; the Models page has all."""


@dataclass(frozen=True, eq=False)
class BoardView:
    """Everything that the parts of the page draw."""

    board: Leaderboard
    cards: Mapping[str, ModelCard]
    line_up: Collection[str] | None = None  # ids of models that answer here; None: not known
    advice: str = ""  # for a board without votes, in place of the verdict's own
    address: BoardAddress = BoardAddress()
    has_links: bool = True  # False: a document that leads to no page of a playground

    @property
    def level(self) -> str:
        """The level of its intervals in per cent."""
        return f"{100 * self.board.options.level:g}"

    @cached_property
    def shown(self) -> Sequence[int]:
        """The rows that are shown, as indices of the board's."""
        rows = range(len(self.board.rows))
        return [i for i in rows if not (self.address.hide_retired and self.is_retired(self.board.rows[i].model))]

    @cached_property
    def rows(self) -> Sequence[LeaderboardRow]:
        """The rows that are shown, best first."""
        return [self.board.rows[i] for i in self.shown]

    def is_retired(self, model: str) -> bool:
        """Return True for a model that has votes and answers here no more."""
        return self.line_up is not None and model not in self.line_up

    @cached_property
    def metrics(self) -> Sequence[str]:
        """Names of the figures that the cards of the rated models publish; those of most models first."""
        published = [self.cards[row.model].metrics for row in self.rows if row.model in self.cards]
        names = dict.fromkeys(name for metrics in published for name in metrics)
        return sorted(names, key=lambda name: -sum(name in metrics for metrics in published))[:MOST_METRICS]
