"""Detection of database files that were deleted or replaced while they are open.

SQLite keeps writing into such a file, and what it writes is lost with the process: a vote must not be acknowledged.

Boundary: asks the file system, never the database.
"""

from __future__ import annotations

import os
from pathlib import Path

from playground.errors import DatabaseBroken

Identity = tuple[int, int]
"""Device and inode."""


class FileIdentity:
    """The database file and its write-ahead log as they were when the connection was opened.

    Args:
        by_name: check only that the file exists: inode numbers on a network mount may change.
    """

    def __init__(self, path: Path, *, by_name: bool = False) -> None:
        self._by_name = by_name
        self._known: dict[Path, Identity] = {path: _identity(path)}
        self._log = path.with_name(path.name + "-wal")

    def check(self) -> None:
        """Check that the database and its log are still the files that were opened.

        Raises:
            DatabaseBroken: one of them was deleted or replaced; what is written now is lost.
        """
        for path, known in self._known.items():
            try:
                found = _identity(path)
            except OSError as error:
                raise DatabaseBroken(
                    f"{path} was deleted or moved while the playground runs; nothing was saved: put it back and restart"
                ) from error
            if found != known and not self._by_name:
                raise DatabaseBroken(
                    f"{path} was replaced while the playground runs; nothing was saved: restart the playground"
                )
        self._add_log()

    def _add_log(self) -> None:
        """Record the log, which SQLite creates at the first query and keeps until the last connection is closed."""
        if self._by_name or self._log in self._known:
            return
        try:
            self._known[self._log] = _identity(self._log)
        except FileNotFoundError:
            pass  # not created yet
        except OSError as error:
            raise DatabaseBroken(
                f"{self._log} cannot be accessed ({error.strerror}); nothing was saved: fix that and try again"
            ) from error


def _identity(path: Path) -> Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino
