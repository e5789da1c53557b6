"""``erase``: erase the text of one rater, for the operator; a rater of a panel may have several browsers.

Boundary: finds the rater, asks for `--yes`, and prints; `battles` decides what is erased.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from typing import TextIO

from playground.battles import Battles, RaterData
from playground.cli.database import open_existing, open_read_only
from playground.cli.printing import print_json, print_result
from playground.errors import InvalidValue, StorageError, Unknown
from playground.rater_ids import is_secret, rater_id
from playground.ratings.phrases import number_of
from playground.records import Erased
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder

FROM_STDIN = "-"


def add(command: argparse.ArgumentParser) -> None:
    whose = command.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "--rater",
        metavar="ID",
        help="a rater's id as in exports, or as a panel knows them",
    )
    whose.add_argument("--receipt", metavar="CODE", help="a rater's receipt; - reads it from standard input")
    whose.add_argument(
        "--leftovers",
        action="store_true",
        help="only rebuild the file, where bytes of erased text may be left",
    )
    command.add_argument("--yes", action="store_true", help="erase; without it, print what would be erased")
    command.add_argument(
        "--json",
        action="store_true",
        help="one JSON document: {rater, erased, battles, notes, panel_ids} or {leftovers}",
    )
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print what is stored of the rater, and erase it with `--yes`; return 1 if bytes may be left in the file."""
    if arguments.leftovers:
        return _run_scrub(settings, arguments.json, out)
    if arguments.receipt is None:
        rater, source = str(arguments.rater), ""
    else:
        rater, source = _rater_of(arguments.receipt), "page"
    is_scrubbed = True
    if arguments.yes:
        found, is_scrubbed = _erase(settings, rater, source)
    else:
        found = _preview(settings, rater, source)
    battles, notes = number_of("battle", found.battles), number_of("note", found.notes)
    ids = f", and {number_of('id', found.panel_ids)} under which a panel knows them" if found.panel_ids else ""
    words = f"the words of {battles} and {notes} (comments and reports) of {rater}{ids}"
    text = f"erased: {words}" if arguments.yes else f"would erase {words}; add --yes to do it"
    print_result({"rater": rater, "erased": arguments.yes, **asdict(found)}, text, arguments.json, out)
    return 0 if is_scrubbed else 1


def _run_scrub(settings: Settings, as_json: bool, out: TextIO) -> int:
    with open_existing(settings) as store:
        is_scrubbed = _scrub(store)
    if as_json:
        print_json({"leftovers": not is_scrubbed}, out)
    elif is_scrubbed:
        print(f"no erased text is left in {settings.db}", file=out)
    return 0 if is_scrubbed else 1


def _preview(settings: Settings, rater: str, source: str) -> Erased:
    with open_read_only(settings.db) as store:
        data = RaterData(Battles(store))
        names = _names(data, rater, source)
        there = [data.totals(name, source) for name in names]
        ids = data.panel_ids(names)
    return replace(_sum(Erased(one.battles, one.notes) for one in there), panel_ids=len(ids))


def _erase(settings: Settings, rater: str, source: str) -> tuple[Erased, bool]:
    """Erase the text in database and journal; return True beside it if no byte is left in the file."""
    with open_existing(settings) as store:
        battles = Battles(store)
        data = RaterData(battles)
        names = _names(data, rater, source)
        journal = Journal(store, journal_folder(settings.db))
        try:
            battles.interrupt_all()  # the playground is not running: no generation is still being written
            found = _sum(data.erase(name, source) for name in names)
            is_scrubbed = _scrub(store)
        finally:
            journal.close()
        state = journal.state()
        if state.lag:
            print(f"erase: not yet in the journal, which goes on at the next start: {state.error}", file=sys.stderr)
    return found, is_scrubbed


def _scrub(store: Store) -> bool:
    """Scrub the file; otherwise print what to do and return False."""
    try:
        if store.scrub():
            return True
        reason = "another program reads it"
    except StorageError as error:
        reason = str(error)
    print(f"erase: erased, but bytes of it may be left in the file: {reason}; run erase --leftovers", file=sys.stderr)
    return False


def _names(data: RaterData, rater: str, source: str) -> Sequence[str]:
    """Return the rater, and all raters who are the holder of a panel's id, as far as something is stored of them.

    The hash of a panel's id has an id of its own, and leads to the browsers that have the words.
    """
    names = sorted({rater, *data.of_panel_id(rater)})
    there = [name for name in names if any(asdict(data.totals(name, source)).values())]
    if not there:
        raise Unknown(f"nothing is stored of the rater {rater!r}; exports and study status name them")
    return there


def _sum(parts: Iterable[Erased]) -> Erased:
    found = list(parts)
    return Erased(*(sum(getattr(one, name.name) for one in found) for name in fields(Erased)))


def _rater_of(receipt: str) -> str:
    typed = (sys.stdin.readline() if receipt == FROM_STDIN else receipt).strip().lower()
    if not is_secret(typed):
        raise InvalidValue("this is not a receipt: one has 32 characters, digits and the letters a to f")
    return rater_id(typed)
