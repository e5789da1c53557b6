"""Starting a battle."""

from __future__ import annotations

import pytest

from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from tests.ui.pages.compare.tab import Tab


@pytest.mark.slow
@pytest.mark.proves("hidden and disabled fields overwritten")
@pytest.mark.parametrize("handler", ["compare", "regenerate"])
def test_second_battle_is_refused_while_one_is_being_written(tab: Tab, handler: str) -> None:
    tab.arena._chars_per_s = 5.0
    tab.begins("Tell me slowly. slow")
    before = dict(tab.shown)
    updates = tab.does(
        tab.handler(handler), *[None] * (len(tab.page.panels.composer.inputs) if handler == "compare" else 0)
    )
    assert escape(texts.STILL_WRITING) in tab.status(updates)
    assert set(updates) == {tab.page.panels.status.line}
    assert tab.shown == before
    assert len(tab.arena._battles) == 1
