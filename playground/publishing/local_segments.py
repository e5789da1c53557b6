"""The segments of a journal as they are now, cut after their last whole line, with counts and hashes.

Boundary: reads the folder, in which the journal goes on writing; a segment that has not changed is not read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playground.publishing.hub import RemoteFile, git_sha1, sha256
from playground.publishing.layout import Listed
from playground.storage.journal import segments
from playground.storage.journal.lines import is_sealed, seq_of

Stamp = tuple[int, int, int]
"""Inode, size and time of the last change."""


@dataclass(frozen=True, slots=True)
class LocalSegment:
    """A segment at one moment; its file may have grown since."""

    path: Path
    listed: Listed
    git_sha1: str
    last_event: int

    def is_in(self, remote: RemoteFile | None) -> bool:
        """Return True if the store has exactly this."""
        if remote is None or remote.size_bytes != self.listed.size_bytes:
            return False
        return self.listed.sha256 == remote.sha256 if remote.sha256 else self.git_sha1 == remote.git_sha1

    def continues(self, remote: RemoteFile) -> bool:
        """Return True if the store has the beginning of it; else the segment was rewritten, as by an erasure."""
        return remote.holds(self.read()[: remote.size_bytes])

    def read(self) -> bytes:
        """Return the content that the hashes are of; anything else if the segment was rewritten since."""
        with self.path.open("rb") as file:
            return file.read(self.listed.size_bytes)


class LocalSegments:
    """The segments of a folder, by name (``<boot>/<n>.jsonl``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[Stamp, LocalSegment]] = {}

    def read(self) -> Mapping[str, LocalSegment]:
        """Return the segments that hold a whole line, in the order of their names.

        Raises:
            OSError: one cannot be read.
        """
        found = {path: _stamp(path) for path in segments.segments(self._folder)}
        for path, stamp in found.items():
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                self._known[path] = (stamp, _read(path))
        self._known = {path: self._known[path] for path in found}
        read = {path.relative_to(self._folder).as_posix(): segment for path, (_, segment) in self._known.items()}
        return {name: segment for name, segment in read.items() if segment.listed.size_bytes}


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> LocalSegment:
    data = path.read_bytes()
    data = data[: data.rfind(b"\n") + 1]
    listed = Listed(len(data), data.count(b"\n"), sha256(data))
    return LocalSegment(path, listed, git_sha1(data), _last_event(data))


def _last_event(data: bytes) -> int:
    """Return the number of the last intact event; 0 if there is none."""
    end = len(data) - 1
    while end > 0:
        start = data.rfind(b"\n", 0, end) + 1
        text = data[start:end]
        if seq_of(text) and is_sealed(text):
            return seq_of(text)
        end = start - 1
    return 0
