"""A folder for the files of unfinished work; the next one removes those that a killed program left behind.

Boundary: folders and locks; knows no publication.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from filelock import FileLock, Timeout

SUFFIX = ".part"
_LOCK = "lock"


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder of this prefix for the time of the block, after removing abandoned ones.

    The folder of a program that still runs is locked, so two may work at the same time.

    Raises:
        OSError: the folder cannot be made.
    """
    _remove_abandoned(parent, prefix)
    unlocked = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    lock = _lock(unlocked)
    lock.acquire()
    folder = unlocked.rename(unlocked.with_name(unlocked.name + SUFFIX))  # under this name it is always locked
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{escape(prefix)}*{SUFFIX}"):
        try:
            with _lock(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):  # it is in use, or another user's
            continue


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / _LOCK, timeout=0, thread_local=False)
