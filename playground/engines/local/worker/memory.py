"""The one place where torch's ways of running out of memory become an `EngineError` in words.

Boundary: worker side; other failures pass through untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from playground.errors import EngineError

# The CPU allocator has no exception class of its own; these are the words of its RuntimeErrors, of the libraries on a
# GPU, and of the driver when there is no room to begin, or for page-locked memory.
_ALLOCATOR_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


class OutOfMemory(EngineError):
    """The model, or a row's cache, does not fit into memory."""


@contextmanager
def memory_errors(doing: str) -> Iterator[None]:
    """Turn running out of memory while `doing` something into `OutOfMemory`.

    Raises:
        OutOfMemory: naming what was being done.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory(f"out of memory while {doing}") from error
    except RuntimeError as error:
        if any(words in str(error) for words in _ALLOCATOR_WORDS):
            raise OutOfMemory(f"out of memory while {doing}") from error
        raise


def release() -> None:
    """Give cached blocks back to the device, so that the next row finds room after an `OutOfMemory`.

    Raises:
        RuntimeError: the device has failed for good.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
