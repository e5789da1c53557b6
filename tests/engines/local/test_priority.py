"""A worker leaves the processors at once to whoever answers people, and takes its share where it would starve."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.engines.local.pool import LocalEngine
from playground.engines.local.worker.priority import INSIST_S, LOOK_S, Spent, is_starved, keep_turning, spent
from playground.settings import Settings
from tests.support.checkpoints import tiny_line_up
from tests.support.processes import PATIENCE_S, family

linux = pytest.mark.skipif(sys.platform != "linux", reason="the idle class is Linux's")


class Over(Exception):
    """Enough turns."""


class Scene:
    """Turns that note who makes them, in told time."""

    def __init__(self, turns: int, shares: Callable[[int], float]) -> None:
        self.now = 0.0
        self.policies: list[int] = []
        self.threads: list[int] = []
        self._turns, self._shares = turns, shares
        self._spent = Spent(0.0, 0.0)

    def turn(self) -> None:
        if len(self.policies) == self._turns:
            raise Over
        share = self._shares(len(self.policies))
        self.policies.append(os.sched_getscheduler(0))
        self.threads.append(threading.get_ident())
        self._spent = Spent(self._spent.ran_s + share, self._spent.waited_s + 1.0 - share)
        self.now += LOOK_S

    def play(self, gives_way: bool = True) -> None:
        with pytest.raises(Over):
            keep_turning(self.turn, gives_way=gives_way, spent=lambda: self._spent, clock=lambda: self.now)


@linux
def test_turns_are_made_in_the_idle_class_as_long_as_they_get_anything() -> None:
    scene = Scene(20, lambda _: 0.2)
    scene.play()
    assert scene.policies == [os.SCHED_IDLE] * 20
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@linux
def test_a_worker_that_starves_takes_its_share_for_a_while_and_then_gives_way_again() -> None:
    share = int(INSIST_S / LOOK_S)
    scene = Scene(share + 10, lambda turn: 0.003 if turn == 4 else 0.3)
    scene.play()
    assert scene.policies[:5] == [os.SCHED_IDLE] * 5
    assert scene.policies[5 : 5 + share] == [os.SCHED_OTHER] * share
    assert scene.policies[5 + share :] == [os.SCHED_IDLE] * 5
    assert threading.get_ident() in scene.threads


@linux
def test_who_keeps_a_gpu_busy_does_not_give_way_like_that() -> None:
    scene = Scene(3, lambda _: 0.5)
    scene.play(gives_way=False)
    assert scene.policies == [os.SCHED_OTHER] * 3


@linux
def test_where_the_idle_class_is_forbidden_turns_are_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", forbid)
    scene = Scene(3, lambda _: 0.001)
    scene.play()
    assert scene.policies == [os.SCHED_OTHER] * 3


@pytest.mark.parametrize(
    ("ran_s", "waited_s", "starved"),
    [(0.003, 0.997, True), (0.2, 0.8, False), (0.0, 0.0, False), (0.001, 0.1, False), (0.0, 5.0, True)],
)
def test_only_who_could_run_and_did_not_starves(ran_s: float, waited_s: float, starved: bool) -> None:
    assert is_starved(Spent(7.0, 3.0), Spent(7.0 + ran_s, 3.0 + waited_s)) is starved


COMPUTE = "import os; os.sched_setaffinity(0, {processor}); print(flush=True)\nwhile True: pass"


@pytest.fixture
def busy() -> Iterator[None]:
    """Something else computes on this thread's processor meanwhile."""
    everywhere = os.sched_getaffinity(0)
    own = min(everywhere)
    with subprocess.Popen([sys.executable, "-c", COMPUTE.format(processor={own})], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        os.sched_setaffinity(0, {own})
        yield
        os.sched_setaffinity(0, everywhere)
        other.kill()


@linux
@pytest.mark.usefixtures("busy")
def test_a_thread_of_the_idle_class_beside_a_busy_one_starves_indeed() -> None:
    """What everything above rests on, of the system that this runs on."""
    found: list[bool] = []

    def compute() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        before = spent()
        while spent().waited_s - before.waited_s < LOOK_S:
            sum(range(1000))
        found.append(is_starved(before, spent()))

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert found == [True]


@linux
def test_a_worker_on_a_cpu_gives_way_from_the_beginning(tmp_path_factory: pytest.TempPathFactory) -> None:
    (card, *_) = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    engine = LocalEngine(Settings())
    engine.open([card])
    try:
        deadline = time.monotonic() + PATIENCE_S
        while os.SCHED_IDLE not in (policies := {policy for pid in family(os.getpid()) for policy in of_threads(pid)}):
            assert time.monotonic() < deadline, policies
            time.sleep(0.05)
    finally:
        engine.close()


def of_threads(pid: int) -> list[int]:
    """The scheduling class of each thread of a process."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(ProcessLookupError):
            found.append(os.sched_getscheduler(int(thread.name)))
    return found
