"""All export formats, and the function that writes any of them.

Boundary: a snapshot of the store in, files out. A new format is a file beside this one and a name here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from playground.clock import utc_now
from playground.errors import InvalidValue
from playground.exchange.alpaca import ALPACA
from playground.exchange.arena140k import ARENA_140K
from playground.exchange.autoarena import AUTOARENA
from playground.exchange.containers import Container, Csv, JsonArray, JsonLines, Sink
from playground.exchange.fastchat_log import FASTCHAT_LOG
from playground.exchange.files import Drafts, ExportedFile, HashedFile, written
from playground.exchange.formats import ExportFormat, ExportOptions, Values
from playground.exchange.kaggle55k import KAGGLE_55K
from playground.exchange.llm_comparator import LLM_COMPARATOR
from playground.exchange.lmsys33k import LMSYS_33K
from playground.exchange.manifest import Exported, manifest
from playground.exchange.pairs import PAIRS
from playground.exchange.parquet import Parquet
from playground.exchange.selection import Progress, Selection
from playground.exchange.trl_preference import TRL_PREFERENCE
from playground.exchange.trl_unpaired import TRL_UNPAIRED
from playground.exchange.votes import VOTES
from playground.messages import Message
from playground.storage.database.store import Store

FORMATS: Mapping[str, ExportFormat] = {
    known.name: known
    for known in (
        VOTES,
        PAIRS,
        TRL_PREFERENCE,
        TRL_UNPAIRED,
        LMSYS_33K,
        ARENA_140K,
        KAGGLE_55K,
        FASTCHAT_LOG,
        ALPACA,
        LLM_COMPARATOR,
        AUTOARENA,
    )
}

FIRST_BATCH, BATCH = 50, 1000
"""The first and the most rows that a container gets at once."""
BATCH_BYTES = 4_000_000
"""About the size of the rows that a container gets at once; in memory they take several times as much."""


class RowFile:
    """One file of rows."""

    def __init__(self, path: Path, file: HashedFile, container: Container) -> None:
        self.path = path
        self.rows = 0
        self._file = file
        self._container = container
        self._batch: list[Values] = []
        self._enough = FIRST_BATCH

    def add(self, rows: object) -> None:
        """Add rows; full batches are written."""
        self._batch += rows  # type: ignore[arg-type]  # a sequence of rows
        if len(self._batch) >= self._enough:
            self._write()

    def end(self) -> ExportedFile:
        """Write what is left."""
        self._write()
        with written(self.path):
            self._container.close()
        return ExportedFile(self.path, self.rows, self._file.bytes, self._file.sha256)

    def _write(self) -> None:
        with written(self.path):
            size_bytes = self._container.write(self._batch)
        rows, self._batch = len(self._batch), []
        self.rows += rows
        self._enough = max(1, min(BATCH, rows * BATCH_BYTES // max(1, size_bytes)))


def export(
    store: Store,
    format: str,
    path: Path,
    options: ExportOptions | None = None,
    *,
    progress: Progress | None = None,
    now: Callable[[], str] = utc_now,
) -> Exported:
    """Write the judged battles of one snapshot, and a manifest beside them (``PATH.manifest.json``).

    Existing files are replaced, all at the end; an export that fails leaves them as they are.

    Raises:
        InvalidValue: an unknown format, an ending that the format does not have, or a format of two models with votes
            on more.
        StorageError: the database cannot be read or a file not written.
    """
    known, chosen = format_named(format), options or ExportOptions()
    known.check_container(path.suffix.lower())
    with ExitStack() as stack:
        drafts = stack.enter_context(Drafts())
        reading = stack.enter_context(store.reading())
        selection = Selection(reading, known, chosen)
        paths = [path, other_path(path)] if chosen.split_licenses else [path]
        files = [_open(drafts, each, selection, known) for each in paths]
        for commercial, rows in selection.rows(progress=progress):
            files[0 if commercial else -1].add(rows)
        done = tuple(file.end() for file in files)
        exported = Exported(format, selection.votes, selection.left_out, done)
        with written(exported.manifest):
            drafts.open(exported.manifest).write(manifest(exported, known, chosen, now()))
        drafts.publish()
    return exported


def format_named(name: str) -> ExportFormat:
    """Return a format; raise InvalidValue, naming the valid ones, if there is none of this name."""
    if name not in FORMATS:
        raise InvalidValue(Message("unknown format {name!r}; valid: {valid}", name=name, valid=", ".join(FORMATS)))
    return FORMATS[name]


def other_path(path: Path) -> Path:
    """Return the file for rows whose licenses do not all allow commercial use, if they are split off."""
    return path.with_name(f"{path.stem}.other{path.suffix}")


def container(ending: str, sink: Sink, format: ExportFormat, selection: Selection) -> Container:
    """Return the writer for an ending that the format has."""
    columns = selection.columns
    if ending == ".csv":
        return Csv(sink, columns, format.for_spreadsheets)
    if ending == ".parquet":
        return Parquet(sink, columns)
    if ending == ".json":
        around = format.document(selection.models) if format.document else (b"", b"")
        return JsonArray(sink, columns, format.optional, around)
    return JsonLines(sink, columns, format.optional)


def _open(drafts: Drafts, path: Path, selection: Selection, format: ExportFormat) -> RowFile:
    file = drafts.open(path)
    with written(path):
        return RowFile(path, file, container(path.suffix.lower(), file, format, selection))
