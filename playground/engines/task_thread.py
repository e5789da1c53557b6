"""The thread on which an engine does everything that reaches a listener, fed by a queue of tasks.

So events reach listeners in order, and nothing there needs a lock but the requests, which must not cross `close`.

Boundary: knows neither models nor jobs.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from playground.errors import EngineError

Task = Callable[[], None]

_CLOSE_S = 10.0


class TaskThread:
    """Does an engine's tasks one after another, in the order in which they were put, until it is closed.

    Args:
        engine: the engine's name in errors, such as "the local engine".
        name: of the thread.
        end: done last, whatever happened before.
        tend: done after the tasks that were queued together.
        wait_s: returns the seconds after which to `tend` without a new task; None: wait for a task.
    """

    def __init__(
        self,
        engine: str,
        name: str,
        end: Task,
        tend: Task = lambda: None,
        wait_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._engine, self._name = engine, name
        self._end, self._tend, self._wait_s = end, tend, wait_s
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._gate = threading.Lock()  # between a request and `close`
        self._closed = False
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def accepting(self) -> Iterator[None]:
        """Return a context in which a request is accepted; `close` waits for its end.

        Raises:
            EngineError: the engine is closed.
        """
        with self._gate:
            if self._closed:
                raise EngineError(f"{self._engine} is closed")
            yield

    def start(self) -> None:
        """Start the thread unless it was started; call it while `accepting`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def put(self, task: Task) -> None:
        """Queue a task; before the start there is nothing that it could change, and it is dropped."""
        if self._thread is not None:
            self._tasks.put(task)

    def close(self) -> None:
        """Do what was accepted, then end the thread; idempotent."""
        with self._gate:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._tasks.put(_wake)
            thread.join(_CLOSE_S)

    def _run(self) -> None:
        try:
            while not self._closed:
                self._do_tasks(self._wait_s())
                self._tend()
            self._do_tasks(0)  # what was accepted before the gate closed
        finally:  # whatever happens here, no job is left without its end
            with self._gate:
                self._closed = True
            try:
                self._do_tasks(0)
            finally:
                self._end()

    def _do_tasks(self, wait_s: float | None) -> None:
        """Do what is queued, after waiting for a task."""
        try:
            task = self._tasks.get(timeout=wait_s)
            while True:
                task()
                task = self._tasks.get_nowait()
        except queue.Empty:
            return


def _wake() -> None:
    """Do nothing, on the engine's thread, so that it sees that it is closed."""
