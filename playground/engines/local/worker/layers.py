"""Which layers of a model go to which of several devices, as the plan's own sizes say.

What is no layer (embedding, last norm, head) goes to the first device: ids come in and scores go out there, and tied
matrices stay one. The layers follow in order, a device after the other.

Boundary: names and bytes; `pieces_of` looks at a model whose weights need not be there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

from playground.engines.local.worker.memory import OutOfMemory


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a model that is never cut."""

    name: str  # as in the names of its weights
    size_bytes: int
    is_layer: bool


def pieces_of(model: Any, bytes_per_weight: float) -> list[Piece]:
    """A transformers model in pieces, in its own order; nothing is left out, nothing counted twice."""
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


def assigned(pieces: Sequence[Piece], room: Mapping[str, int]) -> dict[str, str]:
    """The device of each piece by its name; what the others have no room for is the last one's.

    Args:
        room: bytes for weights by device, in the order in which they are filled.

    Raises:
        OutOfMemory: the first device cannot hold what is no layer.
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
