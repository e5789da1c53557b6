"""The fewest dishonest votes that would put another model first.

Boundary: wins in, one small record out; `findings` words it.

A dishonest vote says of two models that the leader lost. Each one lowers the leader's rating against every other one
and raises the favoured model's (the rating differences are potentials on a network of resistors, with a current from
the favoured model to the leader), so that the fewest votes are found exactly by bisection over refits. Each refit is
the one that the board would make of these votes: if the two had not met, they have now, and the prior is spread over
one pair more. The model that needs the fewest votes is mostly the second; a weak one may do as well, because its win
is a greater surprise.

Five models 60 points apart each, 1,000 honest votes on random pairs: about 4 % as many dishonest ones are enough
if they are all on battles with the leader, and 8 % if the second model is only made to win the battles it happens to
be in. Blind, the latter is the best that a rater can do who recognises one model's answers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import DEFAULT_PRIOR, POINTS, check_wins, connected_groups, maximise, prior_wins
from playground.ratings.pairs import FloatArray

CLEARLY = 1e-6
"""Points by which a model is first; rounding errors are smaller."""


@dataclass(frozen=True, slots=True)
class Flip:
    """The fewest extra votes after which another model is first; models are indices."""

    leader: int
    favoured: int  # all these votes say that it beat the leader
    first: int  # the first model then, nearly always the favoured one
    votes: int


def votes_to_flip(wins: FloatArray, *, prior: float = DEFAULT_PRIOR, candidates: Collection[int] | None = None) -> Flip:
    """Return the fewest votes that unseat the leader of connected models, from their wins (m, m).

    Args:
        candidates: models that may be first, two or more; by default all.

    Raises:
        InvalidValue: wins that `fit` would refuse, fewer than two models, or models that are not connected.
    """
    check_wins(wins)
    if len(wins) < 2 or connected_groups(wins).any():
        raise InvalidValue("who is first can only change among two or more models that battles connect")
    arena = _Arena(wins, prior, _log_odds(wins, prior), sorted(candidates or range(len(wins))))
    rounded = np.round(POINTS * arena.honest, 6)
    leader = max(arena.candidates, key=lambda i: rounded[i])  # of equals the first, as on the leaderboard
    nearest = [int(j) for j in np.argsort(-arena.honest, kind="stable") if j != leader and j in arena.candidates]
    best = arena.fewest(leader, nearest[0])
    for favoured in nearest[1:]:
        if best.votes > 1 and arena.first_after(leader, favoured, best.votes - 1) != leader:
            best = arena.fewest(leader, favoured, best.votes - 1)
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Arena:
    wins: FloatArray  # (m, m)
    prior: float
    honest: FloatArray  # (m,) log-odds
    candidates: list[int]

    def first_after(self, leader: int, favoured: int, votes: int) -> int:
        """Return the first model after `votes` for the favoured one; the leader while none is clearly above."""
        wins = self.wins.copy()
        wins[favoured, leader] += votes
        log_odds = _log_odds(wins, self.prior, self.honest)
        first = max(self.candidates, key=lambda i: log_odds[i])
        return first if POINTS * (log_odds[first] - log_odds[leader]) > CLEARLY else leader

    def fewest(self, leader: int, favoured: int, enough: int = 0) -> Flip:
        """Return the fewest votes, by bisection; `enough`: a number known to be enough, 0 if none is known."""
        high = enough or 1
        while not enough and self.first_after(leader, favoured, high) == leader:
            high *= 2
        low = 0 if enough else high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.first_after(leader, favoured, middle) == leader else (low, middle)
        return Flip(leader, favoured, self.first_after(leader, favoured, high), high)


def _log_odds(wins: FloatArray, prior: float, start: FloatArray | None = None) -> FloatArray:
    """Fit one group."""
    one_group = np.zeros(len(wins), dtype=np.int64)
    return maximise(wins + prior_wins(wins, one_group, prior), one_group, start)
