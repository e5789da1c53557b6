"""Keep Gradio's sessions small, and end those that nobody uses.

Gradio keeps 340 KB of each page view until 10,000 sessions exist. Every session copies the page's tables of components
and events (14 KB), and keeps the components that its events have built: one for each output of an event, also for one
that the event leaves as it is (325 KB, some 100 components in a page view). No event here reads them: each gets plain
values and checks them itself. A session also computes the configuration of every component for deep links, which this
page does not offer (100 KB, and 10 ms of the thread that serves everybody).

The page uses no `gr.State`: each call names its battle, so that the end of a session is noticed by nobody. Gradio's
page therefore connects no heartbeat, and the server cannot tell an open tab from a closed one; it need not.
https://github.com/gradio-app/gradio/pull/13756 leaves the size of a session as it is.

Boundary: knows the insides of Gradio's `StateHolder`, `SessionState` and `Queue`, of the version that `WRITTEN_FOR`
names; with another version nothing is changed. For one thread: the server's event loop.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

from playground.clock import Clock

WRITTEN_FOR = "6.31.0"
IDLE_S = 600.0
"""How long a session is kept that nobody uses: a program may have yet to read its result."""
MOST = 1000
"""Sessions; beyond it the one that was used longest ago ends first."""
READ_S = 5.0
"""How long a session is kept in any case: an answer may be on its way to a client that reads it."""
MESSAGES_OF = 100_000
"""Sessions whose messages Gradio's queue keeps; it drops others', so that this must never be reached."""
NOTHING: Mapping[int, Any] = MappingProxyType({})

log = logging.getLogger(__name__)


class Components(Mapping[int, Any]):
    """The page's components as one session sees them.

    Of those that events build anew, only the latest is kept: Gradio reads it once, right after it has built it.
    """

    __slots__ = ("_latest", "_page")

    def __init__(self, page: Mapping[int, Any]) -> None:
        self._page = page
        self._latest: tuple[int, Any] | None = None

    def __getitem__(self, key: int) -> Any:
        if self._latest is not None and self._latest[0] == key:
            return self._latest[1]
        return self._page[key]

    def __setitem__(self, key: int, component: Any) -> None:
        self._latest = (key, component)

    def __iter__(self) -> Iterator[int]:
        return iter(self._page)

    def __len__(self) -> int:
        return len(self._page)


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """As much of Gradio's `BlocksConfig` as events read: the components of one session, and everybody's events."""

    blocks: Components
    fns: Mapping[int, Any]


class LightSession(SessionState):  # type: ignore[misc]  # Gradio has no types here
    """Nothing that is a session's own: the page uses no `gr.State`."""

    def __init__(self, page: Any) -> None:
        """`page` is Gradio's configuration of the page, which is shared; the base class would copy and compute."""
        self.blocks_config = SessionConfig(Components(page.blocks), page.fns)
        self.config_values: Mapping[int, Any] = NOTHING
        self.state_data: dict[int, Any] = {}
        self._state_ttl: Mapping[int, Any] = NOTHING
        self.is_closed = False  # Gradio says so at the end of a heartbeat

    def __setitem__(self, key: int, value: Any) -> None:
        self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Keep no configuration."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep no configuration."""


class Sessions(StateHolder):  # type: ignore[misc]  # Gradio has no types here
    """The sessions in use: about `most`, each until it was idle for `IDLE_S`.

    There may be more, because a session that has just been used, or has an event under way, does not end.
    """

    def __init__(self, page: gr.Blocks, clock: Clock | None = None, most: int = MOST) -> None:
        super().__init__()
        self.blocks = page
        self._most = most
        self._clock = clock or Clock()
        self._queue = page._queue
        # Gradio drops the messages of whichever session was the 2,000th before, also while it is being answered.
        self._queue.pending_messages_per_session.max_size = MESSAGES_OF
        self._used: OrderedDict[str, float] = OrderedDict()  # when each session was last used, the earliest first

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the session, made if there is none."""
        session = self.session_data.get(session_id)
        if session is None:
            session = self.session_data[session_id] = LightSession(self.blocks.default_config)
        self._use(session_id)
        return session

    def delete_all_expired_state(self) -> None:
        """End the sessions that nobody uses; Gradio calls this once a second."""
        now_s = self._clock.monotonic()
        for session_id in list(takewhile(lambda each: self._used[each] <= now_s - IDLE_S, self._used)):
            if self._is_busy(session_id):
                self._use(session_id)
            else:
                self._end(session_id)
        queued = self._queue.pending_event_ids_session  # also of events that were cancelled before they had a session
        for session_id in [each for each in queued if each not in self.session_data and not self._is_busy(each)]:
            self._forget_messages(session_id)

    def take_over(self, sessions: Mapping[str, SessionState]) -> None:
        """Keep the sessions that began before this was there."""
        for session_id, session in list(sessions.items()):
            self.session_data[session_id] = session
            self._use(session_id)

    def _use(self, session_id: str) -> None:
        """Note that a session is used now; of too many, end one that is not busy."""
        now_s = self._clock.monotonic()
        self._used[session_id] = now_s
        self._used.move_to_end(session_id)
        if len(self._used) > self._most:
            earlier = takewhile(lambda each: self._used[each] <= now_s - READ_S, self._used)
            first = next((each for each in earlier if not self._is_busy(each)), None)
            if first is not None:
                self._end(first)

    def _is_busy(self, session_id: str) -> bool:
        """Return whether an event of the session waits or runs; its messages must have a place to go."""
        queued = self._queue.pending_event_ids_session.get(session_id, ())
        return any(event_id in self._queue.event_ids_to_events for event_id in queued)

    def _end(self, session_id: str) -> None:
        self.session_data.pop(session_id, None)
        self._used.pop(session_id, None)
        self._forget_messages(session_id)

    def _forget_messages(self, session_id: str) -> None:
        self._queue.pending_messages_per_session.pop(session_id, None)
        self._queue.pending_event_ids_session.pop(session_id, None)


def lighten_sessions(page: gr.Blocks, clock: Clock | None = None, most: int = MOST) -> None:
    """Make the sessions of a launched page light, if Gradio is the version that this was written for."""
    if gr.__version__ != WRITTEN_FOR:
        log.warning(
            "Gradio is %s; a page view will keep about 340 KB until 10,000 sessions exist. The cure in %s was written "
            "for %s: see that it fits, then change WRITTEN_FOR there.",
            *(gr.__version__, __name__, WRITTEN_FOR),
        )
        return
    sessions, before = Sessions(page, clock, most), page.app.state_holder
    page.state_holder = page.app.state_holder = sessions
    sessions.take_over(before.session_data)
