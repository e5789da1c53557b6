"""Rows into Parquet files, a series of files per split, in bounded memory; and columns back.

Boundary: knows columns and files, neither votes nor the hub. pyarrow is imported when a file is written or read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from playground.errors import InvalidValue, StorageError
from playground.exchange.formats import Shape, Values
from playground.exchange.parquet import Parquet
from playground.publishing.tables import SIDE_FIELDS, SPLITS, Table

Row = Mapping[str, Any]

ROWS_PER_FILE = 200_000
"""A file of a series stays small enough to be read at once."""
ROWS_AT_ONCE = 1000
BYTES_AT_ONCE = 2_000_000
"""Rows of a split are written together until there are so many, or their texts have so many bytes."""
SHAPES: Mapping[str, Shape] = {
    "text": "text",
    "json": "text",
    "flag": "bool",
    "number": "float",
    "whole": "int",
    "texts": ["text"],
    "ids": ["int"],
    "sides": [dict.fromkeys(SIDE_FIELDS, "text")],
}
"""Shapes of the kinds of columns; lists may come as stored, as the bytes of JSON."""


def file_of(table: str, split: str, number: int) -> str:
    """Return the path of a file in a publication."""
    return f"data/{table}/{split}-{number:05}.parquet"


@dataclass(slots=True)
class _Split:
    """The files of one split of a table, one of which may be open."""

    folder: Path
    table: Table
    name: str
    columns: Callable[[Row], Values]
    rows: int = 0
    _files: int = 0
    _open: tuple[BinaryIO, Parquet] | None = None
    _waiting: list[Values] = field(default_factory=list)
    _waiting_bytes: int = 0

    def add(self, row: Row) -> None:
        values = self.columns(row)
        self._waiting.append(values)
        self._waiting_bytes += sum(len(value) for value in values if isinstance(value, str | bytes))
        self.rows += 1
        if len(self._waiting) >= ROWS_AT_ONCE or self._waiting_bytes >= BYTES_AT_ONCE:
            self._write()
        if self.rows % ROWS_PER_FILE == 0:
            self.end()

    def end(self) -> None:
        """Write what waits and close the file; `datasets` loads no split that is empty, so it has no file."""
        if self._waiting:
            self._write()
        if self._open is not None:
            file, parquet = self._open
            parquet.close()
            file.close()
            self._open = None

    def abandon(self) -> None:
        if self._open is not None:
            self._open[0].close()

    def _write(self) -> None:
        if self._open is None:
            path = self.folder / file_of(self.table.name, self.name, self._files)
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
            columns = {column.name: SHAPES[column.kind] for column in self.table.columns}
            self._open = file, Parquet(file, columns)
            self._files += 1
        self._open[1].write(self._waiting)
        self._waiting, self._waiting_bytes = [], 0


class TableWriter:
    """The files of a table, in the order in which rows come; a context manager.

    Raises:
        StorageError: a file cannot be written.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.table = table
        columns = itemgetter(*(column.name for column in table.columns))
        self._splits = {name: _Split(folder, table, name, columns) for name in SPLITS}

    def add(self, split: str, row: Row) -> None:
        self._splits[split].add(row)

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by split."""
        return {name: split.rows for name, split in self._splits.items()}

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for split in self._splits.values():
            if kind is None:
                split.end()
            else:
                split.abandon()


def read_rows(paths: Iterable[Path], columns: Sequence[str]) -> Iterator[Row]:
    """Yield some columns of files in bounded memory.

    Raises:
        InvalidValue: a file that is not a Parquet file, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                missing = set(columns) - set(file.schema_arrow.names)
                if missing:
                    raise InvalidValue(f"{path} lacks the columns {', '.join(sorted(missing))}")
                for batch in file.iter_batches(batch_size=10_000, columns=list(columns)):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise InvalidValue(f"{path} cannot be read as Parquet: {_one_line(error)}") from error


def count_rows(path: Path) -> int:
    """Return the number of rows as the file states it; raise InvalidValue if it is not a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise InvalidValue(f"{path} cannot be read as Parquet: {_one_line(error)}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file, to the disk.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
