"""Plans of columns: model, prompt, parameters and seed, fixed before anything is stored or started.

Boundary: knows cards, prompts and chance; neither the database nor an engine.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.catalog.catalog import Catalog
from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import (
    MOST_NEW_TOKENS,
    SIDES,
    WHEN_SAMPLING,
    BattleSide,
    Instruction,
    ModelCard,
    Prompt,
    SamplingParams,
    overrides_of,
)
from playground.settings import variable


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """The model, prompt and parameters of a column, fixed before it starts."""

    side: BattleSide
    card: ModelCard
    prompt: Prompt
    stop_ids: tuple[int, ...]
    generation_id: str


def plan_columns(
    catalog: Catalog,
    cards: Sequence[ModelCard],
    instruction: Instruction,
    overrides: Mapping[str, Any],
    most: int = MOST_NEW_TOKENS,
) -> list[ColumnPlan]:
    """Return what each column is to write; seeds are drawn if none is given.

    Args:
        most: new tokens that visitors may ask for; see `visitors_params`.

    Raises:
        PlaygroundError: a prompt or a parameter that one of the models cannot take.
    """
    plans = []
    for side, card in zip(SIDES, cards, strict=False):
        own = overrides_of(overrides, side)
        params, seed = visitors_params(card, own, most), int(own.get("seed", secrets.randbits(32)))
        prompt = catalog.check_fits(card.id, instruction, params)
        plans.append(plan_column(catalog, card, prompt, params, seed, side))
    return plans


def plan_column(
    catalog: Catalog, card: ModelCard, prompt: Prompt, params: SamplingParams, seed: int, side: str = "a"
) -> ColumnPlan:
    """Return the plan of one column, also for an answer that no battle shows."""
    stop_ids = catalog.template_of(card).stop_ids
    return ColumnPlan(BattleSide(side, card.id, seed, params), card, prompt, stop_ids, secrets.token_hex(16))


def visitors_params(card: ModelCard, overrides: Mapping[str, Any], most: int) -> SamplingParams:
    """Return the card's parameters with a visitor's overrides.

    Raises:
        InvalidValue: more new tokens than `most` and the card's own; names no model, as the battle may be blind.
    """
    params = params_of(card, overrides)
    if params.max_new_tokens > max(most, card.sampling.max_new_tokens):
        raise InvalidValue(
            Message(
                "'max_new_tokens' is {tokens:,}; valid here: 1 to {most:,}, the operator's {setting}, or to the "
                "card's own value where that is larger",
                tokens=params.max_new_tokens,
                most=most,
                setting=variable("max_new_tokens"),
            )
        )
    return params


def params_of(card: ModelCard, overrides: Mapping[str, Any]) -> SamplingParams:
    """Return the card's parameters with the overrides, so that each has its effect.

    A temperature turns sampling on for a card that is greedy by default; a short answer lowers the card's minimum.
    """
    changes = {name: value for name, value in overrides.items() if name != "seed"}
    if not changes.keys().isdisjoint(WHEN_SAMPLING):
        changes.setdefault("do_sample", True)
    if "max_new_tokens" in changes:
        changes.setdefault("min_new_tokens", min(card.sampling.min_new_tokens, changes["max_new_tokens"]))
    return card.sampling.changed(changes)


def check_overrides(overrides: Mapping[str, Any], blind: bool, models: Sequence[str]) -> None:
    """Raise InvalidValue for parameters that would let the answers of a blind battle be told apart."""
    by_side = not overrides.keys().isdisjoint(SIDES)
    if blind and "seed" in overrides:
        raise InvalidValue(
            Message("a seed cannot be given while blind: it would let answers be told apart; use open mode")
        )
    if by_side and (blind or not models):
        raise InvalidValue(Message("settings per column need open mode and a model chosen for each column"))
    if by_side and not overrides.keys() <= set(SIDES[: len(models)]):
        raise InvalidValue(
            Message(
                "settings are given for columns {valid}; there are {models} models",
                valid=", ".join(overrides),
                models=len(models),
            )
        )


def without_seed(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters without seeds, so that the same models answer anew."""
    return {
        name: without_seed(value) if isinstance(value, Mapping) else value
        for name, value in overrides.items()
        if name != "seed"
    }
