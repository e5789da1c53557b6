"""The answer columns in every phase."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest

from playground.records import BattleState, ColumnState
from playground.ui.pages.compare.columns import Columns
from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from tests.support.page_states import make_column, make_view, page, shown


@pytest.fixture(scope="module")
def columns() -> Columns:
    with gr.Blocks():
        return Columns.build(4)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_each_side_has_a_visible_column(columns: Columns, count: int) -> None:
    updates = columns.render(page(Phase.OPEN, count=count))
    assert [shown(updates, panel.box) for panel in columns.panels] == [place < count for place in range(6)]


def test_empty_page_has_an_introduction_and_no_columns(columns: Columns) -> None:
    updates = columns.render(PageState(default_columns=4))
    assert not any(shown(updates, panel.box) for panel in columns.panels)
    assert "goes to 4 models" in updates[columns.intro]["value"]


@pytest.mark.parametrize("phase", [Phase.GENERATING, Phase.OPEN, Phase.VOTED, Phase.VOID])
def test_blind_battle_shows_no_name_number_or_prompt(columns: Columns, phase: Phase) -> None:
    updates = columns.render(page(phase))
    for panel in columns.panels[:2]:
        assert "pocket" not in updates[panel.head]["value"]
        assert updates[panel.foot]["value"] == ""
        assert not shown(updates, panel.details)
        assert updates[panel.prompt]["value"] == ""


@pytest.mark.parametrize(("phase", "blind"), [(Phase.REVEALED, True), (Phase.OPEN, False)])
def test_revealed_and_open_battles_show_everything(columns: Columns, phase: Phase, blind: bool) -> None:
    updates, panel = columns.render(page(phase, blind=blind)), columns.panels[0]
    assert "pocket-orca-mini" in updates[panel.head]["value"]
    assert "3.1M · CC BY-NC-SA" in updates[panel.head]["value"]
    assert "0.2 s to the first word · 41 tokens · 128 tokens/s · ended by itself" in updates[panel.foot]["value"]
    assert shown(updates, panel.details)
    assert updates[panel.prompt]["value"].startswith("### User:\nWhat is an alpaca?")
    assert updates[panel.prompt]["label"] == "Exact prompt (5 tokens)"
    assert updates[panel.ids]["value"] == "1, 835, 2659, 29901, 13"
    assert "Sums mostly go wrong." in updates[panel.card]["value"]
    assert "temperature 0.7 · top_k 50 · top_p 1 · min_p 0" in updates[panel.card]["value"]


@pytest.mark.parametrize(
    ("phase", "blind", "tools"),
    [
        (Phase.GENERATING, True, set()),
        (Phase.GENERATING, False, {"press"}),
        (Phase.OPEN, True, {"raw", "copy", "enlarge", "press"}),
        (Phase.REVEALED, True, {"raw", "copy", "enlarge", "press"}),
    ],
)
def test_tools_follow_the_state(columns: Columns, phase: Phase, blind: bool, tools: set[str]) -> None:
    head = columns.render(page(phase, blind=blind))[columns.panels[0].head]["value"]
    assert {tool for tool in ("raw", "copy", "enlarge", "press") if f"data-tool='{tool}'" in head} == tools
    assert ("stop-a" in head) == (phase is Phase.GENERATING and not blind)


def test_only_an_own_running_column_can_be_stopped(columns: Columns) -> None:
    view = make_view(BattleState.GENERATING, blind=False)
    done = replace(view, columns=(make_column(0, ColumnState.DONE, known=True), *view.columns[1:]))
    heads = [columns.render(PageState(done))[panel.head]["value"] for panel in columns.panels[:2]]
    assert ["data-press='stop-" in head for head in heads] == [False, True]
    foreign = columns.render(PageState(replace(view, mine=False)))
    assert "data-press='stop-" not in foreign[columns.panels[0].head]["value"]


@pytest.mark.parametrize(("known", "words"), [(False, texts.FAILED_BLIND), (True, "It ran out of memory.")])
def test_failure_is_explained_once_the_model_is_known(columns: Columns, known: bool, words: str) -> None:
    failed = make_column(0, ColumnState.FAILED, known, text="")
    state = PageState(make_view(BattleState.REVEALED if known else BattleState.OPEN, columns=(failed,)))
    assert words in columns.render(state)[columns.panels[0].foot]["value"]


@pytest.mark.parametrize("render", ["render", "render_live"])
def test_unused_system_text_is_noted_below_the_answer(columns: Columns, render: str) -> None:
    state = replace(page(Phase.REVEALED), no_system=frozenset("b"))
    feet = [str(getattr(columns, render)(state)[panel.foot]) for panel in columns.panels[:2]]
    assert [escape(texts.NO_SYSTEM) in foot for foot in feet] == [False, True]


def test_raw_answer_is_the_exact_text(columns: Columns) -> None:
    text = "  <b>\r\n\tx `y` ![z](q)\n"
    column = make_column(0, ColumnState.DONE, known=False, text=text)
    updates = columns.render(PageState(make_view(BattleState.OPEN, columns=(column,))))
    assert updates[columns.panels[0].raw]["value"] == text


def test_streaming_sends_plain_values_only(columns: Columns) -> None:
    updates = columns.render_live(page(Phase.GENERATING, count=4))
    assert set(updates) == set(columns.live_outputs)
    assert all(isinstance(value, str) for value in updates.values())


@pytest.mark.parametrize(("withheld", "words"), [("erased", texts.ERASED_ANSWER), ("hidden", texts.HIDDEN_ANSWER)])
def test_withheld_answer_says_why_and_has_no_details(columns: Columns, withheld: str, words: str) -> None:
    blank = tuple(make_column(place, ColumnState.DONE, known=True, text="") for place in range(2))
    state = PageState(make_view(BattleState.REVEALED, columns=blank, **{withheld: True}))
    updates, panel = columns.render(state), columns.panels[0]
    assert words in updates[panel.foot]["value"]
    assert updates[panel.raw]["value"] == ""
    assert updates[panel.details]["visible"] is False
