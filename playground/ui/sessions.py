"""Sessions that cost little and end with their tabs.

Gradio keeps 340 KB of each page view until 10,000 sessions exist. Every session copies the page's tables of components
and events (14 KB), and keeps the components that its events have built: one for each output of an event, also for one
that the event leaves as it is (325 KB, some 100 components in a page view). No event here reads them: each gets plain
values and checks them itself. A session also computes the configuration of every component for deep links, which this
page does not offer (100 KB, and 10 ms of the thread that serves everybody). And Gradio forgets whichever session was
used longest ago, be its tab open or not; https://github.com/gradio-app/gradio/pull/13756 leaves that as it is.

Boundary: knows the insides of Gradio's `StateHolder`, `SessionState` and `Queue`, of the version that `WRITTEN_FOR`
names; with another version nothing is changed. For one thread: the server's event loop.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

from playground.clock import Clock
from playground.ui.calls import PREFIX
from playground.ui.middleware import ASGIApp, Receive, Scope, Send

WRITTEN_FOR = "6.31.0"
UNHELD_S = 600.0
"""How long a session is kept that nobody uses and no heartbeat holds: its tab was closed, or a proxy cut the stream, or
it is a program's that has yet to read its result."""
UNHELD_MOST = 1000
"""Sessions without a heartbeat; beyond it the one that was used longest ago ends first."""
HEARTBEAT = re.compile(re.escape(PREFIX) + r"heartbeat/(?P<session>[\w-]{1,64})/?")
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
    """The sessions of open tabs, and of other clients for as long as they are used.

    A session whose heartbeat is connected ends only when there are more than `capacity` in all and no other is left to
    end. Ending one is harmless: a client that comes back starts with the values that the page was built with. A session
    with an event under way is never ended. No `gr.State` here has a time to live, or a callback at its end.
    """

    def __init__(self, page: gr.Blocks, clock: Clock | None = None, unheld_most: int = UNHELD_MOST) -> None:
        super().__init__()
        self.blocks = page
        self.capacity = page.state_session_capacity
        self._unheld_most = unheld_most
        self._clock = clock or Clock()
        self._queue = page._queue
        # Gradio drops the messages of whichever session was the 2,000th before, also while it is being answered.
        self._queue.pending_messages_per_session.max_size = 2 * (self.capacity + unheld_most)
        self._heartbeats: Counter[str] = Counter()
        self._unheld: OrderedDict[str, float] = OrderedDict()  # when each was last used, the earliest first

    def __getitem__(self, session_id: str) -> SessionState:
        """The session, made if there is none."""
        session = self.session_data.get(session_id)
        if session is None:
            session = self.session_data[session_id] = LightSession(self.blocks.default_config)
        self.session_data.move_to_end(session_id)
        if session_id not in self._heartbeats:
            self._let_go(session_id)
        if len(self.session_data) > self.capacity:
            self._end_first((*self._unheld, *self.session_data), session_id)
        return session

    @contextmanager
    def held(self, session_id: str) -> Iterator[None]:
        """Keep a session, which may begin later, for as long as its tab is open."""
        self._heartbeats[session_id] += 1
        self._unheld.pop(session_id, None)
        try:
            yield
        finally:
            self._heartbeats[session_id] -= 1
            if not self._heartbeats[session_id]:
                del self._heartbeats[session_id]
                if session_id in self.session_data:
                    self._let_go(session_id)

    def delete_all_expired_state(self) -> None:
        """End the sessions that nobody holds or uses; Gradio calls this once a second."""
        now_s = self._clock.monotonic()
        for session_id in list(takewhile(lambda each: self._unheld[each] <= now_s - UNHELD_S, self._unheld)):
            if self._is_busy(session_id):
                self._let_go(session_id)
            else:
                self._end(session_id)
        queued = self._queue.pending_event_ids_session  # also of events that were cancelled before they had a session
        for session_id in [each for each in queued if each not in self.session_data and not self._is_busy(each)]:
            self._forget_messages(session_id)

    def take_over(self, sessions: Mapping[str, SessionState]) -> None:
        """Keep the sessions that began before this was there."""
        for session_id, session in list(sessions.items()):
            self.session_data[session_id] = session
            self._let_go(session_id)

    def _let_go(self, session_id: str) -> None:
        """Note that a session without a heartbeat was used now."""
        self._unheld[session_id] = self._clock.monotonic()
        self._unheld.move_to_end(session_id)
        if len(self._unheld) > self._unheld_most:
            self._end_first(self._unheld, session_id)

    def _end_first(self, session_ids: Iterable[str], spared: str) -> None:
        """End the first of these sessions that may end."""
        found = (each for each in session_ids if each != spared and not self._is_busy(each))
        session_id = next(found, None)
        if session_id is not None:
            self._end(session_id)

    def _is_busy(self, session_id: str) -> bool:
        """Whether an event of the session waits or runs; its messages must have a place to go."""
        queued = self._queue.pending_event_ids_session.get(session_id, ())
        return any(event_id in self._queue.event_ids_to_events for event_id in queued)

    def _end(self, session_id: str) -> None:
        self.session_data.pop(session_id, None)
        self._unheld.pop(session_id, None)
        self._forget_messages(session_id)

    def _forget_messages(self, session_id: str) -> None:
        self._queue.pending_messages_per_session.pop(session_id, None)
        self._queue.pending_event_ids_session.pop(session_id, None)


class TabWatch:
    """Tells `Sessions` which tabs are open: a page keeps one request, its heartbeat, for as long as it is there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        beat = HEARTBEAT.fullmatch(scope["path"]) if scope["type"] == "http" else None
        sessions = None if beat is None else getattr(scope.get("app"), "state_holder", None)
        if beat is not None and isinstance(sessions, Sessions):
            with sessions.held(beat["session"]):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def lighten_sessions(page: gr.Blocks, clock: Clock | None = None, unheld_most: int = UNHELD_MOST) -> None:
    """Make the sessions of a launched page light, if Gradio is the version that this was written for."""
    if gr.__version__ != WRITTEN_FOR:
        log.warning(
            "Gradio is %s; a page view will keep about 340 KB until 10,000 sessions exist. The cure in %s was written "
            "for %s: see that it fits, then change WRITTEN_FOR there.",
            *(gr.__version__, __name__, WRITTEN_FOR),
        )
        return
    sessions, before = Sessions(page, clock, unheld_most), page.app.state_holder
    page.state_holder = page.app.state_holder = sessions
    sessions.take_over(before.session_data)
