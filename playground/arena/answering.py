"""Answers of one model to many instructions, written together and stored as they end.

Boundary: an engine and a store in, results one by one out. There is no battle: `generated` names the answers. A row
that is cut off by the end of the process leaves nothing, and is written again by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from playground.arena.column import Column, column_of
from playground.arena.column_plan import plan_column
from playground.battles.generations import find_names, insert_generation
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Engine, Event, Started
from playground.errors import PlaygroundError
from playground.records import FinishReason, Generation, ModelCard
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.studies.wanted import WantedAnswer

AHEAD = 48
"""Rows that are handed to the engine at once: more than a worker writes together, so that none waits for the disk."""


def always(reading: Reading) -> bool:
    """Return True: nobody erases the instructions of a file."""
    return True


@dataclass(slots=True)
class AnsweringRow:
    """An answer that is being written, or has ended."""

    wanted: WantedAnswer
    column: Column | None = None  # None: its prompt could not be made
    generation: Generation | None = None
    error: str = ""  # why it failed; empty while it is written too
    has_started: bool = False
    started_s: float = 0.0
    ended_s: float = 0.0

    @property
    def is_stored(self) -> bool:
        """True if its generation is kept: a model that never began to answer leaves none, and is asked again."""
        return self.generation is not None and self.has_started and not self.was_cut_off

    @property
    def was_cut_off(self) -> bool:
        """True if it ended with the run."""
        return self.generation is not None and self.generation.finish_reason is FinishReason.CANCELLED


@dataclass(slots=True)
class Answering:
    """The rows of one model; `store` None keeps nothing.

    `rows` must be read to its end, or the object be closed after the engine, which stores what has ended.
    """

    catalog: Catalog
    engine: Engine
    card: ModelCard
    deadline_s: float
    store: Store | None = None
    clock: Clock = field(default_factory=Clock)
    ahead: int = AHEAD
    is_wanted: Callable[[Reading], bool] = always  # asked by the transaction that stores answers; False: it stores none
    is_stopping: bool = False  # what is being written is written to its end, and nothing more is begun
    _ended: SimpleQueue[AnsweringRow] = field(default_factory=SimpleQueue)
    _running: int = 0

    def rows(self, wanted: Sequence[WantedAnswer]) -> Iterator[AnsweringRow]:
        """Write the answers; yield each when it has ended and is stored."""
        self.engine.open([self.card])
        waiting = iter(wanted)
        while True:
            with self.engine.together():
                for answer in () if self.is_stopping else waiting:
                    self._start(answer)
                    if self._running >= self.ahead:
                        break
            if not self._running:
                return
            yield from self._take(wait=True)

    def finish(self) -> Iterator[AnsweringRow]:
        """Store and yield what has ended since; for a run that is stopped, after its engine was closed."""
        yield from self._take(wait=False)

    def _take(self, wait: bool) -> list[AnsweringRow]:
        rows = [self._ended.get()] if wait else []
        try:
            while True:
                rows.append(self._ended.get_nowait())
        except Empty:
            pass
        self._running -= len(rows)
        if self.store is not None:
            _save(self.store, [row for row in rows if row.is_stored], self.is_wanted)
        return rows

    def _start(self, wanted: WantedAnswer) -> None:
        row = AnsweringRow(wanted)
        self._running += 1
        try:
            row.column = self._column(wanted)
        except PlaygroundError as error:
            row.error = str(error)
            self._ended.put(row)
            return
        row.column.start(self.engine, self.deadline_s, partial(self._listen, row, row.column))

    def _column(self, wanted: WantedAnswer) -> Column:
        prompt = self.catalog.check_fits(self.card.id, wanted.instruction, wanted.params)
        plan = plan_column(self.catalog, self.card, prompt, wanted.params, wanted.seed)
        return column_of(plan, wanted.instruction, self.catalog, self.clock, self.engine.cancel)

    def _listen(self, row: AnsweringRow, column: Column, event: Event) -> None:
        """Take an event, on the engine's thread."""
        if isinstance(event, Started):
            row.has_started, row.started_s = True, self.clock.monotonic()
        row.generation = column.listen(event)
        if row.generation is not None:
            row.ended_s = self.clock.monotonic()
            row.error = row.generation.error or ""
            self._ended.put(row)


def _save(store: Store, rows: Sequence[AnsweringRow], is_wanted: Callable[[Reading], bool]) -> None:
    """Store ended rows, in one transaction."""
    ended = [(row.wanted, row.generation) for row in rows if row.generation is not None]
    if not ended:
        return
    names = find_names(store, [generation for _, generation in ended])

    def write(writing: Writing) -> None:
        if not is_wanted(writing):
            return
        for wanted, generation in ended:
            insert_generation(writing, generation, names)
            writing.insert_generated(wanted.key, wanted.attempt, wanted.number, wanted.run_seed, generation.id)

    store.write(write)
