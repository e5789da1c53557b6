"""The decode loop: rows join, every step gives each of them one token, rows leave.

It feeds the model the public way (ids, 2-D attention mask, ``DynamicCache``, position ids where the model takes them),
as ``generate`` does, and so works for every causal model of transformers. One row at a time for now.

Boundary: worker side; token ids in and out. Knows no pipe, no clock and no text.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from playground.engines.local.loading import LoadedModel
from playground.engines.local.sampling import Sampler
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row's new token, and why the row is at its end when it is."""

    row: str
    token_id: int
    finish_reason: FinishReason | None = None


@dataclass(slots=True)
class _Row:
    job: Job
    sampler: Sampler
    cache: DynamicCache
    next_ids: tuple[int, ...]  # not seen by the model yet: the prompt at first, then the last token
    length: int  # tokens that the model has seen
    num_new: int = 0


class Decoder:
    """A loaded model with the rows that it is writing."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._takes_positions = "position_ids" in inspect.signature(loaded.model.forward).parameters
        self._rows: dict[str, _Row] = {}

    @property
    def has_room(self) -> bool:
        """Whether one more row can be admitted."""
        return not self._rows

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that the next step will move on."""
        return tuple(self._rows)

    def admit(self, job: Job) -> None:
        """Take a row in; its prefill is its first step.

        Raises:
            PromptTooLong: the prompt leaves no room for a single token.
            EngineError: a prompt that this model cannot be fed.
        """
        self._check(job)
        vocab_size, device = self._loaded.vocab_size, self._loaded.device
        sampler = Sampler(job.params, job.seed, job.token_ids, job.stop_ids, vocab_size, device)
        cache = DynamicCache(config=self._loaded.model.config)
        self._rows[job.row] = _Row(job, sampler, cache, next_ids=job.token_ids, length=0)

    def drop(self, row: str) -> None:
        """Forget a row and free its cache."""
        self._rows.pop(row, None)

    def step(self) -> list[Drawn]:
        """One token for every row; rows that have ended are dropped.

        Raises:
            EngineError: the model computed no usable numbers.
        """
        drawn = [self._advance(row) for row in self._rows.values()]
        for token in drawn:
            if token.finish_reason is not None:
                self.drop(token.row)
        return drawn

    def _advance(self, row: _Row) -> Drawn:
        token_id = row.sampler.next_id(self._logits(row))
        row.num_new += 1
        row.length += len(row.next_ids)
        row.next_ids = (token_id,)
        return Drawn(row.job.row, token_id, self._finish_reason(row, token_id))

    def _finish_reason(self, row: _Row, token_id: int) -> FinishReason | None:
        if token_id in row.job.stop_ids:
            return FinishReason.STOP
        full = row.length + 1 >= self._loaded.context_length
        return FinishReason.LENGTH if full or row.num_new >= row.job.params.max_new_tokens else None

    @torch.inference_mode()
    def _logits(self, row: _Row) -> torch.Tensor:
        """Float32 logits of the next token, shape (vocabulary,)."""
        device = self._loaded.device
        total = row.length + len(row.next_ids)
        inputs: dict[str, Any] = {
            "input_ids": torch.tensor([row.next_ids], device=device),
            "attention_mask": torch.ones((1, total), dtype=torch.long, device=device),
            "past_key_values": row.cache,
            "use_cache": True,
            "logits_to_keep": 1,
        }
        if self._takes_positions:
            inputs["position_ids"] = torch.arange(row.length, total, device=device).unsqueeze(0)
        logits: torch.Tensor = self._loaded.model(**inputs).logits
        return logits[0, -1].to(torch.float32)

    def _check(self, job: Job) -> None:
        if not job.token_ids:
            raise EngineError("the prompt is empty; a model needs at least one token")
        if len(job.token_ids) >= self._loaded.context_length:
            raise PromptTooLong(
                f"the prompt has {len(job.token_ids)} tokens; the model takes {self._loaded.context_length} in all"
            )
        vocab_size = self._loaded.vocab_size
        wrong = next((i for i in (*job.token_ids, *job.stop_ids) if not 0 <= i < vocab_size), None)
        if wrong is not None:
            raise EngineError(f"token id {wrong} is outside the model's {vocab_size} rows: wrong tokenizer or weights")
