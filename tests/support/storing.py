"""Helpers for tests of storage."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import last_event
from playground.storage.journal.lines import Fault
from tests.support.cast import ADA, House

HERRING = Instruction("Ada asks about herrings.", "of the herring", "be a herring", category="creative")


def voted(home: House, battle_id: str = "battle-1", choice: str = "a", owner: str = ADA, **changes: object) -> None:
    """Store a revealed battle with a reason and a comment."""
    home.battle_is_open(battle_id, **({"owner": owner, "instruction": HERRING} | changes))
    home.battles.vote(battle_id, choice, owner, reasons=["clear"], comment="Ada likes herrings.")
    home.battles.reveal(battle_id, owner)


def rows(home: House, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home.store.path or "")) as connection:
        return connection.execute(statement, values).fetchall()


def path_of(home: House) -> Path:
    assert home.store.path is not None
    return home.store.path


def files_containing(folder: Path, *words: str) -> list[tuple[str, str]]:
    """Return the files in a folder that contain some of the words."""
    found = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return [(path.name, word) for path, content in found for word in words if word.encode() in content]


def votes_in(path: Path) -> list[str]:
    """Open a database and return its battles with a vote."""
    with Store(path, lock_wait_s=0.1) as store:
        return sorted(pair.battle_id for pair in store.judged_pairs())


def many_votes(home: House, count: int = 30, first: int = 0) -> None:
    for number in range(first, first + count):
        home.battle_is_open(f"many-{number}")
        home.battles.vote(f"many-{number}", "a", ADA)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as a user without rights; root would pass every check."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Limit the size of files: a write beyond it fails after a part of it, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def seqs(folder: Path) -> list[int]:
    """Return the numbers of the events in a journal without faults."""
    lines = [line for segment in segments.in_order(folder) for line in segments.read(segment)]
    assert {line.fault for line in lines} <= {Fault.NONE}
    return [line.seq for line in lines]


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def events(store: Store) -> int:
    with store.reading() as reading:
        return last_event(reading)


def database_bytes(path: Path) -> bytes:
    """Return the content of all files of a database."""
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*") if part.is_file())


def tamper(db: Path, *statements: str) -> None:
    """Change rows that the schema's triggers and keys protect."""
    raw = sqlite3.connect(db, isolation_level=None)
    triggers = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        raw.execute(statement)
    for _, sql in triggers:
        raw.execute(sql)
    raw.close()
