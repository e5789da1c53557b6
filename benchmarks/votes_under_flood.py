"""Benchmark 11: wait for a vote while generations flood the queue, against the same app idle.

Run ``python benchmarks/votes_under_flood.py [--rounds 5]``. Idle and flooded phases alternate; one rater votes at a
steady pace over HTTP. The flood is as many comparisons of all five pocket models as the app accepts, restarted as soon
as they end. Exit status 1 if a vote is refused, missing or doubled.

Boundary: the real app in its own process, with its worker processes.
"""

from __future__ import annotations

import math
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.synchronize import Event as EventType
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.accounts import compare_accounts
from benchmarks.ballots import Ballot, ballots, lay_out
from benchmarks.rounds import machine, parse, print_row, spread
from benchmarks.served import Program, served
from playground.storage.database.store import Store

VOTES = 150
"""In each half of a round."""
PACE_S = 0.1
VISITORS = 32
SETTLE_S = 4.0
SPAWN = multiprocessing.get_context("spawn")
PORT = 7972


@dataclass(slots=True)
class Flood:
    """Visitors who compare without a pause, in a process of their own, which does not slow the measurement."""

    over: EventType = field(default_factory=SPAWN.Event)
    comparisons: Any = field(default_factory=lambda: SPAWN.Value("i"))
    refused: Any = field(default_factory=lambda: SPAWN.Value("i"))

    def run(self) -> None:
        """Run all visitors until the flood ends."""
        with ThreadPoolExecutor(VISITORS) as visitors:
            for _ in range(VISITORS):
                visitors.submit(self.visit)

    def visit(self) -> None:
        program = Program(PORT)
        while not self.over.is_set():
            path = program.start("compare", instruction="Write a story about a fox and the sea.", blind=True)
            ended = "event: complete" in program.read_to_end(path)
            counted = self.comparisons if ended else self.refused
            with counted.get_lock():
                counted.value += 1
            if not ended:
                self.over.wait(1.0)


@contextmanager
def flooded() -> Iterator[Flood]:
    """Flood the app inside the context."""
    flood = Flood()
    process = SPAWN.Process(target=flood.run)
    process.start()
    time.sleep(SETTLE_S)
    yield flood
    flood.over.set()
    process.join()


def vote_all(given: list[Ballot], acknowledged: dict[str, str]) -> float:
    """Return the 95th percentile of the waits, in milliseconds."""
    program, waits = Program(PORT), []
    for ballot in given:
        began = time.perf_counter()
        answer = program.vote(ballot)
        waits.append(time.perf_counter() - began)
        if answer["accepted"]:
            acknowledged[ballot.battle_id] = answer["choice"]
        time.sleep(PACE_S)
    return 1000 * sorted(waits)[math.ceil(0.95 * len(waits)) - 1]


def main() -> int:
    chosen = parse(__doc__)
    votes = 20 if chosen.quick else VOTES
    given = list(ballots(2 * votes * chosen.rounds, 20))
    acknowledged: dict[str, str] = {}
    idle, busy, comparisons, refused = [], [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "playground.db"
        with Store(db) as store:
            lay_out(store, given, "api")
        left = iter(given)
        with served(db, PORT):
            with flooded():
                pass  # waits until the models are loaded
            for _ in range(chosen.rounds):
                idle.append(vote_all(list(islice(left, votes)), acknowledged))
                with flooded() as flood:
                    busy.append(vote_all(list(islice(left, votes)), acknowledged))
                comparisons, refused = comparisons + flood.comparisons.value, refused + flood.refused.value
        print(machine(chosen.rounds, "gradio"))
        print_row(["", "vote over HTTP, 95th percentile, ms: median (range)"])
        print_row(["---"] * 2)
        print_row(["idle", spread(idle, 1)])
        print_row([f"{VISITORS} visitors compare without a pause", spread(busy, 1)])
        ratios = [b / i for b, i in zip(busy, idle, strict=True)]
        print(f"ratio: {spread(ratios, 2)}; {comparisons} comparisons meanwhile, {refused} refused")
        print(f"{len(acknowledged)} of {len(given)} votes acknowledged")
        return int(compare_accounts(db, acknowledged) > 0 or len(acknowledged) < len(given))


if __name__ == "__main__":
    sys.exit(main())
