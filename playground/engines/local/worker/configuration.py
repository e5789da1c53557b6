"""A checkpoint's config.json as transformers takes it, repaired where a habit of 2023 would break it.

Boundary: worker side; reads one file, and no weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from playground.engines.local.worker.refusals import checkpoint_errors
from playground.engines.local.worker.weightfiles import instead_of_it
from playground.errors import CheckpointError
from playground.records import ModelCard

# What llm-foundry's MPT can be configured to do and transformers' own MPT silently does not: the only valid values.
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
# Numbers of attn_config that transformers takes in one type only, whatever 2023 wrote: 0.0 is no int to it, 6 no float.
_MPT_NUMBERS = {"attn_pdrop": int, "clip_qkv": float, "softmax_scale": float}


def read_config(card: ModelCard, folder: Path) -> Any:
    """The checkpoint's configuration, repaired where a habit of 2023 would break it, with the cache switched on.

    Raises:
        CheckpointError: config.json is missing, broken, of another architecture or beyond what can be run faithfully.
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
    config.use_cache = True  # some MPT checkpoints switch it off, which makes every step as long as the whole text
    return config


def _read_json(card: ModelCard, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{card.name}: {path.name} is missing in {path.parent}") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{card.name}: {path} cannot be read{_why(path, error)}") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{card.name}: {path} is not a JSON object")
    return data


def _why(path: Path, error: Exception) -> str:
    return f": {error}" if isinstance(error, OSError) else instead_of_it(path) or f": {error}"


def _check_architecture(card: ModelCard, data: dict[str, Any]) -> None:
    """Card and checkpoint name the same class; llm-foundry spells MPT in capitals."""
    said = [str(name) for name in data.get("architectures") or ()]
    if said and card.architecture.lower() not in (name.lower() for name in said):
        raise CheckpointError(f"{card.name}: the card says {card.architecture}, config.json says {', '.join(said)}")


def _check_mpt(card: ModelCard, data: dict[str, Any]) -> None:
    attention = data.get("attn_config") or {}
    for name, kind in _MPT_NUMBERS.items():
        if isinstance(attention.get(name), int | float):
            attention[name] = kind(attention[name])
    wrong = [*_other_than(attention, _MPT_ATTENTION), *_other_than(data, _MPT)]
    if wrong:
        raise CheckpointError(f"{card.name}: config.json has {', '.join(wrong)}, which transformers' MPT does not do")


def _other_than(values: dict[str, Any], valid: dict[str, tuple[Any, ...]]) -> list[str]:
    return [f"{name} = {values[name]!r}" for name in valid if values.get(name, valid[name][0]) not in valid[name]]
