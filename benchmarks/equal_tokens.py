"""Benchmark 1: greedy answers of rows written together against ``model.generate`` for each row alone.

Run ``python benchmarks/equal_tokens.py [--rounds 5]``. Counts equal answers of the playground's decode loop and of
transformers' continuous batching: three architectures, 16 prompts (others in each round), 1, 4 and 16 rows at once;
prompts and answers differ in length and visitors arrive one after another, so that rows join and leave. Exit status 1
if one of our answers differs from ``generate``'s.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks import ours
from benchmarks.models import KINDS, build
from benchmarks.oracle import Oracle
from benchmarks.peers import continuous_batching
from benchmarks.rounds import NotHere, machine, parse, print_row
from benchmarks.words import Request, Vocabulary, visitors, write_vocabulary

NUM_PROMPTS = 16
ROWS = (1, 4, 16)
TURNS_BETWEEN = 3


def their_share(model: Any, oracle: Oracle, requests: list[Request], rows: int) -> float | NotHere:
    """Return the share of right answers of transformers' continuous batching."""
    try:
        with continuous_batching(model, requests, rows) as write:
            return oracle.share(write(requests))
    except NotHere as reason:
        return reason


def compare(kind: str, vocabulary: Vocabulary, rounds: int, quick: bool) -> bool:
    """Print the architecture's rows of the table; return True if all our answers were right."""
    model, longest = build(kind, quick=quick), 16 if quick else 64
    ours_share: dict[int, list[float]] = {rows: [] for rows in ROWS}
    theirs: dict[int, list[float | NotHere]] = {rows: [] for rows in ROWS}
    for seed in range(rounds):
        requests = visitors(vocabulary, NUM_PROMPTS, seed, prompt=(5, longest), new=(longest // 4, longest))
        oracle = Oracle([model] * NUM_PROMPTS, vocabulary, requests)
        for rows in ROWS:
            written = ours.write(model, vocabulary.ours, requests, rows=rows, turns_between=TURNS_BETWEEN)
            ours_share[rows].append(oracle.share(written))
            theirs[rows].append(their_share(model, oracle, requests, rows))
    for rows in ROWS:
        print_row([kind, str(rows), format_shares(list(ours_share[rows])), format_shares(theirs[rows])])
    return all(share == 1.0 for shares in ours_share.values() for share in shares)


def format_shares(shares: list[float] | list[float | NotHere]) -> str:
    """Format the number of right answers, and the reason for rounds without any."""
    found = [share for share in shares if not isinstance(share, NotHere)]
    reasons = [str(share) for share in shares if isinstance(share, NotHere)]
    words = [f"{round(sum(found) * NUM_PROMPTS)} of {len(found) * NUM_PROMPTS}"] if found else []
    words += [f"{len(reasons)} rounds not here: {reasons[0]}"] if reasons else []
    return "; ".join(words)


def main() -> None:
    chosen = parse(__doc__)
    print(machine(chosen.rounds, "torch", "transformers"))
    print_row(["architecture", "rows at once", "ours: right", "transformers' continuous batching: right"])
    print_row(["---"] * 4)
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = write_vocabulary(Path(folder))
        right = [compare(kind, vocabulary, chosen.rounds, chosen.quick) for kind in KINDS]
    if not all(right):
        sys.exit("our answers are not those of model.generate")


if __name__ == "__main__":
    main()
