"""Load the checkpoint that a card names, and refuse it unless it is complete and of that architecture.

transformers fills missing weights with random numbers and loads NaN without a warning; `checks` refuses both. Nothing
in the checkpoint's folder is executed or converted.

Boundary: reads the card's folder, never the network.
"""

from __future__ import annotations

import importlib.util
import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM, BitsAndBytesConfig

from playground.engines.local.placement import bytes_per_weight
from playground.engines.local.worker.errors import OutOfMemory, checkpoint_errors, memory_errors
from playground.engines.local.worker.loading.checks import check_finite, check_keys, check_tied, check_vocabulary
from playground.engines.local.worker.loading.config import read_config
from playground.engines.local.worker.loading.device_map import device_map, pieces_of
from playground.engines.local.worker.loading.pinned_memory import CopyBuffers, buffered_weights
from playground.engines.local.worker.loading.weight_files import weight_files
from playground.engines.protocol import EngineFacts
from playground.errors import CheckpointError
from playground.records import ModelCard

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

CHECKS = ("configuration", "files", "weights", "numbers", "vocabulary")
"""The checks of `load`, in order."""
OnCheck = Callable[[str], None]
"""Called with a summary of the findings after each of `CHECKS`."""

_CLASSES = MODEL_FOR_CAUSAL_LM_MAPPING  # configuration class -> model class
_FOUR_BITS = "nf4"
_OFFLOADED = "cpu"
"""accelerate's name for offloaded weights; where they are computed with is a `torch.device`."""

log = logging.getLogger(__name__)

DeviceMap = Mapping[str, str | torch.device]
"""Name of a piece of the model -> its device, or `_OFFLOADED`."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checked model in memory."""

    model: Any
    device: torch.device
    context_length: int  # tokens, prompt and answer together
    vocab_size: int  # rows of the embedding
    facts: EngineFacts
    load_s: float


def load(
    card: ModelCard,
    threads: int,
    room: Mapping[str, int] = MappingProxyType({}),
    on_check: OnCheck = lambda summary: None,
    buffers: CopyBuffers | None = None,
) -> LoadedModel:
    """Load the card's checkpoint and check it; raises `CheckpointError` or `OutOfMemory`.

    Args:
        room: bytes for weights by device, as torch spells them. Several devices share the layers in this order; ``cpu``
            after another device holds offloaded layers. Empty: the first GPU, or the CPU.
        buffers: copy the weights through these, if the model allows; by default page-locked ones if there is a GPU.
    """
    started_at = time.monotonic()
    _configure_libraries(threads)
    with memory_errors(f"loading {card.name}"):  # even the first byte may not fit on a full GPU
        device = _device(next(iter(room), str(best_device())))
    folder = checkpoint_folder(card)
    config = read_config(card, folder)
    on_check(f"{config.architectures[0] if config.architectures else card.architecture}, {config.model_type}")
    files = _find_weight_files(card, folder)
    on_check(f"{len(files)} with {sum(file.stat().st_size for file in files) / 1e6:,.1f} MB: {files[0].suffix}")
    with memory_errors(f"loading {card.name}"):
        devices = _device_map(card, config, room)
        read = partial(_read_folder, folder)
        if _allows_buffers(card, config) and (buffers := buffers or _page_locked_buffers(device)):
            read = partial(_read_buffered, buffers, files)
        model = _read_weights(card, read, config, device, devices)
        num_parameters = sum(parameter.numel() for parameter in model.parameters())
        on_check(f"{num_parameters / 1e6:,.1f} M parameters, none missing, none unexpected, all of the right shape")
        check_finite(card, model)
        on_check("all of them are finite")
    vocab_size = model.get_input_embeddings().weight.shape[0]
    needed = check_vocabulary(card, folder, vocab_size)
    on_check(f"the tokenizer needs {needed:,} rows, the embedding has {vocab_size:,}")
    model.eval()
    known = facts(card, folder, device, is_offloaded=_OFFLOADED in devices.values())
    return LoadedModel(model, device, _context_length(card, config), vocab_size, known, time.monotonic() - started_at)


def _configure_libraries(threads: int) -> None:
    torch.set_num_threads(threads)
    # on Hopper torch prefers cuDNN, which plans anew for every number of keys: tens of milliseconds each time
    torch.backends.cuda.enable_cudnn_sdp(False)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("accelerate").setLevel(logging.ERROR)


def best_device() -> torch.device:
    """Return the first GPU, or the CPU."""
    return torch.device("cuda:0") if torch.cuda.is_available() else torch.device("cpu")


def facts(card: ModelCard, folder: Path, device: torch.device, is_offloaded: bool = False) -> EngineFacts:
    """Return the provenance that generations record; the revision of a hub branch is its commit."""
    name = str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }
    return EngineFacts(
        engine="local",
        device=f"{name}, layers in the CPU's memory" if is_offloaded else name,
        dtype=_describe_dtype(card),
        # the hub's cache names the folder of a snapshot after its commit
        revision=card.revision if Path(card.repo).is_absolute() else folder.name,
        versions=versions,
    )


def _describe_dtype(card: ModelCard) -> str:
    form = f"{card.quantization} {_FOUR_BITS}" if card.quantization == "4bit" else card.quantization
    return f"{form} ({card.dtype})" if form else card.dtype


def checkpoint_folder(card: ModelCard) -> Path:
    """Return the card's own folder, or its snapshot in the local cache of the hub.

    Raises:
        CheckpointError: there is no such folder.
    """
    folder = Path(card.repo)
    if folder.is_absolute():  # a hub id never means a folder of the working directory
        if not folder.is_dir():
            raise CheckpointError(f"{card.name}: there is no folder {card.repo}")
        return folder
    try:
        return Path(snapshot_download(card.repo, revision=card.revision, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        raise CheckpointError(
            f"{card.name}: {card.repo} is not on this machine; fetch it: python -m playground fetch {card.id}"
        ) from error


def _find_weight_files(card: ModelCard, folder: Path) -> tuple[Path, ...]:
    try:
        return weight_files(folder, torch.__version__)
    except (CheckpointError, OSError) as error:
        is_local = Path(card.repo).is_absolute()
        fetch = f"fetch it again: python -m playground fetch {card.id}"
        advice = "copy the model's files there again" if is_local else fetch
        raise CheckpointError(f"{card.name}: {error}; {advice}") from error


def _device_map(card: ModelCard, config: Any, room: Mapping[str, int]) -> DeviceMap:
    """Return the device of each piece; empty if there is one device."""
    if len(room) < 2:
        return {}
    with checkpoint_errors(card), torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(deepcopy(config), trust_remote_code=False)
    try:
        devices = device_map(pieces_of(empty, bytes_per_weight(card)), room)
    except OutOfMemory as error:
        raise OutOfMemory(f"{card.name}: {error}") from error
    return {name: _OFFLOADED if device == _OFFLOADED else _device(device) for name, device in devices.items()}


def _device(name: str) -> torch.device:
    """Return the device as its tensors name it, with an index."""
    return torch.empty(0, device=name).device


def _page_locked_buffers(device: torch.device) -> CopyBuffers | None:
    """Allocate buffers for a GPU; loading works without them, more slowly."""
    if device.type == "cpu":
        return None
    try:
        return CopyBuffers()
    except RuntimeError as error:
        log.warning("no page-locked memory; loading will take longer: %s", error)
        return None


def _allows_buffers(card: ModelCard, config: Any) -> bool:
    """Return True if ``from_pretrained`` treats given weights as it treats their folder.

    It does not for quantized weights, nor for models with images, whose text part it takes only from a folder.
    """
    if card.quantization or getattr(config, "quantization_config", None) or type(config) not in _CLASSES:
        return False
    return getattr(_CLASSES[type(config)], "config_class", None) is type(config)


def _read_weights(
    card: ModelCard, read: Callable[..., Any], config: Any, device: torch.device, devices: DeviceMap
) -> Any:
    if card.dtype not in DTYPES:
        raise CheckpointError(f"{card.name}: dtype is {card.dtype!r}; valid: {', '.join(DTYPES)}")
    with checkpoint_errors(card):
        model, info = read(
            config=config,
            dtype=DTYPES[card.dtype],
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported in the loading info, and refused with their names
            **_device_options(device, devices),
            **_quantization_options(card, device),
        )
    check_keys(card, info)
    check_tied(card, model)
    return model


def _read_folder(folder: Path, **options: Any) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False, **options)


def _read_buffered(buffers: CopyBuffers, files: Sequence[Path], *, config: Any, **options: Any) -> Any:
    """Read through `buffers`: given weights, ``from_pretrained`` accepts no folder and needs the model's class."""
    weights = buffered_weights(files, buffers)
    return _CLASSES[type(config)].from_pretrained(None, config=config, state_dict=weights, **options)


def _device_options(device: torch.device, devices: DeviceMap) -> dict[str, Any]:
    """Return options with which accelerate puts every tensor on its GPU as it is read.

    The CPU then never holds the whole model. Where devices share a model, accelerate adds hooks that move activations
    from one device to the next and copy offloaded weights while they are needed.
    """
    if devices:
        return {"device_map": dict(devices)}
    return {} if device.type == "cpu" else {"device_map": {"": device}}


def _quantization_options(card: ModelCard, device: torch.device) -> dict[str, Any]:
    if not card.quantization:
        return {}
    if device.type == "cpu":
        raise CheckpointError(f"{card.name}: quantization = {card.quantization!r} needs a GPU; leave it out on a CPU")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise CheckpointError(f"{card.name}: quantization needs bitsandbytes: pip install bitsandbytes")
    bits = {"load_in_8bit": True} if card.quantization == "8bit" else {"load_in_4bit": True}
    computed = {"bnb_4bit_compute_dtype": DTYPES[card.dtype], "bnb_4bit_quant_type": _FOUR_BITS}
    return {"quantization_config": BitsAndBytesConfig(**bits, **computed)}


def _context_length(card: ModelCard, config: Any) -> int:
    """Return the shorter one of the card's and the configuration's context."""
    names = ("max_position_embeddings", "max_seq_len", "max_sequence_length")  # the last: the first Llama conversions
    limits = [getattr(config, name, None) for name in names]
    return min([card.context_length, *(limit for limit in limits if isinstance(limit, int))])
