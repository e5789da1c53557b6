"""The rows of the simulated boards, on few boards: a rate may be beyond its limit by three errors of the simulation."""

from __future__ import annotations

import pytest

from benchmarks.simulated_boards import ROWS, Row, beyond

RUNS = 60


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_simulated_boards_keep_their_limits(row: Row) -> None:
    number, total = row.count(RUNS)
    assert total > 0
    assert not beyond(row, number, total), (number, total)


@pytest.mark.parametrize(
    ("name", "number"), [("looks: 2 equal models, up to 1,000 votes: a leader at any time", 14), ("strong: 5 × 60", 37)]
)
def test_sixty_boards_tell_the_earlier_rates(name: str, number: int) -> None:
    [row] = [row for row in ROWS if row.name.startswith(name)]
    assert beyond(row, number, RUNS)
    assert not beyond(row, round(row.limit * RUNS), RUNS)
