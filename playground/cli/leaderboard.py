"""``leaderboard``: print ratings with intervals and the verdict.

Boundary: reads the database and never writes to it; the document is the API's /leaderboard.
"""

from __future__ import annotations

import argparse
from typing import TextIO

from playground.arena.line_up import chosen_models
from playground.arena.listing import board_document, current_analyses, current_leaderboard
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.cli.database import open_read_only
from playground.cli.filters import add_board_flags, board_filter_of
from playground.cli.printing import print_json, print_table
from playground.clock import utc_now
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.board import LeaderboardRow
from playground.ratings.board_rules import BoardRules, options_of
from playground.ratings.covariance import UNITS
from playground.ratings.intervals import DEFAULT_LEVEL
from playground.ratings.leaderboard import Leaderboard
from playground.ratings.phrases import rank_range
from playground.ratings.policy import operator_policy
from playground.settings import Settings
from playground.settings_sources import add_flags


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--unit", default="auto", help=f"what intervals take to be independent: {', '.join(UNITS)}")
    command.add_argument("--level", default=DEFAULT_LEVEL, type=float, help="of intervals and claims [0.95]")
    command.add_argument(
        "--both-bad", default="half", help="votes that find all answers bad: half (a tie; default), omit (left out)"
    )
    command.add_argument(
        "--bootstrap", default=0, type=int, metavar="N", help="intervals from N resamples instead of the jackknife"
    )
    command.add_argument(
        "--analyses",
        action="store_true",
        help="print style, carrying votes and other choices too; seconds with many votes",
    )
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
        filter, policy = board_filter_of(arguments, settings)
        rules = BoardRules(arguments.unit, arguments.level, arguments.both_bad, arguments.bootstrap)
        default = operator_policy(settings)
        options = options_of(rules, filter=filter, policy=policy, default=default, prior=settings.prior)
        now = utc_now()
        board = current_leaderboard(store, catalog, models, starters, now, filter, options)
        wanted = arguments.json or arguments.analyses
        analyses = current_analyses(store, catalog, models, starters, now, filter, options) if wanted else NoAnalyses()
    if arguments.json:
        print_json(board_document(board, analyses), out)
        return 0
    _print_board(board, out)
    if isinstance(analyses, Analyses):
        print(file=out)
        for topic, text in analyses.sentences():
            print(f"{topic}. {text}", file=out)
    return 0


def _print_board(board: Leaderboard, out: TextIO) -> None:
    print(board.verdict, file=out)
    for note in board.notes:
        print(note, file=out)
    if board.rows:
        print(file=out)
        heads = ("rank", "model", "rating", f"{100 * board.options.level:g} %", "battles", "wins", "all bad", "license")
        print_table(heads, (_board_line(row) for row in board.rows), out)
        print(file=out)
        for finding in board.findings:
            print(f"{finding.topic}. {finding.text}", file=out)


def _board_line(row: LeaderboardRow) -> tuple[str, ...]:
    rank = rank_range(row.rank_lower, row.rank_upper, row.provisional)
    interval = f"{row.rating_lower:.0f}–{row.rating_upper:.0f}"
    wins, bad = f"{row.win_rate:.0%}", f"{row.both_bad_rate:.0%}"
    return rank, row.model, f"{row.rating:.0f}", interval, str(row.battles), wins, bad, row.license
