"""The processes of a running program, seen from outside: which descend from which, and the models held still.

Boundary: Linux's /proc and signals; knows nothing of what the processes say to each other.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FORKED = b"playground.engines.local.worker.forkserver"
PATIENCE_S = 60.0


def family(pid: int) -> list[int]:
    """Return every process that descends from `pid`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parents[int(stat.parent.name)] = int(_fields(stat)[1])
    found, wanted = [], [pid]
    while wanted:
        wanted = [child for child, parent in parents.items() if parent in wanted]
        found += wanted
    return found


def model_processes(pid: int) -> list[int]:
    """Return the workers of a playground and the process that forks them."""
    return [child for child in family(pid) if FORKED in command_of(child)]


def workers(pid: int, prefix: str = "tiny") -> dict[str, int]:
    """Return the workers of a playground by model, of those whose ids begin with `prefix`."""
    names = {}
    for child in family(pid):
        with suppress(OSError):  # it has just ended
            names[Path(f"/proc/{child}/comm").read_text().strip()] = child
    return {name: child for name, child in names.items() if name.startswith(prefix)}


@contextmanager
def frozen_models(pid: int) -> Iterator[None]:
    """Stop the models of the playground `pid`; the rest of it goes on, and so do they afterwards.

    Not for long: an engine takes a model for hung that says nothing for a minute with a row to write.
    """
    frozen: list[int] = []
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not frozen:  # the page is served before the models are there
            assert time.monotonic() < deadline, "there are no models"
            while moving := set(model_processes(pid)) - set(frozen):  # one may have just been forked
                frozen += moving
                freeze(*moving)
        yield
    finally:
        for process in frozen:
            _signal(process, signal.SIGCONT)


def freeze(*pids: int) -> None:
    """Stop processes, and wait until every thread of theirs stands still."""
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    while not all(_stands_still(pid) for pid in pids):
        time.sleep(0.001)


def parent_of(pid: int) -> int:
    """Return the process that started `pid`."""
    return int(_fields(Path(f"/proc/{pid}/stat"))[1])


def command_of(pid: int) -> bytes:
    """Return the command line; b"" if the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def maps(pid: int) -> str:
    """Return the files that a process has mapped, its libraries among them; "" if it has ended."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Return False if the process has ended, collected or not."""
    try:
        return _fields(Path(f"/proc/{pid}/stat"))[0] not in "ZX"
    except OSError:
        return False


def survivors(pids: list[int]) -> list[int]:
    """Wait for the end of processes, and return those that have not ended after a while."""
    deadline = time.monotonic() + PATIENCE_S
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _fields(stat: Path) -> list[str]:
    """Read state, parent and so on: the fields after the name."""
    return stat.read_text().rsplit(")", 1)[1].split()


def _signal(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended
        os.kill(pid, what)


def _stands_still(pid: int) -> bool:
    """Return True if all threads of a process are stopped, or it has ended."""
    with suppress(OSError):
        return all(_fields(stat)[0] in "TtZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
    return True
