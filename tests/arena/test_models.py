"""Models that are added while the playground runs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from playground.arena.line_up import LineUp
from playground.arena.models import Models
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.errors import InvalidCard
from playground.records import ModelCard


class Opened:
    """An engine that remembers what it was to open."""

    def __init__(self) -> None:
        self.cards: list[ModelCard] = []

    def open(self, cards: Sequence[ModelCard]) -> None:
        self.cards += cards


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a checkpoint with a chat template."""
    folder = tmp_path / "mine"
    shutil.copytree(CARD_FOLDER / "../../pocket/weights/pocket-galpaca", folder)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    return folder


def test_damaged_folder_is_refused_before_anything_is_done_with_it(folder: Path) -> None:
    catalog, engine, stored = Catalog.load(), Opened(), []
    models = Models(catalog, LineUp(catalog, ()), engine, stored.append)
    [weights] = folder.glob("*.safetensors")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    with pytest.raises(InvalidCard, match=r"mine: model.safetensors has .* bytes, and .* by its header: it is damaged"):
        models.load(str(folder))
    assert (engine.cards, stored) == ([], [])
    assert "mine" not in catalog.cards
    assert "mine" not in models.ids()
    weights.write_bytes(whole)
    card = models.load(str(folder))
    assert (engine.cards, stored, models.line_up[-1]) == ([card], [card], card)
