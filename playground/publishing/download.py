"""The download of the store: the journals of its databases, each file verified by its hash.

Boundary: reads the dataset and writes a folder; restores nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from playground.errors import DatasetError
from playground.publishing.hub import Dataset, RemoteFile
from playground.publishing.layout import Manifest, database_of, manifest_path, read_manifest, segment_path, split_path

THREADS = 8
"""Files that are downloaded at the same time."""
Files = Mapping[str, RemoteFile]
Progress = Callable[[int, int], None]
"""Called with the bytes that were downloaded, and all that are to be."""


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """The part of a store that is one database's, as downloaded.

    Args:
        files: by their path in the store, the manifest too.
        faults: contradictions between manifest and files; empty if every segment is there with all of its lines.
    """

    database_id: str
    folder: Path
    files: Files
    manifest: Manifest | None
    faults: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for path, file in self.files.items() if split_path(path))


def journals_of(files: Files) -> Mapping[str, Files]:
    """Return the files of each database that has a segment, from a listing of the dataset."""
    ids = {found[0] for path in files if (found := split_path(path))}
    return {one: {path: file for path, file in files.items() if database_of(path) == one} for one in ids}


def download(dataset: Dataset, commit: str, wanted: Files, to: Path, progress: Progress | None = None) -> None:
    """Download files below a folder, under their paths; what is there already with the right content is kept.

    Raises:
        DatasetError: a file could not be read, or differs from its hash; those before it are kept.
        OSError: a file cannot be written.
    """
    size_bytes, done_bytes = sum(file.size_bytes for file in wanted.values()), 0
    for done in _in_threads(wanted, lambda path: _one(dataset, commit, path, wanted[path], to)):
        done_bytes += done
        if progress is not None:
            progress(done_bytes, size_bytes)


def downloaded(files: Files, to: Path) -> Iterator[StoredJournal]:
    """Yield the journals that `download` has written below a folder, the largest first."""
    journals = journals_of(files)
    for database_id in sorted(journals, key=lambda one: -_size_bytes(journals[one])):
        folder, mine = to / "journal" / database_id, journals[database_id]
        path = to / manifest_path(database_id)
        manifest = read_manifest(path.read_bytes()) if path.is_file() else None
        faults = tuple(_faults(manifest, mine, folder)) if manifest else ()
        yield StoredJournal(database_id, folder, mine, manifest, faults)


def _in_threads(paths: Collection[str], work: Callable[[str], int]) -> Iterator[int]:
    """Yield the results of some work on paths; its first error is raised when what has begun has ended.

    An interrupt waits for nothing: the threads of a pool would keep the program until a silent hub has answered.
    """
    waiting: SimpleQueue[str] = SimpleQueue()
    results: SimpleQueue[int | Exception] = SimpleQueue()
    for path in paths:
        waiting.put(path)

    def run() -> None:
        with suppress(Empty):
            while True:
                _put_result(work, waiting.get_nowait(), results)

    threads = [threading.Thread(target=run, name="store", daemon=True) for _ in range(min(THREADS, len(paths)))]
    for thread in threads:
        thread.start()
    try:
        for _ in paths:
            result = results.get()
            if isinstance(result, Exception):
                _empty(waiting)
                for thread in threads:
                    thread.join()
                raise result
            yield result
    finally:
        _empty(waiting)


def _put_result(work: Callable[[str], int], path: str, results: SimpleQueue[int | Exception]) -> None:
    result: int | Exception = DatasetError(f"the download of {path} ended unexpectedly; see the log")
    try:
        result = work(path)
    except (DatasetError, OSError) as error:
        result = error
    finally:
        results.put(result)


def _empty(waiting: SimpleQueue[str]) -> None:
    with suppress(Empty):
        while True:
            waiting.get_nowait()


def _one(dataset: Dataset, commit: str, path: str, file: RemoteFile, to: Path) -> int:
    target = to / path
    if not (target.is_file() and file.holds(target.read_bytes())):
        dataset.download(path, target, commit)
        if not file.holds(target.read_bytes()):
            target.unlink()
            raise DatasetError(f"{path} of the dataset {dataset.repo} came with another hash; a later try may succeed")
    return file.size_bytes


def _size_bytes(files: Files) -> int:
    return sum(file.size_bytes for file in files.values())


def _faults(manifest: Manifest, files: Files, folder: Path) -> Iterator[str]:
    """Yield what the manifest lists and the store lacks; more than it lists is no fault."""
    for name, listed in manifest.segments.items():
        path = segment_path(manifest.database_id, name)
        if path not in files:
            yield f"{path} is missing, with {listed.lines} lines"
        elif (folder / name).is_file() and (lines := (folder / name).read_bytes().count(b"\n")) < listed.lines:
            yield f"{path} has {lines} of {listed.lines} lines"
