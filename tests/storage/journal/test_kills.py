"""Kills lose no acknowledged vote in database, journal and restored database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import ADA, house
from tests.support.kills import Account, settle
from tests.support.paths import ROOT


@pytest.mark.proves("killed at each step of a vote")
@pytest.mark.parametrize(
    "kills", [4, pytest.param(40, marks=pytest.mark.slow), pytest.param(400, marks=pytest.mark.long)]
)
def test_kill_at_any_step_loses_no_vote(kills: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.kills", "--kills", str(kills)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{kills} kills (")
    assert " 0 lost, 0 doubled" in done.stdout


def test_lost_vote_is_detected(tmp_path: Path) -> None:
    home = house(tmp_path)
    journal = Journal(home.store, journal_folder(tmp_path / "playground.db"))
    home.battle_is_open("battle-1")
    home.battles.vote("battle-1", "a", ADA)
    journal.close()
    home.store.close()
    account = Account()
    settle(tmp_path, {("battle-1", 1, "a"), ("battle-2", 1, "b")}, account)
    assert (account.acknowledged, account.lost, account.doubled) == (2, 2, 0)  # in the database and in the restored one
    assert not account.is_good
