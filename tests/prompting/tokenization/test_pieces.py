"""Ids and text equal those of sentencepiece; markers in text stay text."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from playground.errors import InvalidInstruction, TokenizerError
from playground.prompting.tokenization import SentencePieceTokenizer, Tokenizer, load_tokenizer
from tests.support.paths import ROOT
from tests.support.tokenizers import NAMES, OURS, TOKENIZERS, streamed, train_pieces

CASES = json.loads((TOKENIZERS / "text_ids.json").read_text())["cases"]
THEIRS = {name: SentencePieceProcessor(model_file=str(TOKENIZERS / f"{name}.model")) for name in NAMES}
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@pytest.mark.parametrize("name", NAMES)
def test_reference_texts_have_the_reference_ids(name: str) -> None:
    assert (len(CASES), OURS[name].vocab_size) == (200, 4000)
    for case in CASES:
        assert list(OURS[name].encode(case["text"])) == case["ids"][name], case["text"]


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS)
def test_ids_equal_those_of_sentencepiece(name: str, text: str) -> None:
    assert list(OURS[name].encode(text)) == THEIRS[name].encode(text)


@pytest.mark.parametrize("text", ["</s>", "<s>", "<unk>", "a</s>b", "<s></s>"])
@pytest.mark.parametrize("name", NAMES)
def test_markers_in_text_stay_text(name: str, text: str) -> None:
    assert not {0, 1, 2} & set(OURS[name].encode(text))
    assert OURS[name].decode(OURS[name].encode(text)) == text


@pytest.mark.parametrize("tokenizer", [*OURS.values()], ids=NAMES)
def test_lone_surrogate_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(InvalidInstruction, match="lone surrogate at character 1"):
        tokenizer.encode("a\ud800")


@pytest.mark.parametrize("name", NAMES)
@given(ids=st.lists(st.integers(0, 3999), max_size=30))
def test_streamed_text_equals_that_of_sentencepiece(name: str, ids: list[int]) -> None:
    assert streamed(OURS[name], ids) == OURS[name].decode(ids) == THEIRS[name].decode(ids)


BYTES_AND_SPACES = st.lists(
    st.one_of(st.integers(0, 260), st.sampled_from([THEIRS["v1id"].piece_to_id("▁"), 351, 3913, 3974])), max_size=20
)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(ids=BYTES_AND_SPACES)
def test_bytes_control_pieces_and_spaces_are_decoded_as_in_sentencepiece(name: str, ids: list[int]) -> None:
    assert streamed(OURS[name], ids) == THEIRS[name].decode(ids)


@pytest.mark.parametrize(("dummy_prefix", "extra"), [(True, False), (False, False), (False, True)])
@given(ids=st.lists(st.integers(0, 339), max_size=12))
def test_leading_space_follows_the_model(
    spaced_models: dict[tuple[bool, bool], Path], dummy_prefix: bool, extra: bool, ids: list[int]
) -> None:
    path = spaced_models[dummy_prefix, extra]
    theirs = SentencePieceProcessor(model_file=str(path))
    ids = [token_id % theirs.get_piece_size() for token_id in ids]
    assert streamed(SentencePieceTokenizer(path), ids) == theirs.decode(ids)


@pytest.fixture(scope="module")
def spaced_models(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[bool, bool], Path]:
    home = tmp_path_factory.mktemp("spaced")
    paths = {}
    for prefix, extra in [(True, False), (False, False), (False, True)]:
        folder = home / f"{prefix}{extra}"
        options = {"add_dummy_prefix": prefix, "remove_extra_whitespaces": extra, "normalization_rule_name": "nmt_nfkc"}
        paths[prefix, extra] = train_pieces(folder, vocab_size=340, byte_fallback=True, **options)
    return paths


def test_decoding_takes_linear_time() -> None:
    for name in NAMES:
        stream, began = OURS[name].stream(), time.thread_time()
        for token_id in range(3, 60_000):
            stream.feed(token_id % 4000)
        assert time.thread_time() - began < 3


def test_truncated_sentencepiece_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((TOKENIZERS / "preview.model").read_bytes()[:50_000])
    with pytest.raises(TokenizerError, match=r"tokenizer\.model cannot be read"):
        load_tokenizer(tmp_path)


def test_encoding_imports_no_model_library() -> None:
    code = (
        "import sys; from pathlib import Path; from playground.prompting.tokenization import SentencePieceTokenizer;"
        "assert not {'sentencepiece', 'tokenizers'} & set(sys.modules);"
        f"SentencePieceTokenizer(Path({str(TOKENIZERS / 'preview.model')!r})).encode('a');"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
