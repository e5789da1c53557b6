"""The playground's decode loop, driven by its worker without the pipe between two processes.

Boundary: the worker's public parts; measures only the time of each first token.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.models import SPECIAL_IDS, in_memory
from benchmarks.peers import Answer
from benchmarks.words import Request
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.local.worker.decoding.decoder import MAX_ROWS, BatchDecoder
from playground.engines.local.worker.main import Worker
from playground.engines.protocol import Job
from playground.prompting.tokenization import TextStream, Tokenizer
from playground.records import SamplingParams

PATIENCE_S = 600.0


def job(row: str, request: Request) -> Job:
    """Return the request as a job."""
    params = SamplingParams(max_new_tokens=request.max_new_tokens)
    return Job(row, request.token_ids, params, seed=0, stop_ids=request.stop_ids, deadline_s=PATIENCE_S)


class Column:
    """One visitor's answer: ids, text, and the time of the first ids."""

    def __init__(self, stream: TextStream) -> None:
        self._stream = stream
        self._ids: list[int] = []
        self._text: list[str] = []
        self._first_s = 0.0

    def take(self, token_ids: Sequence[int], at_s: float) -> None:
        """Add ids that arrived `at_s` seconds after the start."""
        self._first_s = self._first_s or at_s
        self._ids += token_ids
        self._text += [self._stream.feed(token_id) for token_id in token_ids if token_id not in SPECIAL_IDS]

    def answer(self) -> Answer:
        """Return the complete answer."""
        return Answer(tuple(self._ids), "".join(self._text) + self._stream.finish(), self._first_s)


class _Outbox:
    """Receives the worker's messages."""

    def __init__(self, tokenizer: Tokenizer, requests: Sequence[Request]) -> None:
        self.columns = {str(number): Column(tokenizer.stream()) for number in range(len(requests))}
        self.num_ended = 0
        self._began = time.perf_counter()

    def send(self, *said: Message) -> None:
        """Receive messages that the worker sends together."""
        for message in said:
            self._take(message)

    def _take(self, message: Message) -> None:
        if message["kind"] == "tokens":
            self.columns[message["row"]].take(message["token_ids"], time.perf_counter() - self._began)
        elif message["kind"] == "ended":
            if message["error"]:
                raise RuntimeError(message["error"])
            self.num_ended += 1


def write(
    model: Any, tokenizer: Tokenizer, requests: Sequence[Request], *, rows: int = MAX_ROWS, turns_between: int = 0
) -> list[Answer]:
    """Return the answers to all requests, in order.

    Args:
        rows: how many are written together.
        turns_between: steps of the loop from one visitor's arrival to the next one's; 0: all come at once.
    """
    outbox = _Outbox(tokenizer, requests)
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    worker = Worker(BatchDecoder(in_memory(model), rows), inbox, outbox.send)
    num_come = turn = 0
    while outbox.num_ended < len(requests):
        while num_come < len(requests) and (num_come * turns_between <= turn or outbox.num_ended == num_come):
            inbox.put(messages.start(job(str(num_come), requests[num_come])))
            num_come += 1
        worker.turn()
        turn += 1
    return [column.answer() for column in outbox.columns.values()]
