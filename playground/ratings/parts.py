"""Parts of a table of judged pairs.

Boundary: selects rows; models, votes and raters keep their indices.
"""

from __future__ import annotations

from dataclasses import replace

from playground.ratings.pairs import BoolArray, PairTable


def rows_of(table: PairTable, rows: BoolArray) -> PairTable:
    """Return the table of the rows (n,) that are True."""
    names = ("first", "second", "outcome", "weight", "longer", "vote", "rater")
    return replace(table, **{name: getattr(table, name)[rows] for name in names})


def until(table: PairTable, votes: int) -> PairTable:
    """Return the table of the first votes."""
    return rows_of(table, table.vote < votes)
