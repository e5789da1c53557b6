"""Recorded answers instead of models: each is written token by token at set times, by a clock that a test moves.

Boundary: implements `Engine` over real generations of before; the arena above it is the real one, in which a view waits
while the clock is being moved.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playground.arena.arena import Arena
from playground.arena.battles import ArenaBattles
from playground.arena.boards import arena_analyses, arena_boards
from playground.arena.raters import Raters
from playground.clock import Clock
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Tokens
from playground.errors import EngineError
from playground.records import BattleView, FinishReason, ModelCard, ModelStatus
from playground.settings import Settings

BEGAN = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
PATIENCE_S = 60


@dataclass(frozen=True)
class Take:
    """One model's answer: its tokens, their times, and its end."""

    token_ids: tuple[int, ...]
    waits_s: float = 0.2
    token_s: float = 0.05
    ends: FinishReason = FinishReason.STOP
    error: str | None = None
    queued: tuple[int, str] | None = None  # rows before it, and for what it waits
    refused: str = ""  # it is not even started

    def events(self, row: str, facts: EngineFacts) -> list[tuple[float, Event]]:
        """Return the events with their seconds after the start."""
        said: list[tuple[float, Event]] = [(0.0, Queued(row, *self.queued))] if self.queued else []
        said += [(self.waits_s, Started(row, facts))]
        said += [(self.waits_s + n * self.token_s, Tokens(row, (t,))) for n, t in enumerate(self.token_ids, 1)]
        end_s = self.waits_s + (len(self.token_ids) + 1) * self.token_s
        return [*said, (end_s, Ended(row, self.ends, self.error))]


@dataclass
class _Row:
    listener: Listener
    events: list[tuple[float, Event]]  # with the time at which each is due
    cancelled: bool = False


class ReplayEngine:
    """An `Engine` that says again what was said before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[str, _Row] = {}
        self.takes: Mapping[str, Take] = {}
        self._cards: dict[str, ModelCard] = {}

    def open(self, cards: Sequence[ModelCard]) -> None:
        self._cards |= {card.id: card for card in cards}

    def unload(self, model_id: str) -> None:
        raise EngineError(f"{model_id} is a recording")

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        take, card = self.takes[model_id], self._cards[model_id]
        if take.refused:
            raise EngineError(take.refused)
        facts = EngineFacts("local", "cpu", card.dtype, card.revision, {"torch": model_id})
        began = self._world.seconds
        self._rows[job.row] = _Row(listener, [(began + at, event) for at, event in take.events(job.row, facts)])

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def cancel(self, row: str) -> None:
        if row in self._rows:
            self._rows[row].cancelled = True

    def status(self) -> Mapping[str, ModelStatus]:
        return {model_id: ModelStatus(model_id, "ready", device="cpu") for model_id in self._cards}

    def close(self) -> None:
        for row in self._rows.values():
            row.cancelled = True
        self.play()

    def play(self) -> None:
        """Say all that is due by now."""
        for name, row in list(self._rows.items()):
            if row.cancelled:
                row.events = [(0.0, Ended(name, FinishReason.CANCELLED))]
            while row.events and row.events[0][0] <= self._world.seconds + 1e-9:
                row.listener(row.events.pop(0)[1])
            if not row.events:
                del self._rows[name]

    @property
    def busy(self) -> bool:
        return bool(self._rows)


@dataclass
class World:
    """Time and who has looked since it last moved."""

    seconds: float = 0.0
    moved: threading.RLock = field(default_factory=threading.RLock)
    looked: threading.Condition = field(default_factory=threading.Condition)
    looks: int = 0

    @property
    def clock(self) -> Clock:
        return Clock(
            lambda: (BEGAN + timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds"), lambda: self.seconds
        )

    def await_look(self, seen: int) -> None:
        """Until somebody has been shown what is now, `seen` looks ago."""
        with self.looked:
            if not self.looked.wait_for(lambda: self.looks > seen, PATIENCE_S):
                raise TimeoutError("nobody looked")

    def note_look(self) -> None:
        with self.looked:
            self.looks += 1
            self.looked.notify_all()


class ReplayBattles(ArenaBattles):
    """Battles of which every view is noted, while time stands still."""

    def __init__(self, battles: ArenaBattles, world: World) -> None:
        super().__init__(battles._rules, battles._running)
        self.world = world

    def glance(self, *args: Any, **kwargs: Any) -> BattleView | None:
        with self.world.moved:
            seen = super().glance(*args, **kwargs)
            if seen is not None:
                self.world.note_look()
        return seen

    def view(self, *args: Any, **kwargs: Any) -> BattleView:
        with self.world.moved:
            seen = self.glance(*args, **kwargs)
            if seen is None:
                seen = super().view(*args, **kwargs)
                self.world.note_look()
        return seen


class ReplayArena(Arena):
    """The arena over recorded answers; time stands still while somebody looks."""

    def __init__(self, settings: Settings, world: World | None = None) -> None:
        self.world = world or World()
        self.engine = ReplayEngine(self.world)
        super().__init__(settings, self.engine, self.world.clock)
        self.battles = ReplayBattles(self.battles, self.world)
        self.raters = Raters(self.battles, self._running, self.policy)
        self._boards = arena_boards(self.battles, self.catalog, self.starters, self._clock)
        self._analyses = arena_analyses(self.battles, self.catalog, self.starters, self._clock)

    def pass_s(self, seconds: float) -> int:
        """Time passes in one step; what ended in it is recorded when this returns the number of looks before it."""
        with self.world.moved:
            self.world.seconds = round(self.world.seconds + seconds, 6)
            self.engine.play()
            self._await_recorder()
            return self.world.looks

    def play(self, step_s: float, until_s: float = math.inf) -> None:
        """Step by step, each seen by whoever reads, to the end or for so long."""
        self.world.await_look(self.world.looks)
        until_s = round(self.world.seconds + until_s, 6)  # as many steps whenever it begins
        while self.engine.busy and self.world.seconds < until_s:
            self.world.await_look(self.pass_s(step_s))

    def _await_recorder(self) -> None:
        """Wait for the recording: a poll before it would depend on the thread, not on the models."""
        if self.engine.busy:
            return
        flag = threading.Event()
        while self.running:
            flag.wait(0.002)
