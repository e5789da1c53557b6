"""Flags of the filter of votes, one for each condition of `VoteFilter`.

Boundary: arguments in, a filter out.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

from playground.ratings.board_filter import ALL, BOARD_FILTERS, WIDER, read_board_filter
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, operator_policy
from playground.records import VoteFilter, read_filter
from playground.settings import Settings

_DEST = "filter_"
"""Beginning of the names of the values: a setting may have the name of a condition, such as `pairs`."""


def add_filter_flags(command: argparse.ArgumentParser) -> None:
    """Add a flag for each condition."""
    group = command.add_argument_group("filter of votes")
    for condition in fields(VoteFilter):
        valid: Collection[str] = condition.metadata["valid"]
        group.add_argument(
            f"--{condition.name}",
            dest=f"{_DEST}{condition.name}",
            default="",
            choices=tuple(map(str, valid)) if valid else None,
            metavar=None if valid else condition.name.upper(),
            help=condition.metadata["help"],
        )


def add_board_flags(command: argparse.ArgumentParser) -> None:
    """Add the flags on which votes a board counts, and one for each condition of a board.

    Some conditions take `all` too, and ``--imported`` alone is ``--imported all``.
    """
    command.add_argument(
        "--count-all", action="store_true", help="count open, quick and flagged votes, and those of busy raters"
    )
    command.add_argument("--open", action="store_true", help="count votes given in open mode too, as --mode all")
    group = command.add_argument_group("filter of votes")
    for condition in fields(VoteFilter):
        if condition.name not in BOARD_FILTERS:
            continue
        valid = tuple(map(str, condition.metadata["valid"]))
        wider = condition.name in WIDER
        values = f": {', '.join((*valid, ALL) if wider else valid)}" if valid else ""
        group.add_argument(
            f"--{condition.name}",
            dest=f"{_DEST}{condition.name}",
            default="",
            nargs="?" if condition.name == "imported" else None,
            const=ALL if condition.name == "imported" else None,
            metavar=condition.name.upper(),
            help=f"{condition.metadata['help']}{values}",
        )


def board_filter_of(arguments: argparse.Namespace, settings: Settings) -> tuple[VoteFilter, CountingPolicy]:
    """Return the filter and the policy that the flags of a board give.

    Raises:
        InvalidValue: a value that is not valid.
    """
    asked = _conditions(arguments)
    if arguments.open:
        asked["mode"] = asked["mode"] or ALL
    every = replace(EVERY_VOTE, keep_running_studies=True)
    return read_board_filter(asked, every if arguments.count_all else operator_policy(settings))


def filter_of(arguments: argparse.Namespace) -> VoteFilter:
    """Return the filter that the flags give.

    Raises:
        InvalidValue: a value that is not valid.
    """
    return read_filter(_conditions(arguments))


def _conditions(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the conditions that the command has."""
    return {name.removeprefix(_DEST): value for name, value in vars(arguments).items() if name.startswith(_DEST)}
