"""The address of the running playground that holds a database alone, for commands that have to ask it for a copy.

The file lies beside the database and can be read by its user only, as the database can: its token is made at each
start and opens nothing but a copy of that database.

Boundary: one small file; knows no HTTP.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningApp:
    """A running playground: the address on this machine, and the token that it takes."""

    url: str
    token: str


def app_file(database: Path) -> Path:
    """Return the file in which the playground that holds `database` says where it is."""
    return database.with_name(f"{database.name}.app.json")


@contextmanager
def announced(database: Path, app: RunningApp) -> Iterator[None]:
    """Tell commands on this machine where the playground is, while it runs; they do without if that fails."""
    path = app_file(database)
    try:
        _write(path, json.dumps(asdict(app)))
    except OSError as error:
        log.warning("commands cannot ask this playground: %s cannot be written: %s", path, error.strerror)
    try:
        yield
    finally:
        if find_app(database) == app:
            with suppress(OSError):
                path.unlink()


def find_app(database: Path) -> RunningApp | None:
    """Return the playground that says it holds `database`; None if none does. It may have ended since."""
    try:
        told = json.loads(app_file(database).read_text("utf-8"))
        return RunningApp(str(told["url"]), str(told["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    """Replace a file by one that only its user can read, also for the moment in which it is written."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
