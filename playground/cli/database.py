"""The database for commands that only read it.

Boundary: opens it, and warns on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playground.storage.database.store import Store


def open_read_only(path: Path) -> Store:
    """Open a store that cannot write; one with another schema is read as far as possible, with a warning.

    Raises:
        StorageError: as `Store`.
    """
    store = Store(path, read_only=True)
    if store.has_other_schema:
        print(f"{path}: {store.read_only}", file=sys.stderr)
    return store
