"""``report`` as its user runs it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from playground.exchange import files
from playground.storage.database.store import Store
from tests.publishing.publishing import every_kind
from tests.report.reports import database, run


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("report"), every_kind)


def test_report_prints_what_it_wrote(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    status, text = run("report", str(path), "--db", str(db))
    assert (status, text) == (
        0,
        f"{path}: 11 votes, 7 battles with words, {round(path.stat().st_size / 1e3)} kB\n"
        "without the words of 1 vote with erased words\n"
        "without the words of 1 vote hidden by the operator\n"
        "without the words of 2 votes held back because of what looks like personal data\n",
    )


def test_json_describes_the_file(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an earlier one")
    status, text = run("report", str(path), "--db", str(db), "--json")
    found = json.loads(text)
    assert status == 0
    assert found == {
        "path": str(path),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "votes": 11,
        "battles": 7,
        "older": 0,
        "left_out": {"erased": 1, "hidden": 1, "held_back": 2},
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_report_beside_a_running_playground(db: Path, tmp_path: Path) -> None:
    with Store(db):
        assert run("report", str(tmp_path / "report.html"), "--db", str(db))[0] == 0


@pytest.mark.parametrize(
    ("path", "why"), [("", "is a folder; name a file, such as"), ("none/report.html", "there is no folder")]
)
def test_target_that_cannot_be_written_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, why: str
) -> None:
    status, _ = run("report", str(tmp_path / path), "--db", str(tmp_path / "missing.db"))
    assert status == 1
    assert why in capsys.readouterr().err


def test_full_disk_leaves_the_earlier_report(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    path.write_text("an earlier one")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    assert run("report", str(path), "--db", str(db))[0] == 1
    assert capsys.readouterr().err == f"report: {path} cannot be written: No space left on device\n"
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"report.html": "an earlier one"}


def test_unknown_filter_value_is_refused(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", str(tmp_path / "r.html"), "--db", str(db), "--origin", "alien")[0] == 1
    assert "'origin' is 'alien'; valid: person, program" in capsys.readouterr().err


def test_static_space_shows_the_report(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report = tmp_path / "space", tmp_path / "report.html"
    status, text = run("space", "build", str(folder), "--kind", "static", "--space", "ada/board", "--db", str(db))
    assert status == 0
    assert "hf repos create ada/board --type space --space-sdk static\n" in text
    assert {file.name for file in folder.iterdir()} == {"README.md", "index.html", ".space-build.json"}
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert (head["sdk"], head["app_file"]) == ("static", "index.html")
    assert len(head["short_description"]) <= 60
    assert "11 votes by 4 raters" in (folder / "index.html").read_text()
    run("report", str(report), "--db", str(db), "--title", "Another one")
    assert run("space", "build", str(folder), "--kind", "static", "--report", str(report))[0] == 0
    assert (folder / "index.html").read_bytes() == report.read_bytes()
    report.write_text("<!doctype html>")
    assert run("space", "build", str(folder), "--kind", "static", "--report", str(report))[0] == 1
    assert "is not a report" in capsys.readouterr().err
    assert run("space", "build", str(folder), "--kind", "static", "--models", "a,b")[0] == 1
    assert "a static one shows a report" in capsys.readouterr().err
