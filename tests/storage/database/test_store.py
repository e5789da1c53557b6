"""The database: what it refuses, what it never loses, and who may open it."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import DatabaseBroken, DatabaseLocked, InvalidValue, Refused, StorageError
from playground.records import Instruction, SamplingParams
from playground.storage.database.connection import connect
from playground.storage.database.file_identity import FileIdentity
from playground.storage.database.group_commit import Job, commit_together
from playground.storage.database.migrations import APPLICATION_ID, schema_version
from playground.storage.database.rows import model_row, read_card
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.storage.database.writer import ThreadWriter
from tests.support.cast import (
    ADA,
    EMPTY,
    FAILED,
    GALPACA,
    MAMBA,
    MODELS,
    OPENALPACA,
    House,
    battle,
    card,
    generation,
    house,
)
from tests.support.paths import ROOT

PRAGMAS = ("foreign_keys", "recursive_triggers")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def raw(home: House) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file, with the pragmas that make triggers hold."""
    connection = sqlite3.connect(str(home.store.path), isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    yield connection
    connection.close()


# Schema


def test_the_file_says_whose_it_is_and_how_old(raw: sqlite3.Connection) -> None:
    assert raw.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert raw.execute("PRAGMA user_version").fetchone()[0] == schema_version()
    assert raw.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_memory_has_the_same_schema_as_a_file(raw: sqlite3.Connection) -> None:
    statement = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
    with Store(None) as store, store.reading() as reading:
        in_memory = [tuple(row) for row in reading._connection.execute(statement)]
    assert in_memory == raw.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE votes SET choice = 'b'", "votes are append-only"),
        ("UPDATE OR IGNORE votes SET choice = 'b'", "votes are append-only"),
        ("DELETE FROM votes", "votes are append-only"),
        ("REPLACE INTO votes SELECT * FROM votes", "append-only|revision is one more"),
        ("INSERT OR REPLACE INTO votes"
         " SELECT id, battle_id, 2, choice, rater_id, created_at, decision_s, origin FROM votes", "append-only"),
        ("INSERT INTO votes SELECT 'new', battle_id, 1, choice, rater_id, 'now', 1, 'person' FROM votes",
         "revision is one"),
        ("INSERT INTO votes SELECT 'new', battle_id, 3, choice, rater_id, 'now', 1, 'person' FROM votes",
         "revision is one"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'A', rater_id, 'now', 1, 'person' FROM votes",
         "CHECK constraint"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'a>', rater_id, 'now', 1, 'person' FROM votes",
         "CHECK constraint"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'b', 'nobody', 'now', 1, 'person' FROM votes",
         "FOREIGN KEY"),
        ("INSERT INTO votes SELECT 'new', battle_id, 'two', 'b', rater_id, 'now', 1, 'person' FROM votes",
         "cannot store"),
        ("UPDATE generations SET text = 'better'", "written once"),
        ("DELETE FROM generations", "written once"),
        ("REPLACE INTO generations SELECT * FROM generations", "written once"),
        ("UPDATE battles SET owner = 'rater-ben'", "only a battle's state"),
        ("UPDATE battles SET blind = 0", "only a battle's state"),
        ("UPDATE battles SET state = 'open', final_at = NULL", "stays so"),
        ("UPDATE battle_sides SET model_id = 'pocket-galpaca'", "keeps the model"),
        ("UPDATE battle_sides SET generation_id = NULL", "filled once"),
        ("DELETE FROM battles", "FOREIGN KEY"),
        ("DELETE FROM models WHERE id = 'pocket-openalpaca'", "FOREIGN KEY"),
    ],
)  # fmt: skip
def test_the_database_itself_refuses(home: House, raw: sqlite3.Connection, statement: str, message: str) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, final=True)
    before = list(raw.iterdump())
    with pytest.raises(sqlite3.Error, match=message):
        raw.execute(statement)
    with pytest.raises(StorageError, match=message):  # and the playground itself
        home.store.write(lambda writing: writing._connection.execute(statement))
    assert list(raw.iterdump()) == before


# Records


def test_a_battle_comes_back_as_it_was_written(home: House) -> None:
    made = battle(overrides={"temperature": 0.5, "seed": 3}, draw_probability=0.25, parent_id="gone")
    home.battles.create(made)
    assert home.store.battle("battle-1") == made


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    token_ids=st.lists(st.integers(0, 2**31)).map(tuple),
    duration_s=st.floats(0, 1e6),
)
def test_a_generation_comes_back_as_it_was_written(text: str, token_ids: tuple[int, ...], duration_s: float) -> None:
    made = generation(
        "g", text=text, token_ids=token_ids, duration_s=duration_s, instruction=Instruction(text, text, text)
    )
    with Store(None) as store:
        store.upsert_model(card())
        store.write(lambda writing: writing.insert_generation(made))
        with store.reading() as reading:
            assert reading.generation("g") == made
            row = reading._connection.execute("SELECT good, chars FROM generations").fetchone()
    assert tuple(row) == (made.good, len(text))


def test_a_card_of_an_earlier_version_has_no_names_of_its_system_text() -> None:
    row = model_row(card(self_names=("Zorblax", "Acme Labs")))
    assert read_card(row).self_names == ("Zorblax", "Acme Labs")
    kept = json.loads(row["card"])
    del kept["self_names"]
    assert read_card({**row, "card": json.dumps(kept)}) == card()


def test_a_card_comes_back_as_it_was_written_and_a_newer_one_takes_its_place(home: House) -> None:
    newer = card(revision="fff", sampling=SamplingParams(top_k=5), notes=("ö", "\u2028"))
    home.store.upsert_model(newer)
    with home.store.reading() as reading:
        assert reading.cards([OPENALPACA, "no-such"]) == {OPENALPACA: newer}
        assert list(reading.cards()) == sorted(MODELS)


def test_the_same_instruction_is_stored_once(home: House, raw: sqlite3.Connection) -> None:
    home.battle_is_open("battle-1")
    home.battle_is_open("battle-2")
    home.battle_is_open("battle-3", instruction=Instruction("Write a haiku about the sea. "))
    assert raw.execute("SELECT count(*) FROM instructions").fetchone()[0] == 2


def test_a_lone_surrogate_is_refused_in_words_and_changes_nothing(home: House, raw: sqlite3.Connection) -> None:
    before = list(raw.iterdump())
    with pytest.raises(InvalidValue, match="cannot be stored"):
        home.battles.create(battle(instruction=Instruction("\ud800")))
    assert list(raw.iterdump()) == before


# Pairs


def pairs_of(home: House) -> list[tuple[str, str, str, float]]:
    return [(pair.model_a, pair.model_b, pair.winner, pair.weight) for pair in home.store.judged_pairs()]


O, M, G = OPENALPACA, MAMBA, GALPACA  # noqa: E741


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("a", [(O, M, "model_a", 1), (O, G, "model_a", 1)]),
        ("b", [(O, M, "model_b", 1), (M, G, "model_a", 1)]),
        ("c", [(O, G, "model_b", 1), (M, G, "model_b", 1)]),
        ("tie", [(O, M, "tie", 1), (O, G, "tie", 1), (M, G, "tie", 1)]),
        ("both_bad", [(O, M, "both_bad", 1), (O, G, "both_bad", 1), (M, G, "both_bad", 1)]),
        ("b>a=c", [(O, M, "model_b", 1), (O, G, "tie", 1), (M, G, "model_a", 1)]),
        ("c>b>a", [(O, M, "model_b", 1), (O, G, "model_b", 1), (M, G, "model_b", 1)]),
        ("a=c>b", [(O, M, "model_a", 1), (O, G, "tie", 1), (M, G, "model_b", 1)]),
        ("c=b=a", [(O, M, "tie", 1), (O, G, "tie", 1), (M, G, "tie", 1)]),
    ],
)
def test_a_vote_on_three_gives_these_pairs(
    home: House, choice: str, expected: list[tuple[str, str, str, float]]
) -> None:
    home.battle_is_open(models=MODELS)
    home.battles.vote("battle-1", choice, ADA)
    assert pairs_of(home) == expected


@pytest.mark.parametrize("bad", [FAILED, EMPTY])
def test_a_column_that_cannot_be_judged_is_in_no_pair(home: House, bad: dict[str, object]) -> None:
    home.battle_is_open(models=MODELS, ends={"b": bad})
    home.battles.vote("battle-1", "c>a", ADA)
    assert pairs_of(home) == [(O, G, "model_b", 1)]


def test_only_the_latest_revision_counts_and_an_undone_vote_gives_none(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.battles.undo("battle-1", ADA)
    assert pairs_of(home) == []
    assert home.store.count_votes() == 0
    home.battles.vote("battle-1", "b", ADA)
    assert pairs_of(home) == [(O, M, "model_b", 1)]
    assert home.store.count_votes() == 1


def test_a_model_against_itself_is_stored_and_weighs_nothing(home: House) -> None:
    home.battle_is_open(models=(O, O, M))
    home.battles.vote("battle-1", "a", ADA)
    assert pairs_of(home) == [(O, O, "model_a", 0), (O, M, "model_a", 1)]


def test_pairs_can_be_filtered(home: House) -> None:
    home.battle_is_open("open-mode", blind=False)
    home.battle_is_open("blind")
    home.battle_is_open("other", instruction=Instruction("Add 2 and 2.", category="maths"))
    for name in ("open-mode", "blind", "other"):
        home.battles.vote(name, "a", ADA)
        home.time.pass_s(1)
    store = home.store
    assert [pair.battle_id for pair in store.judged_pairs()] == ["open-mode", "blind", "other"]
    assert [pair.battle_id for pair in store.judged_pairs(blind_only=True)] == ["blind", "other"]
    assert [pair.battle_id for pair in store.judged_pairs(category="maths")] == ["other"]
    home.time.pass_s(2.5)
    assert [pair.battle_id for pair in store.judged_pairs(final_by=home.time.now())] == ["open-mode"]


# Transactions


def test_an_error_undoes_its_own_operation_and_nobody_elses(home: House) -> None:
    """Sixteen threads write in shared commits; every third one raises after its insert."""
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


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(home: House) -> None:
    home.battle_is_open()
    with home.store.reading() as reading:
        assert reading.count_votes() == 0
        home.battles.vote("battle-1", "a", ADA)
        assert reading.count_votes() == 0
    assert home.store.count_votes() == 1


def test_pairs_that_nobody_reads_to_the_end_hold_no_connection(home: House) -> None:
    for number in range(20):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA)
    for _ in range(20):
        next(home.store.judged_pairs())
    assert home.store._readers.qsize() <= 2


def test_after_close_every_use_says_so(home: House) -> None:
    home.store.close()
    home.store.close()
    with pytest.raises(StorageError, match="closed"):
        home.store.upsert_model(card())
    with pytest.raises(StorageError, match="closed"):
        home.store.count_votes()


class Elsewhere(LifoQueue[sqlite3.Connection]):
    """Idle connections, of which another thread takes the last one right after somebody saw it."""

    def empty(self) -> bool:
        found = super().empty()
        if not found:
            self.get_nowait().close()
        return found


def test_closing_does_not_wait_for_a_connection_that_another_thread_took(tmp_path: Path) -> None:
    store = Store(tmp_path / "playground.db")
    store._readers = Elsewhere()
    assert store.count_votes() == 0
    closing = threading.Thread(target=store.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


class ClosedMeanwhile(LifoQueue[sqlite3.Connection]):
    """Idle connections of a store that is closed while one is put back."""

    store: Store
    came: sqlite3.Connection

    def put_nowait(self, item: sqlite3.Connection) -> None:
        self.store.close()
        self.came = item
        super().put_nowait(item)


def test_a_connection_that_comes_back_while_the_store_is_closed_is_closed_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "playground.db")
    readers = ClosedMeanwhile()
    readers.store = store
    store._readers = readers
    assert store.count_votes() == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        readers.came.execute("SELECT 1")


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_error_between_two_transactions_is_its_callers_and_the_next_one_is_written(
    tmp_path: Path, exclusive: bool
) -> None:
    with Store(tmp_path / "playground.db", exclusive=exclusive) as store:
        assert store._writer is not None
        with pytest.raises(ZeroDivisionError):
            store._writer.run_outside(lambda connection: 1 // 0)
        store.upsert_model(card())


def test_a_log_that_cannot_be_looked_at_is_an_error_of_the_database(tmp_path: Path) -> None:
    path = tmp_path / f"{'p' * 250}.db"  # its log's name would be too long for the system
    path.touch()
    with pytest.raises(DatabaseBroken, match="cannot be accessed"):
        FileIdentity(path).check()


def test_one_operation_that_does_not_fit_takes_no_other_with_it() -> None:
    connection = connect(None)
    connection.execute("CREATE TABLE texts (text TEXT)")
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 2}")
    texts = ("one", "x" * 100_000, "two")
    jobs = [Job(lambda c, text=text: c.execute("INSERT INTO texts VALUES (?)", [text])) for text in texts]
    commit_together(connection, jobs)
    assert [row[0] for row in connection.execute("SELECT text FROM texts")] == ["one", "two"]
    with pytest.raises(StorageError, match="no space left"):
        jobs[1].future.result(0)


class Failing(sqlite3.Connection):
    """A disk that takes every statement but the last ones."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql in ("COMMIT", "ROLLBACK"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("refuses", [False, True])
def test_what_was_not_committed_is_never_acknowledged_even_when_it_cannot_be_undone(number: int, refuses: bool) -> None:
    def work(connection: sqlite3.Connection) -> str:
        if refuses:
            raise Refused("final", "it stands")
        return "acknowledged"

    connection = sqlite3.connect(":memory:", isolation_level=None, factory=Failing)
    jobs = [Job(work) for _ in range(number)]
    commit_together(connection, jobs)
    for job in jobs:
        assert job.future.done()
        with pytest.raises(StorageError):
            job.future.result(0)


@pytest.mark.parametrize("number", [1, 2])
def test_what_an_operation_refuses_leaves_no_trace_alone_or_among_others(number: int) -> None:
    connection = connect(None)
    connection.execute("CREATE TABLE texts (text TEXT)")

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO texts VALUES ('half')")
        raise Refused("final", "it stands")

    jobs: list[Job[Any]] = [Job(work)]
    jobs += [Job(lambda c: c.execute("INSERT INTO texts VALUES ('whole')")) for _ in range(number - 1)]
    commit_together(connection, jobs)
    assert not connection.in_transaction
    assert [row[0] for row in connection.execute("SELECT text FROM texts")] == ["whole"] * (number - 1)
    with pytest.raises(Refused):
        jobs[0].future.result(0)


def test_a_transaction_that_vanished_is_never_acknowledged() -> None:
    connection = connect(None)

    def swallows(connection: sqlite3.Connection) -> str:
        connection.execute("ROLLBACK")  # as SQLite does by itself on some errors
        return "acknowledged"

    job = Job(swallows)
    commit_together(connection, [job])
    with pytest.raises(StorageError):
        job.future.result(0)


# From an event loop


def test_an_event_loop_goes_on_while_it_waits_for_a_commit(tmp_path: Path) -> None:
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


def test_what_an_event_loop_asked_for_is_refused_in_the_same_words(tmp_path: Path) -> None:
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


def test_what_nobody_waits_for_any_more_is_done_all_the_same(tmp_path: Path) -> None:
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
        store.write(lambda writing: None)  # the thread that writes is well


def test_a_thread_that_has_ended_is_said_to_whoever_asks(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db") as store:
        writer = store._writer
        assert isinstance(writer, ThreadWriter)
        writer._queue.put(None)
        writer._thread.join()
        for ask in (store.write, lambda work: asyncio.run(store.write_soon(work))):
            with pytest.raises(StorageError, match="has ended; restart the playground"):
                ask(lambda writing: None)


# Opening


def test_every_connection_has_the_pragmas_that_triggers_and_keys_need(tmp_path: Path) -> None:
    for _ in ("made", "opened again"):
        store = Store(tmp_path / "playground.db")
        with store.reading() as reading:
            connections = [reading._connection, store.write(lambda writing: writing._connection)]
        for connection in connections:
            assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS] == [1, 1]
        assert connections[1].execute("PRAGMA synchronous").fetchone()[0] == 2
        store.close()


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with Store(tmp_path / "a" / "b" / "playground.db") as store:
        store.upsert_model(card())
    assert (tmp_path / "a" / "b" / "playground.db").is_file()


def test_a_second_writer_is_refused_and_told_which_lock(home: House) -> None:
    path = home.store.path
    assert path is not None
    with pytest.raises(DatabaseLocked, match=r"playground\.db\.lock"):
        Store(path, lock_wait_s=0.1)
    home.store.close()
    Store(path, lock_wait_s=0.1).close()


def test_a_second_process_reads_beside_the_writer_and_cannot_write(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "b", ADA)
    code = (
        "import sys; from pathlib import Path\n"
        "from playground.errors import DatabaseLocked\n"
        "from playground.storage.database.store import Store; from tests.support.cast import card\n"
        "with Store(Path(sys.argv[1]), read_only=True) as store:\n"
        "    print(store.count_votes(), [pair.winner for pair in store.judged_pairs()])\n"
        "    try:\n        store.upsert_model(card())\n"
        "    except DatabaseLocked as error:\n        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.store.path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("1 ['model_b']\n")
    assert "open for reading only" in done.stdout


def test_reading_where_there_is_nothing_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        Store(tmp_path / "playground.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE votes (id)")
    other.commit()
    other.close()
    content = path.read_bytes()
    with pytest.raises(DatabaseBroken, match="another program"):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError, match="cannot be written to"):
        Store(tmp_path / "data" / "playground.db")


def test_a_closed_database_is_one_file(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.store.close()
    assert home.store.path is not None
    assert [path.name for path in home.store.path.parent.glob("playground.db-*")] == []


# Kills

VOTER = """
import sys
from pathlib import Path
from tests.support.cast import ADA, house
home = house(Path(sys.argv[1]))
with home.store.reading() as reading:
    first = int(reading._connection.execute("SELECT count(*) FROM battles").fetchone()[0])
for number in range(first, first + 100_000):
    home.battle_is_open(f"battle-{number}")
    home.battles.vote(f"battle-{number}", "a", ADA)
    print(f"battle-{number}", flush=True)
"""


@pytest.mark.parametrize("kills", [5, pytest.param(80, marks=pytest.mark.slow)])
def test_no_kill_loses_an_acknowledged_vote(tmp_path: Path, kills: int) -> None:
    acknowledged: list[str] = []
    for number in range(kills):
        voter = subprocess.Popen(
            [sys.executable, "-c", VOTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert voter.stdout is not None
        acknowledged += [voter.stdout.readline().strip() for _ in range(2)]
        threading.Timer(0.02 + 0.013 * (number % 7), voter.send_signal, [signal.SIGKILL]).start()
        acknowledged += [line.strip() for line in voter.stdout if line.endswith("\n")]
        voter.wait()
    assert len(acknowledged) > kills
    with Store(tmp_path / "playground.db") as store:
        votes = [pair.battle_id for pair in store.judged_pairs()]
    assert len(votes) == len(set(votes))
    assert set(acknowledged) <= set(votes)
    assert len(votes) - len(acknowledged) <= kills


def test_memory_is_light(tmp_path: Path) -> None:
    began = time.thread_time()
    stores = [Store(None) for _ in range(50)]
    assert (time.thread_time() - began) / 50 < 0.05
    before = threading.active_count()
    del stores
    assert threading.active_count() == before


def test_two_stores_in_memory_know_nothing_of_each_other() -> None:
    one, other = house(), house()
    one.battle_is_open()
    assert other.store.battle("battle-1") is None


def test_a_store_alone_keeps_no_write_ahead_log_and_locks_its_file(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with Store(path, exclusive=True) as store:
        House(store).battle_is_open()
        assert [p.name for p in tmp_path.glob("*-wal")] == []
        with (
            pytest.raises(DatabaseLocked, match="in use by another program"),
            Store(path, read_only=True, busy_s=0.05) as other,
        ):
            other.count_votes()
    with Store(path) as store:
        assert store.battle("battle-1") is not None


def test_a_log_written_before_is_taken_up_by_a_store_alone(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with Store(path) as store:
        House(store).battle_is_open()
    with Store(path, exclusive=True) as store:
        assert store.battle("battle-1") is not None
        assert store.count_votes() == 0
