"""The models of a comparison, chosen or drawn, and their parameters; over the pocket cards and their tokenizers."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from playground.arena.line_up import LineUp, default_models
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.engines.local.engine import LocalEngine
from playground.engines.local.placement import Device
from playground.engines.zerogpu.engine import ZeroGpuEngine
from playground.engines.zerogpu.gpu_function import VARIABLE
from playground.errors import InvalidValue, PromptTooLong
from playground.ratings.pairing import LEAST, MOST, Pairing
from playground.records import Instruction
from playground.settings import Settings
from tests.support.judged import table_of

CATALOG = Catalog.load()
LINE_UP = LineUp(CATALOG, ())
ASK = Instruction("What is an alpaca?")


def drawn(columns: int = 2, instruction: Instruction = ASK, **overrides: float) -> tuple[list[str], float | None]:
    cards, probability, _ = LINE_UP.choose(instruction, (), columns, True, overrides, {})
    return [card.id for card in cards], probability


def test_draw_has_different_models_and_a_probability() -> None:
    models, probability = drawn(3)
    assert len(set(models)) == 3
    assert probability == pytest.approx(1 / 60)
    models, _ = drawn(6)
    assert sorted(Counter(models).values()) == [1, 1, 1, 1, 2]


def known_pairs() -> Pairing:
    """A board on which the first two models never met and all others often."""
    ids = [card.id for card in LINE_UP.cards]
    often = [(a, b) for a, b in itertools.combinations(ids, 2) if (a, b) != (ids[0], ids[1])]
    return Pairing.of(table_of(*((a, b, winner, 10) for a, b in often for winner in ("model_a", "model_b"))))


@pytest.mark.parametrize("columns", [2, 3])
def test_draw_by_a_board_is_as_likely_as_it_says(columns: int) -> None:
    pairing, draws = known_pairs(), 800
    found: Counter[tuple[str, ...]] = Counter()
    said: dict[tuple[str, ...], float] = {}
    for _ in range(draws):
        cards, probability, _ = LINE_UP.choose(ASK, (), columns, True, {}, {}, pairing)
        order = tuple(card.id for card in cards)
        found[order] += 1
        assert probability is not None
        assert said.setdefault(order, probability) == probability
    assert len(said) == math.perm(len(LINE_UP.cards), columns)
    assert sum(said.values()) == pytest.approx(1)
    square = sum((found[order] - draws * p) ** 2 / (draws * p) for order, p in said.items())
    assert square < 2 * len(said) + 40
    uniform = 1 / len(said)
    assert max(said.values()) > 1.2 * uniform
    assert all(uniform * LEAST - 1e-9 <= p <= uniform * MOST + 1e-9 for p in said.values())


def test_draw_by_a_board_says_why() -> None:
    ids = [card.id for card in LINE_UP.cards]
    pairing = known_pairs()
    whys = [LINE_UP.choose(ASK, (), 2, True, {}, {}, pairing).why for _ in range(60)]
    new = next(why for why in whys if why is not None and why.pair is not None and why.pair.met == 0)
    assert new.pair is not None
    assert {new.pair.model_a, new.pair.model_b} == set(ids[:2])
    assert new.probability > 2 * new.uniform == pytest.approx(0.2)
    assert any(why is not None and why.pair is None for why in whys), "often met, so no board asked for them"


def test_board_that_lacks_a_model_leaves_all_as_likely() -> None:
    unknown = Pairing.of(table_of((*[card.id for card in LINE_UP.cards[:2]], "model_a", 50)))
    _, probability, why = LINE_UP.choose(ASK, (), 2, True, {}, {}, unknown)
    assert (probability, why) == (pytest.approx(1 / 20), None)
    assert LINE_UP.choose(ASK, (), 6, True, {}, {}, known_pairs()).why is None


def test_chosen_models_have_no_probability() -> None:
    cards, probability, _ = LINE_UP.choose(ASK, ("pocket-galpaca", "pocket-galpaca"), 2, True, {}, {})
    assert ([card.id for card in cards], probability) == (["pocket-galpaca"] * 2, None)


def test_draw_leaves_out_failed_models_if_there_are_others() -> None:
    failed = {"pocket-galpaca", "pocket-minotaur", "pocket-mamba-gpt"}
    for _ in range(10):
        cards, *_ = LINE_UP.choose(ASK, (), 2, True, {}, dict.fromkeys(failed, "failed"))
        assert not failed & {card.id for card in cards}


def test_draw_takes_an_unloaded_model_only_if_fewer_than_two_are_up() -> None:
    ids = [card.id for card in LINE_UP.cards]
    up = dict.fromkeys(ids[:2], "ready") | dict.fromkeys(ids[2:], "off")
    for _ in range(10):
        cards, *_ = LINE_UP.choose(ASK, (), 2, True, {}, up)
        assert {card.id for card in cards} == set(ids[:2])
        cards, *_ = LINE_UP.choose(ASK, (), 2, True, {}, up | {ids[0]: "failed"})
        assert len({card.id for card in cards} - {ids[0]}) == 2


@pytest.mark.parametrize("state", ["spent", "failed"])
def test_only_model_that_can_answer_is_not_drawn_against_itself(state: str) -> None:
    ids = [card.id for card in LINE_UP.cards]
    for _ in range(10):
        cards, *_ = LINE_UP.choose(ASK, (), 2, True, {}, dict.fromkeys(ids[1:], state))
        assert len({card.id for card in cards}) == 2


def test_added_model_is_chosen_like_the_others() -> None:
    line_up = LineUp(CATALOG, ("pocket-galpaca",))
    for _ in range(2):
        line_up.add(CATALOG.card("pocket-minotaur"))
    assert [card.id for card in line_up.cards] == ["pocket-galpaca", "pocket-minotaur"]
    cards, *_ = line_up.choose(ASK, ("pocket-minotaur", "pocket-minotaur"), 2, False, {}, {})
    assert len(cards) == 2


@pytest.mark.proves("a prompt longer than the smallest context")
def test_refusal_of_an_instruction_never_depends_on_the_draw() -> None:
    for words in range(150, 260, 10):
        instruction = Instruction("alpaca " * words)
        outcomes = set()
        for _ in range(12):
            try:
                drawn(2, instruction)
                outcomes.add("taken")
            except PromptTooLong as refused:
                outcomes.add(str(refused))
        assert len(outcomes) == 1, f"{words} words: {outcomes}"


def test_models_that_may_not_write_as_much_are_not_drawn() -> None:
    line_up = LineUp(CATALOG, ("pocket-galpaca", "pocket-orca-mini"), 30)
    line_up.cards = tuple(
        replace(card, sampling=replace(card.sampling, max_new_tokens=tokens))
        for card, tokens in zip(line_up.cards, (20, 40), strict=True)
    )
    with pytest.raises(InvalidValue, match="valid here: 1 to 30"):
        line_up.choose(ASK, (), 2, True, {"max_new_tokens": 40}, {})


GPU = Device("cuda:0", "GPU 0", 80 * 10**9, 79 * 10**9)
CPU = Device("cpu", "this CPU", 16 * 10**9, 11 * 10**9)


def engine(*devices: Device) -> LocalEngine:
    return LocalEngine(Settings(), devices=lambda: devices)


def with_real_models(folder: Path, **sizes: int) -> Catalog:
    """The catalog, and cards for copies of a pocket checkpoint that claim other numbers of parameters."""
    files = CATALOG.card("pocket-orca-mini").repo
    for name, num_parameters in sizes.items():
        text = (CARD_FOLDER / "pocket-orca-mini.toml").read_text()
        text = re.sub(r'id = ".*"', f'id = "{name}"', text, count=1)
        text = re.sub(r'repo = ".*"', f'repo = "{files}"\nnum_parameters = {num_parameters}', text)
        (folder / f"{name}.toml").write_text(re.sub(r'stands_in_for = ".*"\n', "", text))
    return Catalog.load((CARD_FOLDER, folder))


def write_laptop(folder: Path, *models: str) -> None:
    """Replace the line-up of models for a CPU."""
    (folder / "line_ups").mkdir()
    (folder / "line_ups" / "laptop.toml").write_text(f'description = "Small."\nmodels = {list(models)}')


def test_default_without_a_gpu_is_the_pocket_models(tmp_path: Path) -> None:
    assert default_models(with_real_models(tmp_path, first=7 * 10**9, second=10**9), engine(CPU)) == ()


def test_default_without_a_gpu_is_the_laptop_models_that_are_here_and_fit(tmp_path: Path) -> None:
    write_laptop(tmp_path, "second", "first", "large", "smollm2-135m")
    catalog = with_real_models(tmp_path, first=10**8, second=10**9, large=90 * 10**9, other=10**8)
    assert default_models(catalog, engine(CPU)) == ("second", "first")


def test_default_without_a_gpu_is_not_a_single_laptop_model(tmp_path: Path) -> None:
    write_laptop(tmp_path, "first", "smollm2-135m")
    assert default_models(with_real_models(tmp_path, first=10**8), engine(CPU)) == ()


def test_default_on_a_gpu_is_the_models_that_are_here_and_fit(tmp_path: Path) -> None:
    catalog = with_real_models(tmp_path, first=7 * 10**9, second=10**9, third=90 * 10**9)
    assert default_models(catalog, engine(GPU, CPU)) == ("first", "second")


def test_default_on_zerogpu_leaves_no_memory_to_models_that_are_not_here(tmp_path: Path) -> None:
    catalog = with_real_models(tmp_path, first=7 * 10**9, second=7 * 10**9)
    zerogpu = ZeroGpuEngine(Settings(), environ={VARIABLE: "true"})
    assert default_models(catalog, zerogpu) == ("first", "second")


def test_default_on_a_gpu_with_one_model_is_the_pocket_models(tmp_path: Path) -> None:
    assert default_models(with_real_models(tmp_path, first=7 * 10**9), engine(GPU, CPU)) == ()


def test_without_models_nothing_is_drawn() -> None:
    line_up = LineUp(CATALOG, ("none",))
    assert line_up.cards == ()
    for models in ((), ("pocket-galpaca", "pocket-minotaur")):
        with pytest.raises(InvalidValue, match="No models run here"):
            line_up.choose(Instruction("Hello"), models, 2, True, {}, {})
