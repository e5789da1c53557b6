"""The built-in cards of models of today: sizes follow from shapes, and what was not run here is marked."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    Olmo2Config,
    Phi3Config,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

from playground.catalog.catalog import Catalog
from playground.exchange.licenses import allows_commercial_use
from tests.support.paths import ROOT

CATALOG = Catalog.load()
PAGE = (ROOT / "docs" / "models.md").read_text()
TODAY = [model for name in ("laptop", "24gb") for model in CATALOG.line_ups[name].models]


def shape(
    kind: type[PreTrainedConfig], vocab: int, hidden: int, inner: int, layers: int, heads: int, kv_heads: int
) -> PreTrainedConfig:
    return kind(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        tie_word_embeddings=kind is not Olmo2Config,
        **({"head_dim": 128} if kind is Qwen3Config else {}),
    )


SHAPES = {
    "smollm2-135m": shape(LlamaConfig, 49_152, 576, 1536, 30, 9, 3),
    "smollm2-360m": shape(LlamaConfig, 49_152, 960, 2560, 32, 15, 5),
    "qwen2.5-0.5b": shape(Qwen2Config, 151_936, 896, 4864, 24, 14, 2),
    "qwen3-0.6b": shape(Qwen3Config, 151_936, 1024, 3072, 28, 16, 8),
    "qwen3-4b": shape(Qwen3Config, 151_936, 2560, 9728, 36, 32, 8),
    "smollm3-3b": shape(SmolLM3Config, 128_256, 2048, 11_008, 36, 16, 4),
    "olmo-2-7b": shape(Olmo2Config, 100_352, 4096, 11_008, 32, 32, 32),
    "phi-4-mini": shape(Phi3Config, 200_064, 3072, 8192, 32, 24, 8),
}
"""As the models' config.json files say."""


def test_every_model_of_today_has_a_shape() -> None:
    assert set(SHAPES) == set(TODAY)


@pytest.mark.parametrize("model_id", SHAPES)
def test_sizes_follow_from_the_shape(model_id: str) -> None:
    card, config = CATALOG.card(model_id), SHAPES[model_id]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert card.architecture == type(model).__name__
    assert card.num_parameters == sum(weights.numel() for weights in model.parameters())
    assert card.size_bytes == 2 * card.num_parameters
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    assert card.kv_bytes_per_token == 2 * 2 * config.num_hidden_layers * config.num_key_value_heads * width


@pytest.mark.parametrize("model_id", TODAY)
def test_card_says_what_a_visitor_has_to_know(model_id: str) -> None:
    card = CATALOG.card(model_id)
    assert (card.template, card.dtype, card.revision, card.engine) == ("chat", "bfloat16", "main", "local")
    assert card.untested == (model_id != "smollm2-135m")
    assert len(card.limitations) >= 4
    assert card.description
    assert allows_commercial_use(card.license)
    assert ("the ones here are ours" in " ".join(card.notes)) == (card.sampling_source == "ours")
    assert card.sampling.max_new_tokens <= card.context_length // 4


def test_reasoning_is_off_on_a_laptop_and_has_tokens_on_a_gpu() -> None:
    assert CATALOG.card("qwen3-0.6b").chat_template_kwargs == {"enable_thinking": False}
    for model_id in ("qwen3-4b", "smollm3-3b"):
        card = CATALOG.card(model_id)
        assert card.chat_template_kwargs == {"enable_thinking": True}
        assert card.sampling.max_new_tokens == 8192


@pytest.mark.parametrize("model_id", TODAY)
def test_models_page_has_the_cards_numbers(model_id: str) -> None:
    card = CATALOG.card(model_id)
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{model_id}` "))
    assert f"| {card.num_parameters / 1e9:.2f} B | {card.context_length:,} | {card.license} |" in row
    assert f"| {card.size_bytes / 1e9:.1f} GB |" in row
    assert ("not run here" in row) == card.untested
