"""Benchmarks 7 and 8: a leaderboard of 1,000,000 votes, and one of 100 models with 1,000 resamples.

Run ``python benchmarks/leaderboard.py [--votes 1000000] [--database FILE] [--peers PYTHON]``. The playground reads its
database, counts and writes the whole leaderboard; the peers fit data that is ready in memory. Each runs in a process of
its own whose start is not measured. `--peers` names a Python that has them:
``pip install arena-rank evalica scikit-learn pytz plotly && pip install --no-deps fschat``. Exit status 1 if a rating
differs from evalica's by more than a millionth of a point.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

import numpy as np

from benchmarks.judged_votes import MODELS, fill
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, Spent, in_turns, machine, show
from playground.arena.listing import current_leaderboard
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.ratings.board import LeaderboardOptions
from playground.ratings.bradley_terry import fit
from playground.ratings.counting import count
from playground.ratings.intervals import estimate_intervals
from playground.ratings.pairs import PairTable
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored import read_votes
from playground.settings import Settings
from playground.storage.database.store import Store

OURS = "ours: SQLite to the whole board"
READY = "ours: fit and intervals of ready data"
PEERS = {"arena-rank": "arena-rank", "evalica": "evalica, without intervals", "fastchat": "FastChat's regression"}
NOW = "2028-01-01T00:00:00.000+00:00"
SAME = 1e-6
"""Points by which a rating may differ from evalica's."""
COLUMNS = (
    Figure("cpu_s", "CPU, s", 2, less_is_better=True),
    Figure("wall_s", "wall, s", 2, less_is_better=True),
    Figure("peak_mb", "peak memory, MB", less_is_better=True, compared=False),
    Figure("off", "points from evalica", 6, compared=False),
)


def whole_board(database: Path) -> dict[str, Any]:
    """Read, count, rate and word the default board, as the command does."""
    settings = Settings()
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    starters = load_starters(settings.starters_folder)
    options = LeaderboardOptions(policy=CountingPolicy(), prior=0.0)  # the peers have no prior
    with Spent() as spent, Store(database, read_only=True) as store:
        board = current_leaderboard(store, catalog, MODELS, starters, NOW, options=options)
    rating = {row.model: row.rating for row in board.rows}
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "ratings": [rating[model] for model in sorted(MODELS)]}


def ready_data(data: Path, resamples: int) -> dict[str, Any]:
    """Fit a table with intervals."""
    table = _table(data)
    with Spent() as spent:
        fitted = fit(table.wins, prior=1.0 if resamples else 0.0)
        estimate_intervals(table, fitted, unit="vote", resamples=resamples)
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "ratings": fit(table.wins, prior=0.0).ratings.tolist()}


def _table(data: Path) -> PairTable:
    with np.load(data) as found:
        first, second, outcome = (found[name] for name in ("first", "second", "outcome"))
        names = tuple(found["models"].tolist())
    rows = np.arange(len(first))
    return PairTable(names, first, second, outcome, np.ones(len(rows)), rows, rows, 0)


def votes_of(database: Path, data: Path) -> None:
    """Write the pairs that the default board counts for the peers."""
    with Store(database, read_only=True) as store, store.reading() as reading:
        votes = read_votes(reading, CountingPolicy(), NOW)
    table = PairTable.of(votes, count(votes, CountingPolicy()).rows)
    _write(data, table.models, table.first, table.second, table.outcome)


def made_up(data: Path, models: int, votes: int) -> None:
    """Write pairs of many models, whose strengths differ by up to 600 points."""
    rng = np.random.default_rng(8)
    strengths = np.linspace(1.7, -1.7, models)
    first = rng.integers(models, size=votes)
    second = (first + rng.integers(1, models, size=votes)) % models
    won = rng.random(votes) < 1 / (1 + np.exp(strengths[second] - strengths[first]))
    outcome = np.where(rng.random(votes) < 0.2, 2, np.where(won, 0, 1))
    _write(data, tuple(f"model-{i:03}" for i in range(models)), first, second, outcome)


def _write(data: Path, models: tuple[str, ...], first: Any, second: Any, outcome: Any) -> None:
    columns = {"first": first, "second": second, "outcome": outcome}
    np.savez(data, models=np.array(models), **{name: np.asarray(values, np.int64) for name, values in columns.items()})


def run(command: list[str], reference: list[list[float]], is_reference: bool = False) -> Figures:
    """Run a contender in a process, and compare its ratings with evalica's, once these are known."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotHere((done.stderr.strip().splitlines() or ["ended without a word"])[-1])
    found = json.loads(done.stdout.splitlines()[-1])
    ratings = found.pop("ratings")
    if is_reference:
        reference[:] = [ratings]
    off = float(np.abs(np.array(ratings) - np.array(reference[0])).max()) if reference else float("nan")
    return {**found, "off": off, EQUAL: float(not off > SAME)}


def child(name: str, path: Path, resamples: int) -> None:
    """Run one of ours and print its figures."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the process that started this one
    found = whole_board(path) if name == OURS else ready_data(path, resamples)
    peak_kb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(json.dumps({**found, "peak_mb": peak_kb / 1024}))


def compare(ours: dict[str, Path], data: Path, peers: str, resamples: int, rounds: int) -> bool:
    """Print one table; return True if our ratings are evalica's."""
    reference: list[list[float]] = []

    def contender(name: str, command: list[str], is_reference: bool = False) -> Contender:
        make: Callable[[], Figures] = partial(run, command, reference, is_reference)
        return Contender(name, make)

    script = str(Path(__file__).with_name("leaderboard_peers.py"))
    theirs = [
        contender(words, [peers, script, name, str(data), str(resamples)], name == "evalica")
        for name, words in sorted(PEERS.items(), key=lambda peer: peer[0] != "evalica")
        if peers and not (resamples and name == "arena-rank")  # its intervals are no bootstrap
    ]
    mine = [
        contender(name, [sys.executable, __file__, "--child", name, "--path", str(path), "--resamples", str(resamples)])
        for name, path in ours.items()
    ]
    results = in_turns([*theirs, *mine], rounds)
    show(results, next(iter(ours)), COLUMNS)
    return all(one[EQUAL] == 1.0 for name in ours for one in results.figures[name])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--database", type=Path, help="made if missing, and kept")
    parser.add_argument("--peers", default="", help="a Python that has the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of 2,000 votes, to see that it works")
    parser.add_argument("--child", choices=(OURS, READY), help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--resamples", type=int, default=1_000, help="of benchmark 8")
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.path, chosen.resamples)
        return 0
    votes, rounds, resamples = (2_000, 1, 10) if chosen.quick else (chosen.votes, chosen.rounds, chosen.resamples)
    with tempfile.TemporaryDirectory() as folder:
        database, data = chosen.database or Path(folder) / "playground.db", Path(folder) / "votes.npz"
        if not database.exists():
            with Store(database) as store:
                fill(store, votes)
        votes_of(database, data)
        print(f"7. {len(MODELS)} models, {votes:,} votes")
        right = compare({OURS: database, READY: data}, data, chosen.peers, 0, rounds)
        made_up(data, 100, 2_000 if chosen.quick else 200_000)
        print(f"\n8. 100 models, {resamples:,} resamples")
        right &= compare({READY: data}, data, chosen.peers, resamples, rounds)
    print(machine(rounds, "numpy"))
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
