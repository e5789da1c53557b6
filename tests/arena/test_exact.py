"""16-bit answers: how many were written together is stored, and with `exact` none depends on others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.catalog.catalog import CARD_FOLDER
from playground.records import BattleState, Exactness, Generation, Instruction, exactness
from playground.settings import Settings
from tests.support.cast import ADA, GALPACA, MAMBA
from tests.support.patience import wait_until

ASKED = (
    "What is an alpaca?",
    "Name three fruits.",
    "What is 3 plus 4?",
    "Say hello.",
    "What is gravity?",
    "Explain what a comet is.",
    "What is the opposite of hot?",
    "Write a sentence about rain.",
)
OVERRIDES = {"do_sample": False, "max_new_tokens": 8, "seed": 1}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with cards of two pocket models, computed in 16 bit."""
    cards = tmp_path / "cards"
    cards.mkdir()
    for name in (GALPACA, MAMBA):
        card = (CARD_FOLDER / f"{name}.toml").read_text().replace('dtype = "float32"', 'dtype = "bfloat16"')
        repo = (CARD_FOLDER / "../../pocket/weights" / name).resolve()
        (cards / f"{name}.toml").write_text(card.replace(f"../../pocket/weights/{name}", str(repo)))
    return tmp_path


def arena_in(home: Path, exact: bool) -> Arena:
    db = home / f"{exact}.db"
    patient = {"abandon_s": 600.0, "deadline_s": 600.0}
    arena = Arena(Settings(db=db, cards=str(home / "cards"), models=f"{GALPACA},{MAMBA}", exact=exact, **patient))
    arena.open()
    wait_until(lambda: {status.state for status in arena.models.statuses()} == {"ready"})
    return arena


def ask(arena: Arena, *asked: str) -> Mapping[tuple[str, str], Generation]:
    """Compare at the same moment; return each answer by instruction and side."""
    viewer = Viewer(ADA)
    how = {"blind": False, "models": (GALPACA, MAMBA), "overrides": OVERRIDES}
    ids = [arena.compare(Instruction(text), viewer, **how) for text in asked]
    views = arena.battles.stored.view
    for each in ids:
        wait_until(lambda: views(each, viewer).state is not BattleState.GENERATING)  # noqa: B023  # called at once
    battles = [arena.store.battle(each) for each in ids]
    sides = [(battle.instruction.instruction, side) for battle in battles if battle for side in battle.sides]
    return {(text, side.side): side.generation for text, side in sides if side.generation}


@pytest.mark.slow
@pytest.mark.usefixtures("models_of_one_process")
def test_exact_answers_of_eight_visitors_are_those_of_each_alone(home: Path) -> None:
    arena = arena_in(home, exact=True)
    try:
        together = ask(arena, *ASKED)
        alone = {key: answer for text in ASKED for key, answer in ask(arena, text).items()}
    finally:
        arena.close()
    assert len(together) == 2 * len(ASKED)
    assert {key: answer.token_ids for key, answer in together.items()} == {
        key: answer.token_ids for key, answer in alone.items()
    }
    answers = [*together.values(), *alone.values()]
    assert {(answer.dtype, answer.written_together) for answer in answers} == {("bfloat16", 1)}
    assert {answer.exactness for answer in answers} == {Exactness.ROUNDED}


@pytest.mark.slow
@pytest.mark.usefixtures("models_of_one_process")
def test_answers_of_eight_visitors_are_written_together_without(home: Path) -> None:
    arena = arena_in(home, exact=False)
    try:
        answers = list(ask(arena, *ASKED).values())
    finally:
        arena.close()
    assert max(answer.written_together or 0 for answer in answers) > 1


@pytest.mark.parametrize(
    ("faithful", "dtype", "expected"),
    [
        (True, "float32", Exactness.EXACT),
        (True, "bfloat16", Exactness.ROUNDED),
        (True, "float16", Exactness.ROUNDED),
        (False, "float32", Exactness.UNKNOWN),
    ],
)
def test_dtype_decides_how_exact_an_answer_is(faithful: bool, dtype: str, expected: Exactness) -> None:
    assert exactness(faithful, dtype) is expected
