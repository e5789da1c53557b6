"""Shapes of five real models, and small ones of the same kinds, with random weights.

Boundary: sizes and weights; measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """One architecture in one size."""

    name: str
    kind: str  # llama, mpt, opt
    layers: int
    hidden: int
    heads: int
    ffn: int
    vocab_size: int

    @property
    def num_parameters(self) -> int:
        """Approximate number, without norms and biases."""
        return self.num_read + (self.vocab_size * self.hidden if self.kind == "llama" else 0)

    @property
    def num_read(self) -> int:
        """Parameters read for a token: of an embedding that is not the output matrix too, only one row."""
        matrices = 3 if self.kind == "llama" else 2
        per_layer = 4 * self.hidden**2 + matrices * self.hidden * self.ffn
        return self.layers * per_layer + self.vocab_size * self.hidden


REAL = (
    Shape("mamba-gpt-3b", "llama", 26, 3200, 32, 8640, 32000),
    Shape("openalpaca-7b", "llama", 32, 4096, 32, 11008, 32000),
    Shape("minotaur-mpt-7b", "mpt", 32, 4096, 32, 16384, 50432),
    Shape("orca-mini-13b", "llama", 40, 5120, 40, 13824, 32000),
    Shape("galpaca-30b", "opt", 48, 7168, 56, 28672, 50000),
)
SMALL = tuple(
    Shape(f"small {shape.name}", shape.kind, 4, 128, 4, 512 if shape.kind != "llama" else 344, 1000) for shape in REAL
)


def build(shape: Shape, device: str, dtype: str) -> Any:
    """Return the model with random weights, created on its device."""
    import torch
    import transformers

    common = {"vocab_size": shape.vocab_size, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads}
    with torch.device(device):
        torch.set_default_dtype(getattr(torch, dtype))
        if shape.kind == "llama":
            config = transformers.LlamaConfig(**common, hidden_size=shape.hidden, intermediate_size=shape.ffn)
            model = transformers.LlamaForCausalLM(config)
        elif shape.kind == "opt":
            config = transformers.OPTConfig(
                **common,
                hidden_size=shape.hidden,
                word_embed_proj_dim=shape.hidden,
                ffn_dim=shape.ffn,
                enable_bias=False,
                layer_norm_elementwise_affine=False,
            )
            model = transformers.OPTForCausalLM(config)
        else:
            config = transformers.MptConfig(
                vocab_size=shape.vocab_size, d_model=shape.hidden, n_layers=shape.layers, n_heads=shape.heads
            )
            model = transformers.MptForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    return model.eval()
