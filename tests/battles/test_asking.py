"""The question which model wrote an answer, between vote and reveal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.battles import Battles, RaterData
from playground.battles import asking as asking_module
from playground.battles.asking import Asking
from playground.battles.asking import chance as real_chance
from playground.errors import InvalidValue
from playground.records import BattleState, Origin, Question
from tests.battles.seen import models_of, refusal_of
from tests.support.cast import ADA, BEN, FAILED, GALPACA, MAMBA, MODELS, OPENALPACA, House, battle, card, house

NAMES = {model: card(model).name for model in MODELS}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    made.asks()
    yield made
    made.store.close()


def question(home: House, battle_id: str = "battle-1") -> Question:
    with home.store.reading() as reading:
        found = reading.question(battle_id)
    assert found is not None
    return found


def was_asked(home: House, battle_id: str = "battle-1") -> bool:
    with home.store.reading() as reading:
        return reading.question(battle_id) is not None


def voted(home: House, battle_id: str = "battle-1", models: tuple[str, ...] = (OPENALPACA, MAMBA), **how: Any) -> Any:
    home.battle_is_open(battle_id, models, **({"draw_probability": 1 / 3} | how))
    return home.battles.vote(battle_id, "a", how.get("owner", ADA))


def test_vote_shows_the_question_and_no_model(home: House) -> None:
    view = voted(home)
    assert view.question is not None
    assert view.question.side in ("a", "b")
    assert list(view.question.choices.items()) == [(model, NAMES[model]) for model in MODELS]
    assert view.question.named is None
    assert models_of(view) == []


def test_guess_reveals_at_once_and_is_kept(home: House) -> None:
    voted(home)
    home.time.pass_s(7)  # later than a vote is final without a question
    view = home.battles.guess("battle-1", GALPACA, ADA)
    assert view.state is BattleState.REVEALED
    assert models_of(view) == [OPENALPACA, MAMBA]
    assert view.question is not None
    assert view.question.named == GALPACA
    assert refusal_of(lambda: home.battles.guess("battle-1", MAMBA, ADA)) == "final"
    assert question(home).named == GALPACA


def test_reveal_without_a_guess_is_a_skipped_question(home: House) -> None:
    voted(home)
    assert home.battles.reveal("battle-1", ADA).state is BattleState.REVEALED
    assert refusal_of(lambda: home.battles.guess("battle-1", MAMBA, ADA)) == "final"
    assert question(home).named is None


@pytest.mark.parametrize(("undo_s", "most_s"), [(5.0, 20.0), (30.0, 30.0)])
def test_reveal_waits_for_the_answer_no_longer_than_this(home: House, undo_s: float, most_s: float) -> None:
    home.battles.rules = replace(home.battles.rules, undo_s=undo_s)
    assert voted(home).final_in_s == most_s
    home.time.pass_s(most_s - 0.1)
    assert home.battles.view("battle-1", ADA).state is BattleState.VOTED
    home.time.pass_s(0.1)
    assert home.battles.view("battle-1", ADA).state is BattleState.REVEALED


@pytest.mark.parametrize("change", [
    {"draw_probability": None}, {"blind": False}, {"models": (OPENALPACA, "gone")},
])  # fmt: skip
def test_nothing_is_asked_of_other_battles(home: House, change: dict[str, Any]) -> None:
    home.store.upsert_model(card("gone"))  # from the line-up, since the battle was made
    view = voted(home, **change)
    assert view.question is None
    assert view.final_in_s == 5
    assert refusal_of(lambda: home.battles.guess("battle-1", OPENALPACA, ADA)) == "unasked"


def test_programs_and_guests_are_not_asked(home: House) -> None:
    home.battle_is_open("by-program", source="api", draw_probability=0.1)
    home.battles.vote("by-program", "a", ADA, final=True, source="api")
    assert not was_asked(home, "by-program")
    asked = replace(battle(), draw_probability=0.1)
    assert home.battles.rules.asking.draw(asked, Origin.SHARED) is None


def test_battle_in_memory_is_not_asked_about() -> None:
    home = house()
    home.asks()
    assert voted(home).question is None


@pytest.mark.parametrize("named", ["", "gone", "A" * 1000])
def test_only_a_model_of_the_choices_is_taken(home: House, named: str) -> None:
    voted(home)
    with pytest.raises(InvalidValue, match=f"is not a choice; valid: {', '.join(MODELS)}"):
        home.battles.guess("battle-1", named, ADA)
    assert question(home).named is None


@pytest.mark.parametrize("act", [
    lambda home: home.battles.guess("battle-1", MAMBA, BEN),
    lambda home: home.battles.guess("battle-1", MAMBA, ADA, source="api"),
])  # fmt: skip
def test_only_the_own_rater_answers(home: House, act: Callable[[House], object]) -> None:
    voted(home)
    assert refusal_of(lambda: act(home)) == "foreign"
    assert question(home).named is None


def test_undone_vote_keeps_its_question_for_the_next(home: House) -> None:
    voted(home)
    first = question(home)
    home.battles.undo("battle-1", ADA)
    assert home.battles.view("battle-1", ADA).question is None
    assert refusal_of(lambda: home.battles.guess("battle-1", MAMBA, ADA)) == "unfinished"
    home.asks(0.0)
    again = home.battles.vote("battle-1", "b", ADA)
    assert (again.question, again.final_in_s) == (first, 20)


def test_undone_vote_without_a_question_gets_none(home: House) -> None:
    home.asks(0.0)
    voted(home)
    home.battles.undo("battle-1", ADA)
    home.asks()
    assert home.battles.vote("battle-1", "b", ADA).question is None


def test_a_failed_side_is_never_asked_about(home: House) -> None:
    for number in range(20):
        voted(home, f"battle-{number}", MODELS, ends={"b": FAILED})
        assert question(home, f"battle-{number}").side in ("a", "c")


def test_share_and_sides_are_drawn(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking_module, "chance", real_chance)
    asking, drawn = Asking(0.25, lambda: MODELS), replace(home.battle_is_open(), draw_probability=1 / 3)
    sides = Counter(asked.side for _ in range(8000) if (asked := asking.draw(drawn, Origin.PERSON)) is not None)
    assert 1750 < sides.total() < 2250  # 2000 expected, six standard deviations of 39
    assert abs(sides["a"] - sides["b"]) < 280


def test_earlier_reveals_of_the_rater_are_counted(home: House) -> None:
    for number in range(3):
        voted(home, f"battle-{number}")
        home.time.pass_s(60)  # revealed by time, which nothing may have stored yet
    voted(home, "of-ben", owner=BEN)
    with home.store.reading() as reading:
        assert [guess.reveals for guess in reading.guesses()] == [0, 1, 2, 0]


def test_own_data_has_the_guess_and_erasure_keeps_it(home: House) -> None:
    voted(home)
    side = question(home).side
    [before] = RaterData(Battles(home.store, home.battles.rules)).document(ADA)["battles"]
    assert (before["asked_model_of"], before["guess"]) == (side, None)
    home.battles.guess("battle-1", MAMBA, ADA)
    home.battles.erase(ADA)
    [after] = RaterData(Battles(home.store, home.battles.rules)).document(ADA)["battles"]
    assert (after["erased"], after["asked_model_of"], after["guess"]) == (True, side, MAMBA)


def test_erasure_ends_a_question_unanswered(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert refusal_of(lambda: home.battles.guess("battle-1", MAMBA, ADA)) == "final"
