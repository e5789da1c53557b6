"""A playground with a few votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import House
from tests.support.exporting import three_votes


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """The votes of `three_votes`, in a file."""
    made = three_votes(tmp_path)
    yield made
    made.store.close()
