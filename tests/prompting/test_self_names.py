"""Names of a model and its maker are found in sentences that introduce them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.prompting.self_names import LONGEST, MOST_NAMES, introduced_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", ("Qwen", "Alibaba Cloud")),
        (
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n",
            ("SmolLM", "Hugging Face"),
        ),
        ("Today's Date: May 1, 2025.\nYou are Granite, developed by IBM. You are a helpful AI.", ("Granite", "IBM")),
        ("You are ChatGPT, a large language model trained by OpenAI.\nCutoff: 2024-06", ("ChatGPT", "OpenAI")),
        (
            "You are Mistral Small 3.1, a Large Language Model (LLM) created by Mistral AI, a startup in Paris.",
            ("Mistral Small 3.1", "Mistral AI"),
        ),
        ("You are EXAONE model from LG AI Research, a helpful assistant.", ("EXAONE", "LG AI Research")),
        ("You are a helpful friendly assistant Falcon3 from TII, try to follow instructions.", ("Falcon3", "TII")),
        ("You are h2oGPT, an expert LLM fine-tuned by H2O.ai.", ("h2oGPT", "H2O.ai")),
        ("You are Command. You are an extremely capable model built by Cohere.", ("Command", "Cohere")),
        ("You are an AI assistant whose name is InternLM.", ("InternLM",)),
        ("You're Yi, a model built by 01.AI.", ("Yi", "01.AI")),
        ("I am Zorblax. I was made by the Allen Institute for AI.", ("Zorblax", "Allen Institute for AI")),
    ],
)
def test_names_of_model_and_maker_are_found(text: str, names: tuple[str, ...]) -> None:
    assert introduced_names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You are a helpful assistant.",
        "You are AI assistant.",
        "You are NOT a human. You are an AI assistant that follows instruction extremely well.",
        "A chat between a curious user and an artificial intelligence assistant. The Assistant gives polite answers.",
        "You are an expert translating from English into French. You are given a JSON called Data.",
        "You are a helpful AI assistant.\nEnvironment: ipython\nCutting Knowledge Date: December 2023",
        "You are provided with function signatures within <tools></tools> XML tags:",
        "Below is an instruction that describes a task, written by Stanford. Write a response.",
        "Python was created by Guido van Rossum.",
    ],
)
def test_text_without_an_introduction_has_no_names(text: str) -> None:
    assert introduced_names(text) == ()


@given(st.text())
def test_any_text_has_few_and_short_names(text: str) -> None:
    names = introduced_names(f"You are {text}")
    assert len(names) <= MOST_NAMES
    assert all(0 < len(name) <= LONGEST for name in names)
