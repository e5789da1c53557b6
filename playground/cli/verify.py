"""``verify``: check that database and journal are intact and agree, or that a published dataset does.

Boundary: reads and writes to nothing; works while the page runs.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from playground.cli.database import readable
from playground.cli.printing import print_result
from playground.publishing.published import check_publication
from playground.ratings.phrases import number_of
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import Problem, verify

_NEXT_STEP = "download the dataset again; if it still differs, its files were changed after publishing: publish again"


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one array of {what, next_step}; empty if all is well")
    command.add_argument(
        "--published",
        metavar="DIR",
        type=Path,
        help="recompute counts, hashes and the leaderboard of a published dataset from its files alone",
    )
    add_flags(command, "db")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print each finding with the next step; return 1 if there is any."""
    if arguments.published is not None:
        return _check_published(arguments.published, arguments.json, out)
    with readable(settings.db) as path, Store(path, read_only=True) as store:
        found = verify(store, journal_folder(settings.db))
        votes = store.count_votes() if not found else 0
    findings = [_about(settings.db, path, finding) for finding in found]
    text = "\n".join(f"{finding.what}\n  {finding.next_step}" for finding in findings)
    intact = f"{settings.db} and its journal are intact and agree: {number_of('battle', votes)} with a vote"
    print_result([asdict(finding) for finding in findings], text or intact, arguments.json, out)
    return 1 if findings else 0


def _check_published(folder: Path, as_json: bool, out: TextIO) -> int:
    """Print each difference of a published dataset; return 1 if there is any."""
    checked = check_publication(folder)
    digits = "to the last digit" if checked.exact else "to nine digits (the libraries here are others)"
    agrees = f"{folder}: hashes, counts and the leaderboard agree {digits}: {number_of('vote', checked.votes)}"
    findings = [{"what": what, "next_step": _NEXT_STEP} for what in checked.differences]
    text = "\n".join((*checked.differences, f"  {_NEXT_STEP}")) if checked.differences else agrees
    print_result(findings, text, as_json, out)
    return 1 if findings else 0


def _about(database: Path, read: Path, finding: Problem) -> Problem:
    """Return a finding that names the database, not the copy of it that was read."""
    what, next_step = (text.replace(str(read), str(database)) for text in (finding.what, finding.next_step))
    return Problem(what, next_step)
