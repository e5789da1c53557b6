"""One upload: whatever the journal beside the database has and the store lacks, in as few commits as possible.

Boundary: reads segments and writes the dataset; the time of uploads and the words about them are `sync`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playground.errors import DatasetError
from playground.publishing.hub import MISSING, Dataset, Head, RemoteFile
from playground.publishing.layout import Manifest, manifest_path, segment_path, split_path
from playground.publishing.local_segments import LocalSegment, LocalSegments

log = logging.getLogger(__name__)

MESSAGE = "Votes up to event {event}"
CLEARED = "Votes, without the history"
COMMIT_BYTES = 32_000_000
"""The most in one commit, which is held in memory three times."""
SQUASH_COMMITS = 1000
"""After so many commits the history, which holds each of them, is replaced by one."""
Files = Mapping[str, RemoteFile]


@dataclass(frozen=True, slots=True)
class Known:
    """The store as this playground found it at its start.

    Args:
        files: whose events are all in the database.
        merged: paths of those that its journal does not have; they are deleted as soon as the store has the whole
            journal.
        squash: True if erased text may still be in the history of the dataset.
    """

    files: Files = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    squash: bool = False


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The result: everything that the journal held when the upload began is in the store."""

    last_event: int
    commits: int
    others: frozenset[str]  # segments of other programs, which were left alone


def open_dataset(dataset: Dataset) -> Head:
    """Return the newest commit of the store's dataset, which is created if it does not exist.

    Raises:
        DatasetError: the hub refuses, or the dataset is public.
    """
    try:
        head = dataset.head()
    except DatasetError as error:
        if error.status != MISSING:
            raise
        dataset.create(private=True)
        head = dataset.head()
        log.warning("the dataset %s did not exist, and was created", dataset.repo)
    if not head.private:
        raise DatasetError(
            f"the dataset {dataset.repo} is public, and a store holds everything that raters wrote, hidden battles "
            "too; make it private in its settings on the hub, or name another one in PLAYGROUND_STORE",
            is_final=True,
        )
    return head


class Uploader:
    """Uploads of one journal, one at a time.

    A file of the store is only replaced if it is the beginning of the new one, or still as this object knows it: what
    another program wrote is never lost.

    Args:
        folder: of the journal.
        database_id: of its database.
    """

    def __init__(self, dataset: Dataset, folder: Path, database_id: str, known: Known) -> None:
        self._dataset = dataset
        self._database_id = database_id
        self._local = LocalSegments(folder)
        self._known = known.files
        self._merged = known.merged
        self._squash = known.squash
        self._commits = 0
        self._sent: set[str] = set()  # hashes of the segments that were sent, whatever the hub answered

    def upload(self, *, is_whole: bool) -> Uploaded:
        """Upload what is missing; `is_whole` says that the journal has every event of the database.

        Raises:
            DatasetError: the hub could not be reached or refused; what was committed before stays.
            OSError: the journal cannot be read.
        """
        head = open_dataset(self._dataset)
        remote = self._dataset.files(head.commit)
        local = {segment_path(self._database_id, name): one for name, one in self._local.read().items()}
        others = frozenset(path for path in remote if split_path(path) and not self._is_ours(path, remote, local))
        changed = [path for path, one in local.items() if path not in others and not one.is_in(remote.get(path))]
        grown = [path for path in changed if path not in remote or local[path].continues(remote[path])]
        rewritten = [path for path in changed if is_whole and path not in grown]  # after what may hold its events now
        useless = [path for path in sorted(self._merged) if is_whole and self._is_useless(path, remote, local)]
        self._squash |= bool(rewritten or useless)
        commits = self._commit_all(head.commit, remote, local, [*grown, *rewritten], useless)
        return Uploaded(_last_event(local.values()), commits, others)

    def clear_history(self) -> None:
        """Replace the history by one commit if it may hold erased text, or has become long.

        Raises:
            DatasetError: it could not be; the next call tries again.
        """
        if self._squash or self._commits >= SQUASH_COMMITS:
            self._dataset.squash(CLEARED)
            self._squash, self._commits = False, 0

    def _is_ours(self, path: str, remote: Files, local: Mapping[str, LocalSegment]) -> bool:
        found = remote[path]
        if found == self._known.get(path) or not self._sent.isdisjoint((found.git_sha1, found.sha256)):
            return True
        return path in local and (local[path].is_in(found) or local[path].continues(found))

    def _is_useless(self, path: str, remote: Files, local: Mapping[str, LocalSegment]) -> bool:
        return path in remote and remote[path] == self._known.get(path) and path not in local

    def _commit_all(
        self,
        parent: str,
        remote: Files,
        local: Mapping[str, LocalSegment],
        changed: Sequence[str],
        useless: Sequence[str],
    ) -> int:
        """Commit in batches, the deletions with the last; return the number of commits."""
        there = {path for path, one in local.items() if one.is_in(remote.get(path))}
        batches = list(_batches(changed, local))
        if useless and not batches:
            batches = [[]]
        for number, batch in enumerate(batches, 1):
            there |= set(batch)
            manifest = self._manifest({path: local[path] for path in sorted(there)})
            add: dict[str, Path | bytes] = {path: local[path].read() for path in batch}
            add[manifest_path(self._database_id)] = manifest.to_bytes()
            delete = useless if number == len(batches) else ()
            message = MESSAGE.format(event=manifest.last_event)
            self._sent |= {mark for path in batch for mark in (local[path].git_sha1, local[path].listed.sha256)}
            parent = self._dataset.commit(add, delete, message, parent)
            self._commits += 1
        self._merged -= set(useless)
        return len(batches)

    def _manifest(self, there: Mapping[str, LocalSegment]) -> Manifest:
        names = {path: found[1] for path in there if (found := split_path(path))}
        segments = {names[path]: one.listed for path, one in there.items()}
        return Manifest(self._database_id, _last_event(there.values()), self._squash, segments)


def _last_event(segments: Iterable[LocalSegment]) -> int:
    return max((segment.last_event for segment in segments), default=0)


def _batches(paths: Sequence[str], local: Mapping[str, LocalSegment]) -> Iterator[list[str]]:
    """Yield paths whose files are together at most `COMMIT_BYTES`, or one larger file."""
    batch: list[str] = []
    size_bytes = 0
    for path in paths:
        size_bytes += local[path].listed.size_bytes
        if batch and size_bytes > COMMIT_BYTES:
            yield batch
            batch, size_bytes = [], local[path].listed.size_bytes
        batch.append(path)
    if batch:
        yield batch
