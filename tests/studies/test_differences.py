"""The adjudication list: battles on which raters differ, and the operator's own judgement."""

from __future__ import annotations

import pytest

from playground.errors import InvalidValue, StorageError, Unknown
from playground.records import StoredStudy
from playground.studies.differences import Difference, adjudicate, differences
from playground.studies.status import status_of
from tests.support.cast import MAMBA, OPENALPACA, House, house
from tests.support.studying import FINAL_S, Studied, studied


@pytest.fixture
def study() -> Studied:
    """Two raters who differ on the second and third of three battles."""
    study = studied(house(), 3, 2, raters_per_battle=2)
    for link in (1, 2):
        for _ in range(3):
            battle = str(study.next(link).battle_id)
            [(item,)] = study.rows("SELECT item FROM assignments WHERE battle = ?", battle)
            study.home.time.pass_s(4)
            study.home.battles.vote(
                battle, study.side_of(battle, first=link == 1 or item == 1), f"rater-{link}", reasons=["clear"]
            )
            study.home.time.pass_s(FINAL_S)
    return study


def stored(home: House) -> StoredStudy:
    with home.store.reading() as reading:
        found = reading.study("helpful")
    assert found is not None
    return found


def listed(home: House, *, unresolved: bool = False) -> list[Difference]:
    with home.store.reading() as reading:
        return list(differences(reading, stored(home), unresolved=unresolved))


def judge(home: House, item: int, outcome: str) -> None:
    at = home.time.now()
    home.store.write(lambda writing: adjudicate(writing, stored(home), item, outcome, at))


def test_list_has_answers_votes_and_reasons(study: Studied) -> None:
    first, second = listed(study.home)
    assert (first.item, second.item) == (2, 3)
    assert (first.a.model, first.b.model) == (OPENALPACA, MAMBA)
    assert first.a.text == "Grey waves. q1"
    assert [(one.rater, one.outcome, one.decision_s, one.reasons) for one in first.judgements] == [
        (1, "a", 4.0, ("clear",)),
        (2, "b", 4.0, ("clear",)),
    ]


def test_judgement_is_no_vote_and_resolves_the_battle(study: Studied) -> None:
    votes = study.rows("SELECT count(*) FROM votes")
    judge(study.home, 2, "a")
    judge(study.home, 2, "tie")
    assert [one.item for one in listed(study.home, unresolved=True)] == [3]
    [found] = [one.own for one in listed(study.home) if one.own is not None]
    assert found.outcome == "tie"
    assert study.rows("SELECT count(*) FROM votes") == votes
    with study.home.store.reading() as reading:
        status = status_of(reading, stored(study.home), study.home.time.now())
    assert (status.differing, status.unresolved, status.votes) == (2, 1, 6)


def test_only_battles_of_the_list_are_judged(study: Studied) -> None:
    with pytest.raises(Unknown, match="do not differ on a battle 1"):
        judge(study.home, 1, "a")
    with pytest.raises(InvalidValue, match="valid: a, b, tie, both_bad"):
        judge(study.home, 2, "c")
    assert study.rows("SELECT * FROM adjudications") == []


def test_judgements_stay(study: Studied) -> None:
    judge(study.home, 2, "a")
    with pytest.raises(StorageError, match="never deleted"):
        study.home.store.write(lambda writing: writing.change("DELETE FROM adjudications", [{}]))
