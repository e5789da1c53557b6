"""Rows written one at a time by the model's own ``generate``: for architectures that cannot be written together.

``generate`` runs in a thread of its own and is stopped after every token until the next step, so that a row can be
cancelled within one step like any other. Tokens are still chosen by the row's own sampler.

Boundary: worker side; implements `Writer`. Nothing of the checkpoint's generation settings takes part.
"""

from __future__ import annotations

import queue
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from playground.engines.local.worker.decode import NO_NUMBERS, Drawn, check_job, finish_reason, sampler_of
from playground.engines.local.worker.loading import LoadedModel
from playground.engines.local.worker.sampling import Sampler, next_ids
from playground.engines.protocol import Job
from playground.records import FinishReason


class Alone:
    """A loaded model that writes its rows one after another."""

    max_rows = 1

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._rows: deque[_Run] = deque()

    @property
    def has_room(self) -> bool:
        """Whether one more row can be admitted."""
        return not self._rows

    def admit(self, job: Job) -> None:
        """Take a row in; see `Writer`."""
        check_job(job, self._loaded)
        self._rows.append(_Run(job, self._loaded))

    def drop(self, row: str) -> None:
        """End a row's ``generate`` and forget it."""
        for run in [run for run in self._rows if run.job.row == row]:
            run.end()
            self._rows.remove(run)

    def step(self) -> list[Drawn]:
        """One token for the first row.

        Raises:
            Exception: what ``generate`` raised.
        """
        if not self._rows:
            return []
        drawn = self._rows[0].step()
        if drawn.finish_reason is not None:
            self.drop(drawn.row)
        return [drawn]


class _Run:
    """One call of ``generate``, a token at a time."""

    def __init__(self, job: Job, loaded: LoadedModel) -> None:
        self.job = job
        self._loaded = loaded
        self._pace = _Pace(sampler_of(job, loaded))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generate")
        self._generating: Future[None] | None = None
        self._num_new = 0

    def step(self) -> Drawn:
        """The next token."""
        if self._generating is None:
            self._generating = self._thread.submit(generate, self._loaded, self.job, self._pace)
            self._generating.add_done_callback(self._pace.over)
        token_id = self._pace.take()
        if token_id is None:
            if self._generating.done():
                self._generating.result()  # raises what ended it
            return Drawn(self.job.row, None, FinishReason.ERROR, NO_NUMBERS)
        self._num_new += 1
        reason = finish_reason(self.job, token_id, self._num_new, self._loaded.context_length)
        return Drawn(self.job.row, token_id, reason)

    def end(self) -> None:
        """Let ``generate`` return, and wait until it has."""
        self._pace.stop()
        self._thread.shutdown()


class _Pace:
    """Chooses each token by the row's sampler, hands it over, and waits to be asked for the next one."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._drawn: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._first = True

    def take(self) -> int | None:
        """The next token, once it is there; None when there is none any more."""
        if not self._first:
            self._asked.put(True)
        self._first = False
        return self._drawn.get()

    def stop(self) -> None:
        """Have ``generate`` return instead of going on."""
        self._asked.put(False)

    def over(self, generating: Future[None]) -> None:
        """``generate`` has returned, or failed."""
        self._drawn.put(None)

    def choose(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores with which a greedy ``generate`` takes the sampler's choice; shape as given, (1, vocabulary)."""
        (token_id,) = next_ids([self._sampler], scores.to(torch.float32))
        self._drawn.put(token_id)
        chosen = torch.full_like(scores, -torch.inf)
        chosen[0, token_id or 0] = 0.0
        return chosen

    def is_over(self, input_ids: torch.Tensor, scores: object, **kwargs: object) -> torch.Tensor:
        """Whether ``generate`` is to return, decided once somebody asks for the next token; shape (1,)."""
        return torch.tensor([not self._asked.get()], device=input_ids.device)


def generate(loaded: LoadedModel, job: Job, pace: _Pace) -> None:
    """Run ``generate`` greedily over the choices of `pace`; stop ids and lengths are dealt with by who asks."""
    ids = torch.tensor([job.token_ids], device=loaded.device)
    loaded.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=GenerationConfig(do_sample=False, max_new_tokens=job.params.max_new_tokens, pad_token_id=0),
        logits_processor=LogitsProcessorList([pace.choose]),
        stopping_criteria=StoppingCriteriaList([pace.is_over]),
    )
