"""The life of a model in the local engine as one table: state × event → next state.

Boundary: data; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
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
        return self in (State.LOADING, State.READY, State.DRAINING)

    @property
    def answers(self) -> bool:
        """Return True if a worker has loaded the model."""
        return self in (State.READY, State.DRAINING)

    @property
    def shown(self) -> str:
        """The state's name in `ModelStatus`."""
        return {State.DRAINING: State.READY, State.LOST: State.QUEUED}.get(self, self).value


class Event(StrEnum):
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


_OFF, _ASLEEP, _QUEUED, _LOADING, _READY, _DRAINING, _LOST, _FAILED = State
Next = State | None
"""None: the event means nothing in this state."""

# fmt: off
_ROWS: Mapping[Event, tuple[Next, Next, Next, Next, Next, Next, Next, Next]] = {
    # event        off      asleep   queued    loading   ready      draining   lost      failed
    Event.JOB:     (_QUEUED, _QUEUED, _QUEUED,  _LOADING, _READY,    _DRAINING, _LOST,    None),
    Event.OPEN:    (_QUEUED, _QUEUED, None,     None,     None,      None,      None,     _QUEUED),
    Event.UNLOAD:  (_OFF,    _OFF,    _OFF,     _OFF,     _OFF,      _OFF,      _OFF,     _OFF),
    Event.LAUNCH:  (None,    None,    _LOADING, None,     None,      None,      _LOADING, None),
    Event.LOADED:  (None,    None,    None,     _READY,   None,      None,      None,     None),
    Event.REFUSE:  (None,    None,    _FAILED,  _FAILED,  None,      None,      _FAILED,  None),
    Event.LOSE:    (None,    None,    None,     _LOST,    _LOST,     _LOST,     None,     None),
    Event.EXIT:    (None,    None,    None,     None,     None,      None,      _QUEUED,  None),
    Event.GIVE_UP: (None,    None,    None,     None,     None,      None,      _FAILED,  None),
    Event.SLEEP:   (None,    None,    _ASLEEP,  None,     _ASLEEP,   _ASLEEP,   _ASLEEP,  None),
    Event.PAUSE:   (None,    None,    None,     None,     _QUEUED,   _QUEUED,   None,     None),
    Event.DRAIN:   (None,    None,    None,     None,     _DRAINING, None,      None,     None),
    Event.RESUME:  (None,    None,    None,     None,     None,      _READY,    None,     None),
}
# fmt: on

TABLE: Mapping[Event, Mapping[State, Next]] = {
    event: dict(zip(State, cells, strict=True)) for event, cells in _ROWS.items()
}
