"""Fixtures for tests of storage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from tests.support.cast import ADA, House, house


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """An empty playground whose database is in `tmp_path`."""
    made = house(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of its journal."""
    return journal_folder(tmp_path / "playground.db")


@pytest.fixture
def raw(home: House) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file, with the pragmas that triggers need."""
    connection = sqlite3.connect(str(home.store.path), isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    yield connection
    connection.close()


@pytest.fixture
def judged(home: House) -> House:
    """The same with a voted battle and an open one."""
    home.battle_is_open("battle-1")
    home.battle_is_open("battle-2")
    home.battles.vote("battle-1", "a", ADA)
    return home


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Store]:
    """An empty database to restore to."""
    with Store(tmp_path / "new.db") as store:
        yield store
