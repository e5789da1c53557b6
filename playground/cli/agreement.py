"""``agreement``: print how far raters agree, with each other and with themselves.

Boundary: reads the database and never writes to it; the document is `analyses.agreement` of the API's /leaderboard.
"""

from __future__ import annotations

import argparse
from typing import TextIO

from playground.arena.listing import current_agreement
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.cli.database import open_read_only
from playground.cli.filters import add_board_flags, board_filter_of
from playground.cli.printing import print_json, print_table
from playground.clock import utc_now
from playground.ratings.board import LeaderboardOptions
from playground.ratings.phrases import percent
from playground.ratings.repeats import SideWins
from playground.settings import Settings
from playground.settings_sources import add_flags


def add(command: argparse.ArgumentParser) -> None:
    add_board_flags(command)
    command.add_argument("--json", action="store_true", help="one JSON document")
    add_flags(command, "db", "cards", "templates", "count_chosen")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print the agreement of raters, of each rater with themselves, and the side on which each model wins."""
    with open_read_only(settings.db) as store:
        catalog = Catalog.load(settings.card_folders, settings.template_folders)
        filter, policy = board_filter_of(arguments, settings)
        options = LeaderboardOptions(policy=policy)
        starters = load_starters(settings.starters_folder)
        found = current_agreement(store, catalog, starters, utc_now(), filter, options)
    if arguments.json:
        print_json(found.as_document(), out)
        return 0
    for text in found.sentences():
        print(text, file=out)
    if found.sides:
        print(file=out)
        heads = ("model", "wins when earlier", "wins when later", "difference", "95 % together")
        print_table(heads, (_line(sides) for sides in found.sides), out)
    return 0


def _line(sides: SideWins) -> tuple[str, ...]:
    wins = [
        "–" if share is None else f"{percent(share)} of {number:,}"
        for share, number in ((sides.won_earlier, sides.earlier), (sides.won_later, sides.later))
    ]
    if sides.difference is None or sides.lower is None or sides.upper is None:
        return sides.model, *wins, "–", "–"
    return (
        sides.model,
        *wins,
        f"{100 * sides.difference:+.0f} %",
        f"{100 * sides.lower:+.0f} to {100 * sides.upper:+.0f} %",
    )
