"""The publication, made by the running playground: in a thread of its own, one at a time.

Boundary: `publishing` decides what is published; the page makes sure that it is the operator who asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from playground.arena.arena import Arena
from playground.clock import utc_now
from playground.errors import InvalidValue, PlaygroundError
from playground.messages import Message
from playground.publishing.contents import Contents
from playground.publishing.held_back import HeldBack, held_back, release, releases_path
from playground.publishing.hub import Dataset
from playground.publishing.publication import Progress, Publication, preview, publish

ENDED = "it ended unexpectedly; see the log"


@dataclass(frozen=True, slots=True)
class PublisherState:
    """The state of the last check or publication; all empty if there was none since the start."""

    running: bool = False
    step: str = ""  # of the one that is running
    done: int = 0
    total: int = 0
    checked: Contents | None = None
    published: Publication | None = None
    error: str = ""

    @property
    def held_back(self) -> tuple[HeldBack, ...]:
        """The battles that were held back, or would be."""
        found = self.checked or self.published
        return found.held_back if found is not None else ()


class Publisher:
    """Checks what would be published, and publishes it."""

    def __init__(self, arena: Arena, dataset: Callable[[str], Dataset] | None = None) -> None:
        self._arena = arena
        self._dataset = dataset or Dataset
        self._guard = threading.Lock()
        self._state = PublisherState()

    @property
    def state(self) -> PublisherState:
        """The current state."""
        with self._guard:
            return self._state

    @property
    def repo(self) -> str:
        """The dataset that is published to; empty: none is set."""
        return self._arena.settings.publication

    def check(self) -> None:
        """Find out what would be published; do nothing while either is running."""
        self._start(lambda progress: PublisherState(checked=self._preview(progress)))

    def publish(self) -> None:
        """Publish to the dataset of the setting; do nothing while either is running.

        Raises:
            InvalidValue: no dataset is set.
        """
        repo = self.repo
        if not repo:
            raise InvalidValue(Message("PLAYGROUND_PUBLICATION names no dataset to publish to"))
        self._start(lambda progress: PublisherState(published=self._publish(repo, progress)))

    def release(self, battle_id: str) -> None:
        """Let a battle be published although it looks personal, and check again.

        Raises:
            Unknown: it is not held back.
            StorageError: the file of releases cannot be written.
        """
        with self._arena.store.reading() as reading:
            found = list(held_back(reading))
        release(releases_path(self._arena.settings.db), [battle_id], found)
        self.check()

    def _preview(self, progress: Progress) -> Contents:
        return preview(self._arena.store, self._arena.settings, utc_now(), progress)

    def _publish(self, repo: str, progress: Progress) -> Publication:
        dataset = self._dataset(repo)
        return publish(self._arena.store, self._arena.settings, utc_now(), dataset=dataset, progress=progress)

    def _start(self, work: Callable[[Progress], PublisherState]) -> None:
        with self._guard:
            if self._state.running:
                return
            self._state = PublisherState(running=True)
        threading.Thread(target=self._run, args=(work,), name="publisher", daemon=True).start()

    def _run(self, work: Callable[[Progress], PublisherState]) -> None:
        ended = PublisherState(error=ENDED)
        try:
            ended = work(self._show)
        except PlaygroundError as error:
            ended = PublisherState(error=error.public)
        finally:
            with self._guard:
                self._state = ended

    def _show(self, step: str, done: int, total: int) -> None:
        with self._guard:
            self._state = replace(self._state, step=step, done=done, total=total)
