"""The decode loop: rows join, every step gives each of them one token, rows leave.

A newcomer's prompt is read alone, then its row joins those that are running (`Slots`), and one forward serves all.
The model is fed the public way (ids, 2-D attention mask, a cache, position ids where it takes them), as ``generate``
does; whether a model's answers survive that is checked before it may answer (`golden`).

Boundary: worker side; token ids in and out. Knows no pipe, no clock and no text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import DynamicCache

from playground.engines.local.placement import MAX_ROWS
from playground.engines.local.worker.loading import LoadedModel
from playground.engines.local.worker.memory import OutOfMemory, memory_errors, release
from playground.engines.local.worker.recording import Recorder, takes_positions
from playground.engines.local.worker.sampling import Sampler, next_ids
from playground.engines.local.worker.slots import Growth, Slots
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason

READ_TOKENS = 256
"""Prompt tokens read per step: reading holds up those who write. One newcomer is always let in."""

RECORDED_COLUMNS_AHEAD = 256
"""Blocks under recorded steps move seldomer: each time the step is recorded again, which takes a few eager steps."""

NO_NUMBERS = "the model computed no usable numbers for the next token"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row's new token, and why the row is at its end when it is."""

    row: str
    token_id: int | None  # None: none could be drawn, `error` says why
    finish_reason: FinishReason | None = None
    error: str | None = None


class Writer(Protocol):
    """What a worker needs of a decode loop."""

    max_rows: int
    """How many rows are written together; more have to wait."""

    @property
    def has_room(self) -> bool:
        """Whether one more row can be admitted."""

    def admit(self, job: Job) -> None:
        """Take a row in.

        Raises:
            PromptTooLong: the prompt leaves no room for a single token.
            EngineError: a prompt that this model cannot be fed.
        """

    def drop(self, row: str) -> None:
        """Forget a row, whether it is known or not."""

    def step(self) -> list[Drawn]:
        """At most one token for each row; rows that have ended are dropped."""


@dataclass(slots=True)
class _Row:
    job: Job
    sampler: Sampler
    last_id: int = -1  # not seen by the model yet
    num_new: int = 0


class Decoder:
    """A loaded model with the rows that it is writing together."""

    def __init__(self, loaded: LoadedModel, max_rows: int = MAX_ROWS, *, recorded: bool = False) -> None:
        """No rows yet.

        Args:
            recorded: steps have a fixed shape, so that a GPU replays what was recorded of them.
        """
        self._loaded = loaded
        self.max_rows = max_rows
        self._recorder = Recorder(loaded) if recorded else None
        self._takes_positions = takes_positions(loaded)
        self._newcomers: deque[_Row] = deque()
        self._running: list[_Row] = []  # in the order of the slots
        self._slots = self._no_rows()

    @property
    def has_room(self) -> bool:
        """Whether one more row can be admitted."""
        return len(self._newcomers) + len(self._running) < self.max_rows

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that have not ended."""
        return tuple(row.job.row for row in (*self._running, *self._newcomers))

    @property
    def cache_bytes(self) -> int:
        """What the running rows' keys and values take, with what was allocated ahead."""
        return self._slots.num_bytes

    def admit(self, job: Job) -> None:
        """Take a row in; see `Writer`."""
        check_job(job, self._loaded)
        self._newcomers.append(_Row(job, sampler_of(job, self._loaded)))

    @torch.inference_mode()
    def drop(self, row: str) -> None:
        """Forget a row and free its place."""
        self._newcomers = deque(new for new in self._newcomers if new.job.row != row)
        for index, running in enumerate(self._running):
            if running.job.row == row:
                self._leave(index)
                return

    @torch.inference_mode()
    def step(self) -> list[Drawn]:
        """One token for every running row, then the first one for some newcomers; rows that have ended are dropped.

        Raises:
            OutOfMemory: the running rows do not fit; a newcomer that does not fit ends alone.
            Exception: what the model raised; all rows are lost.
        """
        try:
            drawn = self._write() if self._running else []
            drawn += self._let_in(READ_TOKENS)
        except Exception:
            self._forget_all()
            raise
        for token in drawn:
            if token.finish_reason is not None:
                self.drop(token.row)
        return drawn

    def _forget_all(self) -> None:
        """After a step that ended half way the layers may disagree: nothing of them can be used."""
        self._running.clear()
        self._newcomers.clear()
        self._slots = self._no_rows()
        self._forget_blocks()

    def _forget_blocks(self) -> None:
        if self._recorder is not None and not self._slots.layers:
            self._recorder.forget()

    def _no_rows(self) -> Slots:
        context = self._loaded.context_length
        if self._recorder is None:
            return Slots(Growth(self.max_rows, context))
        return Slots(Growth(self.max_rows, context, RECORDED_COLUMNS_AHEAD, lasting=context))

    def _write(self) -> list[Drawn]:
        self._slots.make_column()
        if self._recorder is not None:
            return self._draw(self._running, self._recorder.step([row.last_id for row in self._running], self._slots))
        device = self._loaded.device
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor([[row.last_id] for row in self._running], device=device),
            "attention_mask": self._slots.mask(device),
            "past_key_values": self._slots,
        }
        if self._takes_positions:
            inputs["position_ids"] = self._slots.positions(device)
        return self._draw(self._running, self._forward(inputs))

    def _let_in(self, budget: int) -> list[Drawn]:
        """Read newcomers' prompts until so many tokens are read."""
        drawn: list[Drawn] = []
        while self._newcomers and budget > 0:
            row = self._newcomers.popleft()
            drawn.append(self._join(row))
            budget -= len(row.job.token_ids)
        return drawn

    def _join(self, row: _Row) -> Drawn:
        try:
            with memory_errors("reading the prompt"):
                cache, logits = self._read(row.job.token_ids)
                self._slots.make_room(cache)
        except OutOfMemory as error:
            release()
            return Drawn(row.job.row, None, FinishReason.ERROR, str(error))
        self._slots.join(cache)
        self._running.append(row)
        return self._draw([row], logits)[0]

    def _read(self, token_ids: Sequence[int]) -> tuple[DynamicCache, torch.Tensor]:
        """The cache of a prompt, and the logits after it, shape (1, vocabulary)."""
        device, cache = self._loaded.device, DynamicCache()
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor([token_ids], device=device),
            "attention_mask": torch.ones((1, len(token_ids)), dtype=torch.long, device=device),
            "past_key_values": cache,
        }
        if self._takes_positions:
            inputs["position_ids"] = torch.arange(len(token_ids), device=device).unsqueeze(0)
        return cache, self._forward(inputs)

    def _forward(self, inputs: dict[str, Any]) -> torch.Tensor:
        """Float32 logits of every row's next token, shape (rows, vocabulary)."""
        logits: torch.Tensor = self._loaded.model(**inputs, use_cache=True, logits_to_keep=1).logits
        return logits[:, -1].to(torch.float32)

    def _draw(self, rows: Sequence[_Row], logits: torch.Tensor) -> list[Drawn]:
        drawn = next_ids([row.sampler for row in rows], logits)
        return [self._take(row, token_id) for row, token_id in zip(rows, drawn, strict=True)]

    def _take(self, row: _Row, token_id: int | None) -> Drawn:
        if token_id is None:
            return Drawn(row.job.row, None, FinishReason.ERROR, NO_NUMBERS)
        row.last_id = token_id
        row.num_new += 1
        return Drawn(row.job.row, token_id, finish_reason(row.job, token_id, row.num_new, self._loaded.context_length))

    def _leave(self, index: int) -> None:
        last = self._running.pop()
        if index < len(self._running):
            self._running[index] = last
        self._slots.leave(index)
        self._forget_blocks()


def check_job(job: Job, loaded: LoadedModel) -> None:
    """Nothing, when the model can be fed this; raises as `Writer.admit`."""
    if not job.token_ids:
        raise EngineError("the prompt is empty; a model needs at least one token")
    if len(job.token_ids) >= loaded.context_length:
        raise PromptTooLong(
            f"the prompt has {len(job.token_ids)} tokens; the model takes {loaded.context_length} in all"
        )
    wrong = next((i for i in (*job.token_ids, *job.stop_ids) if not 0 <= i < loaded.vocab_size), None)
    if wrong is not None:
        raise EngineError(
            f"token id {wrong} is outside the model's {loaded.vocab_size} rows: wrong tokenizer or weights"
        )


def sampler_of(job: Job, loaded: LoadedModel) -> Sampler:
    """The job's own way of choosing tokens."""
    return Sampler(job.params, job.seed, job.token_ids, job.stop_ids, loaded.vocab_size, loaded.device)


def finish_reason(job: Job, token_id: int, num_new: int, context_length: int) -> FinishReason | None:
    """Why the row ends with its `num_new`-th token; None when it goes on."""
    if token_id in job.stop_ids:
        return FinishReason.STOP
    full = len(job.token_ids) + num_new >= context_length
    return FinishReason.LENGTH if full or num_new >= job.params.max_new_tokens else None
