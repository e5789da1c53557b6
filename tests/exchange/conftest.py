"""A playground with a few votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import House, Mould
from tests.support.exporting import three_votes


@pytest.fixture(scope="package")
def mould() -> Mould:
    return Mould.of(three_votes)


@pytest.fixture
def home(mould: Mould, tmp_path: Path) -> Iterator[House]:
    """The votes of `three_votes`, in a file."""
    made = mould.house(tmp_path)
    yield made
    made.store.close()
