"""``import``: add the votes and answers of a file to the database.

Boundary: reads arguments, shows progress and prints; the formats are those of `exchange.imports`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from playground.cli.database import open_read_only
from playground.cli.printing import print_result
from playground.exchange.imports import FORMATS, WITHOUT_VOTES, Imported, import_file
from playground.exchange.imports.importing import Progress
from playground.ratings.phrases import number_of
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder

BAR_DELAY_S = 1.0
"""A command that ends sooner shows no bar."""
MAX_SHOWN = 100
"""Different errors that are named; rows with others are counted."""
POLL_S = 0.1


def add(command: argparse.ArgumentParser) -> None:
    known = (*FORMATS, *WITHOUT_VOTES)
    command.add_argument("format", metavar="FORMAT", choices=known, help=", ".join(FORMATS))
    command.add_argument("path", metavar="PATH", type=Path, help="a .jsonl, .json, .csv or .parquet file")
    command.add_argument("--dry-run", action="store_true", help="check every row and store nothing")
    command.add_argument("--json", action="store_true", help="one JSON document: counts, models and errors")
    add_flags(command, "db", "db_mounted", "instruction_chars", "system_chars")
    command.set_defaults(run=run)


@dataclass(slots=True)
class _Problem:
    """An error, and the rows that have it."""

    place: str  # of the first one
    error: str
    rows: int = 1


@dataclass(slots=True)
class _Problems:
    """The errors of a file's rows, each with its first row and the number of all; printed when it is first met."""

    quiet: bool
    count: int = 0
    _shown: dict[str, _Problem] = field(default_factory=dict)  # by error

    def report(self, place: str, why: str) -> None:
        """Add a bad row."""
        self.count += 1
        if why in self._shown:
            self._shown[why].rows += 1
        elif len(self._shown) < MAX_SHOWN:
            self._shown[why] = _Problem(place, why)
            if not self.quiet:
                tqdm.write(f"{place}: {why}", file=sys.stderr)

    @property
    def shown(self) -> list[_Problem]:
        return list(self._shown.values())


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Import the rows and print the counts; return 1 if a row was refused."""
    problems = _Problems(arguments.json)
    with _progress_bar() as progress:
        if arguments.dry_run:
            counts = _check(arguments, settings, problems, progress)
        else:
            counts = _import(arguments, settings, problems, progress)
    document = {
        "format": arguments.format,
        "path": str(arguments.path),
        "dry_run": arguments.dry_run,
        **asdict(counts),
        "errors": [asdict(problem) for problem in problems.shown],
    }
    print_result(document, "\n".join(_summary(counts, problems, arguments.dry_run)), arguments.json, out)
    return 1 if problems.count else 0


def _check(arguments: argparse.Namespace, settings: Settings, problems: _Problems, progress: Progress) -> Imported:
    """Read the file and compare it with the database, if there is one."""
    with open_read_only(settings.db) if settings.db.is_file() else Store(None) as store:
        return import_file(
            store, arguments.format, arguments.path, settings, is_dry=True, progress=progress, report=problems.report
        )


def _import(arguments: argparse.Namespace, settings: Settings, problems: _Problems, progress: Progress) -> Imported:
    if not settings.db.is_file():
        print(f"import: there is no database at {settings.db}; a new one is made there", file=sys.stderr)
    with Store(settings.db, exclusive=settings.db_mounted) as store:
        journal = Journal(store, journal_folder(settings.db))
        try:
            counts = import_file(
                store, arguments.format, arguments.path, settings, progress=progress, report=problems.report
            )
            _wait_for(journal)
        finally:
            journal.close()
        state = journal.state()
        if state.lag:
            print(f"import: not yet in the journal, which goes on at the next start: {state.error}", file=sys.stderr)
    return counts


def _wait_for(journal: Journal) -> None:
    """Wait until the journal has every vote, or says why it cannot be written."""
    behind = journal.state().lag
    how = {"total": behind, "unit": " votes", "leave": False, "disable": None, "delay": BAR_DELAY_S, "file": sys.stderr}
    with tqdm(desc="journal", **how) as bar:
        while (state := journal.state()).lag and not state.error:
            bar.update(behind - state.lag - bar.n)
            time.sleep(POLL_S)


def _summary(counts: Imported, problems: _Problems, is_dry: bool) -> Iterator[str]:
    would = "would be imported" if is_dry else "imported"
    yield f"{number_of('row', counts.rows)}: {counts.imported:,} {would}, {counts.there:,} already there, " + (
        f"{counts.refused:,} refused"
    )
    if counts.cleaned:
        yield f"{counts.cleaned:,} of them with characters that were removed: control characters, lone surrogates"
    if counts.models:
        yield f"models that are new here: {', '.join(counts.models)}"
    for problem in problems.shown:
        if problem.rows > 1:
            yield f"{number_of('row', problem.rows)} from {problem.place} on: {problem.error}"
    if unnamed := problems.count - sum(problem.rows for problem in problems.shown):
        yield f"{number_of('row', unnamed)} with other errors: the first {MAX_SHOWN} are named"
    if counts.imported and not is_dry:
        yield "imported votes are not part of the default leaderboard; leaderboard --count-all counts them"


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal."""
    how = {"total": 1.0, "leave": False, "disable": None, "delay": BAR_DELAY_S, "file": sys.stderr}
    with tqdm(desc="import", bar_format="{desc}: {percentage:3.0f}% {bar} {elapsed}<{remaining}", **how) as bar:

        def show(share: float) -> None:
            bar.update(share - bar.n)

        yield show
