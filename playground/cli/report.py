"""``report``: write a board, its votes and its method as one HTML file.

Boundary: reads the database and never writes to it; `playground.report` makes the document.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from playground.arena.line_up import chosen_models
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.cli.database import open_read_only
from playground.cli.filters import add_board_flags, board_filter_of
from playground.cli.printing import print_result
from playground.cli.progress import progress_bar
from playground.clock import utc_now
from playground.publishing.contents import LEFT_OUT
from playground.ratings.board import LeaderboardOptions
from playground.ratings.board_rules import options_of, read_board_rules
from playground.ratings.leaderboard import NO_FILTER
from playground.ratings.phrases import number_of
from playground.ratings.policy import default_policy, operator_policy
from playground.report.report import TITLE, AskedReport, Report, Sources, read_report
from playground.report.writing import WrittenReport, check_target, write_report
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.ui.texts.formats import size


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="OUT.html", type=Path, help="replaced if present")
    add_report_flags(command)
    command.add_argument(
        "--json", action="store_true", help="one JSON document {path, bytes, sha256, votes, battles, older, left_out}"
    )
    add_flags(command, "db", "cards", "templates", "prior", "count_chosen")
    command.set_defaults(run=run)


def add_report_flags(command: argparse.ArgumentParser) -> None:
    """Add the flags on what a report is about."""
    command.add_argument("--title", default=TITLE, help=f"the name of the report [{TITLE}]")
    command.add_argument(
        "--both-bad", default="half", help="votes that find all answers bad: half (a tie; default), omit (left out)"
    )
    add_board_flags(command)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the report and print what is in it."""
    check_target(arguments.path)
    report = read_asked(arguments, settings)
    written = write_report(report, arguments.path)
    print_result(written.as_document(), "\n".join(_lines(written)), arguments.json, out)
    return 0


def read_asked(arguments: argparse.Namespace, settings: Settings) -> Report:
    """Return the report that the flags ask for."""
    filter, policy = board_filter_of(arguments, settings)
    rules, default = read_board_rules({"both_bad": arguments.both_bad}), operator_policy(settings)
    options = options_of(rules, filter=filter, policy=policy, default=default, prior=settings.prior)
    return _read(settings, AskedReport(filter, options, utc_now(), arguments.title))


def default_report(settings: Settings) -> Report:
    """Return the report on the default board that everybody may see: without votes of running studies."""
    options = LeaderboardOptions(policy=default_policy(settings), prior=settings.prior)
    return _read(settings, AskedReport(NO_FILTER, options, utc_now()))


def _read(settings: Settings, asked: AskedReport) -> Report:
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    models = [card.id for card in catalog.line_up(chosen_models(catalog, settings))]
    sources = Sources(settings, catalog, models, load_starters(settings.starters_folder))
    with open_read_only(settings.db) as store, progress_bar("report") as progress:
        return read_report(store, sources, asked, progress)


def _lines(written: WrittenReport) -> Iterator[str]:
    votes, battles = number_of("vote", written.votes), number_of("battle", written.battles)
    yield f"{written.path}: {votes}, {battles} with words, {size(written.bytes)}"
    if written.older:
        yield f"without the words of {number_of('older battle', written.older)}"
    for reason, number in written.left_out.items():
        yield f"without the words of {number_of('vote', number)} {LEFT_OUT[reason]}"
