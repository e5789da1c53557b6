"""Answers to the instructions that raters of live studies write, beside the playground's visitors.

An instruction is stored before it is acknowledged. A restart goes on where its answers were cut off: one that is stored
stays, the other is written again with the same seed. The rater waits for both, and meets them like any other battle.

Boundary: stored instructions in, items of studies out; `studies` decides who may write, and which models answer.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from playground.arena.answering import Answering
from playground.arena.battles import ArenaBattles
from playground.arena.capacity import Capacity
from playground.arena.models import Models
from playground.battles.blind_errors import blind_error
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Engine
from playground.errors import (
    Busy,
    InvalidInstruction,
    InvalidValue,
    PlaygroundError,
    PromptTooLong,
    Refused,
    StorageError,
)
from playground.messages import Message
from playground.records import Instruction, LiveItem, ModelCard
from playground.settings import Settings
from playground.storage.maintenance.disk_space import DiskSpace
from playground.studies.live import settle, wanted_answers
from playground.studies.study_file import StudyFile
from playground.studies.wanted import WantedAnswer, standing_of

log = logging.getLogger(__name__)

NO_MODELS = Message(
    "Instructions of this study are answered by models that do not run here now. Whoever sent you the link can start"
    " them; come back then."
)
TOO_LONG = Message("Your instruction is too long for the models of this study. Shorten it.")
WRITING = Message(
    "Answers to an instruction that you wrote for a study are being written, so nothing was erased. Wait for them, then"
    " erase."
)
CLOSING = Message("The playground is closing; your instruction was not taken. Send it again in a minute.")


class LiveAnswers:
    """Writes the two answers to each instruction; as many at once as comparisons may run, these included."""

    def __init__(
        self,
        catalog: Catalog,
        engine: Engine,
        models: Models,
        battles: ArenaBattles,
        capacity: Capacity,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._engine = engine
        self._models = models
        self._battles = battles
        self._capacity = capacity
        self._settings = settings
        self._clock = clock
        self._guard = threading.Lock()
        self._running: dict[tuple[str, int], tuple[LiveItem, threading.Thread]] = {}
        self._is_closed = False

    def why_not(self, models: Iterable[str]) -> str:
        """Return why some models of a study cannot answer now, in words; empty if they can."""
        return "" if set(models) <= set(self._models.ids()) else NO_MODELS

    def write(self, file: StudyFile, instruction: Instruction, store: Callable[[], LiveItem]) -> LiveItem:
        """Store an instruction by `store`, and begin its answers.

        Raises:
            Busy: as many comparisons run as may run at once.
            InvalidInstruction: it is too long for one of the study's models, whichever these are.
            InvalidValue: the models do not run here, or `store` refuses it.
            StorageError: nothing can be stored.
        """
        if why := self.why_not(file.models):
            raise InvalidValue(why)
        self._check_fits(file, instruction)
        if why := self._battles.stored.store.read_only:
            raise StorageError(Message("Nothing is stored here: {why}", why=why))
        DiskSpace(self._settings.db.absolute().parent, self._settings.min_free_bytes).check()
        seat = self._seat()
        try:
            live = store()
        except PlaygroundError:
            self._capacity.free(seat, ended=False)
            raise
        self._begin(live, seat)
        return live

    def resume(self) -> None:
        """Go on with the instructions whose answers were cut off, as far as their models run; raises `StorageError`."""
        store = self._battles.stored.store
        if store.read_only:
            return
        with store.reading() as reading:
            waiting = reading.live_items_being_answered()
        for live in waiting:
            if (live.study, live.number) in self._running or self.why_not(live.models):
                continue
            try:
                self._begin(live, self._seat())
            except (Busy, StorageError):  # next minute
                return

    @property
    def is_running(self) -> bool:
        """True while answers are being written."""
        with self._guard:
            return bool(self._running)

    def check_idle(self, rater: str) -> None:
        """Raise Refused while an instruction that a rater wrote is being answered."""
        with self._guard:
            is_answered = any(live.owner == rater for live, _ in self._running.values())
        if is_answered:
            raise Refused("writing", WRITING)

    def close(self) -> None:
        """Begin nothing more; `wait` waits for the end of what is begun, which the engine's end brings about."""
        with self._guard:
            self._is_closed = True

    def wait(self) -> None:
        """Wait for the end of what is being written."""
        with self._guard:
            running = list(self._running.values())
        for _, thread in running:
            thread.join()

    def _check_fits(self, file: StudyFile, instruction: Instruction) -> None:
        for model in file.models:
            try:
                self._catalog.check_fits(model, instruction, self._catalog.card(model).sampling)
            except PromptTooLong as error:
                raise InvalidInstruction(TOO_LONG) from error
            except PlaygroundError as error:
                raise InvalidInstruction(blind_error(str(error))) from error

    def _seat(self) -> str:
        """Take capacity under a name, which is returned."""
        if self._is_closed:
            raise StorageError(CLOSING)
        seat = secrets.token_hex(16)
        self._capacity.take(seat)
        return seat

    def _begin(self, live: LiveItem, seat: str) -> None:
        """Begin the answers, unless they are begun or written; the seat is free at their end."""
        place = (live.study, live.number)
        thread = threading.Thread(target=self._run, args=(live, seat), name="live answers", daemon=True)
        with self._guard:
            is_new = place not in self._running and live.is_being_answered and not self._is_closed
            if is_new:
                self._running[place] = (live, thread)
        if is_new:
            thread.start()
        else:
            self._capacity.free(seat, ended=False)

    def _run(self, live: LiveItem, seat: str) -> None:
        try:
            self._answer(live)
        except StorageError as error:
            log.error("answers of study %s were not stored, and are written again: %s", live.study, error)
        finally:
            self._capacity.free(seat)
            with self._guard:
                del self._running[live.study, live.number]

    def _answer(self, live: LiveItem) -> None:
        """Have both models answer, unless the instruction has been erased since it was stored."""
        with self._battles.stored.store.reading() as reading:
            if not reading.is_being_answered(live):
                return
        cards = {card.id: card for card in self._models.line_up if card.id in live.models}
        wanted = wanted_answers(live, list(cards.values()))
        with ThreadPoolExecutor(len(wanted)) as together:
            errors = list(together.map(lambda answer: self._write(live, cards[answer.model_id], answer), wanted))
        if not self._is_closed or not any(errors):  # else the end of the engine may be why
            settle(self._battles.stored.store, live, wanted, errors)

    def _write(self, live: LiveItem, card: ModelCard, wanted: WantedAnswer) -> str:
        """Write one answer unless it is stored; return why it failed, empty if it did not or was cut off."""
        store = self._battles.stored.store
        with store.reading() as reading:
            missing = standing_of(reading, [wanted], retry_failed=True).missing
        answering = Answering(
            self._catalog,
            self._engine,
            card,
            self._settings.deadline_s,
            store,
            self._clock,
            is_wanted=lambda reading: reading.is_being_answered(live),
        )
        try:
            return "".join(row.error for row in answering.rows(missing) if not row.was_cut_off)
        except StorageError:
            raise
        except PlaygroundError as error:
            return str(error)
