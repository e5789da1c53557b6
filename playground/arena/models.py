"""The models of this playground: the line-up and its state in the engine.

Boundary: brings models up and down; which of them answer is decided in `line_up`.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.arena.line_up import LineUp
from playground.catalog.catalog import Catalog
from playground.engines.protocol import Engine
from playground.records import ModelCard, ModelStatus


class Models:
    """The models of the line-up; `store_card` saves the card of a model that joins it."""

    def __init__(
        self, catalog: Catalog, line_up: LineUp, engine: Engine, store_card: Callable[[ModelCard], None]
    ) -> None:
        self._catalog = catalog
        self._line_up = line_up
        self._engine = engine
        self._store_card = store_card

    @property
    def line_up(self) -> tuple[ModelCard, ...]:
        """The cards, in order."""
        return self._line_up.cards

    def ids(self) -> tuple[str, ...]:
        """Return the ids of the models, in order."""
        return tuple(card.id for card in self.line_up)

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Return the status of each model of the line-up, in its order."""
        known = self._engine.status()
        return tuple(known.get(card.id, ModelStatus(card.id, "off")) for card in self.line_up)

    @property
    def is_loading(self) -> bool:
        """True if a model of the line-up is queued or loading."""
        return any(status.state in ("queued", "loading") for status in self.statuses())

    def load(self, name: str) -> ModelCard:
        """Begin to load a model, by card id, folder or fetched hub id; a new one joins the line-up.

        Raises:
            PlaygroundError: there is no such model, or its files are not here or damaged.
        """
        with self._catalog.trying(name) as card:
            self._catalog.tokenizer_of(card)  # without one no prompt can be built
            self._store_card(card)
            self._engine.open([card])
        self._line_up.add(card)
        return card

    def unload(self, model_id: str) -> None:
        """Free a model's memory; it stays in the line-up and is loaded again when it is asked.

        Raises:
            Unknown: a model that was never loaded here.
        """
        self._engine.unload(model_id)
