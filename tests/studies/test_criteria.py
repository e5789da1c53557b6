"""Answers to the criteria of a study: stored with the vote, journaled, exported, counted, erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playground.errors import InvalidValue, StorageError
from playground.exchange.exports import export
from playground.records import Criterion, CriterionAnswer
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder, segments
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from playground.studies.criteria import CriterionStatus, criteria_of
from playground.studies.status import status_of
from tests.support.cast import MAMBA, OPENALPACA, House, house
from tests.support.judging import keep_journal
from tests.support.storing import tamper
from tests.support.studying import FINAL_S, Studied, studied

FACTS = Criterion("facts", "Whose facts are right?", ("a", "b", "tie"))
HARM = Criterion("harm", "Is either harmful?", ("yes", "no"), required=False, reason="required")
RIGHT = CriterionAnswer("facts", "a")
HARMFUL = CriterionAnswer("harm", "yes", "It names a person.")


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def asked(home: House, **keys: Any) -> Studied:
    """A study with two criteria and three battles."""
    return studied(home, 3, 1, criterion=(FACTS, HARM), **keys)


def judge(study: Studied, *answers: CriterionAnswer, first: bool = True) -> str:
    """Vote with answers, `a` of the criteria on the side of the item's first answer; return the battle."""
    battle = str(study.next(1).battle_id)
    sides = {"a": study.side_of(battle, first), "b": study.side_of(battle, not first)}
    given = [CriterionAnswer(one.criterion, sides.get(one.choice, one.choice), one.reason) for one in answers]
    study.home.battles.vote(battle, study.side_of(battle, first=True), "rater-1", criteria=given)
    return battle


def stored(study: Studied) -> list[tuple[Any, ...]]:
    return study.rows(
        "SELECT v.battle_id, v.revision, c.criterion, c.choice, c.reason FROM vote_criteria c"
        " JOIN votes v ON v.id = c.vote_id ORDER BY v.rowid, c.criterion"
    )


def counted(study: Studied) -> tuple[CriterionStatus, ...]:
    with study.home.store.reading() as reading:
        return criteria_of(reading, study.file.id)


def test_answers_are_stored_once_with_the_vote(home: House) -> None:
    study = asked(home)
    battle = judge(study, RIGHT, HARMFUL)
    side = study.side_of(battle, first=True)
    assert stored(study) == [(battle, 1, "facts", side, ""), (battle, 1, "harm", "yes", "It names a person.")]
    again = (CriterionAnswer("facts", "tie"),)
    view = home.battles.vote(battle, "both_bad", "rater-1", revision=0, criteria=again)
    assert view.choice == side
    assert view.criteria == (CriterionAnswer("facts", side), HARMFUL)
    assert len(stored(study)) == 2


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((), "Answer this first: Whose facts are right?"),
        ((HARMFUL,), "Answer this first: Whose facts are right?"),
        ((RIGHT, CriterionAnswer("harm", "yes")), "Give a reason: Is either harmful?"),
        ((CriterionAnswer("facts", "both_bad"),), "the answer to facts is 'both_bad'; valid: a, b, tie"),
        ((CriterionAnswer("facts", "a", "They are."),), "facts asks for no reason; leave it out"),
        ((RIGHT, CriterionAnswer("style", "a")), "'style' is not a criterion here; valid: facts, harm"),
        ((RIGHT, CriterionAnswer("harm", "no", "x" * 501)), "the reason has 501 characters; valid: up to 500"),
    ],
)
def test_wrong_answers_are_refused_and_nothing_is_stored(
    home: House, answers: tuple[CriterionAnswer, ...], said: str
) -> None:
    study = asked(home)
    with pytest.raises(InvalidValue) as raised:
        judge(study, *answers)
    assert str(raised.value) == said
    assert study.rows("SELECT count(*) FROM votes") == [(0,)]


def test_battle_of_no_study_has_no_criteria(home: House) -> None:
    home.battle_is_open()
    with pytest.raises(InvalidValue, match="'facts' is not a criterion here"):
        home.battles.vote("battle-1", "a", "rater-ada", criteria=(RIGHT,))


def test_repeats_and_checks_ask_the_same_and_are_not_counted(home: House) -> None:
    study = asked(home, checks=1)
    judge(study, RIGHT)
    assert counted(study)[0].votes == 0
    home.time.pass_s(FINAL_S)
    judge(study, RIGHT)
    assert counted(study)[0].votes == 1


def test_counts_name_models_for_sides(home: House) -> None:
    study = asked(home)
    judge(study, RIGHT, HARMFUL)
    judge(study, RIGHT, first=False)
    judge(study, CriterionAnswer("facts", "tie"), CriterionAnswer("harm", "no", "Calm."))
    expected = (
        CriterionStatus("facts", FACTS.question, {MAMBA: 1, OPENALPACA: 1, "tie": 1}),
        CriterionStatus("harm", HARM.question, {"no": 1, "yes": 1}),
    )
    assert counted(study) == expected
    with home.store.reading() as reading:
        kept = reading.study(study.file.id)
        assert kept is not None
        assert status_of(reading, kept, home.time.now()).criteria == expected


def test_undone_answers_count_no_more(home: House) -> None:
    study = asked(home)
    battle = judge(study, RIGHT, HARMFUL)
    home.battles.undo(battle, "rater-1")
    assert [one.votes for one in counted(study)] == [0, 0]
    assert home.battles.view(battle, "rater-1").criteria == ()
    home.battles.vote(battle, "a", "rater-1", criteria=(CriterionAnswer("facts", "tie"),))
    assert [one.answers for one in counted(study)] == [{"tie": 1}, {}]
    assert [row[1:3] for row in stored(study)] == [(1, "facts"), (1, "harm"), (3, "facts")]


def test_erasure_removes_reasons_and_leaves_choices(home: House) -> None:
    study = asked(home)
    judge(study, RIGHT, HARMFUL)
    home.time.pass_s(FINAL_S)
    folder = keep_journal(home.store)
    assert b"It names a person." in written(folder)
    assert home.battles.belongings("rater-1").notes == 1
    assert home.battles.erase("rater-1").notes == 1
    assert [row[2:] for row in stored(study)] == [("facts", stored(study)[0][3], ""), ("harm", "yes", "")]
    assert home.battles.belongings("rater-1").notes == 0
    keep_journal(home.store)
    assert b"It names a person." not in written(folder)
    assert verify(home.store, folder) == []


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in segments(folder))


def test_answers_travel_into_the_journal_and_back(home: House, tmp_path: Path) -> None:
    study = asked(home)
    battle = judge(study, RIGHT, HARMFUL)
    home.battles.undo(battle, "rater-1")
    judge(study, CriterionAnswer("facts", "b"))
    home.time.pass_s(FINAL_S)
    folder = keep_journal(home.store)
    with Store(tmp_path / "new" / "new.db") as new:
        for _ in range(2):
            restore(new, folder)
            assert rows_of(new) == rows_of(home.store)
        keep_journal(new)
        assert verify(new, journal_folder(new.path or Path())) == []
        with new.reading() as reading:
            [facts] = criteria_of(reading, study.file.id)
        assert (facts.question, facts.votes) == ("facts", 1), "the study itself is not in the journal"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vote_criteria SET choice = 'tie' WHERE criterion = 'facts'",
        "DELETE FROM vote_criteria WHERE criterion = 'harm'",
        "UPDATE vote_criteria SET reason = ''",
    ],
)
def test_verify_compares_the_answers_with_the_journal(home: House, tmp_path: Path, statement: str) -> None:
    judge(asked(home), RIGHT, HARMFUL)
    home.time.pass_s(FINAL_S)
    folder = keep_journal(home.store)
    assert verify(home.store, folder) == []
    tamper(tmp_path / "playground.db", statement)
    [finding] = verify(home.store, folder)
    assert finding.what.startswith("votes that differ between journal and database: 1 (")


def rows_of(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as reading:
        found = [tuple(row) for row in reading.select("SELECT * FROM vote_criteria ORDER BY vote_id, criterion")]
    assert found
    return found


def test_restore_erases_reasons_that_an_older_database_has(home: House, tmp_path: Path) -> None:
    study = asked(home)
    judge(study, RIGHT, HARMFUL)
    home.time.pass_s(FINAL_S)
    keep_journal(home.store)
    with home.store.reading() as reading:
        reading.copy_to(tmp_path / "older.db")
    home.battles.erase("rater-1")
    folder = keep_journal(home.store)
    with Store(tmp_path / "older.db") as older:
        assert any(row[3] for row in rows_of(older))
        restore(older, folder)
        assert [row[3] for row in rows_of(older)] == ["", ""]


def test_export_has_the_answers_of_each_vote(home: House, tmp_path: Path) -> None:
    study = asked(home)
    battle = judge(study, RIGHT, HARMFUL)
    home.battle_is_open("of no study")
    home.battles.vote("of no study", "a", "rater-ada")
    home.time.pass_s(FINAL_S)
    path = tmp_path / "votes.jsonl"
    export(home.store, "votes", path)
    found = {row["battle_id"]: row["criteria"] for row in map(json.loads, path.read_text().splitlines())}
    assert found == {
        battle: [
            {"criterion": "facts", "choice": study.side_of(battle, first=True), "reason": ""},
            {"criterion": "harm", "choice": "yes", "reason": "It names a person."},
        ],
        "of no study": [],
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vote_criteria SET choice = 'b' || choice",
        "UPDATE vote_criteria SET reason = 'another'",
        "DELETE FROM vote_criteria",
        "INSERT OR REPLACE INTO vote_criteria SELECT vote_id, criterion, 'no', '', rater_id FROM vote_criteria",
    ],
)
def test_answers_never_change(home: House, tmp_path: Path, statement: str) -> None:
    study = asked(home)
    judge(study, RIGHT, HARMFUL)
    before = stored(study)
    with pytest.raises(StorageError, match="append-only"):
        home.store.write(lambda writing: writing.change(statement, [{}]))
    assert stored(study) == before
