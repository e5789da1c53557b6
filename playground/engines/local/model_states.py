"""The life of a model in the local engine as one table: state × event → next state.

Boundary: data; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ModelState(StrEnum):
    """The states of a model; `shown` is the name that the engine reports."""

    OFF = "off"  # unloaded on request; the next job loads it again
    ASLEEP = "asleep"  # other models need the memory; the next job loads it again
    QUEUED = "queued"  # to be loaded once its delay is over and memory is free
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"  # ready, but starts no more rows: another model waits for its memory
    LOST = "lost"  # the worker crashed or hung; its exit is not reported yet
    FAILED = "failed"  # cannot be loaded

    @property
    def has_worker(self) -> bool:
        """Return True if a worker loads the model or answers with it."""
        return self in (ModelState.LOADING, ModelState.READY, ModelState.DRAINING)

    @property
    def answers(self) -> bool:
        """Return True if a worker has loaded the model."""
        return self in (ModelState.READY, ModelState.DRAINING)

    @property
    def shown(self) -> str:
        """The state's name in `ModelStatus`."""
        return {ModelState.DRAINING: ModelState.READY, ModelState.LOST: ModelState.QUEUED}.get(self, self).value


class ModelEvent(StrEnum):
    """The events that can change the state of a model."""

    JOB = "job"  # a row was accepted
    OPEN = "open"  # load it, or try again
    UNLOAD = "unload"
    LAUNCH = "launch"  # its turn to load
    LOADED = "loaded"  # the worker has the model
    REFUSE = "refuse"  # the model can never be loaded: it does not fit, or the worker says why
    LOSE = "lose"  # the worker hung up, or was silent for too long
    EXIT = "exit"  # the process has ended
    GIVE_UP = "give_up"  # the process has ended, after too many failed loads
    SLEEP = "sleep"  # another model needs the memory, and no row waits here
    PAUSE = "pause"  # the same, but rows wait here
    DRAIN = "drain"
    RESUME = "resume"  # the end of draining


OFF, ASLEEP, QUEUED, LOADING, READY, DRAINING, LOST, FAILED = ModelState
Next = ModelState | None
"""None: the event means nothing in this state."""

# fmt: off
_CELLS: Mapping[ModelEvent, tuple[Next, ...]] = {
    # event              off     asleep  queued   loading  ready     draining  lost     failed
    ModelEvent.JOB:     (QUEUED, QUEUED, QUEUED,  LOADING, READY,    DRAINING, LOST,    None),
    ModelEvent.OPEN:    (QUEUED, QUEUED, None,    None,    None,     None,     None,    QUEUED),
    ModelEvent.UNLOAD:  (OFF,    OFF,    OFF,     OFF,     OFF,      OFF,      OFF,     OFF),
    ModelEvent.LAUNCH:  (None,   None,   LOADING, None,    None,     None,     LOADING, None),
    ModelEvent.LOADED:  (None,   None,   None,    READY,   None,     None,     None,    None),
    ModelEvent.REFUSE:  (None,   None,   FAILED,  FAILED,  None,     None,     FAILED,  None),
    ModelEvent.LOSE:    (None,   None,   None,    LOST,    LOST,     LOST,     None,    None),
    ModelEvent.EXIT:    (None,   None,   None,    None,    None,     None,     QUEUED,  None),
    ModelEvent.GIVE_UP: (None,   None,   None,    None,    None,     None,     FAILED,  None),
    ModelEvent.SLEEP:   (None,   None,   ASLEEP,  None,    ASLEEP,   ASLEEP,   ASLEEP,  None),
    ModelEvent.PAUSE:   (None,   None,   None,    None,    QUEUED,   QUEUED,   None,    None),
    ModelEvent.DRAIN:   (None,   None,   None,    None,    DRAINING, None,     None,    None),
    ModelEvent.RESUME:  (None,   None,   None,    None,    None,     READY,    None,    None),
}
# fmt: on

TABLE: Mapping[ModelEvent, Mapping[ModelState, Next]] = {
    event: dict(zip(ModelState, cells, strict=True)) for event, cells in _CELLS.items()
}
