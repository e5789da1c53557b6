"""Tokenizers and chat templates that were read from models' files, each once.

Boundary: keeps them for the life of the catalog; the files of a folder are read by `tokenization` and `chat_template`.
"""

from __future__ import annotations

from pathlib import Path
from threading import RLock

from playground.catalog.checkpoint_files import read_chat
from playground.catalog.model_folders import named, needed_folder
from playground.prompting.prompt import check_tokenizer
from playground.prompting.tokenization import Tokenizer, load_tokenizer
from playground.records import ModelCard, PromptTemplate, Variables


class ReadFiles:
    """The tokenizers of models by folder, and their chat templates; thread-safe."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._tokenizers: dict[Path, Tokenizer] = {}
        self._checked: set[tuple[Path, str]] = set()  # folder and template
        self._chats: dict[tuple[Path, Variables], tuple[PromptTemplate, Tokenizer]] = {}

    def tokenizer(self, card: ModelCard, template: PromptTemplate) -> Tokenizer:
        """Return the tokenizer of a model's folder, which has the special ids of the template.

        Raises:
            TokenizerError: its files are missing or broken, or it lacks one of these ids.
        """
        folder = needed_folder(card)
        with self._lock, named(card, folder):
            if folder not in self._tokenizers:
                self._tokenizers[folder] = load_tokenizer(folder)
            if (folder, template.id) not in self._checked:
                check_tokenizer(template, self._tokenizers[folder])
                self._checked.add((folder, template.id))
            return self._tokenizers[folder]

    def chat(self, card: ModelCard) -> tuple[PromptTemplate, Tokenizer]:
        """Return the model's own chat template and the tokenizer for it.

        Raises:
            TokenizerError: its files are missing or broken.
            InvalidTemplate: it has no chat template, or one that cannot be used.
        """
        folder, switches = needed_folder(card), tuple(sorted(card.chat_template_kwargs.items()))
        with self._lock, named(card, folder):
            if (folder, switches) not in self._chats:
                self._chats[folder, switches] = read_chat(folder, switches)
            return self._chats[folder, switches]
