"""The starter that a click chooses."""

from __future__ import annotations

import pytest

from playground.records import Instruction
from playground.ui.pages.compare.starters import clicked_starter


@pytest.mark.parametrize("category", ["explain", "talk", "", None, 7])
def test_starter_is_found_by_its_text_after_the_category_changed(category: object) -> None:
    shorter, other = Instruction("Make it shorter.", "A long one."), Instruction("Make it shorter.", "Another.")
    starters = {"explain": (Instruction("What is rust?"),), "rewrite": (shorter,), "talk": (other,)}
    clicked = clicked_starter(starters, category, {"index": 1, "value": ["Make it shorter."]})
    assert clicked is (other if category == "talk" else shorter)
    for event in (None, 7, {}, {"value": 7}, {"value": []}, {"value": [["x"]]}, {"value": ["nothing like it"]}):
        assert clicked_starter(starters, category, event) is None
