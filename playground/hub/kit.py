"""Which files of a repository a model needs, and which of them a folder lacks.

Boundary: looks at names, and into the index that lists the weights; opens nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.model", "tokenizer.json")
SMALL_FILES = (
    CONFIG,
    *TOKENIZERS,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE*",
    "NOTICE*",
    "README.md",
)
"""Patterns of what goes with the weights; everything else in a repository (code, other formats) stays where it is."""
WEIGHTS = (
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
"""The forms that weights come in, best first; only one of them is taken."""


def is_complete(folder: Path) -> bool:
    """Whether `folder` has everything that a model needs, as far as names tell."""
    return not missing_files(folder)


def missing_files(folder: Path) -> tuple[str, ...]:
    """What `folder` lacks of a configuration, a tokenizer, and every weights file that its index names."""
    names = {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()
    return (*lacking(names), *sorted(_named_by_index(folder, _weights(names)) - names))


def needed(names: Collection[str]) -> tuple[str, ...]:
    """Those of a repository's files that the model needs, weights last."""
    small = {name for pattern in SMALL_FILES for name in _matching(names, pattern)}
    return (*sorted(small), *_weights(names))


def lacking(names: Collection[str]) -> tuple[str, ...]:
    """What a model needs and none of these files is."""
    return tuple(_lacking(names))


def _lacking(names: Collection[str]) -> Iterator[str]:
    if CONFIG not in names:
        yield CONFIG
    if not set(TOKENIZERS) & set(names):
        yield " or ".join(TOKENIZERS)
    if not _weights(names):
        yield "weights (safetensors or pytorch_model*.bin)"


def _weights(names: Collection[str]) -> tuple[str, ...]:
    """The weights files in the best form that is there; empty when there is none."""
    for form in WEIGHTS:
        matches = [_matching(names, pattern) for pattern in form]
        if all(matches):
            return tuple(name for match in matches for name in match)
    return ()


def _matching(names: Collection[str], pattern: str) -> list[str]:
    """Files in the top folder only: `*` would match a slash too."""
    return sorted(name for name in names if fnmatchcase(name, pattern) and "/" not in name)


def _named_by_index(folder: Path, weights: tuple[str, ...]) -> set[str]:
    indexes = [folder / name for name in weights if name.endswith(".index.json")]
    try:
        return {name for path in indexes for name in json.loads(path.read_bytes())["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {f"{indexes[0].name} that can be read"}
