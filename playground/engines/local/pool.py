"""The local engine: every model in a worker process of its own, kept up, with jobs in and events out.

Everything happens on one thread of the engine's, fed by a queue: what the outside asks, what the workers say, and
time. So events reach listeners in order, and nothing here needs a lock.

Boundary: runs in the web process and never imports torch, transformers or accelerate.
"""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from playground.engines.local.devices import find_devices
from playground.engines.local.launch import launcher
from playground.engines.local.placement import Device, How, plan, rows_beside
from playground.engines.local.supervisor import Keeper, Limits
from playground.engines.protocol import Job, Listener
from playground.errors import EngineError, Unknown
from playground.records import ModelCard, ModelStatus
from playground.settings import Settings

Clock = Callable[[], float]
Task = Callable[[], None]

_TICK_S = 0.1
_CLOSE_S = 10.0


class LocalEngine:
    """Implements `Engine` with processes of this machine; nothing is started before `open`."""

    def __init__(
        self,
        settings: Settings,
        *,
        limits: Limits | None = None,
        loads_at_once: int | None = None,
        devices: Callable[[], Sequence[Device]] | None = None,
        fork: bool | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Clock = time.monotonic,
    ) -> None:
        self._threads = settings.threads
        self._limits = limits or Limits()
        self._loads_at_once = loads_at_once or max(2, os.cpu_count() or 1)
        self._clock = clock
        self._find_devices = devices or partial(find_devices, settings.memory_bytes)
        self._devices: tuple[Device, ...] = ()  # asked when the first model comes, on the engine's thread
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._launcher = launcher(environ, settings.threads, self._on_exit, fork)
        self._keepers: dict[str, Keeper] = {}
        self._drained_for: dict[Keeper, Keeper] = {}  # who begins no more rows: who waits for its memory
        self._gate = threading.Lock()  # between asking for something and closing
        self._closed = False
        self._thread: threading.Thread | None = None

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Begin to bring the models up, in the background; see `Engine`."""
        with self._gate:
            self._check_open()
            for card in cards:
                if card.id in self._keepers:
                    self._tasks.put(partial(self._keepers[card.id].open, card))
                else:
                    self._keepers[card.id] = self._keeper(card)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="engine-local", daemon=True)
                self._thread.start()
            self._tasks.put(_nothing)

    def unload(self, model_id: str) -> None:
        """Give a model's memory back; see `Engine`. Raises as `start`."""
        with self._gate:
            self._tasks.put(self._opened(model_id).unload)

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        """Accept a job; see `Engine`.

        Raises:
            Unknown: a model that was not opened.
            EngineError: the engine is closed.
        """
        with self._gate:
            keeper = self._opened(model_id)
            self._tasks.put(lambda: keeper.accept(job, listener))

    def cancel(self, row: str) -> None:
        """End the row within one step; unknown or ended rows are ignored."""
        self._tasks.put(lambda: self._cancel(row))

    def status(self) -> Mapping[str, ModelStatus]:
        """Where each model stands."""
        return {model_id: keeper.status() for model_id, keeper in tuple(self._keepers.items())}

    def close(self) -> None:
        """End every row and every process; idempotent."""
        with self._gate:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._tasks.put(_nothing)
            thread.join(_CLOSE_S)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("the local engine is closed")

    def _opened(self, model_id: str) -> Keeper:
        self._check_open()
        if model_id not in self._keepers:
            valid = ", ".join(sorted(self._keepers)) or "none yet"
            raise Unknown(f"the local engine has no model {model_id!r}; it has: {valid}")
        return self._keepers[model_id]

    def _keeper(self, card: ModelCard) -> Keeper:
        return Keeper(card, self._threads, self._launcher, self._tasks.put, self._limits, self._clock)

    def _on_exit(self, number: int, words: str) -> None:
        """A worker's process has ended; comes on a thread of the launcher's."""
        self._tasks.put(lambda: self._exited(number, words))

    # -- on the engine's thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closed:
                self._do_tasks()
                self._tend()
            self._do_tasks()  # what was accepted before the gate closed
        finally:  # whatever happens here, no job is left without its end and no process behind
            with self._gate:
                self._closed = True
            self._do_tasks()
            for keeper in tuple(self._keepers.values()):
                keeper.close()
            self._launcher.close()

    def _do_tasks(self) -> None:
        """Everything that is queued; waits for something to do, but not longer than time alone may change something."""
        restless = self._closed or any(keeper.restless for keeper in tuple(self._keepers.values()))
        try:
            task = self._tasks.get(timeout=_TICK_S if restless else None)
            while True:
                task()
                task = self._tasks.get_nowait()
        except queue.Empty:
            return

    def _tend(self) -> None:
        """What time asks for: launches within the allowed number and the memory, ends of hung workers."""
        self._place()
        keepers = tuple(self._keepers.values())
        self._let_resume()
        room = self._loads_at_once - sum(keeper.state == "loading" for keeper in keepers)
        claimed: set[str] = set()  # devices that somebody waits for: who came later does not take them
        for keeper in sorted(keepers, key=lambda keeper: keeper.waiting_since):
            if room > 0 and keeper.wants_launch and claimed.isdisjoint(keeper.devices):
                rows = self._rows_for(keeper)
                if rows:
                    keeper.launch(rows)
                    room -= 1
                elif keeper.state == "queued":
                    claimed |= set(keeper.devices)
            keeper.check()

    def _place(self) -> None:
        """Plan anew when a model has come."""
        keepers = tuple(self._keepers.values())
        if all(keeper.placement is not None for keeper in keepers):
            return
        self._devices = self._devices or tuple(self._find_devices())
        placements = plan([keeper.card for keeper in keepers], self._devices).placements
        for keeper in keepers:
            keeper.placement = placements[keeper.card.id]

    def _rows_for(self, keeper: Keeper) -> int:
        """How many rows the model may write if it is brought up now; 0: not now, and others give way if it is asked."""
        placed = keeper.placement
        if placed is None:
            return 0
        if placed.how is How.TOO_LARGE:
            keeper.refuse(f"{keeper.card.name} {placed.words}")
            return 0
        others = [other for other in tuple(self._keepers.values()) if other is not keeper and other.holds_memory]
        rows = rows_beside(placed, (other.held for other in others if other.held), self._devices)
        if rows:
            return rows
        if keeper.waiting_since == math.inf:
            keeper.sleep()
        else:
            keeper.wait_for_room("waiting for memory")
            in_the_way = [o for o in others if o.held and not {*o.held.placement.shares}.isdisjoint(placed.shares)]
            self._have_one_give_way(in_the_way, keeper)
        return 0

    def _have_one_give_way(self, others: Sequence[Keeper], to: Keeper) -> None:
        """The one that was used the longest time ago; a busy one begins no more rows when somebody has waited long."""
        if any(other.is_leaving for other in others):
            return
        ready = sorted((other for other in others if other.state == "ready"), key=lambda other: other.used_at)
        idle = [other for other in ready if other.is_idle]
        if idle:
            idle[0].sleep()
        elif ready and to not in self._drained_for.values() and self._has_waited_long(to):
            ready[0].drain()
            self._drained_for[ready[0]] = to

    def _has_waited_long(self, keeper: Keeper) -> bool:
        return self._clock() - keeper.waiting_since > self._limits.drain_s

    def _let_resume(self) -> None:
        """Who was drained begins rows again when it has made way, or the one it was drained for needs it no more."""
        for keeper, waiter in tuple(self._drained_for.items()):
            if keeper.state != "ready" or waiter.state != "queued" or waiter.waiting_since == math.inf:
                keeper.resume()
                del self._drained_for[keeper]

    def _cancel(self, row: str) -> None:
        for keeper in tuple(self._keepers.values()):
            keeper.cancel(row)

    def _exited(self, number: int, words: str) -> None:
        for keeper in tuple(self._keepers.values()):
            keeper.on_exit(number, words)


def _nothing() -> None:
    """Wakes the engine's thread."""
