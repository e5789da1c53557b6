"""Kills at the moments of a sync lose no vote that was said to be in the store."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("kills", [7, pytest.param(100, marks=pytest.mark.long)])
def test_a_kill_at_any_step_of_a_sync_loses_and_doubles_nothing(kills: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.store_kills", "--kills", str(kills)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{kills} kills (")
    assert " 0 lost, 0 doubled, 0 boards differ" in done.stdout
    assert " 0 votes and undos said" not in done.stdout
