"""The verdict, notes and findings of a board.

Boundary: chooses which sentences a board needs; they are worded in `verdict`, `notes` and `findings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from playground.messages import Message, joined
from playground.ratings import bias, findings, notes, verdict
from playground.ratings.board import Board
from playground.ratings.counting import KINDS
from playground.ratings.covariance import MIN_RATERS
from playground.ratings.findings import Finding
from playground.ratings.intervals import DEFAULT_LEVEL
from playground.ratings.misfit import Misfit
from playground.ratings.pairs import BOTH_BAD, FloatArray
from playground.ratings.policy import ExclusionReason
from playground.ratings.power import VotesNeeded
from playground.ratings.verdict import Scope, Verdict


def verdict_of(board: Board, category: str) -> Verdict:
    table, min_battles = board.table, board.options.min_battles
    if not table.first.size:
        exclusions = board.counted.exclusions
        return verdict.nothing_yet(
            min_battles,
            only_open=[exclusion.reason for exclusion in exclusions] == [ExclusionReason.OPEN_MODE],
            left_out=joined(" ", (found.text for found in _counted(board))) if exclusions else "",
            same_model=table.unrated > 0,
            category=category,
        )
    if not board.is_decided:
        all_bad = np.unique(table.vote[table.outcome == BOTH_BAD])
        return verdict.nobody_won(table.num_votes, len(all_bad))
    if not any(len(board.evidence.settled_of(group)) > 1 for group in board.groups):
        return verdict.too_few(min_battles, [int(board.rated_votes[i]) for i in board.order])
    if len(board.groups) > 1:
        return verdict.unconnected(len(board.groups))
    return _told_apart(board, board.groups[0])


def notes_of(board: Board) -> Iterator[str]:
    """Yield the notes on groups, on models, and on votes."""
    if len(board.groups) > 1:
        yield notes.not_met([board.named(group) for group in board.groups])
        for group in board.groups:
            if len(board.evidence.settled_of(group)) > 1:
                yield notes.within(board.named(group), _told_apart(board, group))
    few = [i for i in board.order if not board.settled[i]]
    if few:
        yield notes.provisional(board.options.min_battles, [(board.names[i], int(board.rated_votes[i])) for i in few])
    if board.evidence.claims_are_known:
        yield from _lopsided(board)
        if _ranks_say_more(board):
            yield notes.ranks_say_more(board.options.filtered)
    thin = [i for i in board.order if board.intervals.spread.few_raters[i]]
    if thin:
        yield notes.few_raters(board.named(thin), MIN_RATERS)
    missing = [i for i in range(len(board.names)) if i not in board.order]
    if missing:
        yield notes.not_rated(board.named(missing))
    if board.table.unrated:
        yield notes.left_out_same(board.table.unrated)
    if board.options.filtered and board.rows:
        yield notes.one_of_many()


def _lopsided(board: Board) -> Iterator[str]:
    """Yield a one-sided note on each model that wins or loses nearly always, compared to its neighbour."""
    won, lost, lopsided = board.table.wins.sum(axis=1), board.table.wins.sum(axis=0), board.evidence.lopsided
    for group in board.groups:
        for above, below in pairwise(group):
            if lopsided[above] and won[above] > lost[above]:
                names = board.names[above], board.names[below]
                yield notes.far_ahead(*names, _at_least(board, above, below), always=lost[above] == 0)
            elif lopsided[below] and won[below] < lost[below]:
                names = board.names[below], board.names[above]
                yield notes.far_behind(*names, _at_least(board, above, below), always=won[below] == 0)


def _at_least(board: Board, above: int, below: int) -> float:
    """Return by how many points one model is ahead of another at least; 0 if it is not claimed to be ahead."""
    return board.evidence.least_difference(above, below) if board.evidence.claims.ahead[above, below] else 0.0


def _ranks_say_more(board: Board) -> bool:
    """Return True if ranks tell models apart that the verdict does not."""
    claimed = board.evidence.claims.above.copy()
    for group in board.groups:
        claimed[group[0]] |= board.evidence.claims.ahead[group[0]]
    return bool((board.better & ~claimed).any())


def findings_of(board: Board) -> Iterator[Finding]:
    """Yield the findings on counting, then on flags and influence in the first group, then on bias and raters."""
    table, counted, level = board.table, board.counted, board.options.level
    yield from _counted(board)
    if len(counted.kinds) > 1:
        yield findings.kinds([(KINDS[kind], votes) for kind, votes in counted.kinds.items()])
    if board.other_ratings is not None and board.groups:
        counts_flagged = not board.options.policy.leave_out_flagged
        yield findings.flagged(counted.flagged, *_orders(board, board.other_ratings), counted=counts_flagged)
    if board.stricter_ratings is not None and board.groups:
        yield findings.seen_elsewhere(counted.seen_elsewhere, *_orders(board, board.stricter_ratings))
    if (influence := board.influence) is not None:
        name = board.names[table.models.index(influence.first)]
        yield findings.robustness(influence.votes, table.num_votes, name)
    if board.evidence.misfit is not None:
        yield _misfit(board, board.evidence.misfit)
    by_side = zip(board.names, bias.wins_by_side(table, level=level), strict=True)
    if (found := findings.position_of_models(list(by_side))) is not None:
        yield found
    weight = table.weight_by_rater
    heaviest = float(weight.max(initial=0.0) / max(weight.sum(), 1e-9))
    yield findings.raters(table.votes_by_rater.tolist(), board.intervals.spread.unit, heaviest)


def _orders(board: Board, ratings: FloatArray) -> tuple[list[str], list[str], list[str]]:
    """Return the order of the board, that of other ratings, and the models that these do not compare."""
    own, other = board.orders(ratings)
    return own, other, [name for name in board.named(board.groups[0]) if name not in own]


def _counted(board: Board) -> Iterator[Finding]:
    counted = board.counted
    if counted.votes:
        yield findings.counted(
            counted.votes,
            [(exclusion.votes, exclusion.words) for exclusion in counted.exclusions],
            lighter_raters=len(counted.weights),
            share=board.options.policy.max_share_per_rater,
        )


def _misfit(board: Board, found: Misfit) -> Finding:
    if found.cycle:
        return findings.cycle(board.named(found.cycle))
    winner, loser = board.named((found.winner, found.loser))
    return findings.misfit(winner, loser, found.share, found.expected)


def _told_apart(board: Board, group: Sequence[int]) -> Verdict:
    """Return the verdict on the settled models of a group."""
    if not board.evidence.claims_are_known:
        return verdict.not_known_yet()
    known = board.evidence.settled_of(group)
    error = 1 - board.options.level
    pairs = len(known) * (len(known) - 1) // 2

    def needed(i: int, j: int) -> VotesNeeded:
        corrected = error / (pairs if i else 1)  # only the lead needs no correction
        return board.evidence.votes_needed(known[i], known[j], corrected)

    everybody = len(known) == len(group)
    found = verdict.told_apart(
        board.named(known),
        board.evidence.claims.ahead[np.ix_(known, known)].tolist(),
        board.evidence.claims.above[np.ix_(known, known)].tolist(),
        needed,
        scope=Scope(
            among=""
            if everybody
            else Message("the models with {battles} battles or more", battles=board.options.min_battles),
            raters=board.table.num_raters if board.intervals.spread.is_about_these else 0,
        ),
        misfit="" if board.evidence.misfit is None else _misfit(board, board.evidence.misfit).text,
    )
    level = board.options.level
    return found if level == DEFAULT_LEVEL else verdict.at_level(found, level, DEFAULT_LEVEL)
