"""Leaderboards of a running playground, and their analyses: one of each per filter, shared by everybody who asks.

A board that is made quickly is always that of the latest vote. One that takes longer is shown as it was, while the next
one is made beside it, and rests in proportion to what it cost: however many votes come in and however many people look,
a filter costs a small share of one processor. The first to ask do not wait for the claims of many votes: these are made
beside the board that is shown without them. Analyses are always made beside.

Boundary: knows which board is asked for; `result_cache` decides when it is made, `listing` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from playground.arena.battles import ArenaBattles
from playground.arena.listing import current_analyses, current_leaderboard
from playground.arena.models import Models
from playground.arena.result_cache import ResultCache
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_filter import narrowed
from playground.ratings.board_rules import BoardRules, options_of
from playground.ratings.claims import ClaimMemory, ClaimReplay
from playground.ratings.leaderboard import Leaderboard
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored_styles import StoredStyles
from playground.records import Instruction, VoteFilter

MOST_BOARDS = 32
MOST_ANALYSES = 16
WAIT_S = 0.3
"""The longest time for which somebody who asks for analyses waits: those of few votes are ready by then."""
MOST_VOTES_AT_ONCE = 500_000
"""Votes that all looks of a replay read while a visitor waits: some half a second, for a board of 45,000 votes."""

AskedBoard = tuple[VoteFilter, LeaderboardOptions, tuple[str, ...]]
"""The filter, the options, and the models that are named without a vote."""


def asked_board(
    default: CountingPolicy,
    prior: float,
    models: Models,
    filter: VoteFilter,
    policy: CountingPolicy | None,
    rules: BoardRules,
) -> AskedBoard:
    """Return a board with this filter; it counts under the default policy where no other one is given.

    One with other rules is filtered too: it keeps no claims from earlier looks.

    Raises:
        InvalidValue: a condition that boards do not have.
    """
    policy = narrowed(policy or default, filter)
    options = options_of(rules, filter=filter, policy=policy, default=default, prior=prior)
    return filter, options, tuple(card.id for card in models.line_up)


def arena_boards(
    battles: ArenaBattles, catalog: Catalog, starters: Mapping[str, Sequence[Instruction]], clock: Clock
) -> ResultCache[AskedBoard, Leaderboard]:
    """Return the boards of an arena's stored votes."""
    memory = ClaimMemory()

    def make(asked: AskedBoard, patient: bool) -> Leaderboard:
        filter, options, models = asked
        replay = ClaimReplay(memory, most_votes=None if patient else MOST_VOTES_AT_ONCE)
        store, now = battles.stored.store, clock.now()
        return current_leaderboard(store, catalog, models, starters, now, filter, options, replay)

    def is_complete(board: Leaderboard) -> bool:
        return board.claims_are_known

    return ResultCache(make, _is_default, _state_of_votes(battles, clock), MOST_BOARDS, is_complete)


def arena_analyses(
    battles: ArenaBattles, catalog: Catalog, starters: Mapping[str, Sequence[Instruction]], clock: Clock
) -> ResultCache[AskedBoard, Analyses]:
    """Return the analyses of an arena's stored votes."""
    styles = StoredStyles()

    def make(asked: AskedBoard, patient: bool) -> Analyses:
        filter, options, models = asked
        return current_analyses(battles.stored.store, catalog, models, starters, clock.now(), filter, options, styles)

    return ResultCache(make, _is_default, _state_of_votes(battles, clock), MOST_ANALYSES)


def newest_analyses(
    cache: ResultCache[AskedBoard, Analyses], asked: AskedBoard, wait_s: float = WAIT_S
) -> Analyses | NoAnalyses:
    """Return the newest analyses of a board that are ready, or why there are none."""
    try:
        return cache.newest(asked, wait_s) or NoAnalyses()
    except PlaygroundError as error:
        return NoAnalyses(error.public)


def _is_default(asked: AskedBoard) -> bool:
    return not asked[1].filtered


def _state_of_votes(battles: ArenaBattles, clock: Clock) -> Callable[[], Hashable]:
    def state() -> Hashable:
        with battles.stored.store.reading() as reading:
            return reading.board_state(clock.now())

    return state
