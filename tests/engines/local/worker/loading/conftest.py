"""Tiny checkpoints of three architectures, and copies that a test may break."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.errors import CheckpointError
from playground.records import ModelCard
from tests.support.checkpoints import ARCHITECTURES, tiny_line_up

Change = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
PROMPT = (1, 5, 9, 77)
WTE, TOKENS = "transformer.wte.weight", "model.decoder.embed_tokens.weight"
HTML = b"\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 13476839000\n"


@dataclass(frozen=True)
class Clean:
    """Weights and answer of a sound checkpoint."""

    weights: dict[str, torch.Tensor]
    answer: list[int]

    @classmethod
    def of(cls, loaded: LoadedModel) -> Clean:
        return cls(loaded.model.state_dict(), answer(loaded))

    def check(self, loaded: LoadedModel) -> None:
        """Assert the same weights and the same greedy ids."""
        weights = loaded.model.state_dict()
        assert set(weights) == set(self.weights)
        assert all(torch.equal(weights[name], tensor) for name, tensor in self.weights.items())
        assert answer(loaded) == self.answer


def answer(loaded: LoadedModel) -> list[int]:
    out = loaded.model.generate(
        torch.tensor([PROMPT]),
        attention_mask=torch.ones(1, len(PROMPT)),
        do_sample=False,
        max_new_tokens=12,
        eos_token_id=None,
        pad_token_id=0,
    )
    return [int(token_id) for token_id in out[0, len(PROMPT) :]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelCard]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return dict(zip(ARCHITECTURES, cards, strict=True))


@pytest.fixture(scope="module")
def clean(whole: dict[str, ModelCard]) -> dict[str, Clean]:
    return {kind: Clean.of(load(card, threads=1)) for kind, card in whole.items()}


@pytest.fixture
def copy(whole: dict[str, ModelCard], tmp_path: Path) -> Callable[[str], ModelCard]:
    """Return a function that copies a checkpoint."""

    def make(kind: str) -> ModelCard:
        folder = tmp_path / kind
        shutil.copytree(whole[kind].repo, folder)
        return replace(whole[kind], repo=str(folder))

    return make


def edit_config(card: ModelCard, **changes: Any) -> None:
    """Change keys of config.json, merging tables; None removes a key."""
    path = Path(card.repo) / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        config[key] = config.get(key, {}) | value if isinstance(value, dict) else value
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def refused(card: ModelCard, message: str) -> None:
    """Assert that loading fails with this message, on one short line that names the model."""
    with pytest.raises(CheckpointError, match=message) as caught:
        load(card, threads=1)
    error = str(caught.value)
    assert error.startswith(card.name)
    assert len(error) < 500
    assert "\n" not in error
