"""The ledger of models: all that were ever tested here, and why some are gone.

Boundary: joins what the database counts, the line-up, the cards and the chances of pairs; decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from playground.arena.pair_choice import PairChoice
from playground.arena.refreshed import Refreshed
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.ratings.pairing import Pairing
from playground.records import Ledger, LedgerEntry, Variant
from playground.storage.database.store import Store

EVERY_S = 30.0
"""The least time between two readings."""


def read_ledger(store: Store, catalog: Catalog, models: Sequence[str], now: str, pairing: Pairing | None) -> Ledger:
    """Return the ledger; `models` are the ids of the line-up, and `pairing` has the chances of its pairs."""
    with store.reading() as reading:
        variants = defaultdict[str, list[Variant]](list)
        for variant in reading.tested_variants(now):
            variants[variant.model].append(variant)
        stored = reading.cards(variants)
    cards, chances = {**stored, **catalog.cards}, draw_probabilities(models, pairing)
    entries = tuple(
        LedgerEntry(
            model=model,
            name=cards[model].name if model in cards else model,
            variant=variant,
            is_here=model in chances,
            draw_probability=chances.get(model),
            why_retired="" if model in chances or model not in cards else cards[model].retired,
        )
        for model in dict.fromkeys((*models, *variants))
        for variant in variants.get(model, (None,))
    )
    return Ledger(entries, len(models), len({*models, *variants}))


def draw_probabilities(models: Sequence[str], pairing: Pairing | None) -> Mapping[str, float]:
    """Return the probability of each model to be in the next blind battle of two."""
    chances = None if pairing is None else pairing.chances(models)
    if chances is None:
        return dict.fromkeys(models, min(1.0, 2 / max(len(models), 1)))
    return {model: float(of_model.sum()) for model, of_model in zip(models, chances, strict=True)}


def arena_ledger(
    catalog: Catalog, models: Callable[[], Sequence[str]], pair_choice: PairChoice, clock: Clock
) -> Refreshed[Ledger]:
    """Return the ledger of a running playground; `models` returns the ids of the line-up."""

    def read(store: Store, _: Ledger | None) -> Ledger:
        return read_ledger(store, catalog, models(), clock.now(), pair_choice.pairing)

    return Refreshed("ledger of models", read, clock, every_s=EVERY_S, outlives_errors=True)
