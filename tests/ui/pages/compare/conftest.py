"""A tab of the page over a stub arena, without a browser."""

from __future__ import annotations

import pytest

from tests.ui.pages.compare.tab import Tab


@pytest.fixture
def tab() -> Tab:
    return Tab()
