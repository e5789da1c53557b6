"""The lock of a connection that reads and votes share."""

from __future__ import annotations

import threading

from playground.storage.database.fair_lock import FairLock
from tests.support.patience import wait_until


def test_lock_goes_to_the_thread_that_waits() -> None:
    lock, got = FairLock(), list[str]()

    def wait_for_it() -> None:
        with lock:
            got.append("waiting")

    lock.acquire()
    other = threading.Thread(target=wait_for_it)
    other.start()
    wait_until(lambda: lock.waiting == 1)
    lock.release()
    with lock:
        got.append("again")
    other.join()
    assert got == ["waiting", "again"]
    assert lock.waiting == 0


def test_thread_takes_it_again_while_others_wait() -> None:
    lock, got = FairLock(), list[str]()

    def wait_for_it() -> None:
        with lock:
            got.append("waiting")

    with lock:
        other = threading.Thread(target=wait_for_it)
        other.start()
        wait_until(lambda: lock.waiting == 1)
        with lock:
            got.append("inner")
        got.append("outer")
    other.join()
    assert got == ["inner", "outer", "waiting"]
