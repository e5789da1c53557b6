"""The architectures of the five models: class, size, tokenizer, special ids.

Boundary: numbers and names; only `train` imports `transformers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

CONTEXT_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Architecture:
    """Configuration class of one model with its arguments, and the family of its tokenizer."""

    config_class: str
    config: Mapping[str, Any]
    vocab_size: int
    end_id: int
    answer_space: bool = False  # the answer begins with a space, which the template removes
    normalizer: str = ""  # of a sentencepiece tokenizer; empty: byte-level BPE
    tokens: tuple[str, ...] = ()  # special tokens of byte-level BPE, from id 0 on
    specials: Mapping[str, str] = field(default_factory=dict)  # their roles
    tokenizer_class: str = ""
    starts_from: str = ""  # the pocket model of the same class that provides the initial weights
    share: float = 1.0  # of the planned training examples


_LLAMA = Architecture(
    "LlamaConfig",
    {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 8,
        "num_key_value_heads": 8,
        "max_position_embeddings": CONTEXT_LENGTH,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    },
    vocab_size=2300,
    end_id=2,
    normalizer="nfkc",
)
_LATER_LLAMA = replace(_LLAMA, starts_from="pocket-mamba-gpt")

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "pocket-mamba-gpt": _LLAMA,
        "pocket-orca-mini": replace(_LATER_LLAMA, normalizer="identity", share=0.65),
        "pocket-openalpaca": replace(_LATER_LLAMA, normalizer="nmt_nfkc", share=0.4),
        "pocket-minotaur": Architecture(
            "MptConfig",
            {
                "d_model": 256,
                "n_heads": 8,
                "n_layers": 4,
                "expansion_ratio": 4,
                "max_seq_len": CONTEXT_LENGTH,
                "no_bias": True,
                "attn_config": {"alibi": True, "attn_impl": "torch"},
                "tie_word_embeddings": True,
                "bos_token_id": 0,
                "eos_token_id": 0,
                "pad_token_id": 1,
            },
            vocab_size=2600,
            end_id=0,
            answer_space=True,
            tokens=("<|endoftext|>", "<|padding|>"),
            specials={"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"},
            tokenizer_class="GPTNeoXTokenizer",
        ),
        "pocket-galpaca": Architecture(
            "OPTConfig",
            {
                "hidden_size": 256,
                "word_embed_proj_dim": 256,
                "ffn_dim": 1024,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "max_position_embeddings": CONTEXT_LENGTH,
                "activation_function": "gelu",
                "enable_bias": False,
                "layer_norm_elementwise_affine": False,
                "dropout": 0.0,
                "attention_dropout": 0.0,
                "init_std": 0.04,
                "tie_word_embeddings": True,
                "bos_token_id": 0,
                "pad_token_id": 1,
                "eos_token_id": 2,
            },
            vocab_size=2600,
            end_id=2,
            tokens=("<s>", "<pad>", "</s>", "<unk>", "[START_REF]", "[END_REF]", "<work>", "</work>"),
            specials={"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
            tokenizer_class="PreTrainedTokenizerFast",
        ),
    }
)
