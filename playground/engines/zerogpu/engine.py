"""The engine of ZeroGPU Spaces: models in the web process, and a GPU for as long as one comparison is written.

`spaces` forks the web process for each call and gives the fork a GPU. Models are loaded at the start, on the main
thread: a fork would not have what is put on ``cuda`` later, or by another thread. Elsewhere than on ZeroGPU the same
calls run in the web process, on its best device.

Everything that reaches a listener happens on one thread of the engine's.

Boundary: imports torch and the worker's code when the first model is opened, and not before.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextvars import Context, copy_context
from functools import partial

from playground.engines.local.check import check
from playground.engines.protocol import Ended, FilePoint, Job, Listener, MemoryFit, tell
from playground.engines.task_thread import TaskThread
from playground.engines.zerogpu.call import CallRow, GpuCall
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.models import GpuModels
from playground.errors import EngineError, Unknown
from playground.records import FinishReason, ModelCard, ModelStatus
from playground.settings import Settings


class ZeroGpuEngine:
    """Implements `Engine` by GPU calls; nothing is loaded before `open`."""

    def __init__(self, settings: Settings, *, environ: MutableMapping[str, str] = os.environ) -> None:
        self._threads, self._environ = settings.threads, environ
        self._flags = CancelFlags()
        self._models = GpuModels(settings.threads, environ, self._flags)
        self._calls: tuple[GpuCall, ...] = ()
        self._collecting = threading.local()
        self._thread = TaskThread("the engine of ZeroGPU", "engine-zerogpu", self._end)

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        return self._models.plan(cards)

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        return check(card, self._threads, {}, self._environ)

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Load the models, and return when they are loaded; see `Engine`.

        Raises:
            EngineError: the engine is closed; or a model would have to be loaded after the start.
        """
        with self._thread.accepting():
            self._models.open(cards)
            self._thread.start()

    def unload(self, model_id: str) -> None:
        """End the model's rows; see `Engine`. Its memory stays taken: it could not be loaded again."""
        with self._thread.accepting():
            self._check_opened(model_id)
            words = f"{self._models.card(model_id).name} was unloaded"
            self._models.switch_off(model_id)
            self._thread.put(partial(self._end_model, model_id, words))

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        with self._thread.accepting():
            self._check_opened(model_id)
        row = CallRow(model_id, job, listener)
        collected: list[CallRow] | None = getattr(self._collecting, "rows", None)
        if collected is None:
            self._begin([row])
        else:
            collected.append(row)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Collect the rows that this thread starts, for one call; see `Engine`."""
        outer, rows = getattr(self._collecting, "rows", None), list[CallRow]()
        self._collecting.rows = rows
        try:
            yield
        finally:
            self._collecting.rows = outer
            if rows:
                self._begin(rows)

    def cancel(self, row: str) -> None:
        self._thread.put(partial(self._cancel, row))

    def status(self) -> Mapping[str, ModelStatus]:
        rows = [row for call in self._calls for row in call.rows]
        return self._models.status([(row.model_id, row.has_started) for row in rows])

    def close(self) -> None:
        self._thread.close()

    def _check_opened(self, model_id: str) -> None:
        if model_id not in self._models:
            valid = ", ".join(sorted(self._models)) or "none yet"
            raise Unknown(f"the engine of ZeroGPU has no model {model_id!r}; it has: {valid}")

    def _begin(self, rows: Sequence[CallRow]) -> None:
        """Begin a call in the context of the caller, who is a visitor's request."""
        try:
            with self._thread.accepting():
                self._thread.put(partial(self._launch, rows, copy_context()))
        except EngineError:  # closed since the rows were collected
            for row in rows:
                tell(row.listener, Ended(row.job.row, FinishReason.CANCELLED))

    # -- on the engine's thread -----------------------------------------------------------------------------------

    def _end(self) -> None:
        for call in self._calls:
            self._raise_flags(call)
            call.end(FinishReason.CANCELLED)

    def _launch(self, rows: Sequence[CallRow], context: Context) -> None:
        able = []
        for row in rows:
            try:
                self._models.wake(row.model_id)
                row.slot = self._flags.take()
                able.append(row)
            except EngineError as error:
                tell(row.listener, Ended(row.job.row, FinishReason.ERROR, str(error)))
        if able:
            call = GpuCall(able, self._models.durations.add, self._done)
            self._calls = (*self._calls, call)
            call.begin(self._models.write, context, self._thread.put)

    def _cancel(self, row: str) -> None:
        for call in self._calls:
            slot = call.cancel(row)
            if slot is not None:
                self._flags.set(slot)

    def _end_model(self, model_id: str, words: str) -> None:
        for call in self._calls:
            for row in call.rows:
                if row.model_id == model_id:
                    self._flags.set(row.slot)
            call.end_rows(FinishReason.ERROR, words, model_id)

    def _raise_flags(self, call: GpuCall) -> None:
        for row in call.rows:
            self._flags.set(row.slot)

    def _done(self, call: GpuCall) -> None:
        """Forget a call; its process looks at no flag any more."""
        self._calls = tuple(other for other in self._calls if other is not call)
        for slot in call.slots:
            self._flags.free(slot)
