"""The file that tells commands where the running playground is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from playground.storage.database.running_app import RunningApp, announced, app_file, find_app
from tests.support.storing import unprivileged

APP = RunningApp("http://127.0.0.1:7860", "t" * 43)


def test_file_is_there_while_the_app_runs_and_private(tmp_path: Path) -> None:
    db = tmp_path / "playground.db"
    app_file(db).write_text("an earlier start was killed")
    app_file(db).chmod(0o644)
    assert find_app(db) is None
    with announced(db, APP):
        assert find_app(db) == APP
        assert stat.S_IMODE(app_file(db).stat().st_mode) == 0o600
        assert os.listdir(tmp_path) == ["playground.db.app.json"]
    assert find_app(db) is None
    assert os.listdir(tmp_path) == []


def test_file_of_a_later_start_is_left_alone(tmp_path: Path) -> None:
    db = tmp_path / "playground.db"
    other = RunningApp("http://127.0.0.1:7861", "u" * 43)
    with announced(db, APP):
        with announced(db, other):
            assert find_app(db) == other
            with announced(db, APP):
                pass
        assert find_app(db) is None


def test_folder_that_is_read_only_does_not_stop_the_app(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db = tmp_path / "read-only" / "playground.db"
    db.parent.mkdir(mode=0o555)
    with unprivileged(), announced(db, APP):
        assert find_app(db) is None
    assert "commands cannot ask this playground" in caplog.text


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"url": "http://127.0.0.1:1"}', "\x00"])
def test_broken_file_names_no_app(tmp_path: Path, text: str) -> None:
    app_file(tmp_path / "playground.db").write_text(text)
    assert find_app(tmp_path / "playground.db") is None
