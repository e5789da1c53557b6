"""Rows into a Parquet file, streamed in groups of some megabytes.

Boundary: the only importer of pyarrow, which is imported when a file is written. JSON text of any shape (parameters,
versions) stays text in one column, because Parquet needs one type for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from playground.exchange.containers import Sink
from playground.exchange.formats import Shape, Values

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_BYTES = 4_000_000
"""About the memory that a group of rows takes until it is written."""


class Parquet:
    """A file of typed columns."""

    def __init__(self, sink: Sink, columns: Mapping[str, Shape]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pa.set_memory_pool(pa.system_memory_pool())  # pyarrow's own keeps 40 MB more, for no less time
        self._pa = pa
        self._schema = pa.schema([pa.field(name, arrow_type(shape)) for name, shape in columns.items()])
        self._decoders = [_decoder(shape) for shape in columns.values()]
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._writer = pq.ParquetWriter(pa.PythonFile(sink, mode="w"), self._schema)

    def write(self, rows: Sequence[Values]) -> int:
        """Take rows; a group is written when it is large enough."""
        if not rows:
            return 0
        arrays = []
        for field, decode, column in zip(self._schema, self._decoders, zip(*rows, strict=True), strict=False):
            values = column if decode is None else [decode(value) for value in column]
            arrays.append(self._pa.array(values, field.type))
        batch = self._pa.record_batch(arrays, schema=self._schema)
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= GROUP_BYTES:
            self._write_group()
        return int(batch.nbytes)

    def close(self) -> None:
        """Write the last group and the footer."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._batches:
            self._writer.write_table(self._pa.Table.from_batches(self._batches, self._schema))
        self._batches, self._bytes = [], 0


def arrow_type(shape: Shape) -> pa.DataType:
    """Return the Arrow type of a shape."""
    import pyarrow as pa

    if isinstance(shape, list):
        return pa.list_(arrow_type(shape[0]))
    if isinstance(shape, dict):
        return pa.struct([pa.field(name, arrow_type(inner)) for name, inner in shape.items()])
    plain = {"text": pa.string(), "json": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    return plain[shape]


def _decoder(shape: Shape) -> Callable[[Any], Any] | None:
    """Return the function that turns stored JSON into lists or text, as the shape has it; None if nothing changes."""
    if shape == "json":
        return bytes.decode
    if isinstance(shape, list):
        inner = _decoder(shape[0])
        if inner is None:
            return lambda value: orjson.loads(value) if isinstance(value, bytes) else value
        return lambda value: value and [inner(one) for one in value]
    if isinstance(shape, dict):
        inners = {name: found for name, field in shape.items() if (found := _decoder(field)) is not None}
        if inners:
            return lambda value: (
                value and {name: inners[name](one) if name in inners else one for name, one in value.items()}
            )
    return None
