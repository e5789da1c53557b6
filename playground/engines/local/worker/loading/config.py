"""Read config.json as transformers expects it, and fix or refuse the variants that were common in 2023.

Boundary: reads one file and no weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from playground.engines.local.worker.errors import checkpoint_errors
from playground.engines.local.worker.loading.weight_files import found_instead
from playground.errors import CheckpointError
from playground.records import ModelCard

# Options of llm-foundry's MPT that transformers' MPT ignores without a warning, with the values that it implements.
_MPT_ATTENTION = {
    "alibi": (True,),
    "alibi_bias_max": (8,),
    "qk_ln": (False,),
    "prefix_lm": (False,),
    "rope": (False,),
    "attn_type": ("multihead_attention",),
}
_MPT = {
    "logit_scale": (None,),
    "norm_type": ("low_precision_layernorm", "layernorm"),
}
# Numbers in attn_config that transformers accepts in one type only: it refuses 0.0 for an int and 6 for a float.
_MPT_NUMBERS = {"attn_pdrop": int, "clip_qkv": float, "softmax_scale": float}


def read_config(card: ModelCard, folder: Path) -> Any:
    """Return the checkpoint's configuration, with the cache switched on.

    Raises:
        CheckpointError: config.json is missing, broken, of another architecture, or asks for something that
            transformers does not implement.
    """
    data = _read_json(card, folder / "config.json")
    kind = data.get("model_type")
    if kind not in CONFIG_MAPPING:
        raise CheckpointError(f"{card.name}: config.json says model_type {kind!r}, which transformers does not know")
    if kind == "mpt":
        _check_mpt(card, data)
    _check_architecture(card, data)
    with checkpoint_errors(card):
        config = CONFIG_MAPPING[kind].from_dict(data)
    config.use_cache = True  # some MPT checkpoints switch it off; every step would then process the whole text
    return config


def _read_json(card: ModelCard, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{card.name}: {path.name} is missing in {path.parent}") from error
    except OSError as error:
        raise CheckpointError(f"{card.name}: {path} cannot be read: {error}") from error
    except ValueError as error:
        raise CheckpointError(f"{card.name}: {path} cannot be read{found_instead(path) or f': {error}'}") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{card.name}: {path} is not a JSON object")
    return data


def _check_architecture(card: ModelCard, data: dict[str, Any]) -> None:
    """Refuse a checkpoint of another class than the card's. Case does not count: llm-foundry writes MPT in capitals."""
    found = [str(name) for name in data.get("architectures") or ()]
    if found and card.architecture.lower() not in (name.lower() for name in found):
        raise CheckpointError(f"{card.name}: the card says {card.architecture}, config.json says {', '.join(found)}")


def _check_mpt(card: ModelCard, data: dict[str, Any]) -> None:
    attention = data.get("attn_config") or {}
    for name, kind in _MPT_NUMBERS.items():
        if isinstance(attention.get(name), int | float):
            attention[name] = kind(attention[name])
    wrong = [*_unsupported(attention, _MPT_ATTENTION), *_unsupported(data, _MPT)]
    if wrong:
        raise CheckpointError(f"{card.name}: config.json has {', '.join(wrong)}, which transformers' MPT does not do")


def _unsupported(values: dict[str, Any], valid: dict[str, tuple[Any, ...]]) -> list[str]:
    return [f"{name} = {values[name]!r}" for name in valid if values.get(name, valid[name][0]) not in valid[name]]
