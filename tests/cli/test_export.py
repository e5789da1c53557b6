"""``export`` as its user runs it."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from playground.cli.export import add
from playground.exchange import FORMATS
from playground.records import VoteFilter
from tests.support.cast import ADA, BEN, GALPACA, MAMBA, OPENALPACA
from tests.support.exporting import first_container, read, three_votes

YEARS_S = 1e9
"""About thirty years."""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    home = three_votes(tmp_path)
    home.store.close()
    return tmp_path / "playground.db"


def run(db: Path, *argv: str) -> str:
    out = io.StringIO()
    assert main(["export", *argv, "--db", str(db)], out) == 0
    return out.getvalue()


def document(db: Path, *argv: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(db, *argv, "--json"))
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_written(db: Path, tmp_path: Path, format: str) -> None:
    target = tmp_path / f"out{first_container(format)}"
    models = [f"--models={OPENALPACA},{MAMBA}"] if FORMATS[format].two_models else []
    written = document(db, format, str(target), *models)
    assert (written["format"], written["path"]) == (format, str(target))
    assert written["rows"] == len(read(target)) > 0
    assert [file["path"] for file in written["files"]] == [str(target)]
    assert written["manifest"] == f"{target}.manifest.json"


def test_result_is_printed_with_all_that_is_left_out(db: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    lines = run(db, "trl-preference", str(target), "--commercial", "--mode", "blind").splitlines()
    assert lines == [
        f"1 row of trl-preference written to {target}",
        f"1 pair left out: the license of the answers of {GALPACA} does not clearly allow commercial use (export all"
        " licenses, or split these rows off into a second file)",
        "1 vote left out: not in the filter mode=blind, license=commercial (change the filter)",
    ]


def test_vote_that_can_be_undone_is_left_out_and_named(tmp_path: Path) -> None:
    home = three_votes(tmp_path)
    home.time.pass_s(-YEARS_S)  # in the past of the real clock
    home.battles.rules = replace(home.battles.rules, undo_s=100 * YEARS_S)
    home.battle_is_open("undecided")
    home.battles.vote("undecided", "a", ADA)
    db, target = tmp_path / "playground.db", tmp_path / "out.jsonl"
    lines = run(db, "votes", str(target), "--mode", "open").splitlines()
    home.store.close()
    assert lines == [
        f"1 row of votes written to {target}",
        "2 votes left out: not in the filter mode=open (change the filter)",
        "1 vote left out: could still be undone (export again in some seconds)",
    ]


def test_split_licenses_writes_two_files(db: Path, tmp_path: Path) -> None:
    lines = run(db, "pairs", str(tmp_path / "out.csv"), "--split-licenses").splitlines()
    assert lines == [
        f"2 rows of pairs written to {tmp_path / 'out.csv'}",
        f"1 row of pairs written to {tmp_path / 'out.other.csv'}",
    ]


@pytest.mark.parametrize(
    ("flags", "battles"),
    [
        ([], ["pair", "three", "tie"]),
        (["--blind-only"], ["pair", "three"]),
        (["--mode", "open"], ["tie"]),
        (["--commercial"], ["pair", "tie"]),
        (["--license", "other"], ["three"]),
        (["--category", "maths"], ["three"]),
        (["--rater", BEN], ["three"]),
        (["--models", GALPACA], ["three"]),
        (["--winner", "both_bad"], ["tie"]),
        (["--reason", "clear"], ["pair"]),
        (["--words", "waves sea"], ["pair", "tie"]),
        (["--counted-only"], []),
        (["--study", "one"], []),
    ],
)
def test_flags_select_votes(db: Path, tmp_path: Path, flags: list[str], battles: list[str]) -> None:
    run(db, "votes", str(tmp_path / "out.jsonl"), *flags)
    assert [row["battle_id"] for row in read(tmp_path / "out.jsonl")] == battles


def test_anonymous_names_no_rater(db: Path, tmp_path: Path) -> None:
    run(db, "votes", str(tmp_path / "out.jsonl"), "--anonymous")
    assert ADA not in (tmp_path / "out.jsonl").read_text()


def test_every_condition_of_the_filter_is_a_flag() -> None:
    parser = argparse.ArgumentParser()
    add(parser)
    text = parser.format_help()
    for condition in fields(VoteFilter):
        assert f"--{condition.name}" in text
        assert condition.metadata["help"].split()[0] in text
    for format in FORMATS.values():
        assert format.description in text


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["votes", "out.xls"], "votes is not written as .xls; valid: .jsonl, .json, .csv, .parquet"),
        (["kaggle-55k", "out.json"], "kaggle-55k is not written as .json; valid: .csv, .parquet"),
        (["llm-comparator", "out.json"], "llm-comparator is about two models: give them as models=A,B"),
        (["votes", "out.jsonl", "--since", "today"], "'since' is 'today'; valid: a day such as 2026-11-29"),
        (["votes", "out.jsonl", "--commercial", "--license", "other"], "--commercial and --license other exclude each"),
        (["votes", "out.jsonl", "--commercial", "--split-licenses"], "split_licenses and the condition license="),
    ],
)
def test_failure_prints_one_line(
    db: Path, tmp_path: Path, argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    format, name, *flags = argv
    assert main(["export", format, str(tmp_path / name), *flags, "--db", str(db)], io.StringIO()) == 1
    error = capsys.readouterr().err
    assert error.startswith("export: ")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_wrong_value_of_a_flag_is_wrong_usage(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", "votes", "out.jsonl", "--mode", "dark", "--db", str(db)], io.StringIO())
    assert stopped.value.code == 2
    assert "choose from 'blind', 'open'" in capsys.readouterr().err
