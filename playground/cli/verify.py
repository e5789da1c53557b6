"""``verify``: check that database and journal are intact and agree.

Boundary: reads both and writes to neither; works while the page runs.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TextIO

from playground.cli.printing import print_result
from playground.ratings.phrases import number_of
from playground.settings import Settings, add_flags
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import verify


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one array of {what, next_step}; empty if all is well")
    add_flags(command, "db")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print each finding with the next step; return 1 if there is any."""
    with Store(settings.db, read_only=True) as store:
        findings = verify(store, journal_folder(settings.db))
        votes = store.count_votes() if not findings else 0
    text = "\n".join(f"{finding.what}\n  {finding.next_step}" for finding in findings)
    intact = f"{settings.db} and its journal are intact and agree: {number_of('battle', votes)} with a vote"
    print_result([asdict(finding) for finding in findings], text or intact, arguments.json, out)
    return 1 if findings else 0
