"""A sound checkpoint loads in every form and variant; nothing in it is run, and nothing leaves the machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engines.local.launch import worker_environment
from playground.engines.local.worker.loading.model import load
from playground.errors import CheckpointError, EngineError
from playground.records import ModelCard
from tests.engines.local.worker.loading.conftest import HTML, TOKENS, WTE, Change, Clean, edit_config
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, FORMS, NUM_SHARDS, rewrite


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_sound_checkpoint_loads_with_its_provenance(whole: dict[str, ModelCard], kind: str) -> None:
    loaded = load(whole[kind], threads=1)
    assert (loaded.context_length, loaded.vocab_size) == (CONTEXT_LENGTH, 384)
    assert loaded.facts.dtype == "float32"
    assert loaded.facts.device
    assert set(loaded.facts.versions) == {"torch", "transformers", "python"}
    assert loaded.model.config.use_cache is True
    assert not loaded.model.training


def test_card_sets_the_dtype(whole: dict[str, ModelCard]) -> None:
    loaded = load(replace(whole["llama"], dtype="bfloat16"), threads=1)
    assert {p.dtype for p in loaded.model.parameters()} == {torch.bfloat16}
    with pytest.raises(CheckpointError, match="dtype is 'int4'; valid: float32, float16, bfloat16"):
        load(replace(whole["llama"], dtype="int4"), threads=1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_all_forms_of_the_weights_write_the_same_answer(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], kind: str, form: str
) -> None:
    card = copy(kind)
    files = rewrite(Path(card.repo), form)
    assert len(files) == (NUM_SHARDS if "shards" in form else 1)
    clean[kind].check(load(card, threads=1))


def test_safetensors_are_preferred(copy: Callable[[str], ModelCard], clean: dict[str, Clean]) -> None:
    card = copy("llama")
    (Path(card.repo) / "pytorch_model.bin").write_bytes(HTML)
    clean["llama"].check(load(card, threads=1))


FOUNDRY = {  # as llm-foundry wrote it
    "architectures": ["MPTForCausalLM"],
    "attn_config": {
        "alibi": True,
        "alibi_bias_max": 8,
        "attn_impl": "triton",
        "attn_pdrop": 0.0,
        "attn_type": "multihead_attention",
        "attn_uses_sequence_id": False,
        "clip_qkv": None,
        "prefix_lm": False,
        "qk_ln": False,
        "softmax_scale": None,
    },
    "auto_map": {"AutoConfig": "configuration_mpt.MPTConfig", "AutoModelForCausalLM": "modeling_mpt.MPTForCausalLM"},
    "init_config": {"name": "kaiming_normal_", "fan_mode": "fan_in", "init_nonlinearity": "relu", "verbose": 0},
    "init_device": "cpu",
    "emb_pdrop": 0,
    "resid_pdrop": 0,
    "learned_pos_emb": True,
    "no_bias": True,
    "norm_type": "low_precision_layernorm",
    "tie_word_embeddings": None,
    "tokenizer_name": "EleutherAI/gpt-neox-20b",
    "transformers_version": "4.28.1",
    "use_cache": False,
    "verbose": 0,
    "dtype": None,
    "torch_dtype": "bfloat16",
}
DECAPODA = {  # as the first conversions of Llama were
    "architectures": ["LLaMAForCausalLM"],
    "pad_token_id": -1,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "max_position_embeddings": None,
    "max_sequence_length": 256,
    "rope_parameters": None,
    "head_dim": None,
    "num_key_value_heads": None,
    "attention_bias": None,
    "mlp_bias": None,
    "pretraining_tp": None,
    "dtype": None,
    "torch_dtype": "float16",
    "transformers_version": "4.27.0.dev0",
    "_name_or_path": "/data/llama-hf/7B",
}


def prefixed(old: str, new: str) -> Change:
    return lambda weights: {
        new + name.removeprefix(old) if name.startswith(old) else name: tensor for name, tensor in weights.items()
    }


def rotary(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    buffers = [f"model.layers.{layer}.self_attn.rotary_emb.inv_freq" for layer in range(2)]
    return weights | {name: torch.full((8,), 0.5) for name in buffers}


def doubled(embedding: str) -> Change:
    return lambda weights: weights | {"lm_head.weight": weights[embedding].clone()}


def moved(embedding: str) -> Change:
    return lambda weights: {"lm_head.weight" if name == embedding else name: each for name, each in weights.items()}


def as_parameters(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.nn.Parameter(tensor) for name, tensor in weights.items()}


HABITS: dict[str, tuple[str, dict[str, Any], Change]] = {
    "decapoda": ("llama", DECAPODA, dict),
    "rope_theta and no scaling": (
        "llama",
        {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": None},
        dict,
    ),
    "no cache": ("llama", {"use_cache": False}, dict),
    "rotary buffers": ("llama", {}, rotary),
    "no model. in front": ("llama", {}, prefixed("model.", "")),
    "parameters instead of tensors": ("llama", {}, as_parameters),
    "llm-foundry": ("mpt", FOUNDRY, dict),
    "whole numbers for clip and scale": ("mpt", {"attn_config": {"attn_pdrop": 0, "clip_qkv": 10**6}}, dict),
    "no transformer. in front": ("mpt", {}, prefixed("transformer.", "")),
    "mpt, tied weights twice": ("mpt", {}, doubled(WTE)),
    "mpt, tied weights as the head only": ("mpt", {}, moved(WTE)),
    "decoder. in front": ("opt", {}, prefixed("model.", "")),
    "model.model. in front": ("opt", {}, prefixed("model.", "model.model.")),
    "opt, tied weights twice": ("opt", {}, doubled(TOKENS)),
    "opt, tied weights as the head only": ("opt", {}, moved(TOKENS)),
    "opt, nothing said about tying": ("opt", {"tie_word_embeddings": None, "pad_token_id": -1}, dict),
}


@pytest.mark.parametrize("form", ["safetensors", "bin shards"])
@pytest.mark.parametrize("habit", HABITS)
def test_checkpoint_variants_of_2023_write_the_same_answer(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], habit: str, form: str
) -> None:
    kind, changes, change = HABITS[habit]
    card = copy(kind)
    edit_config(card, **changes)
    rewrite(Path(card.repo), form, change)
    clean[kind].check(load(card, threads=1))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "tokenizer_config.json",
            '{"unk_token": "", "bos_token": "", "eos_token": "", "tokenizer_class": "LLaMATokenizer"}',
        ),
        ("special_tokens_map.json", '{"unk_token": ""}'),
        (
            "generation_config.json",
            '{"_from_model_config": true, "pad_token_id": -1, "temperature": 0.3, "do_sample": false}',
        ),
        ("generation_config.json", '{"temperature": '),
    ],
)
def test_files_beside_the_weights_change_no_answer(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], name: str, text: str
) -> None:
    card = copy("llama")
    (Path(card.repo) / name).write_text(text)
    clean["llama"].check(load(card, threads=1))


def test_max_sequence_length_is_a_context_length(copy: Callable[[str], ModelCard]) -> None:
    card = copy("llama")
    edit_config(card, max_position_embeddings=None, max_sequence_length=100)
    assert load(card, threads=1).context_length == 100


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_code_of_a_checkpoint_is_not_run(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], tmp_path: Path, kind: str
) -> None:
    card, written = copy(kind), tmp_path / "written"
    code = f"open({str(written)!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    for name in ("evil", f"configuration_{kind}", f"modeling_{kind}", "__init__", "setup", "conftest"):
        (Path(card.repo) / f"{name}.py").write_text(code)
    edit_config(card, auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"})
    clean[kind].check(load(card, threads=1))
    assert not written.exists()


def snapshot(card: ModelCard, cache: Path) -> ModelCard:
    """Put the card's files into a hub cache, as a branch."""
    folder = cache / "models--org--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    shutil.copytree(card.repo, folder / "snapshots" / COMMIT)
    return replace(card, id="tiny", repo="org/tiny", revision="main")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("form", FORMS)
def test_fetched_model_loads_offline_and_records_its_commit(
    copy: Callable[[str], ModelCard],
    clean: dict[str, Clean],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), form)
    card = snapshot(card, tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    connections, threads, start = [], [], threading.Thread.start
    monkeypatch.setattr("socket.socket.connect", lambda *where: connections.append(where))
    monkeypatch.setattr("socket.getaddrinfo", lambda *where, **_: connections.append(where))
    monkeypatch.setattr("threading.Thread.start", lambda thread: (threads.append(thread.name), start(thread)))
    loaded = load(card, threads=1)
    clean["llama"].check(loaded)
    assert loaded.facts.revision == COMMIT
    assert connections == []
    assert [name for name in threads if not name.startswith("ThreadPoolExecutor")] == []


def test_incomplete_snapshot_names_the_fetch_command(
    copy: Callable[[str], ModelCard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), "bin shards")[1].unlink()
    card = snapshot(card, tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(CheckpointError, match=r"fetch it again: python -m playground fetch tiny$"):
        load(card, threads=1)


def test_worker_environment_is_offline_and_converts_nothing() -> None:
    environment = worker_environment({"HF_TOKEN": "secret", "HF_HUB_OFFLINE": "0"}, threads=1)
    assert {environment[name] for name in OFFLINE} == {"1"}
    assert "secret" not in environment.values()


OFFLINE = ("DISABLE_SAFETENSORS_CONVERSION", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")]
)
def test_model_larger_than_memory_is_reported(
    whole: dict[str, ModelCard], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def too_big(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("playground.engines.local.worker.loading.model.AutoModelForCausalLM.from_pretrained", too_big)
    with pytest.raises(EngineError, match=r"^out of memory while loading Tiny llama$"):
        load(whole["llama"], threads=1)


def test_hub_id_is_not_a_folder_of_the_working_directory(
    whole: dict[str, ModelCard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole["llama"].repo, tmp_path / "nobody" / "nothing")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="nobody/nothing is not on this machine; fetch it"):
        load(replace(whole["llama"], repo="nobody/nothing", revision="main"), threads=1)


def test_missing_snapshot_names_the_fetch_command(whole: dict[str, ModelCard]) -> None:
    card = replace(whole["llama"], repo="nobody/nothing", revision="main")
    with pytest.raises(CheckpointError, match=r"fetch it: python -m playground fetch tiny-llama$"):
        load(card, threads=1)
