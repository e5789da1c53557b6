"""The Operator page over real battles: only the operator gets a word of it, and decisions are made there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from playground.arena.arena import Arena
from playground.records import Instruction
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.ui.http.operator import OperatorAccess, OperatorStatus
from playground.ui.pages.operator.page import MOST_BATTLES, OperatorPage
from playground.ui.texts import operator as texts
from tests.support.cast import ADA, House
from tests.support.stub_arena import HOSTILE

ACCESS = OperatorAccess("t" * 40)
ANSWER = {"text": "Ships full of nutmeg."}


def request(is_operator: bool) -> Any:
    return SimpleNamespace(scope={"playground.operator": OperatorStatus(is_operator, ACCESS)})


OPERATOR, OTHER = request(True), request(False)


@pytest.fixture(scope="module")
def empty() -> Arena:
    """An arena that opens no models."""
    return Arena(Settings())


@pytest.fixture
def arena(empty: Arena, tmp_path: Path) -> Iterator[Arena]:
    """The same with a database of its own."""
    with Store(tmp_path / "playground.db") as store:
        empty.battles.open(store)
        yield empty
    empty.battles.close()


@pytest.fixture
def home(arena: Arena) -> House:
    return House(arena.store)


@pytest.fixture(scope="module")
def page(empty: Arena) -> OperatorPage:
    with gr.Blocks():
        return OperatorPage(empty)


def reported(home: House, number: int = 1, words: str = "rude") -> str:
    """Create a reported battle; return its id."""
    battle_id = f"{number:032x}"
    asked = Instruction("Tell me of Zanzibar.", system="You sell peppercorn.")
    home.battle_is_open(battle_id, instruction=asked, ends={"a": ANSWER, "b": ANSWER})
    home.battles.note(battle_id, ADA, report_side="b", report=words)
    home.time.pass_s(1)
    return battle_id


def press(page: OperatorPage, do: object, battle: object, asked: object = "", by: Any = OPERATOR) -> dict[Any, Any]:
    event = gr.EventData(None, {"do": do, "battle": battle})
    return page.press(asked, event, by)


def test_operator_sees_reports_with_all_words_and_no_model(page: OperatorPage, home: House) -> None:
    reported(home)
    drawn = page.look_up("", OPERATOR)
    assert "1 new report on 1 battle to review." in drawn[page.lead]
    for words in ("rude", "Answer B", "Tell me of Zanzibar.", "You sell peppercorn.", "Ships full of nutmeg."):
        assert words in drawn[page.list], words
    assert "pocket" not in drawn[page.list]
    assert drawn[page.list].count("data-do='hide'") == 1


def test_operator_hides_shows_and_dismisses(page: OperatorPage, home: House) -> None:
    battle_id = reported(home)
    hidden = press(page, "hide", battle_id)
    assert "Hidden: nobody but you" in hidden[page.said]
    assert "Nothing waits for you. 1 battle hidden." in hidden[page.lead]
    assert "data-do='show'" in hidden[page.list]
    assert home.battles.view(battle_id, ADA).hidden
    shown = press(page, "show", battle_id)
    assert "Shown again" in shown[page.said]
    assert texts.NONE_HIDDEN in shown[page.list]
    assert not home.battles.view(battle_id, ADA).hidden
    home.battles.note(battle_id, ADA, report_side="a", report="rude")
    dismissed = press(page, "dismiss", battle_id)
    assert texts.NONE_REPORTED in dismissed[page.list]


def test_nobody_else_gets_a_word_or_changes_anything(page: OperatorPage, home: House, arena: Arena) -> None:
    battle_id = reported(home)
    drawn = page.draw(OTHER)
    assert "enter the token" in drawn[page.session]
    updates = [drawn, page.look_up(battle_id, OTHER), page.look_up("f" * 32, OTHER)]
    updates += [press(page, do, battle_id, battle_id, by=OTHER) for do in ("hide", "show", "dismiss", "delete")]
    for update in updates:
        said = " ".join(str(value) for value in update.values())
        assert texts.NOT_YOURS in said
        assert not [word for word in (battle_id, "rude", "Zanzibar", "nutmeg", "1 battle") if word in said]
        assert update.get(page.list, "") == ""
    assert arena.moderation.counts().reports == 1
    assert not home.battles.view(battle_id, ADA).hidden


@pytest.mark.parametrize("asked", ["{id}", " {id}\n", "https://play.example/?battle={id}", "?x=1&battle={id}#answers"])
def test_battle_is_looked_up_by_id_or_link(page: OperatorPage, home: House, asked: str) -> None:
    battle_id = reported(home)
    press(page, "dismiss", battle_id)
    drawn = page.look_up(asked.format(id=battle_id), OPERATOR)
    assert texts.FOUND in drawn[page.list]
    assert "Ships full of nutmeg." in drawn[page.list]
    assert "reviewed" in drawn[page.list]
    hidden = press(page, "hide", battle_id, asked.format(id=battle_id))
    assert hidden[page.list].count(f"data-do='show' data-battle='{battle_id}'") == 2, "as found, and as hidden"


@pytest.mark.parametrize(
    ("asked", "words"), [("f" * 32, "There is no such battle here"), ("x", "an id is 32 hexadecimal digits")]
)
def test_unknown_battle_is_explained(page: OperatorPage, home: House, asked: str, words: str) -> None:
    assert words in page.look_up(asked, OPERATOR)[page.said]
    battle_id = reported(home)
    assert "Hidden" in press(page, "hide", battle_id, asked)[page.said]


@pytest.mark.parametrize(
    ("do", "battle", "words"),
    [
        ("delete", "1" * 32, texts.NO_SUCH_ACTION),
        (["hide"], "1" * 32, texts.NO_SUCH_ACTION),
        (None, None, texts.NO_SUCH_ACTION),
        ("hide", None, "it has to be text"),
        ("hide", ["1" * 32], "it has to be text"),
        ("hide", "x" * 100_000, "an id is 32 hexadecimal digits"),
        ("hide", "f" * 32, "There is no such battle here"),
    ],
    ids=repr,
)
def test_forged_press_is_explained(page: OperatorPage, home: House, do: object, battle: object, words: str) -> None:
    drawn = press(page, do, battle)
    assert words in drawn[page.said]
    assert "class='error'" in drawn[page.said]


def test_words_of_visitors_and_models_are_escaped(page: OperatorPage, home: House) -> None:
    battle_id = f"{1:032x}"
    home.battle_is_open(battle_id, instruction=Instruction(HOSTILE), ends={"a": {"text": HOSTILE}})
    home.battles.note(battle_id, ADA, report_side="a", report=HOSTILE)
    drawn = page.look_up(battle_id, OPERATOR)[page.list]
    for markup in ("<script", "<img", "<form", "<div style", "<b>bold", "${", "{{"):
        assert markup not in drawn


def test_long_texts_and_lists_are_cut_and_say_so(page: OperatorPage, home: House) -> None:
    long = "z" * 2000
    home.battle_is_open("f" * 32, ends={"a": {"text": long}})
    home.battles.note("f" * 32, ADA, report_side="a", report="long")
    for number in range(MOST_BATTLES + 1):
        reported(home, number)
    home.battles.note("f" * 32, ADA, report_side="a", report="long")
    drawn = page.look_up("", OPERATOR)[page.list]
    assert drawn.count("<article") == MOST_BATTLES
    assert "2 more; review these first." in drawn
    assert long not in drawn
    assert "500 characters more" in drawn
    assert long in page.look_up("f" * 32, OPERATOR)[page.list]


def test_erased_battle_has_no_words_left(page: OperatorPage, home: House) -> None:
    battle_id = reported(home)
    home.battles.erase(ADA)
    drawn = page.look_up(battle_id, OPERATOR)[page.list]
    assert texts.ERASED in drawn
    assert "<details" not in drawn
