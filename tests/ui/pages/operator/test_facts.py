"""The state of the playground in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.records import Instruction
from playground.ui.pages.operator.facts import disk_words, votes_words
from tests.support.cast import ADA, house
from tests.support.judged import build_leaderboard


@pytest.mark.parametrize(
    ("quick", "slow", "words"),
    [
        (0, 0, "none yet"),
        (0, 2, "2, all of them count"),
        (1, 3, "4; left out: 1 decided in under 1 s (25 %)"),
    ],
)
def test_votes_are_told_with_what_is_left_out(quick: int, slow: int, words: str) -> None:
    home = house()
    for number in range(quick + slow):
        asked = Instruction(f"Write haiku {number}.")
        home.battle_is_open(f"battle-{number}", instruction=asked, draw_probability=0.5)
        home.time.pass_s(0.5 if number < quick else 2)
        home.battles.vote(f"battle-{number}", "a", ADA, final=True)
    assert votes_words(build_leaderboard(home.store.judged_pairs(), {})) == words


def test_free_space_is_told_where_it_is_known(tmp_path: Path) -> None:
    assert disk_words(tmp_path, "1.0 MB").endswith("; the database has 1.0 MB")
    assert " free of " in disk_words(tmp_path, "1.0 MB")
    assert disk_words(tmp_path / "missing", "1.0 MB") == "free space unknown; the database has 1.0 MB"
