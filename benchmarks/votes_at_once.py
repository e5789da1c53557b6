"""Store 100,000 votes from 32 threads and verify that each acknowledged vote is stored exactly once.

Run ``python benchmarks/votes_at_once.py [--votes 100000]``. The journal is written meanwhile, and another database is
restored from it at the end. Compares acknowledgements with rows, journal and export of both databases. Exit status 1 if
they differ. There is no peer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.accounts import compare_accounts
from benchmarks.ballots import Ballot, ballots, lay_out
from benchmarks.rounds import machine
from playground.battles import Ballot as Choice
from playground.battles import Viewer
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore

THREADS = 32
RATERS = 200
PATIENCE_S = 600.0


def vote_all(db: Path, given: list[Ballot]) -> dict[str, str]:
    """Store the votes and print the time; return the acknowledged choice of each battle."""
    with Store(db) as store:
        battles = lay_out(store, given, "page")
        journal = Journal(store, journal_folder(db))

        def of_one(number: int) -> dict[str, str]:
            mine = given[number::THREADS]
            results = [battles.vote(ballot.battle_id, Viewer(ballot.rater), Choice(ballot.choice)) for ballot in mine]
            return {ballot.battle_id: str(result.choice) for ballot, result in zip(mine, results, strict=True)}

        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            acknowledged = {
                battle: choice for part in pool.map(of_one, range(THREADS)) for battle, choice in part.items()
            }
        voted_s = time.perf_counter() - began
        while journal.state().lag and time.perf_counter() - began < PATIENCE_S:
            time.sleep(0.1)
        print(f"{len(given):,} votes in {voted_s:.1f} s, in the journal after {time.perf_counter() - began:.1f} s")
        journal.close()
    return acknowledged


def restored(journal: Path, db: Path) -> Path:
    """Restore another database from the journal and print the time."""
    began = time.perf_counter()
    with Store(db) as store:
        print(restore(store, journal))
    print(f"restored in {time.perf_counter() - began:.1f} s")
    return db


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    given = list(ballots(parser.parse_args().votes, RATERS))
    print(machine(1, "sqlite-utils"))
    with tempfile.TemporaryDirectory() as folder:
        db, again = Path(folder) / "playground.db", Path(folder) / "again" / "playground.db"
        acknowledged = vote_all(db, given)
        wrong = compare_accounts(db, acknowledged)
        restored(journal_folder(db), again)
        journal_folder(db).rename(journal_folder(again))
        wrong += compare_accounts(again, acknowledged)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
