"""Every kind of tokenizer behaves the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import TokenizerError
from playground.prompting.tokenization import FastTokenizer, SentencePieceTokenizer, load_tokenizer
from tests.support.tokenizers import OURS, TOKENIZERS, neox


def test_split_character_is_held_back(fast: FastTokenizer, fallback: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast, fallback):
        stream, ids = tokenizer.stream(), tokenizer.encode("a🦁")
        pieces = [stream.feed(token_id) for token_id in ids]
        assert pieces[-1] == "🦁"
        assert "\ufffd" not in "".join(pieces)


def test_incomplete_character_becomes_a_replacement_character(fast: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast):
        assert tokenizer.decode(tokenizer.encode("a🦁")[:-1]).startswith("a\ufffd")


@pytest.mark.proves("a tokenizer error")
def test_dropped_ids_and_ids_outside_the_vocabulary_have_no_text(fast: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast):
        ids = tokenizer.encode("Hello world")
        assert tokenizer.decode((1, *ids, 2, 10**6, -1), drop=(1, 2)) == "Hello world"


def test_token_is_spelt_as_in_the_vocabulary(fast: FastTokenizer) -> None:
    assert [OURS["preview"].token(i) for i in (0, 1, 2)] == ["<unk>", "<s>", "</s>"]
    assert [fast.token(i) for i in (3, 4)] == ["<|endoftext|>", "[START_REF]"]
    for tokenizer in (OURS["preview"], fast):
        with pytest.raises(TokenizerError, match=r"has no token 99999, only .* the template is for another tokenizer"):
            tokenizer.token(99999)
        with pytest.raises(TokenizerError, match="has no token -1"):
            tokenizer.token(-1)


def test_sentencepiece_comes_before_tokenizers(tmp_path: Path) -> None:
    neox().save(str(tmp_path / "tokenizer.json"))
    assert isinstance(load_tokenizer(tmp_path), FastTokenizer)
    (tmp_path / "tokenizer.model").write_bytes((TOKENIZERS / "preview.model").read_bytes())
    assert isinstance(load_tokenizer(tmp_path), SentencePieceTokenizer)


def test_folder_without_tokenizer_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(
            TokenizerError, match=r"no tokenizer in .*: it has to hold tokenizer.model or tokenizer.json"
        ):
            load_tokenizer(folder)


@pytest.mark.parametrize("name", ["tokenizer.model", "tokenizer.json"])
@pytest.mark.parametrize("data", [b"", b"{}", b"[1, 2", b"\xff\xfe\x00garbage", b'{"model": null}'])
def test_broken_files_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TokenizerError, match=rf"{name} cannot be read as a tokenizer .*; fetch the model again"):
        load_tokenizer(tmp_path)
