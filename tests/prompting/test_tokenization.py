"""Token ids are those of the models' own code, and text that is read piece by piece is the text of the whole."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from playground.errors import InvalidInstruction, TokenizerError
from playground.prompting.tokenization import FastTokenizer, SentencePieceTokenizer, Tokenizer, load_tokenizer
from tests.support.paths import FIXTURES, ROOT

TOKENIZERS = FIXTURES / "openllama-tokenizers"
NAMES = ("preview", "v1nfkc", "v1id")
CASES = json.loads((TOKENIZERS / "text_ids.json").read_text())["cases"]
OURS = {name: SentencePieceTokenizer(TOKENIZERS / f"{name}.model") for name in NAMES}
THEIRS = {name: SentencePieceProcessor(model_file=str(TOKENIZERS / f"{name}.model")) for name in NAMES}
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
SENTENCES = [
    "What is an alpaca? How is it different from a llama?",
    "  two  spaces\n\nand lines\t",
    "羊驼 🦙 é",
    "[START_REF]",
]


def byte_level() -> Library:
    """A byte-level BPE like GPT-NeoX's: special tokens first, runs of spaces added that are not special."""
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<s>", "</s>", "[START_REF]"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    library.train_from_iterator(
        SENTENCES * 3, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    library.add_tokens([AddedToken("  ", normalized=True, special=False), AddedToken("é!", special=False)])
    return library


def byte_fallback() -> Library:
    """A BPE as fast Llama tokenizers are: spaces written ▁, unknown characters as bytes, one space off the front."""
    symbols = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefgh"]
    library = Library(models.BPE({s: i for i, s in enumerate(symbols)}, [], unk_token="<unk>", byte_fallback=True))
    library.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    library.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    library.add_special_tokens(["<unk>", "<s>", "</s>"])
    return library


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    path = tmp_path_factory.mktemp("byte-level") / "tokenizer.json"
    byte_level().save(str(path))
    return FastTokenizer(path)


@pytest.fixture(scope="module")
def fallback(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    path = tmp_path_factory.mktemp("byte-fallback") / "tokenizer.json"
    byte_fallback().save(str(path))
    return FastTokenizer(path)


def streamed(tokenizer: Tokenizer, ids: list[int]) -> str:
    stream = tokenizer.stream()
    return "".join([*(stream.feed(token_id) for token_id in ids), stream.finish()])


# Ids


@pytest.mark.parametrize("name", NAMES)
def test_all_reference_texts_have_the_reference_ids(name: str) -> None:
    assert len(CASES) == 200
    for case in CASES:
        assert list(OURS[name].encode(case["text"])) == case["ids"][name], case["text"]


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS)
def test_ids_are_those_of_sentencepiece(name: str, text: str) -> None:
    assert list(OURS[name].encode(text)) == THEIRS[name].encode(text)


@pytest.mark.parametrize("text", ["</s>", "<s>", "<unk>", "a</s>b", "<s></s>"])
@pytest.mark.parametrize("name", NAMES)
def test_markers_in_text_stay_text_for_sentencepiece(name: str, text: str) -> None:
    assert not {0, 1, 2} & set(OURS[name].encode(text))
    assert OURS[name].decode(OURS[name].encode(text)) == text


@pytest.mark.parametrize("text", ["<|endoftext|>", "</s>", "[START_REF]", "a[START_REF]b<s>"])
def test_markers_in_text_stay_text_for_tokenizers(fast: FastTokenizer, text: str) -> None:
    assert byte_level().encode(text, add_special_tokens=False).ids != list(fast.encode(text))
    assert not {0, 1, 2, 3} & set(fast.encode(text))
    assert fast.decode(fast.encode(text)) == text


def test_added_tokens_that_are_not_special_are_found_in_text(fast: FastTokenizer) -> None:
    spaces = byte_level().token_to_id("  ")
    assert spaces in fast.encode("a  b")
    assert fast.decode(fast.encode("a  b")) == "a  b"


@given(text=TEXTS)
def test_ids_are_those_of_tokenizers_when_there_is_no_marker(fast: FastTokenizer, text: str) -> None:
    assert list(fast.encode(text)) == byte_level_once().encode(text, add_special_tokens=False).ids


_LIBRARY: list[Library] = []


def byte_level_once() -> Library:
    if not _LIBRARY:
        _LIBRARY.append(byte_level())
    return _LIBRARY[0]


def test_truncation_and_padding_of_the_file_are_off(tmp_path: Path) -> None:
    library = byte_level()
    library.enable_truncation(3)
    library.enable_padding(length=500)
    library.save(str(tmp_path / "tokenizer.json"))
    text = "What is an alpaca? Something long."
    ids = load_tokenizer(tmp_path).encode(text)
    assert 3 < len(ids) < 500
    assert load_tokenizer(tmp_path).decode(ids) == text


@pytest.mark.parametrize("tokenizer", [*OURS.values()], ids=NAMES)
def test_a_lone_surrogate_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(InvalidInstruction, match="lone surrogate at character 1"):
        tokenizer.encode("a\ud800")


def test_a_lone_surrogate_is_refused_by_tokenizers_too(fast: FastTokenizer) -> None:
    with pytest.raises(InvalidInstruction, match="lone surrogate at character 0"):
        fast.encode("\udfff")


# Text


@pytest.mark.parametrize("name", NAMES)
@given(ids=st.lists(st.integers(0, 3999), max_size=30))
def test_any_ids_read_one_by_one_are_the_text_of_sentencepiece(name: str, ids: list[int]) -> None:
    assert streamed(OURS[name], ids) == OURS[name].decode(ids) == THEIRS[name].decode(ids)


BYTES_AND_SPACES = st.lists(
    st.one_of(st.integers(0, 260), st.sampled_from([THEIRS["v1id"].piece_to_id("▁"), 351, 3913, 3974])), max_size=20
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(ids=BYTES_AND_SPACES)
def test_bytes_control_pieces_and_spaces_read_as_in_sentencepiece(name: str, ids: list[int]) -> None:
    assert streamed(OURS[name], ids) == THEIRS[name].decode(ids)


@pytest.mark.parametrize(("dummy_prefix", "extra"), [(True, False), (False, False), (False, True)])
@given(ids=st.lists(st.integers(0, 339), max_size=12))
def test_the_leading_space_rule_is_the_models_own(
    spaced_models: dict[tuple[bool, bool], Path], dummy_prefix: bool, extra: bool, ids: list[int]
) -> None:
    path = spaced_models[dummy_prefix, extra]
    theirs = SentencePieceProcessor(model_file=str(path))
    ids = [token_id % theirs.get_piece_size() for token_id in ids]
    assert streamed(SentencePieceTokenizer(path), ids) == theirs.decode(ids)


@pytest.fixture(scope="module")
def spaced_models(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[bool, bool], Path]:
    from sentencepiece import SentencePieceTrainer

    folder = tmp_path_factory.mktemp("spaced")
    paths = {}
    for dummy_prefix, extra in [(True, False), (False, False), (False, True)]:
        paths[dummy_prefix, extra] = folder / f"{dummy_prefix}{extra}.model"
        SentencePieceTrainer.train(
            sentence_iterator=iter(SENTENCES * 5),
            model_prefix=str(paths[dummy_prefix, extra].with_suffix("")),
            vocab_size=340,
            model_type="bpe",
            byte_fallback=True,
            add_dummy_prefix=dummy_prefix,
            remove_extra_whitespaces=extra,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    return paths


@given(ids=st.lists(st.integers(0, 420), max_size=30))
def test_any_ids_read_one_by_one_are_the_text_of_tokenizers(fast: FastTokenizer, ids: list[int]) -> None:
    whole = byte_level_once().decode(ids, skip_special_tokens=False)
    assert streamed(fast, ids) == fast.decode(ids) == whole


@given(text=st.text(st.sampled_from("ab 🦙é羊\n"), max_size=30))
def test_text_of_byte_fallback_tokenizers_comes_back(fallback: FastTokenizer, text: str) -> None:
    assert streamed(fallback, list(fallback.encode(text))) == text


def test_a_split_character_is_held_back_until_it_is_whole(fast: FastTokenizer, fallback: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast, fallback):
        stream, llama = tokenizer.stream(), tokenizer.encode("a🦁")
        pieces = [stream.feed(token_id) for token_id in llama]
        assert pieces[-1] == "🦁"
        assert "\ufffd" not in "".join(pieces)


def test_a_character_that_stays_split_ends_as_a_replacement_character(fast: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast):
        assert tokenizer.decode(tokenizer.encode("a🦁")[:-1]).startswith("a\ufffd")


@pytest.mark.proves("a tokenizer error")
def test_dropped_ids_and_ids_outside_the_vocabulary_have_no_text(fast: FastTokenizer) -> None:
    for tokenizer in (OURS["v1id"], fast):
        ids = tokenizer.encode("Hello world")
        assert tokenizer.decode((1, *ids, 2, 10**6, -1), drop=(1, 2)) == "Hello world"


def test_special_tokens_are_text_unless_dropped_in_a_fast_tokenizer(fast: FastTokenizer) -> None:
    assert fast.decode([2, 3], drop=(2,)) == "[START_REF]"


def test_reading_takes_linear_time() -> None:
    for name in NAMES:
        stream, began = OURS[name].stream(), time.thread_time()
        for token_id in range(3, 60_000):
            stream.feed(token_id % 4000)
        assert time.thread_time() - began < 3


# Files


def test_tokens_are_spelt_for_people(fast: FastTokenizer) -> None:
    assert [OURS["preview"].token(i) for i in (0, 1, 2)] == ["<unk>", "<s>", "</s>"]
    assert fast.token(0) == "<|endoftext|>"
    for tokenizer in (OURS["preview"], fast):
        with pytest.raises(TokenizerError, match=r"has no token 99999, only .* the template is for another tokenizer"):
            tokenizer.token(99999)
        with pytest.raises(TokenizerError, match="has no token -1"):
            tokenizer.token(-1)


def test_the_size_counts_added_tokens(fast: FastTokenizer) -> None:
    assert OURS["preview"].vocab_size == 4000
    assert fast.vocab_size == byte_level_once().get_vocab_size(with_added_tokens=True)


def test_sentencepiece_is_taken_before_tokenizers(tmp_path: Path) -> None:
    byte_level().save(str(tmp_path / "tokenizer.json"))
    assert isinstance(load_tokenizer(tmp_path), FastTokenizer)
    (tmp_path / "tokenizer.model").write_bytes((TOKENIZERS / "preview.model").read_bytes())
    assert isinstance(load_tokenizer(tmp_path), SentencePieceTokenizer)


def test_a_folder_without_tokenizer_is_named(tmp_path: Path) -> None:
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


def test_a_truncated_sentencepiece_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((TOKENIZERS / "preview.model").read_bytes()[:50_000])
    with pytest.raises(TokenizerError, match=r"tokenizer.model cannot be read"):
        load_tokenizer(tmp_path)


def test_transformers_is_not_needed() -> None:
    import subprocess

    code = (
        "import sys; from pathlib import Path; from playground.prompting.tokenization import SentencePieceTokenizer;"
        "assert not {'sentencepiece', 'tokenizers'} & set(sys.modules);"
        f"SentencePieceTokenizer(Path({str(TOKENIZERS / 'preview.model')!r})).encode('a');"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
