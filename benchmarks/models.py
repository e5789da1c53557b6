"""Models of the benchmarks: three architectures, random weights, 20 million parameters.

Boundary: weights and checkpoints; no tokens, no measuring. The seed is fixed. Large weights keep answers from repeating
one token, so that a wrong mask or position changes them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MptConfig,
    MptForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import EngineFacts
from playground.records import ModelCard, SamplingParams

KINDS = ("llama", "opt", "mpt")
VOCAB_SIZE = 8_000
CONTEXT_LENGTH = 512
PAD_ID = 1
STOP_ID = 2
SPECIAL_IDS = (0, PAD_ID, STOP_ID)

_HEAD_WIDTH = 64
_STD = 0.3
_CRITICAL = 50  # level of the logging module; transformers logs much about MPT on every change of attention


def build(
    kind: str,
    *,
    hidden: int = 384,
    layers: int = 9,
    seed: int = 0,
    quick: bool = False,
    context: int = CONTEXT_LENGTH,
) -> Any:
    """Return a model of `kind` (llama, opt, mpt) with `hidden` (a multiple of 64) and `layers`; 20 million parameters.

    Args:
        quick: as small as it may be, to see that a benchmark works.
    """
    hidden, layers = (_HEAD_WIDTH, 2) if quick else (hidden, layers)
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity(_CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    builders: dict[str, Callable[[int, int, int], Any]] = {"llama": _llama, "opt": _opt, "mpt": _mpt}
    model = builders[kind](hidden, layers, context).eval()
    model.generation_config = GenerationConfig(pad_token_id=PAD_ID)
    return model


def in_memory(model: Any, context: int = CONTEXT_LENGTH) -> LoadedModel:
    """Return the model as a worker holds it."""
    facts = EngineFacts(engine="local", device="cpu", dtype="float32", revision="random", versions={})
    vocab_size = model.get_input_embeddings().num_embeddings
    return LoadedModel(model, torch.device("cpu"), context, vocab_size, facts, 0.0)


def write_checkpoint(folder: Path, name: str, model: Any) -> ModelCard:
    """Write the model's files into `folder`; return its card."""
    model.save_pretrained(folder)
    return ModelCard(
        id=name,
        name=name,
        repo=str(folder),
        revision="local",
        license="CC0-1.0",
        architecture=type(model).__name__,
        num_parameters=num_parameters(model),
        size_bytes=sum(path.stat().st_size for path in folder.glob("*.safetensors")),
        context_length=CONTEXT_LENGTH,
        dtype="float32",
        template="plain",
        sampling=SamplingParams(),
        sampling_source="ours",
    )


def num_parameters(model: Any) -> int:
    """Return the number of parameters, shared ones counted once."""
    return sum(weights.numel() for weights in model.parameters())


def _llama(hidden: int, layers: int, context: int) -> Any:
    config = LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // _HEAD_WIDTH,
        max_position_embeddings=context,
        initializer_range=_STD,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)


def _opt(hidden: int, layers: int, context: int) -> Any:
    config = OPTConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        word_embed_proj_dim=hidden,
        ffn_dim=4 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // _HEAD_WIDTH,
        max_position_embeddings=context,
        enable_bias=False,
        layer_norm_elementwise_affine=False,
        init_std=_STD,
    )
    return OPTForCausalLM(config)


def _mpt(hidden: int, layers: int, context: int) -> Any:
    config = MptConfig(
        vocab_size=VOCAB_SIZE,
        d_model=hidden,
        n_heads=hidden // _HEAD_WIDTH,
        n_layers=layers,
        max_seq_len=context,
        use_cache=True,
    )
    model = MptForCausalLM(config)
    for name, weights in model.named_parameters():
        if "norm" not in name:
            weights.data.normal_(std=_STD)
    return model
