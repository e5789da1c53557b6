"""``leaderboard``: print ratings with intervals and the verdict.

Boundary: reads the database and never writes to it; the document is the API's /leaderboard.
"""

from __future__ import annotations

import argparse
from typing import TextIO

from playground.arena.line_up import chosen_models
from playground.arena.listing import current_leaderboard
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.cli.database import open_read_only
from playground.cli.filters import add_board_flags
from playground.cli.printing import print_json, print_table
from playground.clock import utc_now
from playground.ratings.board import LeaderboardOptions, LeaderboardRow
from playground.ratings.board_filter import ALL, read_board_filter
from playground.ratings.leaderboard import NO_FILTER, Leaderboard
from playground.ratings.phrases import rank_range
from playground.ratings.policy import EVERY_VOTE, default_policy
from playground.settings import Settings, add_flags


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--count-all", action="store_true", help="count open, quick and flagged votes, and those of busy raters"
    )
    command.add_argument("--open", action="store_true", help="count votes given in open mode too, as --mode all")
    add_board_flags(command)
    command.add_argument("--json", action="store_true", help="one JSON document, as the API's /leaderboard")
    add_flags(command, "db", "cards", "templates", "prior", "count_chosen")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the verdict and the ratings."""
    with open_read_only(settings.db) as store:
        starters = load_starters(settings.starters_folder)
        catalog = Catalog.load(settings.card_folders, settings.template_folders)
        models = [card.id for card in catalog.line_up(chosen_models(catalog, settings))]
        asked = vars(arguments) | ({"mode": arguments.mode or ALL} if arguments.open else {})
        default = default_policy(settings)
        filter, policy = read_board_filter(asked, EVERY_VOTE if arguments.count_all else default)
        is_filtered = filter != NO_FILTER or policy != default
        options = LeaderboardOptions(policy=policy, prior=settings.prior, filtered=is_filtered)
        board = current_leaderboard(store, catalog, models, starters, utc_now(), filter, options)
    if arguments.json:
        print_json(board.as_document(), out)
        return 0
    _print_board(board, out)
    return 0


def _print_board(board: Leaderboard, out: TextIO) -> None:
    print(board.verdict, file=out)
    for note in board.notes:
        print(note, file=out)
    if board.rows:
        print(file=out)
        heads = ("rank", "model", "rating", "95 %", "battles", "wins", "all bad", "license")
        print_table(heads, (_board_line(row) for row in board.rows), out)
        print(file=out)
        for finding in board.findings:
            print(f"{finding.topic}. {finding.text}", file=out)


def _board_line(row: LeaderboardRow) -> tuple[str, ...]:
    rank = rank_range(row.rank_lower, row.rank_upper, row.provisional)
    interval = f"{row.rating_lower:.0f}–{row.rating_upper:.0f}"
    wins, bad = f"{row.win_rate:.0%}", f"{row.both_bad_rate:.0%}"
    return rank, row.model, f"{row.rating:.0f}", interval, str(row.battles), wins, bad, row.license
