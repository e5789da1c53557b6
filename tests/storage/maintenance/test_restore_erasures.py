"""Restore of erasures: erased text stays erased."""

from __future__ import annotations

import shutil
from pathlib import Path

from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import House
from tests.support.judging import BEN, CY, afternoon, counts, hashes, judge, keep_journal, settled, time_passes
from tests.support.storing import database_bytes


def test_old_segment_restores_no_erased_text(home: House, folder: Path, new: Store, tmp_path: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    shutil.copytree(folder, tmp_path / "old")
    home.battles.erase(BEN)
    judge(home, "afterwards", rater=BEN, text="New words.")
    time_passes(home)
    keep_journal(home.store)
    shutil.copytree(tmp_path / "old", folder / "0000-an-old-copy")
    restored = restore(new, folder)
    assert counts(restored) == (10, 0)
    assert settled(new, home) == hashes(home.store)
    new.close()
    assert b"Theodora" not in database_bytes(tmp_path / "new.db")
    assert b"New words." in database_bytes(tmp_path / "new.db")


def test_old_journal_restores_no_erased_text(home: House, folder: Path, tmp_path: Path) -> None:
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
    assert b"Theodora" not in database_bytes(tmp_path / "playground.db")


def test_restore_erases_in_an_older_copy(home: House, folder: Path, tmp_path: Path) -> None:
    afternoon(home)
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
        late = House(store, home.time)
        late.battles.erase(BEN)
        late.battles.erase(CY)
        keep_journal(store)
        expected = hashes(store)
    with Store(tmp_path / "copy.db") as copy:
        assert counts(restore(copy, folder)) == (0, 9)
        assert settled(copy, late) == expected
        assert verify(copy, folder) == []
    assert b"Theodora" not in database_bytes(tmp_path / "copy.db")


def test_two_erasures_in_a_millisecond_are_restored(home: House, folder: Path, tmp_path: Path) -> None:
    for battle_id in ("one", "two"):
        home.battle_is_open(battle_id, owner=BEN, instruction=Instruction(f"Ask Theodora for {battle_id}."))
    home.battles.vote("one", "a", BEN, final=True)
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
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
    assert b"Theodora" not in database_bytes(tmp_path / "copy.db")
