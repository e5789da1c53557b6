"""How a worker shares the machine's processors: it leaves them at once to whoever answers people, and does not starve.

Being nice is not enough for "at once": Linux has a thread that wakes up wait behind another one of the web process
while the next processor works on tokens. A processor that runs nothing but the idle class it takes for a free one.
But that class gets next to nothing while anything else computes, and who may not raise priorities cannot leave it:
therefore a thread of its own is in it, and another one goes on where others leave it nothing.

Boundary: worker side; threads and the system's scheduler, nothing of models.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

NICENESS = 10
LOOK_S = 1.0
STARVED = 0.04
"""Of the time in which a thread could run, the part below which it starves; five workers on two cores get 0.2 each."""
INSIST_S = 300.0
"""A worker that starved takes its share for so long before it gives way again."""

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a thread has had of the processors so far."""

    ran_s: float
    waited_s: float  # able to run, while others did


def spent() -> Spent:
    """Of the calling thread; Linux only."""
    ran, waited, _ = _SCHEDSTAT.read_text("ascii").split()
    return Spent(int(ran) / 1e9, int(waited) / 1e9)


def be_nice() -> None:
    """On a busy machine pages and votes come before tokens: they need little of a processor, and at once."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)


def be_the_first_to_go() -> None:
    """When Linux runs out of memory, have it end a worker, which is replaced, rather than the web process."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with contextlib.suppress(PermissionError):  # some containers forbid it
            score.write_text("500")


def keep_turning(
    turn: Callable[[], None],
    *,
    gives_way: bool,
    spent: Callable[[], Spent] = spent,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Make turn after turn, for ever; raises what a turn raises.

    Args:
        gives_way: leave the processors at once; not for who keeps a GPU busy, which takes little of them, and in time.
    """
    while True:
        if gives_way and hasattr(os, "SCHED_IDLE") and _SCHEDSTAT.exists():
            with ThreadPoolExecutor(1, thread_name_prefix="gives-way") as thread:
                thread.submit(_turn_until_starved, turn, spent, clock).result()
        until = clock() + INSIST_S
        while clock() < until:
            turn()


def _turn_until_starved(turn: Callable[[], None], spent: Callable[[], Spent], clock: Callable[[], float]) -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except OSError:  # some containers forbid it
        return
    last, looked_at = spent(), clock()
    while True:
        turn()
        if clock() - looked_at < LOOK_S:
            continue
        now, looked_at = spent(), clock()
        if is_starved(last, now):
            return
        last = now


def is_starved(before: Spent, after: Spent) -> bool:
    """Whether a thread that could run hardly did; who had nothing to do cannot tell."""
    ran_s, waited_s = after.ran_s - before.ran_s, after.waited_s - before.waited_s
    return waited_s > LOOK_S / 2 and ran_s < STARVED * (ran_s + waited_s)
