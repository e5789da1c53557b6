"""Map errors of torch, transformers and safetensors to `OutOfMemory` and `CheckpointError`.

Boundary: every other error passes through unchanged.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from playground.errors import CheckpointError, EngineError
from playground.records import ModelCard

# The CPU allocator has no exception class of its own. These are the texts of its RuntimeErrors, of the CUDA libraries,
# and of the driver when even the first allocation (or one of page-locked memory) fails.
_ALLOCATOR_MESSAGES = (
    "can't allocate memory",
    "not enough memory",
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_UNKNOWN_CODE = re.compile(r"GLOBAL (\S+)")
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
    zipfile.BadZipFile,
)


MODEL_ERRORS = (RuntimeError, TypeError, ValueError, AttributeError, LookupError, NotImplementedError)
"""Errors that a model's own code raises."""


class OutOfMemory(EngineError):
    """The model, or the cache of a row, does not fit into memory."""


@contextmanager
def memory_errors(doing: str) -> Iterator[None]:
    """Raise `OutOfMemory`, which names `doing`, when an allocation fails."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(f"out of memory while {doing}") from error
    except RuntimeError as error:
        if any(message in str(error) for message in _ALLOCATOR_MESSAGES):
            raise OutOfMemory(f"out of memory while {doing}") from error
        raise


def release_memory() -> None:
    """Return cached blocks to the GPU, so that the next row finds memory after an `OutOfMemory`.

    Raises:
        RuntimeError: the device has failed for good.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


@contextmanager
def checkpoint_errors(card: ModelCard) -> Iterator[None]:
    """Raise `CheckpointError`, which names the card, when a library cannot read the checkpoint."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{card.name}: {_pickle_message(error)}") from error
    except _UNREADABLE as error:
        raise CheckpointError(f"{card.name}: the checkpoint cannot be read: {one_line(error, 300)}") from error
    except RuntimeError as error:  # other sizes, broken archives; `memory_errors` handles memory outside of this
        if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error):
            raise
        raise CheckpointError(f"{card.name}: the checkpoint cannot be loaded: {one_line(error, 300)}") from error


def _pickle_message(error: pickle.UnpicklingError) -> str:
    """Replace torch's message, which advises to switch the protection off."""
    found = _UNKNOWN_CODE.search(str(error))
    if found is None:
        return "the .bin weights are damaged; get the model's files again"
    return f"the .bin weights ask for code to be run ({found[1]}), which is never done; take weights in safetensors"


def one_line(error: Exception, chars: int) -> str:
    """Return the error's message on one line of at most `chars` characters, or its type if it has none."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if len(message) <= chars else message[:chars] + " …"
