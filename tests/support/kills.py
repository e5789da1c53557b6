"""Kill -9 at every step of a vote and at random: ``python -m tests.support.kills [--kills 2000]``.

A process votes, undoes, comments and reveals from several threads until it is killed, repeatedly on the same database;
it writes its acknowledgements to a pipe. After every few dozen kills, database, journal and a database restored from
it are compared with the acknowledgements. Exits with status 1 if a vote is lost or doubled.

Boundary: forks, so it runs as a program of its own with a single thread; uses the real store, journal and battles.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from playground.battles import Ballot, Battles, Viewer
from playground.clock import utc_now
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import MAMBA, MODELS, OPENALPACA, battle, card, generation

THREADS = 4
PER_DATABASE = 40
"""Kills on one database before it is checked."""
LONGEST_S = 0.08
STATEMENTS = 120
SYNCS = 12

Kill = Callable[[Store], None]
"""Ends its own process; called once it votes."""
Row = tuple[str, int, str]
"""Battle, revision, choice."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of a kill: `kind` is random, statement or sync; the n-th of them, before or after it."""

    kind: str
    n: int
    after: bool = False


def moments(chance: random.Random) -> Iterator[Moment]:
    """Yield every step in turn, and as many random moments."""
    while True:
        for n in range(1, STATEMENTS + 1):
            yield Moment("statement", n)
            yield Moment("random", 0)
        for n in range(1, SYNCS + 1):
            yield Moment("sync", n, after=bool(chance.getrandbits(1)))
            yield Moment("random", 0)


# The process that is killed


def vote_until_killed(folder: Path, out: int, moment: Moment, seed: int) -> None:
    """Vote forever; write a line to `out` for each acknowledged vote or undo."""
    store = Store(folder / "playground.db", lock_wait_s=10.0)
    journal = Journal(store, journal_folder(folder / "playground.db"))
    battles = Battles(store)
    for model in MODELS:
        store.upsert_model(card(model))
    os.write(out, b"up\n")
    _arm(store, moment)
    voters = [
        threading.Thread(target=_vote_on, args=(battles, out, random.Random(seed * THREADS + number)))
        for number in range(THREADS)
    ]
    for voter in voters:
        voter.start()
    for voter in voters:
        voter.join()
    journal.close()


def _vote_on(battles: Battles, out: int, chance: random.Random) -> None:
    answers = [
        generation(f"{chance.getrandbits(64):x}", model, text=f"An answer. {chance.random()}")
        for model in (OPENALPACA, MAMBA)
    ]
    while True:
        battle_id = f"{chance.getrandbits(128):032x}"
        made = battle(battle_id, (OPENALPACA, MAMBA), owner=f"rater-{chance.randrange(5)}", created_at=utc_now())
        sides = (replace(side, generation=answer) for side, answer in zip(made.sides, answers, strict=True))
        battles.create(replace(made, sides=tuple(sides)))
        viewer = Viewer(made.owner)

        def acknowledge(revision: int, choice: str, of: str = battle_id) -> None:
            os.write(out, f"{of} {revision} {choice}\n".encode())

        for _ in range(chance.choice((1, 1, 2, 3))):
            choice = chance.choice(("a", "b", "tie", "both_bad", "a>b"))
            viewer = Viewer(made.owner, "page", f"93.184.216.{chance.randrange(3)}")
            ballot = Ballot(choice, reasons=("clear",), comment=f"Because of {choice}.")
            cast = battles.vote(battle_id, viewer, ballot)
            acknowledge(cast.revision, str(cast.choice))  # a repeated vote returns the stored one
            if chance.random() < 0.3:
                acknowledge(battles.undo(battle_id, viewer).revision, "undo")
        if chance.random() < 0.3:
            battles.report(battle_id, viewer, "a", "Look at this.")


def _arm(store: Store, moment: Moment) -> None:
    """End this process at the n-th statement of the writer, or at the n-th fsync."""
    counted = iter(range(1, moment.n))

    def passed() -> bool:
        return next(counted, None) is None

    if moment.kind == "statement":
        connection = store._writer._connection
        store.write(lambda _: connection.set_trace_callback(lambda _: _die() if passed() else None))
    elif moment.kind == "sync":
        sync = os.fsync

        def fsync(opened: int) -> None:
            last = passed()
            if not last or moment.after:
                sync(opened)
            if last:
                _die()

        os.fsync = fsync  # type: ignore[assignment]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# The process that kills


def kill_one(folder: Path, moment: Moment, seed: int, chance: random.Random) -> set[Row]:
    """Kill one process; return the votes that it had acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            vote_until_killed(folder, write, moment, seed)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as lines:
        lines.readline()
        if moment.kind == "random":
            time.sleep(chance.random() * LONGEST_S)
            os.kill(child, signal.SIGKILL)
        votes = {tuple(line.decode().split()) for line in lines if line.endswith(b"\n")}
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError(f"the voting process ended by itself, with status {status}")
    return {(battle_id, int(revision), choice) for battle_id, revision, choice in votes}


@dataclass(slots=True)
class Account:
    """The result over all databases."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    unacknowledged: int = 0  # stored votes whose acknowledgement the kill cut off
    lost: int = 0
    doubled: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.findings)

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kills.items()))
        return "\n".join(
            (
                f"{self.kills.total()} kills ({kinds}); {self.acknowledged} votes and undos acknowledged,"
                f" {self.unacknowledged} more saved, {self.lost} lost, {self.doubled} doubled",
                *self.findings,
            )
        )


def settle(folder: Path, votes: set[Row], account: Account) -> None:
    """Compare a database, its journal and a restored database with the acknowledged votes."""
    path = folder / "playground.db"
    with Store(path) as store:
        Journal(store, journal_folder(path)).close()
    again = folder / "again" / "playground.db"
    with Store(again) as store:
        if journal_folder(path).exists():  # missing if every kill came before the first vote
            restore(store, journal_folder(path))
    for where in (path, again):
        rows = Counter(_votes(where))
        account.lost += (Counter(votes) - rows).total()
        account.doubled += sum(number - 1 for number in rows.values())
    account.acknowledged += len(votes)
    account.unacknowledged += (Counter(_votes(path)) - Counter(votes)).total()
    with Store(path, read_only=True) as store:
        account.findings += [str(finding) for finding in verify(store, journal_folder(path))]


def _votes(path: Path) -> list[Row]:
    with Store(path, read_only=True) as store, store.reading() as reading:
        rows = reading._connection.execute("SELECT battle_id, revision, choice FROM votes")
        return [(row["battle_id"], row["revision"], row["choice"]) for row in rows]


def kill(kills: int, seed: int) -> Account:
    """Kill that many processes."""
    chance, account = random.Random(seed), Account()
    left, number = moments(chance), 0
    while number < kills:
        folder, votes = Path(tempfile.mkdtemp()), set[Row]()
        for moment in islice(left, min(PER_DATABASE, kills - number)):
            number += 1
            votes |= kill_one(folder, moment, seed * 100_000 + number, chance)
            account.kills[moment.kind] += 1
        settle(folder, votes, account)
        shutil.rmtree(folder)
        print(account, file=sys.stderr, flush=True)
    return account


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    account = kill(arguments.kills, arguments.seed)
    print(account)
    return int(not account.is_good)


if __name__ == "__main__":
    sys.exit(main())
