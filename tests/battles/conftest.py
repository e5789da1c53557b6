"""A store on disk or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import (
    House,
    house,
)


@pytest.fixture(params=["file", "memory"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path if request.param == "file" else None)
    yield made
    made.store.close()
