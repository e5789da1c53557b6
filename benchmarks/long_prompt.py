"""Benchmark: a prompt of 2,000 tokens is read while four visitors read their answers.

Run ``python benchmarks/long_prompt.py [--rounds 5]``. Measures the longest time between two tokens of a running answer
and the time to the long prompt's first token, in CPU seconds of the process: of the playground's decode loop, which
reads the prompt in pieces, of the same loop without pieces, and of transformers' continuous batching. Exit status 1 if
one of our answers differs from ``generate``'s.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks import peers
from benchmarks.models import KINDS, build, in_memory
from benchmarks.oracle import Oracle
from benchmarks.ours import job
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, in_turns, machine, parse, show
from benchmarks.words import Request, Vocabulary, request, write_vocabulary
from playground.engines.local.worker.decoding.decoder import BatchDecoder

OURS = "ours: in pieces of 512 tokens"
CONTEXT = 2_560
LONG_TOKENS = 2_000
NUM_RUNNING = 4
TOKENS_BEFORE = 8
"""Tokens of a running answer when the long prompt comes."""
COLUMNS = (
    Figure("gap", "longest wait for the next token, CPU s", 2, less_is_better=True),
    Figure("first", "first token of the long prompt, CPU s", 2, less_is_better=True),
)


class Timeline:
    """Tokens of all answers and the CPU times at which they came."""

    def __init__(self, count: int) -> None:
        self.ids: list[list[int]] = [[] for _ in range(count)]
        self._times: list[list[float]] = [[] for _ in range(count)]
        self.asked_at = 0.0

    def ask_long(self) -> bool:
        """Return True once, when all running answers have begun: the long prompt comes now."""
        if self.asked_at or any(len(ids) < TOKENS_BEFORE for ids in self.ids[:-1]):
            return False
        self.asked_at = time.process_time()
        return True

    def take(self, number: int, token_ids: Sequence[int]) -> None:
        """Add tokens that have come now."""
        self.ids[number] += token_ids
        self._times[number] += [time.process_time()] * len(token_ids)

    def figures(self, oracle: Oracle) -> Figures:
        """Return the figures; the last answer is that to the long prompt."""
        first = self._times[-1][0]
        gaps = [
            after - before
            for times in self._times[:-1]
            for before, after in itertools.pairwise(times)
            if after > self.asked_at and before < first
        ]
        answers = [Answer(tuple(ids), None, 0.0) for ids in self.ids]
        return {"gap": max(gaps), "first": first - self.asked_at, EQUAL: oracle.share(answers)}


def ours(model: Any, requests: Sequence[Request], oracle: Oracle, in_pieces: bool) -> Figures:
    """Run one round of the playground's decode loop."""
    decoder = BatchDecoder(in_memory(model, CONTEXT), in_pieces=in_pieces)
    timeline = Timeline(len(requests))
    for number, one in enumerate(requests[:-1]):
        decoder.admit(job(str(number), one))
    while decoder.rows:
        for token in decoder.step():
            if token.token_id is None:
                raise RuntimeError(token.error)
            timeline.take(int(token.row), [token.token_id])
        if timeline.ask_long():
            decoder.admit(job(str(len(requests) - 1), requests[-1]))
    return timeline.figures(oracle)


def continuous_batching(model: Any, requests: Sequence[Request], oracle: Oracle) -> Figures:
    """Run one round of transformers' continuous batching, warm."""
    with peers.continuous_batching_manager(model, requests) as manager:
        peers.ask(manager, [replace(one, max_new_tokens=2) for one in requests[:2]])
        timeline, num_done = Timeline(len(requests)), 0
        for number, one in enumerate(requests[:-1]):
            peers.add(manager, number, one)
        while num_done < len(requests):
            result = peers.next_result(manager)
            number = int(result.request_id)
            timeline.take(number, result.generated_tokens[len(timeline.ids[number]) :])
            num_done += result.is_finished()
            if timeline.ask_long():
                peers.add(manager, len(requests) - 1, requests[-1])
    return timeline.figures(oracle)


def compare(kind: str, vocabulary: Vocabulary, rounds: int, quick: bool) -> bool:
    """Print the architecture's table; return True if all our answers were right."""
    model = build(kind, quick=quick, context=CONTEXT)
    new = 40 if quick else 120
    requests = [request(vocabulary, 20 + number, new, seed=number) for number in range(NUM_RUNNING)]
    requests.append(request(vocabulary, LONG_TOKENS, 8, seed=NUM_RUNNING))
    oracle = Oracle([model] * len(requests), vocabulary, requests)
    print(f"\n{kind}, a prompt of {len(requests[-1].token_ids):,} tokens\n")

    results = in_turns(
        [
            Contender(OURS, lambda: ours(model, requests, oracle, in_pieces=True)),
            Contender("ours: read whole", lambda: ours(model, requests, oracle, in_pieces=False)),
            Contender("transformers' continuous batching", lambda: continuous_batching(model, requests, oracle)),
        ],
        rounds,
    )
    show(results, OURS, COLUMNS)
    return all(one[EQUAL] == 1.0 for one in results.figures[OURS])


def main() -> None:
    chosen = parse(__doc__)
    print(machine(chosen.rounds, "torch", "transformers"))
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = write_vocabulary(Path(folder))
        right = [compare(kind, vocabulary, chosen.rounds, chosen.quick) for kind in KINDS]
    if not all(right):
        sys.exit("our answers are not those of model.generate")


if __name__ == "__main__":
    main()
