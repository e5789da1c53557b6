"""``backup``: copy the database to one file.

Boundary: reads the database and never writes to it; works while the page runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from playground.cli.database import readable
from playground.cli.printing import print_result
from playground.ratings.phrases import number_of
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.maintenance.backup import backup, check_target


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="PATH", type=Path, help="the copy; an earlier one of this name is replaced")
    command.add_argument("--json", action="store_true", help="one JSON document: {path, size_bytes, rows by table}")
    add_flags(command, "db")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Copy the database and print what the copy holds."""
    check_target(settings.db, arguments.path)  # also if what is copied is itself a copy
    with readable(settings.db) as source:
        made = backup(source, arguments.path)
    document = {"path": str(made.path), "size_bytes": made.size_bytes, "rows": dict(made.rows)}
    battles, votes = made.rows.get("battles", 0), made.rows.get("votes", 0)
    counts = f"{number_of('battle', battles)} and {number_of('row', votes)} of votes and undos"
    print_result(document, f"{made.path}: {made.size_bytes / 1e6:.1f} MB, {counts}, checked", arguments.json, out)
    return 0
