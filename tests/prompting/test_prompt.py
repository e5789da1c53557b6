"""Prompts equal those of each card's own code, token for token, whatever a visitor types."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog.catalog import Catalog
from playground.errors import PromptTooLong, TokenizerError
from playground.prompting.prompt import build_prompt, check_fits, check_tokenizer, ignores_system
from playground.prompting.templates import PLAIN, load_templates
from playground.prompting.tokenization import FastTokenizer, SentencePieceTokenizer, Tokenizer
from playground.records import Instruction, SamplingParams, Segment
from tests.support.paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "openllama-tokenizers"
TEMPLATES = load_templates([ROOT / "prompts" / "templates"])
TOKENIZERS = {name: SentencePieceTokenizer(FIXTURES / f"{name}.model") for name in ("preview", "v1nfkc", "v1id")}
LLAMA = TOKENIZERS["v1id"]
CASES = json.loads((FIXTURES / "card_ids.json").read_text())["cases"]
CARDS = {"openalpaca": "openalpaca", "orca_mini": "orca-mini", "mamba_gpt": "mamba-gpt:markers-as-text"}
DEFAULT_SYSTEM = "You are an AI assistant that follows instruction extremely well. Help as much as you can."
ALPACA = "Below is an instruction that describes a task"
REQUEST = "rite a response that appropriately completes the request."
MARKERS = [
    "</s>",
    "<s>",
    "<unk>",
    "<|answer|>",
    "<|prompt|>",
    "### Response:",
    "### Instruction:\n",
    "USER:",
    "ASSISTANT:",
    "[START_REF]",
    "<|endoftext|>",
    "{instruction}",
    "{input}",
    "{system}",
    "%s",
    "{{7*7}}",
    "{0}",
    "\\1",
    "\\g<0>",
]


class Letters:
    """A tokenizer whose ids are code points."""

    vocab_size = 0x110000

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))

    def decode(self, ids: Iterable[int], drop: Collection[int] = ()) -> str:
        return "".join(map(chr, ids))

    def token(self, token_id: int) -> str:
        return f"<{token_id}>"

    def stream(self) -> Letters:
        return self

    def feed(self, token_id: int) -> str:
        return chr(token_id)

    def finish(self) -> str:
        return ""


def text_of(name: str, instruction: str, input: str = "", system: str = "", tokenizer: Tokenizer | None = None) -> str:
    return build_prompt(TEMPLATES[name], tokenizer or LLAMA, Instruction(instruction, input, system)).text


# The reference


@pytest.mark.parametrize("card", CARDS)
def test_reference_prompts_have_the_reference_ids(card: str) -> None:
    seen = 0
    for case in CASES:
        for name, ids in case.get(card, {}).items():
            instruction = Instruction(case["instruction"], case["input"])
            prompt = build_prompt(TEMPLATES[CARDS[card]], TOKENIZERS[name], instruction)
            assert list(prompt.token_ids) == ids, case
            seen += 1
    assert seen == {"openalpaca": 10, "orca_mini": 20, "mamba_gpt": 10}[card]


def test_every_reference_card_is_tested() -> None:
    assert {key for case in CASES for key, ids in case.items() if isinstance(ids, dict)} == set(CARDS)


@pytest.mark.parametrize("name", ["v1nfkc", "v1id"])
def test_mamba_gpt_ends_its_prompt_with_id_2(name: str) -> None:
    """The reference has ``</s>`` as text, from a tokenizer without it; the README beside it says id 2."""
    tokenizer = TOKENIZERS[name]
    for case in CASES:
        prompt = build_prompt(TEMPLATES["mamba-gpt"], tokenizer, Instruction(case["instruction"]))
        head = tokenizer.encode(f"<|prompt|>{case['instruction']}")
        assert prompt.token_ids == (*head, 2, *tokenizer.encode("<|answer|>"))


def test_openalpaca_texts_equal_the_reference() -> None:
    for case in CASES:
        text = text_of("openalpaca", case["instruction"], case["input"])
        assert text == f"<s><s>{case['openalpaca_text']}</s><s>"


# Each card's two forms


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        (
            "openalpaca",
            "<s><s>### Instruction:\nI\n\n### Response:</s><s>",
            "<s><s>### Input:\nX\n\n### Instruction:\nI\n\n### Response:</s><s>",
        ),
        (
            "openalpaca:single-bos",
            "<s>### Instruction:\nI\n\n### Response:</s><s>",
            "<s>### Input:\nX\n\n### Instruction:\nI\n\n### Response:</s><s>",
        ),
        ("mamba-gpt", "<|prompt|>I</s><|answer|>", "<|prompt|>I\nX</s><|answer|>"),
        ("mamba-gpt:markers-as-text", "<|prompt|>I</s><|answer|>", "<|prompt|>I\nX</s><|answer|>"),
        (
            "orca-mini",
            f"<s>### System:\n{DEFAULT_SYSTEM}\n\n### User:\nI\n\n### Response:\n",
            f"<s>### System:\n{DEFAULT_SYSTEM}\n\n### User:\nI\n\n### Input:\nX\n\n### Response:\n",
        ),
        ("minotaur", "USER: I\nASSISTANT:", "USER: I\nX\nASSISTANT:"),
        (
            "galpaca",
            f"{ALPACA}. W{REQUEST}\n\n### Instruction:\nI\n\n### Response:",
            f"{ALPACA}, paired with an input that provides further context. W{REQUEST}\n\n"
            "### Instruction:\nI\n\n### Input:\nX\n\n### Response:",
        ),
        (
            "galpaca:markdown",
            f"{ALPACA}. W{REQUEST}\n\n### Instruction:\nI\n\n### Markdown and LaTeX Response:",
            f"{ALPACA}, paired with an input that provides further context. W{REQUEST}\n\n"
            "### Instruction:\nI\n\n### Input:\nX\n\n### Markdown and LaTeX Response:",
        ),
        (
            "galpaca:scientist",
            f"{ALPACA}. As a scientist, w{REQUEST[:-1]}, citing specific papers whenever possible.\n\n"
            "### Instruction:\nI\n\n### Response:",
            f"{ALPACA}, paired with an input that provides further context. As a scientist, w{REQUEST[:-1]}, citing "
            "specific papers whenever possible.\n\n### Instruction:\nI\n\n### Input:\nX\n\n### Response:",
        ),
        (
            "galpaca:code",
            f"{ALPACA}. W{REQUEST}\n\n### Instruction:\nI\n\n### Response:\n```",
            f"{ALPACA}, paired with an input that provides further context. W{REQUEST}\n\n"
            "### Instruction:\nI\n\n### Input:\nX\n\n### Response:\n```",
        ),
        (
            "galpaca:scientist-markdown",
            f"{ALPACA}. As a scientist, w{REQUEST[:-1]}, citing specific papers whenever possible.\n\n"
            "### Instruction:\nI\n\n### Markdown and LaTeX Response:",
            f"{ALPACA}, paired with an input that provides further context. As a scientist, w{REQUEST[:-1]}, citing "
            "specific papers whenever possible.\n\n### Instruction:\nI\n\n### Input:\nX\n\n"
            "### Markdown and LaTeX Response:",
        ),
        (
            "galpaca:python",
            f"{ALPACA}. W{REQUEST}\n\n### Instruction:\nI\n\n### Response:\n```python",
            f"{ALPACA}, paired with an input that provides further context. W{REQUEST}\n\n"
            "### Instruction:\nI\n\n### Input:\nX\n\n### Response:\n```python",
        ),
        ("plain", "I", "I\nX"),
    ],
)
def test_each_form_equals_the_card(name: str, plain: str, full: str) -> None:
    assert text_of(name, "I") == plain
    assert text_of(name, "I", "X") == full


def test_every_template_is_tested() -> None:
    marks = test_each_form_equals_the_card.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == set(TEMPLATES)


def test_special_ids_are_where_the_template_puts_them() -> None:
    ids = {name: build_prompt(form, LLAMA, Instruction("Hi")).token_ids for name, form in TEMPLATES.items()}
    assert (ids["openalpaca"][:2], ids["openalpaca"][-2:]) == ((1, 1), (2, 1))
    assert ids["orca-mini"][0] == 1
    assert LLAMA.token(ids["orca-mini"][-1]) == "<0x0A>"
    at = ids["mamba-gpt"].index(2)
    assert [LLAMA.token(i) for i in ids["mamba-gpt"][at + 1 : at + 3]] == ["▁<", "|"]
    assert 1 not in ids["mamba-gpt"]


def test_answer_prefix_is_part_of_the_prompt() -> None:
    tokenizer = FastTokenizer(ROOT / "playground" / "pocket" / "weights" / "pocket-galpaca" / "tokenizer.json")
    prompt = build_prompt(TEMPLATES["galpaca:code"], tokenizer, Instruction("Add two numbers."))
    assert tokenizer.decode(prompt.token_ids[-3:]).endswith("```")
    assert tokenizer.decode(prompt.token_ids) == prompt.text


def test_prompt_names_its_template() -> None:
    prompt = build_prompt(TEMPLATES["galpaca:markdown"], LLAMA, Instruction("I"))
    assert (prompt.template_id, prompt.template_hash) == ("galpaca:markdown", TEMPLATES["galpaca"].hash)
    assert prompt.num_tokens == len(prompt.token_ids)


# What visitors type


@pytest.mark.proves("every template's own markers")
@pytest.mark.parametrize("name", TEMPLATES)
def test_typed_text_is_inserted_unchanged(name: str) -> None:
    empty = text_of(name, "羊", tokenizer=Letters())
    for marker in MARKERS:
        assert text_of(name, marker, tokenizer=Letters()) == empty.replace("羊", marker)
        typed = f"a {marker} b"
        assert text_of(name, typed, marker, tokenizer=Letters()).count(typed) == 1


@pytest.mark.proves("every template's own markers")
@pytest.mark.parametrize("name", TEMPLATES)
def test_typed_text_never_becomes_a_special_token(name: str) -> None:
    form = TEMPLATES[name]
    expected = [i for segment in form.with_input for i in segment.ids]
    for marker in MARKERS:
        ids = build_prompt(form, LLAMA, Instruction(f"{marker} I {marker}", marker, marker)).token_ids
        assert [i for i in ids if i in (0, 1, 2)] == expected, marker


@given(*[st.text(st.sampled_from("{}insructo %s\\1<>/ \n"), min_size=1, max_size=30)] * 3)
def test_places_are_filled_once(instruction: str, input: str, system: str) -> None:
    text = text_of("orca-mini", instruction, input, system, Letters())
    user = f"### User:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
    assert text == f"<1>### System:\n{system}\n\n{user}"


def test_places_typed_into_the_instruction_are_not_filled() -> None:
    assert text_of("minotaur", "{input}", "X") == "USER: {input}\nX\nASSISTANT:"


# System text


def test_system_text_replaces_the_default() -> None:
    text = text_of("orca-mini", "I", system="Be brief.")
    assert text == "<s>### System:\nBe brief.\n\n### User:\nI\n\n### Response:\n"


@pytest.mark.parametrize("name", sorted(set(TEMPLATES) - {"orca-mini"}))
def test_format_without_system_text_ignores_it(name: str) -> None:
    assert text_of(name, "I", system="S") == text_of(name, "I")
    assert ignores_system(TEMPLATES[name], Instruction("I", system="S"))
    assert not ignores_system(TEMPLATES[name], Instruction("I"))


def test_orca_mini_takes_system_text() -> None:
    assert not ignores_system(TEMPLATES["orca-mini"], Instruction("I", system="S"))


# Fitting


def test_prompt_longer_than_its_format_allows_is_refused() -> None:
    assert build_prompt(TEMPLATES["openalpaca"], Letters(), Instruction("x" * 988)).num_tokens == 1024
    with pytest.raises(PromptTooLong) as caught:
        build_prompt(TEMPLATES["openalpaca"], Letters(), Instruction("x" * 1000))
    assert str(caught.value) == (
        "the prompt is 1,036 tokens long; the format openalpaca takes at most 1,024. "
        "Shorten the instruction or the input by about 12 tokens."
    )


def test_prompt_and_answer_must_fit_the_context() -> None:
    card = replace(Catalog.load().card("pocket-minotaur"), name="Tiny", context_length=100)
    prompt = build_prompt(PLAIN, Letters(), Instruction("x" * 60))
    check_fits(prompt, card, SamplingParams(max_new_tokens=40))
    with pytest.raises(PromptTooLong) as caught:
        check_fits(prompt, card, SamplingParams(max_new_tokens=41))
    assert str(caught.value) == (
        "Tiny reads at most 100 tokens, prompt and answer together: the prompt is 60, which leaves 40 of the 41 new "
        "tokens asked for. Shorten the text, set max_new_tokens to 40 or less, or choose another model."
    )


def test_prompt_that_fills_the_context_is_refused() -> None:
    card = replace(Catalog.load().card("pocket-minotaur"), name="Tiny", context_length=100)
    with pytest.raises(PromptTooLong, match=r"the prompt alone is 100\. Shorten the text, or choose a model"):
        check_fits(build_prompt(PLAIN, Letters(), Instruction("x" * 100)), card, SamplingParams())


@pytest.mark.parametrize(
    "changed",
    [
        {"stop_ids": (50_000,)},
        {"drop_ids": (1, 50_000)},
        {"without_input": (Segment(ids=(50_000,)),)},
        {"with_input": (Segment(ids=(50_000,)),)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_template_for_another_tokenizer_is_refused(changed: dict[str, Any]) -> None:
    check_tokenizer(TEMPLATES["openalpaca"], LLAMA)
    with pytest.raises(TokenizerError, match=r"template openalpaca: .* has no token 50000"):
        check_tokenizer(replace(TEMPLATES["openalpaca"], **changed), LLAMA)
