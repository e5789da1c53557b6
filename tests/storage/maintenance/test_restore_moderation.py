"""Journal, restore and verify keep the operator's decisions."""

from __future__ import annotations

import json
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from playground.battles import Moderation
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import seal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.replay import Histories, replay
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import House
from tests.support.judging import ADA, BEN, SECRET, judge, keep_journal, time_passes
from tests.support.storing import content_of


def decide(home: House, *decisions: str) -> None:
    """Make decisions such as ``hide plain``, each a second after the other."""
    moderation = Moderation(home.battles)
    for decision in decisions:
        home.time.pass_s(1)
        what, battle_id = decision.split()
        getattr(moderation, what)(battle_id)


def decided(store: Store) -> dict[str, tuple[str | None, str | None]]:
    """Return the decisions by battle: since when it is hidden, and when the latest was made."""
    with store.reading() as reading:
        found = reading.select("SELECT id, hidden_at, reviewed_at FROM battles WHERE reviewed_at IS NOT NULL")
        return {row["id"]: (row["hidden_at"], row["reviewed_at"]) for row in found}


def moderated(home: House) -> None:
    """Make votes, an open battle, a report, and decisions of each kind."""
    for name in ("plain", "back", "reported", "untouched"):
        judge(home, name, rater=BEN, text=SECRET if name == "plain" else f"Write about {name}.")
    home.battle_is_open("open", owner=ADA)
    home.battles.note("reported", BEN, report_side="a", report="rude")
    decide(home, "hide plain", "hide back", "show back", "dismiss reported", "hide open")
    time_passes(home)


def test_restore_brings_every_decision_back(home: House, folder: Path, new: Store) -> None:
    moderated(home)
    keep_journal(home.store)
    assert restore(new, folder).refused == 0
    assert decided(new) == decided(home.store)
    assert {name for name, (hidden_at, _) in decided(new).items() if hidden_at} == {"plain", "open"}
    assert verify(home.store, folder) == []
    assert verify(new, folder) == []
    Journal(new, journal_folder(new.path or Path())).close()
    assert verify(new, journal_folder(new.path or Path())) == []
    before = decided(new)
    restore(new, folder)
    assert decided(new) == before


def test_lines_replayed_in_any_order_give_the_latest_decision(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "plain")
    for decision in ("hide plain", "show plain", "hide plain"):
        keep_journal(home.store)
        decide(home, decision)
    keep_journal(home.store)
    records = [line.record for line in segments.events(folder)]
    assert [record["event"] for record in records] == ["vote", "moderation", "moderation", "moderation"]
    for number, order in enumerate(permutations(records[1:])):
        with Store(tmp_path / f"{number}.db") as store:
            for record in (records[0], *order):
                assert replay(store, [record], Histories()) == 0
            assert decided(store) == decided(home.store)


def test_database_that_lacks_a_decision_gets_it(home: House, folder: Path, tmp_path: Path) -> None:
    moderated(home)
    keep_journal(home.store)
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
        decide(House(store, home.time), "show plain", "hide untouched")
        keep_journal(store)
        latest = decided(store)
    with Store(tmp_path / "copy.db") as copy:
        assert decided(copy) != latest
        restore(copy, folder)
        assert decided(copy) == latest
        assert verify(copy, folder) == []


def test_verify_names_a_decision_that_the_database_lost(home: House, folder: Path) -> None:
    moderated(home)
    keep_journal(home.store)
    home.store.write(lambda writing: writing.change("UPDATE battles SET reviewed_at = :none", [{"none": None}]))
    [finding] = verify(home.store, folder)
    assert finding.what.startswith("the operator's decisions that are not in the database: 5 (")


@pytest.mark.parametrize(("here", "there", "is_hidden"), [("show", "hide", False), ("hide", "show", True)])
def test_later_decision_of_two_histories_holds(
    home: House, folder: Path, tmp_path: Path, here: str, there: str, is_hidden: bool
) -> None:
    judge(home, "plain")
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "copy.db")
    with Store(tmp_path / "playground.db") as store:
        late = House(store, home.time)
        late.battles.note("plain", ADA, comment="from there")
        decide(late, f"{there} plain")
        keep_journal(store)
    with Store(tmp_path / "copy.db") as copy:
        decide(House(copy, home.time), f"{here} plain")
        for _ in range(2):
            restore(copy, folder)
            assert (decided(copy)["plain"][0] is not None) is is_hidden
            with copy.reading() as reading:
                assert reading.select("SELECT text FROM vote_notes")[0]["text"] == "from there"
        keep_journal(copy)
        assert verify(copy, journal_folder(tmp_path / "copy.db")) == []


def test_erasure_of_a_hidden_battle_leaves_no_word_in_the_journal(home: House, folder: Path, new: Store) -> None:
    home.battle_is_open("never-judged", owner=BEN, instruction=home.battle_is_open("x").instruction)
    judge(home, "plain", rater=BEN, text=SECRET)
    home.battles.note("plain", BEN, comment=SECRET)
    decide(home, "hide plain", "hide never-judged")
    keep_journal(home.store)
    assert b"Theodora" in content_of(folder)
    time_passes(home)
    home.battles.erase(BEN)
    keep_journal(home.store)
    assert b"Theodora" not in content_of(folder)
    assert verify(home.store, folder) == []
    restore(new, folder)
    assert decided(new) == decided(home.store)


def test_lines_of_the_third_schema_know_no_decision(home: House, folder: Path, new: Store) -> None:
    judge(home, "plain")
    keep_journal(home.store)
    for segment in segments.segments(folder):
        segment.write_bytes(b"".join(of_third_schema(line) for line in segment.read_bytes().splitlines()))
    assert verify(home.store, folder) == []
    restore(new, folder)
    assert decided(new) == {}
    assert verify(new, folder) == []


def of_third_schema(line: bytes) -> bytes:
    """Return a line as the third schema wrote it."""
    record = json.loads(line)
    rows = record.get("rows", {})
    for table, added in (("votes", ("strength", "imported")), ("battles", ("reviewed_at", "hidden_at"))):
        for row in rows.get(table, ()):
            for name in added:
                del row[name]
    return seal({name: value for name, value in record.items() if name != "crc"})
