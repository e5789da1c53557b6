"""Exact token ids and their text, from a checkpoint's own tokenizer files, without transformers.

Boundary: knows nothing of prompts or models. What a visitor typed never becomes a special token here: special ids are
put in by whoever makes the prompt, or stand in the parts of a rendered chat that are the template's own.
`sentencepiece` and `tokenizers` are imported when the first file of their kind is read.
"""

from __future__ import annotations

from pathlib import Path

from playground.errors import TokenizerError
from playground.prompting.special_tokens import Markers
from playground.prompting.tokenization.fast import FastChatTokenizer, FastTokenizer
from playground.prompting.tokenization.pieces import SentencePieceChatTokenizer, SentencePieceTokenizer
from playground.prompting.tokenization.protocol import ChatTokenizer, TextStream, Tokenizer

__all__ = [
    "ChatTokenizer",
    "FastTokenizer",
    "SentencePieceTokenizer",
    "TextStream",
    "Tokenizer",
    "load_chat_tokenizer",
    "load_tokenizer",
]

SENTENCEPIECE_FILE = "tokenizer.model"
TOKENIZERS_FILE = "tokenizer.json"


def load_chat_tokenizer(folder: Path, markers: Markers, template: str = "") -> ChatTokenizer:
    """The tokenizer that a checkpoint's own chat template is made for: `tokenizer.json` if it is there.

    Args:
        template: the source of the chat template; added tokens in it are its own, also those that are not special.

    Raises:
        TokenizerError: neither file is there, or the one that is cannot be read.
    """
    if (folder / TOKENIZERS_FILE).is_file():
        return FastChatTokenizer(folder / TOKENIZERS_FILE, markers.added, template)
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceChatTokenizer(folder / SENTENCEPIECE_FILE, markers.added)
    raise _no_tokenizer(folder)


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint's folder: `tokenizer.model` if it is there, else `tokenizer.json`.

    Raises:
        TokenizerError: neither file is there, or the one that is cannot be read.
    """
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceTokenizer(folder / SENTENCEPIECE_FILE)
    if (folder / TOKENIZERS_FILE).is_file():
        return FastTokenizer(folder / TOKENIZERS_FILE)
    raise _no_tokenizer(folder)


def _no_tokenizer(folder: Path) -> TokenizerError:
    return TokenizerError(
        f"no tokenizer in {folder}: it has to hold {SENTENCEPIECE_FILE} or {TOKENIZERS_FILE}; "
        "fetch the model again, or correct the card's repo"
    )
