"""The web process keeps its threads to one of the machine's processors.

Only one of them has the interpreter at a time, and they hand it on hundreds of times for a comparison. Across
processors each time waits until another one has woken up, a tenth of a millisecond and more; on one it is a switch. The
models have processes of their own, and the other processors.

Boundary: Linux's scheduler; elsewhere nothing happens. The main thread, which only waits for the end, stays as it was,
so that a child process can tell where it may run.
"""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path


def keep_to_one() -> None:
    """From now on, for all threads but the main one and for those that they start."""
    if sys.platform != "linux":
        return
    with suppress(OSError):  # a container may forbid it: then votes wait longer, as they do elsewhere
        one = {secrets.choice(sorted(os.sched_getaffinity(os.getpid())))}  # several playgrounds take different ones
        kept = {os.getpid()}
        while new := _threads() - kept:  # one that was not kept yet may have started another
            for thread in new:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.sched_setaffinity(thread, one)
            kept |= new


def _threads() -> set[int]:
    return {int(task.name) for task in Path("/proc/self/task").iterdir()}


def run_everywhere() -> None:
    """In a process that one of those threads has started: wherever the main one may run."""
    if sys.platform != "linux":
        return
    with suppress(OSError):  # who started it has ended, and so will it; or a container forbids it
        os.sched_setaffinity(0, os.sched_getaffinity(os.getppid()))
