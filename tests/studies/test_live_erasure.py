"""Erasure of a rater who wrote instructions of a live study: their words go, their votes stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.battles import Battles, RaterData, Viewer
from playground.exchange import ExportOptions, export
from playground.exchange.imports import import_file
from playground.records import Instruction
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import House, house
from tests.support.living import Living, living
from tests.support.memory import memory_store
from tests.support.paneling import RATER, paneled
from tests.support.studying import studied

WORDS = "SELECT instruction FROM instructions WHERE instruction <> ''"
ANSWERS = "SELECT text FROM generations WHERE text <> ''"


@pytest.fixture
def home() -> House:
    return house()


def erase(study: Living, rater: str = "rater-1") -> int:
    return RaterData(study.home.battles).erase(rater).battles


def test_judged_words_are_erased_and_votes_stay(home: House) -> None:
    study = living(home, 2)
    study.judge(1, "My own words.")
    study.judge(2, "Words of another.")
    data = RaterData(home.battles)
    assert (data.totals("rater-1").battles, data.totals("rater-1").votes) == (1, 1)
    assert erase(study) == 1
    assert study.study.rows(WORDS) == [("Words of another.",)]
    assert len(study.study.rows(ANSWERS)) == 2
    assert (data.totals("rater-1").battles, data.totals("rater-1").votes) == (0, 1)
    assert study.study.votes_by_item() == {1: 1, 2: 1}
    assert erase(study) == 0


@pytest.mark.parametrize("step", ["being answered", "answered", "alike", "open"])
def test_words_that_no_vote_is_on_are_erased(home: House, step: str) -> None:
    study = living(home, 1)
    live = study.write(1, "My own words.")
    if step != "being answered":
        study.answer(live, ("Same.", "Same.") if step == "alike" else ("One.", "Two."))
    if step == "open":
        assert study.study.next(1).battle_id is not None
    assert RaterData(home.battles).totals("rater-1").battles == 1
    assert erase(study) == 1
    assert (study.study.rows(WORDS), study.study.rows(ANSWERS)) == ([], [])
    with home.store.reading() as reading:
        assert reading.live_items_being_answered() == []
    assert RaterData(home.battles).totals("rater-1").battles == 0
    assert study.study.next(1).battle_id is None  # what has no words any more is passed over
    assert study.judge(1, "Other words.")


def test_words_typed_in_one_browser_and_judged_in_another(home: House) -> None:
    study = living(home, 1)
    study.answer(study.write(1, "My own words."))
    battle = str(study.study.next(1, browser="phone").battle_id)
    home.battles.vote(battle, "a", "phone")
    assert erase(study) == 0  # they stay with the battle in the other browser
    assert len(study.study.rows(WORDS)) == 1
    assert erase(study, "phone") == 1
    assert (study.study.rows(WORDS), study.study.rows(ANSWERS)) == ([], [])


@pytest.mark.parametrize("step", ["being answered", "alike", "judged"])
def test_file_of_a_rater_has_the_instructions_that_they_wrote(home: House, step: str) -> None:
    study, at = living(home, 2), home.time.now()
    data = RaterData(Battles(home.store, home.battles.rules))
    study.write(2, "Words of another.")
    if step == "judged":
        study.judge(1, "My own words.")
    else:
        live = study.write(1, "My own words.")
        if step == "alike":
            study.answer(live, ("Same.", "Same."))
    [written] = data.document("rater-1")["study_instructions"]
    asked = {"instruction": "My own words.", "input": "", "system": ""}
    assert written == {"study": "helpful", "created_at": at, **asked}
    assert len(data.document("rater-1")["battles"]) == (step == "judged")
    data.erase("rater-1")
    assert "study_instructions" not in data.document("rater-1")


@pytest.mark.parametrize("step", ["being answered", "alike", "answered", "open", "skipped", "judged"])
def test_panel_id_leads_to_the_words_that_were_written(home: House, step: str) -> None:
    panel = paneled(home, 0, live=True)
    token, study = panel.enter(), Living(panel.study)
    panel.next(token, browser="looker")  # who only opens the link may be somebody else
    live = panel.study.reservations.write("helpful", token, Viewer("rater-1"), Instruction("My own words."))
    if step != "being answered":
        study.answer(live, ("Same.", "Same.") if step == "alike" else ("One.", "Two."))
    if step == "open":
        assert panel.next(token).view is not None
    if step == "skipped":
        panel.skip(token)
    if step == "judged":
        panel.judge(token, votes=1)
    data = RaterData(home.battles)
    raters = data.of_panel_id(RATER)
    assert raters == ["rater-1"]
    for rater in raters:
        data.erase(rater)
    assert (study.study.rows(WORDS), study.study.rows(ANSWERS)) == ([], [])


@pytest.mark.parametrize("format", ["votes", "pairs"])
def test_imported_words_are_erased(home: House, tmp_path: Path, format: str) -> None:
    study = living(home, 1)
    study.judge(1, "My own words.")
    studied(home, 1, 1, id="other").judge(1)
    path = tmp_path / "votes.jsonl"
    export(home.store, format, path, ExportOptions())
    with memory_store() as store:
        assert import_file(store, format, path).imported == 2
        assert RaterData(House(store, home.time).battles).erase("imported/rater-1").battles == 1
        with store.reading() as reading:
            left = {row[0] for row in reading.select(WORDS)}
    assert len(left) == 1  # those of the operator
    assert "My own words." not in left


def test_restored_votes_name_the_study_and_their_words_are_erased(tmp_path: Path) -> None:
    study = living(house(tmp_path), 1)
    study.judge(1, "My own words.")
    folder = journal_folder(tmp_path / "playground.db")
    Journal(study.home.store, folder).close()
    with Store(tmp_path / "again.db") as store:
        assert restore(store, folder).votes_added == 1
        assert verify(store, folder) == []
        again = House(store, study.home.time)
        with store.reading() as reading:
            [row] = reading.select("SELECT study, study_kind, own_words FROM battles")
            assert tuple(row) == ("helpful", "item", 1)
        assert RaterData(again.battles).erase("rater-1").battles == 1
        with store.reading() as reading:
            assert not reading.select(WORDS)
    study.home.store.close()
