"""Write one row at a time with transformers' own ``generate``, for architectures that `BatchDecoder` cannot run.

``generate`` runs in a thread and pauses after every token until the next step, so that a row can be cancelled within
one step. The row's own sampler chooses the tokens; the checkpoint's generation settings are not used.

Boundary: implements `Decoder`.
"""

from __future__ import annotations

import queue
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from playground.engines.local.worker.decoding.decoder import NO_USABLE_LOGITS, NewToken
from playground.engines.local.worker.decoding.job import check_job, finish_reason, sampler_of
from playground.engines.local.worker.decoding.sampling import Sampler, next_ids
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.records import FinishReason


class GenerateDecoder:
    """Writes the rows of a model one after another."""

    max_rows = 1

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._rows: deque[_Row] = deque()

    @property
    def can_admit(self) -> bool:
        return not self._rows

    def admit(self, job: Job) -> None:
        check_job(job, self._loaded)
        self._rows.append(_Row(job, self._loaded))

    def drop(self, row: str) -> None:
        """Stop a row's ``generate`` and remove the row."""
        for known in [known for known in self._rows if known.job.row == row]:
            known.stop()
            self._rows.remove(known)

    def step(self) -> list[NewToken]:
        """Return one token of the first row; raises what ``generate`` raised."""
        if not self._rows:
            return []
        token = self._rows[0].step()
        if token.finish_reason is not None:
            self.drop(token.row)
        return [token]


class _Row:
    """One call of ``generate``, advanced a token at a time."""

    def __init__(self, job: Job, loaded: LoadedModel) -> None:
        self.job = job
        self._loaded = loaded
        self._stepper = _Stepper(sampler_of(job, loaded))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generate")
        self._generating: Future[None] | None = None
        self._num_new = 0

    def step(self) -> NewToken:
        """Return the next token."""
        if self._generating is None:
            self._generating = self._thread.submit(_generate, self._loaded, self.job, self._stepper)
            self._generating.add_done_callback(self._stepper.on_return)
        token_id = self._stepper.next_id()
        if token_id is None:
            if self._generating.done():
                self._generating.result()  # raises the error of ``generate``
            return NewToken(self.job.row, None, FinishReason.ERROR, NO_USABLE_LOGITS)
        self._num_new += 1
        reason = finish_reason(self.job, token_id, self._num_new, self._loaded.context_length)
        return NewToken(self.job.row, token_id, reason)

    def stop(self) -> None:
        """Make ``generate`` return, and wait for it."""
        self._stepper.stop()
        self._thread.shutdown()


class _Stepper:
    """Chooses tokens inside ``generate`` and pauses it after each until the next one is requested."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._ids: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._continue: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._started = False

    def next_id(self) -> int | None:
        """Wait for the next token; None if there is none."""
        if self._started:
            self._continue.put(True)
        self._started = True
        return self._ids.get()

    def stop(self) -> None:
        """Make ``generate`` return at its next pause."""
        self._continue.put(False)

    def on_return(self, generating: Future[None]) -> None:
        """Wake `next_id` when ``generate`` has returned or failed."""
        self._ids.put(None)

    def choose(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return scores for which a greedy ``generate`` takes the sampler's choice, shape (1, vocabulary)."""
        (token_id,) = next_ids([self._sampler], scores.to(torch.float32))
        self._ids.put(token_id)
        chosen = torch.full_like(scores, -torch.inf)
        chosen[0, token_id or 0] = 0.0
        return chosen

    def wait(self, input_ids: torch.Tensor, scores: object, **kwargs: object) -> torch.Tensor:
        """Pause until the next token is requested; the result, shape (1,), is True if ``generate`` is to return."""
        return torch.tensor([not self._continue.get()], device=input_ids.device)


def _generate(loaded: LoadedModel, job: Job, stepper: _Stepper) -> None:
    """Run ``generate`` greedily over the stepper's choices; stop ids and lengths are checked by `_Row`."""
    ids = torch.tensor([job.token_ids], device=loaded.device)
    loaded.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=GenerationConfig(do_sample=False, max_new_tokens=job.params.max_new_tokens, pad_token_id=0),
        logits_processor=LogitsProcessorList([stepper.choose]),
        stopping_criteria=StoppingCriteriaList([stepper.wait]),
    )
