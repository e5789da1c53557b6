"""Flags of the filter of votes, one for each condition of `VoteFilter`.

Boundary: arguments in, a filter out.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import fields

from playground.ratings.board_filter import ALL, BOARD_FILTERS, WIDER
from playground.records import VoteFilter, read_filter


def add_filter_flags(command: argparse.ArgumentParser) -> None:
    """Add a flag for each condition."""
    group = command.add_argument_group("filter of votes")
    for condition in fields(VoteFilter):
        valid: Collection[str] = condition.metadata["valid"]
        group.add_argument(
            f"--{condition.name}",
            default="",
            choices=tuple(map(str, valid)) if valid else None,
            metavar=None if valid else condition.name.upper(),
            help=condition.metadata["help"],
        )


def add_board_flags(command: argparse.ArgumentParser) -> None:
    """Add a flag for each condition of a board; some take `all` too, and ``--imported`` alone is ``--imported all``."""
    group = command.add_argument_group("filter of votes")
    for condition in fields(VoteFilter):
        if condition.name not in BOARD_FILTERS:
            continue
        valid = tuple(map(str, condition.metadata["valid"]))
        wider = condition.name in WIDER
        values = f": {', '.join((*valid, ALL) if wider else valid)}" if valid else ""
        group.add_argument(
            f"--{condition.name}",
            default="",
            nargs="?" if condition.name == "imported" else None,
            const=ALL if condition.name == "imported" else None,
            metavar=condition.name.upper(),
            help=f"{condition.metadata['help']}{values}",
        )


def filter_of(arguments: argparse.Namespace) -> VoteFilter:
    """Return the filter that the flags give.

    Raises:
        InvalidValue: a value that is not valid.
    """
    return read_filter(vars(arguments))
