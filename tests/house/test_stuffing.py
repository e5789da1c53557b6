"""Votes of programs do not count on the default board, and a key gives a program a rater of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from playground.cli import main
from playground.settings import Settings
from playground.storage.database.store import Store
from tests.support.serving import Playground, playground

PAIR = ["pocket-galpaca", "pocket-minotaur"]
SHORT = {"do_sample": False, "max_new_tokens": 6}
BY_A_PROGRAM = "a program gave it; the leaderboard counts votes of people"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[tuple[Playground, str]]:
    """A served page, and the key of its program ``nightly``."""
    folder = tmp_path_factory.mktemp("keyed")
    Store(folder / "playground.db").close()
    made = key_command(folder, "nightly", "--json")
    settings = Settings(db=folder / "playground.db", models=",".join(PAIR), compares_per_minute=0, votes_per_minute=0)
    with playground(settings) as app:
        yield app, json.loads(made.stdout)["key"]


@dataclass(frozen=True)
class Done:
    """The end of a command."""

    returncode: int
    stdout: str
    stderr: str


def key_command(folder: Path, *arguments: str) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stderr(err):
        status = main(["key", *arguments, "--db", str(folder / "playground.db")], out)
    return Done(status, out.getvalue(), err.getvalue())


def program(app: Playground, **headers: str) -> Client:
    return Client(app.url, verbose=False, headers={name.replace("_", "-"): value for name, value in headers.items()})


def vote(client: Client, choice: str = "", blind: bool = True) -> dict[str, Any]:
    job = client.submit("What is an alpaca?", models=PAIR, blind=blind, params=SHORT, api_name="/compare")
    battle = job.result()
    return dict(client.predict(battle["battle_id"], choice or "a", api_name="/vote"))


def test_invented_names_do_not_count_on_the_default_board(keyed: tuple[Playground, str]) -> None:
    app, _ = keyed
    clients = [program(app, X_Playground_Rater=f"invented-{number}") for number in range(3)]
    said = [vote(clients[number % 3]) for number in range(9)]
    assert {(answer["counts"], answer["why_not"]) for answer in said} == {(False, BY_A_PROGRAM)}
    board = clients[0].predict(api_name="/leaderboard")
    assert board["num_votes"] == 0
    assert {e["reason"]: e["votes"] for e in board["exclusions"]} == {"by_program": board["all_votes"]}
    assert board["kinds"] == {"programs": board["all_votes"]}


def test_free_names_are_one_rater_on_the_board_of_programs(keyed: tuple[Playground, str]) -> None:
    app, key = keyed
    said = [vote(program(app, X_Playground_Key=key)), vote(program(app, X_Playground_Rater="free"))]
    assert {answer["why_not"] for answer in said} == {BY_A_PROGRAM}
    board = program(app).predict(origin="program", api_name="/leaderboard")
    assert board["num_raters"] <= 2
    assert board["basis"].startswith("Blind votes of programs · drawn and chosen pairs · any sampling · ")


def test_unknown_key_is_refused_with_the_command_to_make_one(keyed: tuple[Playground, str]) -> None:
    app, _ = keyed
    with pytest.raises(AppError, match="this key is not known here; make one with: python -m playground key NAME"):
        vote(program(app, X_Playground_Key="x" * 43))


@pytest.mark.parametrize(("name", "value"), [("origin", "robot"), ("pairs", "mine"), ("sampling", "hot")])
def test_unknown_filter_names_the_valid_ones(keyed: tuple[Playground, str], name: str, value: str) -> None:
    with pytest.raises(AppError, match=f"'{name}' is '{value}'; valid: .*, all"):
        program(keyed[0]).predict(**{name: value}, api_name="/leaderboard")


def test_key_command_names_the_lock_while_the_page_runs(keyed: tuple[Playground, str]) -> None:
    app, _ = keyed
    done = key_command(app.db.parent, "another")
    assert done.returncode == 1
    assert f"{app.db}.lock" in done.stderr
    assert done.stderr.count("\n") == 1


def test_keys_are_listed_revoked_and_stored_as_a_hash(tmp_path: Path) -> None:
    Store(tmp_path / "playground.db").close()
    made = json.loads(key_command(tmp_path, "nightly", "--json").stdout)
    assert made["rater"] == "program/nightly"
    assert made["key"].encode() not in (tmp_path / "playground.db").read_bytes()
    assert set(json.loads(key_command(tmp_path, "--list", "--json").stdout)) == {"nightly"}
    assert json.loads(key_command(tmp_path, "nightly", "--revoke", "--json").stdout) == {
        "name": "nightly",
        "revoked": True,
    }
    assert key_command(tmp_path, "--list").stdout.startswith("no program has a key")
    again = key_command(tmp_path, "nightly", "--revoke")
    assert (again.returncode, again.stderr) == (
        1,
        "key: nightly has no key; --list names the programs that have one\n",
    )
    assert key_command(tmp_path).returncode == 1
    assert "valid: 1 to 64 letters" in key_command(tmp_path, "not a name").stderr


@pytest.mark.parametrize("arguments", [("nightly",), ("nightly", "--revoke"), ("--list",)])
def test_key_command_creates_no_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = key_command(tmp_path, *arguments)
    assert done.returncode == 1
    assert f"there is no database at {tmp_path / 'playground.db'}" in done.stderr
    assert list(tmp_path.iterdir()) == []
