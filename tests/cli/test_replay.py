"""``replay``: answers of real models written again, equal and not."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.catalog.starters import load_starters
from playground.cli import main
from playground.records import BattleState, Instruction
from playground.settings import Settings
from tests.support.cast import ADA, GALPACA, MAMBA, house
from tests.support.patience import wait_until

POCKET = ("pocket-openalpaca", "pocket-mamba-gpt", "pocket-orca-mini", "pocket-minotaur", "pocket-galpaca")
HUNDRED, AT_ONCE = 100, 10
DEADLINE_S = 1800.0
"""Longer than a hundred answers take on a busy machine."""
QUESTIONS = ("What is an alpaca?", "Name three fruits.", "What is 3 plus 4?")


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(["replay", *argv], out), out.getvalue()


def changed(db: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        assert connection.execute(statement, values).rowcount == 1


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a database with a battle of two pocket models, which sample, for each question."""
    db = tmp_path_factory.mktemp("replay") / "playground.db"
    arena, viewer = Arena(Settings(db=db, models=f"{GALPACA},{MAMBA}")), Viewer(ADA)
    arena.open()
    try:
        ids = [arena.compare(Instruction(question), viewer, blind=False) for question in QUESTIONS]
        states = (BattleState.OPEN, BattleState.REVEALED)
        wait_until(lambda: all(arena.battles.stored.view(each, viewer).state in states for each in ids))
    finally:
        arena.close()
    return db, ids


@pytest.fixture
def copied(stored: tuple[Path, list[str]], tmp_path: Path) -> tuple[Path, list[str]]:
    db = tmp_path / "playground.db"
    with closing(sqlite3.connect(stored[0])) as source, closing(sqlite3.connect(db)) as target:
        source.backup(target)
    return db, stored[1]


@pytest.mark.slow
def test_answers_come_out_the_same(stored: tuple[Path, list[str]]) -> None:
    db, _ = stored
    status, out = run("--last", "10", "--db", str(db))
    assert (status, out.splitlines()[-1]) == (0, "6 answers of 3 battles: 6 same")
    heads = [line for line in out.splitlines()[:-1] if not line.startswith(" ")]
    assert [line.split("  ")[1] for line in heads] == list(reversed(QUESTIONS))


@pytest.mark.long
def test_a_hundred_battles_of_all_pocket_models_come_out_the_same(tmp_path: Path) -> None:
    """Ten are always written at once, so that rows join and leave at other steps than in the replay."""
    db, viewer = tmp_path / "playground.db", Viewer(ADA)
    starters = [one for many in load_starters(Settings().starters_folder).values() for one in many]
    arena = Arena(Settings(db=db, models=",".join(POCKET), deadline_s=DEADLINE_S, abandon_s=DEADLINE_S))
    arena.open()
    try:
        ids: list[str] = []
        for number in range(HUNDRED):
            models = tuple(POCKET[(number + step) % len(POCKET)] for step in (0, 1 + number % 4))
            wait_until(lambda: len(unfinished(arena, ids, viewer)) < AT_ONCE)
            instruction = starters[number % len(starters)]
            ids.append(arena.compare(instruction, viewer, blind=False, models=models))
        wait_until(lambda: not unfinished(arena, ids, viewer))
    finally:
        arena.close()
    status, out = run("--last", str(HUNDRED), "--db", str(db), "--deadline-s", str(DEADLINE_S))
    answers = 2 * HUNDRED
    assert (status, out.splitlines()[-1]) == (0, f"{answers} answers of {HUNDRED} battles: {answers} same"), out


def unfinished(arena: Arena, ids: list[str], viewer: Viewer) -> list[str]:
    states = {each: arena.battles.stored.view(each, viewer).state for each in ids[-2 * AT_ONCE :]}
    return [each for each, state in states.items() if state is BattleState.GENERATING]


@pytest.mark.slow
def test_differences_are_found_and_named(copied: tuple[Path, list[str]]) -> None:
    db, (first, second, _) = copied
    of_side = "id = (SELECT generation_id FROM battle_sides WHERE battle_id = ? AND model_id = ?)"

    def change(what: str, battle: str, model: str) -> None:
        changed(db, f"UPDATE generations SET {what} WHERE {of_side}", battle, model)

    other_token = "token_ids = json_set(token_ids, '$[1]', (token_ids ->> '$[1]') + 1)"
    change(f"versions = json_set(versions, '$.torch', '2.10.0'), {other_token}", first, GALPACA)
    change("finish_reason = 'cancelled', token_ids = json_remove(token_ids, '$[#-1]')", second, GALPACA)
    change("prompt_ids = '[]'", second, MAMBA)
    status, out = run(first, second, "--json", "--db", str(db))
    found: dict[str, Any] = json.loads(out)
    assert status == 1
    by_side = {(each["battle"], each["model"]): each for each in found["sides"]}
    different = by_side[first, GALPACA]
    assert (different["outcome"], different["first_different"], different["changes"]) == (
        "different",
        1,
        [{"name": "torch", "then": "2.10.0", "now": by_side[first, GALPACA]["changes"][0]["now"]}],
    )
    assert by_side[first, MAMBA]["outcome"] == "same"
    assert by_side[second, GALPACA]["outcome"] == "same_so_far"
    assert by_side[second, MAMBA]["outcome"] == "not_written"
    assert "imported" in by_side[second, MAMBA]["reasons"][0]
    assert (found["same"], found["same_so_far"], found["different"], found["not_written"]) == (1, 1, 1, 1)


def test_unknown_battles_and_wrong_arguments_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house(tmp_path).store.close()
    db = str(tmp_path / "playground.db")
    for argv, words in (
        ((), "--last N"),
        (("abc", "--last", "3"), "--last N"),
        (("--last", "0"), "valid: 1 to 10,000"),
        (("abc",), "no battle 'abc'"),
    ):
        assert run(*argv, "--db", db) == (1, "")
        assert words in capsys.readouterr().err


def test_erased_and_hidden_words_are_not_printed(tmp_path: Path) -> None:
    home = house(tmp_path)
    for name in ("erased", "hidden"):
        home.battle_is_open(name, owner=ADA, instruction=Instruction(f"Secret of {name}?"))
    changes = {"erased": "erased_at", "hidden": "hidden_at"}
    home.store.close()
    db = tmp_path / "playground.db"
    for name, column in changes.items():
        changed(db, f"UPDATE battles SET {column} = created_at WHERE id = ?", name)
    status, out = run("erased", "hidden", "--db", str(db))
    assert status == 1
    assert "Secret" not in out
    assert "its words are erased" in out
    assert "its words are hidden" in out
    assert "Secret" not in run("--last", "2", "--json", "--db", str(db))[1]
