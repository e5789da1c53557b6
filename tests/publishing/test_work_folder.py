"""Work folders: those of killed programs are removed, those of running ones are not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from playground.publishing.work_folder import work_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from playground.publishing.work_folder import work_folder

with work_folder(Path(sys.argv[1]), ".to.") as folder:
    (folder / "data").mkdir()
    (folder / "data" / "votes").write_text("votes")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    with work_folder(tmp_path, ".to.") as folder:
        (folder / "votes").write_text("votes")
        assert folder.parent == tmp_path
    with pytest.raises(ZeroDivisionError), work_folder(tmp_path, ".to."):
        _ = 1 / 0
    assert names(tmp_path) == []


def test_folder_of_a_killed_program_is_removed_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    [abandoned] = names(tmp_path)
    with work_folder(tmp_path, ".to.") as folder:
        assert names(tmp_path) == [folder.name]
        assert folder.name != abandoned


def test_folders_in_use_and_of_other_names_stay(tmp_path: Path) -> None:
    (tmp_path / ".too.x.part").mkdir()
    with work_folder(tmp_path, ".to.") as one, work_folder(tmp_path, ".to.") as other:
        assert names(tmp_path) == sorted([one.name, other.name, ".too.x.part"])
