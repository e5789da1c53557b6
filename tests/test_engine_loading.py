"""A checkpoint is loaded whole and sound, or refused with the reason."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.engines.local.loading import load
from playground.errors import CheckpointError, EngineError
from playground.records import ModelCard
from tests.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, tiny_line_up

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelCard]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return dict(zip(ARCHITECTURES, cards, strict=True))


@pytest.fixture
def copy(whole: dict[str, ModelCard], tmp_path: Path) -> Callable[[str], ModelCard]:
    """A copy that the test may break."""

    def make(kind: str) -> ModelCard:
        folder = tmp_path / kind
        shutil.copytree(whole[kind].repo, folder)
        return replace(whole[kind], repo=str(folder))

    return make


def edit_config(card: ModelCard, **changes: Any) -> None:
    path = Path(card.repo) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(card: ModelCard, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = Path(card.repo) / WEIGHTS
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_a_sound_checkpoint_loads_with_the_facts_of_its_run(whole: dict[str, ModelCard], kind: str) -> None:
    loaded = load(whole[kind], threads=1)
    assert (loaded.context_length, loaded.vocab_size) == (CONTEXT_LENGTH, 384)
    assert loaded.facts.dtype == "float32"
    assert loaded.facts.device
    assert set(loaded.facts.versions) == {"torch", "transformers", "python"}
    assert loaded.model.config.use_cache is True
    assert not loaded.model.training


def test_the_cards_dtype_is_the_one_computed_with(whole: dict[str, ModelCard]) -> None:
    loaded = load(replace(whole["llama"], dtype="bfloat16"), threads=1)
    assert {p.dtype for p in loaded.model.parameters()} == {torch.bfloat16}
    with pytest.raises(CheckpointError, match="dtype is 'int4'; valid: float32, float16, bfloat16"):
        load(replace(whole["llama"], dtype="int4"), threads=1)


def test_weights_as_pickled_tensors_load_too(copy: Callable[[str], ModelCard]) -> None:
    card = copy("llama")
    weights = load_file(Path(card.repo) / WEIGHTS)
    torch.save(weights, Path(card.repo) / "pytorch_model.bin")
    (Path(card.repo) / WEIGHTS).unlink()
    loaded = load(card, threads=1)
    assert torch.equal(loaded.model.lm_head.weight, weights["lm_head.weight"])


def poison_pickle(card: ModelCard) -> None:
    (Path(card.repo) / WEIGHTS).unlink()
    (Path(card.repo) / "pytorch_model.bin").write_bytes(pickle.dumps(_Explosive(), protocol=2))


class _Explosive:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("exit 3",)


def drop_weight(weights: dict[str, torch.Tensor]) -> None:
    del weights[sorted(weights)[3]]


def add_weight(weights: dict[str, torch.Tensor]) -> None:
    weights["model.layers.9.extra.weight"] = torch.zeros(3)


def reshape_weight(weights: dict[str, torch.Tensor]) -> None:
    name = next(name for name in sorted(weights) if weights[name].ndim == 2)
    weights[name] = torch.zeros(5, 5)


def nan_weight(weights: dict[str, torch.Tensor]) -> None:
    weights[sorted(weights)[0]].view(-1)[7] = float("nan")


def infinite_weight(weights: dict[str, torch.Tensor]) -> None:
    weights[sorted(weights)[0]].view(-1)[7] = float("inf")


BREAKS: dict[str, tuple[Callable[[ModelCard], Any], str]] = {
    "no folder": (lambda card: shutil.rmtree(card.repo), "there is no folder"),
    "no config": (lambda card: (Path(card.repo) / "config.json").unlink(), "config.json is missing"),
    "half a config": (
        lambda card: (Path(card.repo) / "config.json").write_text('{"model_type": "ll'),
        "cannot be read",
    ),
    "a list as config": (lambda card: (Path(card.repo) / "config.json").write_text("[]"), "is not a JSON object"),
    "unknown type": (lambda card: edit_config(card, model_type="oracle"), "model_type 'oracle'"),
    "other class": (
        lambda card: edit_config(card, architectures=["GPT2LMHeadModel"]),
        "config.json says GPT2LMHeadModel",
    ),
    "no weights": (lambda card: (Path(card.repo) / WEIGHTS).unlink(), "cannot be read"),
    "truncated": (lambda card: os.truncate(Path(card.repo) / WEIGHTS, 5000), "checkpoint cannot be"),
    "empty weights": (lambda card: (Path(card.repo) / WEIGHTS).write_bytes(b""), "checkpoint cannot be"),
    "random bytes": (
        lambda card: (Path(card.repo) / WEIGHTS).write_bytes(bytes(range(256)) * 40),
        "checkpoint cannot be",
    ),
    "missing key": (lambda card: edit_weights(card, drop_weight), "1 weights are missing"),
    "unknown key": (lambda card: edit_weights(card, add_weight), "not part of this architecture: .*9.extra"),
    "wrong shape": (
        lambda card: edit_weights(card, reshape_weight),
        r"1 weights have another shape: .* \(5×5, not \d+×\d+\)",
    ),
    "NaN": (lambda card: edit_weights(card, nan_weight), "contain NaN or infinity"),
    "infinity": (lambda card: edit_weights(card, infinite_weight), "contain NaN or infinity"),
    "code in a pickle": (poison_pickle, "cannot be read"),
    "two layers more": (lambda card: edit_config(card, num_hidden_layers=4, n_layers=4), "weights are missing"),
}


@pytest.mark.parametrize("name", list(BREAKS))
@pytest.mark.parametrize("kind", ["llama", "mpt", "opt"])
def test_a_broken_checkpoint_is_refused_in_words(copy: Callable[[str], ModelCard], kind: str, name: str) -> None:
    card = copy(kind)
    break_it, words = BREAKS[name]
    break_it(card)
    with pytest.raises(CheckpointError, match=words) as caught:
        load(card, threads=1)
    assert card.name in str(caught.value)
    assert len(str(caught.value)) < 500


def test_rotary_buffers_that_checkpoints_of_2023_saved_are_no_unknown_weights(copy: Callable[[str], ModelCard]) -> None:
    card = copy("llama")

    def add(weights: dict[str, torch.Tensor]) -> None:
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(8)

    edit_weights(card, add)
    assert load(card, threads=1).vocab_size == 384


def test_a_tokenizer_with_more_ids_than_the_weights_have_rows_is_refused(copy: Callable[[str], ModelCard]) -> None:
    card = copy("opt")
    path = Path(card.repo) / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append(tokenizer["added_tokens"][0] | {"id": 400, "content": "<more>"})
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="401 different ids, the weights have 384 rows"):
        load(card, threads=1)


@pytest.mark.parametrize("change", [{"alibi": False}, {"qk_ln": True}, {"alibi_bias_max": 16}, {"prefix_lm": True}])
def test_an_mpt_that_transformers_would_run_wrongly_is_refused(
    copy: Callable[[str], ModelCard], change: dict[str, Any]
) -> None:
    card = copy("mpt")
    attention = json.loads((Path(card.repo) / "config.json").read_text())["attn_config"]
    edit_config(card, attn_config=attention | change)
    with pytest.raises(CheckpointError, match=f"{next(iter(change))} = .*transformers' MPT does not do"):
        load(card, threads=1)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")]
)
def test_a_model_that_does_not_fit_into_memory_says_so(
    whole: dict[str, ModelCard], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def too_big(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("playground.engines.local.loading.AutoModelForCausalLM.from_pretrained", too_big)
    with pytest.raises(EngineError, match=r"^out of memory while loading Tiny llama$"):
        load(whole["llama"], threads=1)


def test_a_hub_id_that_was_never_fetched_names_the_command(whole: dict[str, ModelCard]) -> None:
    card = replace(whole["llama"], repo="nobody/nothing-of-the-kind", revision="main")
    with pytest.raises(CheckpointError, match="download it and name its folder"):
        load(card, threads=1)
