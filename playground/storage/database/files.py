"""Operations on files and folders that SQLite does not do for us.

Boundary: knows paths only, no database.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, if the file system supports that."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(opened)


def free_bytes(folder: Path) -> int | None:
    """Return the free space of a folder's file system; None if it is unknown."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None  # some network mounts report only zeros
