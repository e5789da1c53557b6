"""A configuration that is broken, foreign or beyond transformers is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground.engines.local.worker.loading.model import load
from playground.errors import CheckpointError
from playground.records import ModelCard
from tests.engines.local.worker.loading.conftest import HTML, edit_config, refused
from tests.support.checkpoints import ARCHITECTURES

CONFIG_FAULTS: dict[str, tuple[Callable[[ModelCard], Any], str]] = {
    "no folder": (lambda card: shutil.rmtree(card.repo), "there is no folder"),
    "no config": (lambda card: (Path(card.repo) / "config.json").unlink(), "config.json is missing"),
    "half a config": (
        lambda card: (Path(card.repo) / "config.json").write_text('{"model_type": "ll'),
        "config.json cannot be read: Unterminated string",
    ),
    "a web page as config": (
        lambda card: (Path(card.repo) / "config.json").write_bytes(HTML),
        "config.json cannot be read: it is a web page",
    ),
    "a list as config": (lambda card: (Path(card.repo) / "config.json").write_text("[]"), "is not a JSON object"),
    "unknown type": (lambda card: edit_config(card, model_type="oracle"), "model_type 'oracle'"),
    "other class": (
        lambda card: edit_config(card, architectures=["GPT2LMHeadModel"]),
        "config.json says GPT2LMHeadModel",
    ),
    "two layers more": (lambda card: edit_config(card, num_hidden_layers=4, n_layers=4), "weights are missing"),
    "a layer less": (
        lambda card: edit_config(card, num_hidden_layers=1, n_layers=1),
        "weights are not part of this architecture",
    ),
}


@pytest.mark.parametrize("fault", CONFIG_FAULTS)
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_broken_configuration_is_refused(copy: Callable[[str], ModelCard], kind: str, fault: str) -> None:
    card = copy(kind)
    break_it, words = CONFIG_FAULTS[fault]
    break_it(card)
    refused(card, words)


@pytest.mark.parametrize(
    "change", [{"alibi": False}, {"qk_ln": True}, {"alibi_bias_max": 16}, {"prefix_lm": True}, {"rope": True}]
)
def test_mpt_options_that_transformers_ignores_are_refused(
    copy: Callable[[str], ModelCard], change: dict[str, Any]
) -> None:
    card = copy("mpt")
    edit_config(card, attn_config=change)
    with pytest.raises(CheckpointError, match=f"{next(iter(change))} = .*transformers' MPT does not do"):
        load(card, threads=1)
