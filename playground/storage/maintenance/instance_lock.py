"""Whether the files that a connection has open are still the ones that bear their names.

Boundary: asks the file system, never the database. SQLite goes on writing into a file that was deleted or replaced, and
what it takes is gone with the process: whoever acknowledges a vote has to know.
"""

from __future__ import annotations

import os
from pathlib import Path

from playground.errors import DatabaseBroken

Identity = tuple[int, int]


class Presence:
    """Made right after the connection is opened.

    Args:
        by_name: only that there is a file: the numbers of files on a network mount may change.
    """

    def __init__(self, path: Path, *, by_name: bool = False) -> None:
        self._by_name = by_name
        self._known: dict[Path, Identity] = {path: _identity(path)}
        self._log = path.with_name(path.name + "-wal")

    def check(self) -> None:
        """Nothing, as long as the database and its log are there.

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
        self._learn_log()

    def _learn_log(self) -> None:
        """SQLite makes the log with the first question, and keeps that file until the last connection is closed."""
        if self._by_name or self._log in self._known:
            return
        try:
            self._known[self._log] = _identity(self._log)
        except FileNotFoundError:
            pass  # not made yet
        except OSError as error:
            raise DatabaseBroken(
                f"{self._log} cannot be looked at ({error.strerror}); nothing was saved: put that right and try again"
            ) from error


def _identity(path: Path) -> Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino
