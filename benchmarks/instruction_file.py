"""Benchmark 5: a file of 64 instructions whose answers differ in length, as in instruction data.

Run ``python benchmarks/instruction_file.py [--rounds 5]``. Measures useful tokens per CPU second of the process, for
each architecture, of the playground's decode loop, padded batches and continuous batching of transformers. A padded
batch runs until its longest answer ends; tokens beyond the end of a shorter one do not count. Exit status 1 if one of
our answers differs from ``generate``'s.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks import ours, peers
from benchmarks.models import KINDS, build
from benchmarks.oracle import Oracle
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, Spent, in_turns, machine, parse, show
from benchmarks.words import Request, Vocabulary, instructions, write_vocabulary
from playground.engines.local.worker.decoding.decoder import MAX_ROWS

NUM_INSTRUCTIONS = 64
LONGEST = 256
OURS = f"ours, {MAX_ROWS} at once"
COLUMNS = (Figure("rate", "useful tokens per CPU second"),)


def figures(oracle: Oracle, write: Callable[[], Sequence[Answer]]) -> Figures:
    """Run one round of one contender."""
    with Spent() as spent:
        answers = write()
    return {"rate": oracle.num_tokens / spent.cpu_s, EQUAL: oracle.share(answers)}


def contenders(model: Any, vocabulary: Vocabulary, requests: list[Request], oracle: Oracle) -> list[Contender]:
    """Return the contenders, with the same model and the same file."""

    def batching(rows: int | None) -> Figures:
        with peers.continuous_batching(model, requests, rows) as write:
            write(requests[:2])  # starts its thread and allocates its pages before the clock starts
            return figures(oracle, lambda: write(requests))

    def contender(name: str, write: Callable[[], Sequence[Answer]]) -> Contender:
        return Contender(name, lambda: figures(oracle, write))

    return [
        contender(OURS, lambda: ours.write(model, vocabulary.ours, requests)),
        contender("`generate`, one by one", lambda: peers.one_at_a_time(model, requests)),
        contender("`generate`, padded batches of 16", lambda: peers.padded_batches(model, requests)),
        Contender("transformers' continuous batching, 16 at once", lambda: batching(16)),
        Contender("transformers' continuous batching, all at once", lambda: batching(None)),
    ]


def compare(kind: str, vocabulary: Vocabulary, rounds: int, quick: bool) -> bool:
    """Print the architecture's table; return True if all our answers were right."""
    model = build(kind, quick=quick)
    count = NUM_INSTRUCTIONS // 4 if quick else NUM_INSTRUCTIONS
    requests = instructions(vocabulary, count, seed=0, longest=32 if quick else LONGEST)
    oracle = Oracle([model] * len(requests), vocabulary, requests)
    lengths = sorted(one.max_new_tokens for one in requests)
    print(f"\n{kind}: {oracle.num_tokens} useful tokens, answers of {lengths[0]} to {lengths[-1]} tokens\n")
    results = in_turns(contenders(model, vocabulary, requests, oracle), rounds)
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
