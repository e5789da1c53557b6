"""The answer columns in every phase."""

from __future__ import annotations

import re
from dataclasses import replace

import gradio as gr
import pytest

from playground.records import BattleState, ColumnState, FinishReason
from playground.ui.pages.compare.column_html import card_html, foot_html, head_html, intro_html
from playground.ui.pages.compare.columns import Columns
from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from tests.support.cast import card, generation
from tests.support.page_states import make_column, make_view, page, shown


@pytest.fixture(scope="module")
def columns() -> Columns:
    with gr.Blocks():
        return Columns.build(5)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_each_side_has_a_visible_column(columns: Columns, count: int) -> None:
    updates = columns.render(page(Phase.OPEN, count=count))
    assert [shown(updates, panel.box) for panel in columns.panels] == [place < count for place in range(6)]


def test_empty_page_has_no_columns(columns: Columns) -> None:
    updates = columns.render(PageState())
    assert not any(shown(updates, panel.box) for panel in columns.panels)


def test_reasoning_is_folded_under_an_answer_that_has_ended() -> None:
    state = page(Phase.OPEN, blind=False)
    column = replace(make_column(0, ColumnState.DONE, known=True), reasoning="So <b>two</b>\n\nand two.")
    html = foot_html(state, column)
    assert "<summary>Reasoning, 4 words</summary>" in html
    assert "So &lt;b&gt;two&lt;/b&gt;\n\nand two.</div></details>" in html
    assert "no answer" in foot_html(state, replace(column, text=""))
    writing = replace(make_column(0, ColumnState.WRITING, known=True, text=""), reasoning="So two")
    assert "<details" not in foot_html(state, writing)
    assert "reasoning, 2 words so far" in head_html(page(Phase.GENERATING, blind=False), writing)
    assert "writing…" in head_html(page(Phase.GENERATING, blind=False), replace(writing, text="Four"))


@pytest.mark.parametrize(
    ("dtype", "together", "words"),
    [
        ("float32", 8, "what the model writes alone · at most 8 answers written together"),
        ("bfloat16", 1, "what the model writes alone, up to rounding in 16 bit · written alone"),
        ("bfloat16", 3, "what the model writes alone, up to rounding in 16 bit · at most 3 answers written together"),
        ("bfloat16", None, "what the model writes alone, up to rounding in 16 bit"),
    ],
)
def test_details_say_what_others_may_have_changed(dtype: str, together: int | None, words: str) -> None:
    html = card_html(card(), generation("g", dtype=dtype, written_together=together))
    assert f"<dt>token by token</dt><dd>{words}</dd>" in html


def test_cut_answer_names_the_setting_that_raises_its_limit() -> None:
    column = replace(make_column(0, ColumnState.DONE, known=True), finish_reason=FinishReason.LENGTH)
    assert "reached the length limit; max_new_tokens in the settings raises it" in foot_html(page(Phase.OPEN), column)
    ended = replace(column, finish_reason=FinishReason.STOP)
    assert "length limit" not in foot_html(page(Phase.OPEN), ended)


def test_introduction_has_a_true_sentence_for_each_choice() -> None:
    sentences = dict(re.findall("<p class='soft (.+?)'>(.+?)</p>", intro_html(5)))
    modes = ("blind", "open")
    assert set(sentences) == {*(f"{mode} n{n}" for mode in modes for n in range(2, 7)), "mine blind", "mine open"}
    assert "goes to 4 models at once, each named" in sentences["open n4"]
    assert "goes to 2 models at once. Their names stay hidden" in sentences["blind n2"]
    assert "all 5 models at once; to fill 6 columns some answer twice" in sentences["blind n6"]


@pytest.mark.parametrize(
    ("choice", "mine", "marks"),
    [
        ("b", True, ["", "your choice", ""]),
        ("b", False, ["", "chosen", ""]),
        ("c>a=b", True, ["rank 2", "rank 2", "rank 1"]),
        ("tie", True, ["", "", ""]),
        ("both_bad", True, ["", "", ""]),
    ],
)
def test_chosen_column_is_marked_at_the_reveal(columns: Columns, choice: str, mine: bool, marks: list[str]) -> None:
    def shown_marks(phase: Phase) -> list[str]:
        updates = columns.render(page(phase, count=3, choice=choice, mine=mine))
        heads = [str(updates[panel.head]["value"]) for panel in columns.panels[:3]]
        return ["".join(re.findall("<span class='mark.*?>(.*?)<", head)) for head in heads]

    assert shown_marks(Phase.REVEALED) == marks
    assert shown_marks(Phase.VOTED) == ["", "", ""]


@pytest.mark.parametrize(
    ("state", "label"), [(ColumnState.FAILED, "failed"), (ColumnState.STOPPED, "stopped"), (ColumnState.DONE, "")]
)
def test_open_column_that_ended_early_says_so_in_its_head(columns: Columns, state: ColumnState, label: str) -> None:
    view = make_view(BattleState.OPEN, blind=False)
    column = make_column(0, state, known=True)
    head = columns.render(PageState(replace(view, columns=(column, *view.columns[1:]))))[columns.panels[0].head][
        "value"
    ]
    assert re.findall("<span class='state'>(.*?)</span>", head) == [label] * bool(label)


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
