"""The database for commands that only read it.

Boundary: opens it, and says on the error stream what a reader should know.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playground.storage.database.store import Store


def open_to_read(path: Path) -> Store:
    """A store that cannot write; one with another schema is read as far as this version understands it, with a word.

    Raises:
        StorageError: as `Store`.
    """
    store = Store(path, read_only=True)
    if store.has_other_schema:
        print(f"{path}: {store.read_only}", file=sys.stderr)
    return store
