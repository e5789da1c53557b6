"""My data over a real arena: what is shown, erased and saved; consent is stored first."""

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
from playground.battles import Viewer
from playground.errors import Refused
from playground.rater_ids import COOKIE, new_secret, rater_id
from playground.records import BattleState, Belongings, Instruction, OwnBattle
from playground.settings import Settings
from playground.ui.pages.my_data import LATEST, MyDataPage, list_html
from playground.ui.texts import my_data as texts
from tests.arena.test_arena import ended, write_card
from tests.support.cast import House
from tests.support.checkpoints import write_checkpoint
from tests.support.paneling import paneled
from tests.support.processes import frozen_models
from tests.support.stub_arena import HOSTILE

HERRINGS = Instruction("Ada asks about herrings.")


@dataclass(frozen=True)
class Person:
    """A visitor with a browser."""

    secret: str = field(default_factory=new_secret)

    @property
    def id(self) -> str:
        return rater_id(self.secret)

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.id)

    @property
    def browser(self) -> Any:
        return SimpleNamespace(headers=Headers({"cookie": f"{COOKIE}={self.secret}"}))


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[Arena]:
    home = tmp_path_factory.mktemp("my-data")
    cards = home / "cards"
    cards.mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(home / kind, kind))
    arena = Arena(Settings(db=home / "data" / "playground.db", cards=str(cards), models="tiny-llama,tiny-opt"))
    arena.open()
    yield arena
    arena.close()


@pytest.fixture(scope="module")
def my_data(arena: Arena) -> MyDataPage:
    with gr.Blocks():
        return MyDataPage(arena)


@pytest.fixture
def ada() -> Person:
    return Person()


@pytest.fixture
def ben() -> Person:
    return Person()


def judged(arena: Arena, person: Person, name: str = "1", instruction: Instruction = HERRINGS) -> str:
    """Make a battle with a final vote and a comment; return its id."""
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


def test_consent_is_stored_before_the_first_battle(arena: Arena, ada: Person, ben: Person) -> None:
    made = [
        arena.compare(HERRINGS, Viewer(owner, source), blind=True, keep=keep)
        for source, owner, keep in (
            ("page", ada.id, True),
            ("page", ada.id, True),
            ("api", "ann", True),
            ("page", ben.id, False),
        )
    ]
    arena.regenerate(ended(arena, made[0], ada.viewer).battle_id, ada.viewer)
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


@pytest.mark.parametrize(
    ("choice", "words"), [("b", "you chose B"), ("b>a=c", "you ranked B > A = C"), ("tie", "a tie")]
)
def test_vote_is_named_as_it_was_given(choice: str, words: str) -> None:
    assert texts.vote(OwnBattle("b" * 32, "", BattleState.REVEALED, "Hi", choice, False)) == words


def test_page_shows_the_data_of_this_browser(arena: Arena, my_data: MyDataPage, ada: Person, ben: Person) -> None:
    adas, bens = judged(arena, ada), judged(arena, ben)
    drawn = my_data.draw(ada.browser)
    assert "Stored for this browser: 1 battle, 1 vote, 1 comment or report." in shown(drawn, my_data.lead)
    assert f"href='./?battle={adas}'" in shown(drawn, my_data.list)
    assert "you chose B" in shown(drawn, my_data.list)
    assert bens not in shown(drawn, my_data.list)


def test_browser_without_a_cookie_is_told(my_data: MyDataPage) -> None:
    nobody: Any = SimpleNamespace(headers=Headers())
    for updates in (
        my_data.draw(nobody),
        my_data.show_receipt(nobody),
        my_data.ask("", nobody),
        my_data.as_file("", nobody),
    ):
        assert "keeps no cookie" in shown(updates, my_data.said)


def test_receipt_is_sent_on_request_only(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert ada.secret not in repr(my_data.draw(ada.browser))
    assert my_data.show_receipt(ada.browser)[my_data.receipt]["value"] == ada.secret


def test_typed_receipt_shows_and_erases_its_own_data(
    arena: Arena, my_data: MyDataPage, ada: Person, ben: Person
) -> None:
    judged(arena, ada)
    bens, typed = judged(arena, ben), f" {ben.secret.upper()}\n"
    drawn = my_data.open_receipt(typed, ada.browser)
    assert "Stored for that receipt: 1 battle" in shown(drawn, my_data.lead)
    assert bens in shown(drawn, my_data.list)
    assert "of 1 battle of that receipt" in shown(my_data.ask(typed, ada.browser), my_data.question)
    my_data.erase(typed, ada.browser)
    assert arena.raters.totals(ben.id) == Belongings(0, 1, 1, 0)
    assert arena.raters.totals(ada.id) == Belongings(1, 0, 1, 1)


@pytest.mark.parametrize("typed", ["abc", "g" * 32, HOSTILE, "ab" * 17])
def test_invalid_receipt_changes_nothing(arena: Arena, my_data: MyDataPage, ada: Person, typed: str) -> None:
    judged(arena, ada)
    for handler in (my_data.open_receipt, my_data.ask, my_data.erase, my_data.as_file):
        updates = handler(typed, ada.browser)
        assert "not a receipt" in shown(updates, my_data.said)
        assert my_data.list not in updates
    assert arena.raters.totals(ada.id).battles == 1


def test_value_that_is_not_a_text_counts_as_no_receipt(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert "1 battle" in shown(my_data.open_receipt([{"a": 1}], ada.browser), my_data.lead)


def test_instructions_are_escaped_and_cut(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    judged(arena, ada, instruction=Instruction(f"<script>${{1+1}}\n{HOSTILE}"))
    drawn = shown(my_data.draw(ada.browser), my_data.list)
    assert "<script" not in drawn
    assert "${" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "…</a>" in drawn


def test_list_and_file_say_whether_a_vote_counts(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    judged(arena, ada)  # at once
    assert "you chose B · Not counted: decided in under 1 s." in shown(my_data.draw(ada.browser), my_data.list)
    (battle,) = json.loads(shown(my_data.as_file("", ada.browser), my_data.document))["battles"]
    assert (battle["counts"], battle["why_not"]) == (False, "decided in under 1 s")


def test_vote_past_its_undo_time_is_listed_as_final(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    home = House(arena.store)
    home.battle_is_open(f"{ada.id}-left", owner=ada.id, draw_probability=0.5)
    home.time.pass_s(2)
    home.battles.vote(f"{ada.id}-left", "b", ada.id)  # in the past: it is final, though nobody read it since
    assert "you chose B · Counted." in shown(my_data.draw(ada.browser), my_data.list)


def test_id_at_a_panel_is_listed_and_erased(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    study = paneled(House(arena.store), 3)
    study.next(study.enter(), browser=ada.id)
    assert texts.PANEL_ID[True] in shown(my_data.draw(ada.browser), my_data.lead)
    asked = my_data.ask("", ada.browser)
    assert asked[my_data.confirm]["visible"] is True
    assert texts.PANEL_ID_QUESTION[True] in shown(asked, my_data.question)
    assert texts.PANEL_ID_ERASED in shown(my_data.erase("", ada.browser), my_data.said)
    assert texts.NOTHING_TO_ERASE in shown(my_data.ask("", ada.browser), my_data.said)


def test_list_says_how_many_battles_it_shows() -> None:
    one = OwnBattle("1" * 32, "2026-11-20T19:00:00.000+00:00", BattleState.OPEN, "Hello", None, False)
    assert "2026-11-20 19:00 UTC · no vote yet" in list_html([one], mine=True)
    assert f"latest {LATEST} battles" in list_html([one] * LATEST, mine=True)


@pytest.mark.parametrize(("erased", "words"), [(True, texts.ERASED_BATTLE), (False, texts.HIDDEN_BATTLE)])
def test_withheld_battle_says_why(erased: bool, words: str) -> None:
    hidden = OwnBattle("1" * 32, "2026-11-20T19:00:00.000+00:00", BattleState.OPEN, "", None, erased, hidden=True)
    assert f">{words}</a>" in list_html([hidden], mine=True)


def test_typed_receipt_links_revealed_battles_only() -> None:
    one = OwnBattle("1" * 32, "2026-11-20T19:00:00.000+00:00", BattleState.OPEN, "Hello", None, False)
    assert "href" in list_html([one], mine=True)
    assert "href" not in list_html([one], mine=False)
    assert "href" in list_html([replace(one, state=BattleState.REVEALED)], mine=False)


# Erasing


def test_erasure_takes_two_steps_and_leaves_votes(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    judged(arena, ada)
    assert my_data.ask("", ada.browser)[my_data.confirm]["visible"] is True
    assert arena.raters.totals(ada.id).battles == 1
    drawn = my_data.erase("", ada.browser)
    assert drawn[my_data.confirm]["visible"] is False
    assert "Erased: the texts of 1 battle, and 1 comment or report." in shown(drawn, my_data.said)
    assert "herrings" not in repr(drawn)
    assert "No texts are left of 1 erased battle, only votes." in shown(drawn, my_data.lead)
    assert texts.NOTHING_TO_ERASE in shown(my_data.ask("", ada.browser), my_data.said)


def test_unused_receipt_has_nothing_to_erase(my_data: MyDataPage, ada: Person) -> None:
    drawn = my_data.erase(new_secret(), ada.browser)
    assert texts.NOTHING_TO_ERASE in shown(drawn, my_data.said)
    assert "Erased:" not in shown(drawn, my_data.said)


def test_erased_bytes_disappear_from_all_files(arena: Arena, ada: Person) -> None:
    folder, told = arena.settings.db.parent, Instruction("Where do marmots sleep?")

    def is_left() -> bool:
        return any(b"marmots" in path.read_bytes() for path in folder.rglob("*") if path.is_file())

    for number in range(30):
        judged(arena, ada, str(number), told)
    assert is_left()
    arena.raters.erase(ada.id)
    deadline = time.monotonic() + 60
    while is_left():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_erasure_forgets_unstored_battles_that_have_ended(arena: Arena, ada: Person, ben: Person) -> None:
    bens = ended(arena, arena.compare(HERRINGS, ben.viewer, blind=False, keep=False), ben.viewer)
    with frozen_models(os.getpid()):
        adas = arena.compare(HERRINGS, ada.viewer, blind=False, keep=False)
        with pytest.raises(Refused, match="nothing was erased"):
            arena.raters.erase(ada.id)
        arena.stop(adas, ada.viewer)
    while adas in arena.running:
        arena.battles.view(adas, ada.viewer)
        time.sleep(0.01)
    arena.raters.erase(ada.id)
    with pytest.raises(Refused, match="no such battle"):
        arena.battles.view(adas, ada.viewer)
    assert arena.battles.view(bens.battle_id, ben.viewer) == bens


def test_erased_battle_cannot_be_regenerated(arena: Arena, ada: Person) -> None:
    view = ended(arena, arena.compare(HERRINGS, ada.viewer, blind=False), ada.viewer)
    arena.raters.erase(ada.id)
    erased = arena.battles.view(view.battle_id, ada.viewer)
    assert (erased.erased, erased.state, erased.instruction) == (True, BattleState.VOID, Instruction(""))
    with pytest.raises(Refused, match="erased by its rater"):
        arena.regenerate(view.battle_id, ada.viewer)


# Export


def test_file_has_all_data_of_its_rater_and_no_other(
    arena: Arena, my_data: MyDataPage, ada: Person, ben: Person
) -> None:
    adas, bens = judged(arena, ada), judged(arena, ben)
    arena.battles.report(bens, ada.viewer, "a", "Ada reports.")
    document = json.loads(my_data.as_file("", ada.browser)[my_data.document])
    assert document["rater_id"] == ada.id
    assert [battle["battle_id"] for battle in document["battles"]] == [adas]
    told = document["battles"][0]
    assert (told["instruction"], told["choice"], told["comment"]) == (HERRINGS.instruction, "b", "Ada likes herrings.")
    assert all(answer["text"] and answer["model"] for answer in told["answers"])
    assert [report["text"] for report in document["reports"]] == ["Ada reports."]
    assert ada.secret not in json.dumps(document)


def test_file_names_no_model_of_a_blind_battle(arena: Arena, my_data: MyDataPage, ada: Person) -> None:
    House(arena.store).battle_is_open(f"{ada.id}-blind", owner=ada.id, instruction=HERRINGS)
    text = my_data.as_file("", ada.browser)[my_data.document]
    assert HERRINGS.instruction in text
    assert "pocket-" not in text
    assert "license" not in text
