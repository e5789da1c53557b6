"""From a card to a model that can be trusted to be the one on the card, or a `CheckpointError` that says why not.

transformers loads a checkpoint with missing keys by filling in random weights, and one with NaN weights without a word;
the gate here refuses both. Nothing is fetched, converted or executed from the checkpoint's folder.

Boundary: worker side; reads the card's folder, never the network.
"""

from __future__ import annotations

import importlib.util
import logging
import math
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
from playground.engines.local.worker.configuration import read_config
from playground.engines.local.worker.layers import assigned, pieces_of
from playground.engines.local.worker.memory import OutOfMemory, memory_errors
from playground.engines.local.worker.offload import weight, weights
from playground.engines.local.worker.refusals import checkpoint_errors
from playground.engines.local.worker.staging import Stage, staged_weights
from playground.engines.local.worker.vocabulary import needed_rows
from playground.engines.local.worker.weightfiles import weight_files
from playground.engines.protocol import EngineFacts
from playground.errors import CheckpointError
from playground.records import ModelCard

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

_KINDS = MODEL_FOR_CAUSAL_LM_MAPPING  # from configurations to models
_FOUR_BITS = "nf4"

log = logging.getLogger(__name__)

GATES = ("configuration", "files", "weights", "numbers", "vocabulary")
"""What a checkpoint has to pass, in order."""
Passed = Callable[[str], None]

WAITS = "cpu"
"""accelerate's name for where weights wait that another device computes with; one that computes is a `torch.device`."""
Places = Mapping[str, str | torch.device]
"""Of the pieces of a model by name."""
Read = Callable[..., Any]
"""Makes a model of options for ``from_pretrained``, and its loading info."""


def _nobody_listens(words: str) -> None:
    """Most who load a model only want to know whether it passed."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checked model in memory, ready for the decode loop."""

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
    passed: Passed = _nobody_listens,
    stage: Stage | None = None,
) -> LoadedModel:
    """Load the card's checkpoint and check it.

    Args:
        room: bytes for weights by device, as torch spells them. Several share the layers in this order, and ``cpu``
            after another keeps layers that are computed on that other one. Of none: the first GPU, or the CPU.
        passed: told what was found at each of `GATES`, in their order.
        stage: what the weights pass through, where they can; by default page-locked memory on their way to a GPU.

    Raises:
        CheckpointError: files that are missing, truncated, poisoned or of another shape.
        OutOfMemory: it does not fit.
    """
    begun = time.monotonic()
    torch.set_num_threads(threads)
    # on Hopper torch prefers cuDNN, which makes a plan for every length of keys: tens of milliseconds for each new one
    torch.backends.cuda.enable_cudnn_sdp(False)
    quiet()
    with memory_errors(f"loading {card.name}"):  # a full GPU has no room even to begin
        device = _device(next(iter(room), str(best_device())))
    folder = checkpoint_folder(card)
    config = read_config(card, folder)
    passed(f"{config.architectures[0] if config.architectures else card.architecture}, {config.model_type}")
    files = _check_weight_files(card, folder)
    passed(f"{len(files)} with {sum(file.stat().st_size for file in files) / 1e6:,.1f} MB: {files[0].suffix}")
    with memory_errors(f"loading {card.name}"):
        places = _places(card, config, room)
        stage = (stage or _stage(device)) if _can_be_staged(card, config) else None
        read = partial(_from_folder, folder) if stage is None else partial(_through, stage, files)
        model = _read_weights(card, read, config, device, places)
        num_parameters = sum(parameter.numel() for parameter in model.parameters())
        passed(f"{num_parameters / 1e6:,.1f} M parameters, none missing, none unexpected, all of the right shape")
        _check_finite(card, model)
        passed("all of them are finite")
    vocab_size = model.get_input_embeddings().weight.shape[0]
    needed = _check_vocabulary(card, folder, vocab_size)
    passed(f"the tokenizer needs {needed:,} rows, the embedding has {vocab_size:,}")
    model.eval()
    known = facts(card, folder, device, is_offloaded=WAITS in places.values())
    return LoadedModel(model, device, _context_length(card, config), vocab_size, known, time.monotonic() - begun)


def quiet() -> None:
    """No progress bars and no advice on standard error: the worker's words go over its channel."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("accelerate").setLevel(logging.ERROR)


def best_device() -> torch.device:
    """The first GPU when there is one, else the CPU."""
    return torch.device("cuda:0") if torch.cuda.is_available() else torch.device("cpu")


def facts(card: ModelCard, folder: Path, device: torch.device, is_offloaded: bool = False) -> EngineFacts:
    """What a generation records about where it was written; of a branch of the hub, the commit that it was."""
    name = str(device) if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
    name += ", layers in the CPU's memory" if is_offloaded else ""
    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }
    return EngineFacts(
        engine="local", device=name, dtype=_dtype_words(card), revision=_revision(card, folder), versions=versions
    )


def _dtype_words(card: ModelCard) -> str:
    form = f"{card.quantization} {_FOUR_BITS}" if card.quantization == "4bit" else card.quantization
    return f"{form} ({card.dtype})" if form else card.dtype


def _revision(card: ModelCard, folder: Path) -> str:
    """The hub's cache names a snapshot's folder after its commit."""
    return card.revision if Path(card.repo).is_absolute() else folder.name


def checkpoint_folder(card: ModelCard) -> Path:
    """Where the card's files are: its folder, or its snapshot in the local cache of the hub.

    Raises:
        CheckpointError: neither is there.
    """
    folder = Path(card.repo)
    if folder.is_absolute():  # a hub id is never a folder under the one that the playground was started in
        if not folder.is_dir():
            raise CheckpointError(f"{card.name}: there is no folder {card.repo}")
        return folder
    try:
        return Path(snapshot_download(card.repo, revision=card.revision, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        raise CheckpointError(
            f"{card.name}: {card.repo} is not on this machine; fetch it: python -m playground fetch {card.id}"
        ) from error


def _places(card: ModelCard, config: Any, room: Mapping[str, int]) -> Places:
    """Where each piece of a model goes that several devices share; nothing when there is one."""
    if len(room) < 2:
        return {}
    with checkpoint_errors(card), torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(deepcopy(config), trust_remote_code=False)
    try:
        placed = assigned(pieces_of(empty, bytes_per_weight(card)), room)
    except OutOfMemory as problem:
        raise OutOfMemory(f"{card.name}: {problem}") from problem
    return {name: WAITS if place == WAITS else _device(place) for name, place in placed.items()}


def _device(name: str) -> torch.device:
    """As the tensors on it call it."""
    return torch.empty(0, device=name).device


def _stage(device: torch.device) -> Stage | None:
    """Page-locked memory on the way to a GPU; without it weights come there all the same."""
    if device.type == "cpu":
        return None
    try:
        return Stage()
    except RuntimeError as problem:
        log.warning("there is no page-locked memory, weights will take longer: %s", problem)
        return None


def _can_be_staged(card: ModelCard, config: Any) -> bool:
    """Whether ``from_pretrained`` makes the same of weights as of their folder.

    It looks closer at what is quantized, and only with a folder it takes the text model out of one for pictures too.
    """
    if card.quantization or getattr(config, "quantization_config", None) or type(config) not in _KINDS:
        return False
    return getattr(_KINDS[type(config)], "config_class", None) is type(config)


def _read_weights(card: ModelCard, read: Read, config: Any, device: torch.device, places: Places) -> Any:
    if card.dtype not in DTYPES:
        raise CheckpointError(f"{card.name}: dtype is {card.dtype!r}; valid: {', '.join(DTYPES)}")
    with checkpoint_errors(card):
        model, info = read(
            config=config,
            dtype=DTYPES[card.dtype],
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they come back in the loading info, and are refused with their names
            **_placing(device, places),
            **_quantizing(card, device),
        )
    _check_keys(card, info)
    _check_tied(card, model)
    return model


def _from_folder(folder: Path, **options: Any) -> Any:
    """What ``from_pretrained`` makes of a checkpoint: the model and its loading info."""
    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False, **options)


def _through(stage: Stage, files: Sequence[Path], *, config: Any, **options: Any) -> Any:
    """The same; with weights given, ``from_pretrained`` refuses a folder, without which the class has to be named."""
    return _KINDS[type(config)].from_pretrained(None, config=config, state_dict=staged_weights(files, stage), **options)


def _placing(device: torch.device, places: Places) -> dict[str, Any]:
    """On GPUs accelerate places every tensor as it is read, so that the CPU never holds the whole model.

    Where devices share a model it leaves hooks behind: they take what is computed from one to the next, and fetch the
    weights that wait while they are needed.
    """
    if places:
        return {"device_map": dict(places)}
    return {} if device.type == "cpu" else {"device_map": {"": device}}


def _quantizing(card: ModelCard, device: torch.device) -> dict[str, Any]:
    if not card.quantization:
        return {}
    if device.type == "cpu":
        raise CheckpointError(f"{card.name}: quantization = {card.quantization!r} needs a GPU; leave it out on a CPU")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise CheckpointError(f"{card.name}: quantization needs bitsandbytes: pip install bitsandbytes")
    bits = {"load_in_8bit": True} if card.quantization == "8bit" else {"load_in_4bit": True}
    computed = {"bnb_4bit_compute_dtype": DTYPES[card.dtype], "bnb_4bit_quant_type": _FOUR_BITS}
    return {"quantization_config": BitsAndBytesConfig(**bits, **computed)}


def _check_weight_files(card: ModelCard, folder: Path) -> tuple[Path, ...]:
    try:
        return weight_files(folder, torch.__version__)
    except (CheckpointError, OSError) as problem:
        raise CheckpointError(f"{card.name}: {problem}; {_again(card, folder)}") from problem


def _again(card: ModelCard, folder: Path) -> str:
    """How to get sound files: what came from the hub is fetched, what lies in a folder of one's own is copied."""
    if Path(card.repo).is_absolute():
        return "copy the model's files there again"
    return f"fetch it again: python -m playground fetch {card.id}"


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


def _check_tied(card: ModelCard, model: Any) -> None:
    """Refuse two different matrices where config.json says that there is one: transformers of then and now differ."""
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if head is None or not model.config.tie_word_embeddings:
        return
    if head.weight is not embedding.weight and not torch.equal(weight(head), weight(embedding)):
        raise CheckpointError(
            f"{card.name}: config.json ties the output matrix to the embedding, and the weights hold two that differ; "
            "which of them is meant cannot be known"
        )


def _key_words(key: str | tuple[str, tuple[int, ...], tuple[int, ...]]) -> str:
    """A key of the loading info; of another shape, with what is in the file and what should be."""
    if isinstance(key, str):
        return key
    name, found, wanted = key
    return f"{name} ({'×'.join(map(str, found))}, not {'×'.join(map(str, wanted))})"


@torch.inference_mode()
def _check_finite(card: ModelCard, model: Any) -> None:
    for name, numbers in weights(model):
        low, high = torch.aminmax(numbers)  # NaN wins in both; no copy of the weights is made
        if not (math.isfinite(low) and math.isfinite(high)):
            raise CheckpointError(f"{card.name}: the weights {name} contain NaN or infinity")


def _check_vocabulary(card: ModelCard, folder: Path, vocab_size: int) -> int:
    """How many rows the tokenizer needs."""
    try:
        needed = needed_rows(folder)
    except CheckpointError as problem:
        raise CheckpointError(f"{card.name}: {problem}") from problem
    if needed > vocab_size:
        raise CheckpointError(
            f"{card.name}: the tokenizer makes {needed} different ids, the weights have {vocab_size} rows"
        )
    return needed


def _context_length(card: ModelCard, config: Any) -> int:
    """The shorter of what the card and the configuration say."""
    names = ("max_position_embeddings", "max_seq_len", "max_sequence_length")  # the last: the first Llama conversions
    limits = [getattr(config, name, None) for name in names]
    return min([card.context_length, *(limit for limit in limits if isinstance(limit, int))])
