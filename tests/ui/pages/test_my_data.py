"""The Yours room over a real arena: whose things are shown, erased and exported; and that consent comes first."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.datastructures import Headers

from playground.arena.arena import Arena
from playground.errors import Refused
from playground.raters import new_secret, rater_id
from playground.records import BattleState, Belongings, Instruction, OwnBattle
from playground.settings import Settings
from playground.ui.http.middleware import COOKIE
from playground.ui.pages.my_data import LATEST, MyDataPage, list_html
from playground.ui.texts import my_data as texts
from tests.arena.test_arena import ended, write_card
from tests.support.cast import House
from tests.support.checkpoints import write_checkpoint
from tests.support.processes import frozen_models
from tests.support.stub_arena import HOSTILE

pytestmark = pytest.mark.usefixtures("models_of_one_process")

HERS = Instruction("Ada asks about herrings.")


@dataclass(frozen=True)
class Person:
    """A visitor with a browser of her own."""

    secret: str = field(default_factory=new_secret)

    @property
    def id(self) -> str:
        return rater_id(self.secret)

    @property
    def browser(self) -> Any:
        return SimpleNamespace(headers=Headers({"cookie": f"{COOKIE}={self.secret}"}))


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("yours")
    cards = home / "cards"
    cards.mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(home / kind, kind))
    arena = Arena(Settings(db=home / "data" / "playground.db", cards=str(cards), models="tiny-llama,tiny-opt"))
    arena.open()
    yield arena
    arena.close()


@pytest.fixture(scope="module")
def room(arena: Arena) -> MyDataPage:
    with gr.Blocks():
        return MyDataPage(arena)


@pytest.fixture
def ada() -> Person:
    return Person()


@pytest.fixture
def ben() -> Person:
    return Person()


def judged(arena: Arena, person: Person, name: str = "1", instruction: Instruction = HERS) -> str:
    """A battle that was judged and commented on; its id."""
    house, battle_id = House(arena.store), f"{person.id}-{name}"
    house.battle_is_open(battle_id, owner=person.id, instruction=instruction)
    house.battles.vote(battle_id, "b", person.id, comment="Ada likes herrings.", final=True)
    return battle_id


def shown(updates: dict[Any, Any], component: Any) -> str:
    return str(updates[component])


def rows(arena: Arena, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(arena.settings.db)) as connection:
        return connection.execute(statement, values).fetchall()


# Consent


def test_no_battle_is_stored_without_its_raters_consent_before_it(arena: Arena, ada: Person, ben: Person) -> None:
    made = [
        arena.compare(HERS, owner=owner, source=source, blind=True, keep=keep)
        for source, owner, keep in (
            ("page", ada.id, True),
            ("page", ada.id, True),
            ("api", "ann", True),
            ("page", ben.id, False),
        )
    ]
    arena.regenerate(ended(arena, made[0], ada.id).battle_id, ada.id)
    without = (
        "SELECT b.id FROM battles b WHERE b.owner IN (?, ?, ?) AND NOT EXISTS ("
        "SELECT 1 FROM consents c WHERE c.rater_id = b.owner AND c.created_at <= b.created_at)"
    )
    owners = (ada.id, ben.id, "ann")
    assert rows(arena, "SELECT count(*) FROM battles WHERE owner IN (?, ?, ?)", *owners) == [(4,)]
    assert rows(arena, without, *owners) == []
    agreed = rows(arena, "SELECT rater_id, version FROM consents")
    assert sorted(agreed) == sorted([(ada.id, arena.terms.version), ("ann", arena.terms.version)])


# What is shown


def test_the_room_shows_what_is_stored_of_this_browsers_rater(
    arena: Arena, room: MyDataPage, ada: Person, ben: Person
) -> None:
    hers, his = judged(arena, ada), judged(arena, ben)
    drawn = room.draw(ada.browser)
    assert "Stored for this browser: 1 battle, 1 vote, 1 comment or report." in shown(drawn, room.lead)
    assert f"href='./?battle={hers}'" in shown(drawn, room.list)
    assert "you chose B" in shown(drawn, room.list)
    assert his not in shown(drawn, room.list)


def test_a_browser_without_a_cookie_is_told_so(room: MyDataPage) -> None:
    nobody: Any = SimpleNamespace(headers=Headers())
    for updates in (room.draw(nobody), room.show_receipt(nobody), room.ask("", nobody), room.as_file("", nobody)):
        assert "keeps no cookie" in shown(updates, room.said)


def test_the_receipt_is_sent_only_when_asked_for(arena: Arena, room: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert ada.secret not in repr(room.draw(ada.browser))
    assert room.show_receipt(ada.browser)[room.receipt]["value"] == ada.secret


def test_another_browsers_receipt_shows_and_erases_what_is_its(
    arena: Arena, room: MyDataPage, ada: Person, ben: Person
) -> None:
    judged(arena, ada)
    his, typed = judged(arena, ben), f" {ben.secret.upper()}\n"
    drawn = room.open_receipt(typed, ada.browser)
    assert "Stored for that receipt: 1 battle" in shown(drawn, room.lead)
    assert his in shown(drawn, room.list)
    assert "of 1 battle of that receipt" in shown(room.ask(typed, ada.browser), room.question)
    room.erase(typed, ada.browser)
    assert arena.belongings(ben.id) == Belongings(0, 1, 1, 0)
    assert arena.belongings(ada.id) == Belongings(1, 0, 1, 1)


@pytest.mark.parametrize("typed", ["abc", "g" * 32, HOSTILE, "ab" * 17])
def test_what_is_no_receipt_changes_nothing(arena: Arena, room: MyDataPage, ada: Person, typed: str) -> None:
    judged(arena, ada)
    for handler in (room.open_receipt, room.ask, room.erase, room.as_file):
        updates = handler(typed, ada.browser)
        assert "no receipt" in shown(updates, room.said)
        assert room.list not in updates
    assert arena.belongings(ada.id).battles == 1


def test_what_is_no_text_is_taken_as_no_receipt_at_all(arena: Arena, room: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert "1 battle" in shown(room.open_receipt([{"a": 1}], ada.browser), room.lead)


def test_instructions_are_escaped_and_cut(arena: Arena, room: MyDataPage, ada: Person) -> None:
    judged(arena, ada, instruction=Instruction(f"<script>${{1+1}}\n{HOSTILE}"))
    drawn = shown(room.draw(ada.browser), room.list)
    assert "<script" not in drawn
    assert "${" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "…</a>" in drawn


def test_list_and_file_say_whether_a_vote_counts(arena: Arena, room: MyDataPage, ada: Person) -> None:
    judged(arena, ada)  # at once
    assert "you chose B · Not counted: decided in under 1 s." in shown(room.draw(ada.browser), room.list)
    (battle,) = json.loads(shown(room.as_file("", ada.browser), room.document))["battles"]
    assert (battle["counts"], battle["why_not"]) == (False, "decided in under 1 s")


def test_a_vote_that_can_no_longer_be_undone_is_listed_as_final(arena: Arena, room: MyDataPage, ada: Person) -> None:
    home = House(arena.store)
    home.battle_is_open(f"{ada.id}-left", owner=ada.id, draw_probability=0.5)
    home.time.pass_s(2)
    home.battles.vote(f"{ada.id}-left", "b", ada.id)  # in the past: its time is up, and nobody has looked
    assert "you chose B · Counted." in shown(room.draw(ada.browser), room.list)


def test_the_list_says_how_much_of_it_is_shown() -> None:
    one = OwnBattle("1" * 32, "2026-11-20T19:00:00.000+00:00", BattleState.OPEN, "Hello", None, False)
    assert "2026-11-20 19:00 UTC · no vote yet" in list_html([one], mine=True)
    assert f"latest {LATEST} battles" in list_html([one] * LATEST, mine=True)


def test_of_another_receipt_only_revealed_battles_are_linked() -> None:
    one = OwnBattle("1" * 32, "2026-11-20T19:00:00.000+00:00", BattleState.OPEN, "Hello", None, False)
    assert "href" in list_html([one], mine=True)
    assert "href" not in list_html([one], mine=False)
    assert "href" in list_html([replace(one, state=BattleState.REVEALED)], mine=False)


# Erasing


def test_erasing_takes_two_steps_and_the_list_says_what_is_left(arena: Arena, room: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert room.ask("", ada.browser)[room.confirm]["visible"] is True
    assert arena.belongings(ada.id).battles == 1
    drawn = room.erase("", ada.browser)
    assert drawn[room.confirm]["visible"] is False
    assert "Erased: the texts of 1 battle, and 1 comment or report." in shown(drawn, room.said)
    assert "herrings" not in repr(drawn)
    assert "No texts are left of 1 erased battle, only votes." in shown(drawn, room.lead)
    assert texts.NOTHING_TO_ERASE in shown(room.ask("", ada.browser), room.said)


def test_a_receipt_that_nothing_belongs_to_erases_nothing_and_says_so(room: MyDataPage, ada: Person) -> None:
    drawn = room.erase(new_secret(), ada.browser)
    assert texts.NOTHING_TO_ERASE in shown(drawn, room.said)
    assert "Erased:" not in shown(drawn, room.said)


def test_bytes_of_what_was_erased_are_soon_in_no_file_of_the_folder(arena: Arena, ada: Person) -> None:
    folder, told = arena.settings.db.parent, Instruction("Where do marmots sleep?")

    def is_left() -> bool:
        return any(b"marmots" in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    for number in range(30):
        judged(arena, ada, str(number), told)
    assert is_left()
    arena.erase(ada.id)
    deadline = time.monotonic() + 60
    while is_left():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_only_in_memory_is_forgotten_too_once_it_has_been_written(
    arena: Arena, ada: Person, ben: Person
) -> None:
    bens = ended(arena, arena.compare(HERS, owner=ben.id, source="page", blind=False, keep=False), ben.id)
    with frozen_models(os.getpid()):
        adas = arena.compare(HERS, owner=ada.id, source="page", blind=False, keep=False)
        with pytest.raises(Refused, match="nothing was erased"):
            arena.erase(ada.id)
        arena.stop(adas, ada.id)
    while adas in arena.running:
        arena.view(adas, ada.id)
        time.sleep(0.01)
    arena.erase(ada.id)
    with pytest.raises(Refused, match="no such battle"):
        arena.view(adas, ada.id)
    assert arena.view(bens.battle_id, ben.id) == bens


def test_an_erased_battle_cannot_be_had_again(arena: Arena, ada: Person) -> None:
    view = ended(arena, arena.compare(HERS, owner=ada.id, source="page", blind=False), ada.id)
    arena.erase(ada.id)
    erased = arena.view(view.battle_id, ada.id)
    assert (erased.erased, erased.state, erased.instruction) == (True, BattleState.VOID, Instruction(""))
    with pytest.raises(Refused, match="erased by its rater"):
        arena.regenerate(view.battle_id, ada.id)


# Export


def test_the_file_holds_everything_of_hers_and_nothing_of_others(
    arena: Arena, room: MyDataPage, ada: Person, ben: Person
) -> None:
    hers, his = judged(arena, ada), judged(arena, ben)
    arena.note(his, ada.id, report_side="a", report="Ada reports.")
    document = json.loads(room.as_file("", ada.browser)[room.document])
    assert document["rater_id"] == ada.id
    assert [battle["battle_id"] for battle in document["battles"]] == [hers]
    told = document["battles"][0]
    assert (told["instruction"], told["choice"], told["comment"]) == (HERS.instruction, "b", "Ada likes herrings.")
    assert all(answer["text"] and answer["model"] for answer in told["answers"])
    assert [report["text"] for report in document["reports"]] == ["Ada reports."]
    assert ada.secret not in json.dumps(document)


def test_the_file_names_no_model_of_a_battle_that_is_blind_still(arena: Arena, room: MyDataPage, ada: Person) -> None:
    House(arena.store).battle_is_open(f"{ada.id}-blind", owner=ada.id, instruction=HERS)
    text = room.as_file("", ada.browser)[room.document]
    assert HERS.instruction in text
    assert "pocket-" not in text
    assert "license" not in text
