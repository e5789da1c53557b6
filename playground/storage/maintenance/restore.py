"""Restoring a database from a journal: a new database, or one that lacks events.

Boundary: reads segments and decides what to replay; the rows are written by `replay`. Duplicate, torn and missing lines
change nothing, and erased text stays erased whatever an old line holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseNewer, StorageError
from playground.storage.database.files import sync_folder
from playground.storage.database.migrations import schema_version
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.storage.database.tables.criteria import WRITTEN_REASONS
from playground.storage.journal import segments
from playground.storage.journal.consistency import matches
from playground.storage.journal.entries import database_id, erasures, is_empty, migrated
from playground.storage.journal.lines import Line, Record
from playground.storage.journal.redaction import redact
from playground.storage.journal.segments import journal_folder
from playground.storage.journal.tally import JournalTally
from playground.storage.journal.tombstones import Tombstones
from playground.storage.maintenance.replay import compare_histories, replay

BATCH = 1000
"""Lines that share a transaction."""

Progress = Callable[[int, int], None]
"""Called with the bytes of the journal that were read, and its size."""

_BLANK_BATTLE = """
UPDATE battles SET instruction_id = :instruction_id, erased_at = :erased_at WHERE id = :id AND erased_at IS NULL"""
_DELETE_NOTES = "DELETE FROM vote_notes WHERE rater_id = :rater_id AND kind IN ('comment', 'report')"
_BLANK_REASONS = f"UPDATE {WRITTEN_REASONS}"
_INSTRUCTIONS_OF = """
SELECT instruction_id FROM battles WHERE id IN (SELECT value FROM json_each(:ids))
UNION SELECT instruction_id FROM generations WHERE id IN (SELECT value FROM json_each(:ids))"""

# A number that could not be used is not missed at the next start.
_SET_COUNTER = (
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'journal_events', 0"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journal_events')",
    "UPDATE sqlite_sequence SET seq = :highest WHERE name = 'journal_events' AND seq < :highest",
)


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore; votes include undos and undone votes."""

    lines: int  # intact ones
    votes_added: int
    votes_there: int  # in the journal, and in the database before
    refused: int  # lines of an unknown battle, or of one that was judged otherwise meanwhile
    damaged: int
    torn: int
    missing: int  # numbers below the highest without a line
    moved_to: str  # where the database's own journal lies now, if the two had diverged; else empty
    unknown_studies: tuple[str, ...] = ()  # that only votes name; these are held as those of a running study

    @property
    def held(self) -> str:
        """Say which votes are on no public page, and the cure; empty if all may be."""
        if not self.unknown_studies:
            return ""
        return (
            f"the journal does not hold the studies of some votes: {', '.join(self.unknown_studies)}. These votes are"
            " kept from public pages and publications, as while a study runs, until: python -m playground study close"
            " ID --why WORDS"
        )


def restore(store: Store, folder: Path, progress: Progress | None = None, *, of_another: bool = False) -> Restored:
    """Add every event of the journal in `folder` that the database lacks; repeating it changes nothing.

    A database without battles becomes the journal's; any other must be it already.

    Args:
        of_another: the journal may be that of another database, whose events are then added to this one's under
            numbers that are free.

    Raises:
        StorageError: there is no journal, or a write failed; what was committed stays.
        DatabaseBroken: it is the journal of another database, or of several.
        DatabaseNewer: a newer version wrote it.
        OSError: a segment cannot be read.
    """
    check_journal(folder)
    _adopt(store, folder, of_another)
    journal_erasures = [line.record for line in segments.events(folder) if line.event == "erasure"]
    tombstones = store.write(partial(_erase, journal_erasures=journal_erasures))
    with store.reading() as reading:
        votes_before, last_row = _count_votes(reading)
        histories = compare_histories(reading, folder)
    tally, there, refused, size = JournalTally(), 0, 0, sum(path.stat().st_size for path in segments.segments(folder))
    for batch in _batches(_lines(folder, tally)):
        records = [tombstones.applied(migrated(line.record)) for line in batch]
        votes = [record["vote_id"] for record in records if tally.add(record["seq"]) and record["event"] == "vote"]
        with store.reading() as reading:
            there += _count_known(reading, votes, last_row)
        refused += replay(store, records, histories)
        if progress is not None:
            progress(tally.bytes, size)
    store.write(partial(_set_counter, highest=tally.highest))
    with store.reading() as reading:
        added, unknown = _count_votes(reading)[0] - votes_before, tuple(reading.unknown_studies())
    moved_to = _move_aside(store, tombstones)
    return Restored(tally.lines, added, there, refused, tally.damaged, tally.torn, tally.missing, moved_to, unknown)


def _lines(folder: Path, tally: JournalTally) -> Iterator[Line]:
    for segment in segments.in_order(folder):
        for line in segments.read(segment):
            tally.count(line)
            if line.is_event:
                yield line


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def check_journal(folder: Path) -> None:
    """Check that a folder holds a journal that can be restored.

    Raises:
        StorageError: there is none.
        DatabaseNewer: a newer version wrote it.
    """
    found = segments.segments(folder)
    if not found:
        raise StorageError(f"there is no journal in {folder}; name its folder, which ends in .journal")
    headers = [header for header in map(segments.header, found) if header is not None]
    newest = max((int(header["version"]) for header in headers), default=0)
    if newest > schema_version():
        raise DatabaseNewer(
            f"{folder} was written with schema {newest}, this version knows up to {schema_version()};"
            " update the playground"
        )


def _adopt(store: Store, folder: Path, of_another: bool) -> None:
    """Give a database without battles the id of the journal's database."""
    ids = segments.database_ids(folder)
    if len(ids) > 1:
        raise DatabaseBroken(f"{folder} holds journals of {len(ids)} databases; restore each from a folder of its own")
    with store.reading() as reading:
        own = database_id(reading)
        is_used = not is_empty(reading)
    if ids <= {own} or (is_used and of_another):
        return
    if is_used:
        raise DatabaseBroken(
            f"{folder} is the journal of another database than {store.path}; name a new file with --db"
        )
    adopted = [{"value": next(iter(ids))}]
    store.write(lambda writing: writing.change("UPDATE facts SET value = :value WHERE name = 'database_id'", adopted))


def _erase(writing: Writing, journal_erasures: Sequence[Record]) -> Tombstones:
    """Erase what the journal says was erased; return those tombstones and the database's own."""
    done = {(row["rater_id"], row["created_at"]) for row in writing.select("SELECT * FROM erasures")}
    keys = [(row["rater_id"], row["created_at"]) for record in journal_erasures for row in record["rows"]["erasures"]]
    new = Tombstones.of(record for record, key in zip(journal_erasures, keys, strict=True) if key not in done)
    known = Tombstones.of([*erasures(writing), *journal_erasures])
    if new.raters:
        _apply(writing, new)
    return known


def _apply(writing: Writing, erased: Tombstones) -> None:
    used = writing.select(_INSTRUCTIONS_OF, {"ids": to_json([*erased.battles, *erased.generations])})
    categories = [row["category"] for row in writing.select("SELECT DISTINCT category FROM instructions")]
    empty = [writing.add_empty_instruction(category) for category in categories]
    writing.change(_BLANK_BATTLE, erased.battles.values())
    writing.blank_generations(erased.generations)
    writing.change(_DELETE_NOTES, [{"rater_id": rater} for rater in erased.raters])
    writing.change(_BLANK_REASONS, [{"rater": rater} for rater in erased.raters])
    writing.drop_unused_instructions([row["instruction_id"] for row in used] + empty)


def _count_votes(reading: Reading) -> tuple[int, int]:
    """Return the number of vote rows, and the number of the last one; rows are only ever added."""
    [row] = reading.select("SELECT count(*) AS votes, coalesce(max(rowid), 0) AS last FROM votes")
    return row["votes"], row["last"]


def _count_known(reading: Reading, votes: Sequence[str], last_row: int) -> int:
    statement = "SELECT count(*) FROM votes WHERE id IN (SELECT value FROM json_each(?)) AND rowid <= ?"
    return int(reading.scalar(statement, (to_json(votes), last_row)))


def _set_counter(writing: Writing, highest: int) -> None:
    for statement in _SET_COUNTER:
        writing.change(statement, [{"highest": highest}])


def _move_aside(store: Store, erased: Tombstones) -> str:
    """Move the database's own journal away if the two have diverged; the next start writes it in full.

    An event that came back under a number below the journal's end would otherwise never be written.
    """
    own = None if store.path is None else journal_folder(store.path)
    if own is None:
        return ""
    with store.reading() as reading:
        if matches(reading, own):
            return ""
    redact(own, erased)
    aside = own.with_name(f"{own.name}.merged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    own.rename(aside)
    sync_folder(own.parent)
    return str(aside)
