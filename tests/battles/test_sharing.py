"""Guests of a shared battle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from playground.battles import Ballot, Battles, Moderation, Sharing, Viewer, may_join
from playground.ratings.policy import default_policy
from playground.records import BattleState, BattleView, Origin
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.maintenance.restore import restore
from tests.battles.seen import refusal_of
from tests.support.cast import ADA, BEN, FAILED, MODELS, House, house
from tests.support.judging import keep_journal
from tests.support.storing import HERRING, content_of

GUEST = Viewer(BEN)
TERMS = "7"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A database on disk: battles in memory are not shared."""
    home = house(tmp_path)
    yield home
    home.store.close()


def test_battle_in_memory_is_not_shared() -> None:
    home = revealed(house())
    assert not visit(home).offered
    assert sharing(home).join("battle-1", GUEST, TERMS).battle_id == "battle-1"
    home.store.close()


def sharing(home: House) -> Sharing:
    return Sharing(Battles(home.store, home.battles.rules))


def visit(home: House, viewer: Viewer = GUEST) -> BattleView:
    """See battle-1 as the viewer of its link."""
    view = home.battles.view("battle-1", viewer.rater, source=viewer.source)
    return sharing(home).offer(view, viewer) if may_join(view) else view


def revealed(home: House, **how: object) -> House:
    home.battle_is_open(**how)  # type: ignore[arg-type]
    home.battles.vote("battle-1", "a", ADA)
    home.battles.reveal("battle-1", ADA)
    return home


def vote(home: House, battle_id: str, choice: str = "b") -> BattleView:
    return Battles(home.store, home.battles.rules).vote(battle_id, GUEST, Ballot(choice))


def test_votes_of_guests_are_of_the_same_answers_as_the_first_one(home: House) -> None:
    revealed(home)
    own = sharing(home).join("battle-1", GUEST, TERMS)
    vote(home, own.battle_id)
    with home.store.reading() as reading:
        rows = reading.rows_of_shared()
        keys = reading.row_keys(())
    (first, second), (comparison, other) = (rows[0::4], rows[1::4])
    assert [first, second] == list(keys)
    assert comparison == other
    assert rows[2:4] == rows[6:8]


def test_guest_votes_blind_on_the_same_generations(home: House) -> None:
    revealed(home)
    own = sharing(home).join("battle-1", GUEST, TERMS)
    assert (own.state, own.mine, own.may_vote, own.choice) == ("open", True, True, None)
    assert all(column.card is None for column in own.columns)
    voted = vote(home, own.battle_id)
    assert (voted.state, voted.choice) == ("voted", "b")
    first, mine = home.store.battle("battle-1"), home.store.battle(own.battle_id)
    assert first is not None
    assert mine is not None
    assert (mine.comparison_id, mine.parent_id, mine.owner) == (first.comparison_id, first.id, BEN)
    assert mine.sides == first.sides
    assert first.vote is not None
    assert mine.vote is not None
    assert (first.vote.choice, first.vote.origin) == ("a", Origin.PERSON)
    assert (mine.vote.choice, mine.vote.origin) == ("b", Origin.SHARED)


def test_votes_of_guests_are_no_part_of_the_default_board(home: House) -> None:
    revealed(home)
    vote(home, sharing(home).join("battle-1", GUEST, TERMS).battle_id)
    origins = default_policy(Settings()).origins
    assert {pair.rater_id: pair.origin in origins for pair in home.store.judged_pairs()} == {ADA: True, BEN: False}


def test_guest_has_one_battle(home: House) -> None:
    revealed(home)
    joined = [sharing(home).join("battle-1", GUEST, TERMS).battle_id for _ in range(3)]
    assert len(set(joined)) == 1
    assert visit(home).battle_id == joined[0]
    vote(home, joined[0])
    home.battles.reveal(joined[0], BEN)
    assert visit(home).state == "revealed"
    assert visit(home).battle_id == joined[0]


def test_guest_whose_battle_expired_may_join_again(home: House) -> None:
    revealed(home)
    first = sharing(home).join("battle-1", GUEST, TERMS).battle_id
    home.time.pass_s(3601)
    home.battles.expire()
    assert visit(home).offered
    assert sharing(home).join("battle-1", GUEST, TERMS).battle_id != first


@pytest.mark.parametrize("state", ["open", "voted"])
def test_battle_that_is_not_revealed_cannot_be_joined(home: House, state: str) -> None:
    home.battle_is_open()
    if state == "voted":
        home.battles.vote("battle-1", "a", ADA)
    assert refusal_of(lambda: visit(home)) == "foreign"
    assert refusal_of(lambda: sharing(home).join("battle-1", GUEST, TERMS)) == "foreign"


@pytest.mark.parametrize("why", ["own", "open mode", "hidden", "erased"])
def test_what_cannot_be_judged_blind_is_shown_as_it_is(home: House, why: str) -> None:
    revealed(home, blind=why != "open mode")
    viewer = Viewer(ADA) if why == "own" else GUEST
    if why == "hidden":
        Moderation(home.battles).hide("battle-1")
    if why == "erased":
        home.battles.erase(ADA)
    assert not visit(home, viewer).offered
    assert sharing(home).join("battle-1", viewer, TERMS).battle_id == "battle-1"


def test_battle_that_is_hidden_while_a_guest_joins_is_not_joined(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    revealed(home)
    write = home.store.write

    def hide_before(work: Any) -> Any:
        monkeypatch.undo()
        Moderation(home.battles).hide("battle-1")
        return write(work)

    monkeypatch.setattr(home.store, "write", hide_before)
    assert sharing(home).join("battle-1", GUEST, TERMS).battle_id == "battle-1"
    with home.store.reading() as reading:
        assert reading.scalar("SELECT count(*) FROM battles") == 1


def test_offer_does_not_depend_on_models_or_the_vote(tmp_path: Path) -> None:
    seen = set()
    for models in permutations(MODELS):
        for choice in ("a", "tie"):
            (folder := tmp_path / "-".join((*models, choice))).mkdir()
            home = house(folder)
            home.battle_is_open(models=models, ends={"b": FAILED})
            home.battles.vote("battle-1", choice, ADA)
            home.battles.reveal("battle-1", ADA)
            view = visit(home)
            assert view.offered
            assert view.state is BattleState.REVEALED
            seen.add(json.dumps(asdict(view), default=str, sort_keys=True))
            home.store.close()
    [sent] = seen
    assert not [word for word in ("pocket-", "org/", "apache", "it broke") if word in sent]


def test_consent_of_a_guest_is_stored(home: House) -> None:
    revealed(home)
    sharing(home).join("battle-1", GUEST, TERMS)
    with home.store.reading() as reading:
        found = reading.select("SELECT version FROM consents WHERE rater_id = ?", (BEN,))
        assert [row["version"] for row in found] == [TERMS]


def test_regenerated_battle_is_not_of_a_guest(home: House) -> None:
    revealed(home)
    home.battle_is_open("battle-2", parent_id="battle-1")
    assert home.battles.vote("battle-2", "a", ADA).choice == "a"
    again = home.store.battle("battle-2")
    assert again is not None
    assert again.vote is not None
    assert again.vote.origin is Origin.PERSON


@pytest.mark.parametrize("is_shown", [True, False], ids=["guest voted", "guest has not voted"])
def test_erasure_by_the_first_rater_reaches_guests(home: House, is_shown: bool) -> None:
    revealed(home)
    guests = sharing(home).join("battle-1", GUEST, TERMS).battle_id
    if is_shown:
        vote(home, guests)
    choices = [pair.winner for pair in home.store.judged_pairs()]
    assert home.battles.erase(ADA).battles == 1
    theirs = home.battles.view(guests, BEN)
    assert (theirs.erased, theirs.instruction.instruction, [c.text for c in theirs.columns]) == (True, "", ["", ""])
    assert theirs.state == ("revealed" if is_shown else "void")
    assert [pair.winner for pair in home.store.judged_pairs()] == choices
    with home.store.reading() as reading:
        [words] = reading.select("SELECT group_concat(prompt_text || text, '') FROM generations")
        assert tuple(words) == ("",)


def test_erasure_by_a_guest_leaves_the_first_rater_s_words(home: House) -> None:
    revealed(home)
    guests = sharing(home).join("battle-1", GUEST, TERMS).battle_id
    vote(home, guests)
    before = home.store.battle("battle-1")
    home.battles.erase(BEN)
    assert home.battles.view(guests, BEN).erased
    assert home.store.battle("battle-1") == before


def test_erasure_reaches_all_that_guests_made_of_the_words(home: House, tmp_path: Path) -> None:
    revealed(home, instruction=HERRING)
    guests = sharing(home).join("battle-1", GUEST, TERMS).battle_id
    vote(home, guests)
    home.battles.reveal(guests, BEN)
    further = sharing(home).join(guests, Viewer("eve"), TERMS).battle_id
    Battles(home.store, home.battles.rules).vote(further, Viewer("eve"), Ballot("a"))
    home.battle_is_open("again", instruction=HERRING, owner=BEN, parent_id=guests)
    home.battles.vote("again", "a", BEN)
    home.battles.reveal("again", BEN)
    folder = keep_journal(home.store)
    assert HERRING.instruction.encode() in content_of(folder)
    home.battles.erase(ADA)
    keep_journal(home.store)
    assert HERRING.instruction.encode() not in content_of(folder)
    shown = ("battle-1", guests, further, "again")
    with Store(tmp_path / "restored" / "playground.db") as restored:
        restore(restored, folder)
        assert [restored.battle(id) for id in shown] == [home.store.battle(id) for id in shown]
        assert all(battle is not None and battle.erased_at for battle in map(restored.battle, shown))
