"""The remote engine: jobs in, events out, for models on OpenAI-compatible servers.

All work happens in one asyncio loop on a thread of the engine, so that listeners receive events in order. The only lock
guards the methods that other threads call.

Boundary: runs in the web process; `model` chooses servers, `client` sends requests.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import httpx2

from playground.engines.protocol import FilePoint, Job, Listener, MemoryFit
from playground.engines.remote.client import Key, open_http
from playground.engines.remote.model import RemoteModel
from playground.engines.remote.timeouts import Timeouts
from playground.errors import EngineError, Unknown
from playground.records import FinishReason, ModelCard, ModelStatus
from playground.settings import Settings

_CLOSE_S = 10.0


class RemoteEngine:
    """Implements `Engine` with remote servers; nothing is sent before `open`."""

    def __init__(
        self, settings: Settings, *, timeouts: Timeouts | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._settings, self._environ = settings, environ
        self._timeouts = timeouts or Timeouts()
        self._models: dict[str, RemoteModel] = {}
        self._lock = threading.Lock()  # no task is posted after close
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: httpx2.AsyncClient | None = None
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None

    def plan(self, cards: Sequence[ModelCard]) -> Mapping[str, MemoryFit]:
        """Take every model for one that fits: its memory is its server's matter; see `Engine`."""
        return {card.id: MemoryFit(True, False) for card in cards}

    def check(self, card: ModelCard) -> Iterator[FilePoint]:
        """Find nothing: the weights are not here; see `Engine`."""
        return iter(())

    def open(self, cards: Sequence[ModelCard]) -> None:
        """Probe the cards' servers in the background; see `Engine`."""
        with self._lock:
            self._check_open()
            http = self._start_loop()
            for card in cards:
                model = self._models.setdefault(card.id, RemoteModel(card, http, self._timeouts, self._key(card)))
                self._post(partial(model.open, card))

    def unload(self, model_id: str) -> None:
        """End a model's jobs and stop probing its servers; see `Engine`. Raises as `start`."""
        with self._lock:
            model = self._opened(model_id)
            self._post(partial(model.close, FinishReason.ERROR, f"{model.card.name} was unloaded"))

    def start(self, model_id: str, job: Job, listener: Listener) -> None:
        """Accept a job; see `Engine`.

        Raises:
            Unknown: the model was not opened.
            EngineError: the engine is closed.
        """
        with self._lock:
            self._post(partial(self._opened(model_id).start, job, listener))

    def together(self) -> AbstractContextManager[None]:
        """Begin each row at once; see `Engine`."""
        return nullcontext()

    def cancel(self, row: str) -> None:
        """End the row and close its connection; unknown or ended rows are ignored."""
        with self._lock:
            if not self._closed:
                for model in self._models.values():
                    self._post(partial(model.cancel, row))

    def status(self) -> Mapping[str, ModelStatus]:
        """Return each model's state."""
        return {model_id: model.status() for model_id, model in tuple(self._models.items())}

    def close(self) -> None:
        """End every row and close every connection; idempotent."""
        with self._lock:
            if not self._closed:
                self._post(self._stop.set)
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(_CLOSE_S)

    def _key(self, card: ModelCard) -> Key:
        """Return the key of a card's servers; one that a card names is sent to no other card's."""
        if not card.key_variable:
            return Key(value=self._settings.remote_key)
        return Key(card.key_variable, self._environ.get(card.key_variable, "").strip(), is_needed=True)

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("the remote engine is closed")

    def _opened(self, model_id: str) -> RemoteModel:
        self._check_open()
        if model_id not in self._models:
            valid = ", ".join(sorted(self._models)) or "none yet"
            raise Unknown(f"the remote engine has no model {model_id!r}; it has: {valid}")
        return self._models[model_id]

    def _start_loop(self) -> httpx2.AsyncClient:
        if self._http is None:
            self._http = open_http(self._timeouts)
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="engine-remote", daemon=True)
            self._thread.start()
        return self._http

    def _post(self, task: Callable[[], Any]) -> None:
        """Run a task on the engine's thread, in the order of the calls."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(task)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve())
        finally:
            loop.close()

    async def _serve(self) -> None:
        await self._stop.wait()
        for model in tuple(self._models.values()):
            model.close(FinishReason.CANCELLED)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
        await asyncio.get_running_loop().shutdown_asyncgens()
