"""``restore``: add the events of a journal, or of the store on the hub, to the database.

Boundary: reads arguments and prints; `storage` and `publishing` decide what is added.
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
from playground.errors import InvalidValue
from playground.publishing.hub import Dataset
from playground.publishing.restore import restore_from_store
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import Progress, Restored, check_journal, restore

BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", nargs="?", metavar="FOLDER", type=Path, help="the journal; default: the one beside the database"
    )
    command.add_argument(
        "--from",
        dest="origin",
        metavar="ID_OR_DIR",
        help="a dataset of the hub (org/name) that is a store, or a folder with a journal",
    )
    command.add_argument("--json", action="store_true", help="one JSON document of counts")
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Restore what is missing and print the counts."""
    if arguments.origin and arguments.folder:
        raise InvalidValue(f"{arguments.folder} and --from {arguments.origin} are two origins; name one of them")
    if arguments.origin and not Path(arguments.origin).is_dir():
        return _run_from_store(arguments.origin, arguments.json, settings, out)
    folder = arguments.folder or (Path(arguments.origin) if arguments.origin else journal_folder(settings.db))
    check_journal(folder)  # before a database is created
    with Store(settings.db, exclusive=settings.db_mounted) as store, _progress_bar() as progress:
        restored = restore(store, folder, progress)
    document = {"db": str(settings.db), "journal": str(folder), **asdict(restored)}
    print_result(document, "\n".join(_report(restored, str(folder), settings.db)), arguments.json, out)
    return 0


def _run_from_store(repo: str, as_json: bool, settings: Settings, out: TextIO) -> int:
    """Restore from the store; return 1 if it is not complete."""
    dataset = Dataset(repo)
    with Store(settings.db, exclusive=settings.db_mounted) as store, _progress_bar() as progress:
        result = restore_from_store(store, dataset, progress)
    journals = {database: asdict(restored) for database, restored in result.journals}
    document = {"db": str(settings.db), "store": repo, "journals": journals, "warnings": result.warnings}
    lines = [line for database, one in result.journals for line in _counts(one, f"{repo}, {database}", settings.db)]
    print_result(document, "\n".join([*(lines or [f"{repo} holds no vote"]), *result.warnings]), as_json, out)
    return int(any("not complete" in warning for warning in result.warnings))


def _report(restored: Restored, origin: str, db: Path) -> Iterator[str]:
    yield from _counts(restored, origin, db)
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
    if restored.held:
        yield restored.held


def _counts(restored: Restored, origin: str, db: Path) -> Iterator[str]:
    yield f"{origin}: {restored.lines} lines; {restored.votes_added} votes and undos added to {db},"
    yield f"{restored.votes_there} were there already"


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal."""
    how = {"unit": "B", "unit_scale": True, "leave": False, "disable": None, "delay": BAR_DELAY_S, "file": sys.stderr}
    with tqdm(desc="restore", **how) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
