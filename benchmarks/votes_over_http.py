"""Send three copies of each of 20,000 votes over HTTP and verify that each acknowledged vote is stored exactly once.

Run ``python benchmarks/votes_over_http.py [--battles 20000]``. 200 raters vote on battles with stored answers, so that
the votes are the load. Compares acknowledgements with rows, journal and export. Exit status 1 if they differ. There is
no peer.

Boundary: the real app in its own process; a vote is a program's: ``/call/v2/vote`` and its result.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.accounts import compare_accounts
from benchmarks.ballots import Ballot, ballots, lay_out
from benchmarks.rounds import machine
from benchmarks.served import Program, served
from playground.storage.database.store import Store

RATERS = 200
TIMES = 3
IN_FLIGHT = 8
"""Battles in parallel, each with three votes."""
PORT = 7971


def thrice(ballot: Ballot, programs: threading.local, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    """Send one vote three times at once; return the answers."""

    def once(_: int) -> dict[str, Any]:
        if not hasattr(programs, "own"):
            programs.own = Program(PORT)
        return dict(programs.own.vote(ballot))

    return list(pool.map(once, range(TIMES)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--battles", type=int, default=20_000)
    number = parser.parse_args().battles
    given = list(ballots(number, RATERS))
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "playground.db"
        with Store(db) as store:
            lay_out(store, given, "api")
        programs = threading.local()
        with served(db, PORT), ThreadPoolExecutor(IN_FLIGHT * TIMES) as senders, ThreadPoolExecutor(IN_FLIGHT) as pool:
            began = time.perf_counter()
            answers = list(pool.map(lambda ballot: thrice(ballot, programs, senders), given))
            took_s = time.perf_counter() - began
        unequal = sum(len({str(answer) for answer in three}) > 1 for three in answers)
        acknowledged = {b.battle_id: three[0]["choice"] for b, three in zip(given, answers, strict=True)}
        refused = sum(not answer["accepted"] for three in answers for answer in three)
        print(machine(1, "gradio"))
        print(f"{number:,} battles, {RATERS} raters, {TIMES * number:,} votes sent in {took_s:.0f} s")
        print(f"refused: {refused}; battles whose {TIMES} answers differ: {unequal}")
        return int(compare_accounts(db, acknowledged) + refused + unequal > 0)


if __name__ == "__main__":
    sys.exit(main())
