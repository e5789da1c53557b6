"""How others write answers with a model of transformers: one at a time, threads, padded batches, continuous batching.

Every peer takes requests and gives answers in their order, and is fed what it is best fed with.

Boundary: calls the peers' public functions; measures nothing but the time of each first token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, TextIteratorStreamer
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.utils import WorkloadHints
from transformers.generation.streamers import BaseStreamer

from benchmarks.models import PAD_ID, STOP_ID
from benchmarks.rounds import NotHere
from benchmarks.words import Request, Vocabulary

_SILENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor got, and when."""

    token_ids: tuple[int, ...] | None  # None: the peer gives text only
    text: str | None  # None: the peer gives ids only
    first_s: float  # from the moment at which all requests came until this one's first token or text


Peer = Callable[[Sequence[Request]], list[Answer]]


def greedy(max_new_tokens: int) -> GenerationConfig:
    """What every answer here is written with."""
    return GenerationConfig(
        do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=STOP_ID, pad_token_id=PAD_ID, use_cache=True
    )


def text_of(vocabulary: Vocabulary, token_ids: Sequence[int]) -> str:
    """The text as a peer shows it, without special tokens."""
    return str(vocabulary.theirs.decode(token_ids, skip_special_tokens=True))


def _generate(model: Any, request: Request, streamer: BaseStreamer | None = None) -> tuple[int, ...]:
    ids = torch.tensor([request.token_ids])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=greedy(request.max_new_tokens),
        streamer=streamer,
    )
    return tuple(out[0, ids.shape[1] :].tolist())


class _Watch(BaseStreamer):
    """Notes when the first token comes; the first thing that a streamer gets is the prompt."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: torch.Tensor) -> None:
        """The prompt, then token after token."""
        if len(self.times) < 2:
            self.times.append(time.perf_counter())

    def end(self) -> None:
        """Nothing is held back."""


def one_at_a_time(model: Any, requests: Sequence[Request]) -> list[Answer]:
    """``generate`` for one visitor after another."""
    began = time.perf_counter()
    answers = []
    for request in requests:
        watch = _Watch()
        ids = _generate(model, request, watch)
        answers.append(Answer(ids, None, watch.times[1] - began))
    return answers


def threads(models: Sequence[Any], vocabulary: Vocabulary, requests: Sequence[Request]) -> list[Answer]:
    """A thread for each visitor that runs ``generate``, and another that reads its TextIteratorStreamer.

    Args:
        models: one for each request; the same one may be in it more than once.
    """
    began = time.perf_counter()
    answers: list[Answer | None] = [None] * len(requests)

    def visit(number: int) -> None:
        streamer = TextIteratorStreamer(vocabulary.theirs, skip_prompt=True, skip_special_tokens=True)
        writing = threading.Thread(target=_generate, args=(models[number], requests[number], streamer))
        writing.start()
        answers[number] = _read(streamer, began)
        writing.join()

    run_together([lambda number=number: visit(number) for number in range(len(requests))])
    return [answer for answer in answers if answer is not None]


def run_together(calls: Sequence[Callable[[], object]]) -> None:
    """Each call on a thread of its own, until all are over."""
    running = [threading.Thread(target=call) for call in calls]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def _read(texts: Iterator[str], began: float) -> Answer:
    whole, first_s = "", 0.0
    for text in texts:
        first_s = first_s or (time.perf_counter() - began if text else 0.0)
        whole += text
    return Answer(None, whole, first_s)


def padded_batches(model: Any, requests: Sequence[Request], size: int = 16) -> list[Answer]:
    """``generate`` for `size` visitors at once, padded on the left; a batch is as long as its longest answer."""
    answers: list[Answer] = []
    began = time.perf_counter()
    for begin in range(0, len(requests), size):
        batch = requests[begin : begin + size]
        width = max(len(one.token_ids) for one in batch)
        ids = torch.tensor([[PAD_ID] * (width - len(one.token_ids)) + list(one.token_ids) for one in batch])
        mask = torch.tensor([[0] * (width - len(one.token_ids)) + [1] * len(one.token_ids) for one in batch])
        out = model.generate(
            ids, attention_mask=mask, generation_config=greedy(max(one.max_new_tokens for one in batch))
        )
        done_s = time.perf_counter() - began
        answers += [
            Answer(_useful(row, one), None, done_s) for row, one in zip(out[:, width:].tolist(), batch, strict=True)
        ]
    return answers


def _useful(row: list[int], request: Request) -> tuple[int, ...]:
    """What the visitor asked for of a batch's row."""
    ids = row[: request.max_new_tokens]
    return tuple(ids[: ids.index(STOP_ID) + 1] if STOP_ID in ids else ids)


@contextmanager
def continuous_batching(model: Any, requests: Sequence[Request], rows: int | None = None) -> Iterator[Peer]:
    """transformers' own, running and warm, with pages for these requests; the sizes were the fastest of several.

    Args:
        rows: how many are written together at the most; None: as many as it likes.
    """
    config = ContinuousBatchingConfig(
        page_size=32, num_blocks=16 * len(requests), max_batch_tokens=512, max_requests_per_batch=rows
    )
    hints = WorkloadHints(
        max_prompt_length=max(len(one.token_ids) for one in requests),
        max_generated_length=max(one.max_new_tokens for one in requests),
        num_requests=len(requests),
    )
    with model.continuous_batching_context_manager(
        generation_config=greedy(hints.max_generated_length), continuous_batching_config=config, workload_hints=hints
    ) as manager:
        yield lambda asked: _ask(manager, asked)


def _ask(manager: Any, requests: Sequence[Request]) -> list[Answer]:
    began = time.perf_counter()
    for number, one in enumerate(requests):
        manager.add_request(
            list(one.token_ids), request_id=str(number), max_new_tokens=one.max_new_tokens, streaming=True
        )
    first: dict[str, float] = {}
    done: dict[str, Any] = {}
    while len(done) < len(requests):
        result = manager.get_result(timeout=_SILENCE_S)
        if result is None or result.error is not None:
            raise NotHere(f"it failed: {result.error if result else manager.background_thread_status.fatal_error!r}")
        if result.generated_tokens:
            first.setdefault(result.request_id, time.perf_counter() - began)
        if result.is_finished():
            done[result.request_id] = result
    return [Answer(tuple(done[n].generated_tokens), None, first[n]) for n in map(str, range(len(requests)))]
