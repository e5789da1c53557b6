"""Evidence for the sentences about a board: claims, its leader, misfit, models that nearly always win, votes needed.

Boundary: one fit and its variances in, numbers out; `summary` chooses the sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from playground.ratings.bradley_terry import Fit
from playground.ratings.claims import ClaimReplay, ClaimRules, Claims, look
from playground.ratings.covariance import Spread
from playground.ratings.intervals import Profiles
from playground.ratings.misfit import Misfit, find_misfit
from playground.ratings.pairs import BoolArray, PairTable
from playground.ratings.power import VotesNeeded, gap_between, votes_needed


@dataclass(frozen=True, eq=False)
class Evidence:
    """Evidence from one table; model indices are those of `table.models`."""

    table: PairTable
    fit: Fit
    spread: Spread
    rules: ClaimRules
    filtered: bool  # one of many views, which keeps no claims of earlier looks
    groups: tuple[tuple[int, ...], ...]  # connected models, best first
    settled: BoolArray  # (m,) True for models with enough votes
    replay: ClaimReplay = ClaimReplay()  # of the earlier looks

    @property
    def claims(self) -> Claims:
        """Claims at any time; none while they are not known."""
        return self._known_claims or Claims.none(len(self.table.models))

    @property
    def claims_are_known(self) -> bool:
        """True unless the claims take more votes than the replay may read."""
        return self._known_claims is not None

    @cached_property
    def _known_claims(self) -> Claims | None:
        """The claims that the votes made one after another, or those of one look."""
        if self.filtered:
            return look(Claims.none(len(self.table.models)), self.table, self.rules, self.table.num_votes)
        return self.replay.claims(self.table, self.rules, self.fit, self.spread)

    def settled_of(self, group: Sequence[int]) -> list[int]:
        """Return the models of a group that have enough votes to be compared, in the group's order."""
        return [i for i in group if self.settled[i]]

    @cached_property
    def leader(self) -> int | None:
        """The model of the first group that is claimed to lead it."""
        known = self.settled_of(self.groups[0]) if self.groups else []
        return known[0] if len(known) > 1 and self.claims.leads(known[0], known) else None

    @cached_property
    def misfit(self) -> Misfit | None:
        """The reason why the ratings do not explain the votes; None if chance does."""
        return find_misfit(self.table, self.fit, self.spread.unit) if self.table.first.size else None

    def votes_needed(self, i: int, j: int, error: float) -> VotesNeeded:
        """Return the votes between two connected models after which a claim with this error separates them."""
        return votes_needed(gap_between(self.fit, self.spread, i, j), error)

    @cached_property
    def lopsided(self) -> BoolArray:
        """True for models that win or lose nearly always, shape (m,)."""
        return self._profiles.lopsided & (self.rules.prior > 0)

    def least_difference(self, i: int, j: int) -> float:
        """Return by how many points i is ahead of j at least, at the level of the intervals."""
        return self._profiles.least_difference(i, j)

    @property
    def _profiles(self) -> Profiles:
        return Profiles(self.table, self.fit, self.spread, self.rules.level)
