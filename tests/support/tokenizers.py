"""Tokenizers that several tests read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Library

from playground.prompting.tokenization import SentencePieceTokenizer, Tokenizer
from tests.support.chats import CORPUS, byte_level
from tests.support.paths import FIXTURES

TOKENIZERS = FIXTURES / "openllama-tokenizers"
NAMES = ("preview", "v1nfkc", "v1id")
OURS = {name: SentencePieceTokenizer(TOKENIZERS / f"{name}.model") for name in NAMES}


@cache
def neox() -> Library:
    """Return a byte-level BPE like GPT-NeoX's; two of its added tokens are not special."""
    library = byte_level(("<|endoftext|>", "[START_REF]"))
    library.add_tokens([AddedToken("é!", special=False)])
    return library


def streamed(tokenizer: Tokenizer, ids: list[int]) -> str:
    stream = tokenizer.stream()
    return "".join([*(stream.feed(token_id) for token_id in ids), stream.finish()])


def train_pieces(folder: Path, **options: Any) -> Path:
    """Train a `tokenizer.model` in `folder`, which keeps its text as it is unless `options` say otherwise."""
    from sentencepiece import SentencePieceTrainer

    folder.mkdir(exist_ok=True)
    unchanged = {"add_dummy_prefix": False, "normalization_rule_name": "identity", "remove_extra_whitespaces": False}
    SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 5),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        hard_vocab_limit=False,
        minloglevel=2,
        **(unchanged | options),
    )
    return folder / "tokenizer.model"
