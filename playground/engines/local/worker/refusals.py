"""What transformers, safetensors and torch raise about a checkpoint's files, in our words.

Boundary: worker side; memory that runs out is `memory`'s.
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

from playground.errors import CheckpointError
from playground.records import ModelCard

_UNKNOWN_CODE = re.compile(r"GLOBAL (\S+)")


@contextmanager
def checkpoint_errors(card: ModelCard) -> Iterator[None]:
    """Turn everything that the libraries raise about a checkpoint's files into one kind of error.

    Raises:
        CheckpointError: naming the card.
    """
    try:
        yield
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{card.name}: {_pickle_words(error)}") from error
    except (
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
    ) as error:
        raise CheckpointError(f"{card.name}: the checkpoint cannot be read: {_first_lines(error)}") from error
    except RuntimeError as error:  # sizes that do not match, broken archives; memory is dealt with around this
        if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error):
            raise
        raise CheckpointError(f"{card.name}: the checkpoint cannot be loaded: {_first_lines(error)}") from error


def _pickle_words(error: pickle.UnpicklingError) -> str:
    """torch's own words advise to switch the protection off."""
    found = _UNKNOWN_CODE.search(str(error))
    if found is None:
        return "the .bin weights are damaged; get the model's files again"
    return f"the .bin weights ask for code to be run ({found[1]}), which is never done; take weights in safetensors"


def _first_lines(error: Exception, chars: int = 300) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= chars else words[:chars] + " …"
