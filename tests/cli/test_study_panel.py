"""``study`` for panels: the address to give to one, signed ids, and whom to pay."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from playground.battles import Battles, Viewer
from playground.battles.ballot import Ballot
from playground.exchange.containers import FORMULA, with_formula
from playground.storage.database.store import Store
from playground.studies.panel_raters import PanelRaters
from playground.studies.reservation import Reservations
from tests.cli.test_study import QUESTIONS, STUDY, answered, document, run
from tests.support.panel_server import STUDY_ID
from tests.support.paneling import RATER, SESSION, ids

PROLIFIC = f"""\
votes_per_rater = 2
[panel]
kind = "prolific"
complete = "CDONE"
our_fault = "COURS"
study_id = "{STUDY_ID}"
"""
LINK = 'votes_per_rater = 2\n[panel]\nkind = "link"\ncomplete = "CDONE"\nour_fault = "COURS"\n'
PAGE = "https://play.example.org"


def created(folder: Path, keys: str) -> Path:
    """Store a study with these keys; return its database."""
    rows = (json.dumps({"instruction": question}) for question in QUESTIONS)
    (folder / "questions.jsonl").write_text("\n".join(rows))
    (folder / "study.toml").write_text(STUDY + keys)
    db = answered(folder / "playground.db")
    assert run("create", folder / "study.toml", "--db", db)[0] == 0
    return db


def rated(db: Path) -> None:
    """Let one rater of the panel finish, and another one come."""
    with Store(db) as store:
        battles = Battles(store)
        panels, reservations = PanelRaters(battles), Reservations(battles)
        token = panels.enter("helpful", ids())
        for _ in range(2):
            given = reservations.next("helpful", token, Viewer("ada")).battle_id
            battles.vote(str(given), Viewer("ada"), Ballot("a"))
        assert panels.store_end("helpful", token, ()) is not None
        panels.enter("helpful", ids("7f" * 12, "8e" * 12))


def test_address_for_prolific(tmp_path: Path) -> None:
    db = created(tmp_path, PROLIFIC)
    status, text = run("links", "helpful", "--panel", "--base-url", PAGE, "--db", db)
    assert (status, text.splitlines()) == (
        0,
        [
            "Give this address to the panel:",
            f"  {PAGE}/rate?study=helpful&PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&STUDY_ID={{{{%STUDY_ID%}}}}"
            "&SESSION_ID={{%SESSION_ID%}}",
            "Codes: complete CDONE, our_fault COURS",
            "Raters to recruit: 4",
        ],
    )
    assert document("links", "helpful", "--panel", "--db", db)["codes"] == {"complete": "CDONE", "our_fault": "COURS"}


def test_ids_are_signed_with_the_secret_that_is_printed(tmp_path: Path) -> None:
    db = created(tmp_path, LINK)
    (tmp_path / "ids.txt").write_text("ada\n\nłukasz & co\n", "utf-8")
    argv = ("links", "helpful", "--panel", "--base-url", PAGE, "--db", db)
    secret = run(*argv, "--secret")[1].strip()
    signed = run(*argv, "--ids", tmp_path / "ids.txt")[1].splitlines()
    queries = [dict(parse_qsl(urlsplit(address).query)) for address in signed]
    assert [query["rater"] for query in queries] == ["ada", "łukasz & co"]
    for query in queries:
        expected = hmac.new(secret.encode(), query["rater"].encode(), hashlib.sha256).hexdigest()
        assert query["sig"] == expected
    found = document(*argv, "--ids", tmp_path / "ids.txt")
    assert [link["link"] for link in found["links"]] == signed
    assert "secret" not in found
    text = run(*argv)[1]
    assert f"  {PAGE}/rate?study=helpful&rater=ID&sig=SIGNATURE\n" in text
    assert "under the secret that --secret prints" in text


@pytest.mark.parametrize(("every", "warns"), [(20, True), (2, True), (1, False)])
def test_few_attention_items_are_said_before_anybody_rates(tmp_path: Path, every: int, warns: bool) -> None:
    db = answered(tmp_path / "playground.db")
    (tmp_path / "questions.jsonl").write_text("\n".join(json.dumps({"instruction": one}) for one in QUESTIONS))
    row = {"instruction": "2 + 2?", "answer_a": "4", "answer_b": "5", "expected": "a"}
    (tmp_path / "attention.jsonl").write_text(json.dumps(row))
    keys = f'attention_failed = "CATT"\n[attention]\nitems = "attention.jsonl"\nevery = {every}\n'
    (tmp_path / "study.toml").write_text(STUDY + LINK + keys)
    said = "of raters get fewer than 'attention_items' (2) attention items in 2 votes, and cannot fail"
    assert (said in run("plan", tmp_path / "study.toml", "--runs", 1)[1]) == warns
    assert (said in run("create", tmp_path / "study.toml", "--db", db)[1]) == warns


@pytest.mark.parametrize(
    ("keys", "argv", "said"),
    [
        (PROLIFIC, ("--panel", "--secret"), 'for panels of kind = "link"; Prolific signs its own links'),
        (
            LINK,
            ("--panel", "--ids", "bad.txt"),
            "'a\\tb' is not a rater's id; valid: up to 200 printable characters",
        ),
        (LINK, ("--panel", "--ids", "none.txt"), "none.txt: No such file or directory"),
        (LINK, ("--raters", "1", "--secret"), "--ids and --secret need --panel"),
        ("", ("--panel",), "helpful has no panel: its file has no [panel]; make personal links with --raters N"),
    ],
)
def test_links_refuse(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys: str,
    argv: tuple[str],
    said: str,
) -> None:
    db = created(tmp_path, keys)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_text("a\tb\n")
    assert run("links", "helpful", *argv, "--db", db)[0] == 1
    assert said in capsys.readouterr().err


def test_links_need_to_know_whose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("links", "helpful")
    assert "one of the arguments --raters --panel is required" in capsys.readouterr().err


def test_status_names_outcomes_and_hides_ids(tmp_path: Path) -> None:
    db = created(tmp_path, PROLIFIC)
    rated(db)
    found = document("status", "helpful", "--db", db)["panel"]
    assert [(one["number"], one["outcome"], one["code"], one["raters"]) for one in found] == [
        (1, "complete", "CDONE", ["ada"]),
        (2, None, None, []),
    ]
    assert not any(RATER in run("status", "helpful", "--db", db, *more)[1] for more in ((), ("--csv",), ("--json",)))
    table = run("status", "helpful", "--db", db)[1].splitlines()[-3:]
    assert table[0].split()[:7] == ["rater", "outcome", "code", "votes", "minutes", "entered", "ended"]
    assert table[1].split()[:5] == ["1", "complete", "CDONE", "2", "0"]
    assert table[2].split()[:5] == ["2", "–", "–", "0", "0"]


def test_status_shows_ids_when_asked(tmp_path: Path) -> None:
    db = created(tmp_path, PROLIFIC)
    rated(db)
    found = document("status", "helpful", "--panel-ids", "--db", db)["panel"]
    assert [(one["id"], one["session"]) for one in found] == [(RATER, SESSION), ("7f" * 12, "8e" * 12)]
    assert run("status", "helpful", "--panel-ids", "--db", db)[1].splitlines()[-2].endswith(f"{RATER}  {SESSION}")


@pytest.mark.parametrize("more", [(), ("--panel-ids",)])
def test_report_to_pay_from_is_a_row_for_each_rater(tmp_path: Path, more: tuple[str, ...]) -> None:
    db = created(tmp_path, PROLIFIC)
    rated(db)
    rows = list(csv.DictReader(io.StringIO(run("status", "helpful", "--csv", *more, "--db", db)[1])))
    known = [{name: row[name] for name in ("rater", "votes", "outcome", "code", "raters")} for row in rows]
    assert known == [
        {"rater": "1", "votes": "2", "outcome": "complete", "code": "CDONE", "raters": "ada"},
        {"rater": "2", "votes": "0", "outcome": "", "code": "", "raters": ""},
    ]
    assert all({"minutes", "entered_at", "ended_at", "attention", "attention_right"} <= row.keys() for row in rows)
    assert [row.get("id") for row in rows] == ([RATER, "7f" * 12] if more else [None, None])


@pytest.mark.parametrize("rater", ["=1+1", "@sum", "-7", "'=1", "plain"])
def test_no_id_is_a_formula_in_the_report_to_pay_from(tmp_path: Path, rater: str) -> None:
    db = created(tmp_path, LINK)
    (tmp_path / "ids.txt").write_text(rater)
    [signed] = document("links", "helpful", "--panel", "--ids", tmp_path / "ids.txt", "--db", db)["links"]
    query = dict(parse_qsl(urlsplit(signed["link"]).query))
    del query["study"]
    with Store(db) as store:
        PanelRaters(Battles(store)).enter("helpful", query)
    [row] = csv.DictReader(io.StringIO(run("status", "helpful", "--csv", "--panel-ids", "--db", db)[1]))
    assert not row["id"].startswith(FORMULA)
    assert with_formula(row["id"]) == rater


def test_report_of_personal_links_is_a_row_for_each_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = created(tmp_path, "")
    run("links", "helpful", "--raters", 2, "--db", db)
    rows = list(csv.DictReader(io.StringIO(run("status", "helpful", "--csv", "--db", db)[1])))
    assert [(row["rater"], row["votes"]) for row in rows] == [("1", "0"), ("2", "0")]
    assert run("status", "helpful", "--panel-ids", "--db", db)[0] == 1
    assert "helpful has no panel" in capsys.readouterr().err
