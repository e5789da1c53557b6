"""The models of this playground, and the choice of those of a comparison.

Boundary: knows cards and prompts; not the database or votes, and of the engine only which models fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import SystemRandom
from typing import Any

from playground.arena.column_plan import visitors_params
from playground.arena.draw import Draw, draw, likely
from playground.catalog.catalog import Catalog
from playground.catalog.line_ups import LAPTOP
from playground.catalog.model_folders import files_state
from playground.engines.fleet import Fleet
from playground.engines.protocol import Engine
from playground.errors import InvalidValue, PlaygroundError, Unknown
from playground.messages import Message
from playground.ratings.pairing import Pairing
from playground.records import MOST_NEW_TOKENS, SIDES, Instruction, ModelCard
from playground.settings import Settings


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


class LineUp:
    """The models of this playground, in order."""

    def __init__(self, catalog: Catalog, model_ids: Sequence[str], max_new_tokens: int = MOST_NEW_TOKENS) -> None:
        """Read the cards; visitors may ask for `max_new_tokens`, and for more up to a card's own value."""
        self.cards = catalog.line_up(model_ids)
        self._catalog = catalog
        self.max_new_tokens = max_new_tokens
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
            return draw(columns, likely(self._able(instruction, overrides), states), pairing, self._random)
        cards = [self._card(model_id) for model_id in models]
        if blind:
            self._random.shuffle(cards)
        return Draw(cards, None)

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
                self._catalog.check_fits(card.id, instruction, visitors_params(card, overrides, self.max_new_tokens))
                able.append(card)
            except PlaygroundError as problem:
                problems.append(problem)
        if problems and len(able) < 2:
            raise problems[0]
        return able
