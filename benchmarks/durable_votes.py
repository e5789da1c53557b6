"""Benchmark 6: 16 raters vote at the same moment; a vote counts when it is on the disk.

Run ``python benchmarks/durable_votes.py [--rounds 5]``. Measures votes per second and the wait per vote of the
playground's store against sqlite-utils, SQLAlchemy async (where installed: ``pip install sqlalchemy aiosqlite``) and a
plain file. Each contender but the file closes an open battle and adds the vote in one transaction. Exit status 1 if a
vote is missing or doubled.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from sqlite_utils import Database

from benchmarks.ballots import Ballot, ballots, lay_out
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, in_turns, machine, parse, show
from playground.battles import Ballot as Choice
from playground.battles import Viewer
from playground.storage.database.store import Store

RATERS = 16
OURS = "ours: one writer, group commit"
COLUMNS = (
    Figure("rate", "votes per second"),
    Figure("p50", "wait, median, ms", 1, less_is_better=True),
    Figure("p99", "wait, 99th percentile, ms", 1, less_is_better=True),
)
SCHEMA = """
CREATE TABLE battles (id TEXT PRIMARY KEY, state TEXT NOT NULL, owner TEXT NOT NULL) STRICT;
CREATE TABLE votes (id TEXT PRIMARY KEY, battle_id TEXT NOT NULL REFERENCES battles (id), revision INTEGER NOT NULL,
  choice TEXT NOT NULL, rater_id TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (battle_id, revision)) STRICT;
"""
CLOSE = "UPDATE battles SET state = 'voted' WHERE id = :battle_id AND state = 'open' AND owner = :rater_id"


def figures(given: list[Ballot], vote: Callable[[Ballot], None], stored: Callable[[], list[str]]) -> Figures:
    """Vote from one thread per rater; every vote must be stored once."""
    waits: list[float] = []

    def vote_all(number: int) -> None:
        for ballot in given[number::RATERS]:
            began = time.perf_counter()
            vote(ballot)
            waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(RATERS) as raters:
        list(raters.map(vote_all, range(RATERS)))
    return _figures(waits, time.perf_counter() - began, sorted(stored()) == sorted(b.battle_id for b in given))


def _figures(waits: list[float], took_s: float, right: bool) -> Figures:
    waits = sorted(waits)
    return {
        "rate": len(waits) / took_s,
        "p50": 1000 * waits[len(waits) // 2],
        "p99": 1000 * waits[math.ceil(0.99 * len(waits)) - 1],
        EQUAL: float(right),
    }


def ours(given: list[Ballot], folder: Path) -> Figures:
    with Store(folder / "ours.db") as store:
        battles = lay_out(store, given, "page")
        return figures(
            given,
            lambda ballot: battles.vote(ballot.battle_id, Viewer(ballot.rater), Choice(ballot.choice)) and None,
            lambda: [pair.battle_id for pair in store.judged_pairs()],
        )


def _plain(path: Path, given: list[Ballot]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}")
    rows = [(ballot.battle_id, ballot.rater) for ballot in given]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO battles VALUES (?, 'open', ?)", rows)
    connection.execute("COMMIT")
    return connection


def _row(ballot: Ballot) -> dict[str, object]:
    return {
        "id": ballot.battle_id,
        "battle_id": ballot.battle_id,
        "revision": 1,
        "choice": ballot.choice,
        "rater_id": ballot.rater,
        "created_at": "2026-11-21T00:00:00.000+00:00",
    }


def per_call(given: list[Ballot], folder: Path) -> Figures:
    """Use one connection behind a lock, with a transaction per vote."""
    connection = _plain(folder / "per_call.db", given)
    db, lock = Database(connection), threading.Lock()

    def vote(ballot: Ballot) -> None:
        with lock, db.atomic():
            db.execute(CLOSE, _row(ballot))
            db["votes"].insert(_row(ballot))

    try:
        return figures(given, vote, lambda: [row[0] for row in db.execute("SELECT battle_id FROM votes")])
    finally:
        connection.close()


def appended(given: list[Ballot], folder: Path) -> Figures:
    """Append a line to a file and flush it to the disk, without a check that the battle is open."""
    path, lock = folder / "votes.jsonl", threading.Lock()
    with path.open("a") as file:

        def vote(ballot: Ballot) -> None:
            with lock:
                file.write(json.dumps(_row(ballot)) + "\n")
                file.flush()
                os.fsync(file.fileno())

        return figures(given, vote, lambda: [json.loads(line)["battle_id"] for line in path.read_text().splitlines()])


def _sqlalchemy_engine(path: Path) -> Any:
    from sqlalchemy import event
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=RATERS, connect_args={"timeout": 60})

    @event.listens_for(engine.sync_engine, "connect")
    def _full(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine.sync_engine, "begin")
    def _at_once(connection: sqlite3.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def sqlalchemy_async(given: list[Ballot], folder: Path) -> Figures:
    """Use a coroutine per rater, with a transaction per vote."""
    try:
        import aiosqlite  # noqa: F401
        from sqlalchemy import text
    except ImportError as error:
        raise NotHere("pip install sqlalchemy aiosqlite") from error
    path = folder / "sqlalchemy.db"
    _plain(path, given).close()
    insert = text(
        "INSERT INTO votes (id, battle_id, revision, choice, rater_id, created_at)"
        " VALUES (:id, :battle_id, :revision, :choice, :rater_id, :created_at)"
    )

    async def run() -> Figures:
        engine = _sqlalchemy_engine(path)
        waits: list[float] = []

        async def vote_all(number: int) -> None:
            for ballot in given[number::RATERS]:
                began = time.perf_counter()
                async with engine.begin() as connection:
                    await connection.execute(text(CLOSE), _row(ballot))
                    await connection.execute(insert, _row(ballot))
                waits.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(vote_all(number) for number in range(RATERS)))
        took_s = time.perf_counter() - began
        async with engine.begin() as connection:
            stored = [row[0] for row in await connection.execute(text("SELECT battle_id FROM votes"))]
        await engine.dispose()
        return _figures(waits, took_s, sorted(stored) == sorted(b.battle_id for b in given))

    return asyncio.run(run())


def main() -> int:
    chosen = parse(__doc__)
    given = list(ballots(400 if chosen.quick else 8000, RATERS))

    def in_a_folder(run: Callable[[list[Ballot], Path], Figures]) -> Callable[[], Figures]:
        def once() -> Figures:
            with tempfile.TemporaryDirectory() as folder:
                return run(given, Path(folder))

        return once

    results = in_turns(
        [
            Contender(OURS, in_a_folder(ours)),
            Contender("sqlite-utils, a transaction per vote", in_a_folder(per_call)),
            Contender("a line in a file, fsync", in_a_folder(appended)),
            Contender("SQLAlchemy async, aiosqlite", in_a_folder(sqlalchemy_async)),
        ],
        chosen.rounds,
    )
    print(machine(chosen.rounds, "sqlite-utils") + f"; SQLite {sqlite3.sqlite_version}; {len(given)} votes")
    show(results, OURS, COLUMNS)
    return int(any(one[EQUAL] < 1 for one in results.figures[OURS]))


if __name__ == "__main__":
    sys.exit(main())
