"""The recorder saves finished generations on a thread of its own, so that no engine waits for the disk.

Boundary: hands them to `battles` in the order in which they ended; tries again what the database refuses.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from playground.battles import Battles
from playground.errors import PlaygroundError, StorageError
from playground.records import BattleState, FinishReason, Generation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Finished generations of one battle, by side, that are not saved yet."""

    battles: Battles
    battle_id: str
    ended: Mapping[str, Generation]


class Recorder:
    """Saves generations; calls `on_ended` with the id of each battle whose last column is saved."""

    def __init__(self, on_ended: Callable[[str], None]) -> None:
        self._on_ended = on_ended
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._waiting: list[Unsaved] = []
        self._guard = threading.Lock()

    def submit(self, battles: Battles, battle_id: str, ended: Mapping[str, Generation]) -> None:
        """Save them soon, in one transaction; return at once."""
        for side, generation in ended.items():
            if generation.error is not None:  # the page of a blind battle does not tell it
                log.warning("battle %s, side %s: %s failed: %s", battle_id, side, generation.model_id, generation.error)
        self._pool.submit(self._save, Unsaved(battles, battle_id, ended))

    def try_again(self) -> None:
        """Submit again what the database refused."""
        with self._guard:
            waiting, self._waiting = self._waiting, []
        for unsaved in waiting:
            self._pool.submit(self._save, unsaved)

    def close(self) -> None:
        """Try to save everything that was submitted."""
        self.try_again()
        self._pool.shutdown(wait=True)

    def _save(self, unsaved: Unsaved) -> None:
        try:
            state = unsaved.battles.finish(unsaved.battle_id, unsaved.ended)
        except StorageError as error:
            log.error("battle %s, %s: not saved yet: %s", unsaved.battle_id, _sides(unsaved), error)
            with self._guard:
                self._waiting.append(unsaved)
            return
        except PlaygroundError as error:
            log.error("battle %s, %s: cannot be saved: %s", unsaved.battle_id, _sides(unsaved), error)
            for part in _without_what_fails(unsaved, error):
                self._save(part)
            return
        if state is not BattleState.GENERATING:
            self._on_ended(unsaved.battle_id)


def _sides(unsaved: Unsaved) -> str:
    return f"side {', '.join(unsaved.ended)}"


def _without_what_fails(unsaved: Unsaved, error: PlaygroundError) -> Iterator[Unsaved]:
    """Yield what to save instead: each side alone, and a side that was alone as failed."""
    for side, generation in unsaved.ended.items():
        if len(unsaved.ended) > 1:
            yield replace(unsaved, ended={side: generation})
        elif generation.error is None:
            yield replace(unsaved, ended={side: _failed(generation, error)})


def _failed(generation: Generation, error: PlaygroundError) -> Generation:
    """Return the generation as failed, without the text that cannot be stored."""
    return replace(
        generation, text="", reasoning="", token_ids=(), finish_reason=FinishReason.ERROR, error=error.public
    )
