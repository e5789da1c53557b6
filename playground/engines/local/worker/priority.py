"""A worker's priority: pages and votes come before tokens, and a worker ends before the web process.

Boundary: worker side; the system's scheduler and its memory killer, nothing of models.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICENESS = 10
FIRST_TO_END = "500"


def be_nice() -> None:
    """Leave most of a busy processor to the web process, which needs little of it."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)


def be_the_first_to_end() -> None:
    """When Linux runs out of memory, have it end a worker, which is replaced, rather than the web process."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with contextlib.suppress(PermissionError):  # some containers forbid it
            score.write_text(FIRST_TO_END)
