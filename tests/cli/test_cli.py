"""The command line: output and exit status."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.catalog.catalog import CARD_FOLDER
from playground.cli import main
from playground.storage.database.store import Store
from tests.support.cast import ADA, GALPACA, HAIKU, MAMBA, OPENALPACA, House

VOTES = (((OPENALPACA, MAMBA), "a"), ((OPENALPACA, GALPACA), "b"), ((MAMBA, GALPACA), "tie"))


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    status = main(argv, out)
    return status, out.getvalue()


def document(*argv: str) -> Any:
    status, text = run(*argv)
    assert status == 0
    return json.loads(text)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with three votes: openalpaca beats mamba-gpt, galpaca beats openalpaca, a tie."""
    path = tmp_path / "playground.db"
    with Store(path) as store:
        house = House(store)
        for number, (models, choice) in enumerate(VOTES):
            asked = replace(HAIKU, input=str(number))  # a repeated instruction shows answers seen before
            house.battle_is_open(f"battle-{number}", models, instruction=asked)
            house.time.pass_s(4)
            house.battles.vote(f"battle-{number}", choice, ADA)
    return path


def test_ledger_lists_every_model_that_was_tested(db: Path) -> None:
    ledger = document("models", "--ledger", "--json", "--db", str(db), "--models", MAMBA)
    assert (ledger["models_here"], ledger["models_ever"]) == (1, 3)
    assert sum(entry["variant"]["battles"] for entry in ledger["entries"]) == 2 * len(VOTES)
    status, text = run("models", "--ledger", "--db", str(db), "--models", MAMBA)
    assert (status, text.splitlines()[0]) == (0, "models ever tested here: 3, answering now: 1")
    assert "retired: no reason is given" in text


def test_models_lists_the_pocket_models() -> None:
    status, text = run("models")
    assert status == 0
    assert "pocket-galpaca" in text
    rows = document("models", "--json")
    assert {"id", "name", "license", "state"} <= set(rows[0])
    assert {row["state"] for row in rows} == {"off"}
    assert [row["id"] for row in document("models", "--json", "--models", MAMBA)] == [MAMBA]


def test_prompt_keeps_text_byte_for_byte() -> None:
    fed = document("prompt", "pocket-orca-mini", "--instruction", " twice  spaced ", "--system", "Be brief.")
    assert set(fed) == {"model", "template", "text", "token_ids", "num_tokens"}
    assert " twice  spaced " in fed["text"]
    assert "Be brief." in fed["text"]
    assert fed["num_tokens"] == len(fed["token_ids"])
    assert fed["token_ids"][0] == 1


def test_plain_template_is_the_instruction_alone() -> None:
    assert document("prompt", "pocket-orca-mini", "--instruction", "hi", "--template", "plain")["text"] == "hi"


def test_prompt_file_continues_after_a_bad_line(tmp_path: Path) -> None:
    lines = tmp_path / "prompts.jsonl"
    lines.write_bytes(b'{"instruction": "one"}\n{"instruction": 2}\nnot json\n{"instruction": "four", "input": "x"}\n')
    status, text = run("prompt", "pocket-galpaca", "--file", str(lines))
    rows = [json.loads(line) for line in text.splitlines()]
    assert status == 1
    assert [row.get("line") for row in rows] == [None, 2, 3, None]
    assert "'instruction' is 2; valid: text" in rows[1]["error"]


def test_reader_that_has_enough_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as out:
        assert main(["prompt", "pocket-orca-mini", "--instruction", "Hello"], out) == 1
    assert capfd.readouterr().err == ""


def test_leaderboard_prints_verdict_or_json(db: Path) -> None:
    status, text = run("leaderboard", "--db", str(db))
    assert status == 0
    assert text.splitlines()[0]
    assert "Counted. All 3 votes count." in text.splitlines()
    board = document("leaderboard", "--db", str(db), "--json")
    assert board["num_votes"] == 3


def test_leaderboard_names_exclusions(db: Path) -> None:
    with Store(db) as store:
        house = House(store)
        house.time.pass_s(60)
        house.battle_is_open("quick")
        house.battles.vote("quick", "a", ADA)
    assert "Counted. 4 votes: 3 count; 1 decided in under 1 s." in run("leaderboard", "--db", str(db))[1]
    board = document("leaderboard", "--db", str(db), "--json")
    assert board["exclusions"] == [{"reason": "too_quick", "words": "decided in under 1 s", "votes": 1}]
    assert document("leaderboard", "--db", str(db), "--json", "--count-all")["num_votes"] == 4


def test_leaderboard_takes_the_options_of_its_intervals(db: Path) -> None:
    flags = ["--unit", "vote", "--level", "0.8", "--both-bad", "omit", "--bootstrap", "20"]
    options = document("leaderboard", "--db", str(db), "--json", *flags)["options"]
    assert [options[name] for name in ("unit", "level", "both_bad", "resamples")] == ["vote", 0.8, "omit", 20]
    lines = run("leaderboard", "--db", str(db), *flags, "--analyses")[1].splitlines()
    assert any(" 80 % " in line for line in lines)
    assert "Style. Fewer than 100 judged pairs with texts: too few to say what style does." in lines


def test_agreement_says_how_much_is_missing_and_where_models_win(db: Path) -> None:
    lines = run("agreement", "--db", str(db), "--origin", "all")[1].splitlines()
    assert "No battle has judgements of several raters; 20 more are needed." in lines[0]
    assert "Nobody judged the same answers twice; 20 more are needed." in lines[1]
    assert " ".join(lines[3].split()) == "model wins when earlier wins when later difference 95 % together"
    openalpaca = next(line for line in lines if line.startswith(OPENALPACA))
    assert " ".join(openalpaca.split()[1:]) == "50 % of 2 – – –"


def test_agreement_is_that_of_the_document_of_the_leaderboard(db: Path) -> None:
    found = document("agreement", "--db", str(db), "--json", "--pairs", "all")
    board = document("leaderboard", "--db", str(db), "--json", "--pairs", "all")
    assert found == board["analyses"]["agreement"]
    assert found["between"]["battles"] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--unit", "day"], "unit is 'day'; valid are: auto, rater, vote"),
        (["--level", "95"], "level is 95.0; valid: between 0 and 1"),
        (["--both-bad", "drop"], "both_bad is 'drop'; valid are: half, omit"),
        (["--bootstrap", "1"], "resamples is 1; valid: 2 or more"),
    ],
)
def test_leaderboard_refuses_unknown_options(
    db: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", "--db", str(db), *flags], io.StringIO()) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "num_votes"),
    [
        (["--rater", ADA], 3),
        (["--rater", "nobody"], 0),
        (["--models", OPENALPACA], 2),
        (["--until", "2000-01-01"], 0),
        (["--mode", "open"], 0),
        (["--pairs", "chosen"], 3),
        (["--imported", "only"], 0),
        (["--imported", "--open"], 3),
    ],
)
def test_leaderboard_is_filtered(db: Path, flags: list[str], num_votes: int) -> None:
    assert document("leaderboard", "--db", str(db), "--json", *flags)["num_votes"] == num_votes


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["prompt", "gpt-9", "--instruction", "hi"], "unknown model 'gpt-9'; valid: galpaca-30b, "),
        (["prompt", "pocket-galpaca", "--instruction", "hi", "--template", "x"], "unknown template 'x'; valid: "),
        (["prompt", "pocket-galpaca", "--instruction", "\udcff"], "not valid UTF-8"),
        (["prompt", "pocket-galpaca", "--file", "missing.jsonl"], "missing.jsonl"),
        (["leaderboard", "--db", "missing.db"], "missing.db"),
        (["export", "votes", "out.jsonl", "--db", "missing.db"], "missing.db"),
    ],
)
def test_failure_prints_one_line_and_exits_with_1(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv, io.StringIO()) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["dance"], ["export", "votes"], ["export", "xml", "out.jsonl"], ["prompt", "m"]])
def test_wrong_usage_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(argv, io.StringIO())
    assert stopped.value.code == 2


def test_command_reads_beside_a_running_writer(db: Path) -> None:
    with Store(db):
        assert run("leaderboard", "--db", str(db))[0] == 0


@pytest.fixture
def bare_folder(tmp_path: Path) -> Path:
    """Make a checkpoint without a chat template."""
    folder = tmp_path / "bare"
    shutil.copytree(CARD_FOLDER / "../../pocket/weights/pocket-minotaur", folder)
    return folder


def test_prompt_of_a_bare_folder_takes_a_template(bare_folder: Path) -> None:
    asked = ("prompt", str(bare_folder), "--instruction", "Hi", "--template", "minotaur", "--json")
    known = document("prompt", "pocket-minotaur", "--instruction", "Hi")
    assert document(*asked) == known | {"model": "bare"}
    lines = bare_folder / "prompts.jsonl"
    lines.write_text('{"instruction": "Hi"}\n')
    status, text = run("prompt", str(bare_folder), "--file", str(lines), "--template", "minotaur")
    assert (status, json.loads(text)["text"]) == (0, known["text"])


def test_bare_folder_without_a_template_is_told_of_the_flag(
    bare_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prompt", str(bare_folder), "--instruction", "Hi")[0] == 1
    assert "it has no chat template" in (error := capsys.readouterr().err)
    assert "prompt and check take --template" in error


@pytest.mark.slow
def test_check_of_a_bare_folder_takes_a_template(bare_folder: Path) -> None:
    [checked] = document("check", str(bare_folder), "--template", "minotaur", "--json")
    assert checked["ok"], checked
    assert "template minotaur" in checked["points"][1]["words"]


def test_system_text_without_a_place_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    fed = document("prompt", "pocket-minotaur", "--instruction", "Hi", "--system", "Be brief.")
    note = "the system text is left out: the template minotaur has no place for it"
    assert fed["notes"] == [note]
    assert capsys.readouterr().err == f"pocket-minotaur: {note}\n"
    assert "notes" not in document("prompt", "pocket-orca-mini", "--instruction", "Hi", "--system", "Be brief.")


def test_models_refuses_a_damaged_folder(bare_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bare_folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    assert run("models", "--models", f"{bare_folder},pocket-galpaca")[0] == 0
    [weights] = bare_folder.glob("*.safetensors")
    with weights.open("rb+") as file:
        file.truncate(weights.stat().st_size // 2)
    assert run("models", "--models", f"{bare_folder},pocket-galpaca")[0] == 1
    error = capsys.readouterr().err
    assert "bare: model.safetensors has " in error
    assert "by its header: it is damaged; fetch the model again" in error
