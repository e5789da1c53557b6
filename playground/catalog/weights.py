"""Look at a model's weights without loading them: their size, and whether their files are whole.

Boundary: reads directories, indexes, the headers of safetensors files and the ends of archives.
"""

from __future__ import annotations

import json
import math
import operator
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.errors import InvalidCard, TokenizerError
from playground.hub import best_weights
from playground.prompting.special_tokens import read_object

SHARD = re.compile(r"[\w-][\w .+-]{0,199}", re.ASCII)
"""Names of files in the same folder."""
SAFETENSORS, BINS = "*.safetensors", "pytorch_model*.bin"
ARCHIVE = b"PK\x03\x04"
"""First bytes of a `.bin` file of torch 1.6 and later."""
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")


def check_weights(folder: Path) -> None:
    """Check that no file of the weights is cut or missing, as far as sizes tell; no weights at all are no error here.

    Raises:
        InvalidCard: one is; the message names it and the next step.
    """
    safe, bins = (_files(folder, pattern) for pattern in (SAFETENSORS, BINS))
    for path in safe:
        _check_size(path)
    for path in () if safe else bins:
        _check_end(path)
    for index in _indexes(folder):
        _check_shards(folder, index)


def _indexes(folder: Path) -> tuple[str, ...]:
    """Return the index of the form that is used, which may lie beside another form; all if none is whole."""
    names = [path.name for path in folder.glob("*") if path.is_file()]
    return tuple(name for name in best_weights(names) or names if name in INDEXES)


def _check_size(path: Path) -> None:
    size, header = path.stat().st_size, _read_header(path)
    if header is None:
        raise InvalidCard(f"{path.name} has no header that can be read: it is damaged; fetch the model again")
    length, tensors = header
    try:
        ends = (tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__")
        end = max(map(operator.index, ends), default=0)
    except (KeyError, TypeError, IndexError) as problem:
        raise InvalidCard(f"{path.name} has a header without sizes: it is damaged; fetch the model again") from problem
    if 8 + length + end != size:
        sizes = f"has {size:,} bytes, and {8 + length + end:,} by its header"
        raise InvalidCard(f"{path.name} {sizes}: it is damaged; fetch the model again")


def _check_end(path: Path) -> None:
    """Check the last bytes of an archive, which has its directory there; the form before archives has no such mark."""
    with path.open("rb") as file:
        is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    if is_archive and not zipfile.is_zipfile(path):
        raise InvalidCard(
            f"{path.name} is cut: its end is missing after {path.stat().st_size:,} bytes; fetch the model again"
        )


def _files(folder: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(folder.glob(pattern)) if path.is_file()]  # False for a dangling link


def _check_shards(folder: Path, index: str) -> None:
    try:
        named = read_object(folder / index).get("weight_map")
    except TokenizerError as problem:
        raise InvalidCard(f"{index} cannot be read; fetch the model again") from problem
    shards = set(map(str, named.values())) if isinstance(named, dict) else set()
    wrong = sorted(shard for shard in shards if not SHARD.fullmatch(shard))
    if wrong:
        raise InvalidCard(f"{index} names {wrong[0][:40]!r}, which is not a plain file name; fetch the model again")
    missing = sorted(shard for shard in shards if not (folder / shard).is_file())
    if missing:
        raise InvalidCard(f"{missing[0]} is missing, which {index} names; fetch the model again")


def weights_size(folder: Path) -> tuple[int, int]:
    """Return parameters (from headers of safetensors files) and bytes of a folder's weights; 0 if not known.

    Missing or broken weights are not an error here; loading them raises one that names the file.
    """
    weights, bins = (_files(folder, pattern) for pattern in (SAFETENSORS, BINS))
    return sum(map(_num_parameters, weights)), sum(path.stat().st_size for path in weights or bins)


def _num_parameters(path: Path) -> int:
    """Return the number of elements of a safetensors file: 8 bytes of header length, then the header as JSON."""
    header = _read_header(path)
    try:
        tensors = header[1].items() if header is not None else ()
        return sum(math.prod(tensor["shape"]) for name, tensor in tensors if name != "__metadata__")
    except (KeyError, TypeError):
        return 0


def _read_header(path: Path) -> tuple[int, Mapping[str, Any]] | None:
    """Return the header of a safetensors file and its length; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length if length < path.stat().st_size else 0))
    except (OSError, ValueError, RecursionError):
        return None
    return (length, header) if isinstance(header, dict) else None
