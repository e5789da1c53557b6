"""The ledger: every model that was ever tested here, by variant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a model: its weights, prompt format and arithmetic, with the battles it was in."""

    model: str
    revision: str  # of the weights; empty if it never answered
    template: str
    dtype: str
    first_day: str  # UTC, ISO 8601
    last_day: str
    battles: int
    drawn: int  # of them, those for which the arena drew the models of a blind battle


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One variant, or a model of the line-up without a battle yet."""

    model: str
    name: str
    variant: Variant | None  # None: no battle yet
    is_here: bool  # the model is in the line-up; perhaps as another variant
    draw_probability: float | None  # of a blind battle of two models to have it, now; None: it is not in the line-up
    why_retired: str  # as its card says; empty if it is here, or the card says nothing


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries, and how many models they are."""

    entries: tuple[LedgerEntry, ...]  # models of the line-up first, in its order; then by first day
    models_here: int
    models_ever: int
