"""Votes to a leaderboard: rows, a verdict and findings.

Boundary: takes judged votes and cards; no SQL, no Gradio. The page, the command line and the API show this one record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.ratings import findings, notes
from playground.ratings.board import Board, Influence, LeaderboardOptions, LeaderboardRow
from playground.ratings.board_filter import on_rows
from playground.ratings.chosen import Chosen
from playground.ratings.comparisons import Meeting, RatingDifference, differences_of, meetings_of, win_probability_of
from playground.ratings.counting import Exclusion
from playground.ratings.findings import Finding
from playground.ratings.summary import findings_of, notes_of, verdict_of
from playground.ratings.verdict import Verdict
from playground.records import VoteFilter

NO_FILTER = VoteFilter()


@dataclass(frozen=True, slots=True)
class BusiestNetwork:
    """The network that gave the most of the votes that count, on one day."""

    votes: int
    share: float  # of the votes that count
    headline_without: str  # of the verdict on all other votes


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The ratings and what they say, in numbers and in words."""

    rows: tuple[LeaderboardRow, ...]  # by group, then best first
    verdict: Verdict
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]  # can these votes be trusted?
    win_probability: tuple[tuple[float | None, ...], ...]  # row beats column, in the order of rows, as fitted
    differences: tuple[RatingDifference, ...]  # of each two models of one group, in the order of rows
    meetings: tuple[Meeting, ...]  # of two rated models each
    basis: str  # what was counted and how, in one line
    category: str  # "" is all
    filter: Mapping[str, str]  # conditions that are set, the category too
    num_votes: int  # that count and are rated
    num_pairs: int
    num_raters: int
    all_votes: int  # counted or not
    exclusions: tuple[Exclusion, ...]  # why the others do not count
    kinds: Mapping[str, int]  # votes of each of `counting.KINDS`, counted or not
    busiest_network: BusiestNetwork | None  # of the votes that count; None if no network is known
    flagged_votes: int  # that count, or would but for their flags
    lighter_raters: int  # whose votes weigh less, so that none has too large a share
    influence: Influence | None  # None without a first place
    same_model_pairs: int  # left out: a model against itself
    unit: str  # rater | vote: what the intervals took to be independent
    is_about_these: bool  # so few raters that the verdict is about them alone, whatever the unit
    claims_are_known: bool  # False: they are being made, and the verdict says so
    options: LeaderboardOptions

    def as_document(self) -> dict[str, Any]:
        """Return the whole as JSON values."""
        return dataclasses.asdict(self)


def rate(chosen: Chosen, category: str = "", filter: VoteFilter = NO_FILTER) -> Leaderboard:
    """Return the leaderboard of some votes.

    If the policy wants drawn pairs and no vote on one counts yet, pairs that raters chose count too.

    Args:
        category: the one that is rated, which the board names.
        filter: the whole filter, which the board names too.
    """
    board = chosen.board()
    leaderboard = leaderboard_of(board, category, filter)
    if chosen.counts_chosen_pairs_only and board.counted.num_counted:
        leaderboard = dataclasses.replace(leaderboard, notes=(notes.CHOSEN_ONLY, *leaderboard.notes))
    return _with_network(leaderboard, chosen, board)


def leaderboard_of(board: Board, category: str = "", filter: VoteFilter = NO_FILTER) -> Leaderboard:
    """Return the leaderboard of a board, whose table may come from elsewhere, such as a ``GROUP BY``."""
    table, counted, options, spread = board.table, board.counted, board.options, board.intervals.spread
    return Leaderboard(
        rows=board.rows,
        verdict=verdict_of(board, category),
        notes=tuple(notes_of(board)),
        findings=tuple(findings_of(board)),
        win_probability=win_probability_of(board),
        differences=tuple(differences_of(board)),
        meetings=tuple(meetings_of(board)),
        basis=notes.basis(
            which=options.policy.description,
            category=category,
            filter=on_rows(filter),
            both_bad=options.both_bad,
            prior=options.prior,
            level=options.level,
            unit=spread.unit,
            resamples=options.resamples,
            filtered=options.filtered,
        ),
        category=category,
        filter=filter.as_mapping(),
        num_votes=table.num_votes,
        num_pairs=len(table.first),
        num_raters=table.num_raters,
        all_votes=counted.votes,
        exclusions=counted.exclusions,
        kinds=counted.kinds,
        busiest_network=None,
        flagged_votes=counted.flagged,
        lighter_raters=len(counted.weights),
        influence=board.influence,
        same_model_pairs=table.unrated,
        unit=spread.unit,
        is_about_these=spread.is_about_these,
        claims_are_known=board.evidence.claims_are_known,
        options=options,
    )


def _with_network(leaderboard: Leaderboard, chosen: Chosen, board: Board) -> Leaderboard:
    """Return the leaderboard with what depends on the network that most of its votes have."""
    judged, networks, counted = chosen.votes, chosen.votes.networks, board.counted
    if networks is None:
        return leaderboard
    known = networks.of_vote[judged.of_votes(counted.rows & (judged.weight > 0))]
    votes = np.bincount(known[known >= 0], minlength=len(networks.tags)).tolist()
    busiest = max(range(len(votes)), key=lambda tag: (votes[tag], tag))
    number = votes[busiest]
    if not number:
        return leaderboard
    others = dataclasses.replace(chosen, models=board.table.models)
    counted_rest = others.count(without=networks.of_vote == busiest)
    board_of_rest = Board(others.table(counted_rest), counted_rest, chosen.options, chosen.cards, replay=chosen.replay)
    if not (leaderboard.claims_are_known and board_of_rest.evidence.claims_are_known):
        return dataclasses.replace(leaderboard, claims_are_known=False)
    headline = verdict_of(board_of_rest, leaderboard.category).headline
    network = BusiestNetwork(number, number / counted.num_counted, headline)
    finding = findings.network(number, network.share, headline, holds=headline == leaderboard.verdict.headline)
    return dataclasses.replace(leaderboard, busiest_network=network, findings=(*leaderboard.findings, finding))
