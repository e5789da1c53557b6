"""The writer of a database: a thread that commits the jobs of every caller, or the caller's own thread.

Boundary: queues jobs; how they share a transaction is `group_commit`'s.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from playground.errors import StorageError
from playground.storage.database.fair_lock import FairLock
from playground.storage.database.file_identity import FileIdentity
from playground.storage.database.group_commit import WriteJob, commit_together, no_check, run_outside

T = TypeVar("T")

MAX_BATCH = 512
"""The most jobs that share one commit."""


class Writer(ABC):
    """The only way to write: a caller gets its result, or its error, after the commit."""

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`, committed; block until then."""
        return self._submit(WriteJob(work)).result()

    def run_outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`, run between two transactions; block until then."""
        return self._submit(WriteJob(work, in_transaction=False)).result()

    @abstractmethod
    async def run_async(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `work`, committed, without blocking the event loop."""

    @abstractmethod
    def close(self) -> None:
        """Finish the accepted jobs, accept no more, close the connection; idempotent."""

    @abstractmethod
    def _submit(self, job: WriteJob[T]) -> Future[T]: ...


class ThreadWriter(Writer):
    """One thread and one connection for every caller of this process."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._check = FileIdentity(path).check
        self._queue: SimpleQueue[WriteJob[Any] | None] = SimpleQueue()
        self._next: WriteJob[Any] | None = None  # taken from the queue, to be run after the batch before it
        self._guard = threading.Lock()
        self._refusal = ""  # why no job is accepted any more
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="database writer", daemon=True)
        self._thread.start()

    async def run_async(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.wrap_future(self._submit(WriteJob(work)))

    def close(self) -> None:
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._refusal = f"{self._path} is closed"
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _submit(self, job: WriteJob[T]) -> Future[T]:
        with self._guard:
            if self._refusal:
                raise StorageError(self._refusal)
            self._queue.put(job)
        return job.future

    def _loop(self) -> None:
        try:
            while batch := self._take_batch():
                if batch[0].in_transaction:
                    commit_together(self._connection, batch, self._path, self._check)
                else:
                    run_outside(self._connection, batch[0], self._path)
        finally:
            self._refuse_rest()

    def _take_batch(self) -> list[WriteJob[Any]]:
        """Return the waiting jobs that share a transaction, or one that runs outside; none after `close`."""
        batch: list[WriteJob[Any]] = []
        job, self._next = self._next or self._queue.get(), None
        while job is not None:
            if batch and not job.in_transaction:
                self._next = job
                return batch
            batch.append(job)
            if not job.in_transaction or len(batch) == MAX_BATCH:
                return batch
            try:
                job = self._queue.get_nowait()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)  # ends the thread after this batch
        return batch

    def _refuse_rest(self) -> None:
        """Fail the jobs that are left when the thread ends by an unexpected error."""
        with self._guard:
            self._refusal = self._refusal or f"the thread that writes to {self._path} has ended; restart the playground"
            left = [self._next]
            while not self._queue.empty():
                left.append(self._queue.get())
            for job in left:
                if job is not None:
                    job.future.set_exception(StorageError(self._refusal))


class DirectWriter(Writer):
    """The same without a thread, for a single connection: callers write in turn."""

    def __init__(
        self, connection: sqlite3.Connection, guard: FairLock | threading.RLock, path: Path | None = None
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._path = path
        self._check = no_check if path is None else FileIdentity(path, by_name=True).check

    async def run_async(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self.run, work)

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    def _submit(self, job: WriteJob[T]) -> Future[T]:
        with self._guard:
            if job.in_transaction:
                commit_together(self._connection, [job], self._path, self._check)
            else:
                run_outside(self._connection, job, self._path)
        return job.future
