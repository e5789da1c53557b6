"""Each rater's judging over time and beside others, as the operator reads it."""

from __future__ import annotations

from playground.cli.study_status import drift_words
from playground.studies.status import RaterReport, StudyStatus, status_of
from tests.support.cast import House, house
from tests.support.studying import FINAL_S, Studied, studied


def status(home: House) -> StudyStatus:
    with home.store.reading() as reading:
        study = reading.study("helpful")
        assert study is not None
        return status_of(reading, study, home.time.now())


def judge(study: Studied, link: int, choices: str, seconds: float, browser: str = "") -> None:
    """Vote as long as there are choices: f and s are the item's answers, a and b the sides, t is a tie."""
    rater = browser or f"rater-{link}"
    for choice in choices:
        battle = str(study.next(link, browser=browser).battle_id)
        study.home.time.pass_s(seconds)
        side = study.side_of(battle, first=choice == "f") if choice in "fs" else {"t": "tie"}.get(choice, choice)
        study.home.battles.vote(battle, side, rater)
        study.home.time.pass_s(FINAL_S)


def rater(home: House, number: int) -> RaterReport:
    return status(home).raters[number - 1]


def test_thirds_show_a_rater_who_tires() -> None:
    study = studied(house(), 18, 2, raters_per_battle=2)
    judge(study, 1, "f" * 18, 10)
    judge(study, 2, "f" * 6, 8)
    judge(study, 2, "s" * 6, 4)
    judge(study, 2, "aaaaat", 0.5)
    first, second, last = rater(study.home, 2).thirds
    assert [part.votes for part in (first, second, last)] == [6, 6, 6]
    assert [part.others.alike for part in (first, second)] == [6, 0]
    assert (last.chose_a, round(last.ties, 3)) == (1.0, 0.167)
    assert [part.median_s for part in (first, second, last)] == [8.0, 4.0, 0.5]
    assert rater(study.home, 2).quick == 6
    assert drift_words((first, second, last)).endswith(
        f"a decision takes 8.0 s → 4.0 s → 0.5 s; like others 6 of 6 → 0 of 6 → {last.others.alike} of 6"
    )


def test_few_votes_have_no_thirds() -> None:
    study = studied(house(), 14, 1)
    judge(study, 1, "f" * 14, 3)
    assert rater(study.home, 1).thirds == ()


def test_link_in_two_browsers_is_one_person() -> None:
    study = studied(house(), 6, 2, raters_per_battle=2)
    judge(study, 1, "fff", 3)
    judge(study, 1, "fff", 3, browser="telephone")
    judge(study, 2, "fffffs", 3)
    assert [(one.votes, one.others.compared, one.others.alike) for one in status(study.home).raters] == [
        (6, 6, 5),
        (6, 6, 5),
    ]
    assert status(study.home).alike == 5 / 6
    assert status(study.home).differing == 1
