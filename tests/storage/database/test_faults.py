"""Faults of disk, rights, locks, clock and process: every acknowledged vote is kept."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.errors import DatabaseLocked, StorageError
from playground.records import BattleState, FinishReason, Instruction
from playground.settings import Settings
from playground.storage.database.store import Store
from tests.conftest import start_app, stop_app
from tests.support.cast import ADA, BEN, MODELS, House, battle, generation, house
from tests.support.replay import ReplayEngine, World
from tests.support.starts import run_code
from tests.support.storing import file_size_limit, path_of, unprivileged, votes_in


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may read, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        yield made
        made.chmod(0o755)


@pytest.mark.proves("disk full, and freed again")
def test_full_disk_refuses_until_space_is_freed(judged: House) -> None:
    def limit(pages: int) -> Callable[[object], None]:
        return lambda writing: writing._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    judged.store.write(limit(1))  # SQLite keeps the pages that there are
    with pytest.raises(StorageError, match="no space left"):
        judged.battles.create(battle("large", instruction=Instruction("x" * 100_000)))
    judged.store.write(limit(1_000_000))
    assert judged.store.battle("large") is None
    judged.battles.create(battle("large", instruction=Instruction("x" * 100_000)))
    assert judged.store.battle("large") is not None


@pytest.mark.proves("disk full, and freed again")
def test_failed_write_is_not_acknowledged(judged: House) -> None:
    log = path_of(judged).with_name("playground.db-wal")
    with file_size_limit(log.stat().st_size):
        with pytest.raises(StorageError, match=r"disk I/O error|no space left"):
            judged.battles.vote("battle-2", "b", ADA)
        assert judged.store.count_votes() == 1
    assert judged.battles.vote("battle-2", "a", ADA).choice == "a"
    judged.store.close()
    assert votes_in(path_of(judged)) == ["battle-1", "battle-2"]


@pytest.mark.proves("a read-only folder")
def test_read_only_folder_is_refused(folder: Path) -> None:
    folder.chmod(0o555)
    with unprivileged(), pytest.raises(StorageError, match="cannot be written to"):
        Store(folder / "playground.db")
    assert list(folder.iterdir()) == []


@pytest.mark.proves("a read-only folder")
def test_database_in_read_only_folder_can_be_read(folder: Path) -> None:
    made = house(folder)
    made.battle_is_open()
    made.battles.vote("battle-1", "a", ADA)
    made.store.close()
    folder.chmod(0o555)
    (folder / "playground.db.lock").chmod(0o444)
    with unprivileged():
        with Store(folder / "playground.db", read_only=True) as store:
            assert store.count_votes() == 1
        with pytest.raises(StorageError, match="cannot be written to"):
            Store(folder / "playground.db")


@pytest.mark.proves("database read-only")
def test_read_only_file_can_only_be_read(folder: Path) -> None:
    made = house(folder)
    made.battle_is_open()
    made.battles.vote("battle-1", "a", ADA)
    made.store.close()
    folder.chmod(0o777)
    (folder / "playground.db").chmod(0o444)
    (folder / "playground.db.lock").chmod(0o666)
    with unprivileged():
        with pytest.raises(StorageError, match="check the rights of file and folder"):
            Store(folder / "playground.db")
        with Store(folder / "playground.db", read_only=True) as store:
            assert store.count_votes() == 1


@pytest.mark.proves("database deleted")
def test_database_deleted_before_start_begins_empty(judged: House) -> None:
    judged.store.close()
    path_of(judged).unlink()
    assert votes_in(path_of(judged)) == []


@pytest.mark.proves("locked by something else")
def test_foreign_lock_fails_waiting_writers(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db", busy_s=0.05) as store:
        judged = House(store)
        for number in range(8):
            judged.battle_is_open(f"battle-{number}")
        with closing(sqlite3.connect(tmp_path / "playground.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            def vote(number: int) -> str:
                with pytest.raises(DatabaseLocked, match="in use by another program; nothing was saved"):
                    judged.battles.vote(f"battle-{number}", "a", ADA)
                return store.read_only

            with ThreadPoolExecutor(8) as pool:
                assert set(pool.map(vote, range(8))) == {""}
            other.execute("ROLLBACK")
        for number in range(8):
            assert judged.battles.vote(f"battle-{number}", "b", ADA).choice == "b"
    assert len(votes_in(tmp_path / "playground.db")) == 8


@pytest.mark.slow
@pytest.mark.proves("two processes")
def test_second_process_reads_until_the_first_has_ended(judged: House) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from playground.storage.database.store import open_store\n"
        "with open_store(Path(sys.argv[1]), lock_wait_s=0.1) as store:\n"
        "    print(store.count_votes(), store.read_only or 'writes')\n"
    )

    def second() -> str:
        status, printed = run_code(code, str(path_of(judged)))
        assert status == 0
        return printed

    assert second().startswith("1 another program writes to playground.db; stop it")
    judged.store.close()
    assert second() == "1 writes\n"


@pytest.mark.proves("clock back an hour")
def test_clock_set_back_loses_no_vote(judged: House) -> None:
    judged.time.pass_s(-3600)
    assert judged.battles.vote("battle-2", "b", ADA).choice == "b"
    assert judged.battles.view("battle-1", ADA).state is BattleState.REVEALED, "its undo time is unknown"
    assert judged.battles.view("battle-2", ADA).state is BattleState.VOTED
    judged.battles.undo("battle-2", ADA)
    judged.battles.vote("battle-2", "a", ADA)
    judged.time.pass_s(6)
    assert {pair.battle_id: pair.decision_s for pair in judged.store.judged_pairs()} == {
        "battle-1": 0,
        "battle-2": None,
    }
    assert [pair.battle_id for pair in judged.store.judged_pairs(final_by=judged.time.now())] == [
        "battle-2",
        "battle-1",
    ], "a vote of the future counts at once"
    judged.time.pass_s(3600)
    assert {pair.battle_id for pair in judged.store.judged_pairs(final_by=judged.time.now())} == {
        "battle-1",
        "battle-2",
    }


@pytest.mark.proves("restart in the middle of a battle")
def test_interrupted_battles_end_at_the_next_start(tmp_path: Path) -> None:
    made = house(tmp_path)
    made.battles.create(battle("both-lost"))
    made.battles.create(battle("one-of-three-lost", MODELS))
    for side in "ab":
        made.battles.finish("one-of-three-lost", {side: generation(f"g-{side}", MODELS["ab".index(side)])})
    made.store.close()
    again = house(tmp_path)
    assert again.battles.interrupt_all() == 2
    assert again.battles.interrupt_all() == 0
    lost, kept = again.store.battle("both-lost"), again.store.battle("one-of-three-lost")
    assert lost is not None
    assert kept is not None
    assert (lost.state, lost.void_reason) == ("void", "interrupted")
    assert (kept.state, kept.good_sides) == ("open", ("a", "b"))
    ended = kept.sides[2].generation
    assert ended is not None
    assert (ended.finish_reason, ended.error) == (FinishReason.ERROR, "interrupted by a restart")
    again.store.close()


@pytest.mark.proves("SIGTERM while streaming")
@pytest.mark.slow
def test_sigterm_while_streaming_keeps_votes(tmp_path: Path) -> None:
    app = start_app(tmp_path, "--models", "pocket-orca-mini")
    twice = ["pocket-orca-mini"] * 2
    try:
        client = Client(app.url, verbose=False)
        judged = client.predict("What is an alpaca?", models=twice, api_name="/compare")["battle_id"]
        assert client.predict(judged, "a", api_name="/vote")["accepted"]
        for snapshot in client.submit("Write a long poem about the sea.", models=twice, api_name="/compare"):
            streaming = snapshot["battle_id"]
            break
    finally:
        stop_app(app)
    app = start_app(tmp_path, "--models", "pocket-orca-mini")
    try:
        again = Client(app.url, verbose=False).predict(judged, "b", api_name="/vote")
        assert again["choice"] == "a", "a repeated vote gets the stored one"
        with Store(app.db, read_only=True) as store:
            assert [pair.battle_id for pair in store.judged_pairs()] == [judged]
            battle = store.battle(streaming)
            assert battle is not None
            assert battle.state is not BattleState.GENERATING
    finally:
        stop_app(app)


@pytest.fixture
def reader(judged: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    """A second arena on the same database."""
    monkeypatch.setattr("playground.arena.arena.LOCK_WAIT_S", 0.05)
    settings = replace(Settings(), db=path_of(judged), models="pocket-orca-mini")
    arena = Arena(settings, engine=ReplayEngine(World()), clock=judged.time.clock)
    arena.open()
    yield arena
    arena.close()


@pytest.mark.proves("two processes")
def test_second_arena_is_read_only(reader: Arena, judged: House) -> None:
    assert reader.read_only.startswith("another program writes to playground.db")
    assert reader.sources_line().endswith("read only")
    assert reader.leaderboard().verdict
    assert reader.battles.view("battle-1", Viewer(ADA)).state is BattleState.VOTED
    judged.time.pass_s(6)
    assert reader.battles.view("battle-1", Viewer(BEN)).state is BattleState.REVEALED
    for act in (
        lambda: reader.battles.vote("battle-2", Viewer(ADA), Ballot("a")),
        lambda: reader.battles.undo("battle-1", Viewer(ADA)),
        lambda: reader.battles.note("battle-1", Viewer(ADA), comment="more"),
        lambda: reader.compare(Instruction("hi"), Viewer(ADA), blind=False),
    ):
        with pytest.raises(StorageError, match=r"another program writes to playground\.db"):
            act()
    assert judged.store.count_votes() == 1


@pytest.mark.proves("two processes")
@pytest.mark.slow
def test_second_app_is_read_only(tmp_path: Path) -> None:
    first = start_app(tmp_path, "--models", "pocket-orca-mini")
    try:
        writer = Client(first.url, verbose=False)
        compare = {"models": ["pocket-orca-mini"] * 2, "api_name": "/compare"}
        judged = writer.predict("What is an alpaca?", **compare)["battle_id"]
        second = start_app(tmp_path, "--models", "pocket-orca-mini")
        try:
            reader = Client(second.url, verbose=False)
            assert reader.predict(api_name="/leaderboard")["verdict"]
            for act in (
                lambda: reader.predict("What is a llama?", **compare),
                lambda: reader.predict(judged, "a", api_name="/vote"),
            ):
                with pytest.raises(AppError, match=r"another program writes to playground\.db"):
                    act()
        finally:
            stop_app(second)
        assert writer.predict(judged, "a", api_name="/vote")["accepted"]
    finally:
        stop_app(first)
