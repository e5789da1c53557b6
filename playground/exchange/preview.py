"""A look at an export before it is written: the first rows, how many there are, and what is left out.

Boundary: reads the store; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from playground.exchange.containers import to_json
from playground.exchange.exports import container, format_named
from playground.exchange.files import HashedFile
from playground.exchange.formats import ExportFormat, ExportOptions, Values
from playground.exchange.left_out import LeftOut
from playground.exchange.licenses import COMMERCIAL_LICENSES
from playground.exchange.selection import Selection
from playground.records import BattleRow, VoteFilter
from playground.storage.database.filters import Conditions, conditions
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store

SAMPLE = 200
"""Rows of which the size of a file is estimated."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of an export and its size."""

    format: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]  # the first ones, as JSON values
    num_rows: int
    num_other: int  # of them, rows whose licenses do not all allow commercial use, if they are split off
    votes: int
    bytes: int  # estimated, of the first container of the format or the one asked for
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Browsed:
    """A page of a list of battles, newest first."""

    rows: tuple[BattleRow, ...]
    next: str  # the `before` of the next page; empty on the last one


def preview(
    store: Store, format: str, options: ExportOptions | None = None, rows: int = 5, *, ending: str = ""
) -> Preview:
    """Return the first rows of an export, and its size, from one snapshot.

    Counting reads every vote without its words: about 5 s for a million.

    Args:
        ending: of the container whose size is estimated, such as ``.csv``; empty: the first one of the format.

    Raises:
        InvalidValue: as `export`.
        StorageError: the database cannot be read.
    """
    known, chosen = format_named(format), options or ExportOptions()
    ending = ending or known.containers[0]
    known.check_container(ending)
    with store.reading() as reading:
        first = Selection(reading, known, chosen)
        sample = _first_rows(first, max(rows, SAMPLE))
        counted = Selection(reading, known, chosen)
        num_rows = num_other = 0
        for commercial, found in counted.rows(words=False):
            num_rows += len(found)
            num_other += 0 if commercial else len(found)
    sample_bytes = _size_bytes(sample, known, first, ending)
    shown = (orjson.loads(to_json(dict(zip(first.columns, row, strict=False)))) for row in islice(sample, rows))
    return Preview(
        format=format,
        columns=tuple(first.columns),
        rows=tuple(shown),
        num_rows=num_rows,
        num_other=num_other,
        votes=counted.votes,
        bytes=round(sample_bytes / len(sample) * num_rows) if sample else sample_bytes,
        left_out=counted.left_out,
    )


def _first_rows(selection: Selection, number: int) -> Sequence[Values]:
    """Return the rows of the first votes: `number` of them, or a few more."""
    first: list[Values] = []
    for _, found in selection.rows():
        first += found
        if len(first) >= number:
            break
    return first


def _size_bytes(rows: Sequence[Values], format: ExportFormat, selection: Selection, ending: str) -> int:
    """Return the size of a container with these rows."""
    sink = HashedFile(None)
    writer = container(ending, sink, format, selection)
    writer.write(rows)
    writer.close()
    return sink.bytes


def browse(
    reading: Reading,
    filter: VoteFilter,
    before: str = "",
    limit: int = 50,
    *,
    final_by: str = "",
    running_studies: bool = True,
) -> Browsed:
    """Return judged battles that meet a filter, newest first; erased and hidden ones are not listed.

    Args:
        before: `Browsed.next` of the page before; empty for the first page.
        final_by: leave out battles whose vote could still be undone at that time; empty: none.
        running_studies: with battles of studies that are not closed.
    """
    where = _where(filter, final_by, running_studies)
    found = reading.browsed_battles(where, before, limit + 1)
    shown = tuple(found[:limit])
    return Browsed(shown, shown[-1].cursor if len(found) > limit else "")


def count_browsed(reading: Reading, filter: VoteFilter, *, final_by: str = "", running_studies: bool = True) -> int:
    """Return the number of all battles that `browse` lists."""
    return reading.count_browsed(_where(filter, final_by, running_studies))


def _where(filter: VoteFilter, final_by: str, running_studies: bool) -> Conditions:
    return conditions(
        filter,
        pairs=False,
        commercial=COMMERCIAL_LICENSES,
        final_by=final_by,
        running_studies=running_studies,
    )
