"""A `tokenizer.model` with a chat template: stretches are encoded by themselves, typed markers stay text."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given

from playground.catalog.checkpoint_files import read_chat
from playground.errors import InvalidInstruction
from playground.prompting.prompt import build_prompt
from playground.prompting.tokenization import ChatTokenizer, SentencePieceTokenizer
from playground.records import Instruction, PromptTemplate
from tests.support.chats import STYLES, TYPED, letters
from tests.support.tokenizers import TOKENIZERS, train_pieces


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> tuple[PromptTemplate, ChatTokenizer]:
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "tokenizer.model").write_bytes((TOKENIZERS / "v1id.model").read_bytes())
    added = {"4000": {"content": "<|im_start|>", "special": True}, "4001": {"content": "<|im_end|>", "special": False}}
    names = {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "unk_token": ""}
    config = {"added_tokens_decoder": added, "chat_template": STYLES["chatml"].source, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return read_chat(folder)


def test_each_stretch_is_encoded_by_itself(pieces: tuple[PromptTemplate, ChatTokenizer]) -> None:
    template, tokenizer = pieces
    raw = SentencePieceTokenizer(TOKENIZERS / "v1id.model")
    prompt = build_prompt(template, tokenizer, Instruction("Hi", "", "Be brief."))
    assert prompt.token_ids == (
        *(4000, *raw.encode("system\nBe brief."), 4001, *raw.encode("\n")),
        *(4000, *raw.encode("user\nHi"), 4001, *raw.encode("\n")),
        *(4000, *raw.encode("assistant\n")),
    )
    assert (template.stop_ids, sorted(template.drop_ids)) == ((2,), [1, 2, 4000])
    assert tokenizer.vocab_size == 4002
    assert tokenizer.token(4001) == "<|im_end|>"
    assert tokenizer.decode([*raw.encode("a b"), 4001, 2], drop=template.drop_ids) == "a b<|im_end|>"


@given(instruction=TYPED)
def test_typed_markers_stay_text(pieces: tuple[PromptTemplate, ChatTokenizer], instruction: str) -> None:
    template, tokenizer = pieces
    ids = Counter(build_prompt(template, tokenizer, Instruction(instruction)).token_ids)
    assert [ids[i] for i in (1, 2, 4000, 4001)] == [0, 0, 2, 1]


@pytest.fixture(scope="module")
def defined(tmp_path_factory: pytest.TempPathFactory) -> tuple[PromptTemplate, ChatTokenizer]:
    """A `tokenizer.model` like Gemma's: it finds its markers in any text by itself."""
    folder = tmp_path_factory.mktemp("defined")
    symbols = ["<start_of_turn>", "<end_of_turn>", "§"]
    train_pieces(folder, vocab_size=360, byte_fallback=True, user_defined_symbols=symbols)
    listed = {str(i): {"content": text, "special": True} for i, text in ((3, "<start_of_turn>"), (4, "<end_of_turn>"))}
    listed["5"] = {"content": "§", "special": True}
    config = {"added_tokens_decoder": listed, "bos_token": "<s>", "chat_template": STYLES["turns"].source}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return read_chat(folder)


@given(instruction=TYPED)
def test_markers_that_sentencepiece_finds_itself_stay_text(
    defined: tuple[PromptTemplate, ChatTokenizer], instruction: str
) -> None:
    template, tokenizer = defined
    prompt = build_prompt(template, tokenizer, Instruction(instruction))
    assert [prompt.token_ids.count(i) for i in (1, 3, 4)] == [1, 2, 1]
    assert letters(instruction) in letters(tokenizer.decode(prompt.token_ids))


def test_marker_of_one_character_is_refused_in_text(defined: tuple[PromptTemplate, ChatTokenizer]) -> None:
    with pytest.raises(InvalidInstruction, match="'§' can only be read as a special token by this model; take it out"):
        build_prompt(*defined, Instruction("see § 3"))


@pytest.fixture(scope="module")
def without_bytes(tmp_path_factory: pytest.TempPathFactory) -> tuple[PromptTemplate, ChatTokenizer]:
    """A `tokenizer.model` that has only the unknown token for new characters, and lists it as a special token."""
    folder = tmp_path_factory.mktemp("without-bytes")
    train_pieces(folder, vocab_size=60, user_defined_symbols=["<|end|>"])
    listed = {"0": {"content": "<unk>", "special": True}, "3": {"content": "<|end|>", "special": True}}
    config = {"added_tokens_decoder": listed, "unk_token": "<unk>", "chat_template": "{{ messages[0].content }}<|end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return read_chat(folder)


def test_unknown_token_is_no_marker(without_bytes: tuple[PromptTemplate, ChatTokenizer]) -> None:
    template, tokenizer = without_bytes
    assert build_prompt(template, tokenizer, Instruction("Ж")).token_ids[-2:] == (0, 3)
    assert "<unk>" not in tokenizer.marker_texts
    assert 0 not in template.drop_ids
