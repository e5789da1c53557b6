"""Answers to the operator's file, written by real workers beside visitors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.cli import main
from playground.errors import InvalidInstruction, InvalidValue
from playground.records import BattleState, Instruction
from playground.settings import Settings
from tests.arena.test_arena import write_card
from tests.support.checkpoints import ROOMY, write_checkpoint
from tests.support.patience import wait_until

MODELS = ("tiny-llama", "tiny-opt")
ASKED = 12
MANY = 200  # so that some are left when the first has ended
ENDLESS = 4000


def lines(number: int) -> bytes:
    return "".join(f"Name {item} things.\n" for item in range(number)).encode()


def make(home: Path, max_new_tokens: int = 24) -> Settings:
    cards = home / "cards"
    cards.mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(home / kind, kind, context=ROOMY), max_new_tokens)
    return Settings(db=home / "playground.db", cards=str(cards), models=",".join(MODELS))


@pytest.fixture
def arena(tmp_path: Path, models_of_one_process: None) -> Iterator[Arena]:
    arena = Arena(make(tmp_path))
    arena.open()
    yield arena
    arena.close()


def stored(arena: Arena) -> int:
    with arena.store.reading() as reading:
        return int(reading.scalar("SELECT count(*) FROM generated"))


def ended(arena: Arena) -> None:
    wait_until(lambda: not arena.file_answers.state.running)


def test_models_answer_a_file_while_a_visitor_compares(arena: Arena) -> None:
    answers = arena.file_answers
    answers.take("questions.txt", lines(ASKED))
    answers.begin(MODELS)
    with pytest.raises(InvalidValue, match="being written"):
        answers.take("other.txt", lines(ASKED))
    with pytest.raises(InvalidValue, match="being written"):
        answers.begin(MODELS)
    ada = Viewer("a" * 32)
    battle = arena.compare(Instruction("What is rust?"), ada, blind=True)
    wait_until(lambda: arena.battles.view(battle, ada).state is not BattleState.GENERATING)
    ended(arena)
    state = answers.state
    assert (state.written, state.total, state.failures, state.error) == (2 * ASKED, 2 * ASKED, (), "")
    assert stored(arena) == 2 * ASKED
    answers.begin(MODELS)
    ended(arena)
    assert (answers.state.written, answers.state.there) == (0, 2 * ASKED)


def test_command_goes_on_where_the_page_stopped(arena: Arena, tmp_path: Path) -> None:
    answers = arena.file_answers
    answers.take("questions.txt", lines(MANY))
    answers.begin([MODELS[0]])
    wait_until(lambda: answers.state.done > 0)
    answers.stop()
    ended(arena)
    assert answers.state.is_stopped
    written = stored(arena)
    assert 0 < written < MANY
    arena.close()
    path = tmp_path / "questions.txt"
    path.write_bytes(lines(MANY))
    settings, out = arena.settings, io.StringIO()
    command = ["generate", str(path), "--db", str(settings.db), "--cards", settings.cards, "--models", MODELS[0]]
    assert main([*command, "--json"], out) == 0
    report = json.loads(out.getvalue())
    assert (report["there"], report["written"]) == (written, MANY - written)


def test_playground_that_closes_ends_the_run_and_keeps_what_has_ended(
    tmp_path: Path, models_of_one_process: None
) -> None:
    arena = Arena(make(tmp_path, ENDLESS))
    arena.open()
    arena.file_answers.take("questions.txt", lines(ASKED))
    arena.file_answers.begin(MODELS)
    wait_until(lambda: arena.file_answers.state.model != "")
    arena.close()
    assert not arena.file_answers.state.running


def test_file_without_instructions_is_refused_by_its_name() -> None:
    answers = Arena(Settings()).file_answers
    with pytest.raises(InvalidInstruction, match=r"odd\.jsonl has no instructions.*its keys: colour"):
        answers.take("odd.jsonl", b'{"colour": "red"}\n')
    with pytest.raises(InvalidInstruction, match=r"empty\.csv is empty"):
        answers.take("empty.csv", b"")
    assert answers.state.file is None


def test_rows_that_cannot_be_used_are_listed_with_the_file() -> None:
    answers = Arena(Settings()).file_answers
    answers.take("some.JSONL", b'{"turns": ["one", "two"]}\n{"turns": []}\n{"turns": ["one"]}\n')
    found = answers.state.file
    assert found is not None
    assert (len(found.instructions), found.repeated, found.turns_left_out) == (1, 1, 1)
    assert [row.place for row in found.bad] == ["line 2"]
