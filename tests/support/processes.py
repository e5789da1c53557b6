"""The processes of a running program, seen from outside: who descends from whom, and the models held still.

Boundary: Linux's /proc and signals; knows nothing of what the processes say to each other.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOLDS_MODELS = b"playground.engines.local.worker.forkserver"
PATIENCE_S = 60.0


def family(pid: int) -> list[int]:
    """Every process that descends from `pid`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            parents[int(stat.parent.name)] = int(_fields(stat)[1])
    found, wanted = [], [pid]
    while wanted:
        wanted = [child for child, parent in parents.items() if parent in wanted]
        found += wanted
    return found


def model_processes(pid: int) -> list[int]:
    """Those of a playground's that hold a model each, and the one that forks them."""
    return [child for child in family(pid) if HOLDS_MODELS in command_of(child)]


@contextmanager
def frozen_models(pid: int) -> Iterator[None]:
    """No model of the playground `pid` loads or writes meanwhile; the rest of it goes on, and so do they afterwards.

    Not for long: an engine takes a model for hung that stands still for a minute with a row to write.
    """
    frozen: list[int] = []
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not frozen:  # the page is served before the models are there
            assert time.monotonic() < deadline, "there are no models"
            while moving := set(model_processes(pid)) - set(frozen):  # one may be forked while we look
                frozen += moving
                freeze(*moving)
        yield
    finally:
        for process in frozen:
            _signal(process, signal.SIGCONT)


def freeze(*pids: int) -> None:
    """Stop processes; when this returns, they do nothing any more. A busy machine takes its time for it."""
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    while not all(_stands_still(pid) for pid in pids):
        time.sleep(0.001)


def parent_of(pid: int) -> int:
    """The process that made it."""
    return int(_fields(Path(f"/proc/{pid}/stat"))[1])


def command_of(pid: int) -> bytes:
    """Its command line; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def maps(pid: int) -> str:
    """The files that a process has mapped, its libraries among them."""
    return Path(f"/proc/{pid}/maps").read_text()


def maps_or_nothing(pid: int) -> str:
    """Nothing, where it has ended."""
    try:
        return maps(pid)
    except OSError:
        return ""


def gone(pids: list[int]) -> list[int]:
    """Those that are still there after a while."""
    deadline = time.monotonic() + PATIENCE_S
    left = pids
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if Path(f"/proc/{pid}/cmdline").exists() and maps_or_nothing(pid)]
        time.sleep(0.05)
    return left


def _fields(stat: Path) -> list[str]:
    """State, parent and so on: what follows the name."""
    return stat.read_text().rsplit(")", 1)[1].split()


def _signal(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(pid, what)


def _stands_still(pid: int) -> bool:
    """Whether all of its threads are stopped, or it is gone."""
    with suppress(OSError):
        return all(_fields(stat)[0] in "TtZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
    return True
