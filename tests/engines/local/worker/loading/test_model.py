"""A checkpoint is loaded whole and sound, or refused with the reason."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engines.local.launch import worker_environment
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.local.worker.loading.weight_files import check_torch, weight_files
from playground.errors import CheckpointError, EngineError
from playground.records import ModelCard
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, FORMS, NUM_SHARDS, rewrite, tiny_line_up
from tests.support.paths import FIXTURES

TOKENIZERS = FIXTURES / "openllama-tokenizers"
PROMPT = (1, 5, 9, 77)


@dataclass(frozen=True)
class Clean:
    """What a sound checkpoint holds and writes."""

    weights: dict[str, torch.Tensor]
    answer: list[int]

    @classmethod
    def of(cls, loaded: LoadedModel) -> Clean:
        return cls(loaded.model.state_dict(), answer(loaded))

    def check(self, loaded: LoadedModel) -> None:
        """The same numbers under the same names, and the same greedy ids."""
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
    """A copy that the test may break."""

    def make(kind: str) -> ModelCard:
        folder = tmp_path / kind
        shutil.copytree(whole[kind].repo, folder)
        return replace(whole[kind], repo=str(folder))

    return make


def edit_config(card: ModelCard, **changes: Any) -> None:
    """Change keys of config.json, those of tables inside one by one; None takes a key out."""
    path = Path(card.repo) / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        config[key] = config.get(key, {}) | value if isinstance(value, dict) else value
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def refused(card: ModelCard, words: str) -> None:
    """Loading fails with these words, in one short line that names the model."""
    with pytest.raises(CheckpointError, match=words) as caught:
        load(card, threads=1)
    message = str(caught.value)
    assert message.startswith(card.name)
    assert len(message) < 500
    assert "\n" not in message


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


# Forms


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_every_form_of_the_same_weights_writes_the_same_answer(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], kind: str, form: str
) -> None:
    card = copy(kind)
    files = rewrite(Path(card.repo), form)
    assert len(files) == (NUM_SHARDS if "shards" in form else 1)
    clean[kind].check(load(card, threads=1))


def test_safetensors_are_taken_where_both_are_there(copy: Callable[[str], ModelCard], clean: dict[str, Clean]) -> None:
    card = copy("llama")
    (Path(card.repo) / "pytorch_model.bin").write_bytes(HTML)
    clean["llama"].check(load(card, threads=1))


# Habits of 2023: (kind, changes to config.json where None takes a key out, what becomes of the weights)


Change = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]

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


WTE, TOKENS = "transformer.wte.weight", "model.decoder.embed_tokens.weight"
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
def test_a_habit_of_2023_changes_no_answer(
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
def test_what_2023_wrote_beside_the_weights_changes_no_answer(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], name: str, text: str
) -> None:
    card = copy("llama")
    (Path(card.repo) / name).write_text(text)
    clean["llama"].check(load(card, threads=1))


def test_the_first_name_of_the_context_length_counts_too(copy: Callable[[str], ModelCard]) -> None:
    card = copy("llama")
    edit_config(card, max_position_embeddings=None, max_sequence_length=100)
    assert load(card, threads=1).context_length == 100


# What would not be the model on the card


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
    "llama, said to be tied": ("llama", {"tie_word_embeddings": True}, dict, "ties the output matrix"),
    "no head, not tied": ("llama", {}, without("lm_head.weight"), "1 weights are missing .*: lm_head.weight"),
    "in a wrapper": ("llama", {}, lambda weights: {"state_dict": weights}, "21 weights are missing"),
    "other norm": ("mpt", {"norm_type": "rmsnorm"}, dict, "norm_type = 'rmsnorm', which transformers' MPT does not do"),
    "scaled logits": ("mpt", {"logit_scale": "inv_sqrt_d_model"}, dict, "logit_scale = 'inv_sqrt_d_model', which"),
    "a clip in words": ("mpt", {"attn_config": {"clip_qkv": "six"}}, dict, "clip_qkv"),
    "fewer rows": ("llama", {"vocab_size": 380}, dict, "2 weights have another shape: lm_head.weight"),
}


@pytest.mark.parametrize("name", UNFAITHFUL)
def test_what_cannot_be_read_faithfully_is_refused(copy: Callable[[str], ModelCard], name: str) -> None:
    kind, changes, change, words = UNFAITHFUL[name]
    card = copy(kind)
    edit_config(card, **changes)
    rewrite(Path(card.repo), "bin", change)
    with pytest.raises(CheckpointError, match=words) as caught:
        load(card, threads=1)
    assert card.name in str(caught.value)


# Nothing in a checkpoint is run, and nothing leaves the machine


class Writes:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
@pytest.mark.parametrize("form", [form for form in FORMS if "bin" in form])
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_code_in_a_pickle_is_refused_and_not_run(
    copy: Callable[[str], ModelCard], tmp_path: Path, kind: str, form: str
) -> None:
    card, written = copy(kind), tmp_path / "written"
    rewrite(Path(card.repo), form, lambda weights: weights | {"zzz": Writes(written)})
    with pytest.raises(
        CheckpointError, match=r"ask for code to be run \(posix.system\), which is never done"
    ) as caught:
        load(card, threads=1)
    assert card.name in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert not written.exists()


def test_a_bare_pickle_is_not_even_opened(copy: Callable[[str], ModelCard], tmp_path: Path) -> None:
    card, written = copy("llama"), tmp_path / "written"
    (file,) = rewrite(Path(card.repo), "bin")
    file.write_bytes(pickle.dumps({"a": Writes(written)}, protocol=2))
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin was not written by torch\.save"):
        load(card, threads=1)
    assert not written.exists()
    pickle.loads(file.read_bytes())  # it would have worked
    assert written.exists()


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_code_that_comes_with_a_checkpoint_is_not_run(
    copy: Callable[[str], ModelCard], clean: dict[str, Clean], tmp_path: Path, kind: str
) -> None:
    card, written = copy(kind), tmp_path / "written"
    code = f"open({str(written)!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    for name in ("evil", f"configuration_{kind}", f"modeling_{kind}", "__init__", "setup", "conftest"):
        (Path(card.repo) / f"{name}.py").write_text(code)
    edit_config(card, auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"})
    clean[kind].check(load(card, threads=1))
    assert not written.exists()


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "3.0.1"])
def test_a_torch_that_refuses_code_reads_bin_files(version: str) -> None:
    check_torch(version)


@pytest.mark.parametrize("version", ["1.13.1", "2.9.1+cu128"])
def test_an_older_torch_reads_no_bin_files(copy: Callable[[str], ModelCard], version: str) -> None:
    folder = Path(copy("llama").repo)
    assert len(weight_files(folder, version)) == 1  # safetensors hold no code
    rewrite(folder, "bin")
    with pytest.raises(CheckpointError, match=rf"torch 2\.10 or later only, this is {re.escape(version)}; update it"):
        weight_files(folder, version)


def snapshot(card: ModelCard, cache: Path) -> ModelCard:
    """The card's files as the hub's cache keeps those of a branch."""
    folder = cache / "models--org--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    shutil.copytree(card.repo, folder / "snapshots" / COMMIT)
    return replace(card, id="tiny", repo="org/tiny", revision="main")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("form", FORMS)
def test_a_fetched_model_loads_without_a_connection_or_a_conversion_and_names_its_commit(
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
    assert [name for name in threads if not name.startswith("ThreadPoolExecutor")] == []  # those read the weights


def test_a_branch_whose_files_are_incomplete_says_how_to_fetch_the_rest(
    copy: Callable[[str], ModelCard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), "bin shards")[1].unlink()
    card = snapshot(card, tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(CheckpointError, match=r"fetch it again: python -m playground fetch tiny$"):
        load(card, threads=1)


def test_workers_are_told_to_stay_offline_and_to_convert_nothing() -> None:
    environment = worker_environment({"HF_TOKEN": "secret", "HF_HUB_OFFLINE": "0"}, threads=1)
    assert {environment[name] for name in OFFLINE} == {"1"}
    assert "secret" not in environment.values()


OFFLINE = ("DISABLE_SAFETENSORS_CONVERSION", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


# Broken: what lies in the place of a weight file


HTML = b"\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 13476839000\n"
FILE_FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "there are no weights in|1 of 3 weight files are missing: NAME"),
    "empty": (lambda path: path.write_bytes(b""), "NAME is empty"),
    "cut in the middle": (lambda path: os.truncate(path, path.stat().st_size // 2), "NAME is cut short|unexpected EOF"),
    "cut at the end": (lambda path: os.truncate(path, path.stat().st_size - 9), "NAME is cut short|unexpected EOF"),
    "a few bytes": (
        lambda path: os.truncate(path, 10),
        "NAME is no safetensors file|NAME is cut short|NAME was not written by torch.save",
    ),
    "random bytes": (
        lambda path: path.write_bytes(bytes(range(256)) * 40),
        "NAME is no safetensors file|NAME was not written by torch.save",
    ),
    "a web page": (lambda path: path.write_bytes(HTML), "NAME does not hold weights: it is a web page"),
    "a Git LFS pointer": (
        lambda path: path.write_bytes(POINTER),
        "NAME does not hold weights: it is a Git LFS pointer",
    ),
    "a list": (lambda path: torch.save([1, 2], path), "NAME is no safetensors file|the checkpoint cannot be read"),
}


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
@pytest.mark.parametrize("fault", FILE_FAULTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_broken_weight_file_is_named_with_what_is_wrong(
    copy: Callable[[str], ModelCard], form: str, fault: str
) -> None:
    card = copy("llama")
    path = rewrite(Path(card.repo), form)[-1]
    break_it, words = FILE_FAULTS[fault]
    break_it(path)
    refused(card, words.replace("NAME", re.escape(path.name)))


INDEX_FAULTS = {
    "half": ('{"weight_map"', "is no index of weights"),
    "a list": ("[]", "is no index of weights"),
    "a page": (HTML.decode(), "is no index of weights: it is a web page"),
    "no files": ('{"weight_map": {}}', "names no files"),
    "elsewhere": (
        '{"weight_map": {"a": "../other/pytorch_model.bin"}}',
        "names '../other/pytorch_model.bin' as a file",
    ),
    "not there": ('{"weight_map": {"a": "b.bin"}}', "1 of 1 weight files are missing: b.bin"),
}


@pytest.mark.parametrize("fault", INDEX_FAULTS)
@pytest.mark.parametrize("form", [form for form in FORMS if "shards" in form])
def test_a_broken_index_is_named_with_what_is_wrong(copy: Callable[[str], ModelCard], form: str, fault: str) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), form)
    (index,) = Path(card.repo).glob("*.index.json")
    text, words = INDEX_FAULTS[fault]
    index.write_text(text)
    refused(card, words)


# Broken: the weights themselves


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
def test_weights_that_are_not_the_models_are_refused(
    copy: Callable[[str], ModelCard], kind: str, form: str, fault: str
) -> None:
    card = copy(kind)
    change, words = WEIGHT_FAULTS[fault]
    rewrite(Path(card.repo), form, change)
    refused(card, words)


# Broken: everything else


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
def test_a_broken_configuration_is_refused_in_words(copy: Callable[[str], ModelCard], kind: str, fault: str) -> None:
    card = copy(kind)
    break_it, words = CONFIG_FAULTS[fault]
    break_it(card)
    refused(card, words)


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
def test_a_broken_tokenizer_is_named_with_what_is_wrong(
    copy: Callable[[str], ModelCard], kind: str, data: bytes, words: str
) -> None:
    card = copy(kind)
    path = Path(card.repo) / ("tokenizer.model" if kind == "llama" else "tokenizer.json")
    path.write_bytes(data)
    refused(card, rf"{path.name} .*{words}")


def test_a_sentencepiece_model_with_more_pieces_than_the_weights_have_rows_is_refused(
    copy: Callable[[str], ModelCard],
) -> None:
    card = copy("llama")
    shutil.copy(TOKENIZERS / "preview.model", Path(card.repo) / "tokenizer.model")
    refused(card, "4000 different ids, the weights have 384 rows")


def test_a_tokenizer_with_more_ids_than_the_weights_have_rows_is_refused(copy: Callable[[str], ModelCard]) -> None:
    card = copy("opt")
    path = Path(card.repo) / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"].append(tokenizer["added_tokens"][0] | {"id": 400, "content": "<more>"})
    path.write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="401 different ids, the weights have 384 rows"):
        load(card, threads=1)


@pytest.mark.parametrize(
    "change", [{"alibi": False}, {"qk_ln": True}, {"alibi_bias_max": 16}, {"prefix_lm": True}, {"rope": True}]
)
def test_an_mpt_that_transformers_would_run_wrongly_is_refused(
    copy: Callable[[str], ModelCard], change: dict[str, Any]
) -> None:
    card = copy("mpt")
    edit_config(card, attn_config=change)
    with pytest.raises(CheckpointError, match=f"{next(iter(change))} = .*transformers' MPT does not do"):
        load(card, threads=1)


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")]
)
def test_a_model_that_does_not_fit_into_memory_says_so(
    whole: dict[str, ModelCard], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def too_big(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("playground.engines.local.worker.loading.model.AutoModelForCausalLM.from_pretrained", too_big)
    with pytest.raises(EngineError, match=r"^out of memory while loading Tiny llama$"):
        load(whole["llama"], threads=1)


def test_a_hub_id_is_no_folder_of_the_working_directory(
    whole: dict[str, ModelCard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole["llama"].repo, tmp_path / "nobody" / "nothing-of-the-kind")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="nobody/nothing-of-the-kind is not on this machine; fetch it"):
        load(replace(whole["llama"], repo="nobody/nothing-of-the-kind", revision="main"), threads=1)


def test_a_hub_id_that_was_never_fetched_names_the_command(whole: dict[str, ModelCard]) -> None:
    card = replace(whole["llama"], repo="nobody/nothing-of-the-kind", revision="main")
    with pytest.raises(CheckpointError, match=r"fetch it: python -m playground fetch tiny-llama$"):
        load(card, threads=1)
