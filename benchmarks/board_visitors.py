"""Part of benchmark 7: four visitors ask at once for boards with different filters.

Run ``python benchmarks/board_visitors.py [--votes 100000] [--database FILE]``. Two visitors open the Leaderboard page,
two call the API, all at the same moment; no two boards of a run are the same. The first round is the first look in a
fresh app; in the others only the filters are new. `--database FILE` is copied, or made if it is missing.

Boundary: real HTTP on loopback to the real app in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.judged_votes import fill
from benchmarks.page_loads import playground
from benchmarks.page_served import cpu_seconds
from benchmarks.rounds import machine, print_row
from benchmarks.served import ROOT, Program
from benchmarks.tab import Tab
from playground.storage.database.store import Store

ROUNDS: tuple[tuple[str, ...], ...] = (
    ("", "category=category-1", "level=0.9", "since=2026-01-01"),
    ("category=category-2", "category=category-3", "category=category-4", "level=0.99"),
    ("since=2026-01-03", "until=2026-01-20", "unit=vote", "both_bad=omit"),
)
"""The boards of each round: two for the page, then two for the API."""


def visit(port: int, query: str) -> float:
    """Open the page of an address; return the seconds until it is drawn."""
    tab = Tab(port)
    began = time.perf_counter()
    tab.open(f"/leaderboard?{query}" if query else "/leaderboard")
    return time.perf_counter() - began


def call(port: int, query: str) -> float:
    """Call the API with the fields of an address; return the seconds until the board is there.

    Raises:
        RuntimeError: the answer is no board with votes.
    """
    fields: Mapping[str, Any] = dict(part.split("=") for part in query.split("&"))
    fields = {name: float(value) if name == "level" else value for name, value in fields.items()}
    program = Program(port)
    began = time.perf_counter()
    text = program.read_to_end(program.start("leaderboard", **fields))
    took_s = time.perf_counter() - began
    board = json.loads(text.rpartition("data: ")[2].splitlines()[0])[0]
    if not board["num_votes"]:
        raise RuntimeError(f"no votes on the board of {query!r}: {text[:200]}")
    return took_s


def at_once(port: int, queries: tuple[str, ...]) -> list[float]:
    """Return how long each of four visitors waits who ask at the same moment."""
    ready = Barrier(len(queries))

    def ask(how: Callable[[], float]) -> float:
        ready.wait()
        return how()

    kinds = (visit, visit, call, call)
    with ThreadPoolExecutor(len(queries)) as visitors:
        return list(visitors.map(ask, [partial(kind, port, query) for kind, query in zip(kinds, queries, strict=True)]))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--database", type=Path, help="copied; made if missing")
    parser.add_argument("--quick", action="store_true", help="2,000 votes, to see that it works")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stored = chosen.database or folder / "playground.db"
        if not stored.exists():
            with Store(stored) as store:
                fill(store, 2_000 if chosen.quick else chosen.votes)
        if chosen.database:
            shutil.copy(chosen.database, folder / "playground.db")
        with playground("board", ROOT, folder) as app:
            print_row(["four visitors at once", "page, s", "page, s", "API, s", "API, s", "CPU of the app, s"])
            print_row(["---"] * 6)
            for number, queries in enumerate(ROUNDS, start=1):
                before = cpu_seconds(app.process.pid)
                waits = at_once(app.port, queries)
                spent_s = cpu_seconds(app.process.pid) - before
                print_row([f"round {number}", *(f"{wait:.2f}" for wait in waits), f"{spent_s:.2f}"])
    print(machine(len(ROUNDS), "numpy", "gradio"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
