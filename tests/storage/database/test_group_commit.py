"""Group commit: a job is acknowledged after its commit, and fails alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from playground.errors import DatabaseLocked, Refused, StorageError
from playground.storage.database.connection import connect
from playground.storage.database.group_commit import WriteJob, commit_together
from tests.support.cast import House
from tests.support.storing import path_of


def test_job_that_is_too_large_fails_alone() -> None:
    connection = connect(None)
    connection.execute("CREATE TABLE texts (text TEXT)")
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 2}")
    texts = ("one", "x" * 100_000, "two")
    jobs = [WriteJob(lambda c, text=text: c.execute("INSERT INTO texts VALUES (?)", [text])) for text in texts]
    commit_together(connection, jobs)
    assert [row[0] for row in connection.execute("SELECT text FROM texts")] == ["one", "two"]
    with pytest.raises(StorageError, match="no space left"):
        jobs[1].future.result(0)


class Failing(sqlite3.Connection):
    """A disk that fails at the end of every transaction."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql in ("COMMIT", "ROLLBACK"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("refuses", [False, True])
def test_failed_commit_is_never_acknowledged(number: int, refuses: bool) -> None:
    def work(connection: sqlite3.Connection) -> str:
        if refuses:
            raise Refused("final", "it stands")
        return "acknowledged"

    connection = sqlite3.connect(":memory:", isolation_level=None, factory=Failing)
    jobs = [WriteJob(work) for _ in range(number)]
    commit_together(connection, jobs)
    for job in jobs:
        assert job.future.done()
        with pytest.raises(StorageError):
            job.future.result(0)


@pytest.mark.parametrize("number", [1, 2])
def test_failed_job_is_rolled_back(number: int) -> None:
    connection = connect(None)
    connection.execute("CREATE TABLE texts (text TEXT)")

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO texts VALUES ('half')")
        raise Refused("final", "it stands")

    jobs: list[WriteJob[Any]] = [WriteJob(work)]
    jobs += [WriteJob(lambda c: c.execute("INSERT INTO texts VALUES ('complete')")) for _ in range(number - 1)]
    commit_together(connection, jobs)
    assert not connection.in_transaction
    assert [row[0] for row in connection.execute("SELECT text FROM texts")] == ["complete"] * (number - 1)
    with pytest.raises(Refused):
        jobs[0].future.result(0)


def test_vanished_transaction_is_never_acknowledged() -> None:
    connection = connect(None)

    def swallows(connection: sqlite3.Connection) -> str:
        connection.execute("ROLLBACK")  # as SQLite does by itself on some errors
        return "acknowledged"

    job = WriteJob(swallows)
    commit_together(connection, [job])
    with pytest.raises(StorageError):
        job.future.result(0)


def test_jobs_wait_for_a_lock_once(home: House) -> None:
    with closing(connect(path_of(home), busy_s=0.01)) as late, closing(connect(path_of(home))) as other:
        begun: list[str] = []
        late.set_trace_callback(begun.append)
        other.execute("BEGIN IMMEDIATE")
        jobs = [WriteJob(lambda c: "acknowledged") for _ in range(8)]
        commit_together(late, jobs)
        assert begun == ["BEGIN IMMEDIATE"]
        for job in jobs:
            with pytest.raises(DatabaseLocked):
                job.future.result(0)
