"""The import of a file: row by row, in batches, each row entirely or not at all.

Boundary: a file and a store in, counts and problems out. Rows are read while earlier ones are stored, so that a file of
any length needs the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from playground.battles.self_naming import names_itself
from playground.clock import utc_now
from playground.errors import InvalidValue, StorageError
from playground.exchange.imports.cards import card_of
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.known import format_of
from playground.exchange.imports.rows import FileFacts, FileRow, examine, read_rows
from playground.exchange.imports.texts import long_texts
from playground.records import ModelCard
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.database.tables.imports import Presence
from playground.storage.maintenance.imports import ImportOutcome, Incoming, add_judged, find_outcomes

BATCH = 500
"""Rows that share a transaction."""

Progress = Callable[[float], None]
"""Called with the share of the file that is done."""
Report = Callable[[str, str], None]
"""Called for each bad row with its place and what is wrong."""


def ignore(*_: object) -> None:
    """Report nothing."""


@dataclass(slots=True)
class Imported:
    """Counts of an import; `rows` is the sum of the three after it."""

    file: str  # name and hash, as its votes are marked
    rows: int = 0
    imported: int = 0
    there: int = 0  # stored already, by an earlier import or as votes of this playground
    refused: int = 0
    cleaned: int = 0  # imported rows with characters that no text here may have, which were removed
    models: list[str] = field(default_factory=list)  # new here


def import_file(
    store: Store,
    format: str,
    path: Path,
    limits: Settings | None = None,
    *,
    is_dry: bool = False,
    progress: Progress = ignore,
    report: Report = ignore,
) -> Imported:
    """Import the rows of a file that are not stored yet; repeating it changes nothing.

    Args:
        limits: of typed text.
        is_dry: store nothing; the counts are those that the import would have, as far as the database is concerned.

    Raises:
        InvalidValue: the format has no votes or is unknown, or the file as a whole cannot be read.
        StorageError: a write failed; rows that were imported before it stay.
        OSError: the file cannot be read.
    """
    known = format_of(format)
    facts = examine(path)
    origins = Origins(facts.name, utc_now(), long_texts(limits or Settings()))
    run = _Run(store, known, origins, Imported(facts.name), report, is_dry)
    for batch in _batches(read_rows(facts, known.options, known.check_columns)):
        run.take(batch)
        progress(batch[-1].done)
    _check_unchanged(facts)
    return run.counts


@dataclass(slots=True)
class _Run:
    """One import under way."""

    store: Store
    format: ImportFormat
    origins: Origins
    counts: Imported
    report: Report
    is_dry: bool
    cards: dict[str, ModelCard] = field(default_factory=dict)  # of the models met so far
    seen: set[int] = field(default_factory=set)  # hashes of the votes that a dry run has met

    def take(self, batch: Sequence[FileRow]) -> None:
        """Import a batch."""
        found = list(self._read(batch))
        self._meet([read for _, read in found])
        incoming = [self._incoming(read) for _, read in found]
        for (place, read), outcome in zip(found, self._outcomes(incoming), strict=True):
            match outcome.presence:
                case Presence.NEW:
                    self.counts.imported += 1
                    self.counts.cleaned += read.cleaned
                case Presence.THERE:
                    self.counts.there += 1
                case Presence.CONFLICT:
                    self._refuse(place, outcome.why)
            self.counts.models += outcome.models

    def _read(self, batch: Iterable[FileRow]) -> Iterator[tuple[str, ReadBattle]]:
        for row in batch:
            self.counts.rows += 1
            try:
                if row.error:
                    raise InvalidValue(row.error)
                yield row.place, self.format.battle(row.values, self.origins)
            except InvalidValue as error:
                self._refuse(row.place, str(error))

    def _refuse(self, place: str, why: str) -> None:
        self.counts.refused += 1
        self.report(place, why)

    def _meet(self, battles: Sequence[ReadBattle]) -> None:
        """Find the cards of models that are met for the first time, or make them."""
        answers = (side.generation for read in battles for side in read.judged.battle.sides)
        met = {answer.model_id: answer for answer in answers if answer and answer.model_id not in self.cards}
        if met:
            with self.store.reading() as reading:
                stored = reading.cards(met)
            if self.is_dry:
                self.counts.models += sorted(met.keys() - stored.keys())
            self.cards |= {id: stored.get(id) or card_of(answer, self.origins.file) for id, answer in met.items()}

    def _incoming(self, read: ReadBattle) -> Incoming:
        battle = read.judged.battle
        asked = f"{battle.instruction.system}\n{battle.instruction.instruction}\n{battle.instruction.input}"
        answers = [side.generation for side in battle.sides if side.generation is not None]
        cards = {answer.model_id: self.cards[answer.model_id] for answer in answers}
        names = {answer.id: names_itself(answer.text, cards[answer.model_id], asked) for answer in answers}
        named = {id: name for id, name in names.items() if name}
        return Incoming(read.judged, read.known_as, named, tuple(cards.values()))

    def _outcomes(self, incoming: Sequence[Incoming]) -> Sequence[ImportOutcome]:
        if self.is_dry:
            with self.store.reading() as reading:
                outcomes = find_outcomes(reading, incoming)
            return [self._dry(*found) for found in zip(incoming, outcomes, strict=True)]
        try:
            return add_judged(self.store, incoming)
        except StorageError as error:
            raise StorageError(
                f"{error}; {self.counts.imported:,} rows were imported before it; the same command goes on from there"
            ) from error

    def _dry(self, record: Incoming, outcome: ImportOutcome) -> ImportOutcome:
        key = hash(record.judged.vote.id)
        again = key in self.seen
        self.seen.add(key)
        return ImportOutcome(Presence.THERE) if again and outcome.presence is Presence.NEW else outcome


def _batches(rows: Iterator[FileRow]) -> Iterator[list[FileRow]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _check_unchanged(facts: FileFacts) -> None:
    """Say so if the file was replaced while it was read: its hash is stored with the votes."""
    if facts.path.stat().st_size != facts.size_bytes:
        raise InvalidValue(f"{facts.path.name} changed while it was imported; import it again")
