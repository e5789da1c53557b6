"""The sizes of a ZeroGPU call, and the memory that models need in it together.

Boundary: values; loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from playground.engines.local.placement import need_of
from playground.records import ModelCard

SIZES: tuple[tuple[str, float], ...] = (("large", 48e9), ("xlarge", 96e9))
"""Sizes of a call and their memory in bytes, smallest first (August 2026)."""
LARGEST = SIZES[-1][1]


def needed_bytes(cards: Iterable[ModelCard]) -> int:
    """Return the memory for one full row of each model; all of them are on the GPU in each call."""
    return sum(need_of(card, on_cpu=False).least_bytes for card in cards)


def smallest(cards: Iterable[ModelCard]) -> str:
    """Return the smallest size that holds the models together, else the largest."""
    needed = needed_bytes(cards)
    return next((size for size, memory in SIZES if needed <= memory), SIZES[-1][0])
