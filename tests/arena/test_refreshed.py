"""A refreshed result is read again after its rest, and after an error it stays or is not known."""

from __future__ import annotations

import pytest

from playground.arena.refreshed import REST, Refreshed
from playground.clock import Clock
from playground.errors import StorageError
from playground.storage.database.store import Store
from tests.support.cast import house

TAKES_S = 2.0


@pytest.mark.parametrize("outlives_errors", [True, False])
def test_result_rests_and_survives_errors_only_if_it_is_to(outlives_errors: bool) -> None:
    at = [0.0]
    fails = [False]

    def read(store: Store, latest: int | None) -> int:
        at[0] += TAKES_S
        if fails[0]:
            raise StorageError("the disk fails")
        return (latest or 0) + 1

    store = house().store
    counted = Refreshed("count", read, Clock(monotonic=lambda: at[0]), every_s=1.0, outlives_errors=outlives_errors)
    counted.refresh(store)
    assert counted.latest == 1
    counted.refresh(store)
    assert (counted.latest, at[0]) == (1, TAKES_S), "not read again while it rests"
    at[0] = REST * TAKES_S
    fails[0] = True
    counted.refresh(store)
    assert counted.latest == (1 if outlives_errors else None)
    counted.refresh(store)
    assert at[0] == (REST + 1) * TAKES_S, "it rests after an error too"
    at[0] += REST * TAKES_S
    fails[0] = False
    counted.refresh(store)
    assert counted.latest == (2 if outlives_errors else 1)
