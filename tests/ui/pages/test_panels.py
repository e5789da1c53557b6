"""Each panel as the state table of the page says, as plain dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from playground.battles import MAX_COMMENT_CHARS, REASONS
from playground.errors import InvalidValue
from playground.records import (
    SIDES,
    BattleState,
    BattleView,
    ColumnState,
    ColumnView,
    FinishReason,
    Instruction,
    Standing,
)
from playground.ui.pages.compare.columns import Columns
from playground.ui.pages.compare.composer import Composer
from playground.ui.pages.compare.model_settings import SAMPLING
from playground.ui.pages.compare.starters import clicked_starter
from playground.ui.pages.compare.state import TABLE, Bar, PageState, Phase, Primary
from playground.ui.pages.compare.status import status_html
from playground.ui.pages.compare.votebar import VoteBar
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from playground.validation import COMMENT_CHARS
from tests.support.stub_arena import ALPACA, make_cards, make_generation

CARDS = make_cards()
INSTRUCTION = Instruction(ALPACA)
WRITING = (ColumnState.WAITING, ColumnState.LOADING, ColumnState.WRITING)


@pytest.fixture(scope="module")
def blocks() -> Iterator[gr.Blocks]:
    with gr.Blocks() as demo:
        yield demo


@pytest.fixture(scope="module")
def composer(blocks: gr.Blocks) -> Composer:
    return Composer.build(CARDS, {"explain": (INSTRUCTION,)}, 4)


@pytest.fixture(scope="module")
def columns(blocks: gr.Blocks) -> Columns:
    return Columns.build(4)


@pytest.fixture(scope="module")
def bar(blocks: gr.Blocks) -> VoteBar:
    return VoteBar.build(COMMENT_CHARS)


def make_column(place: int, state: ColumnState, known: bool, text: str = "An alpaca.") -> ColumnView:
    side, card = SIDES[place], CARDS[place % len(CARDS)]
    if not known:
        return ColumnView(side, state, text, "", None)
    if state in WRITING:
        return ColumnView(side, state, text, "", None, card=card)
    finish = FinishReason.ERROR if state is ColumnState.FAILED else FinishReason.STOP
    generation = make_generation(card, text, INSTRUCTION, finish)
    error = "It ran out of memory." if state is ColumnState.FAILED else None
    return ColumnView(side, state, text, "", error, finish, card, generation, 41, 128.0, 0.2)


def make_view(state: BattleState, count: int = 2, blind: bool = True, **changes: Any) -> BattleView:
    known = not blind or state is BattleState.REVEALED
    column_state = ColumnState.WRITING if state is BattleState.GENERATING else ColumnState.DONE
    voted = state in (BattleState.VOTED, BattleState.REVEALED)
    view = BattleView(
        battle_id="b" * 32,
        state=state,
        blind=blind,
        revision=int(voted),
        instruction=INSTRUCTION,
        overrides={},
        columns=tuple(make_column(place, column_state, known) for place in range(count)),
        good_sides=SIDES[:count] if state is BattleState.OPEN else (),
        may_vote=state is BattleState.OPEN,
        mine=True,
        stored=True,
        choice="b" if voted else None,
        final_in_s=4.8 if state is BattleState.VOTED else None,
    )
    return replace(view, **changes)


def page(phase: Phase, **changes: Any) -> PageState:
    return PageState() if phase is Phase.COMPOSE else PageState(make_view(BattleState(phase.value), **changes))


def shown(updates: dict[Any, Any], component: Any) -> bool:
    return bool(updates[component]["visible"])


def test_the_table_has_a_row_for_every_phase() -> None:
    assert set(TABLE) == set(Phase)
    assert {phase.value for phase in Phase} == {"compose", *(state.value for state in BattleState)}


# Composer


@pytest.mark.parametrize(
    ("phase", "visible", "label"),
    [
        (Phase.COMPOSE, {"compare"}, texts.COMPARE),
        (Phase.GENERATING, {"stop"}, None),
        (Phase.OPEN, {"compare", "regenerate"}, texts.COMPARE_AGAIN),
        (Phase.VOTED, {"compare", "next"}, texts.COMPARE_AGAIN),
        (Phase.REVEALED, {"compare", "next"}, texts.COMPARE_AGAIN),
        (Phase.VOID, {"compare", "regenerate"}, texts.COMPARE_AGAIN),
    ],
)
def test_the_composers_buttons_follow_the_state(
    composer: Composer, phase: Phase, visible: set[str], label: str | None
) -> None:
    updates = composer.render(page(phase))
    buttons = ("compare", "stop", "regenerate", "next")
    assert {name for name in buttons if shown(updates, getattr(composer, name))} == visible
    if label is not None:
        assert updates[composer.compare]["value"] == label


@pytest.mark.parametrize("phase", list(Phase))
def test_exactly_one_button_of_the_composer_is_the_main_one(composer: Composer, phase: Phase) -> None:
    updates, primary = composer.render(page(phase)), TABLE[phase].primary
    compare_is_main = shown(updates, composer.compare) and updates[composer.compare]["variant"] == "primary"
    assert compare_is_main == (primary in (Primary.COMPARE, Primary.AGAIN))
    assert shown(updates, composer.next) == (primary is Primary.NEXT)
    assert shown(updates, composer.stop) == (primary is Primary.STOP)


def test_starters_lie_open_before_the_first_battle_only(composer: Composer) -> None:
    assert [phase for phase in Phase if composer.render(page(phase))[composer.starters.drawer]["open"]] == [
        Phase.COMPOSE
    ]


def test_changed_settings_and_not_stored_stand_under_the_instruction(composer: Composer) -> None:
    state = page(Phase.OPEN, overrides={"temperature": 0.7, "top_k": 40}, stored=False)
    note = composer.render(state)[composer.note]
    assert note["visible"]
    assert "temperature 0.7 · top_k 40 · not stored" in note["value"]


def test_a_stranger_cannot_regenerate_somebodys_battle(composer: Composer) -> None:
    assert not shown(composer.render(page(Phase.OPEN, mine=False)), composer.regenerate)


def values_of(mode: object = "blind", **sampling: object) -> list[object]:
    """The values of the composer's inputs."""
    models = [*(card.id for card in CARDS), CARDS[0].id]
    return [ALPACA, "in", "sys", mode, 4, "mine", True, *models, *(sampling.get(name, "") for name in SAMPLING)]


def test_typed_values_are_read_in_the_order_of_the_inputs(composer: Composer) -> None:
    values = values_of("open", temperature="0.7", top_k="40", max_new_tokens="96", seed="7")
    assert len(values) == len(composer.inputs)
    typed = composer.read(values)
    assert (typed.instruction, typed.input, typed.system, typed.columns, typed.forget) == (ALPACA, "in", "sys", 4, True)
    assert typed.models[-1] == CARDS[0].id
    assert typed.overrides == {"temperature": 0.7, "top_k": 40, "max_new_tokens": 96, "seed": 7}


@pytest.mark.parametrize(("mode", "seed"), [("open", {"seed": 7}), ("blind", {}), (None, {}), (["open"], {})])
def test_a_seed_is_only_taken_in_open_mode(composer: Composer, mode: object, seed: dict[str, int]) -> None:
    assert composer.read(values_of(mode, seed="7")).overrides == seed


@pytest.mark.parametrize("value", ["warm", "1e9", "--1", "0x10", "9" * 30, 5, ["1"], "NaN"])
def test_a_setting_that_is_no_number_is_refused_in_words(composer: Composer, value: object) -> None:
    typed = composer.read(values_of(temperature=value))
    with pytest.raises(InvalidValue, match="temperature has to be a number"):
        _ = typed.overrides


@pytest.mark.parametrize(("who", "count", "visible"), [("any", 4, 0), ("mine", 2, 2), ("mine", 6, 6), ("mine", "x", 6)])
def test_there_is_a_picker_for_each_column_when_the_visitor_chooses(
    composer: Composer, who: str, count: object, visible: int
) -> None:
    updates = composer.settings.render(who, count, "blind", *[""] * len(SAMPLING))
    assert sum(shown(updates, picker) for picker in composer.settings.models) == visible


def test_the_drawers_label_says_what_is_set(composer: Composer) -> None:
    typed = {"temperature": "0.7", "seed": "7"}
    updates = composer.settings.render("any", 2, "blind", *(typed.get(name, "") for name in SAMPLING))
    assert updates[composer.settings.drawer]["label"] == "Models: chosen for you · Sampling: temperature 0.7"


@pytest.mark.parametrize("category", ["explain", "talk", "", None, 7])
def test_a_starter_is_the_one_whose_words_were_clicked_whatever_is_chosen_meanwhile(category: object) -> None:
    shorter, other = Instruction("Make it shorter.", "A long one."), Instruction("Make it shorter.", "Another.")
    starters = {"explain": (Instruction("What is rust?"),), "rewrite": (shorter,), "talk": (other,)}
    clicked = clicked_starter(starters, category, {"index": 1, "value": ["Make it shorter."]})
    assert clicked is (other if category == "talk" else shorter)
    for event in (None, 7, {}, {"value": 7}, {"value": []}, {"value": [["x"]]}, {"value": ["nothing like it"]}):
        assert clicked_starter(starters, category, event) is None


def test_a_starter_shows_the_fields_it_needs(composer: Composer) -> None:
    updates = composer.fill(Instruction("Make it shorter.", "A long sentence."))
    assert updates[composer.input] == gr.update(value="A long sentence.", visible=True)
    assert updates[composer.system] == gr.update(value="", visible=False)


# Columns


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_as_many_columns_are_shown_as_the_battle_has_sides(columns: Columns, count: int) -> None:
    updates = columns.render(page(Phase.OPEN, count=count))
    assert [shown(updates, panel.box) for panel in columns.panels] == [place < count for place in range(6)]


def test_before_the_first_battle_there_are_no_columns_but_a_sentence(columns: Columns) -> None:
    updates = columns.render(PageState(default_columns=4))
    assert not any(shown(updates, panel.box) for panel in columns.panels)
    assert "goes to 4 models" in updates[columns.intro]["value"]


@pytest.mark.parametrize("phase", [Phase.GENERATING, Phase.OPEN, Phase.VOTED, Phase.VOID])
def test_a_blind_battle_shows_no_name_number_or_prompt(columns: Columns, phase: Phase) -> None:
    updates = columns.render(page(phase))
    for panel in columns.panels[:2]:
        assert "pocket" not in updates[panel.head]["value"]
        assert updates[panel.foot]["value"] == ""
        assert not shown(updates, panel.details)
        assert updates[panel.prompt]["value"] == ""


@pytest.mark.parametrize(("phase", "blind"), [(Phase.REVEALED, True), (Phase.OPEN, False)])
def test_after_the_reveal_and_in_open_mode_everything_is_said(columns: Columns, phase: Phase, blind: bool) -> None:
    updates, panel = columns.render(page(phase, blind=blind)), columns.panels[0]
    assert "pocket-orca-mini" in updates[panel.head]["value"]
    assert "3.1M · CC BY-NC-SA" in updates[panel.head]["value"]
    assert "0.2 s to the first word · 41 tokens · 128 tokens/s · ended by itself" in updates[panel.foot]["value"]
    assert shown(updates, panel.details)
    assert updates[panel.prompt]["value"].startswith("### User:\nWhat is an alpaca?")
    assert updates[panel.prompt]["label"] == "Exact prompt (5 tokens)"
    assert updates[panel.ids]["value"] == "1, 835, 2659, 29901, 13"
    assert "Sums mostly go wrong." in updates[panel.card]["value"]
    assert "temperature 0.7 · top_k 50 · top_p 1" in updates[panel.card]["value"]


@pytest.mark.parametrize(
    ("phase", "blind", "tools"),
    [
        (Phase.GENERATING, True, set()),
        (Phase.GENERATING, False, {"press"}),
        (Phase.OPEN, True, {"raw", "copy", "enlarge", "press"}),
        (Phase.REVEALED, True, {"raw", "copy", "enlarge", "press"}),
    ],
)
def test_a_columns_tools_follow_the_state(columns: Columns, phase: Phase, blind: bool, tools: set[str]) -> None:
    head = columns.render(page(phase, blind=blind))[columns.panels[0].head]["value"]
    assert {tool for tool in ("raw", "copy", "enlarge", "press") if f"data-tool='{tool}'" in head} == tools
    assert ("stop-a" in head) == (phase is Phase.GENERATING and not blind)


def test_only_a_running_column_of_ones_own_can_be_stopped(columns: Columns) -> None:
    view = make_view(BattleState.GENERATING, blind=False)
    done = replace(view, columns=(make_column(0, ColumnState.DONE, known=True), *view.columns[1:]))
    heads = [columns.render(PageState(done))[panel.head]["value"] for panel in columns.panels[:2]]
    assert ["data-press='stop-" in head for head in heads] == [False, True]
    foreign = columns.render(PageState(replace(view, mine=False)))
    assert "data-press='stop-" not in foreign[columns.panels[0].head]["value"]


@pytest.mark.parametrize(("known", "words"), [(False, texts.FAILED_BLIND), (True, "It ran out of memory.")])
def test_a_failed_column_gives_its_reason_when_it_may_be_known(columns: Columns, known: bool, words: str) -> None:
    failed = make_column(0, ColumnState.FAILED, known, text="")
    state = PageState(make_view(BattleState.REVEALED if known else BattleState.OPEN, columns=(failed,)))
    assert words in columns.render(state)[columns.panels[0].foot]["value"]


@pytest.mark.parametrize("render", ["render", "render_live"])
def test_system_text_that_a_format_has_no_place_for_is_said_below_the_answer(columns: Columns, render: str) -> None:
    state = replace(page(Phase.REVEALED), no_system=frozenset("b"))
    feet = [str(getattr(columns, render)(state)[panel.foot]) for panel in columns.panels[:2]]
    assert [escape(texts.NO_SYSTEM) in foot for foot in feet] == [False, True]


def test_the_raw_answer_is_the_exact_text(columns: Columns) -> None:
    text = "  <b>\r\n\tx `y` ![z](q)\n"
    column = make_column(0, ColumnState.DONE, known=False, text=text)
    updates = columns.render(PageState(make_view(BattleState.OPEN, columns=(column,))))
    assert updates[columns.panels[0].raw]["value"] == text


def test_streaming_sends_plain_values_only(columns: Columns) -> None:
    updates = columns.render_live(page(Phase.GENERATING, count=4))
    assert set(updates) == set(columns.live_outputs)
    assert all(isinstance(value, str) for value in updates.values())


# Vote bar


@pytest.mark.parametrize(
    ("phase", "face"),
    [
        (Phase.COMPOSE, Bar.ABSENT),
        (Phase.GENERATING, Bar.OFF),
        (Phase.OPEN, Bar.ON),
        (Phase.VOTED, Bar.SAVED),
        (Phase.REVEALED, Bar.SHOWN),
        (Phase.VOID, Bar.ABSENT),
    ],
)
def test_the_bar_has_the_face_of_the_state(bar: VoteBar, phase: Phase, face: Bar) -> None:
    updates = bar.render(page(phase))
    assert TABLE[phase].bar is face
    assert shown(updates, bar.bar) == (face is not Bar.ABSENT)
    if face is Bar.ABSENT:
        return
    assert shown(updates, bar.choices["a"]) == (face in (Bar.OFF, Bar.ON))
    assert bool(updates[bar.choices["a"]]["interactive"]) == (face is Bar.ON)
    assert shown(updates, bar.undo) == shown(updates, bar.reveal) == (face is Bar.SAVED)
    assert shown(updates, bar.reasons) == shown(updates, bar.comment) == (face in (Bar.SAVED, Bar.SHOWN))


@pytest.mark.parametrize(
    ("count", "question", "bad"),
    [
        (2, "Which answer is better?", "Both bad"),
        (3, "Which answer is best?", "All bad"),
        (6, "Which answer is best?", "All bad"),
    ],
)
def test_the_choices_are_those_of_the_battle(bar: VoteBar, count: int, question: str, bad: str) -> None:
    updates = bar.render(page(Phase.OPEN, count=count))
    assert question in updates[bar.words]["value"]
    assert updates[bar.choices["both_bad"]]["value"] == bad
    assert [s for s in SIDES if shown(updates, bar.choices[s])] == list(SIDES[:count])


def test_a_failed_answer_cannot_be_chosen(bar: VoteBar) -> None:
    updates = bar.render(page(Phase.OPEN, count=3, good_sides=("a", "c")))
    assert [s for s in SIDES[:3] if updates[bar.choices[s]]["interactive"]] == ["a", "c"]


@pytest.mark.parametrize("phase", [Phase.VOTED, Phase.REVEALED])
def test_whether_a_vote_counts_is_said_with_the_reason(bar: VoteBar, phase: Phase) -> None:
    def hint(standing: Standing | None) -> str:
        return str(bar.render(page(phase, standing=standing))[bar.hint]["value"])

    assert "Not counted: decided in under 1 s." in hint(Standing(False, "decided in under 1 s"))
    assert "Counted." in hint(Standing(True))
    assert "ounted" not in hint(None)


def test_why_one_cannot_vote_is_said(bar: VoteBar) -> None:
    assert texts.NOT_YET in bar.render(page(Phase.GENERATING))[bar.hint]["value"]
    assert texts.NOT_YOURS in bar.render(page(Phase.OPEN, mine=False, may_vote=False))[bar.hint]["value"]


@pytest.mark.parametrize(
    ("choice", "count", "words"),
    [
        ("b", 2, "Saved. You chose B."),
        ("tie", 2, "Saved. You called it a tie."),
        ("both_bad", 2, "Saved. You found both bad."),
        ("both_bad", 4, "Saved. You found all bad."),
    ],
)
def test_what_was_chosen_is_said_without_the_model(bar: VoteBar, choice: str, count: int, words: str) -> None:
    assert words in bar.render(page(Phase.VOTED, choice=choice, count=count))[bar.words]["value"]


def test_after_the_reveal_the_chosen_model_is_named_and_linked(bar: VoteBar) -> None:
    updates = bar.render(page(Phase.REVEALED))
    assert "You chose B: pocket-openalpaca." in updates[bar.words]["value"]
    assert f"?battle={'b' * 32}" in updates[bar.hint]["value"]
    assert shown(updates, bar.next)


@pytest.mark.parametrize(
    ("choice", "words"), [("a", "The vote went to A: pocket-orca-mini."), ("tie", "The vote: a tie.")]
)
def test_somebody_elses_vote_is_not_called_yours(bar: VoteBar, choice: str, words: str) -> None:
    assert words in bar.render(page(Phase.REVEALED, mine=False, choice=choice))[bar.words]["value"]


def test_a_reload_sets_the_composer_as_it_was(composer: Composer) -> None:
    updates = composer.recall(make_view(BattleState.OPEN, count=3, blind=False))
    assert set(updates) == set(composer.recalled)
    assert updates[composer.instruction]["value"] == ALPACA
    assert (updates[composer.mode]["value"], updates[composer.columns]["value"]) == ("open", 3)


def test_the_timer_waits_for_the_servers_reveal_only(bar: VoteBar) -> None:
    ticking = {phase: bar.render(page(phase))[bar.timer]["active"] for phase in Phase}
    assert [phase for phase, active in ticking.items() if active] == [Phase.VOTED]
    assert bar.render(page(Phase.VOTED))[bar.timer]["value"] == pytest.approx(4.95)


@pytest.mark.parametrize("again", [False, True])
def test_what_is_being_typed_beside_a_vote_is_not_written_over(bar: VoteBar, again: bool) -> None:
    updates = bar.render(replace(page(Phase.REVEALED, reasons=("clear",), comment="Short."), again=again))
    assert ["value" in updates[field] for field in (bar.reasons, bar.comment)] == [not again] * 2
    assert shown(updates, bar.comment)


def test_a_comment_may_be_as_long_as_a_battle_keeps(bar: VoteBar) -> None:
    assert bar.comment.max_length == COMMENT_CHARS == MAX_COMMENT_CHARS


def test_every_reason_that_a_battle_knows_has_a_chip() -> None:
    assert tuple(texts.REASON_CHIPS) == REASONS


# Status line


def test_the_status_line_carries_what_the_script_needs() -> None:
    html = status_html(page(Phase.VOTED))
    assert "role='status' aria-live='polite'" in html
    assert f"data-phase='voted' data-step='0' data-battle='{'b' * 32}' data-revision='1'" in html
    assert "data-final-in='4.8'" in html


@pytest.mark.parametrize(
    ("blind", "button", "status"), [(True, "Reveal", "The models are shown."), (False, "Keep it", "The vote is final.")]
)
def test_where_the_models_are_known_nothing_is_revealed(bar: VoteBar, blind: bool, button: str, status: str) -> None:
    assert bar.render(page(Phase.VOTED, blind=blind))[bar.reveal]["value"] == button
    assert status in status_html(page(Phase.REVEALED, blind=blind))


def test_a_message_is_escaped() -> None:
    html = status_html(PageState(message="no <b> ${x} {{y}}", is_error=True))
    assert "no &lt;b&gt; &#36;&#123;x&#125; &#123;&#123;y&#125;&#125;" in html
    assert "class='error'" in html


@pytest.mark.parametrize("reason", ["failed", "expired", "interrupted"])
def test_a_void_battle_says_why(reason: str) -> None:
    assert texts.STATUS_VOID[reason] in status_html(page(Phase.VOID, void_reason=reason))
