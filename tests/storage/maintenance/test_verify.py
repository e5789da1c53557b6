"""Verify finds faults of database and journal, and nothing else."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.appender import Appender
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import Line, seal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance import verify as verify_module
from playground.storage.maintenance.verify import verify
from tests.support.cast import House, house
from tests.support.judging import ADA, BEN, afternoon, judge, keep_journal, time_passes
from tests.support.paths import ROOT
from tests.support.storing import tamper


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    afternoon(made)
    keep_journal(made.store)
    yield made
    made.store.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "playground.db"


@pytest.fixture
def folder(db: Path) -> Path:
    return journal_folder(db)


def findings(home: House, folder: Path) -> list[str]:
    return [finding.what for finding in verify(home.store, folder)]


def rewritten(folder: Path, change: Callable[[dict], None]) -> None:
    """Change records of the journal, with matching checksums."""

    def changed(line: Line) -> bytes:
        record = line.record
        del record["crc"]
        change(record)
        return seal(record)

    for segment in segments.segments(folder):
        segments.rewrite(segment, changed)


def test_intact_database_has_no_findings(home: House, folder: Path) -> None:
    assert findings(home, folder) == []
    home.battles.erase(BEN)
    keep_journal(home.store)
    assert findings(home, folder) == []


def test_empty_database_has_no_findings(tmp_path: Path) -> None:
    with Store(tmp_path / "new.db") as store:
        assert verify(store, tmp_path / "new.db.journal") == []


GONE = "DELETE FROM vote_notes", "DELETE FROM vote_flags"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE votes SET choice = 'a' WHERE battle_id = 'plain'"],
         ["votes that differ between journal and database: 1 ("]),
        (["UPDATE generations SET text = 'x' WHERE id = 'plain-a'"],
         ["votes that differ between journal and database: 1 ("]),
        (["UPDATE battle_sides SET model_id = 'pocket-galpaca' WHERE battle_id = 'api' AND side = 'a'"],
         ["votes that differ between journal and database: 1 ("]),
        (["PRAGMA foreign_keys = OFF", *GONE, "DELETE FROM votes WHERE battle_id = 'early'",
          "DELETE FROM journal_events WHERE battle_id = 'early'"],
         ["state and votes contradict each other: 1 (early is revealed)", "journal that are not in the database: 1 ("]),
        (["UPDATE battles SET state = 'open', final_at = NULL WHERE id = 'plain'"],
         ["battles whose state and votes contradict each other: 1 (plain is open)"]),
        (["UPDATE battles SET state = 'revealed', final_at = 'now' WHERE id = 'never-judged'"],
         ["contradict each other: 1 (never-judged is revealed)"]),
        (["DELETE FROM battle_sides WHERE battle_id = 'never-judged'"],
         ["battles without sides: 1 (never-judged)", "answers that no battle shows: 2 (never-judged-"]),
        (["UPDATE models SET card = json_set(card, '$.colour', 'red') WHERE id = 'pocket-openalpaca'"],
         ["the card of pocket-openalpaca in the database: unknown"]),
        (["INSERT INTO instructions SELECT printf('%064d', 1), 'unused', '', '', ''"],
         ["instructions that nothing uses: 1 (0000"]),
        (["PRAGMA foreign_keys = OFF", "UPDATE battles SET owner = 'nobody' WHERE id = 'never-judged'"],
         ["rows that refer to missing rows: 1 (battles "]),
        (["DROP INDEX votes_by_rater"],
         ["parts of the schema that are not this version's: 1 (index votes_by_rater is missing)"]),
        (["DROP VIEW pairs", "CREATE VIEW pairs AS SELECT 1"],
         ["parts of the schema that are not this version's: 1 (view pairs differs)"]),
    ],
)  # fmt: skip
def test_database_faults_are_found(
    home: House, db: Path, folder: Path, statements: list[str], found: list[str]
) -> None:
    tamper(db, *statements)
    text = "\n".join(findings(home, folder))
    for words in found:
        assert words in text
    assert all(finding.next_step for finding in verify(home.store, folder))


def test_missing_trigger_is_found(home: House, db: Path, folder: Path) -> None:
    raw = sqlite3.connect(db)
    raw.execute("DROP TRIGGER votes_stay")
    raw.close()
    assert findings(home, folder) == [
        "parts of the schema that are not this version's: 1 (trigger votes_stay is missing)"
    ]


@pytest.mark.slow
def test_damaged_page_is_found(home: House, db: Path, folder: Path) -> None:
    for number in range(40):
        judge(home, f"battle-{number}", text=f"Say {number}.")
    home.store.close()
    content = bytearray(db.read_bytes())
    page = content.rindex(b"Grey waves") // 4096
    content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    db.write_bytes(content)
    with Store(db, read_only=True) as store:
        found = verify(store, folder)
    assert any("damaged" in finding.what for finding in found)
    assert any("backup" in finding.next_step for finding in found)


def test_differing_journal_is_found(home: House, folder: Path) -> None:
    def change(record: dict) -> None:
        if record["event"] == "vote":
            record["rows"]["votes"][-1]["decision_s"] = 1e9

    rewritten(folder, change)
    assert "votes that differ between journal and database: 6 (" in findings(home, folder)[0]


def test_damaged_lines_are_found(home: House, folder: Path) -> None:
    judge(home, "the-last")
    keep_journal(home.store)
    first, last = segments.in_order(folder)
    last.write_bytes(last.read_bytes()[:-50])
    assert findings(home, folder) == [f"votes that are not in the journal yet: 1 ({vote_of(home, 'the-last')})"]
    keep_journal(home.store)
    assert findings(home, folder) == []
    content = first.read_bytes()
    first.write_bytes(content.replace(b"both_bad", b"both_wad", 1))
    damaged, missing = findings(home, folder)
    assert damaged == f"damaged lines in the journal: 1 ({first.parent.name}/{first.name} line 3)"
    assert missing == f"votes that are missing in the journal: 1 ({vote_of(home, 'plain')})"


def vote_of(home: House, battle_id: str) -> str:
    return next(pair.vote_id for pair in home.store.judged_pairs() if pair.battle_id == battle_id)


def test_lost_segment_is_found(home: House, folder: Path) -> None:
    judge(home, "the-last")
    keep_journal(home.store)
    first, last = segments.in_order(folder)
    shutil.copytree(last.parent, folder / "again")
    assert findings(home, folder) == []
    first.unlink()
    [finding] = verify(home.store, folder)
    assert finding.what.startswith("votes that are missing in the journal: 9 (")
    assert "move the journal folder away" in finding.next_step
    shutil.move(folder, folder.with_name("away"))
    keep_journal(home.store)
    assert findings(home, folder) == []


def test_older_database_is_found(home: House, db: Path, folder: Path) -> None:
    home.store.close()
    shutil.copy(db, db.with_name("copy.db"))
    with Store(db) as store:
        judge(House(store), "lost")
        keep_journal(store)
    shutil.copy(db.with_name("copy.db"), db)
    with Store(db, read_only=True) as store:
        [finding] = verify(store, folder)
    assert "the database ends with event" in finding.what
    assert "restore --db" in finding.next_step


def test_journal_of_another_database_is_found(home: House, folder: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "other.db") as other:
        judge(House(other), "battle-1")
        assert [finding.what for finding in verify(other, folder)] == [
            f"{folder} holds the journal of another database"
        ]


def test_erased_text_in_the_journal_is_found(home: House, folder: Path) -> None:
    [segment] = segments.segments(folder)
    before = segment.read_bytes()
    time_passes(home)
    home.battles.erase(BEN)
    home.battles.note("changed", ADA, comment="why not")
    keep_journal(home.store)
    assert findings(home, folder) == []
    (segment.parent / "00000009.jsonl").write_bytes(before)
    [finding] = verify(home.store, folder)
    assert "lines of the journal that hold erased words" in finding.what


def test_pending_redaction_is_no_finding(home: House, folder: Path) -> None:
    home.battles.erase(BEN)
    assert findings(home, folder) == []


VOTER = """
import sys
from pathlib import Path
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import house
from tests.support.judging import BEN, judge
from datetime import UTC, datetime
home = house(Path(sys.argv[1]))
Journal(home.store, journal_folder(home.store.path))
for number in range(100_000):
    home.time.at = datetime.now(UTC)
    judge(home, f"busy-{number}", rater=f"{number % 20}")
    if number % 50 == 49:
        home.battles.reveal(f"busy-{number}", f"{number % 20}")
        home.battles.erase("3")
    print(number, flush=True)
"""


@pytest.mark.slow
def test_running_playground_has_no_findings(home: House, db: Path, folder: Path) -> None:
    home.store.close()
    voter = subprocess.Popen([sys.executable, "-c", VOTER, str(db.parent)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert voter.stdout is not None
    try:
        for _ in range(5):
            for _ in range(40):
                assert voter.stdout.readline()
            with Store(db, read_only=True) as store:
                assert verify(store, folder) == []
    finally:
        voter.kill()
        voter.wait()
        voter.stdout.close()


def test_late_votes_are_found(home: House, db: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rename(folder.with_name("away"))
    folder.write_text("")
    with pytest.raises(NotADirectoryError):
        Appender(folder, "id", 2).append([b"line"])
    journal = Journal(home.store, folder)
    journal.close()
    assert journal.state().lag > 0
    [finding] = verify(home.store, folder)
    assert finding.what.startswith("votes that are not in the journal yet: 9 (")
    monkeypatch.setattr(verify_module, "LAG_S", 1e8)
    assert verify(home.store, folder) == []
