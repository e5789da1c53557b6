"""The words of simulated boards are those of the golden file, which somebody has read."""

from __future__ import annotations

import pytest

from tests.support.board_words import BOARDS, GOLDEN, MANY, Simulated, sections, words

KNOWN = sections(GOLDEN.read_text("utf-8"))
CHANGED = "read the words; if they are right, run python -m tests.support.board_words"
FEW_VOTES = 700  # more take over half a second


def test_golden_file_has_every_board() -> None:
    assert list(KNOWN) == [board.title for board in (*BOARDS, MANY)]


@pytest.mark.parametrize(
    "board",
    [
        pytest.param(board, id=board.title, marks=[pytest.mark.slow] if board.votes > FEW_VOTES else [])
        for board in (*BOARDS, MANY)
    ],
)
def test_words_are_as_they_were_read(board: Simulated) -> None:
    assert words(board) == KNOWN[board.title], CHANGED
