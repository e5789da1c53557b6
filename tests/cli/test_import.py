"""The command `import`: counts, bad rows, its own database and journal, and the board."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from playground.cli import main
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from tests.support.cast import House, house
from tests.support.import_rows import ROWS, write_format
from tests.support.judging import afternoon, hashes
from tests.support.paths import ROOT


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "there" / "playground.db"
    Store(path).close()
    return path


def run(*argv: object) -> tuple[int, str]:
    out = io.StringIO()
    return main([str(part) for part in argv], out), out.getvalue()


def run_json(*argv: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*argv, "--json")[1])
    return document


def pairs_file(folder: Path, *changes: dict[str, Any]) -> Path:
    rows = [ROWS["pairs"] | {"vote_id": f"vote-{number}"} | change for number, change in enumerate(changes, start=1)]
    return write_format(folder / "pairs.jsonl", "pairs", *rows)


def test_command_prints_counts_and_bad_rows(tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pairs_file(tmp_path, {}, {"winner": "left"}, {}, {"vote_id": "vote-1"})
    status, text = run("import", "pairs", path, "--db", db)
    assert status == 1
    assert text.splitlines() == [
        "4 rows: 2 imported, 1 already there, 1 refused",
        "models that are new here: alpha, beta",
        "imported votes are not part of the default leaderboard; leaderboard --count-all counts them",
    ]
    assert capsys.readouterr().err == "line 2: 'winner' is 'left'; valid: model_a, model_b, tie, both_bad\n"


def test_import_says_that_it_makes_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "misspelt.db"
    assert run("import", "pairs", pairs_file(tmp_path, {}), "--db", db)[0] == 0
    assert capsys.readouterr().err == f"import: there is no database at {db}; a new one is made there\n"
    assert run("import", "pairs", pairs_file(tmp_path, {}), "--db", db)[0] == 0
    assert capsys.readouterr().err == ""


def test_second_import_adds_nothing(tmp_path: Path, db: Path) -> None:
    path = pairs_file(tmp_path, {}, {"answer_a": "Wa\x00ves."})
    status, text = run("import", "pairs", path, "--db", db)
    assert status == 0
    assert "1 of them with characters that were removed: control characters, lone surrogates" in text
    with Store(db) as store:
        first = hashes(store)
    status, text = run("import", "pairs", path, "--db", db)
    assert (status, text) == (0, "2 rows: 0 imported, 2 already there, 0 refused\n")
    with Store(db) as store:
        assert hashes(store) == first


def test_json_document_has_counts_and_errors(tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pairs_file(tmp_path, {}, {"winner": 3})
    document = run_json("import", "pairs", path, "--db", db)
    assert document.pop("file").startswith("pairs.jsonl ")
    assert document == {
        "format": "pairs",
        "path": str(path),
        "dry_run": False,
        "rows": 2,
        "imported": 1,
        "there": 0,
        "refused": 1,
        "cleaned": 0,
        "models": ["alpha", "beta"],
        "errors": [{"place": "line 2", "error": "'winner' is 3; valid: text", "rows": 1}],
    }
    assert capsys.readouterr().err == ""


def test_error_of_many_rows_is_named_once(tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pairs_file(tmp_path, {}, *([{"winner": ""}] * 130), {"winner": "left"})
    status, text = run("import", "pairs", path, "--db", db)
    assert status == 1
    missing = "'winner' is ''; valid: model_a, model_b, tie, both_bad"
    assert text.splitlines()[2] == f"130 rows from line 2 on: {missing}"
    assert "'left'" not in text
    assert capsys.readouterr().err.splitlines()[0] == f"line 2: {missing}"
    assert [(one["place"], one["rows"]) for one in run_json("import", "pairs", path, "--db", db)["errors"]] == [
        ("line 2", 130),
        ("line 132", 1),
    ]


def test_only_the_first_different_errors_are_named(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pairs_file(tmp_path, *({"winner": f"left {number}"} for number in range(130)))
    status, text = run("import", "pairs", path, "--db", db)
    assert status == 1
    assert "30 rows with other errors: the first 100 are named" in text
    assert len(capsys.readouterr().err.splitlines()) == 100


@pytest.mark.parametrize("rows", [0, 130])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_table_of_another_format_is_refused_once(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str], ending: str, rows: int
) -> None:
    path = tmp_path / f"rows{ending}"
    if ending == ".csv":
        path.write_text("prompt,chosen,rejected\n" + "Why?,Because.,So.\n" * rows)
    else:
        columns = ("prompt", "chosen", "rejected")
        pq.write_table(pa.table({name: pa.array(["Why?"] * rows, pa.string()) for name in columns}), path)
    status, text = run("import", "trl-preference", path, "--db", db)
    assert (status, text) == (1, "")
    assert capsys.readouterr().err == (
        f"import: rows{ending}: 'chosen_model', 'rejected_model' missing; a row of trl-preference has"
        " prompt, chosen, rejected, chosen_model, rejected_model; nothing was read\n"
    )


def test_dry_run_creates_no_database(tmp_path: Path) -> None:
    db = tmp_path / "missing" / "playground.db"
    path = pairs_file(tmp_path, {}, {"winner": "left"})
    status, text = run("import", "pairs", path, "--db", db, "--dry-run")
    assert status == 1
    assert text.splitlines()[0] == "2 rows: 1 would be imported, 0 already there, 1 refused"
    assert not db.parent.exists()
    run("import", "pairs", path, "--db", db)
    assert "0 would be imported, 1 already there" in run("import", "pairs", path, "--db", db, "--dry-run")[1]


@pytest.mark.parametrize(
    ("format", "name", "words"),
    [
        ("alpaca", "rows.jsonl", "import: alpaca has only the winning answer of each vote, and not the one that"),
        ("trl-unpaired", "rows.jsonl", "import: trl-unpaired has one answer per row and not the one that it was"),
        ("pairs", "rows.txt", "import: 'rows.txt' has no ending that names a container; valid: .jsonl, .json, .csv"),
        ("pairs", "no.jsonl", "import: {path}: No such file or directory"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str], format: str, name: str, words: str
) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "rows.txt").write_text("{}\n")
    assert run("import", format, tmp_path / name, "--db", db)[0] == 1
    assert capsys.readouterr().err.startswith(words.format(path=tmp_path / name))


def test_unknown_format_is_a_usage_error(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("import", "lmsys", "rows.jsonl", "--db", db)
    assert "choose from votes, pairs, lmsys-33k" in capsys.readouterr().err.replace("'", "")


@pytest.mark.slow
def test_running_playground_is_named_as_the_lock(
    home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = run("import", "pairs", pairs_file(tmp_path, {}), "--db", tmp_path / "home" / "playground.db")
    assert status == 1
    assert "another process writes to" in capsys.readouterr().err
    assert home.store.count_votes() == 0


def test_import_verifies_and_its_journal_restores_it(home: House, tmp_path: Path, db: Path) -> None:
    afternoon(home)
    home.store.close()
    votes = tmp_path / "votes.csv"
    assert run("export", "votes", votes, "--db", tmp_path / "home" / "playground.db")[0] == 0
    assert run_json("import", "votes", votes, "--db", db)["refused"] == 0
    assert run("verify", "--db", db)[0] == 0
    with Store(db) as store:
        expected = hashes(store)
        assert store.count_votes() == 5
    db.unlink()
    assert run("restore", "--db", db)[0] == 0
    with Store(db) as store:
        assert hashes(store) == expected
    assert run("verify", "--db", db)[0] == 0
    assert journal_folder(db).is_dir()


def test_board_counts_imported_votes_on_request(tmp_path: Path, db: Path) -> None:
    run("import", "pairs", pairs_file(tmp_path, *([{}] * 3)), "--db", db)
    board = run_json("leaderboard", "--db", db)
    assert (board["num_votes"], board["kinds"]) == (0, {"imported": 3})
    assert [(found["reason"], found["votes"]) for found in board["exclusions"]] == [("imported", 3)]
    assert run_json("leaderboard", "--db", db, "--count-all")["num_votes"] == 3
    with_imported = run_json("leaderboard", "--db", db, "--imported")
    assert (with_imported["num_votes"], with_imported["exclusions"]) == (3, [])


@pytest.mark.slow
def test_full_disk_names_the_rows_before_it(tmp_path: Path, db: Path) -> None:
    path = pairs_file(tmp_path, *({"answer_a": f"{number} " + "x" * 300} for number in range(1500)))
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, -1));"
        "from playground.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    argv = ["import", "pairs", str(path), "--db", str(db)]
    done = subprocess.run([sys.executable, "-c", limited, *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "rows were imported before it; the same command goes on from there" in done.stderr
    document = run_json("import", "pairs", path, "--db", db)
    assert document["imported"] + document["there"] == 1500
    assert document["there"] > 0
    assert run("verify", "--db", db)[0] == 0
