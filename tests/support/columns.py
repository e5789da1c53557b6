"""A job of an engine and its events, as the web process keeps them."""

from __future__ import annotations

import queue

from playground.engines.protocol import Ended, Engine, Event, Job, Tokens

PATIENCE_S = 60.0


class Column:
    """One job and its events."""

    def __init__(self, engine: Engine, row: str = "row") -> None:
        self.engine, self.row = engine, row
        self.events: list[Event] = []
        self._fresh: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def begin(self, model_id: str, job: Job) -> None:
        self.engine.start(model_id, job, self._fresh.put)

    def wait_for(self, kind: type[Event]) -> Event:
        while True:
            event = self._fresh.get(timeout=PATIENCE_S)
            self.events.append(event)
            if isinstance(event, kind):
                return event

    def finish(self) -> Ended:
        ended = self.wait_for(Ended)
        assert isinstance(ended, Ended)
        return ended

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(i for event in self.events if isinstance(event, Tokens) for i in event.token_ids)
