"""The votes that carry first place: the fewest whose removal puts another model first.

Worst-case dropping (Broderick, Giordano and Meager 2020, arXiv 2011.14999; for arenas: arXiv 2508.11847). Without a
vote the strengths move by -(H - H_v)⁻¹ s_v in one Newton step, with H the curvature of the likelihood, H_v the vote's
share of it and s_v its gradient; the votes that narrow the leader's gap most go first. The approximation is only a
guide: votes are removed in rounds, each a part of what it asks for and then an exact refit, and the set that is found
is fitted exactly: without these votes another model is first. Votes that turn out not to be needed are put back. So
the number is an upper bound of the smallest one; on small boards it is the smallest (tests compare every subset).

Weights of raters stay those of the whole board. A set that leaves the models unconnected proves nothing and is none.

Boundary: a table in, rows of votes out; the words are in `carrying_words`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from playground.ratings.bradley_terry import (
    DEFAULT_PRIOR,
    POINTS,
    connected_groups,
    laplacian_of,
    maximise,
    prior_wins,
    pseudo_inverse,
    win_probability,
)
from playground.ratings.influence import CLEARLY
from playground.ratings.pairs import SCORES, FloatArray, IntArray, PairTable
from playground.ratings.parts import rows_of

_MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True, eq=False)
class CarryingVotes:
    """Votes without which another model is first; models are indices of the table."""

    leader: int
    first: int  # without these votes
    votes: IntArray  # (k,) numbers of votes of the table, in order


def votes_that_carry(
    table: PairTable, *, prior: float = DEFAULT_PRIOR, candidates: Collection[int]
) -> CarryingVotes | None:
    """Return the fewest votes found whose removal changes first place; None if no set of them is found.

    Args:
        table: models that battles connect, all of them.
        candidates: models that may be first, two or more.
    """
    units = _Units(table, prior)
    start = units.fit(np.zeros(units.number, dtype=np.int64))
    if start is None or len(candidates) < 2:
        return None
    ordered = sorted(candidates)
    rounded = np.round(POINTS * start, 6)
    leader = max(ordered, key=lambda i: rounded[i])  # of equals the first, as on the leaderboard
    rivals = sorted((i for i in ordered if i != leader), key=lambda i: -rounded[i])
    search = _Search(units, leader, tuple(ordered), start)
    best: IntArray | None = None
    for rival in rivals:
        found = search.without(rival, most=None if best is None else int(best.sum()) - 1)
        if found is not None:
            best = found
    if best is None:
        return None
    return CarryingVotes(leader, search.first(best), units.votes_of(best))


@dataclass(frozen=True, eq=False)
class _Units:
    """Votes by kind: those on one pair that say the same with one weight are a kind, any other vote is its own."""

    table: PairTable
    prior: float

    @cached_property
    def kind_of_vote(self) -> IntArray:
        """The kind of each vote, shape (v,)."""
        table = self.table
        rows = np.bincount(table.vote)
        single = rows[table.vote] == 1
        _, weight = np.unique(table.weight, return_inverse=True)
        m = len(table.models)
        codes = ((weight * m + table.first) * m + table.second) * len(SCORES) + table.outcome
        codes = np.where(single, codes, codes.max(initial=0) + 1 + table.vote)
        of_vote = np.zeros(len(rows), dtype=np.int64)
        of_vote[table.vote] = codes
        return np.unique(of_vote, return_inverse=True)[1]

    @cached_property
    def times(self) -> IntArray:
        """Votes of each kind, shape (u,)."""
        return np.bincount(self.kind_of_vote)

    @property
    def number(self) -> int:
        return len(self.times)

    @cached_property
    def rows(self) -> PairTable:
        """One vote of each kind, as rows whose `vote` is the kind."""
        _, example = np.unique(self.kind_of_vote, return_index=True)
        kept = rows_of(self.table, np.isin(self.table.vote, example))
        return replace(kept, vote=self.kind_of_vote[kept.vote])

    def wins(self, removed: IntArray) -> FloatArray:
        """Return the wins (m, m) without some votes of each kind."""
        return self.rows.wins_with(self.rows.weight * (self.times - removed)[self.rows.vote])

    def fit(self, removed: IntArray, start: FloatArray | None = None) -> FloatArray | None:
        """Return the log-odds (m,) without some votes; None if the models are not connected then."""
        wins = self.wins(removed)
        groups = connected_groups(wins)
        return None if groups.any() else maximise(wins + prior_wins(wins, groups, self.prior), groups, start)

    def influences(self, removed: IntArray, log_odds: FloatArray, leader: int, rival: int) -> FloatArray:
        """Return by how much the leader's gap to a rival narrows without one vote of each kind, shape (u,)."""
        rows, wins = self.rows, self.wins(removed)
        groups = np.zeros(len(wins), dtype=np.int64)
        wins = wins + prior_wins(wins, groups, self.prior)
        probability = win_probability(log_odds)
        inverse = pseudo_inverse(laplacian_of((wins + wins.T) * probability * probability.T), groups)
        along = inverse[leader] - inverse[rival]
        expected = probability[rows.first, rows.second]
        apart = inverse[rows.first, rows.first] + inverse[rows.second, rows.second]
        apart -= 2 * inverse[rows.first, rows.second]
        leverage = rows.weight * expected * (1 - expected) * apart
        moved = rows.weight * (SCORES[rows.outcome] - expected) * (along[rows.first] - along[rows.second])
        return np.asarray(np.bincount(rows.vote, moved / np.maximum(1 - leverage, 1e-3), self.number), np.float64)

    def votes_of(self, removed: IntArray) -> IntArray:
        """Return the votes of a choice: the latest of each kind."""
        kinds = np.flatnonzero(removed)
        chosen = [np.flatnonzero(self.kind_of_vote == kind)[-removed[kind] :] for kind in kinds]
        return np.sort(np.concatenate(chosen))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    units: _Units
    leader: int
    candidates: tuple[int, ...]
    start: FloatArray  # (m,) log-odds with all votes

    def first(self, removed: IntArray) -> int:
        """Return the first model without some votes; the leader while none is clearly above, or all is unconnected."""
        log_odds = self.units.fit(removed, self.start)
        if log_odds is None:
            return self.leader
        first = max(self.candidates, key=lambda i: float(log_odds[i]))
        return first if POINTS * (log_odds[first] - log_odds[self.leader]) > CLEARLY else self.leader

    def without(self, rival: int, most: int | None) -> IntArray | None:
        """Return how many votes of each kind to remove, at most `most`, so that the leader is not first; or None."""
        removed = np.zeros(self.units.number, dtype=np.int64)
        for _ in range(_MOST_ROUNDS):
            log_odds = self.units.fit(removed, self.start)
            if log_odds is None:
                return None
            if self.first(removed) != self.leader:
                return self._needed(removed)
            left = self.units.times - removed
            gains = np.where(left > 0, self.units.influences(removed, log_odds, self.leader, rival), 0.0)
            step = _step(gains, left, float(log_odds[self.leader] - log_odds[rival]))
            if step is None or (most is not None and removed.sum() + step.sum() > most):
                return None
            removed = removed + step
        return None

    def _needed(self, removed: IntArray) -> IntArray:
        """Return the choice without votes that it does not need."""
        for kind in list(np.flatnonzero(removed)):
            while removed[kind]:
                fewer = removed.copy()
                fewer[kind] -= 1
                if self.first(fewer) == self.leader:
                    break
                removed = fewer
        return removed


def _step(gains: FloatArray, left: IntArray, gap: float) -> IntArray | None:
    """Return the votes of each kind to remove next: half of those that should close the gap, one if they are few."""
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    if not len(order):
        return None
    reach = np.cumsum(gains[order] * left[order])
    last = min(int(np.searchsorted(reach, gap)), len(order) - 1)
    before = float(reach[last - 1]) if last else 0.0
    in_last = min(int(np.ceil((gap - before) / gains[order[last]])), int(left[order[last]]))
    needed = int(left[order[:last]].sum()) + in_last
    quota, step = max((needed + 1) // 2, 1), np.zeros(len(gains), dtype=np.int64)
    for kind in order:
        step[kind] = min(quota, int(left[kind]))
        quota -= int(step[kind])
        if quota <= 0:
            break
    return step
