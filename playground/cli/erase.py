"""``erase``: the words of one rater, by whoever runs the playground.

Boundary: finds out who is meant, asks for a yes, and prints; what goes and what stays is decided by `battles`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TextIO

from playground.battles import Battles, RaterData
from playground.cli.printing import print_json
from playground.cli.reading import open_to_read
from playground.errors import InvalidValue, StorageError, Unknown
from playground.raters import is_secret, rater_id
from playground.records import Belongings, Erased
from playground.settings import Settings, add_flags
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder

FROM_STDIN = "-"


def add(command: argparse.ArgumentParser) -> None:
    """The arguments of `erase`."""
    whose = command.add_mutually_exclusive_group(required=True)
    whose.add_argument("--rater", metavar="ID", help="an id as it stands in exports: of the page, or of the API")
    whose.add_argument("--receipt", metavar="CODE", help="a rater's receipt; - reads it from standard input")
    whose.add_argument(
        "--leftovers",
        action="store_true",
        help="nothing more; write the file anew where bytes of erased words may be left",
    )
    command.add_argument("--yes", action="store_true", help="erase; otherwise only what would be erased is said")
    command.add_argument(
        "--json", action="store_true", help="one JSON document: {rater, erased, battles, notes}, or {leftovers}"
    )
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Say what there is, and erase it where that was wished; status 1 where bytes of it may be left in the file."""
    if arguments.leftovers:
        return _without_leftovers(settings, arguments.json, out)
    if arguments.receipt is None:
        rater, source = str(arguments.rater), ""
    else:
        rater, source = _rater_of(arguments.receipt), "page"
    is_gone = True
    if arguments.yes:
        found, is_gone = _erased(settings, rater, source)
    else:
        found = _would_be_erased(settings, rater, source)
    if arguments.json:
        print_json({"rater": rater, "erased": arguments.yes, **asdict(found)}, out)
        return 0 if is_gone else 1
    words = f"the words of {found.battles} battles, {found.notes} comments and reports of {rater}"
    print(f"erased: {words}" if arguments.yes else f"would erase {words}; add --yes to do it", file=out)
    return 0 if is_gone else 1


def _without_leftovers(settings: Settings, as_json: bool, out: TextIO) -> int:
    if not settings.db.is_file():
        raise StorageError(f"there is no database at {settings.db}; give --db")
    with Store(settings.db, alone=settings.db_mounted) as store:
        is_gone = _scrubbed(store)
    if as_json:
        print_json({"leftovers": not is_gone}, out)
    elif is_gone:
        print(f"nothing of what was erased is left in {settings.db}", file=out)
    return 0 if is_gone else 1


def _would_be_erased(settings: Settings, rater: str, source: str) -> Erased:
    with open_to_read(settings.db) as store:
        there = _there(RaterData(Battles(store)), rater, source)
    return Erased(there.battles, there.notes)


def _erased(settings: Settings, rater: str, source: str) -> tuple[Erased, bool]:
    """Erase it from the database, its file, and the journal; and whether no byte is left in the file."""
    with Store(settings.db, alone=settings.db_mounted) as store:
        battles = Battles(store)
        data = RaterData(battles)
        _there(data, rater, source)
        journal = Journal(store, journal_folder(settings.db))
        try:
            battles.interrupt_all()  # the playground is not running: what was being written has ended
            found = data.erase(rater, source)
            is_gone = _scrubbed(store)
        finally:
            journal.close()
        state = journal.state()
        if state.lag:
            print(f"erase: not yet in the journal, which goes on at the next start: {state.error}", file=sys.stderr)
    return found, is_gone


def _scrubbed(store: Store) -> bool:
    """Whether nothing erased is left in the file; otherwise what to do is said."""
    try:
        if store.scrub():
            return True
        why = "another program reads it"
    except StorageError as error:
        why = str(error)
    print(f"erase: erased, but bytes of it may still stand in the file: {why}; run erase --leftovers", file=sys.stderr)
    return False


def _there(data: RaterData, rater: str, source: str) -> Belongings:
    there = data.totals(rater, source)
    if not any(asdict(there).values()):
        raise Unknown(f"nothing is stored of the rater {rater!r}; exports name the raters there are")
    return there


def _rater_of(receipt: str) -> str:
    typed = (sys.stdin.readline() if receipt == FROM_STDIN else receipt).strip().lower()
    if not is_secret(typed):
        raise InvalidValue("this is no receipt: one has 32 characters, digits and the letters a to f")
    return rater_id(typed)
