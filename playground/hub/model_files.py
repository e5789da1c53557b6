"""The files of a repository that a model needs, and those that a folder lacks.

Boundary: reads names and the index of the weights; opens no other file.
"""

from __future__ import annotations

import json
from collections.abc import Collection
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
WEIGHTS = (
    ("model.safetensors",),
    ("model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin",),
    ("pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
"""The forms of weights, best first; only one of them is needed."""
PATTERNS = (*SMALL_FILES, *(pattern for form in WEIGHTS for pattern in form))
"""Every file that may be needed; never code."""


def is_complete(folder: Path) -> bool:
    """Return True if `folder` has a file of every name that a model needs."""
    return not missing_files(folder)


def missing_files(folder: Path) -> tuple[str, ...]:
    """Return what `folder` lacks of a configuration, a tokenizer, and the weights that its index names."""
    names = {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()
    return (*lacking(names), *sorted(_named_by_index(folder, best_weights(names)) - names))


def needed(names: Collection[str]) -> tuple[str, ...]:
    """Return those of a repository's files that a model needs, weights last."""
    small = {name for pattern in SMALL_FILES for name in _matching(names, pattern)}
    return (*sorted(small), *best_weights(names))


def lacking(names: Collection[str]) -> tuple[str, ...]:
    """Return what a model needs and none of these files is."""
    found = {
        CONFIG: CONFIG in names,
        " or ".join(TOKENIZERS): not set(TOKENIZERS).isdisjoint(names),
        "weights (safetensors or pytorch_model*.bin)": bool(best_weights(names)),
    }
    return tuple(name for name, is_there in found.items() if not is_there)


def best_weights(names: Collection[str]) -> tuple[str, ...]:
    """Return the weights files of the best form; empty if there are none."""
    for form in WEIGHTS:
        matches = [_matching(names, pattern) for pattern in form]
        if all(matches):
            return tuple(name for match in matches for name in match)
    return ()


def _matching(names: Collection[str], pattern: str) -> list[str]:
    """Return matches in the top folder; `*` alone would match a slash too."""
    return sorted(name for name in names if fnmatchcase(name, pattern) and "/" not in name)


def _named_by_index(folder: Path, weights: tuple[str, ...]) -> set[str]:
    indexes = [folder / name for name in weights if name.endswith(".index.json")]
    try:
        return {name for path in indexes for name in json.loads(path.read_bytes())["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {f"{indexes[0].name} that can be read"}
