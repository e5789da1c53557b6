"""Kill -9 at the moments of a sync, then lose the disk: ``python -m tests.support.store_kills [--kills 100]``.

A process votes from several threads and syncs with a store on the loopback hub until it is killed: as the hub carries
out a step of an upload or of a restore, before or after it, or at random. Its disk is lost, or kept for the next one.
Every vote that the process had said to be in the store must be on the next disk exactly once. Exits with status 1 if
one is lost or doubled, or if the board of the last disk is another than that of its restored copy.

Boundary: real processes, store, journal, sync and HTTP.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playground.arena.journal import ArenaJournal
from playground.battles import Battles
from playground.clock import Clock
from playground.settings import Settings
from playground.storage.database.store import Store
from tests.support.cast import MODELS, card
from tests.support.hub_server_datasets import STORE, WRITE, DatasetServer, running_datasets
from tests.support.judged import build_leaderboard
from tests.support.kills import Row, _vote_on
from tests.support.paths import ROOT

STEPS = ("info", "tree", "preupload", "commit", "", "commit", "resolve")
"""Of an upload; of a restore, if there is something to restore; an empty one is any time."""
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The n-th time that the hub gets to a step; an empty step is any time."""

    step: str
    n: int
    after: bool
    loses_disk: bool


def moments(chance: random.Random) -> Iterator[Moment]:
    while True:
        for step in STEPS:
            first = 1 if step == "resolve" else 2
            yield Moment(step, chance.randrange(first, 4), chance.random() < 0.6, chance.random() < 0.7)


# The process that is killed


def vote_and_sync(folder: Path) -> None:
    """Vote and sync forever; write how many votes are in the store."""
    settings = Settings(db=folder / "playground.db", store=STORE, store_every_s=0.02)
    store = Store(settings.db, lock_wait_s=10.0)
    journal = ArenaJournal(store, settings, Clock())
    for model in MODELS:
        store.upsert_model(card(model))
    os.write(1, b"up\n")
    said = os.open(os.devnull, os.O_WRONLY)
    battles = Battles(store)
    for number in range(2):
        chance = random.Random(os.getpid() * 10 + number)
        threading.Thread(target=_vote_on, args=(battles, said, chance), daemon=True).start()
    synced = 0
    while True:
        state = journal.sync
        if state is not None and state.votes > synced:
            synced = state.votes
            os.write(1, f"{synced}\n".encode())


# The process that kills


@dataclass(slots=True)
class Account:
    """The result over all kills."""

    kills: Counter[str] = field(default_factory=Counter)
    synced: int = 0
    lost: int = 0
    doubled: int = 0
    boards_differ: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.boards_differ)

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind or 'random'}" for kind, number in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({kinds}); {self.synced} votes and undos said to be in the store, "
            f"{self.lost} lost, {self.doubled} doubled, {self.boards_differ} boards differ"
        )


def kill_one(hub: DatasetServer, folder: Path, moment: Moment, chance: random.Random) -> int:
    """Kill one process at a moment; return the number of votes that it said to be in the store."""
    child = start(hub, folder)
    reached = threading.Event()
    left = iter(range(1, moment.n))

    def die(step: str) -> None:
        if step == moment.step and next(left, None) is None and not reached.is_set():
            child.send_signal(signal.SIGKILL)
            reached.set()

    if moment.after:
        hub.after_step = die
    else:
        hub.before_step = die
    if not moment.step:
        time.sleep(1.0 + chance.random())
    reached.wait(0 if not moment.step else PATIENCE_S if moment.step != "resolve" else 2.0)
    child.kill()
    output = child.communicate()[0]
    hub.after_step = hub.before_step = lambda step: None
    return max((int(line) for line in output.split() if line.isdigit()), default=0)


def start(hub: DatasetServer, folder: Path, *, votes: bool = True) -> subprocess.Popen[bytes]:
    environ = {"HF_ENDPOINT": hub.url, "HF_TOKEN": WRITE, "HF_HUB_DISABLE_XET": "1"}
    command = [
        sys.executable,
        "-m",
        "tests.support.store_kills",
        "--votes-in" if votes else "--restore-in",
        str(folder),
    ]
    log = (folder.parent / "log").open("ab")
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, stderr=log)


def votes(folder: Path) -> list[Row]:
    """Return the votes of a database in the order in which the journal has them."""
    with Store(folder / "playground.db") as store, store.reading() as reading:
        statement = (
            "SELECT v.battle_id, revision, choice FROM journal_events e JOIN votes v ON v.id = e.vote_id"
            " WHERE e.kind = 'vote' ORDER BY e.seq"
        )
        return [(row[0], row[1], row[2]) for row in reading.select(statement)]


def kill(kills: int, seed: int) -> Account:
    """Kill that many processes; check each disk that was restored or kept."""
    chance, account, must = random.Random(seed), Account(), set[Row]()
    folder = Path(tempfile.mkdtemp()) / "disk"
    with running_datasets() as hub:
        hub.make()
        for moment, _ in zip(moments(chance), range(kills), strict=False):
            folder.mkdir(exist_ok=True)
            synced = kill_one(hub, folder, moment, chance)
            account.kills[moment.step] += 1
            if (folder / "playground.db").exists():
                there = votes(folder)
                must |= set(there[:synced])
            if moment.loses_disk:
                shutil.rmtree(folder)
        account.synced = len(must)
        settle(hub, folder, must, account)
    shutil.rmtree(folder.parent)
    return account


def settle(hub: DatasetServer, folder: Path, must: set[Row], account: Account) -> None:
    """Compare a disk that is restored to the end, and another one, with the votes that must be there."""
    boards = []
    for disk in (folder, folder.with_name("again")):
        disk.mkdir(exist_ok=True)
        restore_and_stop(hub, disk)
        rows = Counter(votes(disk))
        account.lost += (Counter(must) - rows).total()
        account.doubled += sum(number - 1 for number in rows.values())
        with Store(disk / "playground.db") as store:
            boards.append(repr(build_leaderboard(list(store.judged_pairs()), {model: card(model) for model in MODELS})))
    account.boards_differ += boards[0] != boards[1]


def restore_and_stop(hub: DatasetServer, folder: Path) -> None:
    """Restore a disk, upload what it has more, and end as the app does."""
    child = start(hub, folder, votes=False)
    if child.wait():
        raise RuntimeError((folder.parent / "log").read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--votes-in", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--restore-in", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.restore_in:
        settings = Settings(db=arguments.restore_in / "playground.db", store=STORE)
        with Store(settings.db) as store:
            ArenaJournal(store, settings, Clock()).close()
        return 0
    if arguments.votes_in:
        vote_and_sync(arguments.votes_in)
    account = kill(arguments.kills, arguments.seed)
    print(account)
    return int(not account.is_good)


if __name__ == "__main__":
    sys.exit(main())
