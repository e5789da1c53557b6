"""All export formats, and the function that writes any of them.

Boundary: a snapshot of the store in, a file out. A new format is a file beside this one and a name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from playground.errors import InvalidValue
from playground.exchange.containers import container, write_rows
from playground.exchange.formats import ExportFormat, ExportOptions
from playground.exchange.lmsys33k import LMSYS_33K
from playground.exchange.trl_preference import TRL_PREFERENCE
from playground.exchange.votes import VOTES
from playground.storage.database.store import Store

FORMATS: Mapping[str, ExportFormat] = {known.name: known for known in (VOTES, TRL_PREFERENCE, LMSYS_33K)}


def export(store: Store, format: str, path: Path, options: ExportOptions | None = None) -> int:
    """Write the judged battles of one snapshot; return the number of rows.

    Raises:
        InvalidValue: an unknown format, or an ending that names no container.
        StorageError: the database cannot be read or the file not written.
    """
    if format not in FORMATS:
        raise InvalidValue(f"unknown format {format!r}; valid: {', '.join(FORMATS)}")
    container(path)
    known = FORMATS[format]
    with store.reading() as reading:
        return write_rows(path, known.columns, known.rows(reading, options or ExportOptions()))
