"""``export``: write votes as data.

Boundary: reads the database and never writes to it; the formats are those of `exchange`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from playground.cli.database import open_read_only
from playground.cli.printing import print_result
from playground.exchange import FORMATS, ExportOptions, export
from playground.ratings.phrases import number_of
from playground.ratings.policy import default_policy
from playground.settings import Settings, add_flags


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("format", metavar="FORMAT", choices=sorted(FORMATS), help=", ".join(sorted(FORMATS)))
    command.add_argument("path", metavar="PATH", type=Path, help="its ending gives the container; replaced if present")
    command.add_argument("--counted-only", action="store_true", help="only votes that count on the leaderboard")
    command.add_argument("--blind-only", action="store_true", help="leave out votes given in open mode")
    command.add_argument("--category", default="", help="only instructions of this category")
    command.add_argument("--commercial", action="store_true", help="leave out answers under a non-commercial license")
    command.add_argument("--anonymous", action="store_true", help="number the raters instead of naming them")
    command.add_argument("--json", action="store_true", help="one JSON document: {format, path, rows}")
    add_flags(command, "db", "count_chosen")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the votes and print the number of rows."""
    options = ExportOptions(
        counted_only=arguments.counted_only,
        blind_only=arguments.blind_only,
        category=arguments.category,
        commercial_only=arguments.commercial,
        anonymous=arguments.anonymous,
        policy=default_policy(settings),
    )
    with open_read_only(settings.db) as store:
        rows = export(store, arguments.format, arguments.path, options)
    document = {"format": arguments.format, "path": str(arguments.path), "rows": rows}
    print_result(
        document, f"{number_of('row', rows)} of {arguments.format} written to {arguments.path}", arguments.json, out
    )
    return 0
