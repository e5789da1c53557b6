"""The local engine: every model in a worker process of its own, kept up, with jobs in and events out.

Everything happens on one thread of the engine's: requests, messages of the workers, and time.

Boundary: runs in the web process and never imports torch, transformers or accelerate.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from playground.engines.local.check import check
from playground.engines.local.devices import find_devices
from playground.engines.local.launch import launcher
from playground.engines.local.model_states import ModelState
from playground.engines.local.placement import MAX_ROWS, Device, How
from playground.engines.local.planning import plan
from playground.engines.local.scheduler import Scheduler
from playground.engines.local.supervisor import Supervisor, WorkerLimits
from playground.engines.protocol import FilePoint, Job, Listener, MemoryFit
from playground.engines.task_thread import TaskThread
from playground.errors import Unknown
from playground.records import FinishReason, ModelCard, ModelStatus
from playground.settings import Settings

_TICK_S = 0.1


class LocalEngine:
    """Implements `Engine` by processes of this machine; nothing is started before `open`."""

    def __init__(
        self,
        settings: Settings,
        *,
        limits: WorkerLimits | None = None,
        loads_at_once: int | None = None,
        devices: Callable[[], Sequence[Device]] | None = None,
        fork: bool | None = None,
        environ: Mapping[str, str] = os.environ,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threads, self._environ = settings.threads, environ
        self._limits = limits or WorkerLimits()
        self._now_s = now_s
        self._find_devices = devices or partial(find_devices, settings.memory_bytes)
        loads_at_once = loads_at_once or max(2, os.cpu_count() or 1)
        most_rows = 1 if settings.exact else MAX_ROWS
        self._scheduler = Scheduler(self._find_devices, loads_at_once, self._limits.drain_s, now_s, most_rows)
        self._launcher = launcher(environ, settings.threads, fork)
        self._models: dict[str, Supervisor] = {}
        self._thread = TaskThread("the local engine", "engine-local", self._end, self._tend, self._wait_s)

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        devices = self._find_devices()
        has_gpu = not all(device.is_cpu for device in devices)
        placed = plan(cards, devices)
        return {name: MemoryFit(place.how is not How.TOO_LARGE, has_gpu, place.words) for name, place in placed.items()}

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        weights = plan([card], self._find_devices())[card.id].weights
        return check(card, self._threads, weights, self._environ)

    def open(self, cards: Sequence[ModelCard]) -> None:
        with self._thread.accepting():
            self._thread.start()
            for card in cards:
                made = Supervisor(card, self._threads, self._launcher, self._thread.put, self._limits, self._now_s)
                self._thread.put(partial(self._models.setdefault(card.id, made).open, card))

    def unload(self, model_id: str) -> None:
        with self._thread.accepting():
            model = self._opened(model_id)
            self._thread.put(partial(model.unload, FinishReason.ERROR, f"{model.card.name} was unloaded"))

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        with self._thread.accepting():
            self._thread.put(partial(self._opened(model_id).accept, job, listener))

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def cancel(self, row: str) -> None:
        self._thread.put(partial(self._cancel, row))

    def status(self) -> Mapping[str, ModelStatus]:
        return {model.card.id: model.status() for model in self._supervisors()}

    def close(self) -> None:
        self._thread.close()

    def _opened(self, model_id: str) -> Supervisor:
        if model_id not in self._models:
            valid = ", ".join(sorted(self._models)) or "none yet"
            raise Unknown(f"the local engine has no model {model_id!r}; it has: {valid}")
        return self._models[model_id]

    def _supervisors(self) -> tuple[Supervisor, ...]:
        """All of them; safe on any thread."""
        return tuple(self._models.values())

    # -- on the engine's thread -----------------------------------------------------------------------------------

    def _tend(self) -> None:
        self._scheduler.tend(self._supervisors())

    def _wait_s(self) -> float | None:
        """Return a short time where time alone may change something."""
        changing = (ModelState.QUEUED, ModelState.LOST, ModelState.LOADING)
        restless = any(model.rows or model.state in changing for model in self._supervisors())
        return _TICK_S if restless else None

    def _end(self) -> None:
        """Leave no job without its end, and no process behind."""
        for model in self._supervisors():
            model.unload(FinishReason.CANCELLED)
        self._launcher.close()

    def _cancel(self, row: str) -> None:
        for model in self._supervisors():
            model.rows.cancel(row)
