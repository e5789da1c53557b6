"""Find the folder of a card's files, what it says of the model, and whether it is named in an error.

Boundary: one card at a time; reads small files only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playground import errors
from playground.catalog.checkpoint_files import self_names
from playground.errors import InvalidTemplate, TokenizerError
from playground.hub import is_complete, snapshot_folder
from playground.messages import Message
from playground.prompting.self_names import introduced_names
from playground.prompting.special_tokens import CONFIG_FILE, read_object
from playground.prompting.templates import CHAT_ID
from playground.prompting.tokenization import SENTENCEPIECE_FILE, TOKENIZERS_FILE
from playground.records import ModelCard

REBUILT_BY_TRANSFORMERS = ("LlamaTokenizer", "LlamaTokenizerFast")
"""Classes whose `tokenizer.json` transformers 5 reads the vocabulary of, and makes the rest anew."""
AS_OF_ITS_FILE = Message(
    "{file} as of its file; transformers 5 rebuilds it and may give other ids", file=TOKENIZERS_FILE
)


def folder_here(card: ModelCard) -> Path | None:
    """Return the folder of the card's files; None for a hub repository that was never fetched."""
    return Path(card.repo) if Path(card.repo).is_absolute() else snapshot_folder(card.repo, card.revision)


def tokenizer_words(card: ModelCard) -> str:
    """Return the file that makes a model's prompts into ids, for people; empty if it is elsewhere or unreadable."""
    folder = folder_here(card) if card.feed == "ids" else None
    if folder is None:
        return ""
    is_chat = card.template == CHAT_ID
    files = (TOKENIZERS_FILE, SENTENCEPIECE_FILE) if is_chat else (SENTENCEPIECE_FILE, TOKENIZERS_FILE)
    found = next((name for name in files if (folder / name).is_file()), "")
    if found != TOKENIZERS_FILE:
        return found
    try:
        is_rebuilt = read_object(folder / CONFIG_FILE).get("tokenizer_class") in REBUILT_BY_TRANSFORMERS
    except TokenizerError:
        return found
    return AS_OF_ITS_FILE if is_rebuilt else found


def without_folders(words: str, card: ModelCard) -> str:
    """Return a message about a model for visitors: of each folder only its last name."""
    folder = folder_here(card)
    if folder is not None:  # names may have spaces, which the pattern does not match
        words = words.replace(str(folder), card.public_repo).replace(f"{folder.parent}/", "")
    return errors.without_folders(words)


def files_state(card: ModelCard) -> str:
    """Return ``here``, ``incomplete`` or ``missing`` for the model's files on this machine."""
    folder = folder_here(card)
    if folder is None or not folder.is_dir():
        return "missing"
    return "here" if is_complete(folder) else "incomplete"


def with_self_names(card: ModelCard, default_system: str) -> ModelCard:
    """Add the names in the system texts of the template and the checkpoint to the card's own."""
    folder = folder_here(card)
    told = (*introduced_names(default_system), *(self_names(folder) if folder is not None else ()))
    return replace(card, self_names=tuple(dict.fromkeys((*card.self_names, *told))))


def needed_folder(card: ModelCard) -> Path:
    """Return the folder of the card's files."""
    folder = folder_here(card)
    if folder is None:
        raise TokenizerError(
            Message(
                "{id}: {repo} is not on this machine; fetch it: python -m playground fetch {id}",
                id=card.id,
                repo=card.repo,
            )
        )
    return folder


@contextmanager
def named(card: ModelCard, folder: Path) -> Iterator[None]:
    """Name the model in errors about its files, and leave out where its folder is."""
    try:
        yield
    except (InvalidTemplate, TokenizerError) as problem:
        words = str(problem).replace(str(folder), card.public_repo)
        raise type(problem)(Message("{id}: {words}", id=card.id, words=words)) from problem
