"""Faults of the database's file: every acknowledged vote is there once, and the store answers or says why."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.cli import main
from playground.errors import DatabaseBroken, DatabaseLocked, DatabaseNewer, StorageError
from playground.records import BattleState, FinishReason, Instruction
from playground.settings import Settings
from playground.storage.database.connection import connect
from playground.storage.database.group_commit import Job, commit_together
from playground.storage.database.migrations import schema_version
from playground.storage.database.store import Store, open_store
from playground.storage.database.write_ahead import log_fits
from playground.storage.maintenance.backup import backup
from tests.conftest import start_app, stop_app
from tests.support.cast import ADA, BEN, MODELS, House, battle, generation, house
from tests.support.paths import ROOT

NOBODY = 65534


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    made.battle_is_open("battle-1")
    made.battle_is_open("battle-2")
    made.battles.vote("battle-1", "a", ADA)
    yield made
    made.store.close()


def path_of(home: House) -> Path:
    assert home.store.path is not None
    return home.store.path


def votes_in(path: Path) -> list[str]:
    """The battles with a vote, as somebody finds them who opens the file later."""
    with Store(path, lock_wait_s=0.1) as store:
        return sorted(pair.battle_id for pair in store.judged_pairs())


def many_votes(home: House, count: int = 30, first: int = 0) -> None:
    for number in range(first, first + count):
        home.battle_is_open(f"many-{number}")
        home.battles.vote(f"many-{number}", "a", ADA)


@contextmanager
def as_somebody_with_few_rights() -> Iterator[None]:
    """Rights do not bind root: for a while the process is nobody."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may look into, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        yield made
        made.chmod(0o755)


# Disk


@pytest.mark.proves("disk full, and freed again")
def test_a_full_disk_is_said_and_once_there_is_space_again_votes_are_taken(home: House) -> None:
    def limit(pages: int) -> Callable[[object], None]:
        return lambda writing: writing._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    home.store.write(limit(1))  # SQLite keeps the pages that there are
    with pytest.raises(StorageError, match="no space left"):
        home.battles.create(battle("large", instruction=Instruction("x" * 100_000)))
    home.store.write(limit(1_000_000))
    assert home.store.battle("large") is None
    home.battles.create(battle("large", instruction=Instruction("x" * 100_000)))
    assert home.store.battle("large") is not None


@pytest.mark.proves("disk full, and freed again")
def test_what_the_system_does_not_take_is_not_acknowledged_and_taken_once_it_does(home: House) -> None:
    log = path_of(home).with_name("playground.db-wal")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, most))
    try:
        with pytest.raises(StorageError, match=r"disk I/O error|no space left"):
            home.battles.vote("battle-2", "b", ADA)
        assert home.store.count_votes() == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert home.battles.vote("battle-2", "a", ADA).choice == "a"
    home.store.close()
    assert votes_in(path_of(home)) == ["battle-1", "battle-2"]


# Rights


@pytest.mark.proves("a read-only folder")
def test_a_folder_that_cannot_be_written_to_is_said(folder: Path) -> None:
    folder.chmod(0o555)
    with as_somebody_with_few_rights(), pytest.raises(StorageError, match="cannot be written to"):
        Store(folder / "playground.db")
    assert list(folder.iterdir()) == []


@pytest.mark.proves("a read-only folder")
def test_a_database_in_a_folder_that_cannot_be_written_to_can_be_read(folder: Path) -> None:
    made = house(folder)
    made.battle_is_open()
    made.battles.vote("battle-1", "a", ADA)
    made.store.close()
    folder.chmod(0o555)
    (folder / "playground.db.lock").chmod(0o444)
    with as_somebody_with_few_rights():
        with Store(folder / "playground.db", read_only=True) as store:
            assert store.count_votes() == 1
        with pytest.raises(StorageError, match="cannot be written to"):
            Store(folder / "playground.db")


@pytest.mark.proves("database read-only")
def test_a_database_file_that_may_only_be_read_is_refused_at_start_and_can_be_read(folder: Path) -> None:
    made = house(folder)
    made.battle_is_open()
    made.battles.vote("battle-1", "a", ADA)
    made.store.close()
    folder.chmod(0o777)
    (folder / "playground.db").chmod(0o444)
    (folder / "playground.db.lock").chmod(0o666)
    with as_somebody_with_few_rights():
        with pytest.raises(StorageError, match="check the rights of file and folder"):
            Store(folder / "playground.db")
        with Store(folder / "playground.db", read_only=True) as store:
            assert store.count_votes() == 1


# Deleted, replaced


@pytest.mark.proves("database deleted")
@pytest.mark.parametrize("name", ["playground.db", "playground.db-wal"])
def test_a_file_deleted_while_running_takes_no_vote_until_it_is_back(home: House, name: str) -> None:
    home.battles.vote("battle-1", "a", ADA)
    file = path_of(home).with_name(name)
    file.rename(file.with_name("away"))
    with pytest.raises(DatabaseBroken, match=r"was deleted or moved while the playground runs; nothing was saved"):
        home.battles.vote("battle-2", "a", ADA)
    with pytest.raises(DatabaseBroken):  # and not once only
        home.battles.create(battle("battle-3"))
    file.with_name("away").rename(file)
    home.battles.vote("battle-2", "b", ADA)
    home.store.close()
    assert votes_in(path_of(home)) == ["battle-1", "battle-2"]


def test_a_file_replaced_while_running_takes_no_vote_and_the_new_one_is_not_touched(home: House) -> None:
    path = path_of(home)
    backup(path, path.with_name("saved.db"))
    shutil.copy(path.with_name("saved.db"), path.with_name("new.db"))
    content = path.with_name("saved.db").read_bytes()
    path.with_name("new.db").replace(path)
    with pytest.raises(DatabaseBroken, match="was replaced while the playground runs"):
        home.battles.vote("battle-2", "a", ADA)
    home.store.close()
    assert path.read_bytes() == content
    assert votes_in(path) == ["battle-1"]


@pytest.mark.proves("database deleted")
def test_a_file_deleted_between_vote_and_commit_acknowledges_nothing(home: House) -> None:
    def work(writing: object) -> str:
        path_of(home).unlink()
        return "acknowledged"

    with pytest.raises(DatabaseBroken, match="was deleted"):
        home.store.write(work)


def test_a_file_on_a_network_mount_that_is_gone_takes_no_vote(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db", exclusive=True) as store:
        made = House(store)
        made.battle_is_open()
        (tmp_path / "playground.db").unlink()
        with pytest.raises(DatabaseBroken, match="was deleted"):
            made.battles.vote("battle-1", "a", ADA)


@pytest.mark.proves("database deleted")
def test_a_database_deleted_before_the_start_begins_empty(home: House) -> None:
    home.store.close()
    path_of(home).unlink()
    assert votes_in(path_of(home)) == []


@pytest.mark.proves("database empty")
def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "playground.db").touch()
    assert votes_in(tmp_path / "playground.db") == []


# Damage


@pytest.mark.proves("database of random bytes")
@pytest.mark.parametrize(
    "content", [b"hello", b"\x00" * 5000, os.urandom(5000), b"SQLite format 4\x00" + b"\x00" * 4081]
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes, read_only: bool) -> None:
    path = tmp_path / "playground.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken):
        Store(path, read_only=read_only)
    assert path.read_bytes() == content


@pytest.mark.proves("database of random bytes")
def test_random_bytes_behind_a_right_beginning_are_refused_and_left_alone(home: House) -> None:
    home.store.close()
    path = path_of(home)
    content = path.read_bytes()[:100] + os.urandom(8092)
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.proves("database with one bad page")
def test_one_damaged_page_is_found_at_start_and_left_alone(home: House) -> None:
    many_votes(home)
    home.store.close()
    path = path_of(home)
    content = bytearray(path.read_bytes())
    page = content.rindex(b"Grey waves") // 4096  # of answers: nothing reads it before somebody asks for one
    content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.proves("database truncated")
def test_a_truncated_file_is_found_at_start_and_left_alone(home: House) -> None:
    many_votes(home)
    home.store.close()
    path = path_of(home)
    content = path.read_bytes()[: 4096 * 6]
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.proves("a foreign write-ahead log")
def test_a_foreign_log_beside_a_backup_is_found_at_start_and_the_backup_stays_whole(home: House) -> None:
    """The process was killed, and somebody put a backup in place of the database but left the log where it lay."""
    path = path_of(home)
    saved, log = path.with_name("saved.db"), path.with_name("playground.db-wal")
    backup(path, saved)
    many_votes(home, 150)  # enough to bring the log home more than once, so that it begins in the middle
    left = log.read_bytes()
    home.store.close()
    shutil.copy(saved, path)
    log.write_bytes(left)
    with pytest.raises(DatabaseBroken, match=r"playground\.db-wal lay beside it, move that away"):
        Store(path)
    assert path.read_bytes() == saved.read_bytes()
    log.unlink()
    assert votes_in(path) == ["battle-1"]


def left_by_a_kill(path: Path, folder: Path) -> Path:
    """What is there of the database and its log while it is written."""
    folder.mkdir()
    for name in ("playground.db", "playground.db-wal"):
        shutil.copy(path.with_name(name), folder)
    return folder / "playground.db"


def fits(path: Path) -> bool:
    return log_fits(path, path.with_name("playground.db-wal"))


def test_a_log_that_a_kill_leaves_is_known_as_the_files_own_and_the_start_is_a_quick_one(
    home: House, tmp_path: Path
) -> None:
    home.battles.erase(ADA)
    for number in range(4):
        many_votes(home, 40, first=40 * number)
        killed = left_by_a_kill(path_of(home), tmp_path / str(number))
        assert fits(killed)
        with closing(sqlite3.connect(killed)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert fits(left_by_a_kill(killed, tmp_path / f"{number}-home-already"))
        assert "many-0" in votes_in(killed)


def test_a_log_beside_an_older_copy_of_the_file_is_known_as_foreign(home: House, tmp_path: Path) -> None:
    path = path_of(home)
    home.store.close()
    shutil.copy(path, tmp_path / "older.db")
    again = House(Store(path))
    many_votes(again, 150)
    killed = left_by_a_kill(path, tmp_path / "killed")
    again.store.close()
    assert fits(killed)
    shutil.copy(tmp_path / "older.db", killed)
    assert not fits(killed)
    with pytest.raises(DatabaseBroken, match="lay beside it, move that away"):
        Store(killed)


@pytest.mark.parametrize("damage", [b"", b"no log" * 100])
def test_what_is_no_log_fits_no_database(home: House, damage: bytes) -> None:
    log = path_of(home).with_name("playground.db-wal")
    home.store.close()
    log.write_bytes(damage)
    assert not fits(path_of(home))


def test_another_program_that_looks_and_goes_does_not_take_the_log_with_it(home: House) -> None:
    """A process loses its locks on a file as soon as it closes it anywhere: then the other one would be the last."""
    with home.store.reading() as first, home.store.reading() as second:  # the second connection is opened just now
        assert first.count_votes() == second.count_votes() == 1
    look = f"import sqlite3; c = sqlite3.connect({str(path_of(home))!r}); c.execute('SELECT * FROM votes'); c.close()"
    subprocess.run([sys.executable, "-c", look], check=True)
    assert home.battles.vote("battle-2", "b", ADA).choice == "b"


# Versions


def made_newer(home: House) -> Path:
    home.store.close()
    with closing(sqlite3.connect(path_of(home), isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute(f"PRAGMA user_version = {schema_version() + 1}")
    return path_of(home)


@pytest.mark.proves("a newer schema")
def test_a_newer_database_is_not_written_to_and_says_what_to_do(home: House) -> None:
    path = made_newer(home)
    content = path.read_bytes()
    with pytest.raises(DatabaseNewer, match="update the playground"):
        Store(path)
    with open_store(path) as store:
        assert store.read_only == (
            f"playground.db has schema {schema_version() + 1}, this version knows up to {schema_version()}; "
            "update the playground"
        )
        assert store.count_votes() == 1
        with pytest.raises(DatabaseLocked, match=r"reading only, so nothing was saved: playground\.db has schema"):
            House(store).battles.vote("battle-2", "a", ADA)
    assert path.read_bytes() == content


@pytest.mark.proves("a newer schema")
def test_a_newer_database_is_read_by_the_command_line_with_a_word_of_warning(
    home: House, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made_newer(home)
    content = path.read_bytes()
    for argv in (["leaderboard"], ["export", "votes", str(path.with_name("votes.jsonl"))]):
        assert main([*argv, "--db", str(path)]) == 0
        assert "update the playground" in capsys.readouterr().err
    assert path.with_name("votes.jsonl").read_text().count("\n") == 1
    assert path.read_bytes() == content


@pytest.mark.proves("an older schema")
def test_a_reader_does_not_bring_up_an_older_database(home: House) -> None:
    home.store.close()
    with closing(sqlite3.connect(path_of(home), isolation_level=None)) as raw:
        raw.execute(f"PRAGMA user_version = {schema_version() - 1}")
    with pytest.raises(StorageError, match="start the playground once to migrate it"):
        Store(path_of(home), read_only=True)


# Others


@pytest.mark.proves("locked by something else")
def test_a_lock_of_something_else_is_an_error_for_all_who_wait_and_then_over(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db", busy_s=0.05) as store:
        home = House(store)
        for number in range(8):
            home.battle_is_open(f"battle-{number}")
        with closing(sqlite3.connect(tmp_path / "playground.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            def vote(number: int) -> str:
                with pytest.raises(DatabaseLocked, match="in use by another program; nothing was saved"):
                    home.battles.vote(f"battle-{number}", "a", ADA)
                return store.read_only

            with ThreadPoolExecutor(8) as pool:
                assert set(pool.map(vote, range(8))) == {""}
            other.execute("ROLLBACK")
        for number in range(8):
            assert home.battles.vote(f"battle-{number}", "b", ADA).choice == "b"
    assert len(votes_in(tmp_path / "playground.db")) == 8


def test_those_who_come_together_wait_for_a_lock_once_and_not_each_in_turn(home: House) -> None:
    with closing(connect(path_of(home), busy_s=0.01)) as late, closing(connect(path_of(home))) as other:
        begun: list[str] = []
        late.set_trace_callback(begun.append)
        other.execute("BEGIN IMMEDIATE")
        jobs = [Job(lambda c: "acknowledged") for _ in range(8)]
        commit_together(late, jobs)
        assert begun == ["BEGIN IMMEDIATE"]
        for job in jobs:
            with pytest.raises(DatabaseLocked):
                job.future.result(0)


@pytest.mark.proves("two processes")
def test_a_second_process_only_reads_and_says_so_until_the_first_one_is_gone(home: House) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from playground.storage.database.store import open_store\n"
        "with open_store(Path(sys.argv[1]), lock_wait_s=0.1) as store:\n"
        "    print(store.count_votes(), store.read_only or 'writes')\n"
    )

    def second() -> str:
        command = [sys.executable, "-c", code, str(path_of(home))]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert second().startswith("1 another program writes to playground.db; stop it")
    home.store.close()
    assert second() == "1 writes\n"


# Time, restarts


@pytest.mark.proves("clock back an hour")
def test_a_clock_set_back_an_hour_loses_no_vote_and_keeps_decision_times_honest(home: House) -> None:
    home.time.pass_s(-3600)
    assert home.battles.vote("battle-2", "b", ADA).choice == "b"
    assert home.battles.view("battle-1", ADA).state is BattleState.REVEALED, "its undo time cannot be told any more"
    assert home.battles.view("battle-2", ADA).state is BattleState.VOTED
    home.battles.undo("battle-2", ADA)
    home.battles.vote("battle-2", "a", ADA)
    home.time.pass_s(6)
    assert {pair.battle_id: pair.decision_s for pair in home.store.judged_pairs()} == {"battle-1": 0, "battle-2": None}
    assert [pair.battle_id for pair in home.store.judged_pairs(final_by=home.time.now())] == ["battle-2"]
    home.time.pass_s(3600)
    assert {pair.battle_id for pair in home.store.judged_pairs(final_by=home.time.now())} == {"battle-1", "battle-2"}


@pytest.mark.proves("restart in the middle of a battle")
def test_battles_that_a_kill_left_behind_are_ended_at_the_next_start(tmp_path: Path) -> None:
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
def test_an_app_told_to_end_while_it_streams_keeps_its_votes_and_leaves_no_battle_half_done(tmp_path: Path) -> None:
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


# The page beside another process, or on a database from the future


@pytest.fixture
def reader(home: House, models_of_one_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arena]:
    """An arena that came second."""
    monkeypatch.setattr("playground.arena.arena.LOCK_WAIT_S", 0.05)
    arena = Arena(replace(Settings(), db=path_of(home), models="pocket-orca-mini"), clock=home.time.clock)
    arena.open()
    yield arena
    arena.close()


@pytest.mark.proves("two processes")
def test_a_second_arena_shows_everything_and_refuses_to_store(reader: Arena, home: House) -> None:
    assert reader.read_only.startswith("another program writes to playground.db")
    assert reader.sources_line().endswith("read only")
    assert reader.leaderboard().verdict
    assert reader.battles.view("battle-1", Viewer(ADA)).state is BattleState.VOTED
    home.time.pass_s(6)
    assert reader.battles.view("battle-1", Viewer(BEN)).state is BattleState.REVEALED
    for act in (
        lambda: reader.battles.vote("battle-2", Viewer(ADA), Ballot("a")),
        lambda: reader.battles.undo("battle-1", Viewer(ADA)),
        lambda: reader.battles.note("battle-1", Viewer(ADA), comment="more"),
        lambda: reader.compare(Instruction("hi"), Viewer(ADA), blind=False),
    ):
        with pytest.raises(StorageError, match=r"another program writes to playground\.db"):
            act()
    assert home.store.count_votes() == 1


@pytest.mark.proves("two processes")
@pytest.mark.slow
def test_a_second_app_on_the_same_database_serves_it_for_reading(tmp_path: Path) -> None:
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
