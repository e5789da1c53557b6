"""Ids and text equal those of the `tokenizers` library; markers in text stay text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidInstruction
from playground.prompting.tokenization import FastTokenizer, load_tokenizer
from tests.support.tokenizers import neox, streamed

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@pytest.mark.parametrize("text", ["<|endoftext|>", "</s>", "[START_REF]", "a[START_REF]b<s>"])
def test_markers_in_text_stay_text(fast: FastTokenizer, text: str) -> None:
    assert neox().encode(text, add_special_tokens=False).ids != list(fast.encode(text))
    assert not {0, 1, 2, 3, 4} & set(fast.encode(text))
    assert fast.decode(fast.encode(text)) == text


def test_added_tokens_that_are_not_special_are_found_in_text(fast: FastTokenizer) -> None:
    spaces = neox().token_to_id("  ")
    assert spaces in fast.encode("a  b")
    assert fast.decode(fast.encode("a  b")) == "a  b"


@given(text=TEXTS)
def test_ids_equal_those_of_tokenizers(fast: FastTokenizer, text: str) -> None:
    assert list(fast.encode(text)) == neox().encode(text, add_special_tokens=False).ids


def test_truncation_and_padding_of_the_file_are_ignored(tmp_path: Path) -> None:
    library = neox()
    library.enable_truncation(3)
    library.enable_padding(length=500)
    library.save(str(tmp_path / "tokenizer.json"))
    text = "What is an alpaca? Something long."
    ids = load_tokenizer(tmp_path).encode(text)
    assert 3 < len(ids) < 500
    assert load_tokenizer(tmp_path).decode(ids) == text


def test_lone_surrogate_is_refused(fast: FastTokenizer) -> None:
    with pytest.raises(InvalidInstruction, match="lone surrogate at character 0"):
        fast.encode("\udfff")


@given(ids=st.lists(st.integers(0, 420), max_size=30))
def test_streamed_text_equals_that_of_tokenizers(fast: FastTokenizer, ids: list[int]) -> None:
    whole = neox().decode(ids, skip_special_tokens=False)
    assert streamed(fast, ids) == fast.decode(ids) == whole


@given(text=st.text(st.sampled_from("ab 🦙é羊\n"), max_size=30))
def test_byte_fallback_text_round_trips(fallback: FastTokenizer, text: str) -> None:
    assert streamed(fallback, list(fallback.encode(text))) == text


def test_special_tokens_are_text_unless_dropped(fast: FastTokenizer) -> None:
    assert fast.decode([2, 4], drop=(2,)) == "[START_REF]"


def test_vocab_size_counts_added_tokens(fast: FastTokenizer) -> None:
    assert fast.vocab_size == neox().get_vocab_size(with_added_tokens=True)
