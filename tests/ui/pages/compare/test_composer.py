"""The composer in every phase."""

from __future__ import annotations

import gradio as gr
import pytest

from playground.errors import InvalidValue
from playground.records import BattleState, Instruction
from playground.ui.pages.compare.composer import Composer
from playground.ui.pages.compare.model_settings import SAMPLING
from playground.ui.pages.compare.state import TABLE, Phase, Primary
from playground.ui.texts import compare as texts
from tests.support.page_states import CARDS, INSTRUCTION, make_view, page, shown
from tests.support.stub_arena import ALPACA


@pytest.fixture(scope="module")
def composer() -> Composer:
    with gr.Blocks():
        return Composer.build(CARDS, {"explain": (INSTRUCTION,)}, 4)


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


def values_of(mode: object = "blind", **sampling: object) -> list[object]:
    """Return values of the composer's inputs."""
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


def test_starter_shows_the_fields_it_uses(composer: Composer) -> None:
    updates = composer.fill(Instruction("Make it shorter.", "A long sentence."))
    assert updates[composer.input] == gr.update(value="A long sentence.", visible=True)
    assert updates[composer.system] == gr.update(value="", visible=False)


def test_reload_restores_the_composer(composer: Composer) -> None:
    updates = composer.recall(make_view(BattleState.OPEN, count=3, blind=False))
    assert set(updates) == set(composer.recalled)
    assert updates[composer.instruction]["value"] == ALPACA
    assert (updates[composer.mode]["value"], updates[composer.columns]["value"]) == ("open", 3)
