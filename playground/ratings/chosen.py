"""The votes that a board is asked for: which rows of all votes, how to count them, and how to rate them.

Boundary: judged votes in, tables and a `Board` out; no sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.errors import UnknownCategory
from playground.ratings.board import Board, LeaderboardOptions, Named
from playground.ratings.claims import ClaimReplay
from playground.ratings.counting import CountedVotes, count
from playground.ratings.judged import BoolArray, JudgedVotes
from playground.ratings.pairs import PairTable
from playground.ratings.policy import CountingPolicy


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """All votes, the rows that are asked for, and how to count and rate them."""

    votes: JudgedVotes
    cards: Mapping[str, Named]
    rows: BoolArray | None  # (n,) None: all
    options: LeaderboardOptions
    models: Collection[str]  # part of each table even if no pair names them
    replay: ClaimReplay = ClaimReplay()  # of the looks that make the claims of the default board
    counts_chosen_pairs_only: bool = False  # no vote on a drawn pair counts yet

    @classmethod
    def of(
        cls,
        votes: JudgedVotes,
        cards: Mapping[str, Named],
        *,
        category: str = "",
        options: LeaderboardOptions,
        models: Collection[str] = (),
        categories: Collection[str] = (),
        rows: BoolArray | None = None,
        replay: ClaimReplay = ClaimReplay(),  # noqa: B008  # frozen
    ) -> Chosen:
        """Return the choice.

        Args:
            votes: with the quickest decision and the daily cap of the policy.
            cards: names and licenses; a model without a card goes by its id.
            category: rate only instructions of this one; empty for all.
            models: ids that are named in a note if they have no vote.
            categories: valid ones beside those of the votes.
            rows: rate only these pairs, shape (n,), those of the filter; all votes decide which of them count.
            replay: of the looks that make the claims of the default board.

        Raises:
            UnknownCategory: neither the starters nor the votes have it.
        """
        there = np.flatnonzero(np.bincount(votes.category, minlength=len(votes.categories)))
        _check_category(category, {*categories, *(votes.categories[number] for number in there)} - {""})
        if category:
            of_category = votes.category == _number(votes.categories, category)
            rows = of_category if rows is None else rows & of_category
        policy = options.policy.with_fallback(votes.circumstances)
        fell_back = policy != options.policy
        return cls(votes, cards, rows, replace(options, policy=policy), models, replay, fell_back)

    def count(self, policy: CountingPolicy | None = None, without: BoolArray | None = None) -> CountedVotes:
        """Return the votes that count under the board's policy, or another one."""
        return count(self.votes, policy or self.options.policy, self.rows, without=without)

    def table(self, counted: CountedVotes) -> PairTable:
        """Return the table of the pairs that count."""
        return PairTable.of(
            self.votes, counted.rows, both_bad=self.options.both_bad, models=self.models, weights=counted.weights
        )

    def board(self) -> Board:
        """Return the board of the votes that count, with the tables that it is compared to."""
        policy, counted = self.options.policy, self.count()
        table = self.table(counted)
        same_models = replace(self, models=table.models)

        def table_with(policy: CountingPolicy) -> PairTable:
            return same_models.table(same_models.count(policy))

        return Board(
            table,
            counted,
            self.options,
            self.cards,
            other=table_with(policy.with_flagged(policy.leave_out_flagged)) if counted.flagged else None,
            stricter=table_with(replace(policy, leave_out_seen_elsewhere=True)) if counted.seen_elsewhere else None,
            replay=self.replay,
        )


def _number(names: Sequence[str], name: str) -> int:
    """Return the number of a name; -1 without one."""
    return names.index(name) if name in names else -1


def _check_category(category: str, valid: Collection[str]) -> None:
    if category != "" and category not in tuple(valid):
        known = f"valid: {', '.join(sorted(valid))}, or empty for all" if valid else "no vote has one yet"
        raise UnknownCategory(f"unknown category {category!r}; {known}")
