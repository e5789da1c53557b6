"""A job and the model that is to write it: its refusal, its sampler and its end.

Boundary: knows no cache and no other rows.
"""

from __future__ import annotations

from playground.engines.local.worker.decoding.sampling import Sampler
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason


def check_job(job: Job, loaded: LoadedModel) -> None:
    """Refuse a prompt that the model cannot take; raises as `Decoder.admit`."""
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
    return Sampler(job.params, job.seed, job.token_ids, job.stop_ids, loaded.vocab_size, loaded.device)


def finish_reason(job: Job, token_id: int, num_new: int, context_length: int) -> FinishReason | None:
    """Return the reason if the row ends with its `num_new`-th token."""
    if token_id in job.stop_ids:
        return FinishReason.STOP
    full = len(job.token_ids) + num_new >= context_length
    return FinishReason.LENGTH if full or num_new >= job.params.max_new_tokens else None
