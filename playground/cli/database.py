"""The database that a command reads, or changes: one that must exist.

Where the running playground holds it alone (`PLAYGROUND_DB_MOUNTED`), the playground sends a copy, and the command
reads that.

Boundary: opens it, and warns on standard error.
"""

from __future__ import annotations

import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from playground.errors import DatabaseLocked, StorageError
from playground.settings import Settings
from playground.storage.database.connection import BUSY_S
from playground.storage.database.running_app import RunningApp, find_app
from playground.storage.database.store import Store

COPY_PATH = "/database-copy"
COPY_HEADER = "X-Playground-App"
ASK_S = 60.0
"""The wait for the next bytes of a copy; the first come when the whole database is copied."""
KNOWN_BUSY_S = 0.5
"""The wait for another program's lock where a playground says that it holds the database."""


@contextmanager
def open_read_only(path: Path) -> Iterator[Store]:
    """Open a store that cannot write; one with another schema is read as far as possible, with a warning.

    Raises:
        StorageError: as `Store`, and as `readable`.
    """
    with readable(path) as found, Store(found, read_only=True) as store:
        if store.has_other_schema:
            print(f"{path}: {store.read_only}", file=sys.stderr)
        yield store


def open_existing(settings: Settings) -> Store:
    """Open the database to change what is in it; a missing one, such as a misspelt path, is not created.

    Raises:
        StorageError: there is none, or as `Store`.
    """
    if not settings.db.is_file():
        raise StorageError(f"there is no database at {settings.db}; start the playground once, or give --db")
    return Store(settings.db, exclusive=settings.db_mounted)


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """Yield the path of the database, or of a copy of it if the running playground holds it alone.

    Raises:
        DatabaseLocked: another program holds it alone, and cannot be asked.
        StorageError: the playground could not send a copy.
    """
    app = find_app(path)
    if not _is_held(path, BUSY_S if app is None else KNOWN_BUSY_S):
        yield path
        return
    if app is None:
        raise DatabaseLocked(
            f"another program holds {path} alone; if it is the playground, it says nowhere how to ask it: stop it"
            " first, or get the data from its page"
        )
    with TemporaryDirectory(prefix="playground-") as folder:
        copy = Path(folder, path.name)
        _fetch_copy(app, path, copy)
        yield copy


def _is_held(path: Path, busy_s: float) -> bool:
    """Return True if another program lets nobody read the database; other errors are left to its opening."""
    try:
        Store(path, read_only=True, older=True, busy_s=busy_s).close()
    except DatabaseLocked:
        return True
    except StorageError:
        return False
    return False


def _fetch_copy(app: RunningApp, path: Path, target: Path) -> None:
    """Write the copy that a playground sends, past any proxy: it is on this machine."""
    request = urllib.request.Request(f"{app.url}{COPY_PATH}", b"", {COPY_HEADER: app.token}, method="POST")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    held = f"the playground at {app.url} holds {path} alone"
    try:
        with direct.open(request, timeout=ASK_S) as reply, target.open("xb") as file:
            shutil.copyfileobj(reply, file, 1 << 20)
            size = int(reply.headers.get("Content-Length", ""))
    except urllib.error.HTTPError as error:
        reason = error.read(1000).decode("utf-8", "replace").strip()
        raise StorageError(f"{held} and sent no copy: status {error.code}, {reason}") from error
    except OSError as error:
        raise DatabaseLocked(f"{held} and sent no copy: {error}; stop it, or get the data from its page") from error
    except (ValueError, HTTPException) as error:
        raise DatabaseLocked(
            f"{held} and sent no copy: another program answers there; start the playground again"
        ) from error
    if target.stat().st_size != size:
        raise StorageError(f"{held} and sent only a part of a copy; try again")
