"""Parts of a table of judged pairs.

Boundary: selects rows; models, votes and raters keep their indices.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from playground.ratings.pairs import BoolArray, PairTable


def rows_of(table: PairTable, rows: BoolArray | slice) -> PairTable:
    """Return the table of the rows (n,) that are True, or of a slice, which is not copied."""
    names = ("first", "second", "outcome", "weight", "longer", "vote", "rater")
    return replace(table, **{name: getattr(table, name)[rows] for name in names})


def until(table: PairTable, votes: int) -> PairTable:
    """Return the table of the first votes; they stand in order."""
    return rows_of(table, slice(int(np.searchsorted(table.vote, votes))))
