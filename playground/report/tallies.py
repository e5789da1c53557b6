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

    Raters have numbers only where their shares can change the ratings, by the size of their part and not in time.

    Args:
        public: the categories that may be named; the others are one, without a name.
    """
    votes, share = chosen.votes, board.options.policy.max_share_per_rater
    rows = np.flatnonzero(board.counted.rows & (votes.weight > 0))
    raters = np.bincount(votes.rater[rows])
    can_be_capped = share < 1 and np.count_nonzero(raters) * share >= 2
    number = np.argsort(np.argsort(-raters, kind="stable")) if can_be_capped else np.zeros(len(raters), dtype=np.int64)
    index = {votes.models.index(model): i for i, model in enumerate(board.table.models) if model in votes.models}
    names, number_of = _categories(votes.categories, set(votes.category[rows].tolist()), public)
    counted: Counter[Line] = Counter()
    for rater, category, pairs in _votes(votes, rows):
        shape = [value for a, b, outcome in pairs for value in (index[a], index[b], outcome)]
        counted[int(number[rater]), number_of[category], *shape] += 1
    lines = [(line[0], line[1], times, *line[2:]) for line, times in sorted(counted.items())]
    options = board.options
    return Tallies(board.table.models, names, lines, options.prior, options.both_bad, share)


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
