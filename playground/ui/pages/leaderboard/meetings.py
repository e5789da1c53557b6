"""The pairs of one model with another.

Boundary: numbers of a `Leaderboard`, seen from one model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.ratings.leaderboard import Leaderboard


@dataclass(frozen=True, slots=True)
class Record:
    """The pairs of a model with another one that count in the ratings."""

    wins: int
    losses: int
    draws: int  # ties, and pairs that were found all bad unless the board leaves these out

    @property
    def pairs(self) -> int:
        return self.wins + self.losses + self.draws

    @property
    def win_rate(self) -> float:
        """Wins and half of the draws, of one pair or more."""
        return (self.wins + self.draws / 2) / self.pairs


def meetings_of(board: Leaderboard) -> Mapping[tuple[str, str], Record]:
    """Return the record of each model with each other one that it met."""
    omits = board.options.both_bad == "omit"
    found: dict[tuple[str, str], Record] = {}
    for met in board.meetings:
        draws = met.ties + (0 if omits else met.both_bad)
        found[met.model_a, met.model_b] = Record(met.wins_a, met.wins_b, draws)
        found[met.model_b, met.model_a] = Record(met.wins_b, met.wins_a, draws)
    return found
