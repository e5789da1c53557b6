"""The thread of an engine does every task that was accepted, and ends whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.engines.task_thread import TaskThread
from playground.errors import EngineError


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def thread(done: list[str]) -> Iterator[TaskThread]:
    thread = TaskThread("the engine", "engine-test", lambda: done.append("end"), lambda: done.append("tend"))
    yield thread
    thread.close()
    assert not [each for each in threading.enumerate() if each.name == "engine-test"]


def test_accepted_tasks_are_done_in_order_before_the_end(thread: TaskThread, done: list[str]) -> None:
    with thread.accepting():
        thread.start()
        thread.start()
        for number in range(100):
            thread.put(lambda number=number: done.append(str(number)))
    thread.close()
    thread.close()
    assert [word for word in done if word != "tend"] == [*map(str, range(100)), "end"]
    assert "tend" in done


def test_task_before_the_start_is_dropped(thread: TaskThread, done: list[str]) -> None:
    thread.put(lambda: done.append("early"))
    thread.start()
    thread.close()
    assert "early" not in done


def test_closed_thread_accepts_nothing(thread: TaskThread) -> None:
    thread.close()
    with pytest.raises(EngineError, match=r"^the engine is closed$"), thread.accepting():
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_task_that_raises_closes_the_thread_after_the_others(thread: TaskThread, done: list[str]) -> None:
    begun = threading.Event()

    def broken() -> None:
        begun.wait()
        raise ValueError("not my day")

    thread.start()
    thread.put(broken)
    thread.put(lambda: done.append("accepted"))
    begun.set()
    thread.close()
    assert done[-2:] == ["accepted", "end"]
    with pytest.raises(EngineError, match="closed"), thread.accepting():
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_ends_after_two_tasks_that_raise(thread: TaskThread, done: list[str]) -> None:
    begun = threading.Event()

    def broken() -> None:
        begun.wait()
        raise ValueError("not my day")

    thread.start()
    thread.put(broken)
    thread.put(broken)
    begun.set()
    thread.close()
    assert done == ["end"]


def test_thread_tends_again_without_a_task() -> None:
    tended = threading.Semaphore(0)
    thread = TaskThread("the engine", "engine-test", lambda: None, tended.release, lambda: 0.001)
    thread.start()
    assert all(tended.acquire(timeout=60) for _ in range(3))
    thread.close()
