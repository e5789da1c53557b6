"""The counted votes as numbers from which a browser rates them again: equal votes of a rater are one line.

Boundary: judged votes in, plain numbers out; `assets/rating.js` is their reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from playground.ratings.board import Board
from playground.ratings.chosen import Chosen
from playground.ratings.judged import JudgedVotes
from playground.ratings.pairs import IntArray

Line = tuple[int, ...]
"""Rater, category, number of votes, then for each pair: model, model, outcome (an index into `judged.WINNERS`)."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """The votes that count, and the rules by which they are rated."""

    models: Sequence[str]
    categories: Sequence[str]
    lines: Sequence[Line]
    prior: float
    both_bad: str
    max_share: float  # of one rater, of the weight of all votes

    def as_document(self) -> Mapping[str, Any]:
        """Return the whole as JSON values."""
        return {
            "models": list(self.models),
            "categories": list(self.categories),
            "lines": [list(line) for line in self.lines],
            "prior": self.prior,
            "bothBad": self.both_bad,
            "maxShare": self.max_share,
        }


def tallies_of(chosen: Chosen, board: Board, public: Collection[str]) -> Tallies:
    """Return the votes of a board.

    Raters have numbers only where their shares can change the ratings, by the size of their part and not in time. So
    the lines of many votes are as few as their combinations of models, categories and outcomes.

    Args:
        public: the categories that may be named; the others are one, without a name.
    """
    votes, share = chosen.votes, board.options.policy.max_share_per_rater
    rows = np.flatnonzero(board.counted.rows & (votes.weight > 0))
    raters = np.bincount(votes.rater[rows])
    index = {votes.models.index(model): i for i, model in enumerate(board.table.models) if model in votes.models}
    names, number_of = _categories(votes.categories, set(votes.category[rows].tolist()), public)
    categories = np.array([number_of.get(category, 0) for category in range(len(votes.categories))], dtype=np.int64)
    can_be_capped = share < 1 and np.count_nonzero(raters) * share >= 2 and _may_exceed(votes, rows, categories, share)
    number = np.argsort(np.argsort(-raters, kind="stable")) if can_be_capped else np.zeros(len(raters), dtype=np.int64)
    counted: Counter[Line] = Counter()
    for rater, category, pairs in _votes(votes, rows):
        shape = [value for a, b, outcome in pairs for value in (index[a], index[b], outcome)]
        counted[int(number[rater]), number_of[category], *shape] += 1
    lines = [(line[0], line[1], times, *line[2:]) for line, times in sorted(counted.items())]
    options = board.options
    return Tallies(board.table.models, names, lines, options.prior, options.both_bad, share)


def _may_exceed(votes: JudgedVotes, rows: IntArray, categories: IntArray, share: float) -> bool:
    """Return True if one rater may have more than a share of the votes on some of the models and categories.

    A choice of models and categories takes whole cells: a category and two models. Whoever has at most the share of
    each cell has at most the share of every choice; a ranking is in one cell for each of its pairs.
    """
    size, most_pairs = len(votes.models), int(np.unique(votes.vote[rows], return_counts=True)[1].max())
    first, second = votes.first[rows].astype(np.int64), votes.second[rows].astype(np.int64)
    cells = (categories[votes.category[rows]] * size + np.minimum(first, second)) * size + np.maximum(first, second)
    _, cell, all_votes = np.unique(cells, return_inverse=True, return_counts=True)
    own, own_votes = np.unique(cell * votes.num_raters + votes.rater[rows], return_counts=True)
    return bool((own_votes * most_pairs > share * all_votes[own // votes.num_raters]).any())


def _categories(
    known: Sequence[str], counted: Collection[int], public: Collection[str]
) -> tuple[Sequence[str], Mapping[int, int]]:
    """Return the names that may be told, and the number among them of each category that has counted votes."""
    told = {number: known[number] if known[number] in public else "" for number in counted}
    names = sorted(set(told.values()))
    return names, {number: names.index(name) for number, name in told.items()}


def _votes(votes: JudgedVotes, rows: Any) -> Iterator[tuple[int, int, list[tuple[int, int, int]]]]:
    """Yield rater, category and pairs of each vote."""
    columns = (votes.vote, votes.rater, votes.category, votes.first, votes.second, votes.outcome)
    listed = zip(*(column[rows].tolist() for column in columns), strict=True)
    for _, pairs in groupby(listed, key=itemgetter(0)):
        of_vote = list(pairs)
        yield of_vote[0][1], of_vote[0][2], [pair[3:] for pair in of_vote]
