"""How many embedding rows a checkpoint folder's tokenizer needs.

Boundary: worker side; reads tokenizer files, makes no ids (that is the web process' work).
"""

from __future__ import annotations

import json
from pathlib import Path

from sentencepiece import SentencePieceProcessor

from playground.engines.local.worker.weightfiles import instead_of_it
from playground.errors import CheckpointError


def needed_rows(folder: Path) -> int:
    """One more than the highest id; 0 when the folder has no tokenizer.

    A sentencepiece model counts alone: the ids are made with it, and what a ``tokenizer.json`` beside it adds is
    never fed to the model.

    Raises:
        CheckpointError: a tokenizer file that cannot be read.
    """
    pieces, fast = folder / "tokenizer.model", folder / "tokenizer.json"
    path = pieces if pieces.is_file() else fast
    if not path.is_file():
        return 0
    try:
        return _num_pieces(path) if path is pieces else _highest_id(path) + 1
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        words = instead_of_it(path) or f": {' '.join(str(error).split())[:200]}"
        raise CheckpointError(f"the tokenizer {path} cannot be read{words}") from error


def _num_pieces(path: Path) -> int:
    return int(SentencePieceProcessor(model_file=str(path)).get_piece_size())


def _highest_id(path: Path) -> int:
    data = json.loads(path.read_text(encoding="utf-8"))
    vocab = data["model"]["vocab"]
    # unigram tokenizers list pieces, the others map pieces to ids
    highest = max(vocab.values()) if isinstance(vocab, dict) else len(vocab) - 1
    return int(max([highest, *(token["id"] for token in data.get("added_tokens") or ())]))
