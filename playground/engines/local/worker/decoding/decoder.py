"""Decode loop: rows join at any step, each step gives every running row one token, rows leave when they end.

Prompts of about the same length are read together, long ones in pieces; then their rows join the `BatchCache`, and one
forward serves all rows. The model is called through its public interface (ids, 2-D attention mask, a cache, position
ids if it takes them), as ``generate`` does. `self_check` verifies that a model's answers are the same this way.

Boundary: token ids in and out; knows no channel, no clock and no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from transformers import DynamicCache

from playground.engines.local.placement import MAX_ROWS, READ_TOKENS
from playground.engines.local.worker.decoding.cuda_graph import StepRecorder, next_logits, takes_positions
from playground.engines.local.worker.decoding.job import check_job, finish_reason, sampler_of
from playground.engines.local.worker.decoding.kv_cache import BatchCache, CacheLimits
from playground.engines.local.worker.decoding.prompt_queue import PADDING_ON_CPU, Group, PromptQueue
from playground.engines.local.worker.decoding.sampling import Sampler, next_ids
from playground.engines.local.worker.errors import OutOfMemory, memory_errors, release_memory
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.records import FinishReason

RECORDED_COLUMNS_AHEAD = 256
"""Columns allocated at once under recorded steps: each growth records the step again, which takes a few eager steps."""

NO_USABLE_LOGITS = "the model computed no usable numbers for the next token"


@dataclass(frozen=True, slots=True)
class NewToken:
    """The new token of a row, with the finish reason if it is the last one."""

    row: str
    token_id: int | None  # None: none could be drawn, see `error`
    finish_reason: FinishReason | None = None
    error: str | None = None
    num_rows: int = 1  # that were computed together with it, itself included


class Decoder(Protocol):
    """Writes rows, one token of each per step."""

    max_rows: int
    """Rows written at the same time."""

    @property
    def can_admit(self) -> bool:
        """True if one more row can be admitted."""

    def admit(self, job: Job) -> None:
        """Add a row.

        Raises:
            PromptTooLong: the prompt fills the context.
            EngineError: the model cannot take this prompt.
        """

    def drop(self, row: str) -> None:
        """Remove a row; unknown ones are ignored."""

    def step(self) -> list[NewToken]:
        """Return at most one token of each row; rows that end are dropped."""


@dataclass(slots=True, eq=False)
class _Row:
    job: Job
    sampler: Sampler
    last_id: int = -1  # the model has not seen it yet
    num_new: int = 0
    prefix: DynamicCache | None = None  # of the pieces of a long prompt that were read


class BatchDecoder:
    """Writes all rows of a model together."""

    def __init__(
        self,
        loaded: LoadedModel,
        max_rows: int = MAX_ROWS,
        *,
        recorded: bool = False,
        in_pieces: bool = True,
        read_tokens: int = READ_TOKENS,
    ) -> None:
        """Create a decoder without rows.

        Args:
            recorded: run steps of a fixed shape, which a GPU records and replays.
            in_pieces: read long prompts in pieces; a single row, for which nobody waits, is read as ``generate`` does.
            read_tokens: most tokens of prompts that a step reads.
        """
        self._loaded = loaded
        self.max_rows = max_rows
        self._recorder = StepRecorder(loaded) if recorded else None
        self._takes_positions = takes_positions(loaded)
        self._waiting: PromptQueue[_Row] = PromptQueue(
            read_tokens, _most_padding(loaded), in_pieces=in_pieces and max_rows > 1
        )
        self._running: list[_Row] = []  # in the order of the cache
        self._cache = self._empty_cache()

    @property
    def can_admit(self) -> bool:
        return len(self._waiting) + len(self._running) < self.max_rows

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows that have not ended."""
        return tuple(row.job.row for row in (*self._running, *self._waiting.rows))

    @property
    def cache_bytes(self) -> int:
        """Size of the keys and values, including columns allocated ahead."""
        return self._cache.num_bytes

    def admit(self, job: Job) -> None:
        check_job(job, self._loaded)
        self._waiting.add(_Row(job, sampler_of(job, self._loaded)), len(job.token_ids))

    @torch.inference_mode()
    def drop(self, row: str) -> None:
        """Remove a row and free its part of the cache."""
        for waiting in self._waiting.rows:
            if waiting.job.row == row:
                self._waiting.remove(waiting)
        for index, running in enumerate(self._running):
            if running.job.row == row:
                self._leave(index)
                return

    @torch.inference_mode()
    def step(self) -> list[NewToken]:
        """Return a token of every running row, and the first one of some new rows; rows that end are dropped.

        Raises:
            OutOfMemory: the step does not fit; a row whose part of the cache does not fit ends alone.
            Exception: the model failed; all rows are lost.
        """
        try:
            new_tokens = self._write() if self._running else []
            for group in self._waiting.take_step():
                new_tokens += self._join(group) if group.is_last else self._read_ahead(group)
        except Exception:
            self._reset()
            raise
        for token in new_tokens:
            if token.finish_reason is not None:
                self.drop(token.row)
        return new_tokens

    def _reset(self) -> None:
        """Drop all rows: after an interrupted step the layers of the cache may disagree."""
        self._running.clear()
        self._waiting.clear()
        self._cache = self._empty_cache()
        self._forget_recording()

    def _forget_recording(self) -> None:
        if self._recorder is not None and not self._cache.layers:
            self._recorder.forget()

    def _empty_cache(self) -> BatchCache:
        context = self._loaded.context_length
        if self._recorder is None:
            return BatchCache(CacheLimits(self.max_rows, context))
        columns = context if self.max_rows == 1 else RECORDED_COLUMNS_AHEAD  # 1: always one shape
        return BatchCache(CacheLimits(self.max_rows, context, columns, kept_cells=context))

    def _write(self) -> list[NewToken]:
        ended = self._reserve_column()
        return [*ended, *self._write_column()] if self._running else ended

    def _reserve_column(self) -> list[NewToken]:
        """Reserve a column; while there is no memory for it, end the longest row and return its error."""
        ended: list[NewToken] = []
        while self._running:
            try:
                with memory_errors("writing the answer"):
                    self._cache.reserve_column()
                return ended
            except OutOfMemory as error:
                problem = str(error)
            longest = self._cache.starts.index(min(self._cache.starts))
            ended.append(NewToken(self._running[longest].job.row, None, FinishReason.ERROR, problem))
            self._leave(longest)
            self._cache.trim()
            release_memory()  # outside of the handler: its traceback keeps what was allocated
        return ended

    def _write_column(self) -> list[NewToken]:
        last_ids = [row.last_id for row in self._running]
        if self._recorder is not None:
            return self._draw(self._running, self._recorder.step(last_ids, self._cache))
        device = self._loaded.device
        ids = torch.tensor(last_ids, device=device)[:, None]
        positions = self._cache.positions(device) if self._takes_positions else None
        return self._draw(
            self._running, next_logits(self._loaded.model, ids, self._cache.mask(device), positions, self._cache)
        )

    def _read_ahead(self, group: Group[_Row]) -> list[NewToken]:
        """Read a piece of a prompt, but not its last one; return an error if memory is short."""
        try:
            with memory_errors("reading the prompt"):
                self._read(group)
                return []
        except OutOfMemory as error:
            problem = str(error)
        return self._refuse(group.rows[0], problem)

    def _join(self, group: Group[_Row]) -> list[NewToken]:
        """Read prompts to their ends together and return the first tokens; if memory is short, one by one."""
        rows = group.rows
        try:
            cache, logits = self._read_and_reserve(group)
        except OutOfMemory as error:
            problem = str(error)
        else:
            self._cache.join(cache, _lengths(rows))
            self._running += rows
            return self._draw(rows, logits)
        if len(rows) == 1:
            return self._refuse(rows[0], problem)
        release_memory()  # outside of the handler: its traceback keeps what was allocated
        return [token for row in rows for token in self._join(Group((row,), 0, len(row.job.token_ids)))]

    def _read_and_reserve(self, group: Group[_Row]) -> tuple[DynamicCache, torch.Tensor]:
        """Return what `_read` does once its rows can join; an error leaves none of it in a frame that goes on."""
        with memory_errors("reading the prompt"):
            cache, logits = self._read(group)
            self._cache.reserve_rows(cache, _lengths(group.rows))
            return cache, logits

    def _refuse(self, row: _Row, problem: str) -> list[NewToken]:
        """Return the error of a row whose prompt found no memory."""
        row.prefix = None
        release_memory()
        return [NewToken(row.job.row, None, FinishReason.ERROR, problem)]

    def _read(self, group: Group[_Row]) -> tuple[DynamicCache, torch.Tensor]:
        """Return the cache of prompts, padded on the left, and the logits after them, shape (prompts, vocabulary)."""
        lengths = _lengths(group.rows)
        longest = max(lengths)
        prompts = zip(lengths, group.rows, strict=True)
        ids = torch.tensor([[0] * (longest - length) + list(row.job.token_ids) for length, row in prompts])
        firsts = torch.tensor([[longest - length] for length in lengths])
        columns = torch.arange(group.end)
        device = self._loaded.device
        positions = (columns - firsts).clamp(min=0)[:, group.begin :].to(device) if self._takes_positions else None
        mask = (columns >= firsts).long().to(device)
        prefix = group.rows[0].prefix
        cache = DynamicCache() if prefix is None else prefix
        logits = next_logits(self._loaded.model, ids[:, group.begin : group.end].to(device), mask, positions, cache)
        group.rows[0].prefix = None if group.is_last else cache
        return cache, logits

    def _draw(self, rows: Sequence[_Row], logits: torch.Tensor) -> list[NewToken]:
        ids = next_ids([row.sampler for row in rows], logits)
        drawn = [self._take(row, token_id) for row, token_id in zip(rows, ids, strict=True)]
        return [replace(token, num_rows=len(rows)) for token in drawn]

    def _take(self, row: _Row, token_id: int | None) -> NewToken:
        if token_id is None:
            return NewToken(row.job.row, None, FinishReason.ERROR, NO_USABLE_LOGITS)
        row.last_id = token_id
        row.num_new += 1
        reason = finish_reason(row.job, token_id, row.num_new, self._loaded.context_length)
        return NewToken(row.job.row, token_id, reason)

    def _leave(self, index: int) -> None:
        last = self._running.pop()
        if index < len(self._running):
            self._running[index] = last
        self._cache.leave(index)
        self._forget_recording()


def _lengths(rows: Sequence[_Row]) -> list[int]:
    """Return the number of tokens of each prompt."""
    return [len(row.job.token_ids) for row in rows]


def _most_padding(loaded: LoadedModel) -> int:
    """Return the limit of padding: a GPU reads the prompts of a whole step in about the time of one."""
    return PADDING_ON_CPU if loaded.device.type == "cpu" else READ_TOKENS
