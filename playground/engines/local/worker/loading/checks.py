"""Check loaded weights: all there, finite, tied as config.json says, and with a row for every token id.

Boundary: reads weights and tokenizer files; loads nothing.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor

from playground.engines.local.worker.errors import one_line
from playground.engines.local.worker.loading.device_map import weight, weights
from playground.engines.local.worker.loading.weight_files import found_instead
from playground.errors import CheckpointError
from playground.records import ModelCard

_KEY_PROBLEMS = {
    "missing_keys": "weights are missing (they would be random)",
    "unexpected_keys": "weights are not part of this architecture",
    "mismatched_keys": "weights have another shape",
}


def check_keys(card: ModelCard, info: dict[str, Any]) -> None:
    """Refuse the checkpoint if transformers' loading info lists missing, unexpected or mismatched weights."""
    for kind, problem in _KEY_PROBLEMS.items():
        names = sorted(_describe_key(key) for key in info.get(kind) or ())
        if names:
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            raise CheckpointError(f"{card.name}: {len(names)} {problem}: {shown}")
    if info.get("error_msgs"):
        raise CheckpointError(f"{card.name}: {info['error_msgs'][0]}")


def _describe_key(key: str | tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    """Format a key of the loading info; a mismatched one comes with its shape in the file and in the model."""
    if isinstance(key, str):
        return key
    name, found, wanted = key
    return f"{name} ({'×'.join(map(str, found))}, not {'×'.join(map(str, wanted))})"


def check_tied(card: ModelCard, model: Any) -> None:
    """Refuse two different matrices where config.json ties them: transformers has changed which one it uses."""
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if head is None or not model.config.tie_word_embeddings:
        return
    if head.weight is not embedding.weight and not torch.equal(weight(head), weight(embedding)):
        raise CheckpointError(
            f"{card.name}: config.json ties the output matrix to the embedding, and the weights hold two that differ; "
            "which of them is meant cannot be known"
        )


@torch.inference_mode()
def check_finite(card: ModelCard, model: Any) -> None:
    """Refuse weights that contain NaN or infinity; transformers loads them without a warning."""
    for name, numbers in weights(model):
        low, high = torch.aminmax(numbers)  # NaN wins in both; the weights are not copied
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CheckpointError(f"{card.name}: the weights {name} contain NaN or infinity")


def check_vocabulary(card: ModelCard, folder: Path, vocab_size: int) -> int:
    """Return the number of embedding rows that the tokenizer needs; refuse more than `vocab_size`."""
    needed = _needed_rows(card, folder)
    if needed > vocab_size:
        raise CheckpointError(
            f"{card.name}: the tokenizer makes {needed} different ids, the weights have {vocab_size} rows"
        )
    return needed


def _needed_rows(card: ModelCard, folder: Path) -> int:
    """Return the highest token id plus one; 0 if the folder has no tokenizer.

    A ``tokenizer.json`` beside a sentencepiece model does not count: ids are made with the sentencepiece model only.
    """
    pieces, fast = folder / "tokenizer.model", folder / "tokenizer.json"
    path = pieces if pieces.is_file() else fast
    if not path.is_file():
        return 0
    try:
        if path is pieces:
            return int(SentencePieceProcessor(model_file=str(path)).get_piece_size())
        return _highest_id(path) + 1
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        reason = found_instead(path) or f": {one_line(error, 200)}"
        raise CheckpointError(f"{card.name}: the tokenizer {path} cannot be read{reason}") from error


def _highest_id(path: Path) -> int:
    data = json.loads(path.read_text(encoding="utf-8"))
    vocab = data["model"]["vocab"]
    # unigram tokenizers list pieces, the others map pieces to ids
    highest = max(vocab.values()) if isinstance(vocab, dict) else len(vocab) - 1
    return int(max([highest, *(token["id"] for token in data.get("added_tokens") or ())]))
