"""Restore from a journal that is old, torn, damaged or incomplete."""

from __future__ import annotations

import io
import random
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.cli import main
from playground.errors import DatabaseBroken, DatabaseNewer, StorageError
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.consistency import check_against_journal
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Line, seal
from playground.storage.maintenance import restore as restore_module
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import MODELS, House, battle, generation, house
from tests.support.judging import ADA, BEN, afternoon, counts, hashes, judge, keep_journal, settled, time_passes
from tests.support.starts import run_code
from tests.support.storing import database_bytes


def test_restored_database_is_equal(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    restored = restore(new, folder)
    assert counts(restored) == (9, 0)
    assert (restored.refused, restored.damaged, restored.torn, restored.missing) == (0, 0, 0, 0)
    assert settled(new, home) == hashes(home.store)
    assert list(new.judged_pairs()) == list(home.store.judged_pairs())
    assert verify(new, folder) == []
    check_against_journal(new, folder)


def test_restored_database_continues(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    restore(new, folder)
    journal = Journal(new, folder)
    judge(House(new), "the-next")
    journal.close()
    assert verify(new, folder) == []
    assert journal.state().lag == 0


def test_second_restore_changes_nothing(home: House, folder: Path, new: Store) -> None:
    afternoon(home)
    keep_journal(home.store)
    restore(new, folder)
    before = hashes(new)
    assert counts(restore(new, folder)) == (0, 9)
    assert hashes(new) == before
    assert counts(restore(home.store, folder)) == (0, 9)


def test_restore_completes_an_older_copy(home: House, folder: Path, tmp_path: Path) -> None:
    home.battles.create(battle("being-written", owner=ADA))
    home.battle_is_open("open", owner=ADA)
    judge(home, "to-be-undone")
    judge(home, "noted")
    home.battles.note("noted", ADA, reasons=["correct"], comment="first")
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
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


def test_restore_merges_an_older_journal(home: House, folder: Path, tmp_path: Path) -> None:
    db, away = tmp_path / "playground.db", tmp_path / "away"
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
    assert run_code(RESTORER, str(db), str(folder), "1")[0] == -signal.SIGKILL
    with Store(db) as store, pytest.raises(DatabaseBroken, match="went on without its journal"):
        check_against_journal(store, folder)
    out = io.StringIO()
    assert main(["restore", "--db", str(db)], out) == 0
    [aside] = tmp_path.glob("playground.db.journal.merged-*")
    assert f"had diverged: the journal was moved to {aside}," in out.getvalue()
    assert b"Theodora" not in b"".join(path.read_bytes() for path in aside.rglob("*.jsonl"))
    with Store(db) as store:
        keep_journal(store)
        assert verify(store, folder) == []
        restored = restore(store, folder)
        assert (counts(restored), restored.moved_to) == ((0, 9), "")
    with Store(tmp_path / "again.db") as store:
        restore(store, folder)
        assert len(list(store.judged_pairs())) == 9
        assert b"Theodora" not in database_bytes(tmp_path / "again.db")


def test_segments_are_replayed_in_order_of_events(home: House, folder: Path, new: Store) -> None:
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


@pytest.mark.slow
@pytest.mark.proves("restore with missing, doubled and torn segments")
@settings(max_examples=25)
@given(chance=st.randoms(use_true_random=False))
def test_every_intact_line_is_restored(many_segments: Path, chance: random.Random) -> None:
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
        intact = {line.record["vote_id"] for line in lines if not line.fault and line.seq}
        with Store(Path(temporary) / "new.db") as store:
            if segments.segments(folder):
                restored = restore(store, folder)
                assert counts(restored) == (len(intact), 0)
                assert restored.damaged == sum(line.fault == "damaged" for line in lines)
                assert restored.torn == sum(line.fault == "torn" for line in lines)
            assert {pair.vote_id for pair in store.judged_pairs()} == intact


def test_event_of_a_lost_battle_is_refused(home: House, folder: Path, new: Store) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    lost = segments.segments(folder)
    judge(home, "battle-2")
    home.battles.note("battle-1", ADA, comment="never mind")
    keep_journal(home.store)
    lost[0].unlink()
    restored = restore(new, folder)
    assert (counts(restored), restored.refused, restored.missing) == ((1, 0), 1, 1)
    check_against_journal(new, folder)


def test_unusable_line_is_refused_alone(home: House, folder: Path, new: Store) -> None:
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
    restored = restore(new, folder)
    assert (counts(restored), restored.refused) == ((2, 0), 1)


def test_missing_journal_is_refused(new: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no journal in"):
        restore(new, tmp_path / "nowhere")


def test_journal_of_another_database_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
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


def test_newer_journal_is_refused(home: House, folder: Path, new: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    monkeypatch.setattr(restore_module, "schema_version", lambda: 1)
    with pytest.raises(DatabaseNewer, match="update the playground"):
        restore(new, folder)


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


@pytest.mark.slow
@pytest.mark.parametrize("batches", [1, 4])
def test_killed_restore_is_finished_by_the_next(home: House, folder: Path, tmp_path: Path, batches: int) -> None:
    afternoon(home)
    keep_journal(home.store)
    db = tmp_path / "new.db"
    assert run_code(RESTORER, str(db), str(folder), str(batches))[0] == -signal.SIGKILL
    with Store(db) as store:
        with pytest.raises(DatabaseBroken, match="older than its journal"):
            check_against_journal(store, folder)
        restore(store, folder)
        assert settled(store, home) == hashes(home.store)
