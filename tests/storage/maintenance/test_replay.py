"""Replay into a database that went on without its journal."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import House, ToldTime
from tests.support.judging import ADA, counts, judge, keep_journal


def test_restore_merges_a_diverged_journal(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "before")
    home.battle_is_open("both", owner=ADA)
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
        judge(House(store), "here")
        House(store).battles.vote("both", "a", ADA)
        keep_journal(store)
    with Store(tmp_path / "copy.db") as copy:
        late = House(copy)
        for number in range(4):
            judge(late, f"there-{number}")
        late.battles.vote("both", "b", ADA)
        for expected in ((1, 1), (0, 2)):
            restored = restore(copy, folder)
            assert counts(restored) == expected
            assert restored.refused == 1  # the database keeps its own first vote of the battle
        assert {pair.battle_id for pair in copy.judged_pairs()} == {
            "before",
            "here",
            "both",
            *(f"there-{number}" for number in range(4)),
        }
        keep_journal(copy)
        assert verify(copy, journal_folder(tmp_path / "copy.db")) == []


Acts = str
"""The acts of a rater, in order: votes a, b or tie; undo; reveal."""


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


def diverged_copy(home: House, db: Path, before: Acts, here: Acts, there: Acts) -> Path:
    """Copy a database, let both go on, and return the copy."""
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
def test_diverged_battle_keeps_the_databases_votes(
    home: House, folder: Path, tmp_path: Path, before: Acts, here: Acts, there: Acts, kept: str, refused: int
) -> None:
    copy = diverged_copy(home, tmp_path / "playground.db", before, here, there)
    with Store(copy) as store:
        for _ in range(2):
            assert restore(store, folder).refused == refused
            assert choices(store) == kept.split()
            assert [
                finding for finding in verify(store, folder.with_name("none")) if "contradict" in finding.what
            ] == []


def test_votes_reach_a_battle_with_only_a_report(home: House, folder: Path, tmp_path: Path) -> None:
    copy = diverged_copy(home, tmp_path / "playground.db", "", "", "a reveal")
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


def test_diverged_notes_are_merged(home: House, folder: Path, tmp_path: Path) -> None:
    copy = diverged_copy(home, tmp_path / "playground.db", "a", "", "reveal")
    with Store(tmp_path / "playground.db") as store:
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
