"""Keep little of each Gradio session, and end sessions that nobody uses.

Gradio keeps 340 KB for each page view until 10,000 sessions exist: a copy of the page's tables of components and events
(14 KB), every component that an event has updated (325 KB, about 100 components in a page view), and the configuration
of each component for deep links (100 KB while it is built), which this page does not offer. The page needs none of it:
it has no `gr.State`, and its handlers check the plain values that they get. So a session may end at any time. Only the
messages of an event may not be lost before they have been read.

Boundary: knows the internals of Gradio's `StateHolder`, `SessionState` and `Queue` in the version `WRITTEN_FOR`; with
another version nothing is changed. For one thread: the server's event loop.
"""

from __future__ import annotations

import logging
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

from playground.clock import Clock
from playground.ui.http.connections import UNREAD_S

WRITTEN_FOR = "6.31.0"
IDLE_S = 600.0
"""How long an idle session is kept. A program may fetch its result until then."""
MOST = 1000
"""How many idle sessions are kept."""

log = logging.getLogger(__name__)


class Components(Mapping[int, Any]):
    """The page's components, shared by all sessions, and the one that this session updated last.

    Gradio reads an updated component once, right after it has built it.
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
    """The part of Gradio's `BlocksConfig` that events read: components of one session, events of the page."""

    blocks: Components
    fns: Mapping[int, Any]


class LightSession(SessionState):  # type: ignore[misc]  # Gradio has no types here
    """A session that shares the page's tables and keeps no state and no configuration."""

    def __init__(self, page: Any) -> None:
        """Share `page`, Gradio's configuration of the page; the base class would copy it."""
        self.blocks_config = SessionConfig(Components(page.blocks), page.fns)

    def __setitem__(self, key: int, component: Any) -> None:
        self.blocks_config.blocks[key] = component

    def _update_config(self, key: int) -> None:
        """Do nothing: the configuration is for deep links."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Do nothing: the configuration is for deep links."""


class Sessions(StateHolder):  # type: ignore[misc]  # Gradio has no types here
    """The sessions of a page and their queued messages, which end together.

    A session ends when it was idle for `IDLE_S`, or earlier if more than `most` exist: then the one that was used
    longest ago ends first. A session with an event that waits or runs never ends, and one whose messages have not all
    been read stays for at least `UNREAD_S`, after which the connection of a reader that stalls is closed.
    """

    def __init__(self, page: gr.Blocks, clock: Clock | None = None, most: int = MOST) -> None:
        super().__init__()
        self.blocks = page
        self._most = most
        self._clock = clock or Clock()
        self._queue = page._queue
        # Gradio would drop the messages of the 2,000th session before, even while they are read. They end here instead.
        self._queue.pending_messages_per_session.max_size = sys.maxsize
        self._used_s: OrderedDict[str, float] = OrderedDict()  # by session: time of the last use, the earliest first

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the session; make it if it does not exist."""
        session = self.session_data.get(session_id)
        if session is None:
            session = self.session_data[session_id] = LightSession(self.blocks.default_config)
        self._use(session_id, self._clock.monotonic())
        return session

    def delete_all_expired_state(self) -> None:
        """End idle sessions. Gradio calls this once a second."""
        now_s, queue = self._clock.monotonic(), self._queue
        busy = {event.session_hash for event in queue.event_ids_to_events.values()}
        # An event can be queued, and cancelled, without a session.
        queued = queue.pending_event_ids_session.keys() | queue.pending_messages_per_session.keys()
        for session_id in busy | (queued - self._used_s.keys()):
            self._use(session_id, now_s)
        excess = len(self._used_s) - self._most
        for session_id, used_s in list(self._used_s.items()):
            idle_s = now_s - used_s
            if excess <= 0 and idle_s < IDLE_S:
                break
            if session_id not in busy and (idle_s >= UNREAD_S or not self._is_unread(session_id)):
                self._end(session_id)
                excess -= 1

    def _use(self, session_id: str, now_s: float) -> None:
        self._used_s[session_id] = now_s
        self._used_s.move_to_end(session_id)

    def _is_unread(self, session_id: str) -> bool:
        """Return whether an event's last message has not been sent; Gradio forgets the event's id afterwards."""
        return bool(self._queue.pending_event_ids_session.get(session_id))

    def _end(self, session_id: str) -> None:
        del self._used_s[session_id]
        self.session_data.pop(session_id, None)
        self._queue.pending_messages_per_session.pop(session_id, None)
        self._queue.pending_event_ids_session.pop(session_id, None)


def lighten_sessions(page: gr.Blocks, clock: Clock | None = None, most: int = MOST) -> None:
    """Make the sessions of a launched page light, if Gradio has the version that this was written for."""
    if gr.__version__ != WRITTEN_FOR:
        log.warning(
            "Gradio is %s, and %s was written for %s: each page view will keep about 340 KB until 10,000 sessions "
            "exist. Check that the module fits, then change WRITTEN_FOR there.",
            *(gr.__version__, __name__, WRITTEN_FOR),
        )
        return
    page.state_holder = page.app.state_holder = Sessions(page, clock, most)
