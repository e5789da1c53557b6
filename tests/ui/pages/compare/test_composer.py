"""The composer in every phase."""

from __future__ import annotations

import re
from collections.abc import Sequence

import gradio as gr
import pytest

from playground.errors import InvalidValue
from playground.records import SIDES, BattleState, Instruction
from playground.settings import Settings
from playground.ui.pages.compare.composer import Composer
from playground.ui.pages.compare.model_settings import SAMPLING
from playground.ui.pages.compare.state import TABLE, Phase, Primary
from playground.ui.pages.compare.typed import column_settings
from playground.ui.texts import compare as texts
from tests.support.page_states import CARDS, INSTRUCTION, make_view, page, shown
from tests.support.stub_arena import ALPACA


@pytest.fixture(scope="module")
def composer() -> Composer:
    with gr.Blocks():
        return Composer.build(CARDS, {"explain": (INSTRUCTION,)}, Settings(columns=4, max_new_tokens=3000))


def test_length_field_names_the_operators_limit(composer: Composer) -> None:
    hints = dict(zip(SAMPLING, (field.placeholder for field in composer.settings.sampling), strict=True))
    assert hints.pop("max_new_tokens") == "from card, or up to 3,000"
    assert set(hints.values()) == {"from card"}


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
def test_buttons_follow_the_state(composer: Composer, phase: Phase, visible: set[str], label: str | None) -> None:
    updates = composer.render(page(phase))
    buttons = ("compare", "stop", "regenerate", "next")
    assert {name for name in buttons if shown(updates, getattr(composer, name))} == visible
    if label is not None:
        assert updates[composer.compare]["value"] == label


@pytest.mark.parametrize("phase", list(Phase))
def test_one_button_is_the_main_one(composer: Composer, phase: Phase) -> None:
    updates, primary = composer.render(page(phase)), TABLE[phase].primary
    compare_is_main = shown(updates, composer.compare) and updates[composer.compare]["variant"] == "primary"
    assert compare_is_main == (primary in (Primary.COMPARE, Primary.AGAIN))
    assert shown(updates, composer.next) == (primary is Primary.NEXT)
    assert shown(updates, composer.stop) == (primary is Primary.STOP)


@pytest.mark.parametrize(
    ("withheld", "words"), [("erased", texts.ERASED_INSTRUCTION), ("hidden", texts.HIDDEN_INSTRUCTION)]
)
def test_folded_line_of_a_withheld_battle_says_so(composer: Composer, withheld: str, words: str) -> None:
    blank = {"instruction": Instruction(""), withheld: True}
    folded = composer.render(page(Phase.REVEALED, **blank))[composer.folded]["value"]
    assert folded == f"<p class='soft'>{words}</p>"


def test_folded_line_has_the_instruction_and_letters(composer: Composer) -> None:
    instruction = Instruction("Is <b>\nthis bold?", "Or {{this}}")
    updates = composer.render(page(Phase.GENERATING, count=3, instruction=instruction))
    assert "Is &lt;b&gt; this bold? Or &#123;&#123;this&#125;&#125;" in updates[composer.folded]["value"]
    assert "data-edit" in updates[composer.folded]["value"]
    assert re.findall("data-jump='(.)'", updates[composer.jump]["value"]) == ["a", "b", "c"]
    empty = composer.render(page(Phase.COMPOSE))
    assert (empty[composer.folded]["value"], empty[composer.jump]["value"]) == ("", "")


def test_starters_are_open_on_the_empty_page_only(composer: Composer) -> None:
    assert [phase for phase in Phase if composer.render(page(phase))[composer.starters.drawer]["open"]] == [
        Phase.COMPOSE
    ]


def test_note_names_changed_settings_and_not_stored(composer: Composer) -> None:
    state = page(Phase.OPEN, overrides={"temperature": 0.7, "top_k": 40}, stored=False)
    note = composer.render(state)[composer.note]
    assert note["visible"]
    assert "temperature 0.7 · top_k 40 · not stored" in note["value"]


def test_foreign_battle_cannot_be_regenerated(composer: Composer) -> None:
    assert not shown(composer.render(page(Phase.OPEN, mine=False)), composer.regenerate)


def values_of(mode: object = "blind", own: Sequence[str] = (), **sampling: object) -> list[object]:
    """Return values of the composer's inputs."""
    models = [*(card.id for card in CARDS), CARDS[0].id]
    settings = [*own, *[""] * (len(SIDES) - len(own))]
    return [
        ALPACA,
        "in",
        "sys",
        mode,
        4,
        "mine",
        True,
        *models,
        *settings,
        *(sampling.get(name, "") for name in SAMPLING),
    ]


def test_typed_values_are_read_in_the_order_of_the_inputs(composer: Composer) -> None:
    values = values_of("open", temperature="0.7", top_k="40", max_new_tokens="96", seed="7")
    assert len(values) == len(composer.inputs)
    typed = composer.read(values)
    assert (typed.instruction, typed.input, typed.system, typed.columns, typed.forget) == (ALPACA, "in", "sys", 4, True)
    assert typed.models[-1] == CARDS[0].id
    assert typed.overrides == {"temperature": 0.7, "top_k": 40, "max_new_tokens": 96, "seed": 7}


def test_column_has_settings_of_its_own_in_open_mode(composer: Composer) -> None:
    own = ("temperature 0.2, seed 7", "", "top_k=5; temperature: 0,9")
    typed = composer.read(values_of("open", own, temperature="0.7"))
    assert typed.overrides_by_column(2) == ({"temperature": 0.2, "seed": 7}, {"temperature": 0.7})
    assert typed.overrides_by_column(3)[2] == {"temperature": 0.9, "top_k": 5}
    assert composer.read(values_of("blind", own)).overrides_by_column(3) == ()
    assert composer.read(values_of("open", ("", "", "seed 1"))).overrides_by_column(2) == ()


@pytest.mark.parametrize("value", ["temperature", "0.7", "temperature warm", "a b c", "x" * 400, 5])
def test_column_settings_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"is not a setting|has to be a number"):
        column_settings(value)


def test_own_settings_come_back_as_they_are_written() -> None:
    assert column_settings("temperature 0.2 · top_k 5 · seed 7") == {"temperature": 0.2, "top_k": 5, "seed": 7}
    assert column_settings("") == column_settings(None) == {}


@pytest.mark.parametrize(("mode", "who", "visible"), [("open", "mine", 3), ("blind", "mine", 0), ("open", "any", 0)])
def test_own_settings_have_a_field_for_each_chosen_model_in_open_mode(
    composer: Composer, mode: str, who: str, visible: int
) -> None:
    updates = composer.settings.render(who, 3, mode, *[""] * len(SAMPLING))
    assert sum(shown(updates, field) for field in composer.settings.own) == visible


def test_reload_restores_settings_per_column(composer: Composer) -> None:
    overrides = {"a": {"temperature": 0.2}, "b": {"seed": 7}}
    state = page(Phase.OPEN, blind=False, overrides=overrides)
    assert "A: temperature 0.2 · B: seed 7" in composer.render(state)[composer.note]["value"]
    assert state.view is not None
    updates = composer.recall(state.view)
    assert [updates[field]["value"] for field in composer.settings.own[:2]] == ["temperature 0.2", "seed 7"]
    assert updates[composer.settings.who_chooses]["value"] == "mine"
    assert [updates[picker]["value"] for picker in composer.settings.models[:2]] == [card.id for card in CARDS[:2]]
    assert set(updates) == {*composer.fields, *composer.choices}


@pytest.mark.parametrize(("mode", "seed"), [("open", {"seed": 7}), ("blind", {}), (None, {}), (["open"], {})])
def test_seed_is_ignored_in_blind_mode(composer: Composer, mode: object, seed: dict[str, int]) -> None:
    assert composer.read(values_of(mode, seed="7")).overrides == seed


@pytest.mark.parametrize("value", ["warm", "1e9", "--1", "0x10", "9" * 30, 5, ["1"], "NaN"])
def test_setting_that_is_not_a_number_is_refused(composer: Composer, value: object) -> None:
    typed = composer.read(values_of(temperature=value))
    with pytest.raises(InvalidValue, match="temperature has to be a number"):
        _ = typed.overrides


@pytest.mark.parametrize(("who", "count", "visible"), [("any", 4, 0), ("mine", 2, 2), ("mine", 6, 6), ("mine", "x", 6)])
def test_each_column_has_a_picker_if_the_visitor_chooses(
    composer: Composer, who: str, count: object, visible: int
) -> None:
    updates = composer.settings.render(who, count, "blind", *[""] * len(SAMPLING))
    assert sum(shown(updates, picker) for picker in composer.settings.models) == visible


def test_drawer_title_names_the_settings(composer: Composer) -> None:
    typed = {"temperature": "0.7", "seed": "7"}
    updates = composer.settings.render("any", 2, "blind", *(typed.get(name, "") for name in SAMPLING))
    assert updates[composer.settings.drawer]["label"] == "Models: chosen for you · Sampling: temperature 0.7"


def test_drawer_title_says_that_models_have_settings_of_their_own(composer: Composer) -> None:
    def title(who: str, mode: str, columns: int = 2) -> str:
        typed = ["0.7", *[""] * (len(SAMPLING) - 1), "", "seed 7"]
        label = composer.settings.render(who, columns, mode, *typed)[composer.settings.drawer]["label"]
        return str(label).partition("Sampling: ")[2]

    assert title("mine", "open") == "temperature 0.7 · chosen for each model"
    assert title("mine", "blind") == title("any", "open") == "temperature 0.7"
    view = page(Phase.OPEN, blind=False, overrides={"a": {"temperature": 0.2}}).view
    assert view is not None
    recalled = composer.recall(view)[composer.settings.drawer]["label"]
    assert recalled == "Models: your choice · Sampling: chosen for each model"


def test_starter_shows_the_fields_it_uses(composer: Composer) -> None:
    updates = composer.fill(Instruction("Make it shorter.", "A long sentence."))
    assert updates[composer.input] == gr.update(value="A long sentence.", visible=True)
    assert updates[composer.system] == gr.update(value="", visible=False)


def test_reload_restores_the_composer(composer: Composer) -> None:
    updates = composer.recall(make_view(BattleState.OPEN, count=3, blind=False))
    assert set(updates) == {*composer.fields, *composer.choices}
    assert updates[composer.instruction]["value"] == ALPACA
    assert (updates[composer.mode]["value"], updates[composer.columns]["value"]) == ("open", 3)
