"""Find the weight files of a checkpoint and check that each is complete.

The libraries' own messages about a web page or half a download name neither; the first bytes and the length do.

Boundary: reads names, sizes, headers and the directories of archives, no weights.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from playground.errors import CheckpointError

# In transformers' order of preference.
FORMS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")

MIN_TORCH = (2, 10)  # the first version that is trusted to refuse code in .bin files

_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # first bytes of torch.save's format before archives
_HEAD_BYTES = 1024


def weight_files(folder: Path, torch_version: str) -> tuple[Path, ...]:
    """Return the files that hold the weights.

    Raises:
        CheckpointError: there are none; one is missing, truncated or not a weight file; torch is too old for `.bin`.
    """
    form = next((name for name in FORMS if (folder / name).is_file()), None)
    if form is None:
        raise CheckpointError(f"there are no weights in {folder}; valid: {', '.join(FORMS)}")
    paths = _listed(folder / form) if form.endswith(".json") else (folder / form,)
    if ".bin" in form:
        check_torch(torch_version)
    for path in paths:
        _check(path)
    return paths


def check_torch(version: str) -> None:
    """Refuse to read `.bin` files with a torch older than `MIN_TORCH`."""
    if tuple(int(part) for part in version.split("+")[0].split(".")[:2]) < MIN_TORCH:
        wanted = ".".join(map(str, MIN_TORCH))
        raise CheckpointError(f".bin weights are read with torch {wanted} or later only, this is {version}; update it")


def _listed(index: Path) -> tuple[Path, ...]:
    """Return the shards that an index names."""
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index.name} is not an index of weights{found_instead(index)}") from error
    wrong = [name for name in names if not isinstance(name, str) or Path(name).name != name]
    if wrong or not names:
        raise CheckpointError(f"{index.name} names {wrong[0]!r} as a file" if wrong else f"{index.name} names no files")
    paths = tuple(index.with_name(name) for name in sorted(names))
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise CheckpointError(f"{len(missing)} of {len(paths)} weight files are missing: {', '.join(missing[:3])}")
    return paths


def _check(path: Path) -> None:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise CheckpointError(f"{path.name} is empty")
    if found := found_instead(path):
        raise CheckpointError(f"{path.name} does not hold weights{found}")
    (_check_safetensors if path.suffix == ".safetensors" else _check_bin)(path, size_bytes)


def found_instead(path: Path) -> str:
    """Return a clause that says the file is a web page or a Git LFS pointer; empty if it is neither."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        return ": it is a Git LFS pointer, the file itself was not downloaded"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")):
        return ": it is a web page, as a failed download leaves"
    return ""


def _check_safetensors(path: Path, size_bytes: int) -> None:
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        header = file.read(header_bytes) if header_bytes < size_bytes else b""
    try:
        wanted_bytes = 8 + header_bytes + _data_bytes(json.loads(header))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path.name} is not a safetensors file, or only the beginning of one") from error
    if size_bytes < wanted_bytes:
        raise CheckpointError(f"{path.name} is cut short: {size_bytes:,} of {wanted_bytes:,} bytes")


def _data_bytes(header: dict[str, Any]) -> int:
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    return int(max(ends, default=0))


def _check_bin(path: Path, size_bytes: int) -> None:
    with path.open("rb") as file:
        head = file.read(len(_LEGACY))
    if head == _LEGACY:
        return
    if not head.startswith(b"PK\x03\x04"):
        raise CheckpointError(f"{path.name} was not written by torch.save, and is not read")
    if not zipfile.is_zipfile(path):  # the directory is at the end
        raise CheckpointError(f"{path.name} is cut short: its end is missing after {size_bytes:,} bytes")
