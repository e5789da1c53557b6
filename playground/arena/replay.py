"""Stored answers written again from what is stored with them: revision, token ids, parameters and seed.

Boundary: an engine and generations in, what came out in the order in which it ended; stores nothing. `replayed`
compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue

from playground.arena.column import column_of
from playground.arena.column_plan import plan_column
from playground.arena.replayed import Replayed
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.engines.protocol import Engine, Event
from playground.errors import PlaygroundError, Unknown
from playground.records import Generation, ModelCard

AHEAD = 48
"""Rows that are handed to the engine at once; an answer that was written by itself is written so again."""


@dataclass(slots=True)
class Replay:
    """Answers written again, one model after another, each loaded once; the caller closes the engine."""

    catalog: Catalog
    engine: Engine
    deadline_s: float
    clock: Clock = field(default_factory=Clock)
    _ended: SimpleQueue[Replayed] = field(default_factory=SimpleQueue)

    def answers(self, stored: Sequence[Generation]) -> Iterator[Replayed]:
        """Write answers again; yield each when it has ended, or the reason why it cannot be written."""
        usable = []
        for generation in stored:
            if why := why_not(generation):
                yield Replayed(generation, None, why)
            else:
                usable.append(generation)
        for _, group in groupby(sorted(usable, key=_model_of), key=_model_of):
            yield from self._of_model(list(group))

    def _of_model(self, stored: Sequence[Generation]) -> Iterator[Replayed]:
        try:
            card = self._card_of(stored[0])
            self.catalog.tokenizer_of(card)
            self.engine.open([card])
        except PlaygroundError as error:
            yield from (Replayed(generation, None, str(error)) for generation in stored)
            return
        by_itself = [generation for generation in stored if generation.written_together == 1]
        yield from self._written(card, [generation for generation in stored if generation.written_together != 1], AHEAD)
        yield from self._written(card, by_itself, 1)
        self.engine.unload(card.id)

    def _written(self, card: ModelCard, stored: Sequence[Generation], ahead: int) -> Iterator[Replayed]:
        """Write answers again, `ahead` of them at once."""
        for place, generation in enumerate(stored):
            if place >= ahead:
                yield self._ended.get()
            self._start(card, generation)
        for _ in stored[:ahead]:
            yield self._ended.get()

    def _card_of(self, stored: Generation) -> ModelCard:
        """Return the card that an answer was written by, at the same revision if it comes from a hub.

        Raises:
            Unknown: there is no such card, and its repository was not fetched.
        """
        try:
            card = self.catalog.card(stored.model_id)
        except Unknown:
            card = self.catalog.card(f"{stored.repo}@{stored.model_revision}")
        if Path(card.repo).is_absolute() or not stored.model_revision:
            return card  # a folder has no other revision than what is in it
        return replace(card, revision=stored.model_revision)

    def _start(self, card: ModelCard, stored: Generation) -> None:
        plan = plan_column(self.catalog, card, stored.prompt, stored.params, stored.seed)
        column = column_of(plan, stored.instruction, self.catalog, self.clock, self.engine.cancel)

        def listen(event: Event) -> None:
            again = column.listen(event)
            if again is not None:
                self._ended.put(Replayed(stored, again, again.error or ""))

        column.start(self.engine, self.deadline_s, listen)


def why_not(stored: Generation) -> str:
    """Return why an answer cannot be written again, as far as it says so itself; empty if it can."""
    if stored.versions.get("feed"):
        return "its server was sent text, and said no token ids: there is nothing to compare"
    if not stored.prompt.token_ids:
        return "the token ids of its prompt are not stored: it was imported, written by hand, erased, or never began"
    return "" if stored.token_ids else "it has no tokens: it failed before the first one"


def _model_of(generation: Generation) -> tuple[str, str]:
    return generation.model_id, generation.model_revision
