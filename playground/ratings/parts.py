"""Parts of a table of judged pairs.

Boundary: selects rows; models, votes and raters keep their indices, but for `of_models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from playground.ratings.pairs import BoolArray, IntArray, PairTable


def rows_of(table: PairTable, rows: BoolArray | IntArray | slice) -> PairTable:
    """Return the table of the rows (n,) that are True, of some rows in their order, or of a slice, not copied."""
    names = ("first", "second", "outcome", "weight", "vote", "rater")
    return replace(table, **{name: getattr(table, name)[rows] for name in names})


def of_models(table: PairTable, members: Sequence[int]) -> tuple[PairTable, IntArray]:
    """Return the table of some models alone, in their order, and the vote of `table` that each of its votes is.

    It has only pairs that count in the rating.
    """
    index = np.full(len(table.models), -1)
    index[list(members)] = np.arange(len(members))
    kept = rows_of(table, (index[table.first] >= 0) & (index[table.second] >= 0) & (table.weight > 0))
    votes, vote = np.unique(kept.vote, return_inverse=True)
    _, rater = np.unique(kept.rater, return_inverse=True)
    models = tuple(table.models[i] for i in members)
    first, second = index[kept.first], index[kept.second]
    return replace(kept, models=models, first=first, second=second, vote=vote, rater=rater), votes


def until(table: PairTable, votes: int) -> PairTable:
    """Return the table of the first votes; they stand in order."""
    return rows_of(table, slice(int(np.searchsorted(table.vote, votes))))
