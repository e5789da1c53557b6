"""Files that appear under their names only when they are complete, with their sizes and hashes.

Boundary: bytes and folders; knows no rows.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from playground.errors import StorageError


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export."""

    path: Path
    rows: int
    bytes: int
    sha256: str


class HashedFile:
    """A file that is being written; a `Sink`."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write bytes; without a file they are only counted."""
        self.bytes += len(data)
        if self._file is not None:
            self._hash.update(data)
            self._file.write(data)
        return len(data)

    def abandon(self) -> None:
        """Take no more bytes; a writer that pyarrow closes late has a place to write."""
        self._file = None

    def flush(self) -> None:
        """Nothing is kept back; pyarrow asks for it."""

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Drafts:
    """Files under temporary names; `publish` renames all of them, leaving the block without it removes them.

    Raises:
        StorageError: a file cannot be written; nothing is left behind.
    """

    def __init__(self) -> None:
        self._parts: dict[Path, Path] = {}
        self._open: list[BinaryIO] = []
        self._hashed: list[HashedFile] = []

    def __enter__(self) -> Drafts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for hashed in self._hashed:
            hashed.abandon()
        for file in self._open:
            with suppress(OSError):  # what a full disk did not take
                file.close()
        for part in self._parts.values():
            part.unlink(missing_ok=True)

    def open(self, path: Path) -> HashedFile:
        """Return a file to write that will be `path`."""
        with written(path):
            part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
            file = part.open("xb")
        self._parts[path] = part
        self._open.append(file)
        self._hashed.append(HashedFile(file))
        return self._hashed[-1]

    def publish(self) -> None:
        """Give every file its name, in the order in which they were opened."""
        for (path, part), file in zip(self._parts.items(), self._open, strict=True):
            with written(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                part.replace(path)


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Raise the system's errors as ours, with the file's name."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
