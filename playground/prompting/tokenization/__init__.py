"""Exact token ids and their text, from a checkpoint's own tokenizer files, without transformers.

A visitor's text never becomes a special token: special ids are inserted by the template, or found in those parts of a
rendered chat that are the template's own.

Boundary: knows no prompts and no models. Imports `sentencepiece` and `tokenizers` when it reads the first such file.
"""

from __future__ import annotations

from pathlib import Path

from playground.errors import TokenizerError
from playground.prompting.special_tokens import Markers
from playground.prompting.tokenization.fast import FastChatTokenizer, FastTokenizer
from playground.prompting.tokenization.none import NoTokenizer
from playground.prompting.tokenization.pieces import SentencePieceChatTokenizer, SentencePieceTokenizer
from playground.prompting.tokenization.protocol import ChatTokenizer, TextStream, Tokenizer

__all__ = [
    "ChatTokenizer",
    "FastTokenizer",
    "NoTokenizer",
    "SentencePieceTokenizer",
    "TextStream",
    "Tokenizer",
    "load_chat_tokenizer",
    "load_tokenizer",
]

SENTENCEPIECE_FILE = "tokenizer.model"
TOKENIZERS_FILE = "tokenizer.json"


def load_chat_tokenizer(folder: Path, markers: Markers, template: str = "") -> ChatTokenizer:
    """Return the tokenizer for a checkpoint's own chat template: `tokenizer.json` first, then `tokenizer.model`.

    Args:
        template: the source of the chat template; added tokens in it are markers, also those that are not special.

    Raises:
        TokenizerError: neither file exists, or it cannot be read.
    """
    if (folder / TOKENIZERS_FILE).is_file():
        return FastChatTokenizer(folder / TOKENIZERS_FILE, markers.added, template)
    if (folder / SENTENCEPIECE_FILE).is_file():
        return SentencePieceChatTokenizer(folder / SENTENCEPIECE_FILE, markers.added, markers.legacy)
    raise _no_tokenizer(folder)


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer of a checkpoint's folder: `tokenizer.model` first, then `tokenizer.json`.

    Raises:
        TokenizerError: neither file exists, or it cannot be read.
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
