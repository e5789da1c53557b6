"""``restore``: add the events of a journal to the database.

Boundary: reads arguments and prints; `storage` decides what is added.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from playground.cli.printing import print_result
from playground.settings import Settings, add_flags
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import Progress, Restored, restore

BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", nargs="?", metavar="FOLDER", type=Path, help="the journal; default: the one beside the database"
    )
    command.add_argument("--json", action="store_true", help="one JSON document of counts")
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Restore what is missing and print the counts."""
    folder = arguments.folder or journal_folder(settings.db)
    with Store(settings.db, exclusive=settings.db_mounted) as store, _progress_bar() as progress:
        restored = restore(store, folder, progress)
    document = {"db": str(settings.db), "journal": str(folder), **asdict(restored)}
    print_result(document, "\n".join(_report(restored, folder, settings.db)), arguments.json, out)
    return 0


def _report(restored: Restored, folder: Path, db: Path) -> Iterator[str]:
    yield f"{folder}: {restored.lines} lines; {restored.votes_added} votes and undos added to {db},"
    yield f"{restored.votes_there} were there already"
    faults = (
        (restored.torn, "lines were cut off at the end of a segment, as by a kill"),
        (restored.damaged, "lines are damaged and were left out"),
        (restored.refused, "lines do not fit: their battle is unknown, or was judged otherwise meanwhile"),
        (restored.missing, "events are in no segment"),
    )
    yield from (f"{number} {words}" for number, words in faults if number)
    if restored.moved_to:
        yield f"the journal and the database had diverged: the journal was moved to {restored.moved_to},"
        yield "and the next start writes it again in full"


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal."""
    how = {"unit": "B", "unit_scale": True, "leave": False, "disable": None, "delay": BAR_DELAY_S, "file": sys.stderr}
    with tqdm(desc="restore", **how) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
