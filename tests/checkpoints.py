"""Tiny random checkpoints of the three architectures, in the real on-disk formats, with a tokenizer each.

`write_checkpoint(folder, "llama")` gives a card whose `repo` is that folder. The weights are random but fixed by the
seed; the text they write is nonsense, its ids are reproducible.
"""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

from playground.records import ModelCard, SamplingParams

ARCHITECTURES = {"llama": "LlamaForCausalLM", "mpt": "MPTForCausalLM", "opt": "OPTForCausalLM"}
VOCAB_SIZE = 384
CONTEXT_LENGTH = 256

_WORDS = (
    "the playground shows answers of several small models side by side and asks which one is better\n"
    "a llama, an opt and an mpt walk into a river; the river is wide, the water is cold\n"
    "what is the capital of france? paris is the capital of france\n"
    "list three colours: red, green, blue. write a short poem about rain and wind and stone\n"
)


def write_checkpoint(folder: Path, kind: str, *, seed: int = 0, hidden: int = 64, layers: int = 2) -> ModelCard:
    """A checkpoint of `kind` (llama, mpt, opt) in `folder`, and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    model = _model(kind, seed, hidden, layers)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    _as_found_in_the_wild(folder, kind)
    (_write_sentencepiece if kind == "llama" else _write_bpe)(folder)
    return card_for(folder, kind, sum(p.numel() for p in model.parameters()))


@cache
def tiny_line_up(folder: Path) -> tuple[ModelCard, ...]:
    """One checkpoint of each architecture under `folder`; written once per process."""
    return tuple(write_checkpoint(folder / kind, kind) for kind in ARCHITECTURES)


def card_for(folder: Path, kind: str, num_parameters: int = 100_000) -> ModelCard:
    """The card of a checkpoint in `folder`."""
    return ModelCard(
        id=f"tiny-{kind}",
        name=f"Tiny {kind}",
        repo=str(folder),
        revision="local",
        license="CC0-1.0",
        architecture=ARCHITECTURES[kind],
        num_parameters=num_parameters,
        size_bytes=sum(path.stat().st_size for path in folder.glob("*.safetensors")),
        context_length=CONTEXT_LENGTH,
        dtype="float32",
        template="plain",
        sampling=SamplingParams(max_new_tokens=32),
        sampling_source="ours",
    )


def _model(kind: str, seed: int, hidden: int, layers: int) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, MptConfig, MptForCausalLM, OPTConfig, OPTForCausalLM

    torch.manual_seed(seed)
    if kind == "llama":
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=VOCAB_SIZE,
                hidden_size=hidden,
                intermediate_size=2 * hidden,
                num_hidden_layers=layers,
                num_attention_heads=4,
                max_position_embeddings=CONTEXT_LENGTH,
                initializer_range=0.3,
                tie_word_embeddings=False,
            )
        )
    if kind == "mpt":
        model = MptForCausalLM(
            MptConfig(vocab_size=VOCAB_SIZE, d_model=hidden, n_heads=4, n_layers=layers, max_seq_len=CONTEXT_LENGTH)
        )
        return _wilder(model)
    if kind == "opt":
        return OPTForCausalLM(
            OPTConfig(
                vocab_size=VOCAB_SIZE,
                hidden_size=hidden,
                word_embed_proj_dim=hidden,
                ffn_dim=2 * hidden,
                num_hidden_layers=layers,
                num_attention_heads=4,
                max_position_embeddings=CONTEXT_LENGTH,
                enable_bias=False,
                layer_norm_elementwise_affine=False,
                init_std=0.3,
            )
        )
    raise ValueError(f"unknown kind {kind!r}; valid: {', '.join(ARCHITECTURES)}")


def _wilder(model: Any, std: float = 0.3) -> Any:
    """Larger weights than the usual start, so that answers do not repeat one token for ever."""
    for name, weights in model.named_parameters():
        if "norm" not in name:
            weights.data.normal_(std=std)
    return model


def _as_found_in_the_wild(folder: Path, kind: str) -> None:
    """The habits of the real repositories: llm-foundry's spelling, the cache switched off, remote code offered."""
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
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

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
