"""Studies on the Operator page: progress, raters, and judging battles on which these differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from playground.arena.arena import Arena
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.ui.pages.operator.studies import StudiesPanel
from tests.support.cast import ADA, House
from tests.support.studying import FINAL_S, Studied, studied
from tests.ui.pages.operator.test_page import OPERATOR, OTHER


@pytest.fixture(scope="module")
def empty() -> Arena:
    return Arena(Settings())


@pytest.fixture
def study(empty: Arena, tmp_path: Path) -> Iterator[Studied]:
    """Two raters who differ on both battles; the arena reads the same database."""
    with Store(tmp_path / "playground.db") as store:
        empty.battles.open(store)
        home = House(store)
        study = studied(home, 2, 2, raters_per_battle=2)
        for link in (1, 2):
            for _ in range(2):
                battle = str(study.next(link).battle_id)
                study.vote(link, battle, study.side_of(battle, first=link == 1))
        home.time.pass_s(FINAL_S)
        yield study
    empty.battles.close()


@pytest.fixture(scope="module")
def panel(empty: Arena) -> StudiesPanel:
    with gr.Blocks():
        return StudiesPanel(empty)


def press(panel: StudiesPanel, do: object, battle: object = "", by: Any = OPERATOR) -> dict[Any, Any]:
    return panel.press(gr.EventData(None, {"do": do, "battle": battle}), by)


def test_operator_sees_progress_and_differences_without_models(panel: StudiesPanel, study: Studied) -> None:
    drawn = panel.draw(OPERATOR)[panel.list]
    for words in ("helpful", "4 of 1,000 votes", "Raters differ on 2 battles", "2 wait for you.", "Grey waves. q0"):
        assert words in drawn, words
    assert "Rater 1: the first answer" in drawn
    assert "<td>0/2</td>" in drawn
    assert "pocket" not in drawn


def test_judgement_is_stored_and_leaves_the_list(panel: StudiesPanel, study: Studied) -> None:
    judged = press(panel, "tie", "helpful/1")
    assert "Saved: a tie for battle 1 of helpful." in judged[panel.said]
    assert "1 waits for you." in judged[panel.list]
    assert "Battle 1:" not in judged[panel.list]
    every = press(panel, "all")[panel.list]
    assert "You: a tie" in every
    assert study.rows("SELECT item, outcome FROM adjudications") == [(1, "tie")]


@pytest.mark.parametrize(
    ("do", "battle"), [("c", "helpful/1"), ("tie", "helpful/x"), ("tie", None), (7, "helpful/1"), ("tie", "other/1")]
)
def test_anything_else_is_refused_in_words(panel: StudiesPanel, study: Studied, do: object, battle: object) -> None:
    said = press(panel, do, battle)
    assert panel.list not in said
    assert said[panel.said]
    assert study.rows("SELECT * FROM adjudications") == []


def test_others_see_and_change_nothing(panel: StudiesPanel, study: Studied) -> None:
    assert panel.draw(OTHER)[panel.list] == ""
    assert panel.list not in press(panel, "tie", "helpful/1", OTHER)
    assert study.rows("SELECT * FROM adjudications") == []


def test_closed_studies_are_listed_with_their_end(panel: StudiesPanel, study: Studied) -> None:
    now = study.home.time.now()
    study.home.battle_is_open("elsewhere", study="older", study_hash="5a" * 32, study_kind="item")
    study.home.battles.vote("elsewhere", "a", ADA, final=True)
    study.home.store.write(lambda writing: writing.close_study("helpful", now, "<enough>"))
    study.home.store.write(lambda writing: writing.close_unknown_study("older", "2026-01-02", "gone"))
    drawn = panel.draw(OPERATOR)[panel.list]
    assert "Studies that are running" not in drawn
    assert f"<b>helpful</b>: <span dir='auto'>4 votes · closed on {now[:10]}: &lt;enough&gt;</span>" in drawn
    assert "<b>older</b>: <span dir='auto'>1 vote · closed on 2026-01-02: gone</span>" in drawn
    assert "href='./leaderboard?study=helpful'" in drawn
    assert panel.draw(OTHER)[panel.list] == ""


def test_reasons_are_shown_in_words(panel: StudiesPanel, study: Studied) -> None:
    for link in (1, 2):
        battle = str(study.next(link).battle_id or "")
        assert not battle
    [(battle,)] = study.rows("SELECT battle FROM assignments WHERE rater = 1 AND place = 1")
    study.home.battles.note(battle, "rater-1", reasons=["style", "length"])
    drawn = panel.draw(OPERATOR)[panel.list]
    assert "the right length · well written" in drawn
