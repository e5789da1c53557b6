"""``publish`` and ``verify --published`` as commands: what they print, write and return."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from playground.cli import main
from playground.publishing.held_back import releases_path
from playground.storage.database.store import Store
from tests.publishing.publishing import every_kind, vote
from tests.support.cast import House


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


def document(*argv: str) -> Any:
    status, text = run(*argv, "--json")
    assert status == 0
    return json.loads(text)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "playground.db"
    with Store(path) as store:
        home = House(store)
        every_kind(home)
        home.time.pass_s(60)
    return path


def test_publish_writes_a_folder_that_verifies(db: Path, tmp_path: Path) -> None:
    to = str(tmp_path / "to")
    status, text = run("publish", "--db", str(db), "--to", to)
    assert status == 0
    assert f"{to}: 7 votes of 3 raters, 0.1 MB" in text
    assert "left out: 1 vote with erased words" in text
    assert "  personal  instruction: phone number +4…21" in text
    assert "7654321" not in text
    assert run("verify", "--published", to) == (
        0,
        f"{to}: hashes, counts and the leaderboard agree to the last digit: 7 votes\n",
    )
    (tmp_path / "to" / "README.md").write_text("changed")
    status, text = run("verify", "--published", to)
    assert status == 1
    assert text.startswith("README.md has ")
    found = json.loads(run("verify", "--published", to, "--json")[1])
    assert [set(finding) for finding in found] == [{"what", "next_step"}]


def test_publish_beside_a_running_playground(db: Path, tmp_path: Path) -> None:
    with Store(db):
        assert document("publish", "--db", str(db), "--to", str(tmp_path / "to"))["manifest"]["counts"]["votes"] == 7


def test_dry_run_writes_nothing(db: Path, tmp_path: Path) -> None:
    found = document("publish", "--db", str(db), "--dry-run")
    assert (found["votes"], found["left_out"]["hidden"]) == (7, 1)
    assert {reason["battle_id"] for reason in found["held_back"]} == {"personal", "signed"}
    assert "would publish 7 votes" in run("publish", "--db", str(db), "--dry-run", "--to", str(tmp_path / "to"))[1]
    assert {path.name.removeprefix("playground.db") for path in tmp_path.iterdir()} <= {"", ".lock", "-wal", "-shm"}


def test_release_publishes_a_battle_that_was_held_back(db: Path, tmp_path: Path) -> None:
    found = document("publish", "--db", str(db), "--release", "personal")
    assert {reason["battle_id"] for reason in found["held_back"]} == {"signed"}
    assert releases_path(db).is_file()
    made = document("publish", "--db", str(db), "--to", str(tmp_path / "to"))
    assert made["manifest"]["counts"]["votes"] == 8
    assert made["pushed"] is None


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "name a folder (--to DIR) or a dataset"),
        (("--release", "round-1"), "round-1 is not held back"),
        (("--repo", "no-name"), "'no-name' is not a dataset of the hub"),
        (("--to", "README.md"), "README.md holds something else"),
    ],
)
def test_refusal_is_one_line(db: Path, argv: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("publish", "--db", str(db), *argv)[0] == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_hub_that_cannot_be_reached_is_one_line(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_PUBLICATION", "herd/votes")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert run("publish", "--db", str(db))[0] == 1
    error = capsys.readouterr().err
    assert "the dataset herd/votes cannot be created: HF_HUB_OFFLINE is set" in error
    assert error.count("\n") == 1


def test_long_list_of_held_back_battles_is_cut(db: Path) -> None:
    with Store(db) as store:
        home = House(store)
        home.time.pass_s(3600)
        for number in range(25):
            vote(home, f"more-{number}", text=f"I am ada{number}@analytical.org")
        home.time.pass_s(60)
    text = run("publish", "--db", str(db), "--dry-run")[1]
    assert "  and 7 more; --json lists all" in text
