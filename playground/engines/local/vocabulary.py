"""How many embedding rows a checkpoint folder's tokenizer needs.

Boundary: worker side; reads tokenizer files, makes no ids (that is the web process' work).
"""

from __future__ import annotations

import json
from pathlib import Path

from sentencepiece import SentencePieceProcessor

from playground.errors import CheckpointError


def needed_rows(folder: Path) -> int:
    """One more than the highest id; 0 when the folder has no tokenizer.

    A sentencepiece model counts alone: the ids are made with it, and what a ``tokenizer.json`` beside it adds is
    never fed to the model.

    Raises:
        CheckpointError: a tokenizer file that cannot be read.
    """
    pieces, fast = folder / "tokenizer.model", folder / "tokenizer.json"
    try:
        if pieces.is_file():
            return int(SentencePieceProcessor(model_file=str(pieces)).get_piece_size())
        return _highest_id(fast) + 1 if fast.is_file() else 0
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        words = " ".join(str(error).split())[:200]
        raise CheckpointError(f"the tokenizer in {folder} cannot be read: {words}") from error


def _highest_id(path: Path) -> int:
    data = json.loads(path.read_text(encoding="utf-8"))
    vocab = data["model"]["vocab"]
    # unigram tokenizers list pieces, the others map pieces to ids
    highest = max(vocab.values()) if isinstance(vocab, dict) else len(vocab) - 1
    return int(max([highest, *(token["id"] for token in data.get("added_tokens") or ())]))
