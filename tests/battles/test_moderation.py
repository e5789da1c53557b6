"""Hidden battles: no word of them is sent to anybody, their votes stay, and they can be shown again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

import pytest

from playground.battles import Moderation, RaterData, Viewer
from playground.records import BattleState, ColumnState, Instruction, LiveColumn
from tests.battles.seen import refusal_of
from tests.support.cast import ADA, BEN, House, battle, generation

WORDS = ("Zanzibar", "clove", "peppercorn", "nutmeg", "vanilla")
ASKED = Instruction("Tell me of Zanzibar.", "the clove", "You sell peppercorn.", category="creative")
ANSWER = {"text": "Ships full of nutmeg."}


def spicy(home: House, battle_id: str = "battle-1", **changes: object) -> None:
    """Create an open battle with all `WORDS`, but for the comment's."""
    home.battle_is_open(battle_id, ends={"a": ANSWER, "b": ANSWER}, **({"instruction": ASKED} | changes))


def words_in(found: object) -> list[str]:
    text = json.dumps(asdict(found) if hasattr(found, "__dataclass_fields__") else found, default=str)
    return [word for word in WORDS if word in text]


@pytest.fixture
def moderation(home: House) -> Moderation:
    return Moderation(home.battles)


def test_hidden_battle_sends_no_word_and_shows_them_again(home: House, moderation: Moderation) -> None:
    spicy(home)
    home.battles.vote("battle-1", "a", ADA, final=True, comment="vanilla", reasons=["clear"])
    assert words_in(home.battles.view("battle-1", ADA)) == list(WORDS)
    moderation.hide("battle-1")
    for viewer in (ADA, BEN):
        view = home.battles.view("battle-1", viewer)
        assert (view.hidden, view.withheld, view.choice, words_in(view)) == (True, True, "a", [])
        assert all(column.card is not None for column in view.columns)
        assert not any(column.generation and column.generation.token_ids for column in view.columns)
    assert home.battles.view("battle-1", ADA).reasons == ("clear",)
    moderation.show("battle-1")
    shown = home.battles.view("battle-1", ADA)
    assert (shown.hidden, words_in(shown)) == (False, list(WORDS))


def test_hidden_battle_takes_no_vote_until_it_is_shown(home: House, moderation: Moderation) -> None:
    spicy(home)
    moderation.hide("battle-1")
    view = home.battles.view("battle-1", ADA)
    assert (view.state, view.may_vote, view.good_sides) == (BattleState.OPEN, False, ())
    for act in (
        lambda: home.battles.vote("battle-1", "a", ADA),
        lambda: home.battles.vote("battle-1", "a", ADA, final=True),
        lambda: home.battles.note("battle-1", ADA, report_side="a", report="rude"),
    ):
        assert refusal_of(act) == "hidden"
    assert refusal_of(lambda: home.battles.vote("battle-1", "a", BEN)) == "foreign"
    moderation.show("battle-1")
    assert home.battles.vote("battle-1", "a", ADA).choice == "a"


def test_vote_that_was_given_before_stays_and_its_repeat_is_answered(home: House, moderation: Moderation) -> None:
    spicy(home)
    home.battles.vote("battle-1", "a", ADA, comment="vanilla")
    moderation.hide("battle-1")
    assert home.battles.vote("battle-1", "b", ADA).choice == "a"
    assert refusal_of(lambda: home.battles.note("battle-1", ADA, comment="more")) == "hidden"
    assert home.battles.reveal("battle-1", ADA).state is BattleState.REVEALED
    assert [pair.battle_id for pair in home.store.judged_pairs()] == ["battle-1"]
    assert home.store.count_votes() == 1


def test_no_word_is_read_for_exports_while_hidden(home: House, moderation: Moderation) -> None:
    spicy(home)
    home.battles.vote("battle-1", "a", ADA, final=True)
    exported: tuple[Callable[[], int], ...] = (lambda: texts(home), lambda: battles(home))
    assert [count() for count in exported] == [1, 1]
    moderation.hide("battle-1")
    assert [count() for count in exported] == [0, 0]
    moderation.show("battle-1")
    assert [count() for count in exported] == [1, 1]


def texts(home: House) -> int:
    with home.store.reading() as reading:
        return sum(bool(pair.a.text) for pair in reading.exported_pairs() if not pair.vote.withheld)


def battles(home: House) -> int:
    with home.store.reading() as reading:
        return sum(bool(vote.sides) for vote in reading.exported_votes())


def test_battles_on_the_same_answers_are_hidden_and_shown_together(home: House, moderation: Moderation) -> None:
    spicy(home)
    sides = home.store.battle("battle-1").sides  # type: ignore[union-attr]
    home.battles.create(battle("battle-2", owner=BEN, sides=sides, instruction=ASKED))
    spicy(home, "battle-3")
    for name, rater in (("battle-1", ADA), ("battle-2", BEN), ("battle-3", ADA)):
        home.battles.vote(name, "a", rater, final=True)
    assert [texts(home), battles(home)] == [3, 3]
    moderation.hide("battle-2")
    assert [texts(home), battles(home)] == [1, 1]
    assert moderation.counts().hidden == 2
    assert words_in(home.battles.view("battle-1", ADA)) == []
    home.battles.create(battle("battle-4", owner=BEN, sides=sides, instruction=ASKED))
    assert words_in(home.battles.view("battle-4", BEN)) == []
    moderation.show("battle-4")
    assert [texts(home), battles(home), moderation.counts().hidden] == [3, 3, 0]


@pytest.mark.parametrize("blind", [True, False])
def test_battle_that_is_being_written_is_hidden(home: House, moderation: Moderation, blind: bool) -> None:
    begun = home.battles.create(battle(instruction=ASKED, blind=blind))
    home.battles.finish("battle-1", {"a": generation("a", instruction=ASKED, **ANSWER)})
    live = {side: LiveColumn(side, ColumnState.WRITING, "Ships full of nutmeg.") for side in "ab"}
    [hidden] = moderation.hide("battle-1")
    views = [home.battles.view("battle-1", ADA, live)]
    if blind:
        assert words_in(home.battles.view_begun(begun, Viewer(ADA), live)) == list(WORDS[:4])
        views.append(home.battles.view_begun(hidden, Viewer(ADA), live))
    for view in views:
        assert (view.state, view.hidden, words_in(view)) == (BattleState.GENERATING, True, [])
    home.battles.finish("battle-1", {"b": generation("b", begun.sides[1].model_id, instruction=ASKED, **ANSWER)})
    assert words_in(home.battles.view("battle-1", ADA)) == []
    moderation.show("battle-1")
    assert home.battles.vote("battle-1", "a", ADA).choice == "a"


def test_my_data_says_hidden_and_its_owner_may_still_erase(home: House, moderation: Moderation) -> None:
    spicy(home)
    home.battles.vote("battle-1", "a", ADA, final=True, comment="vanilla")
    home.battles.note("battle-1", ADA, report_side="a", report="It sells nutmeg.")
    data = RaterData(home.battles)
    assert data.document(ADA)["reports"][0]["text"] == "It sells nutmeg."
    moderation.hide("battle-1")
    [own] = data.latest(ADA, 10, 100)
    assert (own.hidden, own.start) == (True, "")
    document = data.document(ADA)
    assert document["battles"][0]["hidden"] is True
    assert document["reports"][0]["hidden"] is True
    assert words_in(document) == []
    assert data.erase(ADA).battles == 1
    moderation.show("battle-1")
    view = home.battles.view("battle-1", ADA)
    assert (view.erased, view.hidden, words_in(view)) == (True, False, [])
    assert words_in(moderation.look_up("battle-1")) == []


def test_reports_wait_for_the_operator_until_a_decision(home: House, moderation: Moderation) -> None:
    for battle_id in ("battle-1", "battle-2", "battle-3"):
        spicy(home, battle_id)
        home.time.pass_s(1)
    home.battles.note("battle-1", ADA, report_side="a", report="rude")
    home.time.pass_s(1)
    home.battles.note("battle-2", ADA, report_side="b", report="wrong")
    home.time.pass_s(1)
    home.battles.note("battle-1", ADA, report_side="b", report="rude too")
    assert asdict(moderation.counts()) == {"reports": 3, "reported": 2, "hidden": 0}
    first, second = moderation.reported(10)
    assert [report.text for report in first.reports] == ["rude too", "rude"]
    assert (first.battle.id, second.battle.id) == ("battle-1", "battle-2")
    assert [found.battle.id for found in moderation.reported(1)] == ["battle-1"]
    assert words_in(first) == list(WORDS[:4])

    moderation.dismiss("battle-1")
    moderation.hide("battle-2")
    assert asdict(moderation.counts()) == {"reports": 0, "reported": 0, "hidden": 1}
    assert moderation.reported(10) == []
    assert [found.battle.id for found in moderation.hidden(10)] == ["battle-2"]
    home.battles.note("battle-1", ADA, report_side="a", report="still rude")
    [again] = moderation.reported(10)
    assert [(report.text, report.is_new) for report in again.reports] == [
        ("still rude", True), ("rude too", False), ("rude", False)
    ]  # fmt: skip
    moderation.dismiss("battle-2")
    assert moderation.look_up("battle-2").battle.hidden_at is not None


def test_decisions_and_reports_survive_a_clock_that_is_set_back(home: House, moderation: Moderation) -> None:
    spicy(home)
    home.battles.note("battle-1", ADA, report_side="a", report="rude")
    home.time.at -= timedelta(hours=1)
    moderation.dismiss("battle-1")
    assert moderation.counts().reports == 0
    home.battles.note("battle-1", ADA, report_side="a", report="rude again")
    assert moderation.counts().reports == 1
    moderation.hide("battle-1")
    moderation.show("battle-1")
    assert asdict(moderation.counts()) == {"reports": 0, "reported": 0, "hidden": 0}


@pytest.mark.parametrize("act", ["hide", "show", "dismiss", "look_up"])
@pytest.mark.parametrize("name", ["", "battle-2", "ß", "\ud800"])
def test_unknown_battle_is_refused(home: House, moderation: Moderation, act: str, name: str) -> None:
    spicy(home)
    assert refusal_of(lambda: getattr(moderation, act)(name)) == "unknown"
