from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer as Library

from playground.prompting.tokenization import FastTokenizer
from tests.support.chats import byte_fallback
from tests.support.tokenizers import neox


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    return saved(neox(), tmp_path_factory.mktemp("byte-level"))


@pytest.fixture(scope="module")
def fallback(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    return saved(byte_fallback((), first_only=False), tmp_path_factory.mktemp("byte-fallback"))


def saved(library: Library, folder: Path) -> FastTokenizer:
    library.save(str(folder / "tokenizer.json"))
    return FastTokenizer(folder / "tokenizer.json")
