"""``generate``: answers to a file of instructions, through kills and Ctrl-C."""

from __future__ import annotations

import io
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from playground.catalog.card_files import read_card
from playground.cli import main
from playground.clock import Clock
from playground.storage.database.store import Store
from tests.support.cast import GALPACA, MAMBA, generation
from tests.support.chat_server import CHAT, Plays, playing
from tests.support.instruction_rows import ASKED, KINDS
from tests.support.paths import ROOT
from tests.support.remote_jobs import write_card

PATIENCE_S = 600.0
MODELS = f"{GALPACA},{MAMBA}"


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(["generate", *argv], out), out.getvalue()


def rows(db: Path) -> list[Any]:
    """Return what is the same in every run: key, attempt, number, seeds and the answer."""
    statement = """
    SELECT d.key, d.attempt, d.number, d.seed, g.model_id, g.seed, g.params, g.finish_reason, g.text, g.token_ids
    FROM generated d JOIN generations g ON g.id = d.generation_id ORDER BY d.key, d.attempt"""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def count(db: Path) -> int:
    with suppress(sqlite3.Error):
        return len(rows(db))
    return 0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    kind = KINDS["self-instruct seed tasks"]
    path = tmp_path / kind.name
    path.write_bytes(kind.content())
    return path


def test_bad_row_stops_the_run_before_it_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, db = tmp_path / "a.jsonl", tmp_path / "a.db"
    path.write_text('{"prompt": "one"}\n{"prompt": 2}\n{"prompt": " "}\n')
    assert run(str(path), "--models", MODELS, "--db", str(db)) == (1, "")
    said = capsys.readouterr().err
    assert "a.jsonl, line 2: 'prompt' is 2; valid: text" in said
    assert "a.jsonl, line 3: the instruction is empty" in said
    assert "2 rows cannot be used, so nothing was written; --skip-bad leaves them out" in said
    assert not db.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--params", "{"), "--params: is not JSON"),
        (("--params", '{"heat": 1}'), "--params: unknown parameter 'heat'"),
        (("--params", '{"seed": 1}'), "give it with --seed"),
        (("--n", "0"), "--n is 0; valid: 1 to 1,000"),
        (("--seed", "-1"), "seed is -1"),
        (("--field", "x"), "valid fields: instruction"),
    ],
)
def test_wrong_flag_is_refused(
    file: Path, tmp_path: Path, flags: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(file), *flags, "--db", str(tmp_path / "a.db"))[0] == 1
    assert words in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("models_of_one_process")
def test_answers_are_written_once_and_verified(file: Path, tmp_path: Path) -> None:
    db = str(tmp_path / "a.db")
    assert run(str(file), "--models", MODELS, "--db", db) == (
        0,
        "12 instructions: 24 written, 0 answers already there, 0 failed\n",
    )
    assert run(str(file), "--models", MODELS, "--db", db)[1].startswith("12 instructions: 0 written, 24 answers al")
    assert len(rows(Path(db))) == 2 * len(ASKED)
    assert main(["verify", "--db", db], io.StringIO()) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("models_of_one_process")
def test_failure_is_listed_and_tried_again_on_request(tmp_path: Path) -> None:
    path, db = tmp_path / "a.txt", str(tmp_path / "a.db")
    path.write_text("Name a colour.\n")
    argv = (str(path), "--models", GALPACA, "--db", db, "--json")
    status, text = run(*argv, "--deadline-s", "0.0001")
    found = json.loads(text)
    assert (status, found["written"], found["stored_failures"]) == (1, 0, 1)
    assert "was not finished after 0.0001 s" in found["failures"][0]["error"]
    assert json.loads(run(*argv)[1])["failures"] == found["failures"]
    status, text = run(*argv, "--retry-failed")
    assert (status, json.loads(text)["written"]) == (0, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("models_of_one_process")
def test_dry_run_measures_and_stores_nothing(file: Path, tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    status, text = run(str(file), "--models", GALPACA, "--db", str(db), "--dry-run", "--json")
    [plan] = json.loads(text)["models"]
    assert (status, plan["answers"], plan["measured"]) == (0, 12, 8)
    assert plan["prompt_tokens"] > 0
    assert plan["duration_s"] > plan["load_s"] > 0
    assert not db.exists()


@pytest.mark.slow
def test_dry_run_keeps_to_the_tokens_of_the_day(tmp_path: Path) -> None:
    path, db = tmp_path / "a.txt", tmp_path / "a.db"
    path.write_text("Name a colour.\n")
    with playing(Plays(streams={CHAT: "ollama-chat.sse"})) as server:
        keys = ('engine = "remote"', 'served_name = "org/tiny"', f'servers = ["{server.url}"]', "daily_tokens = 30")
        card = write_card(tmp_path, "limited", "org/far", *keys, 'feed = "messages"')
        card.write_text(card.read_text().replace('template = "orca-mini"\n', ""))
        with Store(db) as store:
            store.upsert_model(read_card(card))
            spent = generation("g", model_id="limited", versions={"tokens": "30"}, created_at=Clock().now())
            store.write(lambda writing: writing.insert_generation(spent))
        flags = ("--cards", str(tmp_path), "--models", "limited", "--db", str(db), "--dry-run", "--json")
        status, text = run(str(path), *flags)
    [failure] = json.loads(text)["failures"]
    assert (status, server.asked) == (1, [])
    assert failure["error"].startswith("this model has spent its tokens of today")


@pytest.mark.slow
def test_stopped_run_ends_with_the_rows_of_an_undisturbed_one(file: Path, tmp_path: Path) -> None:
    flags = (str(file), "--models", MODELS, "--n", "3", "--params", '{"temperature": 0.7}', "--seed", "5", "--db")
    command = (sys.executable, "-m", "playground", "generate", *flags)
    subprocess.run([*command, str(tmp_path / "whole.db")], cwd=ROOT, check=True, capture_output=True)
    db, total = tmp_path / "killed.db", 3 * 2 * len(ASKED)
    moments = sorted(random.Random(5).sample(range(1, total - 10), 3))
    for most, stop in zip(moments, (signal.SIGKILL, signal.SIGINT, signal.SIGKILL), strict=True):
        process = subprocess.Popen([*command, str(db)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and count(db) < most:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # more often would take the processor from the models
        process.send_signal(stop)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (0, -stop, 130)
    subprocess.run([*command, str(db)], cwd=ROOT, check=True, capture_output=True)
    assert rows(db) == rows(tmp_path / "whole.db")
    assert len(rows(db)) == total
