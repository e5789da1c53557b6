"""Assign the layers of a model to devices, and read weights that are offloaded to the CPU's memory.

Everything that is not a layer (embedding, last norm, head) goes to the first device: token ids enter and logits leave
there, and tied matrices stay one. Layers fill the devices in order. accelerate's hooks copy offloaded weights to the
device around each forward; in between a module's own parameters are empty ("meta"), and `weights` finds the numbers.

Boundary: names, sizes and tensors; loads nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import torch

from playground.engines.local.worker.errors import OutOfMemory


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a model that stays on one device."""

    name: str  # prefix of the names of its weights
    size_bytes: int
    is_layer: bool


def pieces_of(model: Any, bytes_per_weight: float) -> list[Piece]:
    """Split a transformers model into its pieces, in order; shared weights count once.

    The weights may be on the meta device.
    """
    counted: set[int] = set()

    def size_bytes(tensors: Iterable[Any]) -> int:
        new = [tensor for tensor in tensors if id(tensor) not in counted]
        counted.update(id(tensor) for tensor in new)
        return int(sum(tensor.numel() for tensor in new) * bytes_per_weight)

    kinds = model._no_split_modules or ()
    return [Piece(name, size_bytes(tensors), is_layer) for name, tensors, is_layer in _pieces(model, "", kinds)]


def _pieces(module: Any, prefix: str, kinds: Collection[str]) -> Iterator[tuple[str, list[Any], bool]]:
    for name, tensor in chain(module.named_parameters(recurse=False), module.named_buffers(recurse=False)):
        yield prefix + name, [tensor], False
    for name, child in module.named_children():
        is_layer = type(child).__name__ in kinds
        if not is_layer and any(type(inside).__name__ in kinds for inside in child.modules()):
            yield from _pieces(child, f"{prefix}{name}.", kinds)
        else:
            yield prefix + name, [*child.parameters()], is_layer


def device_map(pieces: Sequence[Piece], room: Mapping[str, int]) -> dict[str, str]:
    """Return the device of each piece by name; the last device takes whatever the others cannot hold.

    Args:
        room: bytes for weights by device, in the order in which devices are filled.

    Raises:
        OutOfMemory: the first device cannot hold everything that is not a layer.
    """
    first, *_ = room
    layers = [piece for piece in pieces if piece.is_layer]
    rest = sum(piece.size_bytes for piece in pieces if not piece.is_layer)
    if rest > room[first]:
        raise OutOfMemory(f"embedding and head take {rest:,} bytes, and {room[first]:,} of {first} are for weights")
    ends = dict(zip(room, accumulate(room.values()), strict=True))
    filled = accumulate((layer.size_bytes for layer in layers), initial=rest)
    next(filled)  # before the first layer
    placed = {piece.name: first for piece in pieces}
    for layer, end in zip(layers, filled, strict=True):
        placed[layer.name] = next((name for name in ends if end <= ends[name]), [*room][-1])
    return placed


def weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every parameter with its name, offloaded ones too; shared ones once."""
    for name, parameter in model.named_parameters():
        owner, _, own_name = name.rpartition(".")
        yield name, weight(model.get_submodule(owner), own_name) if parameter.is_meta else parameter


def weight(module: Any, name: str = "weight") -> torch.Tensor:
    """Return a module's own parameter, from the CPU's memory if it is offloaded."""
    parameter: torch.Tensor = getattr(module, name)
    if not parameter.is_meta:
        return parameter
    offloaded: torch.Tensor = module._hf_hook.weights_map[name]
    return offloaded
