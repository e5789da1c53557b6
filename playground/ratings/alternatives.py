"""Alternative analyses: the ranks of the models if one choice of the board had been made otherwise.

Each alternative changes one choice and keeps all others: ties dropped, all-bad votes counted otherwise, raters weighed
otherwise, flagged votes counted otherwise, the prior halved or doubled, style held equal. Ranks are those of the point
ratings among the models of one group with enough battles; they say how far a rank depends on the choices of whoever
made the board, and nothing about chance. An alternative under which these models are not connected has no ranks.

Boundary: ratings under each choice in, ranks out; the words are in `alternative_words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.messages import Message
from playground.ratings.board import Board
from playground.ratings.bradley_terry import Fit, fit
from playground.ratings.chosen import Chosen
from playground.ratings.pairs import BOTH_BAD, TIE, FloatArray, IntArray, PairTable


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """Ratings of models under one other choice."""

    name: str
    models: tuple[str, ...]
    ratings: FloatArray
    groups: IntArray  # models of one group are comparable

    @classmethod
    def of(cls, name: str, table: PairTable, fitted: Fit) -> Alternative:
        return cls(name, table.models, fitted.ratings, fitted.groups)

    def ranks(self, models: Sequence[str]) -> list[int] | None:
        """Return the rank of each of these models among them; None if they are not connected."""
        if not set(models) <= set(self.models):
            return None
        index = [self.models.index(model) for model in models]
        if len(set(self.groups[index].tolist())) > 1:
            return None
        ratings = np.round(self.ratings[index], 6)
        return [1 + int(np.count_nonzero(ratings > rating)) for rating in ratings]


@dataclass(frozen=True, slots=True)
class RankRange:
    """The ranks of one model under all choices, and the choices under which it is not that of the board."""

    model: str
    rank: int
    lowest: int  # the best one
    highest: int
    moved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Rank ranges of models over alternatives."""

    models: tuple[RankRange, ...]  # in the order of the board
    compared: tuple[str, ...]  # names of the alternatives
    unconnected: tuple[str, ...]  # alternatives under which the models have no common scale


def rank_ranges_over(models: Sequence[str], board: Alternative, others: Iterable[Alternative]) -> Ranges:
    """Return the rank ranges of these models, which the board connects."""
    own = board.ranks(models) or []
    ranked = [(other.name, other.ranks(models)) for other in others]
    known = [(name, ranks) for name, ranks in ranked if ranks is not None]
    return Ranges(
        models=tuple(
            RankRange(
                model=model,
                rank=own[i],
                lowest=min([own[i], *(ranks[i] for _, ranks in known)]),
                highest=max([own[i], *(ranks[i] for _, ranks in known)]),
                moved_by=tuple(name for name, ranks in known if ranks[i] != own[i]),
            )
            for i, model in enumerate(models)
        ),
        compared=tuple(name for name, _ in known),
        unconnected=tuple(name for name, ranks in ranked if ranks is None),
    )


def alternatives(chosen: Chosen, board: Board) -> Iterator[Alternative]:
    """Yield the board's models rated under each other choice that changes any vote."""
    policy, prior, table = chosen.options.policy, board.options.prior, board.table
    yield from _other_outcomes(chosen, table, prior)
    if board.counted.weights:
        yield _rated(Message("every rater's votes in full"), replace(table, weight=_unweighted(chosen, board)), prior)
    elif (weighed := replace(policy, max_share_per_rater=0.25)) != policy:
        counted = chosen.count(weighed)
        if counted.weights:
            yield _rated(Message("raters weigh at most 25 %"), chosen.table(counted), prior)
    if board.other is not None:
        left_out = policy.leave_out_flagged
        name = Message("flagged votes counted") if left_out else Message("flagged votes left out")
        yield _rated(name, board.other, prior)
    if prior > 0:
        yield _rated(Message("half the prior"), table, prior / 2)
        yield _rated(Message("twice the prior"), table, 2 * prior)


def _other_outcomes(chosen: Chosen, table: PairTable, prior: float) -> Iterator[Alternative]:
    if (table.outcome == TIE).any():
        yield _rated(
            Message("ties left out"), replace(table, weight=np.where(table.outcome == TIE, 0.0, table.weight)), prior
        )
    if (table.outcome == BOTH_BAD).any():
        omitted = chosen.options.both_bad == "omit"
        other = replace(chosen, options=replace(chosen.options, both_bad="half" if omitted else "omit"))
        name = Message("all-bad votes as ties") if omitted else Message("all-bad votes left out")
        yield _rated(name, other.table(other.count()), prior)


def _rated(name: str, table: PairTable, prior: float) -> Alternative:
    return Alternative.of(name, table, fit(table.wins, prior=prior))


def _unweighted(chosen: Chosen, board: Board) -> FloatArray:
    """Return the weights (n,) of the board's rows without those of raters."""
    rows = board.counted.rows & (chosen.votes.weight > 0)
    return np.where(board.table.weight > 0, chosen.votes.weight[rows], 0.0)
