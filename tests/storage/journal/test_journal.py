"""The journal: every acknowledged vote once more, whatever is killed, full or gone; and nothing that was erased."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.errors import DatabaseBroken
from playground.records import Instruction
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.journal import journal as journal_file
from playground.storage.journal import segments
from playground.storage.journal.entries import last_event
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Fault, Line
from playground.storage.journal.segments import journal_folder
from tests.storage.journal.test_segments import files_end_at
from tests.support.cast import OPENALPACA, House, house
from tests.support.judging import ADA, BEN, SECRET, afternoon, hashes, judge, keep_journal, time_passes
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.replay import ReplayEngine, World


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return journal_folder(tmp_path / "playground.db")


def seqs(folder: Path) -> list[int]:
    """Events of the journal in order; every line of it has to be whole."""
    lines = [line for segment in segments.in_order(folder) for line in segments.read(segment)]
    assert {line.fault for line in lines} <= {Fault.NONE}
    return [line.seq for line in lines]


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def events(store: Store) -> int:
    with store.reading() as reading:
        return last_event(reading)


def test_a_vote_is_written_while_the_playground_runs(home: House, folder: Path) -> None:
    journal = Journal(home.store, folder)
    assert journal.state().lag == 0
    assert not folder.exists()
    judge(home, "battle-1", text=SECRET)
    wait_until(lambda: journal.state().lag == 0)
    [segment] = segments.segments(folder)
    [line] = segments.read(segment)
    rows = line.record["rows"]
    assert (line.seq, line.event) == (1, "vote")
    assert [row["instruction"] for row in rows["instructions"]] == [SECRET]
    assert [row["model_id"] for row in rows["generations"]] == [row["model_id"] for row in rows["battle_sides"]]
    assert rows["generations"][0]["prompt_ids"] == "[1,2,3]"
    assert [row["choice"] for row in rows["votes"]] == ["a"]
    assert journal.state() == journal_file.JournalState(0, "", 1, folder)
    journal.close()
    journal.close()


def test_the_rows_of_a_line_are_the_rows_of_the_tables(home: House, folder: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    votes = 0
    with home.store.reading() as reading:
        for segment in segments.in_order(folder):
            for line in segments.read(segment):
                votes += line.event == "vote"
                for table, rows in line.record["rows"].items():
                    stored = [dict(row) for row in reading.select(f"SELECT * FROM {table}")]
                    assert all(row in stored for row in rows)
    assert votes == 9
    assert seqs(folder) == list(range(1, events(home.store) + 1))


def test_a_database_on_a_network_mount_has_a_journal_too(tmp_path: Path, folder: Path) -> None:
    with Store(tmp_path / "playground.db", exclusive=True) as store:
        journal = Journal(store, folder)
        afternoon(House(store))
        wait_until(lambda: journal.state().lag == 0)
        journal.close()
        assert seqs(folder) == list(range(1, events(store) + 1))


def test_a_playground_keeps_a_journal_from_its_start_to_its_end(tmp_path: Path, folder: Path) -> None:
    arena = Arena(Settings(db=tmp_path / "playground.db", models=OPENALPACA), engine=ReplayEngine(World()))
    assert arena.journal is None
    arena.open()
    judge(House(arena.store), "battle-1")
    assert arena.journal is not None
    arena.close()
    assert seqs(folder) == [1]


def test_what_is_missing_is_written_at_start_and_at_the_end(home: House, folder: Path) -> None:
    for number in range(600):  # more than one batch
        home.store.write(lambda writing, number=number: writing.add_rater(f"r{number}", "now"))
    judge(home, "before")
    journal = Journal(home.store, folder)
    judge(home, "meanwhile")
    journal.close()
    assert seqs(folder) == [1, 2]
    judge(home, "after")
    keep_journal(home.store)
    assert seqs(folder) == [1, 2, 3]
    assert len(segments.segments(folder)) == 2


def test_a_deleted_journal_is_written_again_in_full(home: House, folder: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    before = [line.record for path in segments.in_order(folder) for line in segments.read(path)]
    shutil.rmtree(folder)
    keep_journal(home.store)
    again = [line.record for path in segments.in_order(folder) for line in segments.read(path)]
    assert again == before


def test_a_damaged_or_torn_end_is_written_again(home: House, folder: Path) -> None:
    for number in range(3):
        judge(home, f"battle-{number}")
    keep_journal(home.store)
    [segment] = segments.segments(folder)
    content = segment.read_bytes()
    segment.write_bytes(content[:-100])
    keep_journal(home.store)
    lines = [line for path in segments.in_order(folder) for line in segments.read(path)]
    assert [(line.seq, line.fault) for line in lines] == [(1, ""), (2, ""), (3, "torn"), (3, "")]


@pytest.mark.proves("clock back an hour")
def test_a_clock_that_is_set_back_changes_nothing(home: House, folder: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    [boot] = folder.iterdir()
    boot.rename(folder / "29990101T000000Z-0000")  # the next boot's name is before this one's
    home.time.pass_s(-3600)
    judge(home, "battle-2")
    keep_journal(home.store)
    assert seqs(folder) == [1, 2]


def test_where_the_folder_cannot_be_made_votes_go_on_and_are_written_later(
    home: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    journal = Journal(home.store, folder)
    folder.write_text("a file stands here")
    judge(home, "battle-1")
    wait_until(lambda: journal.state().error != "")
    judge(home, "battle-2")
    state = journal.state()
    assert state.lag == 2
    assert "cannot be written to" in state.error
    assert str(folder) in state.error
    folder.unlink()
    wait_until(lambda: journal.state().lag == 0)
    assert journal.state().error == ""
    assert seqs(folder) == [1, 2]
    journal.close()


@pytest.mark.proves("disk full, and freed again")
def test_a_full_disk_loses_and_doubles_nothing(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    monkeypatch.setattr(journal_file, "BATCH", 3)
    for number in range(20):
        judge(home, f"battle-{number}")
    with files_end_at(20_000):  # the database is only read
        journal = Journal(home.store, folder)
        wait_until(lambda: journal.state().error != "")
        assert 0 < journal.state().lag < 20
        assert "cannot be written to" in journal.state().error
        assert seqs(folder) == list(range(1, 21 - journal.state().lag))
    wait_until(lambda: journal.state().lag == 0)
    journal.close()
    assert seqs(folder) == list(range(1, 21))


def test_a_folder_that_cannot_be_written_keeps_no_end_waiting(home: House, folder: Path) -> None:
    journal = Journal(home.store, folder)
    folder.write_text("")
    judge(home, "battle-1")
    journal.close()
    assert journal.state().lag == 1


# Kills

VOTER = """
import sys
from pathlib import Path
from playground.storage.journal import journal
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import ADA, house
journal.POLL_S = 0.001
home = house(Path(sys.argv[1]))
Journal(home.store, journal_folder(home.store.path))
with home.store.reading() as reading:
    first = reading.select("SELECT count(*) FROM battles")[0][0]
for number in range(first, first + 100_000):
    home.battle_is_open(f"battle-{number}")
    home.battles.vote(f"battle-{number}", "a", ADA)
    print(f"battle-{number}", flush=True)
"""


@pytest.mark.proves("killed at each step of a vote")
@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_after_any_kill_the_journal_holds_every_vote_once(tmp_path: Path, folder: Path, kills: int) -> None:
    for number in range(kills):
        voter = subprocess.Popen(
            [sys.executable, "-c", VOTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert voter.stdout is not None
        before = len(segments.segments(folder))
        assert all(voter.stdout.readline() for _ in range(2))
        wait_until(lambda before=before: len(segments.segments(folder)) > before)
        threading.Timer(0.05 + 0.013 * (number % 7), voter.send_signal, [signal.SIGKILL]).start()
        voter.stdout.read()
        voter.wait()
    with Store(tmp_path / "playground.db") as store:
        keep_journal(store)
        lines = [line for path in segments.in_order(folder) for line in segments.read(path)]
        assert {line.fault for line in lines} <= {Fault.NONE, Fault.TORN}
        whole = [line.seq for line in lines if line.fault is Fault.NONE]
        assert whole == list(range(1, events(store) + 1))
    assert len(segments.segments(folder)) >= kills


# Erasing


def test_erased_words_leave_every_line_and_the_rest_stays(home: House, folder: Path) -> None:
    afternoon(home)
    judge(home, "hers-too", rater=BEN, text=f"Again: {SECRET}")
    home.battles.note("plain", BEN, comment=SECRET)
    keep_journal(home.store)
    judge(home, "another", rater=ADA)
    keep_journal(home.store)
    assert b"Theodora" in everything(folder)
    untouched = segments.in_order(folder)[1].read_bytes()
    time_passes(home)
    home.battles.erase(BEN)
    keep_journal(home.store)
    kept = everything(folder)
    assert b"Theodora" not in kept
    assert b"second thoughts" not in kept
    assert b"Grey waves" in kept  # answers to others
    assert b"fine" in kept
    assert untouched in kept
    assert seqs(folder) == list(range(1, events(home.store) + 1))


def test_lines_of_an_erased_battle_are_what_the_database_makes_of_them(home: House, folder: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    home.battles.erase(BEN)
    keep_journal(home.store)
    rewritten = [line.record["rows"] for path in segments.in_order(folder) for line in segments.read(path)]
    shutil.rmtree(folder)
    keep_journal(home.store)
    rendered = [line.record["rows"] for path in segments.in_order(folder) for line in segments.read(path)]
    for old, new in zip(rewritten, rendered, strict=True):
        for table in ("generations", "instructions", "generation_flags"):
            assert old.get(table) == new.get(table)
        for table in ("battles",):
            terms = [
                [(row["id"], row["instruction_id"], row["erased_at"]) for row in rows[table]] for rows in (old, new)
            ]
            assert terms[0] == terms[1]


def test_an_erasure_that_finds_no_room_is_finished_later(
    home: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    for number in range(5):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
    time_passes(home)
    keep_journal(home.store)
    home.battles.erase(BEN)
    with files_end_at(5_000):
        journal = Journal(home.store, folder)
        wait_until(lambda: journal.state().error != "")
        assert journal.state().lag == 1
        assert seqs(folder) == [1, 2, 3, 4, 5]
        assert b"Theodora" in everything(folder)
    wait_until(lambda: journal.state().lag == 0)
    journal.close()
    assert b"Theodora" not in everything(folder)
    assert seqs(folder) == [1, 2, 3, 4, 5, 6]


ERASER = """
import os, sys
from pathlib import Path
from playground.storage.journal import segments
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.database.store import Store
whole, left = segments.rewrite, [int(sys.argv[2])]
def rewrite(segment, change):
    if left[0] == 0:
        segment.with_suffix(".part").write_bytes(b"half of it")
        os.kill(os.getpid(), 9)
    left[0] -= 1
    whole(segment, change)
segments.rewrite = rewrite
store = Store(Path(sys.argv[1]))
Journal(store, journal_folder(store.path)).close()
"""


@pytest.mark.parametrize("rewritten", [0, 1, 2])
def test_an_erasure_that_a_kill_ended_is_finished_at_the_next_start(home: House, folder: Path, rewritten: int) -> None:
    for number in range(3):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
        keep_journal(home.store)
    time_passes(home)
    home.battles.erase(BEN)
    home.store.close()
    path = home.store.path
    assert path is not None
    killed = subprocess.run([sys.executable, "-c", ERASER, str(path), str(rewritten)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert everything(folder).count(b"half of it") == 1
    assert b"Theodora" in everything(folder)
    with Store(path) as store:
        keep_journal(store)
    assert b"Theodora" not in everything(folder)
    assert b"half of it" not in everything(folder)
    assert seqs(folder) == [1, 2, 3, 4]


def test_many_erasures_rewrite_the_journal_once(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raters = [f"rater {number}" for number in range(5)]
    for rater in raters:
        judge(home, f"of-{rater}", rater=rater, text=SECRET)
    time_passes(home)
    keep_journal(home.store)
    for rater in raters:
        home.battles.erase(rater)
        judge(home, f"after-{rater}")
    rewritten: list[Path] = []
    rewrite = segments.rewrite

    def counted(segment: Path, change: Callable[[Line], bytes | None]) -> None:
        rewritten.append(segment)
        rewrite(segment, change)

    monkeypatch.setattr(segments, "rewrite", counted)
    keep_journal(home.store)
    assert len(rewritten) == 1
    assert b"Theodora" not in everything(folder)
    assert seqs(folder) == list(range(1, 16))


def test_an_end_waits_for_one_segment_of_an_erasure_and_the_next_start_does_the_rest(
    home: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        judge(home, f"battle-{number}", rater=BEN, text=SECRET)
        keep_journal(home.store)
    time_passes(home)
    home.battles.erase(BEN)
    rewriting, closing = threading.Event(), threading.Event()
    rewrite = segments.rewrite

    def held(segment: Path, change: Callable[[Line], bytes | None]) -> None:
        rewriting.set()
        assert closing.wait(30)
        rewrite(segment, change)

    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "CLOSE_S", 0.0)
        patched.setattr(segments, "rewrite", held)
        journal = Journal(home.store, folder)
        assert rewriting.wait(30)
        ending = threading.Thread(target=journal.close)
        ending.start()
        wait_until(journal._ending.is_set)
        closing.set()
        ending.join()
    assert journal.state().lag == 1
    assert sum(b"Theodora" in path.read_bytes() for path in segments.segments(folder)) == 2
    keep_journal(home.store)
    assert b"Theodora" not in everything(folder)
    assert seqs(folder) == [1, 2, 3, 4]


def test_words_of_a_rater_with_any_name_are_erased_and_those_of_who_only_names_her_stay(
    home: House, folder: Path
) -> None:
    odd = 'Zoë "\\" \n\u2028 \'}'
    home.battle_is_open("hers", owner=odd, source="api", instruction=Instruction(SECRET))
    home.battles.vote("hers", "b", odd, final=True, source="api", comment=SECRET)
    keep_journal(home.store)
    judge(home, "about-her", text=f'{{"owner":"{odd}","rater_id":"{odd}"}}')
    kept = keep_journal(home.store)
    [hers, about_her] = segments.in_order(kept)
    untouched = about_her.read_bytes()
    home.store.write(lambda writing: writing.erase_words(odd, "api", home.time.now()))
    keep_journal(home.store)
    assert b"Theodora" not in everything(folder)
    assert about_her.read_bytes() == untouched
    assert hers.exists()


# Starts


@pytest.mark.proves("database empty")
def test_a_new_database_beside_a_journal_with_votes_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    lines = len(seqs(folder))
    home.store.close()
    for path in tmp_path.glob("playground.db*"):
        if path.is_file():
            path.unlink()
    (tmp_path / "playground.db").touch()
    arena = Arena(Settings(db=tmp_path / "playground.db"))
    said = rf"holds no vote, but its journal .*\.journal holds {lines} lines.*playground restore --db .*or move"
    for _ in range(2):
        with pytest.raises(DatabaseBroken, match=said):
            arena.open()
        arena.close()


def test_a_database_that_is_older_than_its_journal_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "battle-1")
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "backup.db")
    with Store(tmp_path / "playground.db") as store:
        judge(House(store), "battle-2")
        keep_journal(store)
    shutil.copy(tmp_path / "backup.db", tmp_path / "playground.db")
    with Store(tmp_path / "playground.db") as store:
        with pytest.raises(DatabaseBroken, match=r"older than its journal: it ends with event 1, .* up to event 2"):
            Journal(store, folder)
        shutil.move(folder, tmp_path / "away")
        keep_journal(store)


def test_another_playgrounds_database_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    other = house(tmp_path / "other")
    for number in range(5):
        judge(other, f"battle-{number}")
    with pytest.raises(DatabaseBroken, match="another database than the one of the journal"):
        Journal(other.store, folder)
    other.store.close()


def test_a_journal_that_lags_is_normal(home: House, folder: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    judge(home, "battle-2")
    before = hashes(home.store)
    keep_journal(home.store)
    assert hashes(home.store) == before
    assert seqs(folder) == [1, 2]


def test_an_instruction_of_any_text_is_written(home: House, folder: Path) -> None:
    for number, text in enumerate(("\u2028", '"}\n{"seq":99,"event":"vote"', "\\", "\x1f", "e\u0301" * 1000)):
        home.battle_is_open(f"battle-{number}", owner=ADA, instruction=Instruction(text, text, text))
        home.battles.vote(f"battle-{number}", "a", ADA)
    keep_journal(home.store)
    assert seqs(folder) == [1, 2, 3, 4, 5]
