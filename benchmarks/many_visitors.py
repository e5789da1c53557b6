"""Benchmark 2: 16 visitors ask one model at the same moment, for each architecture.

Run ``python benchmarks/many_visitors.py [--rounds 5] [--no-fastchat]``. Measures tokens per CPU second of the process
and the time to a visitor's first token, of the playground's decode loop against FastChat's ``generate_stream`` and
transformers (``generate`` in turn and in threads, continuous batching). Prompts of 10 to 120 tokens, greedy answers of
64 to 128. Everyone also decodes text, except ``generate`` in turn and continuous batching. Exit status 1 if one of our
answers differs from ``generate``'s.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks import ours, peers
from benchmarks.fastchat_peer import Stream, at_once, fastchat
from benchmarks.models import KINDS, build, num_parameters
from benchmarks.oracle import Oracle
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, Spent, in_turns, machine, parse, show
from benchmarks.words import Request, Vocabulary, visitors, write_vocabulary

NUM_VISITORS = 16
OURS = "ours"
COLUMNS = (
    Figure("rate", "tokens per CPU second"),
    Figure("first", "first token, p95, s", 2, less_is_better=True),
)


def figures(oracle: Oracle, write: Callable[[], Sequence[Answer]]) -> Figures:
    """Run one round of one contender."""
    with Spent() as spent:
        answers = write()
    return {
        "rate": oracle.num_tokens / spent.cpu_s,
        "first": percentile([answer.first_s for answer in answers], 0.95),
        EQUAL: oracle.share(answers),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def contenders(
    model: Any, vocabulary: Vocabulary, requests: list[Request], oracle: Oracle, stream: Stream | NotHere
) -> list[Contender]:
    """Return the contenders, with the same model and the same visitors."""
    models = [model] * len(requests)

    def batching() -> Figures:
        with peers.continuous_batching(model, requests) as write:
            write(requests[:2])  # starts its thread and allocates its pages before the clock starts
            return figures(oracle, lambda: write(requests))

    def contender(name: str, write: Callable[[], Sequence[Answer]]) -> Contender:
        return Contender(name, lambda: figures(oracle, write))

    return [
        contender(OURS, lambda: ours.write(model, vocabulary.ours, requests)),
        contender("`generate`, one at a time", lambda: peers.one_at_a_time(model, requests)),
        contender("`generate` in threads, TextIteratorStreamer", lambda: peers.threads(models, vocabulary, requests)),
        contender("FastChat's `generate_stream`, 5 at once", lambda: at_once(stream, models, vocabulary, requests)),
        Contender("transformers' continuous batching", batching),
    ]


def compare(kind: str, vocabulary: Vocabulary, stream: Stream | NotHere, rounds: int, quick: bool) -> bool:
    """Print the architecture's table; return True if all our answers were right."""
    model = build(kind, quick=quick)
    requests = visitors(vocabulary, NUM_VISITORS, seed=0, new=(12, 24) if quick else (64, 128))
    oracle = Oracle([model] * len(requests), vocabulary, requests)
    print(f"\n{kind}, {num_parameters(model) / 1e6:.1f} million parameters, {oracle.num_tokens} tokens\n")
    everyone = contenders(model, vocabulary, requests, oracle, stream)
    results = in_turns(everyone, rounds)
    show(results, OURS, COLUMNS)
    return all(one[EQUAL] == 1.0 for one in results.figures[OURS])


def main() -> None:
    chosen = parse(__doc__, fastchat=True)
    print(machine(chosen.rounds, "torch", "transformers"))
    with tempfile.TemporaryDirectory() as folder, fastchat(not chosen.no_fastchat) as stream:
        vocabulary = write_vocabulary(Path(folder))
        right = [compare(kind, vocabulary, stream, chosen.rounds, chosen.quick) for kind in KINDS]
    if not all(right):
        sys.exit("our answers are not those of model.generate")


if __name__ == "__main__":
    main()
