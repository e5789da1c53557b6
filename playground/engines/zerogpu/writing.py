"""Write the rows of one call: a decode step of each model in turn, until every row has ended.

Runs in the process with the GPU, which `spaces` forks from the web process; elsewhere in the web process itself.

Boundary: rows in, events out; the loop of each model is the worker's.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.local.worker.decoding.self_check import decoder_of
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.local.worker.main import Inbox, Worker
from playground.engines.protocol import EngineFacts, Event
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.loading import GpuModel
from playground.engines.zerogpu.request import GpuEvent, GpuRequest, GpuRow, Measured, Write

log = logging.getLogger(__name__)


def writer(models: Mapping[str, GpuModel], flags: CancelFlags) -> Write:
    """Return the function that writes the rows of a request with these models."""

    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        writings = [_Writing(id, models[id], request.of_model(id), flags) for id in request.model_ids]
        while unfinished := [writing for writing in writings if not writing.is_finished]:
            events = tuple(event for writing in unfinished for event in writing.advance())
            if events:
                yield events
        yield tuple(writing.measured for writing in writings)
        for writing in writings:
            if writing.failure is not None:  # `spaces` gives this process no further calls
                raise writing.failure

    return write


class _Writing:
    """The rows of one model in a call."""

    def __init__(self, model_id: str, model: GpuModel, rows: tuple[GpuRow, ...], flags: CancelFlags) -> None:
        self.failure: Exception | None = None
        self._model_id = model_id
        self._flags = flags
        self._uncancelled = {row.slot: row.job.row for row in rows}
        self._sent: list[Message] = []  # since they were last taken
        self._inbox: Inbox = queue.SimpleQueue()
        for row in rows:
            self._inbox.put(messages.start(row.job))
        loaded = _on_its_device(model.loaded)
        self._facts = model.checked.facts(loaded.facts)
        self._worker = Worker(decoder_of(loaded, model.checked), self._inbox, self._put)
        self._steps, self._took_s = 0, 0.0

    @property
    def is_finished(self) -> bool:
        """True if every row has ended."""
        return self._worker.is_idle

    @property
    def measured(self) -> Measured:
        """The mean time of a step."""
        return Measured(self._model_id, self._took_s / max(1, self._steps))

    def _put(self, *sent: Message) -> None:
        self._sent += sent

    def advance(self) -> Iterator[Event]:
        """Make one step; yield its events. A model that fails ends its own rows alone."""
        for slot in [slot for slot in self._uncancelled if self._flags.is_set(slot)]:
            self._inbox.put(messages.cancel(self._uncancelled.pop(slot)))
        began_s = time.monotonic()
        try:
            self._worker.advance()
        except Exception as error:  # any, as the worker's step: it has ended the rows with the reason
            log.exception("a model failed")
            self.failure = self.failure or error
        self._steps += 1
        self._took_s += time.monotonic() - began_s
        sent, self._sent = self._sent, []
        for message in sent:
            yield messages.event_of(message, self._facts)


def _on_its_device(loaded: LoadedModel) -> LoadedModel:
    """Return the model with the device that its weights are on by now."""
    device = next(loaded.model.parameters()).device
    name = str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
    facts: EngineFacts = replace(loaded.facts, engine="zerogpu", device=name)
    return replace(loaded, device=device, facts=facts)
