"""The built-in cards are right: sizes follow from shapes, averages from their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MptConfig, MptForCausalLM, OPTConfig, OPTForCausalLM

from playground.catalog.catalog import Catalog
from playground.exchange.licenses import allows_commercial_use
from playground.records import Instruction, ModelCard, SamplingParams
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "models.md").read_text()
CATALOG = Catalog.load()
TODAY = [model for name in ("laptop", "24gb") for model in CATALOG.line_ups[name].models]
"""Models of today, see test_cards_of_today.py."""
REAL = {card.id: card for card in CATALOG.cards.values() if not card.stands_in_for and card.id not in TODAY}


@dataclass(frozen=True)
class Shape:
    """The shape of a model with the figures that follow from it."""

    repo: str
    license: str
    kind: str
    layers: int
    hidden: int
    heads: int
    vocab: int
    num_parameters: int
    gigabytes: float  # of float16 weights, 10^9 bytes
    kv_bytes: int  # of float16 keys and values per token
    more: Mapping[str, Any]

    def model(self) -> torch.nn.Module:
        """The model without its numbers."""
        with torch.device("meta"):
            return MAKERS[self.kind](self)


def llama(shape: Shape) -> torch.nn.Module:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocab,
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            tie_word_embeddings=False,
            **shape.more,
        )
    )


def mpt(shape: Shape) -> torch.nn.Module:
    config = MptConfig(
        vocab_size=shape.vocab, d_model=shape.hidden, n_layers=shape.layers, n_heads=shape.heads, **shape.more
    )
    return MptForCausalLM(config)


def opt(shape: Shape) -> torch.nn.Module:
    return OPTForCausalLM(
        OPTConfig(
            vocab_size=shape.vocab,
            hidden_size=shape.hidden,
            word_embed_proj_dim=shape.hidden,
            ffn_dim=4 * shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=2048,
            **shape.more,
        )
    )


MAKERS = {"LlamaForCausalLM": llama, "MPTForCausalLM": mpt, "OPTForCausalLM": opt}
LLAMA, MPT, OPT = MAKERS
BARE = {"enable_bias": False, "layer_norm_elementwise_affine": False}
WIDE = {"intermediate_size": 11008}
OPENALPACA = (LLAMA, 32, 4096, 32, 32000, 6_738_415_616, 13.48, 524_288, WIDE)
SHAPES = {
    "openalpaca-7b-2bt": Shape("openllmplayground/openalpaca_7b_preview_2bt", "Apache-2.0", *OPENALPACA),
    "openalpaca-7b-3bt": Shape("openllmplayground/openalpaca_7b_preview_3bt", "Apache-2.0", *OPENALPACA),
    "mamba-gpt-3b": Shape(
        "CobraMamba/mamba-gpt-3b",
        "Apache-2.0",
        *(LLAMA, 26, 3200, 32, 32000, 3_426_473_600, 6.85, 332_800),
        {"intermediate_size": 8640},
    ),
    "orca-mini-13b": Shape(
        "psmathur/orca_mini_13b",
        "CC-BY-NC-SA-4.0",
        *(LLAMA, 40, 5120, 40, 32000, 13_015_864_320, 26.03, 819_200),
        {"intermediate_size": 13824},
    ),
    "minotaur-mpt-7b": Shape(
        "openaccess-ai-collective/minotaur-mpt-7b",
        "Apache-2.0",
        *(MPT, 32, 4096, 32, 50432, 6_649_286_656, 13.30, 524_288),
        {},
    ),
    "galpaca-30b": Shape(
        "GeorgiaTechResearchInstitute/galpaca-30b",
        "CC-BY-NC-4.0 AND LicenseRef-OpenAI-Terms-of-Use",
        *(OPT, 48, 7168, 56, 50000, 29_968_103_424, 59.94, 1_376_256),
        BARE,
    ),
    "galpaca-6.7b": Shape(
        "GeorgiaTechResearchInstitute/galpaca-6.7b",
        "CC-BY-NC-4.0 AND LicenseRef-OpenAI-Terms-of-Use",
        *(OPT, 32, 4096, 32, 50000, 6_657_359_872, 13.31, 524_288),
        {},
    ),
}
SAMPLING = {
    "openalpaca-7b-2bt": ("card", SamplingParams(128, 0, True, 1.0, 50, 0.9)),
    "openalpaca-7b-3bt": ("card", SamplingParams(128, 0, True, 1.0, 50, 0.9)),
    "mamba-gpt-3b": ("card", SamplingParams(1024, 2, False, 0.3, 0, 1.0, 0.0, 1.2, True)),
    "orca-mini-13b": ("card", SamplingParams(1024, 0, True, 0.7, 50, 1.0)),
    "minotaur-mpt-7b": ("ours", None),
    "galpaca-30b": ("ours", None),
    "galpaca-6.7b": ("ours", None),
}
AVERAGES = {  # key of the card -> benchmarks that it does not count
    "mamba-gpt-3b": {"average": set()},
    "orca-mini-13b": {"average": set(), "average without DROP": {"DROP (3-shot)"}},
    "galpaca-30b": {"average": set()},
}


@pytest.mark.parametrize("model_id", SHAPES)
def test_sizes_follow_from_the_models_shape(model_id: str) -> None:
    card, shape = REAL[model_id], SHAPES[model_id]
    num_parameters = sum(weights.numel() for weights in shape.model().parameters())
    assert card.num_parameters == shape.num_parameters == num_parameters
    assert card.size_bytes == 2 * num_parameters
    assert round(card.size_bytes / 1e9, 2) == shape.gigabytes
    assert 2 * 2 * shape.layers * shape.hidden == shape.kv_bytes
    assert (card.repo, card.license, card.architecture) == (shape.repo, shape.license, shape.kind)
    assert card.context_length == 2048
    assert card.dtype == ("bfloat16" if shape.kind == MPT else "float16")


def test_these_tables_have_every_real_card() -> None:
    assert set(REAL) == set(SHAPES) == set(SAMPLING)


@pytest.mark.parametrize("model_id", SAMPLING)
def test_sampling_is_the_cards_or_noted_as_ours(model_id: str) -> None:
    source, params = SAMPLING[model_id]
    card = REAL[model_id]
    assert card.sampling_source == source
    assert params in (None, card.sampling)
    assert ("the ones here are ours" in " ".join(card.notes)) == (source == "ours")
    assert card.sampling.max_new_tokens <= card.context_length // 2


@pytest.mark.parametrize("card", REAL.values(), ids=REAL)
def test_real_cards_name_limitations(card: ModelCard) -> None:
    assert card.description
    assert len(card.limitations) >= 4
    assert card.engine == "local"
    assert card.revision == "main"
    if card.license != "Apache-2.0":
        assert card.limitations[0].startswith("No commercial use")


@pytest.mark.parametrize("model_id", AVERAGES)
def test_published_averages_equal_those_of_their_parts(model_id: str) -> None:
    metrics = dict(REAL[model_id].metrics)
    averages = {key: metrics.pop(key) for key in AVERAGES[model_id]}
    for key, without in AVERAGES[model_id].items():
        parts = [value for name, value in metrics.items() if name not in without]
        assert averages[key] == pytest.approx(sum(parts) / len(parts), abs=0.051)
    assert len(metrics) in (4, 7)


def test_published_metrics_say_how_many_examples_the_prompt_had() -> None:
    shots = {"ARC": 25, "HellaSwag": 10, "MMLU": 5, "TruthfulQA": 0, "Winogrande": 5, "GSM8K": 5, "DROP": 3}
    valid = {f"{name} ({number}-shot)" for name, number in shots.items()}
    for model_id in AVERAGES:
        assert {name for name in REAL[model_id].metrics if not name.startswith("average")} <= valid


@pytest.mark.parametrize("model_id", [*REAL, *TODAY])
def test_card_links_to_the_work_behind_it(model_id: str) -> None:
    card = CATALOG.card(model_id)
    assert card.links
    assert not card.citation or card.citation.lstrip().startswith(("@misc{", "@article{"))


def test_cards_without_published_metrics_have_none() -> None:
    assert {card.id for card in REAL.values() if card.metrics} == set(AVERAGES)


def test_pocket_models_share_the_format_of_their_real_model() -> None:
    for pocket in CATALOG.line_up():
        real = REAL[pocket.stands_in_for]
        assert pocket.template == real.template
        assert pocket.architecture.lower() == real.architecture.lower()


@pytest.mark.parametrize(
    ("model_id", "words"),
    [
        ("mamba-gpt-3b", "temperature has no effect"),
        ("mamba-gpt-3b", "3,200 wide"),
        ("mamba-gpt-3b", "nothing to do with state-space models"),
        ("orca-mini-13b", "37.06 over seven benchmarks, 41.36 without DROP"),
        ("orca-mini-13b", "MIT at first"),
        ("openalpaca-7b-2bt", "CC BY-SA 3.0"),
        ("openalpaca-7b-3bt", "about 27 GB"),
        ("galpaca-6.7b", "galpaca:code"),
        ("galpaca-30b", "first example is galpaca:scientist-markdown, its code example galpaca:python"),
        ("openalpaca-7b-2bt", "float32; here it is float16"),
        ("openalpaca-7b-3bt", "float32; here it is float16"),
        ("mamba-gpt-3b", "tuned on is CC BY-SA 3.0. Whoever uses the model agrees to the disclaimer"),
        ("mamba-gpt-3b", "leave two tasks out, which were suspected of contamination"),
        ("minotaur-mpt-7b", "The line break before ASSISTANT: is inferred"),
        ("orca-mini-13b", "15 system texts"),
    ],
)
def test_contradictions_of_a_model_card_are_noted(model_id: str, words: str) -> None:
    assert words in " ".join(REAL[model_id].notes)


@pytest.mark.parametrize(
    ("model_id", "words"),
    [
        ("galpaca-30b", "intended for researchers, and not for production without safeguards"),
        ("galpaca-6.7b", "intended for researchers, and not for production without safeguards"),
        ("minotaur-mpt-7b", "MPT, is not meant to face people without guardrails and their consent"),
        ("minotaur-mpt-7b", "tuned on data of the benchmarks HellaSwag, ARC and GSM8K"),
        ("orca-mini-13b", "at most 1,024 tokens"),
        ("orca-mini-13b", "gpt-3.5-turbo-0301"),
    ],
)
def test_limitations_of_a_models_own_page_are_named(model_id: str, words: str) -> None:
    assert words in " ".join(REAL[model_id].limitations)


def test_cards_say_nothing_that_the_models_pages_do_not() -> None:
    for model_id in ("orca-mini-13b", "minotaur-mpt-7b"):
        assert "nothing was done against bias" not in " ".join(REAL[model_id].limitations)
    assert "one developer" not in REAL["mamba-gpt-3b"].description


@pytest.mark.parametrize(
    ("template_id", "end"),
    [
        (
            "galpaca:scientist-markdown",
            " As a scientist, write a response that appropriately completes the request, citing specific papers "
            "whenever possible.\n\n### Instruction:\nWhy?\n\n### Markdown and LaTeX Response:",
        ),
        (
            "galpaca:python",
            " Write a response that appropriately completes the request.\n\n### Instruction:\nWhy?\n\n### Response:\n"
            "```python",
        ),
    ],
)
def test_published_examples_of_galpaca_are_variants(template_id: str, end: str) -> None:
    prompt = CATALOG.prompt("pocket-galpaca", Instruction("Why?"), template_id)
    assert prompt.text == "Below is an instruction that describes a task." + end


@pytest.mark.parametrize("model_id", ["galpaca-30b", "galpaca-6.7b"])
def test_galpaca_is_licensed_under_both_terms(model_id: str) -> None:
    license = REAL[model_id].license
    assert license == "CC-BY-NC-4.0 AND LicenseRef-OpenAI-Terms-of-Use"
    assert not allows_commercial_use(license)


def test_models_page_has_each_real_models_numbers() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for card in REAL.values():
        (row,) = (line for line in rows if f"`{card.id}`" in line.split("|")[1])
        assert f"| {card.num_parameters / 1e9:.2f} B | {card.context_length:,} | {card.license} |" in row
        assert f"| `{card.template}` |" in row
        assert f"{card.sampling.max_new_tokens:,} tokens | {card.size_bytes / 1e9:.1f} GB |" in row
        assert ("ours:" in row) == (card.sampling_source == "ours")
