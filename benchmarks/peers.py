"""Peers that write with a transformers model: ``generate`` in turn and in threads, padded and continuous batching.

Every peer takes requests and returns answers in order, each in the way that suits it best.

Boundary: calls the peers' public functions; measures only the time of each first token.
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

from benchmarks.models import PAD_ID
from benchmarks.rounds import NotHere
from benchmarks.words import Request, Vocabulary

PAGE_TOKENS = 32
_SILENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A visitor's answer and the time of its first token."""

    token_ids: tuple[int, ...] | None  # None: the peer returns text only
    text: str | None  # None: the peer returns ids only
    first_s: float  # from the arrival of all requests to this one's first token or text


Peer = Callable[[Sequence[Request]], list[Answer]]


def greedy(*requests: Request) -> GenerationConfig:
    """Return the arguments of ``generate`` for requests with the same stop ids; the longest answer sets the limit."""
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max(one.max_new_tokens for one in requests),
        eos_token_id=list(requests[0].stop_ids),
        pad_token_id=PAD_ID,
        use_cache=True,
    )


def text_of(vocabulary: Vocabulary, token_ids: Sequence[int]) -> str:
    """Return the text as a peer shows it, without special tokens."""
    return str(vocabulary.theirs.decode(token_ids, skip_special_tokens=True))


def _generate(model: Any, request: Request, streamer: BaseStreamer | None = None) -> tuple[int, ...]:
    ids = torch.tensor([request.token_ids])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=greedy(request),
        streamer=streamer,
    )
    return tuple(out[0, ids.shape[1] :].tolist())


class _Watch(BaseStreamer):
    """A streamer that records the time of the first token; its first input is the prompt."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: torch.Tensor) -> None:
        """Receive the prompt, then each token."""
        if len(self.times) < 2:
            self.times.append(time.perf_counter())

    def end(self) -> None:
        """Do nothing."""


def one_at_a_time(model: Any, requests: Sequence[Request]) -> list[Answer]:
    """Run ``generate`` for one visitor after another."""
    began = time.perf_counter()
    answers = []
    for request in requests:
        watch = _Watch()
        ids = _generate(model, request, watch)
        answers.append(Answer(ids, None, watch.times[1] - began))
    return answers


def threads(models: Sequence[Any], vocabulary: Vocabulary, requests: Sequence[Request]) -> list[Answer]:
    """Run ``generate`` in a thread for each visitor, and read its TextIteratorStreamer in another.

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
    """Run each call in a thread and wait for all."""
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
    """Run ``generate`` for `size` visitors at once, padded on the left; a batch ends with its longest answer."""
    answers: list[Answer] = []
    began = time.perf_counter()
    for begin in range(0, len(requests), size):
        batch = requests[begin : begin + size]
        width = max(len(one.token_ids) for one in batch)
        ids = torch.tensor([[PAD_ID] * (width - len(one.token_ids)) + list(one.token_ids) for one in batch])
        mask = torch.tensor([[0] * (width - len(one.token_ids)) + [1] * len(one.token_ids) for one in batch])
        out = model.generate(ids, attention_mask=mask, generation_config=greedy(*batch))
        done_s = time.perf_counter() - began
        answers += [
            Answer(_useful(row, one), None, done_s) for row, one in zip(out[:, width:].tolist(), batch, strict=True)
        ]
    return answers


def _useful(row: list[int], request: Request) -> tuple[int, ...]:
    """Cut a batch's row where the visitor's answer ends."""
    ids = row[: request.max_new_tokens]
    end = next((at for at, token_id in enumerate(ids) if token_id in request.stop_ids), len(ids))
    return tuple(ids[: end + 1])


@contextmanager
def continuous_batching(model: Any, requests: Sequence[Request], rows: int | None = None) -> Iterator[Peer]:
    """Run transformers' continuous batching as `continuous_batching_manager` does, for requests that come together."""
    with continuous_batching_manager(model, requests, rows) as manager:
        yield lambda asked: ask(manager, asked)


@contextmanager
def continuous_batching_manager(model: Any, requests: Sequence[Request], rows: int | None = None) -> Iterator[Any]:
    """Run transformers' continuous batching, warm, with pages for these requests, in the fastest of several sizes.

    Args:
        rows: most rows written together; None: as many as it chooses.
    """
    hints = WorkloadHints(
        max_prompt_length=max(len(one.token_ids) for one in requests),
        max_generated_length=max(one.max_new_tokens for one in requests),
        num_requests=len(requests),
    )
    pages = -(-(hints.max_prompt_length + hints.max_generated_length) // PAGE_TOKENS)
    config = ContinuousBatchingConfig(
        page_size=PAGE_TOKENS,
        num_blocks=max(16, pages) * len(requests),
        max_batch_tokens=512,
        max_requests_per_batch=rows,
    )
    with model.continuous_batching_context_manager(
        generation_config=greedy(*requests), continuous_batching_config=config, workload_hints=hints
    ) as manager:
        yield manager


def add(manager: Any, number: int, request: Request) -> None:
    """Add a request to a manager of continuous batching."""
    manager.add_request(
        list(request.token_ids), request_id=str(number), max_new_tokens=request.max_new_tokens, streaming=True
    )


def next_result(manager: Any) -> Any:
    """Return the next partial or complete answer; its tokens are all that it has."""
    result = manager.get_result(timeout=_SILENCE_S)
    if result is None or result.error is not None:
        raise NotHere(f"it failed: {result.error if result else manager.background_thread_status.fatal_error!r}")
    return result


def ask(manager: Any, requests: Sequence[Request]) -> list[Answer]:
    """Ask all requests at the same moment and return the answers."""
    began = time.perf_counter()
    for number, one in enumerate(requests):
        add(manager, number, one)
    first: dict[str, float] = {}
    done: dict[str, Any] = {}
    while len(done) < len(requests):
        result = next_result(manager)
        if result.generated_tokens:
            first.setdefault(result.request_id, time.perf_counter() - began)
        if result.is_finished():
            done[result.request_id] = result
    return [Answer(tuple(done[n].generated_tokens), None, first[n]) for n in map(str, range(len(requests)))]
