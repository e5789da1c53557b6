"""Scrubbing: no byte of erased text is left in the files."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground.errors import StorageError
from playground.storage.database.store import Store
from tests.support.cast import ADA, BEN, House, battle
from tests.support.storing import HERRING, file_size_limit, files_containing, path_of, rows, voted


@pytest.mark.slow
@pytest.mark.parametrize("exclusive", [False, True])
def test_no_erased_byte_is_left_in_any_file(tmp_path: Path, exclusive: bool) -> None:
    folder = tmp_path / "data"
    home = House(Store(folder / "playground.db", exclusive=exclusive))
    for number in range(60):  # texts of many lengths, some over several pages, between another rater's
        asked = replace(HERRING, instruction=f"Herring {number} " + "swims " * (number * 7))
        ends = {side: {"text": f"herring-answer {number} " + "and swims " * (number * 13)} for side in "ab"}
        owner = BEN if number % 3 == 0 else ADA
        words = {"instruction": asked, "ends": ends} if owner == ADA else {}
        home.battle_is_open(f"battle-{number}", owner=owner, **words)
        home.battles.vote(f"battle-{number}", "a", owner, final=True, comment="Ada likes herrings." * (owner == ADA))
    marks = ("erring", "swims")
    if not exclusive:  # otherwise only its own connection may read the file
        assert files_containing(folder, *marks)
    home.battles.erase(ADA)
    assert home.store.scrub()
    assert files_containing(folder, *marks) == []
    home.store.close()
    assert files_containing(folder, *marks) == []
    with Store(folder / "playground.db") as again:
        assert again.count_votes() == 60


@pytest.mark.slow
def test_file_is_not_rebuilt_during_a_read(home: House) -> None:
    voted(home)
    assert home.store.scrub()
    with home.store.reading() as reading:
        assert reading.battle("battle-1") is not None
        home.battles.erase(ADA)
        assert not home.store.scrub()
        assert reading.erasure_to_scrub() is None
    assert home.store.scrub()
    with home.store.reading() as reading:
        assert reading.erasure_to_scrub() is None
    assert home.battles.create(battle("battle-2"))


def statements(home: House) -> list[str]:
    """Record the statements of the writer from now on."""
    executed: list[str] = []
    home.store.write(lambda writing: writing._connection.set_trace_callback(executed.append))
    return executed


def test_large_file_only_has_its_log_emptied(home: House, caplog: pytest.LogCaptureFixture) -> None:
    voted(home, instruction=replace(HERRING, input="swims " * 5000))
    home.battles.erase(ADA)
    executed = statements(home)
    assert [home.store.scrub(most_bytes=1000) for _ in range(3)] == [False] * 3
    assert "VACUUM" not in executed
    assert [line for line in executed if "wal_checkpoint" in line] == ["PRAGMA wal_checkpoint(TRUNCATE)"]
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert files_containing(path_of(home).parent, "swims swims") == []
    assert [record.message for record in caplog.records if "erase --leftovers" in record.message] != []
    assert home.store.scrub()
    assert "VACUUM" in executed
    assert home.store.scrub(most_bytes=1000)


@pytest.mark.slow
def test_file_is_rebuilt_once(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert not home.store.scrub(most_bytes=1000)
    executed = statements(home)
    with home.store.reading() as reading:
        assert reading.erasure_to_scrub() == 1
        assert not home.store.scrub()
        assert not home.store.scrub()
    assert home.store.scrub()
    assert executed.count("VACUUM") == 1


def test_rebuild_needs_free_space(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    voted(home)
    home.battles.erase(ADA)
    executed = statements(home)
    usage = SimpleNamespace(total=10**9, used=10**9 - 5000, free=5000)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(StorageError, match=r"needs \d+ free bytes beside it, there are 5000"):
            home.store.scrub()
    assert "VACUUM" not in executed
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert home.store.scrub()


def test_failed_rebuild_leaves_no_log(home: House) -> None:
    voted(home, owner=BEN, instruction=replace(HERRING, input="stays " * 50_000))
    voted(home, "battle-2")
    home.battles.erase(ADA)
    assert not home.store.scrub(most_bytes=1000)
    with file_size_limit(100_000), pytest.raises(StorageError, match="could not be rebuilt") as failed:
        home.store.scrub()
    assert "nothing was saved" not in str(failed.value)
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert home.store.count_votes() == 2
    assert home.store.scrub()


def test_votes_wait_for_a_rebuild(home: House) -> None:
    for number in range(20):
        voted(home, f"battle-{number}", choice="ab"[number % 2])
    with ThreadPoolExecutor(8) as pool:
        judged = [pool.submit(voted, home, f"more-{number}", owner=BEN) for number in range(20)]
        home.battles.erase(ADA)
        assert home.store.scrub()
        assert [vote.result() for vote in judged] == [None] * 20
    assert home.store.count_votes() == 40
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]
