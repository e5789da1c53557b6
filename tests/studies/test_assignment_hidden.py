"""Assignment where answers were hidden since the study was made: they are passed over, and nobody is to blame."""

from __future__ import annotations

import pytest

from playground.records import CheckState, StudyRater
from playground.studies import reservation
from tests.support.cast import House, house
from tests.support.studying import Studied, studied


@pytest.fixture
def home() -> House:
    return house()


def hide(home: House, battle: str) -> None:
    home.store.write(lambda writing: writing.decide(battle, home.time.now(), True))


def rater_of(home: House) -> StudyRater:
    with home.store.reading() as reading:
        return reading.study_raters("helpful")[0]


def pass_check(study: Studied) -> None:
    """Give the best answer to the next item of the check."""
    battle = str(study.next(1).battle_id)
    study.vote(1, battle, study.side_of(battle, first=True))


def test_hidden_answers_are_passed_over(home: House) -> None:
    study = studied(home, 2, 2)
    first = str(study.judge(1))
    home.store.write(lambda writing: writing.decide(first, home.time.now(), True))
    with home.store.reading() as reading:
        [battle] = [reading.battle(str(study.next(2).battle_id))]
    assert battle is not None
    assert not battle.withheld
    assert study.next(2, [battle.id]).battle_id is None


def test_rater_looks_again_past_many(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "MOST_UNUSABLE", 2)
    study = studied(home, 4, 2, raters_per_battle=2)
    for battle in [str(study.judge(1)) for _ in range(3)]:
        hide(home, battle)
    first, second = study.next(2), study.next(2)
    assert (first.battle_id, first.may_go_on) == (None, True)
    assert str(first.why_none).startswith("The battles that came next for you cannot be shown any more.")
    assert second.battle_id is not None


def test_item_of_the_check_is_left_out(home: House) -> None:
    study = studied(home, 3, 1, checks=2)
    hidden = str(study.next(1).battle_id)
    hide(home, hidden)
    home.battles.skip(hidden, "rater-1")
    pass_check(study)
    assert study.next(1).progress.of == 3
    assert (rater_of(home).check_state, rater_of(home).tries) == (CheckState.PASSED, 0)
    kinds = study.rows("SELECT study_kind, count(*) FROM battles GROUP BY 1 ORDER BY 1")
    assert kinds == [("check", 2), ("item", 1)]


def test_item_of_the_check_that_was_hidden_after_the_first_try_is_left_out(home: House) -> None:
    study = studied(home, 3, 1, checks=2)
    wrong = [str(study.judge(1, "tie")) for _ in range(2)]
    hide(home, wrong[0])
    pass_check(study)
    assert study.next(1).battle_id is not None
    assert (rater_of(home).check_state, rater_of(home).tries) == (CheckState.PASSED, 1)
    assert study.rows("SELECT count(*) FROM assignments WHERE dropped = 'unusable'") == [(1,)]


def test_check_of_which_nothing_is_left_keeps_nobody_out(home: House) -> None:
    study = studied(home, 3, 1, checks=1)
    hidden = str(study.next(1).battle_id)
    hide(home, hidden)
    home.battles.skip(hidden, "rater-1")
    assert study.next(1).battle_id is not None
    assert study.rows("SELECT count(*) FROM assignments") == [(2,)]
