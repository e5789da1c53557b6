"""``restore``: votes of a journal back into the database.

Boundary: reads arguments and prints; what is brought in, and what not, is `storage`'s to say.
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

from playground.cli.printing import print_json
from playground.settings import Settings, add_flags
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import Progress, Restored, restore

QUICK_S = 1.0
"""What is done sooner needs no bar."""


def add(command: argparse.ArgumentParser) -> None:
    """The arguments of `restore`."""
    command.add_argument(
        "folder", nargs="?", metavar="FOLDER", type=Path, help="the journal; left out: the one beside the database"
    )
    command.add_argument("--json", action="store_true", help="one JSON document of counts")
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Bring in what is missing, and say what that was."""
    folder = arguments.folder or journal_folder(settings.db)
    with Store(settings.db, exclusive=settings.db_mounted) as store, _bar() as progress:
        brought = restore(store, folder, progress)
    if arguments.json:
        print_json({"db": str(settings.db), "journal": str(folder), **asdict(brought)}, out)
    else:
        print("\n".join(_words(brought, folder, settings.db)), file=out)
    return 0


def _words(brought: Restored, folder: Path, db: Path) -> Iterator[str]:
    yield f"{folder}: {brought.lines} lines; {brought.votes_added} votes and undos added to {db},"
    yield f"{brought.votes_there} were there already"
    faults = (
        (brought.torn, "lines were cut off at the end of a segment, as by a kill"),
        (brought.damaged, "lines are damaged and were left out"),
        (brought.refused, "lines do not fit: their battle is unknown, or was judged otherwise meanwhile"),
        (brought.missing, "events are in no segment"),
    )
    yield from (f"{number} {words}" for number, words in faults if number)
    if brought.moved_to:
        yield f"the journal and the database had gone apart: it lies in {brought.moved_to} now,"
        yield "and the next start writes it anew in full"


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on standard error, when somebody looks at it and it takes a while."""
    how = {"unit": "B", "unit_scale": True, "leave": False, "disable": None, "delay": QUICK_S, "file": sys.stderr}
    with tqdm(desc="restore", **how) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
