"""The journal holds every committed vote once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.records import Instruction
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.journal import journal as journal_file
from playground.storage.journal import segments
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Fault
from tests.support.cast import OPENALPACA, House
from tests.support.judging import ADA, SECRET, afternoon, judge, keep_journal
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.replay import ReplayEngine, World
from tests.support.storing import events, file_size_limit, seqs


def test_vote_is_written_while_running(home: House, folder: Path) -> None:
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


def test_rows_of_a_line_equal_the_tables(home: House, folder: Path) -> None:
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


def test_exclusive_database_has_a_journal(tmp_path: Path, folder: Path) -> None:
    with Store(tmp_path / "playground.db", exclusive=True) as store:
        journal = Journal(store, folder)
        afternoon(House(store))
        wait_until(lambda: journal.state().lag == 0)
        journal.close()
        assert seqs(folder) == list(range(1, events(store) + 1))


def test_arena_keeps_a_journal(tmp_path: Path, folder: Path) -> None:
    arena = Arena(Settings(db=tmp_path / "playground.db", models=OPENALPACA), engine=ReplayEngine(World()))
    assert arena.journal is None
    arena.open()
    judge(House(arena.store), "battle-1")
    assert arena.journal is not None
    arena.close()
    assert seqs(folder) == [1]


def test_missing_events_are_written_at_start_and_close(home: House, folder: Path) -> None:
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


def test_deleted_journal_is_written_again(home: House, folder: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    before = [line.record for path in segments.in_order(folder) for line in segments.read(path)]
    shutil.rmtree(folder)
    keep_journal(home.store)
    again = [line.record for path in segments.in_order(folder) for line in segments.read(path)]
    assert again == before


def test_torn_end_is_written_again(home: House, folder: Path) -> None:
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
def test_clock_set_back_changes_nothing(home: House, folder: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    [boot] = folder.iterdir()
    boot.rename(folder / "29990101T000000Z-0000")  # sorts after the next boot's name
    home.time.pass_s(-3600)
    judge(home, "battle-2")
    keep_journal(home.store)
    assert seqs(folder) == [1, 2]


def test_votes_go_on_without_a_folder(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_full_disk_loses_no_event(home: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    monkeypatch.setattr(journal_file, "BATCH", 3)
    for number in range(20):
        judge(home, f"battle-{number}")
    with file_size_limit(20_000):  # the database is only read
        journal = Journal(home.store, folder)
        wait_until(lambda: journal.state().error != "")
        assert 0 < journal.state().lag < 20
        assert "cannot be written to" in journal.state().error
        assert seqs(folder) == list(range(1, 21 - journal.state().lag))
    wait_until(lambda: journal.state().lag == 0)
    journal.close()
    assert seqs(folder) == list(range(1, 21))


def test_close_does_not_wait_for_a_failing_folder(home: House, folder: Path) -> None:
    journal = Journal(home.store, folder)
    folder.write_text("")
    judge(home, "battle-1")
    journal.close()
    assert journal.state().lag == 1


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
@pytest.mark.parametrize(
    "kills", [1, pytest.param(4, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.long)]
)
def test_kill_leaves_every_event_once(tmp_path: Path, folder: Path, kills: int) -> None:
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
        intact = [line.seq for line in lines if line.fault is Fault.NONE]
        assert intact == list(range(1, events(store) + 1))
    assert len(segments.segments(folder)) >= kills


def test_any_instruction_is_written(home: House, folder: Path) -> None:
    for number, text in enumerate(("\u2028", '"}\n{"seq":99,"event":"vote"', "\\", "\x1f", "e\u0301" * 1000)):
        home.battle_is_open(f"battle-{number}", owner=ADA, instruction=Instruction(text, text, text))
        home.battles.vote(f"battle-{number}", "a", ADA)
    keep_journal(home.store)
    assert seqs(folder) == [1, 2, 3, 4, 5]
