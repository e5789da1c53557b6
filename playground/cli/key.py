"""``key``: create, list and revoke keys of programs, whose votes are then stored under the program's name.

Boundary: writes to the database, so the page must not run meanwhile; a key is printed once and stored as a hash.
"""

from __future__ import annotations

import argparse
from typing import TextIO

from playground.cli.database import open_existing, open_read_only
from playground.cli.printing import print_json, print_result, print_table
from playground.clock import utc_now
from playground.errors import InvalidValue, Unknown
from playground.rater_ids import key_hash, keyed_id, new_key
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.validation.ids import clean_rater


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", nargs="?", help="the program; letters, digits and . _ @ : + -")
    command.add_argument("--revoke", action="store_true", help="delete the program's key; its votes stay")
    command.add_argument("--list", action="store_true", help="the programs that have a key")
    command.add_argument(
        "--json", action="store_true", help="one JSON document: {name, rater, key}, {name, revoked}, or {name: made}"
    )
    add_flags(command, "db", "db_mounted")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Create and print a key, replacing an earlier one; or revoke one, or list the programs that have one."""
    if arguments.list:
        return _list(settings, arguments.json, out)
    if arguments.name is None:
        raise InvalidValue("name the program that the key is for, or give --list")
    name = clean_rater(arguments.name)
    return (_revoke if arguments.revoke else _create)(settings, name, arguments.json, out)


def _create(settings: Settings, name: str, as_json: bool, out: TextIO) -> int:
    key = new_key()
    with open_existing(settings) as store:
        store.write(lambda writing: writing.put_program_key(name, key_hash(key), utc_now()))
    text = (
        f"{key}\nSend it as the header X-Playground-Key. Votes are stored under {keyed_id(name)}.\n"
        "It is shown only once; a new key replaces it."
    )
    print_result({"name": name, "rater": keyed_id(name), "key": key}, text, as_json, out)
    return 0


def _revoke(settings: Settings, name: str, as_json: bool, out: TextIO) -> int:
    with open_existing(settings) as store:
        had_key = store.write(lambda writing: writing.remove_program_key(name))
    if not had_key:
        raise Unknown(f"{name} has no key; --list names the programs that have one")
    print_result({"name": name, "revoked": True}, f"the key of {name} is no longer valid; its votes stay", as_json, out)
    return 0


def _list(settings: Settings, as_json: bool, out: TextIO) -> int:
    with open_read_only(settings.db) as store, store.reading() as reading:
        keys = reading.program_keys()
    if as_json:
        print_json(dict(keys), out)
    elif keys:
        print_table(("program", "made"), iter(keys.items()), out)
    else:
        print("no program has a key; create one with: python -m playground key NAME", file=out)
    return 0
