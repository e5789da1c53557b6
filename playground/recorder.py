"""Finished generations on their way into the database, on a thread of their own, so that no engine waits for the disk.

Boundary: hands them to `battles` in the order in which they ended; what the database does not take is tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from playground.battles import Battles
from playground.errors import PlaygroundError, StorageError
from playground.records import BattleState, FinishReason, Generation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A finished generation that the database has not taken yet."""

    battles: Battles
    battle_id: str
    side: str
    generation: Generation


class Recorder:
    """Saves generations; `on_ended` is told each battle whose last column is saved."""

    def __init__(self, on_ended: Callable[[str], None]) -> None:
        self._on_ended = on_ended
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._waiting: list[Unsaved] = []
        self._guard = threading.Lock()

    def submit(self, battles: Battles, battle_id: str, side: str, generation: Generation) -> None:
        """Save it soon; returns at once."""
        self._pool.submit(self._save, Unsaved(battles, battle_id, side, generation))

    def try_again(self) -> None:
        """Submit once more what the database did not take."""
        with self._guard:
            waiting, self._waiting = self._waiting, []
        for unsaved in waiting:
            self._pool.submit(self._save, unsaved)

    def close(self) -> None:
        """Save what was submitted, as far as the database takes it."""
        self.try_again()
        self._pool.shutdown(wait=True)

    def _save(self, unsaved: Unsaved) -> None:
        try:
            state = unsaved.battles.finish_side(unsaved.battle_id, unsaved.side, unsaved.generation)
        except StorageError as error:
            log.error("battle %s, side %s: not saved yet: %s", unsaved.battle_id, unsaved.side, error)
            with self._guard:
                self._waiting.append(unsaved)
            return
        except PlaygroundError as error:
            log.error("battle %s, side %s: cannot be saved: %s", unsaved.battle_id, unsaved.side, error)
            if unsaved.generation.error is None:
                self._save(replace(unsaved, generation=_failed(unsaved.generation, error)))
            return
        if state is not BattleState.GENERATING:
            self._on_ended(unsaved.battle_id)


def _failed(generation: Generation, error: PlaygroundError) -> Generation:
    """The generation as a failure: its text is not one that can be kept."""
    return replace(generation, text="", token_ids=(), finish_reason=FinishReason.ERROR, error=str(error))
