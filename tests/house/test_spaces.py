"""Spaces.md agrees with the settings, the commands and the headings that it names."""

from __future__ import annotations

import re

from playground.engines.zerogpu.sizes import SIZES
from playground.settings import table, variable
from playground.spaces.recipe import GPU_MEMORY, GPU_MODELS, KINDS
from tests.support.paths import ROOT

GUIDE = (ROOT / "Spaces.md").read_text()


def test_settings_named_in_the_guide_exist() -> None:
    known = {variable(setting.name) for setting in table()}
    assert set(re.findall(r"PLAYGROUND_[A-Z_]+", GUIDE)) <= known


def test_links_inside_the_guide_lead_to_its_headings() -> None:
    headings = {re.sub(r"\W+", "-", line.lower()) for line in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= headings


def test_guide_has_a_recipe_for_each_kind() -> None:
    assert all(f"`--kind {kind}`" in GUIDE for kind in KINDS)
    assert all(f"`{name}`" in GUIDE for name, _ in GPU_MEMORY)
    assert all(f"`{name}`" in GUIDE and f"{memory / 1e9:.0f} GB" in GUIDE for name, memory in SIZES)
    assert len(GPU_MODELS) == 3, "the guide names three"
