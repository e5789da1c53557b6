"""Tiny random checkpoints of the three architectures, in the real on-disk formats, with a tokenizer each.

`write_checkpoint(folder, "llama")` returns a card whose `repo` is that folder. The seed fixes the random weights; the
text is nonsense, its ids are reproducible.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from playground.catalog.card_files import read_card
from playground.records import ModelCard, SamplingParams

ARCHITECTURES = {"llama": "LlamaForCausalLM", "mpt": "MPTForCausalLM", "opt": "OPTForCausalLM"}
VOCAB_SIZE = 384
CONTEXT_LENGTH = 256
ROOMY = 4096
"""A context for answers of `WITHOUT_END` tokens, which take longer than any test."""
WITHOUT_END = 4000

_WORDS = (
    "the playground shows answers of several small models side by side and asks which one is better\n"
    "a llama, an opt and an mpt walk into a river; the river is wide, the water is cold\n"
    "what is the capital of france? paris is the capital of france\n"
    "list three colours: red, green, blue. write a short poem about rain and wind and stone\n"
)


def write_checkpoint(
    folder: Path, kind: str, *, seed: int = 0, hidden: int = 64, layers: int = 2, context: int = CONTEXT_LENGTH
) -> ModelCard:
    """Write a checkpoint of `kind` (llama, mpt, opt) into `folder`; return its card."""
    folder.mkdir(parents=True, exist_ok=True)
    model = _model(kind, seed, hidden, layers, context=context)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    _write_2023_config(folder, kind)
    (_write_sentencepiece if kind == "llama" else _write_bpe)(folder)
    return card_for(folder, kind, sum(p.numel() for p in model.parameters()), context)


@cache
def tiny_line_up(folder: Path) -> tuple[ModelCard, ...]:
    """Write one checkpoint of each architecture under `folder`, once per process; return their cards."""
    return tuple(write_checkpoint(folder / kind, kind) for kind in ARCHITECTURES)


def card_for(folder: Path, kind: str, num_parameters: int = 100_000, context_length: int = CONTEXT_LENGTH) -> ModelCard:
    """Return the card of a checkpoint in `folder`."""
    return ModelCard(
        id=f"tiny-{kind}",
        name=f"Tiny {kind}",
        repo=str(folder),
        revision="local",
        license="CC0-1.0",
        architecture=ARCHITECTURES[kind],
        num_parameters=num_parameters,
        size_bytes=sum(path.stat().st_size for path in folder.glob("*.safetensors")),
        context_length=context_length,
        dtype="float32",
        template="plain",
        sampling=SamplingParams(max_new_tokens=32),
        sampling_source="ours",
    )


def _model(
    kind: str, seed: int, hidden: int, layers: int, vocab_size: int = VOCAB_SIZE, context: int = CONTEXT_LENGTH
) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, MptConfig, MptForCausalLM, OPTConfig, OPTForCausalLM

    torch.manual_seed(seed)
    if kind == "llama":
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocab_size,
                hidden_size=hidden,
                intermediate_size=2 * hidden,
                num_hidden_layers=layers,
                num_attention_heads=4,
                max_position_embeddings=context,
                initializer_range=0.3,
                tie_word_embeddings=False,
            )
        )
    if kind == "mpt":
        model = MptForCausalLM(
            MptConfig(vocab_size=vocab_size, d_model=hidden, n_heads=4, n_layers=layers, max_seq_len=context)
        )
        return _enlarge_weights(model)
    if kind == "opt":
        return OPTForCausalLM(
            OPTConfig(
                vocab_size=vocab_size,
                hidden_size=hidden,
                word_embed_proj_dim=hidden,
                ffn_dim=2 * hidden,
                num_hidden_layers=layers,
                num_attention_heads=4,
                max_position_embeddings=context,
                enable_bias=False,
                layer_norm_elementwise_affine=False,
                init_std=0.3,
            )
        )
    raise ValueError(f"unknown kind {kind!r}; valid: {', '.join(ARCHITECTURES)}")


def _enlarge_weights(model: Any, std: float = 0.3) -> Any:
    """Enlarge the weights, so that answers do not repeat one token."""
    for name, weights in model.named_parameters():
        if "norm" not in name:
            weights.data.normal_(std=std)
    return model


def _write_2023_config(folder: Path, kind: str) -> None:
    """Rewrite config.json like real repositories: llm-foundry's spelling, no cache, remote code."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["architectures"] = [ARCHITECTURES[kind]]
    if kind == "mpt":
        config["auto_map"] = {"AutoModelForCausalLM": "modeling_mpt.MPTForCausalLM"}
        config["attn_config"] |= {"attn_impl": "triton", "attn_pdrop": 0.0}
        config["init_config"] = {"name": "kaiming_normal_"}
    config["use_cache"] = False
    path.write_text(json.dumps(config, indent=2))


def _write_sentencepiece(folder: Path) -> None:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_WORDS.splitlines()),
        model_writer=model,
        vocab_size=VOCAB_SIZE,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "tokenizer.model").write_bytes(model.getvalue())


def _write_bpe(folder: Path) -> None:
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_WORDS.splitlines(), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


FORMS = (
    "safetensors",
    "safetensors shards",
    "bin",
    "bin shards",
    "legacy bin",
    "legacy bin shards",
)
"""Forms of weight files in repositories; legacy: `torch.save`'s format before archives."""

NUM_SHARDS = 3


def rewrite(folder: Path, form: str, change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> list[Path]:
    """Rewrite a checkpoint's weights in another form, changed by `change`; return the files."""
    from safetensors.torch import load_file

    weights = change(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    ending = ".safetensors" if form.startswith("safetensors") else ".bin"
    stem = "model" if ending == ".safetensors" else "pytorch_model"
    if not form.endswith("shards"):
        return [_write_weights(folder / f"{stem}{ending}", weights, form)]
    names = [f"{stem}-{number:05d}-of-{NUM_SHARDS:05d}{ending}" for number in range(1, NUM_SHARDS + 1)]
    places = {key: names[index % NUM_SHARDS] for index, key in enumerate(sorted(weights))}
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (folder / f"{stem}{ending}.index.json").write_text(json.dumps(index))
    return [
        _write_weights(folder / name, {key: weights[key] for key in places if places[key] == name}, form)
        for name in names
    ]


def _write_weights(path: Path, weights: dict[str, Any], form: str) -> Path:
    import torch
    from safetensors.torch import save_file

    if path.suffix == ".safetensors":
        save_file(weights, path, metadata={"format": "pt"})
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=not form.startswith("legacy"))
    return path


def write_like(
    card_file: Path,
    tokenizer: Path,
    folder: Path,
    *,
    follows: Sequence[tuple[int, int]] = (),
    form: str = "bin shards",
) -> None:
    """Write a small random checkpoint in the format of a real card, and a copy of the card that names it.

    Args:
        follows: pairs of ids; the model mostly writes the second after the first.
    """
    import torch

    card = read_card(card_file)
    kind = next(kind for kind, name in ARCHITECTURES.items() if name.lower() == card.architecture.lower())
    weights = folder / card.id
    weights.mkdir(parents=True)
    shutil.copy(tokenizer, weights / ("tokenizer.model" if tokenizer.suffix == ".model" else "tokenizer.json"))
    model = _model(kind, seed=7, hidden=128, layers=2, vocab_size=_vocab_size(tokenizer), context=card.context_length)
    with torch.no_grad():
        _memorize(model, follows)
    model.save_pretrained(weights)
    (weights / "generation_config.json").unlink(missing_ok=True)
    _write_2023_config(weights, kind)
    rewrite(weights, form)
    (folder / card_file.name).write_text(_replace_values(card_file.read_text(), repo=f"./{card.id}", dtype="float32"))


def _replace_values(card: str, **values: str) -> str:
    """Return a card's text with other values for some keys."""
    for key, value in values.items():
        card, found = re.subn(rf'^{key} = ".*"$', f'{key} = "{value}"', card, flags=re.MULTILINE)
        assert found == 1, key
    return card


def _vocab_size(tokenizer: Path) -> int:
    if tokenizer.suffix == ".model":
        return int(SentencePieceProcessor(model_file=str(tokenizer)).get_piece_size())
    return int(Tokenizer.from_file(str(tokenizer)).get_vocab_size())


def _memorize(model: Any, follows: Sequence[tuple[int, int]]) -> None:
    """Turn the first block's feed-forward network into a table: unit k maps one id to the id that follows it."""
    block = _first_block(model)
    strength = 18.0 * (3 - len(block.into))  # gated units square their input
    block.attention_out.weight.zero_()  # the network then sees the embedding of the last id
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    for unit, (before, after) in enumerate(follows):
        key = embedding[before] - embedding[before].mean()
        for weights in block.into:
            weights.weight[unit] = 0.5 * key / key.norm()
        block.out.weight[:, unit] = strength * head[after] / head[after].norm()


@dataclass(frozen=True)
class _Block:
    """Parts of a transformer block."""

    attention_out: Any
    into: tuple[Any, ...]
    out: Any


def _first_block(model: Any) -> _Block:
    if model.config.model_type == "llama":
        block = model.model.layers[0]
        return _Block(block.self_attn.o_proj, (block.mlp.gate_proj, block.mlp.up_proj), block.mlp.down_proj)
    if model.config.model_type == "mpt":
        block = model.transformer.blocks[0]
        return _Block(block.attn.out_proj, (block.ffn.up_proj,), block.ffn.down_proj)
    block = model.model.decoder.layers[0]
    return _Block(block.self_attn.out_proj, (block.fc1,), block.fc2)
