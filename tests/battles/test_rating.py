"""Rated battles: who is given which stored battle, once, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from playground.arena.rating import is_personal
from playground.battles import Ballot, Battles, Moderation, RaterData, Viewer
from playground.battles.rating import Rating
from playground.records import BattleSide, BattleState, BattleView, Origin
from tests.support.cast import ADA, BEN, FAILED, MODELS, House, house

TERMS = "2026-12-01"
CY = Viewer("rater-cy")
TEXTS = {"a": {"text": "Grey waves."}, "b": {"text": "A gull."}}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    home = house(tmp_path)
    yield home
    home.store.close()


def judged(home: House, battle_id: str = "battle-1", *, terms: str = TERMS, reveal: bool = True, **how: object) -> None:
    """Store a battle of Ada's that she has judged, under a version of the terms."""
    made = home.battle_is_open(battle_id, **{"ends": TEXTS, **how})  # type: ignore[arg-type]
    home.store.write(lambda writing: writing.agree(ADA, terms, made.created_at))
    home.battles.vote(battle_id, "a", ADA)
    if reveal:
        home.battles.reveal(battle_id, ADA)


def rating(home: House, seed: int = 1) -> Rating:
    return Rating(Battles(home.store, home.battles.rules), is_personal, TERMS, Random(seed))


def given(home: House, viewer: Viewer = CY, *have: str) -> BattleView | None:
    return rating(home).next(viewer, have, TERMS)


def some(home: House, viewer: Viewer = CY, *have: str) -> BattleView:
    view = given(home, viewer, *have)
    assert view is not None
    return view


def vote(home: House, view: BattleView, choice: str = "a", viewer: Viewer = CY, **how: object) -> BattleView:
    battles = Battles(home.store, home.battles.rules)
    return battles.vote(view.battle_id, viewer, Ballot(choice, view.revision, **how))  # type: ignore[arg-type]


def answer(side: BattleSide) -> str:
    assert side.generation is not None
    return side.generation.id


def test_rater_judges_the_stored_answers_blind(home: House) -> None:
    judged(home, draw_probability=0.25)
    view = some(home)
    assert (view.state, view.mine, view.may_vote, view.choice) == ("open", True, True, None)
    assert all(column.card is None and column.generation is None for column in view.columns)
    parent, own = home.store.battle("battle-1"), home.store.battle(view.battle_id)
    assert parent is not None
    assert own is not None
    assert (own.comparison_id, own.parent_id, own.owner, own.rated) == (
        *(parent.comparison_id, parent.id, CY.rater),
        True,
    )
    assert own.draw_probability == 0.25
    assert sorted(map(answer, own.sides)) == sorted(map(answer, parent.sides))
    vote(home, view)
    voted = home.store.battle(view.battle_id)
    assert voted is not None
    assert voted.vote is not None
    assert voted.vote.origin is Origin.PERSON


def test_sides_are_shuffled(home: House) -> None:
    judged(home)
    views = [rating(home, seed).next(Viewer(f"rater-{seed}"), (), TERMS) for seed in range(12)]
    assert {view.columns[0].text for view in views if view is not None} == {"Grey waves.", "A gull."}


def test_same_battle_is_given_until_it_is_judged_or_loaded(home: House) -> None:
    for number in range(3):
        judged(home, f"battle-{number}")
    first = some(home)
    assert some(home).battle_id == first.battle_id
    second = some(home, CY, first.battle_id)
    assert second.battle_id != first.battle_id
    assert some(home, CY, first.battle_id).battle_id == second.battle_id
    vote(home, first)
    assert some(home).battle_id == second.battle_id


def test_comparison_is_given_to_a_rater_once(home: House) -> None:
    judged(home)
    view = some(home)
    vote(home, view)
    assert given(home) is None
    assert some(home, Viewer(BEN)).battle_id != view.battle_id


@pytest.mark.parametrize("how", ["skipped", "expired"])
def test_comparison_that_was_not_judged_does_not_come_back(home: House, how: str) -> None:
    judged(home)
    view = some(home)
    battles = Battles(home.store, home.battles.rules)
    if how == "skipped":
        battles.skip(view.battle_id, CY)
    else:
        home.time.pass_s(3601)
    assert given(home) is None
    stored = home.store.battle(view.battle_id)
    assert stored is not None
    assert battles.rules.now(stored).state is BattleState.VOID
    assert given(home, Viewer(BEN)) is not None, "others may have it"


@pytest.mark.parametrize(
    "how",
    [
        {"terms": "2026-11-30"},
        {"reveal": False},
        {"blind": False},
        {"parent_id": "battle-0"},
        {"ends": {"a": {"text": "Grey."}, "b": dict(FAILED), "c": {"text": "A gull."}}, "models": MODELS},
        {"ends": {"a": {"text": "The same."}, "b": {"text": "The same."}}},
        {"ends": {**TEXTS, "b": {"text": "Write to ann.lee@gmail.com."}}},
        {"owner": CY.rater},
    ],
    ids=str,
)
def test_battle_is_not_offered(home: House, how: dict[str, object]) -> None:
    if how.get("owner"):
        home.battle_is_open(ends=TEXTS, owner=CY.rater)
        home.store.write(lambda writing: writing.agree(CY.rater, TERMS, "2026-11-20T18:59:00.000+00:00"))
        home.battles.vote("battle-1", "a", CY.rater, final=True)
    else:
        judged(home, **how)  # type: ignore[arg-type]
    assert given(home) is None
    judged(home, "battle-2", ends={"a": {"text": "Foam."}, "b": {"text": "Salt."}})
    assert given(home) is not None


def test_only_battles_that_may_be_offered_are_looked_at(home: House) -> None:
    """Imported battles, and those with the same answer twice, are many: the index passes over them."""
    judged(home)
    judged(home, "alike", ends={"a": {"text": "Waves."}, "b": {"text": "Waves."}})
    home.battle_is_open("of-ben", ends=TEXTS, owner=BEN)
    home.battles.vote("of-ben", "a", BEN, final=True)
    with home.store.reading() as reading:
        assert [row[0] for row in reading.select("SELECT id FROM battles WHERE offered = 1")] == ["battle-1"]


def test_battle_from_before_the_consent_is_not_offered(home: House) -> None:
    judged(home, terms="2026-11-30")
    home.store.write(lambda writing: writing.agree(ADA, TERMS, home.time.now()))
    assert given(home) is None


@pytest.mark.parametrize("how", ["reported", "hidden", "erased"])
def test_withheld_battle_is_neither_offered_nor_given_again(home: House, how: str) -> None:
    judged(home)
    reserved = some(home)
    battles = Battles(home.store, home.battles.rules)
    if how == "reported":
        battles.report("battle-1", Viewer(ADA), "a", "rude")
    elif how == "hidden":
        Moderation(battles).hide("battle-1")
    else:
        RaterData(battles).erase(ADA)
    assert given(home, Viewer(BEN)) is None
    again = given(home)
    if how == "reported":
        assert again is not None
        assert again.battle_id == reserved.battle_id
    else:
        assert again is None
        assert battles.view(reserved.battle_id, CY).instruction.instruction == ""


def test_battle_with_the_fewest_votes_comes_first(home: House) -> None:
    for number in range(3):
        judged(home, f"battle-{number}")
    order = [some(home, Viewer(f"rater-{number}")) for number in range(3)]
    parents = {home.store.battle(view.battle_id).parent_id for view in order}  # type: ignore[union-attr]
    assert len(parents) == 3


def test_rater_who_has_seen_the_models_is_not_asked(home: House) -> None:
    judged(home)
    home.battle_is_open("open-run", owner=CY.rater, blind=False, ends=TEXTS, created_at="2026-11-20T18:58:00.000+00:00")
    assert given(home) is None


def test_vote_on_a_rated_battle_can_be_undone_for_its_own_time(home: House) -> None:
    judged(home)
    view = vote(home, some(home))
    home.time.pass_s(59)
    undone = Battles(home.store, home.battles.rules).undo(view.battle_id, CY, view.revision)
    assert (undone.state, undone.revision) == (BattleState.OPEN, 2)
    assert some(home).battle_id == view.battle_id, "it is to be judged again"


def test_time_ahead_of_the_rater_is_not_their_decision(home: House) -> None:
    judged(home)
    view = some(home)
    home.time.pass_s(40)
    vote(home, view, decision_s=2.5)
    stored = home.store.battle(view.battle_id)
    assert stored is not None
    assert stored.vote is not None
    assert stored.vote.decision_s == 2.5


def test_raters_at_once_get_each_comparison_once(home: House) -> None:
    for number in range(5):
        judged(home, f"battle-{number}")

    def rate(number: int) -> list[str]:
        viewer, seen = Viewer(f"rater-{number % 8}"), []
        while (view := given(home, viewer)) is not None:
            vote(home, view, viewer=viewer)
            seen.append(view.battle_id)
        return seen

    with ThreadPoolExecutor(16) as pool:  # two tabs each
        list(pool.map(rate, range(16)))
    with home.store.reading() as reading:
        made = reading.select("SELECT owner, comparison_id, state FROM battles WHERE rated = 1")
    assert Counter((row["owner"], row["comparison_id"]) for row in made) == Counter(
        (f"rater-{rater}", f"comparison-of-battle-{number}") for rater in range(8) for number in range(5)
    )
    assert {row["state"] for row in made} == {"voted"}
