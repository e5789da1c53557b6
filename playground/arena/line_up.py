"""Choose or draw the models of a comparison, and plan their columns before anything is stored or started.

Boundary: knows cards, prompts and chance; not the database or votes, and of the engine only which models fit.
"""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Mapping, Sequence
from random import SystemRandom
from typing import Any, NamedTuple

from playground.arena.column import ColumnPlan
from playground.arena.daily_tokens import SPENT
from playground.catalog.catalog import Catalog
from playground.catalog.line_ups import LAPTOP
from playground.catalog.model_folders import files_state
from playground.engines.fleet import Fleet
from playground.engines.protocol import Engine
from playground.errors import InvalidValue, PlaygroundError, Unknown
from playground.messages import Message
from playground.ratings.pairing import Pairing, WhyDrawn
from playground.ratings.pairs import FloatArray
from playground.records import (
    MOST_NEW_TOKENS,
    SIDES,
    WHEN_SAMPLING,
    BattleSide,
    Instruction,
    ModelCard,
    SamplingParams,
    overrides_of,
)
from playground.settings import Settings, variable


def chosen_models(catalog: Catalog, settings: Settings) -> tuple[str, ...]:
    """Return the ids of the models of this playground: the named ones, else `default_models`."""
    return settings.model_ids or default_models(catalog, Fleet(settings))


def default_models(catalog: Catalog, engine: Engine) -> tuple[str, ...]:
    """Return the models for which there are files and memory, if there are two or more of them.

    On a GPU they are the real models, on a CPU those of the line-up `LAPTOP`. Otherwise return (), which stands for
    the pocket models. Nothing is ever downloaded for the choice.
    """
    real = [card for card in catalog.cards.values() if not card.stands_in_for and not card.retired]
    if not any(fit.has_gpu for fit in engine.plan(real).values()):
        small = catalog.line_ups[LAPTOP].models if LAPTOP in catalog.line_ups else ()
        real = [card for card in map(catalog.card, small) if not card.retired]
    here = [card for card in real if card.engine != "local" or files_state(card) == "here"]
    fits = engine.plan(here)  # a model without files takes no memory of the others
    fitting = tuple(card.id for card in here if fits[card.id].fits)
    return fitting if len(fitting) >= 2 else ()


class Draw(NamedTuple):
    """The models of a comparison, in column order."""

    cards: list[ModelCard]
    probability: float | None  # of this order of these models; None: they were chosen
    why: WhyDrawn | None = None  # None: all sets of models were equally likely, or they were chosen


class LineUp:
    """The models of this playground, in order."""

    def __init__(self, catalog: Catalog, model_ids: Sequence[str], max_new_tokens: int = MOST_NEW_TOKENS) -> None:
        """Read the cards; visitors may ask for `max_new_tokens`, and for more up to a card's own value."""
        self.cards = catalog.line_up(model_ids)
        self._catalog = catalog
        self._max_new_tokens = max_new_tokens
        self._random = SystemRandom()  # a blind order must not be guessable

    def add(self, card: ModelCard) -> None:
        """Add a model, unless it is there."""
        if all(known.id != card.id for known in self.cards):
            self.cards = (*self.cards, card)

    def choose(
        self,
        instruction: Instruction,
        models: Sequence[str],
        columns: int,
        blind: bool,
        overrides: Mapping[str, Any],
        states: Mapping[str, str],
        pairing: Pairing | None = None,
    ) -> Draw:
        """Return cards in column order, and the probability of this draw (None if the models were chosen).

        Args:
            models: chosen ids, which may repeat; if empty, `columns` models are drawn.
            states: the models' states by id, as in `ModelStatus`; one that is off, failed or spent is drawn if it must.
            pairing: makes pairs likelier from which the ranking learns more; None: all are equally likely.

        Raises:
            InvalidValue: not 2 to 6 models, or no models run here.
            Unknown: a model that does not run here.
            PlaygroundError: fewer than two models can take this instruction with these parameters.
        """
        if not self.cards:
            raise InvalidValue(Message("No models run here, so nothing can be compared."))
        number = len(models) if models else columns
        if not 2 <= number <= len(SIDES):
            raise InvalidValue(
                Message("{number} models were chosen; valid: 2 to {sides}", number=number, sides=len(SIDES))
            )
        if not models:
            return self._draw(columns, _likely(self._able(instruction, overrides), states), pairing)
        cards = [self._card(model_id) for model_id in models]
        if blind:
            self._random.shuffle(cards)
        return Draw(cards, None)

    def plan(
        self, cards: Sequence[ModelCard], instruction: Instruction, overrides: Mapping[str, Any]
    ) -> list[ColumnPlan]:
        """Return what each column is to write; seeds are drawn if none is given.

        Raises:
            PlaygroundError: a prompt or a parameter that one of the models cannot take.
        """
        columns = zip(SIDES, cards, strict=False)
        return [self._plan(side, card, instruction, overrides_of(overrides, side)) for side, card in columns]

    def _plan(self, side: str, card: ModelCard, instruction: Instruction, overrides: Mapping[str, Any]) -> ColumnPlan:
        seed = int(overrides.get("seed", secrets.randbits(32)))
        drawn = BattleSide(side, card.id, seed, self._params(card, overrides))
        prompt = self._catalog.check_fits(card.id, instruction, drawn.params)
        return ColumnPlan(drawn, card, prompt, self._catalog.template_of(card).stop_ids, secrets.token_hex(16))

    def _params(self, card: ModelCard, overrides: Mapping[str, Any]) -> SamplingParams:
        """Return the card's parameters with the overrides.

        Raises:
            InvalidValue: more new tokens than visitors may ask for; names no model, as the battle may be blind.
        """
        params = params_of(card, overrides)
        if params.max_new_tokens > max(self._max_new_tokens, card.sampling.max_new_tokens):
            raise InvalidValue(
                Message(
                    "'max_new_tokens' is {tokens:,}; valid here: 1 to {most:,}, the operator's {setting}, or to the "
                    "card's own value where that is larger",
                    tokens=params.max_new_tokens,
                    most=self._max_new_tokens,
                    setting=variable("max_new_tokens"),
                )
            )
        return params

    def _card(self, model_id: str) -> ModelCard:
        for card in self.cards:
            if card.id == model_id:
                return card
        raise Unknown(
            Message(
                "no model {model_id!r} is running here; there are: {valid}",
                model_id=model_id,
                valid=", ".join(card.id for card in self.cards),
            )
        )

    def _able(self, instruction: Instruction, overrides: Mapping[str, Any]) -> list[ModelCard]:
        """Return the models that can take this instruction.

        Raises:
            PlaygroundError: fewer than two can; this never depends on a draw.
        """
        able: list[ModelCard] = []
        problems: list[PlaygroundError] = []
        for card in self.cards:
            try:
                self._catalog.check_fits(card.id, instruction, self._params(card, overrides))
                able.append(card)
            except PlaygroundError as problem:
                problems.append(problem)
        if problems and len(able) < 2:
            raise problems[0]
        return able

    def _draw(self, columns: int, able: Sequence[ModelCard], pairing: Pairing | None) -> Draw:
        """Draw models that repeat as little as possible, in a random order; return them with their probability."""
        chances = pairing.chances([card.id for card in able]) if pairing is not None and columns < len(able) else None
        if pairing is not None and chances is not None:
            return self._draw_by(chances, columns, able, pairing)
        drawn: list[ModelCard] = []
        probability = 1.0
        while len(drawn) < columns:
            number = min(columns - len(drawn), len(able))
            drawn += self._random.sample(able, number)
            probability /= math.perm(len(able), number)
        return Draw(drawn, probability)

    def _draw_by(self, chances: FloatArray, columns: int, able: Sequence[ModelCard], pairing: Pairing) -> Draw:
        """Draw a pair by its chance, the rest of the columns uniformly, and their order.

        A set can be drawn by any of its pairs: its probability is the sum of their chances times that of the rest.
        """
        pairs = list(itertools.combinations(range(len(able)), 2))
        [(i, j)] = self._random.choices(pairs, [chances[pair] for pair in pairs])
        others = [k for k in range(len(able)) if k not in (i, j)]
        drawn = [i, j, *self._random.sample(others, columns - 2)]
        self._random.shuffle(drawn)
        of_pairs = sum(float(chances[pair]) for pair in itertools.combinations(drawn, 2))
        probability = of_pairs / math.comb(len(others), columns - 2) / math.factorial(columns)
        cards, ids = [able[k] for k in drawn], [card.id for card in able]
        return Draw(cards, probability, pairing.why([card.id for card in cards], ids, probability))


def _likely(cards: Sequence[ModelCard], states: Mapping[str, str]) -> Sequence[ModelCard]:
    """Select the models that will probably answer: two or more that are not off, else two or more that can answer.

    Else all: a battle of one model against itself would hide that the others cannot answer, and cost its tokens.
    """
    sound = [card for card in cards if states.get(card.id) not in ("failed", SPENT)]
    up = [card for card in sound if states.get(card.id) != "off"]
    return up if len(up) >= 2 else sound if len(sound) >= 2 else cards


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
