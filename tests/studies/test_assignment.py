"""Assignment: what a rater of a study gets next, in a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from playground.battles import Viewer
from playground.errors import Refused, StorageError
from playground.records import BattleState, CheckState
from playground.studies.assignment import REPEAT_GAP
from playground.studies.reservation import RESERVED_S
from playground.studies.status import status_of
from playground.studies.study_file import Attention
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.studying import FINAL_S, Studied, studied


@pytest.fixture
def home() -> House:
    return house()


def judge_all(study: Studied, link: int, choice: str | Callable[[str], str] = "a") -> list[str]:
    """Judge until there is nothing left; return the battles."""
    judged: list[str] = []
    while (battle := study.next(link).battle_id) is not None:
        study.vote(link, battle, choice if isinstance(choice, str) else choice(battle))
        study.home.time.pass_s(FINAL_S)
        judged.append(battle)
    return judged


def test_same_battle_until_it_is_loaded_or_judged(home: House) -> None:
    study = studied(home, 5, 1)
    first = study.next(1).battle_id
    assert first is not None
    assert study.next(1).battle_id == first
    second = study.next(1, [first]).battle_id
    assert second not in (None, first)
    assert study.next(1, [first]).battle_id == second
    study.vote(1, first)
    assert study.next(1).battle_id == second
    assert study.rows("SELECT count(*) FROM assignments") == [(2,)]


def test_battle_is_blind_open_and_owned_by_its_rater(home: House) -> None:
    study = studied(home, 1, 1)
    battle = home.store.battle(str(study.next(1).battle_id))
    assert battle is not None
    assert (battle.state, battle.blind, battle.owner) == (BattleState.OPEN, True, "rater-1")
    assert (battle.study, battle.study_kind, battle.draw_probability) == ("helpful", "item", 1.0)
    with pytest.raises(Refused, match="belongs to somebody else"):
        home.battles.vote(battle.id, "a", "rater-2")


def test_nobody_gets_an_item_twice(home: House) -> None:
    study = studied(home, 6, 2, raters_per_battle=2)
    assert len(judge_all(study, 1)) == 6
    turn = study.next(1)
    assert (turn.battle_id, turn.why_none) == (
        None,
        "You have rated everything that this study has for you. Thank you.",
    )
    assert len(judge_all(study, 2)) == 6
    assert set(study.votes_by_item().values()) == {2}


def test_pairs_and_instructions_are_judged_equally_often(home: House) -> None:
    study = studied(home, 8, 1, models=(OPENALPACA, MAMBA, GALPACA), votes=12)
    judge_all(study, 1)
    pairs = study.rows(
        "SELECT group_concat(model_id) FROM (SELECT * FROM battle_sides ORDER BY model_id) GROUP BY battle_id"
    )
    assert set(Counter(pairs).values()) == {4}
    asked = Counter(study.rows("SELECT instruction_id FROM battles"))
    assert max(asked.values()) - min(asked.values()) <= 1


def test_votes_are_a_quota(home: House) -> None:
    study = studied(home, 10, 2, votes=4)
    loaded: list[str] = []
    for _ in range(3):
        loaded.append(str(study.next(1, loaded).battle_id))
    assert len(set(loaded)) == 3
    fourth = study.next(2).battle_id
    assert fourth is not None
    study.vote(2, fourth)
    assert study.next(2).why_none == "Others are rating what is left. Thank you; there may be more for you later."
    for battle in loaded:
        study.vote(1, battle)
    assert study.next(1).why_none == "This study has all the ratings that it needs. Thank you."
    assert sum(study.votes_by_item().values()) == 4


def test_overlap_is_judged_by_two_and_by_a_third_where_these_differ(home: House) -> None:
    study = studied(home, 10, 3, overlap=0.4)
    judge_all(study, 1, lambda battle: study.side_of(battle, first=True))
    judge_all(study, 2, lambda battle: study.side_of(battle, first=False))
    assert judge_all(study, 1) == []
    assert len(judge_all(study, 3)) == 4
    assert sorted(study.votes_by_item().values()) == [1, 1, 1, 1, 1, 1, 3, 3, 3, 3]


def test_overlap_that_agrees_needs_no_third_rater(home: House) -> None:
    study = studied(home, 10, 3, overlap=0.4)
    for link in (1, 2):
        judge_all(study, link, lambda battle: study.side_of(battle, first=True))
    assert judge_all(study, 3) == []
    assert sorted(study.votes_by_item().values()) == [1] * 6 + [2] * 4


def test_third_rater_waits_until_votes_are_final(home: House) -> None:
    study = studied(home, 1, 3, overlap=1.0)
    for link, first in ((1, True), (2, False)):
        battle = str(study.next(link).battle_id)
        study.vote(link, battle, study.side_of(battle, first))
    assert study.next(3).battle_id is None
    home.battles.undo(battle, "rater-2")
    study.vote(2, battle, study.side_of(battle, first=True))
    home.time.pass_s(FINAL_S)
    assert study.next(3).battle_id is None


def test_repeats_swap_sides_and_come_later(home: House) -> None:
    study = studied(home, 40, 1, repeats=0.2)
    judged = judge_all(study, 1)
    repeats = study.rows("SELECT battle, repeat_of, place FROM assignments WHERE repeat_of IS NOT NULL")
    assert 6 <= len(repeats) <= 8
    assert len(judged) == 40 + len(repeats)
    places = dict(study.rows("SELECT battle, place FROM assignments"))
    for battle, first, place in repeats:
        assert place - places[first] >= REPEAT_GAP
        assert study.side_of(battle, first=True) != study.side_of(first, first=True)
    kinds = dict(study.rows("SELECT study_kind, count(*) FROM battles GROUP BY 1"))
    assert kinds == {"item": 40, "repeat": len(repeats)}


def test_attention_items_are_mixed_in(home: House) -> None:
    study = studied(home, 40, 1, attentions=3, attention=Attention("attention.jsonl", every=10))
    judge_all(study, 1)
    places = [
        place
        for (place,) in study.rows(
            "SELECT place FROM assignments s JOIN battles b ON b.id = s.battle"
            " WHERE b.study_kind = 'attention' ORDER BY 1"
        )
    ]
    assert len(places) == 3
    assert all(after - before >= 5 for before, after in zip([0, *places], places, strict=False))


class TestCheck:
    def right(self, study: Studied) -> Callable[[str], str]:
        return lambda battle: study.side_of(battle, first=True)

    def test_comes_first_and_opens_the_study(self, home: House) -> None:
        study = studied(home, 3, 1, checks=2)
        one = str(study.next(1).battle_id)
        two = str(study.next(1, [one]).battle_id)
        assert study.rows("SELECT DISTINCT study_kind FROM battles") == [("check",)]
        waits = study.next(1, [one, two])
        assert (waits.battle_id, waits.why_none, waits.progress.of) == (None, None, None)
        for battle in (one, two):
            study.vote(1, battle, self.right(study)(battle))
        assert study.next(1).progress.of == 3
        assert self.state(home) == (CheckState.PASSED, 0)

    def test_has_two_tries(self, home: House) -> None:
        study = studied(home, 3, 1, checks=2)
        wrong = [study.judge(1, "tie") for _ in range(2)]
        for _ in range(2):
            battle = str(study.next(1).battle_id)
            assert battle not in wrong
            study.vote(1, battle, self.right(study)(battle))
        assert study.judge(1) is not None
        assert self.state(home) == (CheckState.PASSED, 1)

    def test_ends_after_the_second(self, home: House) -> None:
        study = studied(home, 3, 1, checks=2)
        assert len(judge_all(study, 1, "tie")) == 4
        assert str(study.next(1).why_none).startswith("The check was not passed")
        assert self.state(home) == (CheckState.FAILED, 2)

    def test_skipped_item_comes_again(self, home: House) -> None:
        study = studied(home, 3, 1, checks=1)
        skipped = str(study.next(1).battle_id)
        home.battles.skip(skipped, "rater-1")
        again = str(study.next(1).battle_id)
        assert again != skipped
        study.vote(1, again, self.right(study)(again))
        study.next(1)
        assert self.state(home) == (CheckState.PASSED, 0)

    def state(self, home: House) -> tuple[CheckState, int]:
        with home.store.reading() as reading:
            [rater] = reading.study_raters("helpful")
        return rater.check_state, rater.tries


def test_reservation_comes_back_when_its_time_is_up(home: House) -> None:
    study = studied(home, 1, 2)
    left = str(study.next(1).battle_id)
    assert study.next(2).battle_id is None
    home.time.pass_s(RESERVED_S)
    given = study.next(2).battle_id
    assert given is not None
    with pytest.raises(Refused, match="waited too long"):
        study.vote(1, left)
    study.vote(2, given)
    assert study.votes_by_item() == {1: 1}


def test_rater_who_asks_keeps_their_reservations(home: House) -> None:
    study = studied(home, 1, 2)
    kept = str(study.next(1).battle_id)
    for _ in range(3):
        home.time.pass_s(RESERVED_S / 2)
        study.next(1, [kept])
        assert study.next(2).battle_id is None
    study.vote(1, kept)


def test_skipped_item_goes_to_others_only(home: House) -> None:
    study = studied(home, 1, 2)
    skipped = str(study.next(1).battle_id)
    with pytest.raises(Refused, match="belongs to somebody else"):
        home.battles.skip(skipped, "rater-2")
    home.battles.skip(skipped, "rater-1")
    assert study.next(1).battle_id is None
    assert study.judge(2) is not None


def test_link_goes_on_in_another_browser(home: House) -> None:
    study = studied(home, 3, 1)
    judged, left = study.judge(1), study.next(1).battle_id
    turn = study.next(1, browser="telephone")
    assert turn.battle_id not in (None, judged, left)
    assert turn.progress.done == 1
    battle = home.store.battle(str(left))
    assert battle is not None
    assert battle.state is BattleState.VOID


def test_battle_that_was_given_back_comes_again_to_the_same_link(home: House) -> None:
    study = studied(home, 1, 1)
    first = study.next(1).battle_id
    second = study.next(1, browser="telephone").battle_id
    assert second not in (None, first)
    home.time.pass_s(RESERVED_S)
    third = study.next(1).battle_id
    assert third not in (None, second)
    study.vote(1, str(third))
    assert study.next(1).battle_id is None
    assert study.votes_by_item() == {1: 1}


def test_another_repeat_comes_for_one_that_was_given_back(home: House) -> None:
    study = studied(home, 12, 1, repeats=0.5)
    for _ in range(REPEAT_GAP):
        study.judge(1)
    repeats = "SELECT s.repeat_of FROM assignments s JOIN battles b ON b.id = s.battle WHERE b.study_kind = 'repeat'"
    while not study.rows(repeats):
        opened = str(study.next(1).battle_id)
        if not study.rows(repeats):
            study.vote(1, opened)
            home.time.pass_s(FINAL_S)
    again = study.next(1, browser="telephone").battle_id
    assert again not in (None, opened)
    assert len(study.rows(repeats)) == 2
    assert study.rows(f"{repeats} AND b.state <> 'void'") == study.rows(
        "SELECT repeat_of FROM assignments WHERE battle = ?", again
    )


def test_skipped_attention_item_is_counted_and_comes_again(home: House) -> None:
    study = studied(home, 12, 1, attentions=1, attention=Attention("attention.jsonl", every=2))
    kinds = "SELECT battle FROM assignments s JOIN battles b ON b.id = s.battle WHERE b.study_kind = 'attention'"
    while not study.rows(kinds):
        opened = str(study.next(1).battle_id)
        if study.rows(kinds):
            home.battles.skip(opened, "rater-1")
        else:
            study.vote(1, opened)
            home.time.pass_s(FINAL_S)
    judge_all(study, 1, lambda battle: study.side_of(battle, first=True))
    with home.store.reading() as reading:
        study_found = reading.study("helpful")
        assert study_found is not None
        [rater] = status_of(reading, study_found, home.time.now()).raters
    assert (rater.attention_skipped, rater.attention, rater.attention_right) == (1, 1, 1)
    assert (rater.skipped, rater.check_skipped) == (0, 0)


def test_nobody_is_assigned_an_item_twice_by_the_database(home: House) -> None:
    study = studied(home, 1, 1)
    battle = str(study.judge(1))
    twice = "INSERT INTO assignments SELECT 'x', study, item, rater, 2, NULL, '', NULL FROM assignments"
    with pytest.raises(StorageError, match="a rater has an item once"):
        home.store.write(lambda writing: writing.change(twice, [{}]))
    assert study.rows("SELECT battle FROM assignments") == [(battle,)]


@pytest.mark.parametrize("token", ["", "0" * 32, None, "x", 7])
def test_unknown_link_gets_nothing(home: House, token: str) -> None:
    study = studied(home, 1, 1)
    turn = study.reservations.next("helpful", token, Viewer("rater-1"))
    assert (turn.battle_id, turn.why_none) == (None, "This link is not valid. Ask whoever sent it for another one.")
    assert study.reservations.next("other", study.tokens[0], Viewer("rater-1")).battle_id is None
    assert study.rows("SELECT count(*) FROM battles") == [(0,)]


def test_closed_study_gives_nothing(home: House) -> None:
    study = studied(home, 2, 1)
    opened = study.next(1).battle_id
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    turn = study.next(1)
    assert (turn.battle_id, turn.why_none) == (None, "This study is closed. Thank you.")
    study.vote(1, str(opened))


def test_order_of_sides_is_drawn(home: House) -> None:
    study = studied(home, 60, 1)
    sides = Counter(study.side_of(battle, first=True) for battle in judge_all(study, 1))
    assert 15 <= sides["a"] <= 45


def test_progress_has_a_pace_after_some_votes(home: House) -> None:
    study = studied(home, 20, 2, votes=20)
    for _ in range(6):
        study.judge(1)
    progress = study.next(1).progress
    assert (progress.done, progress.of, progress.left_s) == (6, 10, 280)
