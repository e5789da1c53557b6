"""The exclusive lock beside the database: one process writes.

Boundary: a lock file; never opens the database.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from playground.errors import DatabaseLocked, StorageError


def acquire_lock(path: Path, wait_s: float) -> FileLock:
    """Lock the database at `path`, whose folder is created if missing.

    Raises:
        DatabaseLocked: another process holds the lock.
        StorageError: the folder cannot be written to.
    """
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=wait_s, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise DatabaseLocked(f"another process writes to {path} (it holds {lock.lock_file}); stop it first") from error
    except OSError as error:
        raise StorageError(f"{path.parent} cannot be written to: {error.strerror}") from error
    return lock
