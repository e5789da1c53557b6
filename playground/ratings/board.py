"""The numbers of a leaderboard: ratings, rows, groups, influence.

Boundary: arithmetic on one table of pairs; the sentences about it are in `summary`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import DEFAULT_PRIOR, Fit, fit
from playground.ratings.claims import ClaimReplay, ClaimRules
from playground.ratings.counting import CountedVotes
from playground.ratings.evidence import Evidence
from playground.ratings.influence import votes_to_flip
from playground.ratings.intervals import DEFAULT_LEVEL, Intervals, estimate_intervals, rank_ranges
from playground.ratings.pairs import FIRST, SECOND, BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.policy import CountingPolicy


class Named(Protocol):
    """A model's name and license; a `ModelCard` is one."""

    @property
    def name(self) -> str: ...
    @property
    def license(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LeaderboardOptions:
    """The counting and rating of votes; part of the leaderboard's document."""

    policy: CountingPolicy = CountingPolicy()  # which votes count
    both_bad: str = "half"  # half | omit: what a vote that finds all bad does to the ratings
    prior: float = DEFAULT_PRIOR  # times m - 1 ties, spread over the pairs that met of m connected models
    level: float = DEFAULT_LEVEL
    unit: str = "auto"  # auto | rater | vote: what the intervals take to be independent
    resamples: int = 0  # of a cluster bootstrap instead of the jackknife
    seed: int = 0  # of the bootstrap
    min_battles: int = 30  # below, a rating is provisional and nothing is claimed from it
    filtered: bool = False  # one of many views: only the default board keeps claims from earlier looks

    def __post_init__(self) -> None:
        if self.min_battles < 1:
            raise InvalidValue(f"min_battles is {self.min_battles!r}; valid: 1 or more")


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One rated model."""

    rank_lower: int  # 1 + the number of models that are significantly better
    rank_upper: int
    model: str
    name: str
    license: str
    rating: float  # points, 400 per factor 10, mean 1000 in each group
    rating_lower: float
    rating_upper: float
    battles: int  # votes in which it was judged
    wins: int  # pairs; a vote on more than two answers has several
    losses: int
    ties: int
    both_bad: int
    win_rate: float  # wins and half of what counts as a tie, of all pairs that count
    both_bad_rate: float  # of its battles
    group: int  # from 1; models of different groups are not comparable
    provisional: bool  # fewer battles than `min_battles`
    rating_with_flagged: float | None  # were flagged votes counted too; None: none, or not on its group's scale
    rating_without_flagged: float | None  # one of the two is `rating`


@dataclass(frozen=True, slots=True)
class Influence:
    """The effect of dishonest votes on a leader."""

    votes: int  # the fewest that would change it
    share: float  # of the votes that count
    favoured: str  # the model that they would say beats the first one
    first: str  # the first model after them, among those with enough battles


@dataclass(frozen=True, eq=False)
class Board:
    """The ratings of one table; model indices are those of `table.models`."""

    table: PairTable
    counted: CountedVotes
    options: LeaderboardOptions
    cards: Mapping[str, Named]
    other: PairTable | None = None  # with flagged votes if `table` is without, or the other way round; None: no such
    stricter: PairTable | None = None  # without votes on answers that an open run has shown; None: no such
    replay: ClaimReplay = ClaimReplay()  # of the looks that make the claims

    @cached_property
    def fit(self) -> Fit:
        return fit(self.table.wins, prior=self.options.prior)

    @cached_property
    def intervals(self) -> Intervals:
        how = self.options
        return estimate_intervals(
            self.table, self.fit, level=how.level, unit=how.unit, resamples=how.resamples, seed=how.seed
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the models; a model without a card goes by its id."""
        return tuple(self.cards[model].name if model in self.cards else model for model in self.table.models)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Connected models, best first, equal ones in the order of their ids; the largest group first."""
        groups = self.fit.groups
        best_first = np.argsort(-np.round(self.fit.ratings, 6), kind="stable")
        members = [tuple(int(i) for i in best_first if groups[i] == group) for group in np.unique(groups)]
        return tuple(sorted((group for group in members if len(group) > 1), key=lambda group: -len(group)))

    @property
    def order(self) -> list[int]:
        """The rated models, group by group, best first."""
        return [i for group in self.groups for i in group]

    @cached_property
    def battles(self) -> tuple[IntArray, IntArray]:
        """Votes in which each model was judged, shape (m,), and those of them that found all bad."""
        return self.table.votes_by_model

    @cached_property
    def rated_votes(self) -> IntArray:
        """Votes that count in each rating, shape (m,)."""
        judged, bad = self.battles
        return judged - bad if self.options.both_bad == "omit" else judged

    @cached_property
    def settled(self) -> BoolArray:
        """True for models with enough votes, shape (m,)."""
        return self.rated_votes >= self.options.min_battles

    @cached_property
    def evidence(self) -> Evidence:
        how = self.options
        rules = ClaimRules(how.prior, how.level, how.unit, how.min_battles)
        return Evidence(
            self.table,
            self.fit,
            self.intervals.spread,
            rules,
            how.filtered,
            groups=self.groups,
            settled=self.settled,
            replay=self.replay,
        )

    @cached_property
    def better(self) -> BoolArray:
        """True if i is better than j, both settled, for one look, shape (m, m)."""
        return self.intervals.better & self.settled[:, None] & self.settled

    @property
    def is_decided(self) -> bool:
        """True if any vote has a winner."""
        return bool(self.table.counts[:, :, (FIRST, SECOND)].any())

    @cached_property
    def influence(self) -> Influence | None:
        """The influence on the leader of the first group; None without one, or if it would take more than all votes."""
        if self.evidence.leader is None:
            return None
        group = list(self.groups[0])
        flip = votes_to_flip(
            self.table.wins[np.ix_(group, group)],
            prior=self.options.prior,
            candidates=[group.index(i) for i in self.evidence.settled_of(group)],
        )
        if flip.votes > self.table.num_votes:
            return None
        return Influence(
            votes=flip.votes,
            share=flip.votes / self.table.num_votes,
            favoured=self.table.models[group[flip.favoured]],
            first=self.table.models[group[flip.first]],
        )

    @cached_property
    def rows(self) -> tuple[LeaderboardRow, ...]:
        ranks = rank_ranges(self.better, self.fit.groups)
        outcomes = self.table.outcomes_by_model
        return tuple(
            self._row(i, number, (int(ranks[0][i]), int(ranks[1][i])), [int(n) for n in outcomes[i]])
            for number, group in enumerate(self.groups, start=1)
            for i in group
        )

    def _row(self, i: int, group: int, ranks: tuple[int, int], outcomes: Sequence[int]) -> LeaderboardRow:
        model, (won, lost, tied, all_bad) = self.table.models[i], outcomes
        drawn = tied if self.options.both_bad == "omit" else tied + all_bad
        judged, bad = (int(votes[i]) for votes in self.battles)
        own = _compared(self.fit)[i]
        other = own if self.other_ratings is None else self.other_ratings[i]
        with_flagged, without_flagged = (other, own) if self.options.policy.leave_out_flagged else (own, other)
        return LeaderboardRow(
            rank_lower=ranks[0],
            rank_upper=ranks[1],
            model=model,
            name=self.names[i],
            license=self.cards[model].license if model in self.cards else "",
            rating=float(self.fit.ratings[i]),
            rating_lower=float(self.intervals.lower[i]),
            rating_upper=float(self.intervals.upper[i]),
            battles=judged,
            wins=won,
            losses=lost,
            ties=tied,
            both_bad=all_bad,
            win_rate=(won + drawn / 2) / (won + lost + drawn),
            both_bad_rate=bad / judged,
            group=group,
            provisional=not self.settled[i],
            rating_with_flagged=or_none(with_flagged),
            rating_without_flagged=or_none(without_flagged),
        )

    @cached_property
    def other_ratings(self) -> FloatArray | None:
        """Ratings by `other`, shape (m,); NaN for a model that met no other."""
        return None if self.other is None else self._ratings_by(self.other)

    @cached_property
    def stricter_ratings(self) -> FloatArray | None:
        """Ratings by `stricter`, likewise."""
        return None if self.stricter is None else self._ratings_by(self.stricter)

    def _ratings_by(self, table: PairTable) -> FloatArray:
        """Return the ratings (m,) of this table's models by another one, which may have more.

        Where it does not connect the models of a group, those outside of the largest part have no rating: they are on
        another scale.
        """
        fitted = fit(table.wins, prior=self.options.prior)
        there = [table.models.index(model) for model in self.table.models]
        ratings, parts = _compared(fitted)[there], fitted.groups[there]
        for group in map(list, self.groups):
            outside = parts[group] != np.bincount(parts[group]).argmax()
            ratings[np.array(group)[outside]] = np.nan
        return ratings

    def orders(self, ratings: FloatArray) -> tuple[list[str], list[str]]:
        """Return the names of the first group in the order of this board and in that of other ratings.

        Both lack the models that the other ratings do not compare with the others.
        """
        group = [i for i in self.groups[0] if math.isfinite(ratings[i])]
        others = sorted(group, key=lambda i: -round(float(ratings[i]), 6))  # equals stay in order
        return self.named(group), self.named(others)

    def named(self, indices: Iterable[int]) -> list[str]:
        return [self.names[i] for i in indices]


def _compared(fitted: Fit) -> FloatArray:
    """Return the ratings; NaN for a model that met no other."""
    return np.where(np.bincount(fitted.groups, minlength=1)[fitted.groups] > 1, fitted.ratings, np.nan)


def or_none(number: float) -> float | None:
    return None if math.isnan(number) else float(number)
