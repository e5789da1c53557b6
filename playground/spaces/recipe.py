"""The recipe of a Space: its kind, models and hardware.

Boundary: values; sizes are those of the cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.catalog.catalog import Catalog
from playground.catalog.line_ups import LAPTOP, POCKET
from playground.engines.zerogpu.sizes import LARGEST, needed_bytes
from playground.errors import InvalidValue
from playground.records import ModelCard

CPU, GPU, ZEROGPU, STATIC = "cpu", "gpu", "zerogpu", "static"
RUNNING = (CPU, GPU, ZEROGPU)
"""Kinds of Space that run the playground."""
KINDS = (*RUNNING, STATIC)
GPU_MODELS = ("openalpaca-7b-3bt", "minotaur-mpt-7b", "mamba-gpt-3b")
"""The models of a Space with a GPU if none is named: their licenses allow commercial use."""
GPU_MEMORY: tuple[tuple[str, float], ...] = (("l4x1", 24e9), ("l40sx1", 48e9), ("a100-large", 80e9))
"""Hardware with one GPU and its memory in bytes, smallest first (August 2026)."""
ZEROGPU_HARDWARE = "zero-a10g"
"""The hub's name for ZeroGPU; the GPU is another one by now."""
OVERHEAD = 1.2
"""Memory that models take with their caches, as a multiple of their weights."""
PUSHED_WHOLE = "main"
"""The revision that the hub preloads if a Space names a repository alone."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of Space, ready to be written."""

    kind: str
    hardware: str
    cards: tuple[ModelCard, ...]  # to preload from the hub; none: the pocket models, which are files of the Space

    @property
    def timeout(self) -> str:
        """The time that the hub gives the first start, in its own notation."""
        return "30m" if self.kind == CPU else "1h"


def read_recipe(kind: str, models: Sequence[str], catalog: Catalog) -> Recipe:
    """Return the recipe for a kind of Space with these models.

    Raises:
        InvalidValue: the kind is unknown, or the models do not suit it.
        Unknown: no card has this id.
    """
    if kind == STATIC:
        raise InvalidValue(f"a static Space runs no models: it shows a report; valid: {', '.join(RUNNING)}")
    if kind not in KINDS:
        raise InvalidValue(f"there is no kind of Space {kind!r}; valid: {', '.join(KINDS)}")
    cards = catalog.line_up(models or ((LAPTOP,) if kind == CPU else GPU_MODELS))
    if kind == CPU:
        return Recipe(CPU, "cpu-basic", _cpu_cards(cards, catalog))
    if len(cards) < 2:
        raise InvalidValue(f"a Space on a GPU needs two models or more to compare; --models names {len(cards)}")
    for card in cards:
        _check_preloads(card)
    if kind == GPU:
        return Recipe(GPU, _hardware(cards), cards)
    _check_zerogpu(cards)
    return Recipe(ZEROGPU, ZEROGPU_HARDWARE, cards)


def _cpu_cards(cards: tuple[ModelCard, ...], catalog: Catalog) -> tuple[ModelCard, ...]:
    """Return the cards to preload on a CPU, where a Space runs two or more models of `LAPTOP`, or the pocket models."""
    ids = {card.id for card in cards}
    if ids == set(catalog.line_ups[POCKET].models):
        return ()
    if len(ids) < 2 or not ids <= set(catalog.line_ups[LAPTOP].models):
        valid = f"{POCKET}, {LAPTOP}, or two or more of {', '.join(catalog.line_ups[LAPTOP].models)}"
        raise InvalidValue(f"--models names {', '.join(card.id for card in cards)}; valid for --kind {CPU}: {valid}")
    for card in cards:
        _check_preloads(card)
    return cards


def _check_preloads(card: ModelCard) -> None:
    if card.engine != "local" or Path(card.repo).is_absolute():
        raise InvalidValue(f"{card.id} is not on the hub, so a Space cannot preload it; name models with a repository")
    if card.revision != PUSHED_WHOLE:
        raise InvalidValue(
            f"{card.id} is at revision {card.revision}, but a Space preloads {PUSHED_WHOLE!r}; name another model, or "
            "build without it and mount its files"
        )


def _check_zerogpu(cards: Sequence[ModelCard]) -> None:
    """Refuse models that the engine of ZeroGPU cannot load."""
    needed = needed_bytes(cards)
    if needed > LARGEST:
        raise InvalidValue(
            f"the models need {needed / 1e9:.0f} GB together, and ZeroGPU has {LARGEST / 1e9:.0f} GB; name fewer or "
            "smaller ones"
        )
    for card in cards:
        if card.quantization:
            raise InvalidValue(f"{card.id} is quantized, which ZeroGPU cannot load; name another model")


def _hardware(cards: Sequence[ModelCard]) -> str:
    """Return the smallest hardware on which all models fit together, else the largest: there they take turns."""
    needed = OVERHEAD * sum(card.size_bytes for card in cards)
    return next((name for name, memory in GPU_MEMORY if memory >= needed), GPU_MEMORY[-1][0])
