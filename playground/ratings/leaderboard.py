"""Votes to ratings, rows and a verdict in words.

Boundary: takes judged pairs and cards from whoever has them; no SQL, no Gradio. The page, the command line
and the API show this one record; the arithmetic is in `ratings`, the sentences are in `verdict`.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from playground.errors import InvalidValue
from playground.ratings import bias
from playground.ratings import verdict as words
from playground.ratings.bradley_terry import DEFAULT_PRIOR, Fit, fit
from playground.ratings.counting import KINDS, Counted, CountingPolicy, Exclusion, Reason, count
from playground.ratings.covariance import MIN_RATERS
from playground.ratings.influence import votes_to_flip
from playground.ratings.intervals import (
    DEFAULT_LEVEL,
    Intervals,
    estimate_intervals,
    rank_ranges,
    votes_to_tell_apart,
)
from playground.ratings.pairs import BOTH_BAD, FIRST, SECOND, BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.verdict import Finding, Verdict
from playground.records import JudgedPair


class Named(Protocol):
    """What a leaderboard wants to know of a model; a `ModelCard` is one."""

    @property
    def name(self) -> str: ...
    @property
    def license(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LeaderboardOptions:
    """How the votes are read; every choice is part of the document."""

    policy: CountingPolicy = CountingPolicy()  # which votes count
    both_bad: str = "half"  # half | omit: what a vote that finds all bad does to the ratings
    prior: float = DEFAULT_PRIOR  # times m - 1 ties, spread over the pairs that met of m connected models
    level: float = DEFAULT_LEVEL
    unit: str = "auto"  # auto | rater | vote: what the intervals take to be independent
    resamples: int = 0  # of a cluster bootstrap instead of the sandwich
    seed: int = 0  # of the bootstrap
    min_battles: int = 30  # below, a rating is provisional and nothing is claimed from it

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
    rating_with_flagged: float | None  # were flagged votes counted too; None: no such vote, or not connected
    rating_without_flagged: float | None  # one of the two is `rating`


@dataclass(frozen=True, slots=True)
class Influence:
    """What dishonest votes would do to the first place."""

    votes: int  # the fewest that would change it
    share: float  # of the votes that count
    favoured: str  # the model that they would say beats the first one
    first: str  # who would be first then


@dataclass(frozen=True, slots=True)
class BusiestNetwork:
    """The network that gave the most of the votes that count, on one day."""

    votes: int
    share: float  # of the votes that count
    headline_without: str  # of the verdict on all other votes


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """What the votes say, in numbers and in words."""

    rows: tuple[LeaderboardRow, ...]  # by group, then best first
    verdict: Verdict
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]  # can these votes be trusted?
    win_probability: tuple[tuple[float | None, ...], ...]  # row beats column, in the order of rows, as fitted
    basis: str  # what was counted and how, in one line
    category: str  # "" is all
    num_votes: int  # that count and are rated
    num_pairs: int
    num_raters: int
    all_votes: int  # counted or not
    exclusions: tuple[Exclusion, ...]  # why the others do not count
    kinds: Mapping[str, int]  # how many votes there are of each of `counting.KINDS`, counted or not
    busiest_network: BusiestNetwork | None  # of the votes that count; None where no network is known
    flagged_votes: int  # that count, or would but for their flags
    lighter_raters: int  # whose votes weigh less, so that none has too large a share
    influence: Influence | None  # None where there is no first place to lose
    same_model_pairs: int  # left out: a model against itself
    unit: str  # rater | vote: what the intervals took to be independent
    options: LeaderboardOptions

    def as_document(self) -> dict[str, Any]:
        """The whole as values that JSON knows."""
        return dataclasses.asdict(self)


def build_leaderboard(
    pairs: Iterable[JudgedPair],
    cards: Mapping[str, Named],
    *,
    category: str = "",
    options: LeaderboardOptions | None = None,
    models: Collection[str] = (),
    categories: Collection[str] = (),
    networks: Mapping[str, str] = MappingProxyType({}),
) -> Leaderboard:
    """The leaderboard of these votes.

    Where the policy wants pairs that were drawn and nobody has judged one yet, pairs that raters chose count too.

    Args:
        pairs: one row per judged pair.
        cards: names and licenses; a model without a card goes by its id.
        category: count only instructions of this one; empty for all.
        options: how the votes are read.
        models: ids that are named in a note when they have no vote.
        categories: valid ones beside those of the votes.
        networks: of votes, as far as they are known: vote id -> tag.

    Raises:
        InvalidValue: an unknown category, winner or option.
    """
    options = options or LeaderboardOptions()
    judged = list(pairs)
    _check_category(category, {*categories, *(pair.category for pair in judged)} - {""})
    policy = options.policy.with_fallback(judged)
    falls_back = policy != options.policy
    options = dataclasses.replace(options, policy=policy)
    counted = count(judged, policy, category=category)
    table = _table(counted, options, models)

    def table_with(other: CountingPolicy) -> PairTable:
        return _table(count(judged, other, category=category), options, table.models)

    flipped = policy.with_flagged(policy.leave_out_flagged)
    stricter = dataclasses.replace(policy, leave_out_seen_elsewhere=True)
    board = leaderboard_of(
        table,
        cards,
        category=category,
        options=options,
        counted=counted,
        other=table_with(flipped) if counted.flagged else None,
        stricter=table_with(stricter) if any(pair.seen_elsewhere for pair in counted.pairs) else None,
    )
    if falls_back and counted.pairs:
        board = dataclasses.replace(board, notes=(words.CHOSEN_ONLY, *board.notes))
    tag = _busiest({pair.vote_id for pair in counted.pairs}, networks)
    if not tag:
        return board
    rest = [pair for pair in judged if networks.get(pair.vote_id) != tag]
    counted_rest = count(rest, policy, category=category)
    headline = _headline(_table(counted_rest, options, table.models), cards, category, options, counted_rest)
    return _with_network(board, counted, counted_rest, headline)


def _headline(
    table: PairTable, cards: Mapping[str, Named], category: str, options: LeaderboardOptions, counted: Counted
) -> str:
    """The verdict in one line, and no more of a leaderboard."""
    fitted = fit(table.wins, prior=options.prior)
    intervals = _intervals(table, fitted, options)
    return _Board.of(table, fitted, intervals, options, cards, counted, None, None).verdict(category).headline


def _intervals(table: PairTable, fitted: Fit, options: LeaderboardOptions) -> Intervals:
    return estimate_intervals(
        table, fitted, level=options.level, unit=options.unit, resamples=options.resamples, seed=options.seed
    )


def _busiest(votes: Collection[str], networks: Mapping[str, str]) -> str:
    """The tag that most of these votes have; empty where none has one."""
    tags = Counter(networks[vote] for vote in votes if vote in networks)
    return max(tags, key=lambda tag: (tags[tag], tag)) if tags else ""


def _with_network(board: Leaderboard, counted: Counted, rest: Counted, headline: str) -> Leaderboard:
    """The board with what hangs on its busiest network."""
    of_all = len({pair.vote_id for pair in counted.pairs})
    votes = of_all - len({pair.vote_id for pair in rest.pairs})
    busiest = BusiestNetwork(votes, votes / of_all, headline)
    finding = words.network(votes, busiest.share, headline, holds=headline == board.verdict.headline)
    return dataclasses.replace(board, busiest_network=busiest, findings=(*board.findings, finding))


def leaderboard_of(
    table: PairTable,
    cards: Mapping[str, Named],
    *,
    category: str = "",
    options: LeaderboardOptions | None = None,
    counted: Counted | None = None,
    other: PairTable | None = None,
    stricter: PairTable | None = None,
) -> Leaderboard:
    """The leaderboard of a table that was made elsewhere, such as from a ``GROUP BY``.

    The words are those of `options`, so that the table has to be one of these: `policy`, `both_bad`.

    Args:
        counted: what became of all votes; None: all that there are stand in the table.
        other: the table with flagged votes where this one is without, or the other way round; None: there are none.
        stricter: the table without votes on answers that an open run has shown; None: there are none.
    """
    options = options or LeaderboardOptions()
    fitted = fit(table.wins, prior=options.prior)
    intervals = _intervals(table, fitted, options)
    counted = counted or Counted((), (), table.num_votes, 0, {}, {})
    board = _Board.of(table, fitted, intervals, options, cards, counted, other, stricter)
    return Leaderboard(
        rows=board.rows(),
        verdict=board.verdict(category),
        notes=board.notes(),
        findings=board.findings(),
        win_probability=tuple(tuple(_or_none(fitted.probability[i, j]) for j in board.order) for i in board.order),
        basis=words.basis(
            which=options.policy.description,
            category=category,
            both_bad=options.both_bad,
            prior=options.prior,
            level=options.level,
            unit=intervals.spread.unit,
            resamples=options.resamples,
        ),
        category=category,
        num_votes=table.num_votes,
        num_pairs=int(table.count.sum()),
        num_raters=table.num_raters,
        all_votes=counted.votes,
        exclusions=counted.exclusions,
        kinds=counted.kinds,
        busiest_network=None,
        flagged_votes=counted.flagged,
        lighter_raters=len(counted.weights),
        influence=board.influence,
        same_model_pairs=table.unrated,
        unit=intervals.spread.unit,
        options=options,
    )


def _table(counted: Counted, options: LeaderboardOptions, models: Collection[str]) -> PairTable:
    return PairTable.from_judged(counted.pairs, both_bad=options.both_bad, models=models, weights=counted.weights)


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """What rows, verdict and notes are made of; indices are those of `table.models`."""

    table: PairTable
    fit: Fit
    intervals: Intervals
    options: LeaderboardOptions
    counted: Counted
    ratings: FloatArray  # (m,) points; NaN where there is nothing to compare with
    other: FloatArray | None  # (m,) the same with flagged votes where these are without, or the other way round
    stricter: FloatArray | None  # (m,) the same without votes on answers that an open run has shown
    names: tuple[str, ...]
    licenses: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]  # connected models, best first; the largest group first, nobody alone
    battles: IntArray  # (m,) votes in which each was judged
    bad_battles: IntArray  # (m,) those of them that found all bad
    rated_votes: IntArray  # (m,) votes that count in each rating
    settled: BoolArray  # (m,) whether these are enough
    better: BoolArray  # (m, m) whether i is better than j, claimed only where both are settled

    @classmethod
    def of(
        cls,
        table: PairTable,
        fitted: Fit,
        intervals: Intervals,
        options: LeaderboardOptions,
        cards: Mapping[str, Named],
        counted: Counted,
        other: PairTable | None,
        stricter: PairTable | None,
    ) -> _Board:
        battles, bad = table.votes_by_model()
        rated = battles - bad if options.both_bad == "omit" else battles
        settled = rated >= options.min_battles
        return cls(
            table=table,
            fit=fitted,
            intervals=intervals,
            options=options,
            counted=counted,
            ratings=_compared(fitted),
            other=None if other is None else _compared(fit(other.wins, prior=options.prior)),
            stricter=None if stricter is None else _compared(fit(stricter.wins, prior=options.prior)),
            names=tuple(cards[model].name if model in cards else model for model in table.models),
            licenses=tuple(cards[model].license if model in cards else "" for model in table.models),
            groups=_groups(fitted),
            battles=battles,
            bad_battles=bad,
            rated_votes=rated,
            settled=settled,
            better=intervals.better & settled[:, None] & settled,
        )

    @property
    def order(self) -> list[int]:
        """The rated models, group by group, best first."""
        return [i for group in self.groups for i in group]

    def rows(self) -> tuple[LeaderboardRow, ...]:
        best, worst = rank_ranges(self.better, self.fit.groups)
        outcomes = self.table.outcomes_by_model()
        group_of = {i: number for number, group in enumerate(self.groups, start=1) for i in group}
        rows = []
        for i in self.order:
            won, lost, tied, all_bad = (int(n) for n in outcomes[i])
            drawn = tied if self.options.both_bad == "omit" else tied + all_bad
            rows.append(
                LeaderboardRow(
                    rank_lower=int(best[i]),
                    rank_upper=int(worst[i]),
                    model=self.table.models[i],
                    name=self.names[i],
                    license=self.licenses[i],
                    rating=float(self.fit.ratings[i]),
                    rating_lower=float(self.intervals.lower[i]),
                    rating_upper=float(self.intervals.upper[i]),
                    battles=int(self.battles[i]),
                    wins=won,
                    losses=lost,
                    ties=tied,
                    both_bad=all_bad,
                    win_rate=(won + drawn / 2) / (won + lost + drawn),
                    both_bad_rate=int(self.bad_battles[i]) / int(self.battles[i]),
                    group=group_of[i],
                    provisional=not self.settled[i],
                    rating_with_flagged=self._rating(i, with_flagged=True),
                    rating_without_flagged=self._rating(i, with_flagged=False),
                )
            )
        return tuple(rows)

    def _rating(self, i: int, *, with_flagged: bool) -> float | None:
        if self.other is None or with_flagged != self.options.policy.leave_out_flagged:
            return _or_none(self.ratings[i])
        return _or_none(self.other[i])

    @property
    def influence(self) -> Influence | None:
        """Of dishonest votes, among the models of the first group."""
        if not self.groups or not self._decided:
            return None
        group = list(self.groups[0])
        flip = votes_to_flip(self.table.wins[np.ix_(group, group)], prior=self.options.prior)
        return Influence(
            votes=flip.votes,
            share=flip.votes / self.table.num_votes,
            favoured=self.table.models[group[flip.favoured]],
            first=self.table.models[group[flip.first]],
        )

    @property
    def _decided(self) -> bool:
        """Whether anybody has won."""
        return bool(np.isin(self.table.outcome, (FIRST, SECOND)).any())

    def verdict(self, category: str) -> Verdict:
        least = self.options.min_battles
        if not self.table.first.size:
            same = self.table.unrated > 0
            return words.nothing_yet(
                least,
                only_open=[e.reason for e in self.counted.exclusions] == [Reason.OPEN_MODE],
                left_out=" ".join(found.text for found in self._counted() if self.counted.exclusions),
                same_model=same,
                category=category,
            )
        if not self._decided:
            all_bad = np.unique(self.table.vote[self.table.outcome == BOTH_BAD])
            return words.nobody_won(self.table.num_votes, int(self.table.repeats_of_vote()[all_bad].sum()))
        if not any(self.settled[list(group)].sum() > 1 for group in self.groups):
            return words.too_few(least, [int(self.rated_votes[i]) for i in self.order])
        if len(self.groups) > 1:
            return words.unconnected(len(self.groups))
        return self.told_apart(self.groups[0])

    def told_apart(self, group: Sequence[int]) -> Verdict:
        """Who leads among the settled models of a group."""
        known = [i for i in group if self.settled[i]]
        everybody = len(known) == len(group)
        return words.told_apart(
            self._named(known),
            self.better[np.ix_(known, known)].tolist(),
            votes_to_tell_apart(self.fit, self.intervals)[np.ix_(known, known)].tolist(),
            among="" if everybody else f"the models with {self.options.min_battles} battles or more",
        )

    def notes(self) -> tuple[str, ...]:
        return (*self._notes_on_groups(), *self._notes_on_models(), *self._notes_on_votes())

    def _notes_on_groups(self) -> Iterator[str]:
        if len(self.groups) > 1:
            yield words.not_met([self._named(group) for group in self.groups])
            for group in self.groups:
                if self.settled[list(group)].sum() > 1:
                    yield words.within(self._named(group), self.told_apart(group))

    def _notes_on_models(self) -> Iterator[str]:
        few = [i for i in self.order if not self.settled[i]]
        if few:
            counts = [(self.names[i], int(self.rated_votes[i])) for i in few]
            yield words.provisional(self.options.min_battles, counts)
        wins = self.table.wins
        for i in self.order:
            if not wins[:, i].any():
                yield words.never_lost(self.names[i])
            if not wins[i].any():
                yield words.never_won(self.names[i])
        thin = [i for i in self.order if self.intervals.spread.few_raters[i]]
        if thin:
            yield words.few_raters(self._named(thin), MIN_RATERS)
        missing = [i for i in range(len(self.names)) if i not in self.order]
        if missing:
            yield words.not_rated(self._named(missing))

    def _notes_on_votes(self) -> Iterator[str]:
        if self.table.unrated:
            yield words.left_out_same(self.table.unrated)

    def findings(self) -> tuple[Finding, ...]:
        level, two_sides = self.options.level, self.table.num_votes == self.table.count.sum()
        return (
            *self._counted(),
            *self._kinds(),
            *self._flagged(),
            *self._seen_elsewhere(),
            *self._robustness(),
            words.position(bias.first_side_wins(self.table, level=level), two_sides=bool(two_sides)),
            words.length(bias.longer_wins(self.table, level=level)),
            words.raters([int(n) for n in self.table.votes_by_rater()], self.intervals.spread.unit),
        )

    def _counted(self) -> Iterator[Finding]:
        if self.counted.votes:
            yield words.counted(
                self.counted.votes,
                [(exclusion.votes, exclusion.words) for exclusion in self.counted.exclusions],
                lighter_raters=len(self.counted.weights),
                share=self.options.policy.max_share_per_rater,
            )

    def _kinds(self) -> Iterator[Finding]:
        """Whose votes there are, where they are not all alike."""
        if len(self.counted.kinds) > 1:
            yield words.kinds([(KINDS[kind], votes) for kind, votes in self.counted.kinds.items()])

    def _flagged(self) -> Iterator[Finding]:
        """What it changes to count flagged votes, in the first group."""
        if self.other is not None and self.groups:
            order, others = self._orders(self.other)
            yield words.flagged(self.counted.flagged, order, others, counted=not self.options.policy.leave_out_flagged)

    def _seen_elsewhere(self) -> Iterator[Finding]:
        """What it changes to leave out votes on answers that an open run has shown, in the first group."""
        if self.stricter is not None and self.groups:
            votes = len({pair.vote_id for pair in self.counted.pairs if pair.seen_elsewhere})
            yield words.seen_elsewhere(votes, *self._orders(self.stricter))

    def _orders(self, ratings: FloatArray) -> tuple[list[str], list[str]]:
        """The names of the first group in the order of this board and in that of other ratings (m,)."""
        group = [i for i in self.groups[0] if math.isfinite(ratings[i])]
        others = sorted(group, key=lambda i: -round(float(ratings[i]), 6))  # of equals the order stays
        return self._named(group), self._named(others)

    def _robustness(self) -> Iterator[Finding]:
        if (found := self.influence) is not None:
            name = self.names[self.table.models.index(found.first)]
            yield words.robustness(found.votes, self.table.num_votes, name)

    def _named(self, indices: Iterable[int]) -> list[str]:
        return [self.names[i] for i in indices]


def _groups(fitted: Fit) -> tuple[tuple[int, ...], ...]:
    """Connected models, best first; equal ratings in the order of the ids."""
    best_first = np.argsort(-np.round(fitted.ratings, 6), kind="stable")
    members = [tuple(int(i) for i in best_first if fitted.groups[i] == group) for group in np.unique(fitted.groups)]
    return tuple(sorted((group for group in members if len(group) > 1), key=lambda group: -len(group)))


def _compared(fitted: Fit) -> FloatArray:
    """The ratings; NaN for a model that met no other."""
    return np.where(np.bincount(fitted.groups, minlength=1)[fitted.groups] > 1, fitted.ratings, np.nan)


def _check_category(category: str, valid: Collection[str]) -> None:
    if category != "" and category not in tuple(valid):
        known = f"valid: {', '.join(sorted(valid))}, or empty for all" if valid else "no vote has one yet"
        raise InvalidValue(f"unknown category {category!r}; {known}")


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else float(number)
