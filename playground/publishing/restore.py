"""The restore of a database from the store, at the start of the playground or by command.

Boundary: decides what is downloaded and where it belongs; events are added by `storage.maintenance.restore`.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from playground.errors import DatasetError, StorageError
from playground.publishing.download import Progress, StoredJournal, download, downloaded, journals_of
from playground.publishing.hub import Dataset, Head, RemoteFile
from playground.publishing.layout import manifest_path, split_path
from playground.publishing.local_segments import LocalSegment, LocalSegments
from playground.publishing.upload import Known, open_dataset
from playground.storage.database.files import sync_folder
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.consistency import matches
from playground.storage.journal.entries import count_events, database_id, is_empty, last_event
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import Restored, restore

log = logging.getLogger(__name__)

START_WAIT_S = 300.0
"""The longest time that the start waits for the hub before it gives up."""
LISTING_S = 20.0
"""The longest time that the start of a database with votes waits to learn what the store holds."""
LOG_EVERY_S = 5.0
FIRST_RETRY_S, MOST_RETRY_S = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class FromStore:
    """The result of a restore.

    Args:
        known: what the store held, for the uploads that follow.
        journals: the result for each database of the store, by its id.
        warnings: what is missing or was left out, in words.
    """

    known: Known = field(default_factory=Known)
    journals: tuple[tuple[str, Restored], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def votes_added(self) -> int:
        return sum(restored.votes_added for _, restored in self.journals)


def restore_at_start(
    store: Store, dataset: Dataset, *, wait_s: float = START_WAIT_S, sleep: Callable[[float], None] = time.sleep
) -> FromStore:
    """Bring what the store has and the database lacks into the database, before anybody votes.

    An empty database waits for the hub, for at most `wait_s`: a new history beside the store's would be begun
    otherwise. One with votes goes on without a hub that cannot be reached, or is silent for `LISTING_S`.

    Raises:
        DatasetError: the database is empty, and the store could not be read.
        StorageError, OSError: the database or its folder cannot be written to.
    """
    if not (_is_empty(store) or _unfinished(store).exists()):
        try:
            return merge_store(store, dataset)
        except DatasetError as error:
            log.error("%s; the votes that only the store has are not added before the next start", error)
            return FromStore()
    waited_s, pause_s = 0.0, FIRST_RETRY_S
    while True:
        try:
            return restore_from_store(store, dataset)
        except DatasetError as error:
            pause_s = min(max(pause_s, error.retry_after_s), wait_s)
            if error.is_final or waited_s >= wait_s:
                raise _refusal(error) from error
            log.warning("%s; no vote is restored yet, the next try is in %.0f s", error, pause_s)
        sleep(pause_s)
        waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, MOST_RETRY_S)


def _refusal(error: DatasetError) -> DatasetError:
    words = (
        f"{error}. The database is empty, and the votes that belong into it may be in the store, so nothing is started "
        "without them: cure that and start again, or unset PLAYGROUND_STORE to begin a new history"
    )
    return DatasetError(words, status=error.status, is_final=True)


def restore_from_store(store: Store, dataset: Dataset, progress: Progress | None = None) -> FromStore:
    """Bring every vote of the store into the database; interrupted, it is continued by the next call.

    An empty database becomes the one of the store with the most votes; the votes of others are added to it.

    Raises:
        DatasetError: the store could not be read.
        StorageError, OSError: the database or its folder cannot be written to.
    """
    head = open_dataset(dataset)
    files = dataset.files(head.commit)
    wanted = {path: file for mine in journals_of(files).values() for path, file in mine.items()}
    if not wanted:
        return FromStore(Known(files))
    folder = _unfinished(store)
    folder.mkdir(parents=True, exist_ok=True)
    _drop_others(folder, wanted)
    download(dataset, head.commit, wanted, folder, progress or _logged("downloaded from the store"))
    with store.reading() as reading:
        own, was_empty = database_id(reading), is_empty(reading)
    journals = sorted(downloaded(files, folder), key=lambda one: one.database_id != own)
    done = [(one.database_id, restore(store, one.folder, _logged("restored"), of_another=True)) for one in journals]
    is_copy = was_empty and len(journals) == 1 and _is_copy(store, journals[0].folder, done[0][1])
    merged = _settle(store, journals, is_copy)
    shutil.rmtree(folder)
    squash = any(one.manifest is not None and one.manifest.squash for one in journals)
    result = FromStore(Known(files, merged, squash), tuple(done), tuple(_warnings(journals, done)))
    log.info("%s votes and undos were restored from the dataset %s", f"{result.votes_added:,}", dataset.repo)
    return result


def merge_store(store: Store, dataset: Dataset) -> FromStore:
    """Bring into a database with votes what the store has of the same database, and its journal lacks.

    Raises:
        DatasetError: the store could not be read.
        StorageError, OSError: the database or its folder cannot be written to.
    """
    head, files = _listed_in_time(dataset)
    with store.reading() as reading:
        own = database_id(reading)
    mine = journals_of(files).get(own, {})
    lacking = {path: mine[path] for path in _lacking(store, mine)}
    foreign = tuple(f"the store has votes of another database too ({one})" for one in journals_of(files) if one != own)
    if not lacking:
        return FromStore(Known(mine), warnings=foreign)
    folder = _path(store).with_name(f"{_path(store).name}.merging")
    try:
        download(dataset, head.commit, lacking, folder, _logged("downloaded from the store"))
        [journal] = downloaded(lacking, folder)
        done = [(own, restore(store, journal.folder))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    log.info("%s votes and undos of the dataset %s were missing here", f"{done[0][1].votes_added:,}", dataset.repo)
    return FromStore(Known(mine, _lacking(store, mine)), tuple(done), (*_warnings([journal], done), *foreign))


def _listed_in_time(dataset: Dataset) -> tuple[Head, Mapping[str, RemoteFile]]:
    """Return the store's newest commit and files; raise DatasetError if they are not known in time.

    A request that hangs is tried again by the hub's library for minutes, in which nobody could vote.
    """
    results: SimpleQueue[tuple[Head, Mapping[str, RemoteFile]] | DatasetError] = SimpleQueue()

    def ask() -> None:
        result: tuple[Head, Mapping[str, RemoteFile]] | DatasetError = DatasetError("listing the store failed")
        try:
            head = open_dataset(dataset)
            result = head, dataset.files(head.commit)
        except DatasetError as error:
            result = error
        finally:
            results.put(result)

    threading.Thread(target=ask, name="store", daemon=True).start()
    try:
        result = results.get(timeout=LISTING_S)
    except Empty as error:
        raise DatasetError(f"the hub has not listed the dataset {dataset.repo} in {LISTING_S:.0f} s") from error
    if isinstance(result, DatasetError):
        raise result
    return result


def _drop_others(folder: Path, wanted: Mapping[str, RemoteFile]) -> None:
    """Delete what an interrupted restore left and the store does not have: it may hold text that was erased since."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def _is_copy(store: Store, folder: Path, restored: Restored) -> bool:
    """Return True if a database that was empty has exactly the events of one journal, under their numbers."""
    with store.reading() as reading:
        counts = {restored.lines, segments.highest_seq(folder), last_event(reading), count_events(reading)}
    return len(counts) == 1 and not restored.missing


def _settle(store: Store, journals: Sequence[StoredJournal], is_copy: bool) -> frozenset[str]:
    """Move the database's own journal to its place beside it, if it has none and this one agrees with the database.

    Returns the files of the store that the journal beside the database does not have.
    """
    place = _journal(store)
    with store.reading() as reading:
        own = database_id(reading)
        mine = [one for one in journals if one.database_id == own]
        if mine and not segments.segments(place) and (is_copy or matches(reading, mine[0].folder)):
            shutil.rmtree(place, ignore_errors=True)
            mine[0].folder.rename(place)
            sync_folder(place.parent)
            return frozenset(path for one in journals if one is not mine[0] for path in one.files)
    files = {path: file for one in journals for path, file in one.files.items()}
    others = {manifest_path(one.database_id) for one in journals if one.database_id != own}
    return _lacking(store, files) | (others & files.keys())


def _lacking(store: Store, files: Mapping[str, RemoteFile]) -> frozenset[str]:
    """Return the segments of the store that are not beside the database, as it is now."""
    local = LocalSegments(_journal(store)).read()
    return frozenset(path for path, file in files.items() if split_path(path) and not _has(local, path, file))


def _has(local: Mapping[str, LocalSegment], path: str, file: RemoteFile) -> bool:
    """Return True if a file of the store is a segment beside the database, or the beginning of one."""
    found = split_path(path)
    segment = local.get(found[1]) if found else None
    return segment is not None and (segment.is_in(file) or segment.continues(file))


def _warnings(journals: Sequence[StoredJournal], done: Sequence[tuple[str, Restored]]) -> Iterator[str]:
    for journal in journals:
        yield from (f"the store is not complete: {fault}" for fault in journal.faults)
    for database, restored in done:
        faults = (
            (restored.damaged, "lines are damaged and were left out"),
            (restored.refused, "lines do not fit what the database has"),
            (restored.missing, "events are in no segment"),
        )
        yield from (f"of database {database}, {number} {words}" for number, words in faults if number)
    yield from (restored.held for _, restored in done[-1:] if restored.held)
    if len(done) > 1:
        yield f"the votes of {len(done)} databases were merged: {', '.join(database for database, _ in done)}"


def _is_empty(store: Store) -> bool:
    with store.reading() as reading:
        return is_empty(reading)


def _path(store: Store) -> Path:
    if store.path is None:
        raise StorageError("a database in memory has no store")
    return store.path


def _journal(store: Store) -> Path:
    return journal_folder(_path(store))


def _unfinished(store: Store) -> Path:
    """Return the folder of a restore that has begun; while it exists the database may lack votes."""
    return _path(store).with_name(f"{_path(store).name}.restoring")


def _logged(words: str) -> Progress:
    """Return a progress that is logged every `LOG_EVERY_S`."""
    last_s = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= LOG_EVERY_S:
            last_s = time.monotonic()
            log.info("%.0f of %.0f MB %s", done / 1e6, total / 1e6, words)

    return report
