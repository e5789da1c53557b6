"""Filling in the composer."""

from __future__ import annotations

from dataclasses import replace

from tests.ui.pages.compare.tab import Tab


def test_pickers_offer_the_present_line_up(tab: Tab) -> None:
    joined = replace(tab.arena.line_up[0], id="new-here", name="New here")
    tab.arena.line_up = (*tab.arena.line_up, joined)
    offered = tab.page.composing.offer_models()
    intro = offered.pop(tab.page.panels.columns.intro)
    assert "all 6 models" not in intro["value"], "six columns need no repetition now"
    assert set(offered) == set(tab.page.panels.composer.settings.models)
    for update in offered.values():
        assert update["choices"] == [(card.name, card.id) for card in tab.arena.line_up]
        assert "value" not in update, "what is chosen stays"
