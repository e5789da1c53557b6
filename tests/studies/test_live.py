"""Live studies: raters write instructions, two models answer, and the rater who wrote judges the answers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from playground.battles import Viewer
from playground.battles.blind_errors import FAILED
from playground.errors import InvalidValue
from playground.records import Battle, FinishReason, Instruction
from playground.studies import assignment
from playground.studies.reservation import RESERVED_S
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.living import Living, living
from tests.support.paneling import paneled
from tests.support.studying import studied

THREE = (OPENALPACA, MAMBA, GALPACA)


@pytest.fixture
def home() -> House:
    return house()


def battle_of(study: Living, battle_id: str) -> Battle:
    with study.home.store.reading() as reading:
        found = reading.battle(battle_id)
    assert found is not None
    return found


def test_rater_writes_waits_and_judges(home: House) -> None:
    study = living(home, 1, votes=2)
    first = study.study.next(1)
    assert (first.battle_id, first.why_none) == (None, None)
    assert first.live is not None
    assert not first.live.is_being_answered
    assert (first.progress.done, first.progress.of) == (0, 2)
    live = study.write(1, "Name a sea.")
    waiting = study.study.next(1)
    assert (waiting.battle_id, waiting.why_none) == (None, None)
    assert waiting.live is not None
    assert waiting.live.is_being_answered
    assert study.answer(live)
    given = study.study.next(1)
    battle = battle_of(study, str(given.battle_id))
    assert (battle.instruction.instruction, battle.owner, battle.blind) == ("Name a sea.", "rater-1", True)
    assert (battle.study, battle.study_kind, battle.own_words, battle.rated) == ("helpful", "item", True, True)
    assert {side.model_id for side in battle.sides} == set(live.models)
    assert study.study.next(1).battle_id == battle.id
    ahead = study.study.next(1, [battle.id])
    assert (ahead.battle_id, ahead.why_none, ahead.live) == (None, None, None)
    study.study.vote(1, battle.id)
    study.judge(1, "Name a lake.")
    done = study.study.next(1)
    assert (done.live, done.why_none) == (None, "This study has all the ratings that it needs. Thank you.")
    assert study.study.votes_by_item() == {1: 1, 2: 1}
    assert study.study.rows("SELECT DISTINCT rater_id, version FROM consents") == [("rater-1", "2026-12-01")]


def test_nobody_else_gets_the_answers(home: House) -> None:
    study = living(home, 2)
    study.answer(study.write(1))
    other = study.study.next(2)
    assert (other.battle_id, other.live is not None) == (None, True)
    assert study.study.next(1).battle_id is not None


def test_pairs_of_models_are_balanced_over_raters(home: House) -> None:
    study = living(home, 6, models=THREE)
    written = [study.write(link) for link in range(1, 7)]
    assert sorted(Counter(live.models for live in written).values()) == [2, 2, 2]
    for link, live in enumerate(written, start=1):
        study.answer(live)
        study.study.judge(link)
    more = [study.write(link, "Again.") for link in range(1, 4)]
    assert sorted(Counter(live.models for live in more).values()) == [1, 1, 1]


def test_skipped_pair_is_wanted_again(home: House) -> None:
    study = living(home, 1, models=THREE)
    for _ in range(2):
        study.judge(1)
    skipped = study.write(1)
    study.answer(skipped)
    home.battles.skip(str(study.study.next(1).battle_id), "rater-1")
    assert study.write(1, "Another.").models == skipped.models


def test_informative_pairs_keep_their_probability(home: House) -> None:
    study = living(home, 1, models=THREE, pairs="informative")
    live = study.write(1)
    assert live.probability == pytest.approx(1 / 3)
    study.answer(live)
    assert battle_of(study, str(study.study.judge(1))).draw_probability == pytest.approx(1 / 3)


def test_sides_are_drawn(home: House) -> None:
    study = living(home, 1)
    first = Counter(battle_of(study, study.judge(1, f"Say {number}.")).sides[0].model_id for number in range(12))
    assert set(first) == {OPENALPACA, MAMBA}


def test_same_instruction_sent_again_is_stored_once(home: House) -> None:
    study = living(home, 1)
    live = study.write(1)
    assert study.write(1) == live
    study.answer(live)
    assert study.write(1).number == live.number
    assert study.study.rows("SELECT count(*) FROM live_items") == [(1,)]
    study.study.judge(1)
    again = study.write(1)
    assert (again.number, again.seed != live.seed) == (2, True)


def test_one_instruction_at_a_time(home: House) -> None:
    study = living(home, 1)
    live = study.write(1)
    with pytest.raises(InvalidValue, match="still being answered"):
        study.write(1, "Another.")
    study.answer(live)
    with pytest.raises(InvalidValue, match="Judge first what is loaded"):
        study.write(1, "Another.")
    study.study.next(1)
    with pytest.raises(InvalidValue, match="Judge first what is loaded"):
        study.write(1, "Another.")


@pytest.mark.parametrize(
    ("texts", "reasons", "said"),
    [
        (("Same.", "Same."), (), "Both answers to your last instruction were the same, so there is nothing to judge."),
        (("One.", ""), (), "An answer to your last instruction was empty, so there is nothing to judge."),
        (("One.", ""), (FinishReason.STOP, FinishReason.ERROR), str(FAILED)),
    ],
)
def test_answers_that_cannot_be_judged_are_told_without_models(
    home: House, texts: tuple[str, ...], reasons: tuple[FinishReason, ...], said: str
) -> None:
    study = living(home, 1)
    assert study.answer(study.write(1), texts, reasons)
    turn = study.study.next(1)
    assert turn.live is not None
    assert (turn.live.is_being_answered, turn.live.why_not) == (False, said)
    assert study.study.rows("SELECT count(*) FROM study_items") == [(0,)]
    assert study.judge(1, "Another.")
    after = study.study.next(1)
    assert after.live is not None
    assert after.live.why_not == ""


def test_cut_off_answer_is_waited_for(home: House) -> None:
    study = living(home, 1)
    live = study.write(1)
    assert not study.answer(live, ("One.",))
    with home.store.reading() as reading:
        assert reading.live_items_being_answered() == [live]
    assert study.study.next(1).battle_id is None
    assert study.study.rows("SELECT count(*) FROM generated") == [(1,)]


def test_study_takes_no_more_instructions_than_votes(home: House) -> None:
    study = living(home, 3, votes=2)
    study.judge(1)
    study.write(2)
    with pytest.raises(InvalidValue, match="Others are rating what is left"):
        study.write(3)
    home.time.pass_s(RESERVED_S + 1)  # the second rater does not come back
    live = study.write(3)
    study.answer(live)
    assert study.study.judge(3) is not None
    ended = study.study.next(2)
    assert (ended.battle_id, ended.why_none) == (None, "This study has all the ratings that it needs. Thank you.")
    with pytest.raises(InvalidValue, match="all the ratings"):
        study.write(1)


def test_each_rater_writes_their_share(home: House) -> None:
    study = living(home, 2, votes_per_rater=1)
    study.judge(1)
    with pytest.raises(InvalidValue, match="rated your share"):
        study.write(1, "Another.")
    assert study.judge(2)


def test_rater_whose_instructions_come_to_nothing_is_stopped(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "MOST_FRUITLESS", 2)
    study = living(home, 1)
    study.judge(1)
    for number in range(2):
        study.answer(study.write(1, f"Say {number}."), ("Same.", "Same."))
    assert study.study.next(1).live is None
    with pytest.raises(InvalidValue, match="Too many of your instructions came to nothing"):
        study.write(1)


def test_closed_study_takes_no_instruction(home: House) -> None:
    study = living(home, 1)
    live = study.write(1)
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "enough"))
    with home.store.reading() as reading:
        assert reading.live_items_being_answered() == []
    study.answer(live)
    with pytest.raises(InvalidValue, match="This study is closed"):
        study.write(1, "Another.")


def test_other_studies_and_unknown_links_take_none(home: House) -> None:
    study = studied(home, 2, 1)
    with pytest.raises(InvalidValue, match="nobody writes instructions"):
        Living(study).write(1)
    with pytest.raises(InvalidValue, match="This link is not valid"):
        Living(replace(study, tokens=["none"])).write(1)


@pytest.mark.parametrize("live", [True, False])
def test_who_has_no_link_reads_nothing_of_the_study(home: House, live: bool) -> None:
    studies = paneled(home, 0 if live else 1, live=live).studies
    with pytest.raises(InvalidValue, match="This link is not valid"):
        studies.write(Viewer("rater-1"), "helpful", "none", Instruction("Say it."))


def test_repeats_come_between_own_instructions(home: House) -> None:
    study = living(home, 1, repeats=0.5)
    kinds = []
    for number in range(12):
        turn = study.study.next(1)
        if turn.battle_id is None:
            study.answer(study.write(1, f"Say {number}."))
        battle = battle_of(study, str(study.study.judge(1)))
        kinds.append((battle.study_kind, battle.own_words))
    assert ("repeat", True) in kinds
    assert kinds[:5] == [("item", True)] * 5


def test_instruction_comes_again_in_another_browser(home: House) -> None:
    study = living(home, 1)
    study.answer(study.write(1))
    first = study.study.next(1)
    second = study.study.next(1, browser="phone")
    assert second.battle_id not in (None, first.battle_id)
    study.home.battles.vote(str(second.battle_id), "a", "phone")
    assert study.study.votes_by_item() == {1: 1}


def test_counts_of_a_new_process_are_the_same(tmp_path: Path) -> None:
    study = living(house(tmp_path), 2, models=THREE)
    study.judge(1)
    study.answer(study.write(2))
    again = living_again(study)
    assert again.study.next(2).battle_id is not None
    assert again.study.next(1).live is not None
    study.home.store.close()


def living_again(study: Living) -> Living:
    """Return the study as a process that has just begun sees it."""
    return Living(replace(study.study, reservations=type(study.study.reservations)(study.home.battles)))


def test_hidden_answers_do_not_come_again(home: House) -> None:
    study = living(home, 1, votes=1)
    study.answer(study.write(1))
    battle = str(study.study.next(1).battle_id)
    home.store.write(lambda writing: writing.decide(battle, home.time.now(), True))
    turn = study.study.next(1)
    assert (turn.battle_id, turn.live is not None) == (None, True)
    assert study.judge(1, "Another.") != battle
    assert study.study.votes_by_item() == {2: 1}


def test_failure_names_no_model(home: House) -> None:
    study = living(home, 1)
    live = study.write(1)
    home.store.write(lambda writing: writing.fail_live_item(live, f"{OPENALPACA} ran out of memory at /srv/models"))
    turn = study.study.next(1)
    assert turn.live is not None
    assert "not enough memory" in turn.live.why_not
    assert not re.search("openalpaca|srv", turn.live.why_not)
