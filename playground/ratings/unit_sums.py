"""The votes of each unit, a rater or a single vote, summed: what jackknife and bootstrap need of a table.

A million votes of 20,000 raters on five models are 200,000 sums, and a million single votes are 80 kinds of votes.

Boundary: one table in, arrays out; estimates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.ratings.pairs import SCORES, BoolArray, FloatArray, IntArray, PairTable, closed_up


@dataclass(frozen=True, slots=True, eq=False)
class UnitSums:
    """The votes of each unit on each two models, k sums of u units.

    Units of a single vote that say the same of the same two models are one unit that occurs several times.
    """

    number: int  # of units in the table
    singles: int  # the first of the u units, of a single vote each
    times: FloatArray  # (u,) how often each occurs
    unit: IntArray  # (k,) from 0, sorted
    first: IntArray  # (k,)
    second: IntArray  # (k,)
    won: FloatArray  # (k,) by the first model, in units of weight; ties are half
    weight: FloatArray  # (k,) of both

    @classmethod
    def of(cls, table: PairTable, unit: str) -> UnitSums:
        """Return the sums with raters or votes as units."""
        index = table.rater if unit == "rater" else table.vote
        rows = np.bincount(index, minlength=1)
        single, times = _single(table, rows[index] == 1)
        several = _several(table, index, rows > 1)
        parts = [np.concatenate([a, b]) for a, b in zip(single[1:], several[1:], strict=True)]
        return cls(
            int(np.count_nonzero(rows)),
            len(times),
            np.concatenate([times, np.ones(np.count_nonzero(rows > 1))]),
            np.concatenate([single[0], len(times) + several[0]]),
            *parts,
        )


_Sums = tuple[IntArray, Any, Any, FloatArray, FloatArray]
"""The last five columns of `UnitSums`."""


def _single(table: PairTable, rows: BoolArray) -> tuple[_Sums, FloatArray]:
    """Return each kind of vote in some rows (n,) as a unit, and the number of votes of each kind."""
    m, outcomes = len(table.models), len(SCORES)
    weights, weight = np.unique(table.weight[rows], return_inverse=True)
    times = np.bincount(table.meetings[rows].astype(np.int64) * len(weights) + weight).astype(np.float64)
    there: IntArray = np.flatnonzero(times)
    said, of_weight = np.divmod(there, max(len(weights), 1))
    pair, outcome = np.divmod(said, outcomes)
    first, second = np.divmod(pair, max(m, 1))
    won = weights[of_weight] * SCORES[outcome]
    return (np.arange(len(there), dtype=np.int64), first, second, won, weights[of_weight]), times[there]


def _several(table: PairTable, index: IntArray, units: BoolArray) -> _Sums:
    """Return the sums of those units that are True, from the unit (n,) of each row."""
    m, rows = len(table.models), slice(None) if units.all() else units[index]
    first, second = np.triu_indices(m, 1)
    pair, score = np.zeros((m, m), dtype=np.int64), np.zeros((m, m, len(SCORES)))
    pair[first, second] = pair[second, first] = np.arange(len(first))
    score[first, second], score[second, first] = SCORES, 1 - SCORES
    meetings, weight = table.meetings[rows], table.weight[rows]
    won = weight * score.ravel()[meetings]
    unit = closed_up(index[rows], len(units)).astype(np.int64) * len(first)
    there, number = _numbered(unit + np.repeat(pair, len(SCORES))[meetings], int(units.sum()) * len(first))
    at, of_pair = np.divmod(there, max(len(first), 1))
    sums = [np.bincount(number, column, len(there)).astype(np.float64) for column in (won, weight)]
    return at, first[of_pair], second[of_pair], sums[0], sums[1]


def _numbered(values: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Return the different values, sorted, and the place (n,) of each among them; all are below `size`."""
    if size > 4 * len(values):
        return np.unique(values, return_inverse=True)
    is_there = np.zeros(size, dtype=bool)
    is_there[values] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[values]
