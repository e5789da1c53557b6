"""Weights that are incomplete, not finite or not the card's are refused, and so is a tokenizer with too many ids."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engines.local.worker.loading.model import load
from playground.errors import CheckpointError
from playground.records import ModelCard
from tests.engines.local.worker.loading.conftest import HTML, POINTER, TOKENS, WTE, Change, edit_config, refused
from tests.support.checkpoints import ARCHITECTURES, FORMS, rewrite
from tests.support.paths import FIXTURES

TOKENIZERS = FIXTURES / "openllama-tokenizers"


def drop_weight(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return without(sorted(weights)[3])(weights)


def add_weight(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights | {"model.layers.9.extra.weight": torch.zeros(3)}


def reshape_weight(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights | {next(name for name in sorted(weights) if weights[name].ndim == 2): torch.zeros(5, 5)}


def spoiled(value: float) -> Change:
    def spoil(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        weights[sorted(weights)[0]].view(-1)[7] = value
        return weights

    return spoil


WEIGHT_FAULTS: dict[str, tuple[Change, str]] = {
    "missing key": (drop_weight, "1 weights are missing"),
    "unknown key": (add_weight, "not part of this architecture: .*9.extra"),
    "wrong shape": (reshape_weight, r"1 weights have another shape: .* \(5×5, not \d+×\d+\)"),
    "NaN": (spoiled(float("nan")), "contain NaN or infinity"),
    "infinity": (spoiled(float("-inf")), "contain NaN or infinity"),
    "nothing": (lambda weights: {}, r"weights are missing|names no files"),
}


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
@pytest.mark.parametrize("fault", WEIGHT_FAULTS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_wrong_weights_are_refused(copy: Callable[[str], ModelCard], kind: str, form: str, fault: str) -> None:
    card = copy(kind)
    change, words = WEIGHT_FAULTS[fault]
    rewrite(Path(card.repo), form, change)
    refused(card, words)


def another(embedding: str) -> Change:
    return lambda weights: weights | {"lm_head.weight": weights[embedding] + 1}


def without(name: str) -> Change:
    return lambda weights: {key: tensor for key, tensor in weights.items() if key != name}


UNFAITHFUL: dict[str, tuple[str, dict[str, Any], Change, str]] = {
    "mpt, tied and not": ("mpt", {}, another(WTE), "ties the output matrix to the embedding, and the weights hold two"),
    "opt, tied and not": (
        "opt",
        {},
        another(TOKENS),
        "ties the output matrix to the embedding, and the weights hold two",
    ),
    "llama, tied in config.json": ("llama", {"tie_word_embeddings": True}, dict, "ties the output matrix"),
    "no head, not tied": ("llama", {}, without("lm_head.weight"), "1 weights are missing .*: lm_head.weight"),
    "nested state_dict": ("llama", {}, lambda weights: {"state_dict": weights}, "21 weights are missing"),
    "other norm": ("mpt", {"norm_type": "rmsnorm"}, dict, "norm_type = 'rmsnorm', which transformers' MPT does not do"),
    "scaled logits": ("mpt", {"logit_scale": "inv_sqrt_d_model"}, dict, "logit_scale = 'inv_sqrt_d_model', which"),
    "clip_qkv as text": ("mpt", {"attn_config": {"clip_qkv": "six"}}, dict, "clip_qkv"),
    "fewer rows": ("llama", {"vocab_size": 380}, dict, "2 weights have another shape: lm_head.weight"),
}


@pytest.mark.parametrize("name", UNFAITHFUL)
def test_unfaithful_checkpoint_is_refused(copy: Callable[[str], ModelCard], name: str) -> None:
    kind, changes, change, message = UNFAITHFUL[name]
    card = copy(kind)
    edit_config(card, **changes)
    rewrite(Path(card.repo), "bin", change)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(card, threads=1)
    assert card.name in str(caught.value)


@pytest.mark.proves("a tokenizer error")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (POINTER, "cannot be read: it is a Git LFS pointer"),
        (HTML, "cannot be read: it is a web page"),
        (b"", "cannot be read|weights have 384 rows"),
        (bytes(range(256)), "cannot be read"),
    ],
)
@pytest.mark.parametrize("kind", ["llama", "opt"])
def test_broken_tokenizer_is_refused(copy: Callable[[str], ModelCard], kind: str, data: bytes, words: str) -> None:
    card = copy(kind)
    path = Path(card.repo) / ("tokenizer.model" if kind == "llama" else "tokenizer.json")
    path.write_bytes(data)
    refused(card, rf"{path.name} .*{words}")


def test_sentencepiece_model_with_too_many_pieces_is_refused(
    copy: Callable[[str], ModelCard],
) -> None:
    card = copy("llama")
    shutil.copy(TOKENIZERS / "preview.model", Path(card.repo) / "tokenizer.model")
    refused(card, "4000 different ids, the weights have 384 rows")


def test_tokenizer_with_too_many_ids_is_refused(copy: Callable[[str], ModelCard]) -> None:
    card = copy("opt")
    path = Path(card.repo) / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append(tokenizer["added_tokens"][0] | {"id": 400, "content": "<more>"})
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="401 different ids, the weights have 384 rows"):
        load(card, threads=1)
