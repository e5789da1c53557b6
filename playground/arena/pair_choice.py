"""The chances of pairs in blind battles, from the votes of the default board, and why the latest were drawn.

Boundary: reads votes beside the visitors, never for one of them; the chances are computed in `ratings.pairing` and
drawn by in `line_up`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from playground.arena.refreshed import Refreshed
from playground.clock import Clock
from playground.ratings.board import LeaderboardOptions
from playground.ratings.counting import count
from playground.ratings.pairing import Pairing, WhyDrawn
from playground.ratings.pairs import PairTable
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored import read_votes
from playground.settings import Settings
from playground.storage.database.store import Store

GROWTH = 20
"""Chances are computed again when votes have grown by one in this many, models have changed, or a study has ended."""
MOST_REASONS = 10_000
"""Battles whose reasons are remembered, the latest; a restart forgets them."""


class PairChoice:
    """The pairing of the latest votes, computed anew by `refresh`.

    Args:
        policy: of the default board.
        models: returns the ids of the models that can be drawn.
    """

    def __init__(
        self, settings: Settings, policy: CountingPolicy, models: Callable[[], Sequence[str]], clock: Clock
    ) -> None:
        self._is_on = settings.pairs == "informative"
        self._options = LeaderboardOptions(policy=policy, prior=settings.prior)
        self._models = models
        self._clock = clock
        self._rows = 0  # votes and undos when the pairing was begun
        self._ended_studies: tuple[int, ...] = ()  # then
        self._computed = Refreshed("chances of pairs", self._compute, clock, every_s=0.0, outlives_errors=True)
        self._why: OrderedDict[str, WhyDrawn] = OrderedDict()
        self._guard = threading.Lock()  # of the reasons

    @property
    def pairing(self) -> Pairing | None:
        """The latest; None before the first, or if all pairs are to be equally likely."""
        return self._computed.latest

    def refresh(self, store: Store) -> None:
        """Compute the chances if the votes have grown enough since the last time, unless the settings say uniform."""
        if self._is_on:
            self._computed.refresh(store)

    def remember(self, battle_id: str, why: WhyDrawn | None) -> None:
        """Keep the reason for which a battle's models were drawn."""
        if why is None:
            return
        with self._guard:
            self._why[battle_id] = why
            while len(self._why) > MOST_REASONS:
                self._why.popitem(last=False)

    def why(self, battle_id: str) -> WhyDrawn | None:
        """Return the reason; None if it is not known any more, or all sets of models were equally likely."""
        with self._guard:
            return self._why.get(battle_id)

    def _compute(self, store: Store, latest: Pairing | None) -> Pairing:
        models, policy = tuple(self._models()), self._options.policy
        with store.reading() as reading:
            (rows, _), ended = reading.last_vote(), reading.ended_studies()
            if latest is not None and ended == self._ended_studies and not self._is_due(rows, models, latest):
                return latest
            votes = read_votes(reading, policy, self._clock.now())
        counted = count(votes, policy)
        table = PairTable.of(
            votes, counted.rows, both_bad=self._options.both_bad, models=models, weights=counted.weights
        )
        self._rows, self._ended_studies = rows, ended
        return Pairing.of(table, self._options.prior)

    def _is_due(self, rows: int, models: Sequence[str], pairing: Pairing) -> bool:
        grown = GROWTH * (rows - self._rows) >= max(self._rows, 1)
        return grown or not set(models) <= set(pairing.models)
