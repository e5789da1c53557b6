"""Two answers with their differences marked."""

from __future__ import annotations

import html
import re

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.records import BattleState, BattleView, ColumnState
from playground.ui.pages.compare.differences import Differences, comparable, difference_html
from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.rendering.differences import marked_differences
from playground.ui.texts import compare as texts
from tests.support.page_states import make_column, make_view, page, shown
from tests.ui.pages.compare.tab import Tab


def text_of(marked: str) -> str:
    """Return the text of marked HTML."""
    return html.unescape(re.sub("</?mark>", "", marked))


@pytest.mark.parametrize(
    ("left", "right", "marked"),
    [
        ("An alpaca hums.", "An alpaca hums.", ("An alpaca hums.", "An alpaca hums.")),
        (
            "An alpaca hums.",
            "A llama hums.",
            ("<mark>An</mark> <mark>alpaca</mark> hums.", "<mark>A</mark> <mark>llama</mark> hums."),
        ),
        ("one two", "one", ("one<mark> two</mark>", "one")),
        ("羊驼很小", "羊驼很大", ("羊驼很<mark>小</mark>", "羊驼很<mark>大</mark>")),
        ("a <b>", "a <i>", ("a &lt;<mark>b</mark>&gt;", "a &lt;<mark>i</mark>&gt;")),
        ("", "all", ("", "<mark>all</mark>")),
    ],
)
def test_words_that_the_other_answer_lacks_are_marked(left: str, right: str, marked: tuple[str, str]) -> None:
    assert marked_differences(left, right) == marked


@given(st.text(max_size=60), st.text(max_size=60))
def test_marked_answers_keep_their_text_and_escape_it(left: str, right: str) -> None:
    marked = marked_differences(left, right)
    assert [text_of(part) for part in marked] == [left, right]
    assert all(set(re.findall("<[^>]*>", part)) <= {"<mark>", "</mark>"} for part in marked)
    unmarked = [re.sub("<mark>.*?</mark>", "", part, flags=re.DOTALL) for part in marked]
    assert unmarked[0] == unmarked[1], "what is not marked is common to both"


def test_rest_of_answers_of_more_than_20000_characters_is_whole_unmarked_and_said_so() -> None:
    left, right = "an alpaca hums " * 2000, "a llama hums " * 2000 + "<end>"
    for text, part in zip((left, right), marked_differences(left, right), strict=True):
        compared, rest = re.split("<span class='not-compared'>", part)
        sentence, _, rest = rest.partition("</span>")
        assert (text_of(compared), html.unescape(rest)) == (text[:20_000], text[20_000:])
        assert sentence == "Only the first 20,000 characters are compared; the rest is not marked."
        assert "<mark>" in compared
    assert "not-compared" not in "".join(marked_differences(left[:20_000], right[:20_000]))


def test_answers_that_differ_only_after_20000_characters_are_not_shown_as_equal() -> None:
    columns = tuple(
        make_column(place, ColumnState.DONE, True, "word " * 4000 + end) for place, end in enumerate(("hums", "spits"))
    )
    shown_html = difference_html(make_view(BattleState.REVEALED, columns=columns), "a", "b")
    assert shown_html.count("Only the first 20,000 characters are compared") == 2
    assert "hums</p>" in shown_html
    assert "spits</p>" in shown_html


@pytest.mark.parametrize(
    ("phase", "blind", "known"),
    [(Phase.OPEN, True, False), (Phase.VOTED, True, False), (Phase.OPEN, False, True), (Phase.REVEALED, True, True)],
)
def test_answers_are_comparable_once_their_models_are_known(phase: Phase, blind: bool, known: bool) -> None:
    view = page(phase, blind=blind).view
    assert isinstance(view, BattleView)
    assert bool(comparable(view)) == known
    assert bool(difference_html(view, "a", "b")) == known


def test_two_answers_of_three_are_chosen_and_wrong_sides_are_the_first_two() -> None:
    words = ("An alpaca.", "A llama.", "A vicuna.")
    columns = tuple(make_column(place, ColumnState.DONE, True, text) for place, text in enumerate(words))
    view = make_view(BattleState.REVEALED, columns=columns)
    assert re.findall("side-[a-f]", difference_html(view, "b", "c")) == ["side-b", "side-c"]
    for left, right in (("x", None), (["a"], {}), ("b", "zz")):
        assert re.findall("side-[a-f]", difference_html(view, left, right)) == ["side-a", "side-b"]
    assert texts.NO_DIFFERENCES in difference_html(view, "b", "b")


def test_drawer_is_shown_closed_and_stays_as_it_is_when_drawn_again() -> None:
    with gr.Blocks():
        panel = Differences.build()
    first = panel.render(page(Phase.REVEALED, count=3))
    assert shown(first, panel.drawer)
    assert first[panel.drawer]["open"] is False
    assert [first[radio]["value"] for radio in (panel.left, panel.right)] == ["a", "b"]
    again = panel.render(PageState(make_view(BattleState.REVEALED, count=3), again=True))
    assert panel.pair not in again
    assert "open" not in again[panel.drawer]
    assert not shown(panel.render(page(Phase.OPEN)), panel.drawer)


def test_handler_marks_nothing_of_a_blind_or_unknown_battle(tab: Tab) -> None:
    tab.begins()
    assert call(tab) == ""
    tab.begins(blind=False)
    assert call(tab).count("class='compared") == 2
    tab.shown["battle"] = "f" * 32
    assert call(tab) == ""


def call(tab: Tab) -> str:
    updates = tab.page.differing.mark_differences(tab.shown, "a", "b", tab.request)
    return str(updates[tab.page.panels.differences.pair])
