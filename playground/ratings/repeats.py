"""Judgements of the same answers: of several raters, and of one rater again.

Boundary: votes and the rows that share their answers in, numbers and sentences out; the coefficients are in
`agreement`, the words in `agreement_words`.

Two judgements are of the same item if they are of the same two stored answers, on whichever sides these stood. Of one
rater only the first judgement of an item is compared with those of others.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.ratings import agreement_words as words
from playground.ratings.agreement import Agreement, cohen_kappa, krippendorff_alpha, share_equal
from playground.ratings.bias import wins_by_side
from playground.ratings.board import Board, or_none
from playground.ratings.chosen import Chosen
from playground.ratings.judged import WINNERS, IntArray
from playground.ratings.pairs import SWAPPED
from playground.ratings.policy import CountingPolicy

FEWEST = 20
"""Battles with several raters, or repeats, below which no agreement is stated."""


@dataclass(frozen=True, slots=True, eq=False)
class SharedRows:
    """The judged pairs of comparisons that have several battles, k of them, in order of time."""

    row: IntArray  # (k,) index into the rows of the votes
    comparison: IntArray  # (k,) number of the comparison
    answer_a: IntArray  # (k,) number of the answer on the earlier side
    answer_b: IntArray  # (k,)


@dataclass(frozen=True, slots=True)
class Between:
    """Agreement of different raters."""

    battles: int  # comparisons with judgements of several raters
    raters: int  # who gave these
    equal: float | None  # share of equal judgements of two raters; None: too few battles
    alpha: Agreement | None  # Krippendorff's; None: too few battles, or all judgements are alike
    text: str


@dataclass(frozen=True, slots=True)
class Within:
    """Agreement of each rater with themselves, all raters together."""

    repeats: int  # second judgements
    raters: int  # who gave these
    equal: float | None  # share that is as the first one; None: too few repeats
    kappa: Agreement | None  # Cohen's; None: too few repeats, or all judgements are alike
    text: str


@dataclass(frozen=True, slots=True)
class SideWins:
    """The decided pairs of one model on each side."""

    model: str
    name: str
    earlier: int
    won_earlier: float | None  # share; None without a pair there
    later: int
    won_later: float | None
    difference: float | None  # of the shares, earlier minus later
    lower: float | None  # of the difference; the intervals of all models hold together
    upper: float | None


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Agreement of the raters of one board, and the side on which each model wins."""

    between: Between
    within: Within
    sides: tuple[SideWins, ...]  # of the rated models, best first

    def as_document(self) -> dict[str, Any]:
        """Return the whole as JSON values."""
        return dataclasses.asdict(self)

    def sentences(self) -> Iterator[str]:
        yield self.between.text
        yield self.within.text


@dataclass(frozen=True, slots=True, eq=False)
class _Judgements:
    """Judgements as parallel arrays (k,), in order of time."""

    item: IntArray
    comparison: IntArray
    rater: IntArray
    outcome: IntArray  # index into WINNERS, for the answer with the smaller number

    def rows(self, rows: IntArray) -> _Judgements:
        return _Judgements(self.item[rows], self.comparison[rows], self.rater[rows], self.outcome[rows])

    def first_of_each(self) -> tuple[IntArray, IntArray]:
        """Return the first row of each rater's judgements of an item, and the number (k,) of these for each row."""
        who = self.item * (int(self.rater.max(initial=0)) + 1) + self.rater
        _, first, group = np.unique(who, return_index=True, return_inverse=True)
        return first, group


def rater_agreement(chosen: Chosen, board: Board, shared: SharedRows, policy: CountingPolicy) -> RaterAgreement:
    """Return the agreement of the raters whose votes count under a policy, on the pairs that a board is asked for."""
    judgements = _counted(chosen, shared, policy)
    first, group = judgements.first_of_each()
    again = np.setdiff1d(np.arange(len(group)), first)
    _, second = np.unique(group[again], return_index=True)
    level = board.options.level
    return RaterAgreement(
        between=_between(judgements.rows(first), level),
        within=_within(judgements.rows(first[group[again[second]]]), judgements.rows(again[second]), level),
        sides=_sides(board),
    )


def _counted(chosen: Chosen, shared: SharedRows, policy: CountingPolicy) -> _Judgements:
    votes = chosen.votes
    with_repeats = replace(policy, keep_study_extras=True)
    there = (chosen.count(with_repeats).rows & (votes.weight > 0))[shared.row]
    row, a, b = shared.row[there], shared.answer_a[there], shared.answer_b[there]
    answers = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)
    outcome = votes.outcome[row]
    return _Judgements(
        item=np.unique(answers, axis=0, return_inverse=True)[1].reshape(len(row)),
        comparison=shared.comparison[there],
        rater=votes.rater[row].astype(np.int64),
        outcome=np.where(a > b, SWAPPED[outcome], outcome),
    )


def _between(judged: _Judgements, level: float) -> Between:
    """Return the agreement of judgements of which each rater has one for an item."""
    several = np.flatnonzero(np.bincount(judged.item, minlength=1)[judged.item] > 1)
    judged = judged.rows(several)
    battles, raters = len(np.unique(judged.comparison)), len(np.unique(judged.rater))
    if battles < FEWEST:
        return Between(battles, raters, None, None, words.too_few_battles(battles, FEWEST))
    _, first, item = np.unique(judged.item, return_index=True, return_inverse=True)
    cells = np.bincount(item * len(WINNERS) + judged.outcome, minlength=len(first) * len(WINNERS))
    counts = cells.reshape(len(first), len(WINNERS))
    equal = share_equal(counts)
    alpha = _known(krippendorff_alpha(counts, level=level, unit=judged.comparison[first]))
    return Between(battles, raters, equal, alpha, words.between(battles, raters, equal, alpha, level))


def _within(first: _Judgements, second: _Judgements, level: float) -> Within:
    """Return the agreement of second judgements with the first ones of the same rater and item, row by row."""
    repeats, raters = len(second.item), len(np.unique(second.rater))
    if repeats < FEWEST:
        return Within(repeats, raters, None, None, words.too_few_repeats(repeats, FEWEST))
    equal = float(np.mean(first.outcome == second.outcome))
    kappa = _known(cohen_kappa(first.outcome, second.outcome, level=level))
    return Within(repeats, raters, equal, kappa, words.within(repeats, raters, equal, kappa, level))


def _known(found: Agreement) -> Agreement | None:
    return None if math.isnan(found.value) else found


def _sides(board: Board) -> tuple[SideWins, ...]:
    found = wins_by_side(board.table, level=board.options.level)
    return tuple(
        SideWins(
            model=board.table.models[i],
            name=board.names[i],
            earlier=sides.earlier,
            won_earlier=sides.won_earlier / sides.earlier if sides.earlier else None,
            later=sides.later,
            won_later=sides.won_later / sides.later if sides.later else None,
            difference=or_none(sides.difference),
            lower=or_none(sides.lower),
            upper=or_none(sides.upper),
        )
        for i in board.order
        for sides in [found[i]]
    )
