"""The writer: jobs of threads and event loops."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.errors import Refused, StorageError
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.storage.database.writer import ThreadWriter
from tests.support.cast import House, card
from tests.support.patience import wait_until


def test_error_rolls_back_only_its_own_job(home: House) -> None:
    """Sixteen threads share commits; every third job raises after its insert."""
    home.battle_is_open()

    def one(number: int) -> str:
        def work(writing):
            writing.add_rater(f"rater-{number}", "now")
            if number % 3 == 0:
                raise KeyError(number)
            return f"wrote {number}"

        try:
            return home.store.write(work)
        except KeyError as error:
            return f"raised {error.args[0]}"

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(300)))
    assert answers == [f"{'raised' if n % 3 == 0 else 'wrote'} {n}" for n in range(300)]
    with home.store.reading() as reading:
        rows = reading._connection.execute("SELECT id FROM raters WHERE created_at = 'now'")
        assert {row[0] for row in rows} == {f"rater-{n}" for n in range(300) if n % 3}


@pytest.mark.parametrize("exclusive", [False, True])
def test_error_outside_a_transaction_is_the_callers(tmp_path: Path, exclusive: bool) -> None:
    with Store(tmp_path / "playground.db", exclusive=exclusive) as store:
        assert store._writer is not None
        with pytest.raises(ZeroDivisionError):
            store._writer.run_outside(lambda connection: 1 // 0)
        store.upsert_model(card())


def test_write_does_not_block_the_event_loop(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(writing: Writing) -> str:
        begun.set()
        assert go_on.wait(60)
        return writing.sqlite_version()

    async def ask(store: Store) -> str:
        asked = asyncio.create_task(store.write_soon(slow))
        assert await asyncio.to_thread(begun.wait, 60)
        assert not asked.done()
        go_on.set()
        return await asked

    with Store(tmp_path / "playground.db") as store:
        assert asyncio.run(asyncio.wait_for(ask(store), 60)) == sqlite3.sqlite_version
    with Store(None) as memory:
        assert asyncio.run(memory.write_soon(lambda writing: writing.sqlite_version())) == sqlite3.sqlite_version


def test_errors_reach_the_event_loop(tmp_path: Path) -> None:
    def refuses(writing: Writing) -> None:
        raise Refused("final", "it stands")

    store = Store(tmp_path / "playground.db")
    with pytest.raises(Refused, match="it stands"):
        asyncio.run(store.write_soon(refuses))
    store.close()
    with pytest.raises(StorageError, match="is closed"):
        asyncio.run(store.write_soon(refuses))
    with Store(tmp_path / "playground.db", read_only=True) as reader, pytest.raises(StorageError, match="reading only"):
        asyncio.run(reader.write_soon(refuses))


def test_cancelled_write_is_still_committed(tmp_path: Path) -> None:
    go_on, done = threading.Event(), threading.Event()

    def slow(writing: Writing) -> None:
        assert go_on.wait(60)
        done.set()

    async def leave(store: Store) -> None:
        asked = asyncio.create_task(store.write_soon(slow))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    with Store(tmp_path / "playground.db") as store:
        asyncio.run(leave(store))
        go_on.set()
        assert done.wait(60)
        store.write(lambda writing: None)  # the thread is still alive


def test_ended_thread_is_reported_to_callers(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db") as store:
        writer = store._writer
        assert isinstance(writer, ThreadWriter)
        writer._queue.put(None)
        writer._thread.join()
        for ask in (store.write, lambda work: asyncio.run(store.write_soon(work))):
            with pytest.raises(StorageError, match="has ended; restart the playground"):
                ask(lambda writing: None)


def test_jobs_outside_a_transaction_keep_their_turn(tmp_path: Path) -> None:
    begun, go_on, order = threading.Event(), threading.Event(), list[str]()
    with Store(tmp_path / "playground.db") as store, ThreadPoolExecutor(4) as pool:
        writer = store._writer
        assert isinstance(writer, ThreadWriter)

        def blocks(connection: sqlite3.Connection) -> None:
            begun.set()
            assert go_on.wait(60)

        done = [pool.submit(writer.run, blocks)]
        assert begun.wait(60)
        for number, (run, name) in enumerate(((writer.run, "a"), (writer.run_outside, "b"), (writer.run, "c")), 1):
            done.append(pool.submit(run, lambda connection, name=name: order.append(name)))
            wait_until(lambda number=number: writer._queue.qsize() == number)
        go_on.set()
        for future in done:
            future.result(60)
    assert order == ["a", "b", "c"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unexpected_error_fails_every_waiting_job(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def breaks() -> None:
        begun.set()
        assert go_on.wait(60)
        raise RuntimeError("unexpected")

    with Store(tmp_path / "playground.db") as store, ThreadPoolExecutor(2) as pool:
        writer = store._writer
        assert isinstance(writer, ThreadWriter)
        writer._check = breaks
        running = pool.submit(store.write, lambda writing: None)
        assert begun.wait(60)
        waiting = pool.submit(store.write, lambda writing: None)
        wait_until(lambda: writer._queue.qsize() == 1)
        go_on.set()
        with pytest.raises(StorageError, match="gave no answer; nothing was saved"):
            running.result(60)
        with pytest.raises(StorageError, match="has ended; restart the playground"):
            waiting.result(60)
