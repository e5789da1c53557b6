"""``study``: a file becomes a study, with links, a plan and a status."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from playground.battles import Battles, Viewer
from playground.battles.ballot import Ballot
from playground.catalog.catalog import Catalog
from playground.cli import main
from playground.records import CriterionAnswer, FinishReason, Instruction
from playground.settings import Settings
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.studies.links import token_hash
from playground.studies.reservation import Reservations
from playground.studies.wanted import wanted_of
from tests.support.cast import MAMBA, OPENALPACA, generation

QUESTIONS = [f"Say {number}." for number in range(10)]
STUDY = f"""\
id = "helpful"
instructions = "questions.jsonl"
models = ["{OPENALPACA}", "{MAMBA}"]
votes = 8
overlap = 0.2
"""


def run(*argv: object) -> tuple[int, str]:
    out = io.StringIO()
    return main(["study", *map(str, argv)], out), out.getvalue()


def document(*argv: object) -> Any:
    status, text = run(*argv, "--json")
    return json.loads(text) | {"status": status}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = (json.dumps({"instruction": question}) for question in QUESTIONS)
    (tmp_path / "questions.jsonl").write_text("\n".join(rows))
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with answers of both models to every question."""
    return answered(tmp_path / "playground.db")


def answered(
    path: Path, left_out: tuple[str, ...] = (), alike: tuple[str, ...] = (), failed: tuple[str, ...] = ()
) -> Path:
    cards = {
        card.id: card
        for card in Catalog.load(Settings().card_folders, Settings().template_folders).line_up((OPENALPACA, MAMBA))
    }
    asked = {Instruction(question): "" for question in QUESTIONS}

    def write(writing: Writing) -> None:
        for card in cards.values():
            writing.upsert_model(card)
            for wanted in wanted_of(card, card.sampling, asked, 1, 0):
                question = wanted.instruction.instruction
                if question in left_out and card.id == MAMBA:
                    continue
                text = "The same." if question in alike else f"{question} {card.id}"
                reason = FinishReason.ERROR if question in failed and card.id == MAMBA else FinishReason.STOP
                answer = generation(wanted.key[:32], card.id, text, reason, wanted.instruction, params=card.sampling)
                writing.insert_generation(answer)
                writing.insert_generated(wanted.key, 1, 1, 0, answer.id)

    with Store(path) as store:
        store.write(write)
    return path


def test_create_takes_stored_answers(file: Path, db: Path) -> None:
    made = document("create", file, "--db", db)
    assert (made["status"], made["battles"], made["votes"], made["missing"]) == (0, 10, 8, 0)
    assert re.fullmatch("[0-9a-f]{64}", made["hash"])
    again = document("create", file, "--db", db)
    assert (again["status"], again["hash"]) == (0, made["hash"])
    assert run("create", file, "--db", db)[1] == "helpful is stored already, with this content\n"


def test_create_refuses_another_study_of_this_id(file: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("create", file, "--db", db)
    file.write_text(STUDY + "seed = 1\n")
    assert run("create", file, "--db", db)[0] == 1
    assert "there is a study helpful with other content" in capsys.readouterr().err


def test_missing_answers_are_counted_with_the_command_that_writes_them(file: Path, tmp_path: Path) -> None:
    db = answered(tmp_path / "a.db", left_out=("Say 1.", "Say 2."), failed=("Say 3.",))
    status, text = run("create", file, "--db", db)
    assert status == 1
    assert text == (
        "helpful: nothing was stored: 2 answers missing, 1 failed or empty."
        " Write them, or leave their battles out with --without-missing:\n"
        f"  python -m playground generate {file.parent}/questions.jsonl --models {OPENALPACA},{MAMBA}"
        f" --retry-failed --db {db}\n"
    )
    assert document("create", file, "--db", db, "--without-missing", "--json")["battles"] == 7


def test_identical_answers_are_left_out(file: Path, tmp_path: Path) -> None:
    db = answered(tmp_path / "a.db", alike=("Say 1.",))
    status, text = run("create", file, "--db", db)
    assert (status, text.splitlines()[:2]) == (
        0,
        ["helpful: 9 battles for 8 votes", "1 battle left out: both answers are the same"],
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("votes = 30", "'votes' is 30, but 10 battles give 12; valid: up to 12"),
        (
            'votes = 8\n[check]\nitems = "check.jsonl"',
            "check.jsonl, line 1: 'expected' is 'c'; valid: a, b, tie, both_bad",
        ),
    ],
)
def test_create_refuses(file: Path, db: Path, change: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"instruction": "2+2?", "answer_a": "4", "answer_b": "5", "expected": "c"}
    (file.parent / "check.jsonl").write_text(json.dumps(row))
    file.write_text(STUDY.replace("votes = 8\n", "") + change)
    assert run("create", file, "--db", db)[0] == 1
    assert said in capsys.readouterr().err


@pytest.mark.slow  # each command waits for the lock
def test_create_needs_the_playground_to_be_stopped(file: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(db):
        for argv in (("create", file), ("links", "helpful", "--raters", "1"), ("close", "helpful")):
            assert run(*argv, "--db", db)[0] == 1
            assert "playground.db.lock); stop it first" in capsys.readouterr().err


def test_links_are_stored_as_hashes_only(file: Path, db: Path) -> None:
    run("create", file, "--db", db)
    links = document("links", "helpful", "--raters", 2, "--base-url", "https://x.org/p/", "--db", db)["links"]
    assert [one["number"] for one in links] == [1, 2]
    asked = [urlsplit(one["link"]) for one in links]
    assert {(one.netloc, one.path) for one in asked} == {("x.org", "/p/rate")}
    tokens = [parse_qs(one.query)["key"][0] for one in asked]
    with closing(sqlite3.connect(db)) as connection:
        stored = connection.execute("SELECT token_hash FROM study_raters ORDER BY number").fetchall()
    assert [hash for (hash,) in stored] == [token_hash(token) for token in tokens]
    data = b"".join(path.read_bytes() for path in db.parent.glob("playground.db*"))
    assert not any(token.encode() in data for token in tokens)
    assert document("links", "helpful", "--raters", 1, "--db", db)["links"][0]["number"] == 3


def test_checks_are_hand_written_and_never_rated(file: Path, db: Path) -> None:
    row = {"instruction": "2+2?", "answer_a": "5", "answer_b": "4", "expected": "b"}
    (file.parent / "check.jsonl").write_text(json.dumps(row))
    file.write_text(STUDY + '[check]\nitems = "check.jsonl"\n')
    assert document("create", file, "--db", db)["check_items"] == 1
    link = document("links", "helpful", "--raters", 1, "--db", db)["links"][0]["link"]
    with Store(db) as store:
        reservations = Reservations(Battles(store))
        turn = reservations.next("helpful", parse_qs(urlsplit(link).query)["key"][0], Viewer("ada"))
        battle = store.battle(str(turn.battle_id))
        assert battle is not None
        assert {side.model_id for side in battle.sides} == {"hand-written"}
        assert sorted(side.generation.text for side in battle.sides if side.generation) == ["4", "5"]


def test_status_counts_votes_and_raters(file: Path, db: Path) -> None:
    run("create", file, "--db", db)
    links = document("links", "helpful", "--raters", 2, "--db", db)["links"]
    token = parse_qs(urlsplit(links[0]["link"]).query)["key"][0]
    with Store(db) as store:
        battles = Battles(store)
        for _ in range(3):
            battle = Reservations(battles).next("helpful", token, Viewer("ada")).battle_id
            battles.vote(str(battle), Viewer("ada"), Ballot("a"))
        Reservations(battles).next("helpful", token, Viewer("ada"))
    found = document("status", "helpful", "--db", db)
    assert (found["votes"], found["wanted_votes"], found["reserved"], found["battles"]) == (3, 8, 1, 10)
    assert [(one["number"], one["votes"], one["opened"]) for one in found["raters"]] == [(1, 3, True), (2, 0, False)]
    text = run("status", "helpful", "--db", db)[1]
    assert text.startswith("helpful: open\nvotes: 3 of 8 (38 %), 1 battle being judged\n")
    assert f"  {OPENALPACA} and {MAMBA}: 3 votes on 10 battles\n" in text


def test_status_counts_answers_to_criteria(file: Path, db: Path) -> None:
    file.write_text(STUDY + '[[criterion]]\nid = "harm"\nquestion = "Is one harmful?"\nchoices = ["yes", "no"]\n')
    run("create", file, "--db", db)
    assert "\nIs one harmful? (harm): no answer yet\n" in run("status", "helpful", "--db", db)[1]
    link = document("links", "helpful", "--raters", 1, "--db", db)["links"][0]["link"]
    with Store(db) as store:
        battles = Battles(store)
        for choice in ("yes", "no", "no"):
            battle = Reservations(battles).next("helpful", parse_qs(urlsplit(link).query)["key"][0], Viewer("ada"))
            ballot = Ballot("a", criteria=(CriterionAnswer("harm", choice),))
            battles.vote(str(battle.battle_id), Viewer("ada"), ballot)
    assert "\nIs one harmful? (harm): no 2, yes 1\n" in run("status", "helpful", "--db", db)[1]
    [counted] = document("status", "helpful", "--db", db)["criteria"]
    assert counted == {"id": "harm", "question": "Is one harmful?", "answers": {"no": 2, "yes": 1}}


def test_status_says_how_far_the_claim_is_and_plan_does_not_count_on_it(file: Path, db: Path) -> None:
    file.write_text(STUDY + 'ends = "leader"\npairs = "informative"\n')
    run("create", file, "--db", db)
    assert (
        "\nends when one model leads: 0 of 1 comparison decided, by 0 votes that count;"
        f" so far {OPENALPACA} > {MAMBA}\n" in run("status", "helpful", "--db", db)[1]
    )
    found = document("status", "helpful", "--db", db)["decision"]
    assert (found["ends"], found["decided"], found["needed"]) == ("leader", 0, 1)
    said = (
        "Pairs are simulated as if all were drawn equally often.\n"
        "The study ends before its last vote once its claim is decided; no number here counts on that.\n"
    )
    assert run("plan", file, "--runs", 1)[1].endswith(said)


def test_closed_study_stays_closed(file: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("create", file, "--db", db)
    assert run("close", "helpful", "--why", "enough", "--db", db) == (0, "helpful is closed; its votes stay\n")
    for argv in (("close", "helpful"), ("links", "helpful", "--raters", "1")):
        assert run(*argv, "--db", db)[0] == 1
        assert "helpful was closed on 20" in capsys.readouterr().err
    assert ": enough" in run("status", "helpful", "--db", db)[1].splitlines()[0]


@pytest.mark.parametrize("action", ["status", "close"])
def test_unknown_study_names_the_known_ones(
    file: Path, db: Path, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", file, "--db", db)
    assert run(action, "other", "--db", db)[0] == 1
    assert "there is no study other; the studies here: helpful" in capsys.readouterr().err


def test_plan_says_votes_hours_money_and_power(file: Path) -> None:
    file.write_text(STUDY + "repeats = 0.25\n")
    argv = ("plan", file, "--raters", 3, "--seconds", 36, "--per-hour", 10, "--difference", 150, "--runs", 5)
    found = document(*argv)
    assert (found["battles"], found["possible_votes"], found["votes"], found["repeats"]) == (10, 12, 8, 2)
    assert (found["hours"], found["money"]) == (pytest.approx(0.1), pytest.approx(1.0))
    assert [power["votes"] for power in found["power"]] == [10, 16, 32]
    assert found["power"] == document(*argv)["power"]
    text = run(*argv)[1]
    assert "votes: 8 that count, and 2 repeats: 10 in all\n" in text
    assert "time: 0.1 hours; money: 1.00\n" in text


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--ties", "1"), "ties is 1.0; valid: 0 to below 1"),
        (("--raters", "0"), "raters is 0; valid: 1 or more"),
        (("--per-hour", "1", "--per-vote", "1"), "give a price per hour or per vote, not both"),
        (("--seconds", "0"), "seconds is 0.0; valid: above 0"),
    ],
)
def test_plan_refuses(file: Path, argv: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", file, *argv)[0] == 1
    assert said in capsys.readouterr().err


def test_differences_are_listed_and_judged(file: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(STUDY.replace("votes = 8", "votes = 2").replace("overlap = 0.2", "overlap = 1.0"))
    run("create", file, "--db", db)
    links = document("links", "helpful", "--raters", 2, "--db", db)["links"]
    with Store(db) as store:
        battles = Battles(store)
        for name, text, link in zip(("ada", "ben"), ("4", "5"), links, strict=True):
            token = parse_qs(urlsplit(link["link"]).query)["key"][0]
            opened = battles.view(
                str(Reservations(battles).next("helpful", token, Viewer(name)).battle_id), Viewer(name)
            )
            chosen = sorted(opened.columns, key=lambda column: column.text, reverse=text == "5")[0].side
            battles.vote(opened.battle_id, Viewer(name), Ballot(chosen, comment="so"))
    [found] = document("differences", "helpful", "--db", db)["differences"]
    assert [vote["comment"] for vote in found["judgements"]] == ["so", "so"]
    text = run("differences", "helpful", "--db", db)[1]
    assert text.startswith(f"battle {found['item']}: Say ")
    assert text.endswith("helpful: raters differ on 1 battle; 1 not judged by you\n")
    judged = run("judge", "helpful", found["item"], "tie", "--db", db)
    assert judged == (0, f"battle {found['item']} of helpful: tie\n")
    assert document("differences", "helpful", "--unresolved", "--db", db)["differences"] == []
    assert run("judge", "helpful", 99, "tie", "--db", db)[0] == 1
    assert "do not differ on a battle 99" in capsys.readouterr().err


def test_live_study_needs_no_answers(file: Path, tmp_path: Path) -> None:
    db = tmp_path / "live.db"
    Store(db).close()
    file.write_text(STUDY.replace('instructions = "questions.jsonl"', "live = true").replace("overlap = 0.2\n", ""))
    status, text = run("create", file, "--db", db)
    assert status == 0
    assert text.startswith("helpful: raters write the instructions for 8 votes\nhash ")
    assert text.endswith(f"Serve it with its models: python app.py --models {OPENALPACA},{MAMBA}\n")
    assert document("create", file, "--db", db)["status"] == 0
    assert document("status", "helpful", "--db", db)["written"] == {
        "instructions": 0,
        "being_answered": 0,
        "fruitless": 0,
    }
    assert (
        "raters wrote 0 instructions; 0 being answered, 0 without answers to judge"
        in run("status", "helpful", "--db", db)[1]
    )
    planned = run("plan", file, "--runs", 1)[1]
    assert planned.startswith(
        "helpful: raters write 8 instructions, 1 pair of models\nbattles: one for each instruction; more are written"
    )
    assert "will refuse" not in planned
