"""Analyses of a board that take longer than the board: what they found, in numbers and in words.

Boundary: takes what a board was asked for and what was read for it; no SQL, no Gradio. Page, command line and API show
these records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.errors import InvalidValue
from playground.messages import Message, marked
from playground.ratings import alternative_words, carrying_words, history, style_words
from playground.ratings.alternatives import Alternative, Ranges, alternatives, rank_ranges_over
from playground.ratings.board import Board
from playground.ratings.bradley_terry import MEAN, POINTS, fit
from playground.ratings.carrying import votes_that_carry
from playground.ratings.chosen import Chosen
from playground.ratings.history import History, history_of
from playground.ratings.pairs import FloatArray, IntArray, PairTable
from playground.ratings.parts import of_models, rows_of
from playground.ratings.phrases import number_of
from playground.ratings.repeats import RaterAgreement
from playground.ratings.stored_styles import NEWEST, PairStyles
from playground.ratings.style import FEWEST_PAIRS, Coefficient, differences, fit_style

STYLE = "Style"
CARRYING = "Carrying votes"
STABILITY = "Other choices"
AGREEMENT = "Agreement"
HISTORY = "Over time"
MOST_BATTLES = 50
"""Battles of carrying votes that are named."""
BattlesOf = Callable[[IntArray], Sequence[str]]


@dataclass(frozen=True, slots=True)
class StyleEffect:
    """The effect of one feature on an answer's odds of winning, all else held equal."""

    feature: str  # length | headers | lists | bold | code | position
    odds: float  # factor of the odds of winning with twice as much of it; for the position, on the earlier side
    odds_lower: float
    odds_upper: float
    coefficient: Coefficient
    text: str


@dataclass(frozen=True, slots=True)
class StyledModel:
    """One model's rating with style and position held equal, and without, both from the same pairs."""

    model: str
    name: str
    rating: float
    rating_without_style: float


@dataclass(frozen=True, slots=True)
class StyleAnalysis:
    """Style and position in one fit with the strengths of the largest group of models."""

    effects: tuple[StyleEffect, ...]
    models: tuple[StyledModel, ...]  # with enough battles, best first with style held equal
    order: str  # whether it is another one, in a sentence
    pairs: int  # that were fitted
    newest_only: bool  # older ones were left out


@dataclass(frozen=True, slots=True)
class Carrying:
    """The fewest votes found without which another model of the largest group is first."""

    votes: int
    share: float  # of the votes that count
    leader: str
    first: str  # without them
    battles: tuple[str, ...]  # of the votes, at most MOST_BATTLES; none for who may not browse the battles
    text: str


@dataclass(frozen=True, slots=True)
class Stability:
    """The ranks of the largest group's models if one choice of the board had been made otherwise."""

    ranges: Ranges
    texts: tuple[str, ...]  # of each model that moves
    text: str


@dataclass(frozen=True, slots=True)
class Analyses:
    """The analyses of one board; None where there are too few votes to say anything."""

    style: StyleAnalysis | None
    carrying: Carrying | None
    stability: Stability | None
    agreement: RaterAgreement
    history: History | None = None

    def without_battles(self) -> Analyses:
        """Return the same for somebody who may not browse the battles."""
        if self.carrying is None:
            return self
        return dataclasses.replace(self, carrying=dataclasses.replace(self.carrying, battles=()))

    def as_document(self) -> dict[str, Any]:
        """Return the whole as JSON values."""
        return dataclasses.asdict(self)

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Yield a topic and a sentence for each finding."""
        if self.style is None:
            yield STYLE, style_words.too_few(FEWEST_PAIRS)
        else:
            for effect in self.style.effects:
                yield STYLE, effect.text
            yield STYLE, self.style.order
        if self.carrying is not None:
            yield CARRYING, self.carrying.text
        if self.stability is not None:
            yield STABILITY, self.stability.text
            for text in self.stability.texts:
                yield STABILITY, text
        for text in self.agreement.sentences():
            yield AGREEMENT, text
        for text in [history.too_few()] if self.history is None else self.history.sentences():
            yield HISTORY, text


@dataclass(frozen=True, slots=True)
class NoAnalyses:
    """Analyses that are being made, or that cannot be."""

    why: str = ""  # they cannot be made; empty while they are being made

    @property
    def state(self) -> str:
        """Return the state as the API's document names it."""
        return "failed" if self.why else "coming"


READY = "ready"
"""The state of analyses that are there."""


def newest_rows(table: PairTable) -> slice:
    """Return the rows of a table whose texts are needed."""
    return slice(max(len(table.first) - NEWEST, 0), None)


def analyse(
    chosen: Chosen,
    board: Board,
    styles: PairStyles,
    battles_of: BattlesOf,
    agreement: RaterAgreement,
    days: IntArray,
) -> Analyses:
    """Return the analyses of the board of a choice, with one that is made beside them.

    Args:
        styles: of the answers of the pairs in `newest_rows` of its table.
        battles_of: returns the battle of each of some rows of its table.
        days: (n,) of the rows of its table, as `history_of` takes them.
    """
    try:
        style = style_of_board(board, styles)
    except InvalidValue:  # without a prior, the strengths of the answers that are left may be infinite
        style = None
    return Analyses(
        style=style,
        carrying=carrying_of_board(board, battles_of),
        stability=stability_of_board(chosen, board, style),
        agreement=agreement,
        history=history_of(board, days),
    )


def stability_of_board(chosen: Chosen, board: Board, style: StyleAnalysis | None) -> Stability | None:
    """Return the ranks under other choices; None if fewer than two models have enough battles."""
    known = board.evidence.settled_of(board.groups[0]) if board.groups else []
    if len(known) < 2:
        return None
    models = [board.table.models[i] for i in known]
    names = dict(zip(models, board.named(known), strict=True))
    as_board = Alternative("", board.table.models, board.fit.ratings, board.fit.groups)
    others = [*alternatives(chosen, board), *([] if style is None else [_styled(style)])]
    found = rank_ranges_over(models, as_board, others)
    texts = [alternative_words.moved(one, names[one.model]) for one in found.models if one.moved_by]
    if found.unconnected:
        texts.append(alternative_words.unconnected(found))
    return Stability(found, tuple(texts), alternative_words.stability(found, names))


def _styled(style: StyleAnalysis) -> Alternative:
    """Return the ratings with style held equal, of the same pairs as those of `style`."""
    held = marked("style held equal (newest {pairs})") if style.newest_only else marked("style held equal ({pairs})")
    name = Message(held, pairs=number_of("pair", style.pairs))
    models = tuple(model.model for model in style.models)
    ratings = np.array([model.rating for model in style.models])
    return Alternative(name, models, ratings, np.zeros(len(models), dtype=np.int64))


def carrying_of_board(board: Board, battles_of: BattlesOf) -> Carrying | None:
    """Return the votes that carry first place; None if fewer than two models have enough battles, or none do."""
    known = board.evidence.settled_of(board.groups[0]) if board.groups else []
    if len(known) < 2:
        return None
    members = sorted(board.groups[0])  # of equal ratings the first id is first, as on the board
    table, votes = of_models(board.table, members)
    candidates = [members.index(i) for i in known]
    found = votes_that_carry(table, prior=board.options.prior, candidates=candidates)
    if found is None:
        return None
    number, total = len(found.votes), board.table.num_votes
    leader, first = (members[i] for i in (found.leader, found.first))
    rows = np.searchsorted(board.table.vote, votes[found.votes[:MOST_BATTLES]])
    return Carrying(
        votes=number,
        share=number / total,
        leader=board.table.models[leader],
        first=board.table.models[first],
        battles=tuple(battles_of(rows)),
        text=carrying_words.carrying(number, total, board.names[leader], board.names[first]),
    )


def style_of_board(board: Board, styles: PairStyles) -> StyleAnalysis | None:
    """Return what style and position do on this board; None with too few pairs, or no two models to compare."""
    known = board.evidence.settled_of(board.groups[0]) if board.groups else []
    if len(known) < 2:
        return None
    newest = newest_rows(board.table)
    table = rows_of(rows_of(board.table, newest), styles.known)
    how, apart = board.options, differences(styles.first, styles.second)[styles.known]
    table = dataclasses.replace(table, vote=_closed_up(table.vote), rater=_closed_up(table.rater))
    found = fit_style(table, apart, prior=how.prior, level=how.level, unit=how.unit)
    if found is None or len({int(found.groups[i]) for i in known}) > 1:
        return None
    plain = fit(table.wins, prior=how.prior).ratings
    styled = MEAN + POINTS * found.log_odds
    return StyleAnalysis(
        effects=tuple(_effect(coefficient, how.level) for coefficient in found.coefficients),
        models=tuple(
            StyledModel(board.table.models[i], board.names[i], float(styled[i]), float(plain[i]))
            for i in _best_first(known, styled)
        ),
        order=style_words.order(
            board.named(_best_first(known, styled)),
            board.named(_best_first(known, plain)),
            int(np.count_nonzero(table.weight)),
        ),
        pairs=int(np.count_nonzero(table.weight)),
        newest_only=newest.start > 0,
    )


def _effect(coefficient: Coefficient, level: float) -> StyleEffect:
    factors = style_words.odds(coefficient)
    return StyleEffect(coefficient.feature, *factors, coefficient, style_words.effect(coefficient, level))


def _best_first(models: Sequence[int], ratings: FloatArray) -> list[int]:
    return sorted(models, key=lambda i: -round(float(ratings[i]), 6))


def _closed_up(numbers: Any) -> Any:
    """Return the numbers from 0 without gaps."""
    return np.unique(numbers, return_inverse=True)[1]
