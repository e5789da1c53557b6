"""Rows into Parquet files, a series of files per split, in bounded memory; and columns back.

Boundary: knows columns and files, neither votes nor the hub. The only module of this package that uses pyarrow, which
is imported when the first file is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from playground.errors import InvalidValue, StorageError
from playground.publishing.tables import SIDE_FIELDS, SPLITS, Column, Table

Row = Mapping[str, Any]

ROWS_PER_FILE = 200_000
"""A file of a series stays small enough to be read at once."""
CHARS_PER_GROUP = 8_000_000
"""Characters of a row group: the memory of a table that is being written."""
ROWS_PER_GROUP = 20_000


def kind_of(column: Column) -> Any:
    """Return the Arrow type of a column."""
    import pyarrow as pa

    text = pa.string()
    kinds = {
        "text": text,
        "json": text,
        "flag": pa.bool_(),
        "number": pa.float64(),
        "whole": pa.int64(),
        "texts": pa.list_(text),
        "ids": pa.list_(pa.int32()),
        "sides": pa.list_(pa.struct([(name, text) for name in SIDE_FIELDS])),
    }
    return kinds[column.kind]


def file_of(table: str, split: str, number: int) -> str:
    """Return the path of a file in a publication."""
    return f"data/{table}/{split}-{number:05}.parquet"


@dataclass(slots=True)
class _Split:
    """The files of one split of a table, one of which may be open."""

    folder: Path
    table: Table
    name: str
    rows: int = 0
    files: list[str] = field(default_factory=list)
    _writer: Any = None
    _in_file: int = 0
    _waiting: list[Row] = field(default_factory=list)
    _chars: int = 0

    def add(self, row: Row) -> None:
        self._waiting.append(row)
        self._chars += sum(len(value) for value in row.values() if isinstance(value, str | list))
        self.rows += 1
        if self._chars >= CHARS_PER_GROUP or len(self._waiting) >= ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._writer is None:
            self._open()
        schema = self._writer.schema
        columns = [pa.array([row[name] for row in self._waiting], schema.field(name).type) for name in schema.names]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        self._in_file += len(self._waiting)
        self._waiting, self._chars = [], 0
        if self._in_file >= ROWS_PER_FILE:
            self.close()

    def _open(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = file_of(self.table.name, self.name, len(self.files))
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(column.name, kind_of(column)) for column in self.table.columns])
        self._writer = pq.ParquetWriter(self.folder / path, schema, compression="zstd")
        self._in_file = 0
        self.files.append(path)

    def finish(self) -> None:
        """Write what waits; a split without rows has no file, because `datasets` loads no split that is empty."""
        if self._waiting:
            self._flush()
        self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class TableWriter:
    """The files of a table, in the order in which rows come; a context manager.

    Raises:
        StorageError: a file cannot be written.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.table = table
        self._splits = {name: _Split(folder, table, name) for name in SPLITS}

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
                split.finish()
            else:
                split.close()


def read_rows(paths: Iterable[Path], columns: Sequence[str]) -> Iterator[Row]:
    """Yield some columns of files in bounded memory.

    Raises:
        InvalidValue: a file that is no Parquet file, or lacks a column.
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
    """Return the number of rows as the file states it; raise InvalidValue if it is no Parquet file."""
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
