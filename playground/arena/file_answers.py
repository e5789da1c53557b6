"""Answers of this playground's models to a file of the operator, beside its visitors: one run at a time, in a thread.

The answers are those of the command ``generate``, with the cards' own sampling parameters; either goes on where the
other stopped.

Boundary: instructions in, stored answers out; the page makes sure that it is the operator who asks for them.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playground.arena.answering import Answering, AnsweringRow
from playground.arena.battles import ArenaBattles
from playground.arena.models import Models
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Engine
from playground.errors import InvalidInstruction, InvalidValue, PlaygroundError, StorageError
from playground.messages import Message
from playground.records import Instruction, ModelCard
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.maintenance.disk_space import DiskSpace
from playground.studies.instruction_files import BadRow, clean_rows, open_file
from playground.studies.wanted import Failure, Standing, standing_of, wanted_of

AHEAD = 4
"""Answers that are written together: visitors' answers share the model with them."""
ENDED = Message("it ended unexpectedly; see the log")


@dataclass(frozen=True, slots=True)
class TakenFile:
    """The instructions of a file, and what of it cannot be used."""

    name: str
    columns: str  # the columns in use, in words
    instructions: dict[Instruction, str]  # each with its place
    bad: tuple[BadRow, ...]
    repeated: int  # rows with an instruction that an earlier one has
    turns_left_out: int


@dataclass(frozen=True, slots=True)
class FileAnswersState:
    """The file that was taken last, and the state of the last run; all empty if there was none since the start."""

    file: TakenFile | None = None
    running: bool = False
    model: str = ""  # that is writing
    total: int = 0  # answers that were missing at the start of the run
    written: int = 0
    there: int = 0  # answers that were stored before
    failures: tuple[Failure, ...] = ()
    is_stopped: bool = False
    error: str = ""

    @property
    def done(self) -> int:
        """Answers of the run that have ended."""
        return self.written + len(self.failures)


class FileAnswers:
    """Takes a file and writes the missing answers of some models to it."""

    def __init__(
        self, catalog: Catalog, engine: Engine, models: Models, battles: ArenaBattles, settings: Settings, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._engine = engine
        self._models = models
        self._battles = battles
        self._settings = settings
        self._clock = clock
        self._guard = threading.Lock()
        self._state = FileAnswersState()
        self._answering: Answering | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def state(self) -> FileAnswersState:
        """The current state."""
        with self._guard:
            return self._state

    def take(self, name: str, data: bytes) -> None:
        """Read a file; it replaces the one that was taken before.

        Args:
            name: its ending names the container.

        Raises:
            InvalidInstruction: nothing of it can be used; the message names its keys.
            InvalidValue: answers to another file are being written.
        """
        taken = self._read(name, data)
        with self._guard:
            self._check_idle()
            self._state = FileAnswersState(file=taken)

    def begin(self, model_ids: Sequence[str]) -> None:
        """Write the missing answers of these models of the line-up, and try failed ones again.

        Raises:
            InvalidValue: no file was taken, no model is named, or answers are being written.
            StorageError: nothing can be stored.
        """
        cards = [card for card in self._models.line_up if card.id in model_ids]
        if not cards:
            raise InvalidValue(Message("Choose at least one model."))
        store = self._battles.stored.store
        if store.read_only:
            raise StorageError(Message("Nothing is stored here: {why}", why=store.read_only))
        DiskSpace(self._settings.db.absolute().parent, self._settings.min_free_bytes).check()
        with self._guard:
            self._check_idle()
            file = self._state.file
            if file is None:
                raise InvalidValue(Message("Choose a file first."))
            self._state = FileAnswersState(file=file, running=True)
            self._thread = threading.Thread(
                target=self._run, args=(store, cards, file), name="file answers", daemon=True
            )
        self._thread.start()

    def stop(self) -> None:
        """Begin no more answers; what is being written is written to its end and stored."""
        with self._guard:
            if self._state.running:
                self._state = replace(self._state, is_stopped=True)
            if self._answering is not None:
                self._answering.is_stopping = True

    def close(self) -> None:
        """Stop for good; `wait` waits for the end of the run, which the engine's end brings about."""
        with self._guard:
            self._is_closed = True
        self.stop()

    def wait(self) -> None:
        """Wait for the end of a run."""
        if self._thread is not None:
            self._thread.join()

    def _check_idle(self) -> None:
        if self._is_closed:
            raise StorageError(Message("The playground is closing."))
        if self._state.running:
            raise InvalidValue(Message("Answers to a file are being written. Stop them first, or wait for their end."))

    def _read(self, name: str, data: bytes) -> TakenFile:
        with tempfile.TemporaryDirectory(prefix="playground-file-") as folder:
            path = Path(folder, f"file{Path(name).suffix.lower()}")
            path.write_bytes(data)
            with open_file(path, name=name) as file:
                columns, found = file.columns.words, clean_rows(file, self._settings)
        if not found.instructions:
            raise InvalidInstruction(Message("{name} has no row that can be used", name=name))
        return TakenFile(name, columns, found.instructions, tuple(found.bad), found.repeated, found.turns_left_out)

    def _run(self, store: Store, cards: Sequence[ModelCard], file: TakenFile) -> None:
        error = str(ENDED)
        try:
            self._write(store, cards, file)
            error = ""
        except PlaygroundError as failed:
            error = failed.public
        finally:
            with self._guard:
                self._answering = None
                self._state = replace(self._state, running=False, model="", error=error)

    def _write(self, store: Store, cards: Sequence[ModelCard], file: TakenFile) -> None:
        standings = [(card, self._standing(store, card, file)) for card in cards]
        with self._guard:
            missing = sum(len(standing.missing) for _, standing in standings)
            self._state = replace(self._state, total=missing, there=sum(standing.there for _, standing in standings))
        for card, standing in standings:
            store.upsert_model(card)
            answering = Answering(
                self._catalog, self._engine, card, self._settings.deadline_s, store, self._clock, ahead=AHEAD
            )
            with self._guard:
                answering.is_stopping = self._state.is_stopped
                self._answering = answering
                self._state = replace(self._state, model=card.name)
            for row in answering.rows(standing.missing):
                self._count(row)

    def _standing(self, store: Store, card: ModelCard, file: TakenFile) -> Standing:
        wanted = wanted_of(card, card.sampling, file.instructions, 1, 0)
        with store.reading() as reading:
            return standing_of(reading, wanted, retry_failed=True)

    def _count(self, row: AnsweringRow) -> None:
        if row.was_cut_off:
            return
        with self._guard:
            if row.error:
                failure = Failure(row.wanted.place, row.wanted.model_id, row.error)
                self._state = replace(self._state, failures=(*self._state.failures, failure))
            else:
                self._state = replace(self._state, written=self._state.written + 1)
