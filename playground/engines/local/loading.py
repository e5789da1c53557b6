"""From a card to a model that can be trusted to be the one on the card, or a `CheckpointError` that says why not.

transformers loads a checkpoint with missing keys by filling in random weights, and one with NaN weights without a word;
the gate here refuses both. Nothing is fetched, converted or executed from the checkpoint's folder.

Boundary: worker side; reads the card's folder, never the network.
"""

from __future__ import annotations

import json
import math
import pickle
import platform
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from playground.engines.local.memory import memory_errors
from playground.engines.local.vocabulary import needed_rows
from playground.engines.protocol import EngineFacts
from playground.errors import CheckpointError
from playground.records import ModelCard

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

# What llm-foundry's MPT can be configured to do and transformers' own MPT silently does not.
_MPT_ONLY = {"alibi": True, "alibi_bias_max": 8, "qk_ln": False, "prefix_lm": False, "attn_type": "multihead_attention"}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checked model in memory, ready for the decode loop."""

    model: Any
    device: torch.device
    context_length: int  # tokens, prompt and answer together
    vocab_size: int  # rows of the embedding
    facts: EngineFacts
    load_s: float


def load(card: ModelCard, threads: int) -> LoadedModel:
    """Load the card's checkpoint and check it.

    Raises:
        CheckpointError: files that are missing, truncated, poisoned or of another shape.
        OutOfMemory: it does not fit.
    """
    begun = time.monotonic()
    torch.set_num_threads(threads)
    quiet()
    device = best_device()
    folder = checkpoint_folder(card)
    config = read_config(card, folder)
    with memory_errors(f"loading {card.name}"):
        model = _read_weights(card, folder, config, device)
        _check_finite(card, model)
    vocab_size = model.get_input_embeddings().weight.shape[0]
    _check_vocabulary(card, folder, vocab_size)
    model.eval()
    return LoadedModel(
        model, device, _context_length(card, config), vocab_size, facts(card, device), time.monotonic() - begun
    )


def quiet() -> None:
    """No progress bars and no advice on standard error: the worker's words go over its channel."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def best_device() -> torch.device:
    """The first GPU when there is one, else the CPU."""
    return torch.device("cuda:0") if torch.cuda.is_available() else torch.device("cpu")


def facts(card: ModelCard, device: torch.device) -> EngineFacts:
    """What a generation records about where it was written."""
    name = str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }
    return EngineFacts(engine="local", device=name, dtype=card.dtype, revision=card.revision, versions=versions)


def checkpoint_folder(card: ModelCard) -> Path:
    """Where the card's files are: its folder, or its snapshot in the local cache of the hub.

    Raises:
        CheckpointError: neither is there.
    """
    folder = Path(card.repo).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute():
        raise CheckpointError(f"{card.name}: there is no folder {card.repo}")
    try:
        return Path(snapshot_download(card.repo, revision=card.revision, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        raise CheckpointError(
            f"{card.name}: {card.repo} is not on this machine; download it and name its folder as the card's repo"
        ) from error


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
    with _checkpoint_errors(card):
        config = CONFIG_MAPPING[kind].from_dict(data)
    config.use_cache = True  # some MPT checkpoints switch it off, which makes every step as long as the whole text
    return config


def _read_json(card: ModelCard, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{card.name}: {path.name} is missing in {path.parent}") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{card.name}: {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{card.name}: {path} is not a JSON object")
    return data


def _check_architecture(card: ModelCard, data: dict[str, Any]) -> None:
    """Card and checkpoint name the same class; llm-foundry spells MPT in capitals."""
    said = [str(name) for name in data.get("architectures") or ()]
    if said and card.architecture.lower() not in (name.lower() for name in said):
        raise CheckpointError(f"{card.name}: the card says {card.architecture}, config.json says {', '.join(said)}")


def _check_mpt(card: ModelCard, data: dict[str, Any]) -> None:
    attention = data.get("attn_config") or {}
    if attention.get("attn_pdrop") is not None:  # 0.0 is refused by transformers, which declares an int
        attention["attn_pdrop"] = int(attention["attn_pdrop"])
    wrong = [f"{name} = {attention[name]!r}" for name, only in _MPT_ONLY.items() if attention.get(name, only) != only]
    if data.get("logit_scale") is not None:
        wrong.append(f"logit_scale = {data['logit_scale']!r}")
    if wrong:
        raise CheckpointError(f"{card.name}: config.json has {', '.join(wrong)}, which transformers' MPT does not do")


def _read_weights(card: ModelCard, folder: Path, config: Any, device: torch.device) -> Any:
    if card.dtype not in DTYPES:
        raise CheckpointError(f"{card.name}: dtype is {card.dtype!r}; valid: {', '.join(DTYPES)}")
    # On a GPU accelerate places every tensor as it is read, so that the CPU never holds the whole model.
    placing = {} if device.type == "cpu" else {"device_map": {"": device}}
    with _checkpoint_errors(card):
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=DTYPES[card.dtype],
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they come back in the loading info, and are refused with their names
            **placing,
        )
    _check_keys(card, info)
    return model


def _check_keys(card: ModelCard, info: dict[str, Any]) -> None:
    for kind, meaning in (
        ("missing_keys", "weights are missing (they would be random)"),
        ("unexpected_keys", "weights are not part of this architecture"),
        ("mismatched_keys", "weights have another shape"),
    ):
        names = sorted(_key_words(key) for key in info.get(kind) or ())
        if names:
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            raise CheckpointError(f"{card.name}: {len(names)} {meaning}: {shown}")
    if info.get("error_msgs"):
        raise CheckpointError(f"{card.name}: {info['error_msgs'][0]}")


def _key_words(key: str | tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    """A key of the loading info; of another shape, with what is in the file and what should be."""
    if isinstance(key, str):
        return key
    name, found, wanted = key
    return f"{name} ({'×'.join(map(str, found))}, not {'×'.join(map(str, wanted))})"


@torch.inference_mode()
def _check_finite(card: ModelCard, model: Any) -> None:
    for name, weights in model.named_parameters():
        low, high = torch.aminmax(weights)  # NaN wins in both; no copy of the weights is made
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CheckpointError(f"{card.name}: the weights {name} contain NaN or infinity")


def _check_vocabulary(card: ModelCard, folder: Path, vocab_size: int) -> None:
    needed = needed_rows(folder)
    if needed > vocab_size:
        raise CheckpointError(
            f"{card.name}: the tokenizer makes {needed} different ids, the weights have {vocab_size} rows"
        )


def _context_length(card: ModelCard, config: Any) -> int:
    """The shorter of what the card and the configuration say."""
    limits = [getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len")]
    return min([card.context_length, *(limit for limit in limits if isinstance(limit, int))])


@contextmanager
def _checkpoint_errors(card: ModelCard) -> Iterator[None]:
    """Everything that transformers, safetensors and torch raise about a checkpoint's files, in one place."""
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ImportError,
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise CheckpointError(f"{card.name}: the checkpoint cannot be read: {_first_lines(error)}") from error
    except RuntimeError as error:  # sizes that do not match, broken archives; memory is dealt with around this
        if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error):
            raise
        raise CheckpointError(f"{card.name}: the checkpoint cannot be loaded: {_first_lines(error)}") from error


def _first_lines(error: Exception, chars: int = 300) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= chars else words[:chars] + " …"
