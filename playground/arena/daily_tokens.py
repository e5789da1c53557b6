"""Keeps models within the tokens that their cards allow per day: a hosted model costs money for each.

Boundary: an engine in front of another; knows no server. Counted are prompt and answer of every row that has ended,
beginning with the stored answers of the day (UTC) when a model is opened; rows that are being written are not, so that
the last ones of a day can go over the limit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from playground.battles import blind_errors
from playground.clock import Clock
from playground.engines.protocol import Ended, Engine, Event, FilePoint, Job, Listener, MemoryFit, Tokens, tell
from playground.errors import EngineError
from playground.messages import Message
from playground.records import ModelCard, ModelStatus
from playground.storage.database.store import Store

SPENT = "spent"
"""The state of a model without tokens for today."""


@dataclass(slots=True)
class _Day:
    """The tokens of a model on one day."""

    day: str  # "2026-12-01"
    tokens: int


class DailyTokens:
    """Implements `Engine` by another one, which gets no job of a model whose `daily_tokens` are spent.

    Args:
        store: returns the database with the stored answers.
    """

    def __init__(self, engine: Engine, clock: Clock, store: Callable[[], Store]) -> None:
        self._engine, self._clock, self._store = engine, clock, store
        self._cards: dict[str, ModelCard] = {}  # with a limit
        self._days: dict[str, _Day] = {}
        self._guard = threading.Lock()

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        return self._engine.plan(cards)

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        return self._engine.check(card)

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Read what the day's answers of limited models have taken, and open all; see `Engine`."""
        today = self._today
        for card in cards:
            if card.daily_tokens and card.id not in self._days:
                self._days[card.id] = _Day(today, self._stored_tokens(card.id, today))
                self._cards[card.id] = card
        self._engine.open(cards)

    def unload(self, model_id: str) -> None:
        self._engine.unload(model_id)

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        """Accept a job; see `Engine`.

        Raises:
            EngineError: the model's tokens of today are spent.
        """
        if self._is_spent(model_id):
            raise EngineError(blind_errors.SPENT)
        limited = model_id in self._cards
        self._engine.start(model_id, job, self._counting(model_id, job, listener) if limited else listener)

    def together(self) -> AbstractContextManager[None]:
        return self._engine.together()

    def cancel(self, row: str) -> None:
        self._engine.cancel(row)

    def status(self) -> Mapping[str, ModelStatus]:
        """Return the status of each model; one without tokens for today is ``spent``."""
        return {model_id: self._marked(status) for model_id, status in self._engine.status().items()}

    def close(self) -> None:
        self._engine.close()

    @property
    def _today(self) -> str:
        return self._clock.now()[:10]

    def _stored_tokens(self, model_id: str, day: str) -> int:
        with self._store().reading() as reading:
            return reading.tokens_since(model_id, day)

    def _is_spent(self, model_id: str) -> bool:
        card = self._cards.get(model_id)
        if card is None:
            return False
        with self._guard:
            counted = self._days[model_id]
            return counted.day == self._today and counted.tokens >= card.daily_tokens

    def _words(self, model_id: str) -> str:
        card = self._cards[model_id]
        return Message(
            "{name} has spent its {tokens:,} tokens of today; it answers again at 00:00 UTC, choose another model until"
            " then",
            name=card.name,
            tokens=card.daily_tokens,
        )

    def _marked(self, status: ModelStatus) -> ModelStatus:
        if status.state == "failed" or not self._is_spent(status.model_id):
            return status
        return replace(status, state=SPENT, detail=self._words(status.model_id))

    def _counting(self, model_id: str, job: Job, listener: Listener) -> Listener:
        """Return a listener that counts the tokens of a row when it ends."""
        num_ids = 0

        def listen(event: Event) -> None:
            nonlocal num_ids
            if isinstance(event, Tokens):
                num_ids += len(event.token_ids)
            elif isinstance(event, Ended):
                of_ids = len(job.token_ids) + num_ids if num_ids else 0
                self._add(model_id, of_ids if event.num_tokens is None else event.num_tokens)
            tell(listener, event)

        return listen

    def _add(self, model_id: str, tokens: int) -> None:
        with self._guard:
            counted, today = self._days[model_id], self._today
            if counted.day != today:
                counted.day, counted.tokens = today, 0
            counted.tokens += tokens
