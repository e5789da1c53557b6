"""Journal, restore, backup and verify keep questions and guesses."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from playground.records import Guess
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.backup import backup
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import MAMBA, House
from tests.support.judging import ADA, counts, keep_journal


def asked(home: House, *battle_ids: str) -> None:
    """Make votes with a question."""
    home.asks()
    for battle_id in battle_ids:
        home.time.pass_s(1)
        home.battle_is_open(battle_id, owner=ADA, draw_probability=1 / 3)
        home.battles.vote(battle_id, "a", ADA)


def guesses(store: Store) -> list[Guess]:
    with store.reading() as reading:
        return list(reading.guesses())


def named(store: Store) -> list[str | None]:
    return [guess.named for guess in guesses(store)]


def test_restore_brings_questions_and_guesses_back(home: House, folder: Path, new: Store) -> None:
    asked(home, "answered", "skipped", "waiting")
    home.battles.guess("answered", MAMBA, ADA)
    home.battles.reveal("skipped", ADA)
    keep_journal(home.store)
    for expected in ((3, 0), (0, 3)):
        assert counts(restore(new, folder)) == expected
        assert guesses(new) == guesses(home.store)
        assert named(new) == [MAMBA, None, None]
    keep_journal(new)
    assert verify(new, journal_folder(new.path or Path())) == []


def test_restore_adds_an_answer_that_came_after_the_backup(home: House, folder: Path, tmp_path: Path) -> None:
    asked(home, "late")
    keep_journal(home.store)
    shutil.rmtree(folder)  # the journal is written in full again, with the answer in each line
    copy = tmp_path / "copy.db"
    backup(tmp_path / "playground.db", copy)
    home.battles.guess("late", MAMBA, ADA)
    keep_journal(home.store)
    with Store(copy) as store:
        assert named(store) == [None]
        restore(store, folder)
        assert named(store) == [MAMBA]


def test_journal_line_of_a_vote_has_its_question_and_the_reveal_the_answer(
    home: House, folder: Path, new: Store
) -> None:
    asked(home, "battle")
    keep_journal(home.store)
    home.battles.guess("battle", MAMBA, ADA)
    keep_journal(home.store)
    restore(new, folder)
    assert named(new) == [MAMBA]


@pytest.mark.parametrize(("statement", "why"), [
    ("UPDATE guesses SET named = 'x' WHERE battle_id = 'answered'", "made once"),
    ("UPDATE guesses SET side = 'b' || side", "made once"),
    ("UPDATE guesses SET reveals = 9", "made once"),
    ("DELETE FROM guesses", "never deleted"),
    ("INSERT OR REPLACE INTO guesses SELECT battle_id, side, choices, reveals, NULL FROM guesses", "never deleted"),
    ("INSERT INTO guesses VALUES ('nowhere', 'a', '[1,2]', 0, NULL)", "FOREIGN KEY"),
    ("INSERT INTO guesses VALUES ('unasked', 'a', '[1]', 0, NULL)", "CHECK"),
])  # fmt: skip
def test_guesses_never_change(home: House, raw: sqlite3.Connection, statement: str, why: str) -> None:
    asked(home, "answered", "waiting")
    home.battles.guess("answered", MAMBA, ADA)
    home.battle_is_open("unasked")
    before = guesses(home.store)
    with pytest.raises(sqlite3.IntegrityError, match=why):
        raw.execute(statement)
    assert guesses(home.store) == before
