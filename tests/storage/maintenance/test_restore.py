"""Restoring: a journal becomes the database that it is of, whatever is missing, doubled, torn or old."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.cli import main
from playground.errors import DatabaseBroken, DatabaseNewer, StorageError
from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.consistency import check_against_journal
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Line, seal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance import restore as restore_module
from playground.storage.maintenance.restore import Restored, restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import MODELS, House, ToldTime, battle, generation, house
from tests.support.judging import ADA, BEN, CY, afternoon, hashes, judge, keep_journal, time_passes
from tests.support.paths import ROOT


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return journal_folder(tmp_path / "home" / "playground.db")


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "new.db") as store:
        yield store


def settled(store: Store, home: House) -> dict[str, str]:
    """Hashes of what was judged, once time has done the same to it as at home."""
    again = House(store)
    again.time.at = home.time.at
    again.battles.expire()
    return hashes(store)


def counts(restored: Restored) -> tuple[int, int]:
    return restored.votes_added, restored.votes_there


def test_a_lost_database_is_made_again_equal_by_hash(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    brought = restore(new, folder)
    assert counts(brought) == (9, 0)
    assert (brought.refused, brought.damaged, brought.torn, brought.missing) == (0, 0, 0, 0)
    assert settled(new, home) == hashes(home.store)
    assert list(new.judged_pairs()) == list(home.store.judged_pairs())
    assert verify(new, folder) == []
    check_against_journal(new, folder)


def test_a_restored_database_goes_on_as_the_old_one_would_have(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    restore(new, folder)
    journal = Journal(new, folder)
    judge(House(new), "the-next")
    journal.close()
    assert verify(new, folder) == []
    assert journal.state().lag == 0


def test_restoring_again_changes_nothing(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    restore(new, folder)
    before = hashes(new)
    assert counts(restore(new, folder)) == (0, 9)
    assert hashes(new) == before
    assert counts(restore(home.store, folder)) == (0, 9)


def test_an_older_copy_gets_what_it_lacks(home: House, folder: Path, tmp_path: Path) -> None:
    home.battles.create(battle("being-written", owner=ADA))
    home.battle_is_open("open", owner=ADA)
    judge(home, "to-be-undone")
    judge(home, "noted")
    home.battles.note("noted", ADA, reasons=["correct"], comment="first")
    home.store.close()
    shutil.copy(tmp_path / "home" / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "home" / "playground.db") as store:
        late = House(store, home.time)
        for side in "ab":
            model = MODELS["ab".index(side)]
            late.battles.finish("being-written", {side: generation(f"written-{side}", model)})
        late.battles.vote("being-written", "b", ADA)
        late.battles.vote("open", "tie", ADA)
        late.battles.undo("to-be-undone", ADA)
        late.battles.note("noted", ADA, reasons=[], comment="second")
        afternoon(late)
        keep_journal(store)
        expected, pairs = hashes(store), list(store.judged_pairs())
    with Store(tmp_path / "copy.db") as copy:
        with pytest.raises(DatabaseBroken, match="older than its journal"):
            check_against_journal(copy, folder)
        assert counts(restore(copy, folder)) == (12, 2)
        check_against_journal(copy, folder)
        assert settled(copy, late) == expected
        assert list(copy.judged_pairs()) == pairs
        assert verify(copy, folder) == []


def test_a_database_that_went_on_without_its_journal_takes_in_what_the_journal_has(
    home: House, folder: Path, tmp_path: Path
) -> None:
    judge(home, "before")
    home.battle_is_open("both", owner=ADA)
    home.store.close()
    shutil.copy(tmp_path / "home" / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "home" / "playground.db") as store:
        judge(House(store), "here")
        House(store).battles.vote("both", "a", ADA)
        keep_journal(store)
    with Store(tmp_path / "copy.db") as copy:
        late = House(copy)
        for number in range(4):
            judge(late, f"there-{number}")
        late.battles.vote("both", "b", ADA)
        for expected in ((1, 1), (0, 2)):
            brought = restore(copy, folder)
            assert counts(brought) == expected
            assert brought.refused == 1  # of two first votes on one battle the database's own stands
        assert {pair.battle_id for pair in copy.judged_pairs()} == {
            "before",
            "here",
            "both",
            *(f"there-{number}" for number in range(4)),
        }
        keep_journal(copy)
        assert verify(copy, journal_folder(tmp_path / "copy.db")) == []


Acts = str
"""What a rater does, in order: votes a, b or tie; undo; reveal."""


def act(home: House, acts: Acts) -> None:
    for what in acts.split():
        home.time.pass_s(0.1)
        match what:
            case "undo":
                home.battles.undo("both", ADA)
            case "reveal":
                home.battles.reveal("both", ADA)
            case _:
                home.battles.vote("both", what, ADA)


def parted(home: House, db: Path, before: Acts, here: Acts, there: Acts) -> Path:
    """A copy of a database that went on without its journal; returns its path."""
    copy = db.with_name("copy.db")
    home.battle_is_open("both", owner=ADA)
    act(home, before)
    home.store.close()
    shutil.copy(db, copy)
    with Store(db) as store:
        act(House(store, ToldTime(home.time.at)), there)
        keep_journal(store)
    with Store(copy) as store:
        late = House(store, ToldTime(home.time.at + timedelta(seconds=0.01)))
        judge(late, "only-here")
        act(late, here)
    return copy


def choices(store: Store) -> list[str]:
    with store.reading() as reading:
        return [row[0] for row in reading.select("SELECT choice FROM votes WHERE battle_id = 'both' ORDER BY revision")]


@pytest.mark.parametrize(
    ("before", "here", "there", "kept", "refused"),
    [
        ("", "b reveal", "a undo", "b", 2),
        ("", "b", "a undo", "b", 2),
        ("", "tie", "a undo b", "tie", 3),
        ("a", "undo b", "undo tie", "a undo b", 2),
        ("a", "undo", "undo tie", "a undo", 2),
        ("a", "reveal", "undo b", "a", 2),
        ("a", "", "undo b", "a undo b", 0),
        ("a undo", "b", "", "a undo b", 0),
        ("", "", "tie undo b reveal", "tie undo b", 0),
    ],
)
def test_where_two_histories_of_a_battle_part_the_databases_own_votes_stand(
    home: House, folder: Path, tmp_path: Path, before: Acts, here: Acts, there: Acts, kept: str, refused: int
) -> None:
    copy = parted(home, tmp_path / "home" / "playground.db", before, here, there)
    with Store(copy) as store:
        for _ in range(2):
            assert restore(store, folder).refused == refused
            assert choices(store) == kept.split()
            assert [
                finding for finding in verify(store, folder.with_name("none")) if "contradict" in finding.what
            ] == []


def test_votes_that_come_to_a_battle_which_only_was_reported_here_move_it(
    home: House, folder: Path, tmp_path: Path
) -> None:
    copy = parted(home, tmp_path / "home" / "playground.db", "", "", "a reveal")
    with Store(copy) as store:
        House(store, home.time).battles.note("both", ADA, report_side="a", report="rude")
        restore(store, folder)
        stored = store.battle("both")
        assert stored is not None
        assert stored.state == "revealed"
        assert notes(store) == [("report", "rude")]


def notes(store: Store) -> list[tuple[str, str]]:
    with store.reading() as reading:
        found = reading.select("SELECT kind, text FROM vote_notes WHERE battle_id = 'both' ORDER BY kind, text")
        return [tuple(row) for row in found]


def test_notes_that_only_the_database_has_stay_and_those_of_the_journal_come_beside_them(
    home: House, folder: Path, tmp_path: Path
) -> None:
    copy = parted(home, tmp_path / "home" / "playground.db", "a", "", "reveal")
    with Store(tmp_path / "home" / "playground.db") as store:
        there = House(store, home.time)
        for number in range(9):
            judge(there, f"there-{number}")
        there.battles.note("both", ADA, reasons=["clear"], comment="there", report_side="b", report="not true")
        keep_journal(store)
    with Store(copy) as store:
        House(store, home.time).battles.note(
            "both", ADA, reasons=["correct"], comment="here", report_side="a", report="rude"
        )
        own = [("comment", "here"), ("reason", "correct")]
        for _ in range(2):
            restore(store, folder)
            assert notes(store) == [*own, ("report", "not true"), ("report", "rude")]


def test_a_journal_that_is_put_back_beside_a_database_that_went_on_is_brought_in_and_made_whole(
    home: House, folder: Path, tmp_path: Path
) -> None:
    db, away = tmp_path / "home" / "playground.db", tmp_path / "away"
    judge(home, "secret", rater=BEN, text="Ask Theodora.")
    time_passes(home)
    home.store.close()
    shutil.copy(db, tmp_path / "backup.db")
    with Store(db) as store:
        there = House(store, home.time)
        for number in range(3):
            judge(there, f"there-{number}")
        keep_journal(store)
    folder.rename(away)
    shutil.copy(tmp_path / "backup.db", db)
    with Store(db) as store:
        here = House(store, home.time)
        for number in range(5):
            judge(here, f"here-{number}")
        here.battles.erase(BEN)
        away.rename(folder)
        with pytest.raises(DatabaseBroken, match=r"went on without its journal: event 4 is another .*restore --db"):
            Journal(store, folder)
        [missing, others] = [finding for finding in verify(store, folder) if "restore" in finding.next_step]
        assert missing.what.startswith("votes of the journal that are not in the database: 3 (")
        assert others.what == "events that are others in the journal: 3 (number 2, number 3, number 4)"
    command = [sys.executable, "-c", RESTORER, str(db), str(folder), "1"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
    with Store(db) as store, pytest.raises(DatabaseBroken, match="went on without its journal"):
        check_against_journal(store, folder)
    status, text = run("restore", "--db", str(db))
    assert status == 0
    [aside] = tmp_path.glob("home/playground.db.journal.merged-*")
    assert f"had diverged: the journal was moved to {aside}," in text
    assert b"Theodora" not in b"".join(path.read_bytes() for path in aside.rglob("*.jsonl"))
    with Store(db) as store:
        keep_journal(store)
        assert verify(store, folder) == []
        brought = restore(store, folder)
        assert (counts(brought), brought.moved_to) == ((0, 9), "")
    with Store(tmp_path / "again.db") as store:
        restore(store, folder)
        assert len(list(store.judged_pairs())) == 9
        assert b"Theodora" not in words(tmp_path / "again.db")


def test_boots_whose_names_lie_about_time_are_brought_in_in_order(home: House, folder: Path, new: Store) -> None:
    judge(home, "battle-1")
    home.battles.note("battle-1", ADA, comment="first")
    keep_journal(home.store)
    [boot] = folder.iterdir()
    boot.rename(folder / "29990101T000000Z-0000")
    home.time.pass_s(-3600)
    home.battles.note("battle-1", ADA, comment="second")
    judge(home, "battle-2")
    home.battles.note("battle-2", ADA, comment="another")
    keep_journal(home.store)
    restore(new, folder)
    time_passes(home)
    assert settled(new, home) == hashes(home.store)


@pytest.fixture(scope="module")
def many_segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of thirty votes in ten segments."""
    home = house(tmp_path_factory.mktemp("many"))
    for number in range(30):
        judge(home, f"battle-{number}")
        if number % 3 == 2:
            folder = keep_journal(home.store)
    home.store.close()
    return folder


@pytest.mark.proves("restore with missing, doubled and torn segments")
@settings(max_examples=25)
@given(chance=st.randoms(use_true_random=False))
def test_whatever_is_missing_doubled_torn_or_flipped_every_whole_line_is_brought_in(
    many_segments: Path, chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy.journal"
        shutil.copytree(many_segments, folder)
        for segment in segments.segments(folder):
            match chance.randrange(6):
                case 0:
                    segment.unlink()
                case 1:
                    shutil.copytree(segment.parent, folder / f"again-{segment.parent.name}")
                case 2:
                    segment.write_bytes(segment.read_bytes()[: chance.randrange(segment.stat().st_size)])
                case 3:
                    content = bytearray(segment.read_bytes())
                    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
                    segment.write_bytes(content)
        lines = [line for path in segments.segments(folder) for line in segments.read(path)]
        whole = {line.record["vote_id"] for line in lines if not line.fault and line.seq}
        with Store(Path(temporary) / "new.db") as store:
            if segments.segments(folder):
                brought = restore(store, folder)
                assert counts(brought) == (len(whole), 0)
                assert brought.damaged == sum(line.fault == "damaged" for line in lines)
                assert brought.torn == sum(line.fault == "torn" for line in lines)
            assert {pair.vote_id for pair in store.judged_pairs()} == whole


def test_news_of_a_battle_whose_vote_is_lost_is_counted_and_not_missed_at_the_next_start(
    home: House, folder: Path, new: Store
) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    lost = segments.segments(folder)
    judge(home, "battle-2")
    home.battles.note("battle-1", ADA, comment="never mind")
    keep_journal(home.store)
    lost[0].unlink()
    brought = restore(new, folder)
    assert (counts(brought), brought.refused, brought.missing) == ((1, 0), 1, 1)
    check_against_journal(new, folder)


def test_a_line_that_no_database_takes_keeps_no_other_out(home: House, folder: Path, new: Store) -> None:
    for number in range(3):
        judge(home, f"battle-{number}")
    keep_journal(home.store)
    [segment] = segments.segments(folder)

    def spoil(line: Line) -> bytes:
        record = line.record
        if record["battle_id"] == "battle-1":
            record["rows"]["battles"][0]["state"] = "no such state"
        return seal({name: value for name, value in record.items() if name != "crc"})

    segments.rewrite(segment, spoil)
    brought = restore(new, folder)
    assert (counts(brought), brought.refused) == ((2, 0), 1)


# Erased


def words(path: Path) -> bytes:
    """Everything in the files of a database."""
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*") if part.is_file())


def test_what_was_erased_stays_so_also_where_an_old_segment_still_says_it(
    home: House, folder: Path, new: Store, tmp_path: Path
) -> None:
    afternoon(home)
    keep_journal(home.store)
    shutil.copytree(folder, tmp_path / "old")
    home.battles.erase(BEN)
    judge(home, "afterwards", rater=BEN, text="New words.")
    time_passes(home)
    keep_journal(home.store)
    shutil.copytree(tmp_path / "old", folder / "0000-an-old-copy")
    brought = restore(new, folder)
    assert counts(brought) == (10, 0)
    assert settled(new, home) == hashes(home.store)
    new.close()
    assert b"Theodora" not in words(tmp_path / "new.db")
    assert b"New words." in words(tmp_path / "new.db")


def test_an_old_journal_brings_erased_words_back_into_no_database(home: House, folder: Path, tmp_path: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    shutil.copytree(folder, tmp_path / "old")
    home.battles.erase(BEN)
    before = hashes(home.store)
    assert counts(restore(home.store, tmp_path / "old")) == (0, 9)
    assert hashes(home.store) == before
    keep_journal(home.store)
    assert verify(home.store, folder) == []
    home.store.close()
    assert b"Theodora" not in words(tmp_path / "home" / "playground.db")


def test_an_older_copy_forgets_what_was_erased_since(home: House, folder: Path, tmp_path: Path) -> None:
    afternoon(home)
    home.store.close()
    shutil.copy(tmp_path / "home" / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "home" / "playground.db") as store:
        late = House(store, home.time)
        late.battles.erase(BEN)
        late.battles.erase(CY)
        keep_journal(store)
        expected = hashes(store)
    with Store(tmp_path / "copy.db") as copy:
        assert counts(restore(copy, folder)) == (0, 9)
        assert settled(copy, late) == expected
        assert verify(copy, folder) == []
    assert b"Theodora" not in words(tmp_path / "copy.db")


def test_an_older_copy_forgets_what_was_erased_twice_in_a_millisecond(
    home: House, folder: Path, tmp_path: Path
) -> None:
    for battle_id in ("one", "two"):
        home.battle_is_open(battle_id, owner=BEN, instruction=Instruction(f"Ask Theodora for {battle_id}."))
    home.battles.vote("one", "a", BEN, final=True)
    home.store.close()
    shutil.copy(tmp_path / "home" / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "home" / "playground.db") as store:
        late = House(store, home.time)
        late.battles.erase(BEN)
        late.battle_is_open("three", owner=BEN, instruction=Instruction("Ask Theodora once more."))
        late.battles.vote("three", "a", BEN, final=True)
        late.battles.erase(BEN)
        keep_journal(store)
        with store.reading() as reading:
            times = [row[0] for row in reading.select("SELECT created_at FROM erasures ORDER BY id")]
        assert len(set(times)) == len(times) == 2
    with Store(tmp_path / "copy.db") as copy:
        restore(copy, folder)
        assert verify(copy, folder) == []
        with copy.reading() as reading:
            assert [row[0] for row in reading.select("SELECT created_at FROM erasures ORDER BY id")] == times
    assert b"Theodora" not in words(tmp_path / "copy.db")


# Refusals


def test_where_there_is_no_journal_it_is_said(new: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no journal in"):
        restore(new, tmp_path / "nowhere")


def test_the_journal_of_another_database_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    other = house(tmp_path / "other")
    judge(other, "battle-1")
    before = hashes(other.store)
    with pytest.raises(DatabaseBroken, match="journal of another database"):
        restore(other.store, folder)
    assert hashes(other.store) == before
    shutil.copytree(keep_journal(other.store), folder / "others")
    with pytest.raises(DatabaseBroken, match="journals of 2 databases"):
        restore(home.store, folder)
    other.store.close()


def test_a_newer_journal_is_refused(home: House, folder: Path, new: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    monkeypatch.setattr(restore_module, "schema_version", lambda: 1)
    with pytest.raises(DatabaseNewer, match="update the playground"):
        restore(new, folder)


# The command


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


@pytest.mark.proves("database deleted")
def test_the_command_makes_a_missing_database_and_says_what_it_did(
    home: House, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    afternoon(home)
    keep_journal(home.store)
    expected = hashes(home.store)
    home.store.close()
    db = tmp_path / "home" / "playground.db"
    db.unlink()
    status, text = run("restore", "--db", str(db))
    assert status == 0
    assert "9 votes and undos added" in text
    status, text = run("restore", str(folder), "--db", str(db), "--json")
    assert status == 0
    document = json.loads(text)
    assert (document["votes_added"], document["votes_there"], document["missing"]) == (0, 9, 0)
    assert capsys.readouterr().err == ""
    with Store(db) as store:
        assert settled(store, home) == expected


def test_while_the_playground_runs_the_command_refuses(
    home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    assert run("restore", "--db", str(tmp_path / "home" / "playground.db"))[0] == 1
    assert "another process writes to" in capsys.readouterr().err


RESTORER = """
import os, sys
from pathlib import Path
from playground.storage.maintenance import restore
from playground.storage.database.store import Store
restore.BATCH = 2
calls = []
def stop(done, size):
    calls.append(done)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
restore.restore(Store(Path(sys.argv[1])), Path(sys.argv[2]), stop)
"""


@pytest.mark.parametrize("batches", [1, 4])
def test_a_restoring_that_a_kill_ended_is_finished_by_the_next(
    home: House, folder: Path, tmp_path: Path, batches: int
) -> None:
    afternoon(home)
    keep_journal(home.store)
    db = tmp_path / "new.db"
    command = [sys.executable, "-c", RESTORER, str(db), str(folder), str(batches)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
    with Store(db) as store:
        with pytest.raises(DatabaseBroken, match="older than its journal"):
            check_against_journal(store, folder)
        restore(store, folder)
        assert settled(store, home) == hashes(home.store)
