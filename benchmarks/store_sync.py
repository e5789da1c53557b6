"""The store on the hub: 100,000 votes are uploaded, and restored to an empty disk.

Run ``python benchmarks/store_sync.py [--votes 100000]``. The app's own journal and sync, each stage in a process of its
own; the hub is a server on the loopback interface, in another one. Exit status 1 if a restored row differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.export_votes import CHUNK, fill, peak_mb
from benchmarks.rounds import Spent, machine, print_row
from playground.arena.journal import ArenaJournal
from playground.clock import Clock
from playground.publishing.hub import Dataset
from playground.publishing.restore import restore_at_start
from playground.publishing.sync import SEGMENT_BYTES
from playground.settings import Settings
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.hub_server_datasets import STORE, WRITE, running_datasets

KEYS = {"votes": "id", "battles": "id", "battle_sides": "battle_id, side"}
EVENTS = """
INSERT INTO journal_events (kind, battle_id, vote_id, created_at)
SELECT 'vote', battle_id, id, created_at FROM votes WHERE rowid > :after AND rowid <= :after + :number ORDER BY rowid"""


def make(database: Path, votes: int) -> None:
    """Fill a database whose votes are not in its journal yet."""
    with Store(database) as store:
        fill(store, votes)
        for after in range(0, votes, CHUNK):
            store.write(partial(_add_events, after=after))


def _add_events(writing: Writing, after: int) -> None:
    writing.change(EVENTS, [{"after": after, "number": CHUNK}])


def upload(database: Path) -> None:
    """Start as the app does, and end when the store has every vote."""
    with Store(database) as store:
        journal = ArenaJournal(store, Settings(db=database, store=STORE, store_every_s=1.0), Clock())
        while journal.state.lag or not (sync := journal.sync) or sync.waiting or sync.age_s is None:
            time.sleep(0.05)
        journal.close()


def restore(database: Path) -> None:
    """Start as the app does, on an empty disk, until votes would be taken."""
    with Store(database) as store:
        restore_at_start(store, Dataset(STORE))
        Journal(store, journal_folder(database), SEGMENT_BYTES).close()


def digest(database: Path) -> str:
    """Return a hash of all votes, battles and sides; answers that no battle shows are not in the store."""
    found = hashlib.sha256()
    with Store(database) as store, store.reading() as reading:
        for table, key in KEYS.items():
            for row in reading.select(f"SELECT * FROM {table} ORDER BY {key}"):
                found.update(repr(tuple(row)).encode())
    return found.hexdigest()


STAGES = {"upload": upload, "restore": restore}


def run(stage: str, database: Path, url: str) -> None:
    """Run a stage in a process, and print its figures."""
    environ = {"HF_ENDPOINT": url, "HF_TOKEN": WRITE, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, __file__, "--stage", stage, "--database", str(database)]
    done = subprocess.run(command, env=os.environ | environ, stdout=subprocess.PIPE, check=True, text=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    print_row([stage, *(f"{figures[name]:,.1f}" for name in ("wall_s", "cpu_s")), f"{figures['peak_mb']:,.0f}"])


def run_stage(stage: str, database: Path) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the process that started this one
    with Spent() as spent:
        STAGES[stage](database)
    print(json.dumps({"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "peak_mb": peak_mb()}))


@contextmanager
def _hub() -> Iterator[str]:
    """Run the hub in a process of its own, so that its work is not taken for the playground's."""
    command = [sys.executable, __file__, "--hub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate()


def serve() -> None:
    with running_datasets() as hub:
        hub.make()
        print(hub.url, flush=True)
        sys.stdin.read()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="2,000 votes, to see that it works")
    parser.add_argument("--database", type=Path, help="made if missing, and kept")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--hub", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.hub:
        serve()
        return 0
    if chosen.stage:
        run_stage(chosen.stage, chosen.database)
        return 0
    votes = 2_000 if chosen.quick else chosen.votes
    with tempfile.TemporaryDirectory() as folder, _hub() as url:
        database = chosen.database or Path(folder) / "one" / "playground.db"
        database.parent.mkdir(parents=True, exist_ok=True)
        if not database.exists():
            make(database, votes)
        other = Path(folder) / "other" / "playground.db"
        print(f"{votes:,} votes")
        print_row(["", "wall, s", "CPU, s", "peak memory, MB"])
        print_row(["---"] * 4)
        run("upload", database, url)
        run("restore", other, url)
        is_same = digest(database) == digest(other)
        print("every row is the same" if is_same else "ROWS DIFFER")
        print(machine(1, "huggingface_hub", "httpx2"))
    return 0 if is_same else 1


if __name__ == "__main__":
    raise SystemExit(main())
