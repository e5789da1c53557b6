"""Change Gradio and uvicorn where they keep, poll or allow too much: every patch of a foreign library is in this file.

A patch is left out, with one line in the log, if the installed version is not the one that it was written for. Each
docstring says what the patch saves, measured with that patch alone switched off.

Boundary: knows internals of Gradio, uvicorn and h11. For one thread: the server's event loop.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import ChainMap, OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import gradio as gr
import h11
from gradio import http_server
from gradio.context import Context
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder
from uvicorn.config import HTTP_PROTOCOLS, Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from playground.clock import Clock
from playground.ui.http.connections import IdleConnections
from playground.ui.http.proxies import Proxies

WRITTEN_FOR: Mapping[str, str] = {"gradio": "6.31.0", "uvicorn": "0.54.0", "h11": "0.16.0"}
POLL_S = 0.01
SESSION_IDLE_S = 600.0
"""The time for which an idle session is kept. A program may fetch its result until then."""
MOST_SESSIONS = 1000
"""The number of idle sessions that are kept."""
UNREAD_S = 60.0
"""The longest wait of a response for its reader."""
REQUEST_S = 15.0
"""The time in which a request has to arrive, from the connection or its first byte on; more at `SLOWEST_BYTES_S`."""
SLOWEST_BYTES_S = 500.0

log = logging.getLogger(__name__)


def _fits(change: str, *libraries: str) -> bool:
    """Return True if the libraries have the versions in `WRITTEN_FOR`; log a warning if not."""
    others = [f"{name} {found}" for name in libraries if (found := version(name)) != WRITTEN_FOR[name]]
    if others:
        log.warning("Not applied: %s. Check it with %s, then edit %s.", change, " and ".join(others), __name__)
    return not others


def slow_polling_down(page: gr.Blocks) -> None:
    """Let Gradio's queue look for events every 10 ms instead of every 1 ms, and for progress bars once a second.

    Saves more than half of the CPU while nobody uses the page: 8 and 11 ms in each second instead of 18 and 31, in
    turns. A queued event waits 5 ms longer on average; votes do not pass through the queue. Upstream has no setting.
    """
    if _fits("the slower polling of the queue", "gradio"):
        page._queue.sleep_when_free, page._queue.progress_update_sleep_when_free = POLL_S, 1.0


def skip_statistics(environ: MutableMapping[str, str]) -> None:
    """Let the queues of pages that are built later compute no statistics, unless `environ` says how often.

    Saves 3 ms of CPU after each queued event, and 15 ms once there were 10,000: Gradio makes a table of all of them for
    its page ``/monitoring``, which is closed here. It is Gradio's own setting.
    """
    environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(sys.maxsize))


def shrink_sessions(page: gr.Blocks, clock: Clock | None = None, most: int = MOST_SESSIONS) -> None:
    """Keep little of each Gradio session, and end sessions that are idle.

    Saves 350 KB of memory for each page view, of 353, and 38 of 67 ms of CPU (benchmark 12). Until 10,000 sessions
    exist, Gradio keeps every component that an event of the session has updated, a copy of the page's tables, and the
    configuration of each component for deep links. This page has no `gr.State` and no deep links, and its handlers
    check plain values. Upstream's setting for the number of sessions would also end those that are in use.
    """
    if _fits("the smaller sessions, so that each page view keeps about 350 KB", "gradio"):
        page.state_holder = page.app.state_holder = Sessions(page, clock, most)


def guard_connections(proxies: Proxies) -> None:
    """Have each server that starts later close connections that send no request or do not read their response.

    uvicorn's only timeout covers the pause between a response and the next request, so that silent connections use up
    the process's files; upstream leaves this to a proxy in front. Gradio builds uvicorn's configuration itself.
    """
    if _fits("the timeouts of connections", "uvicorn", "h11"):
        HTTP_PROTOCOLS["auto"] = partial(GuardedConnection, idle=IdleConnections(proxies))  # type: ignore[assignment]


def forget_space(page: gr.Blocks) -> None:
    """Keep Gradio from watching a Space's files, and the page from asking the hub about the Space.

    Saves a message about a missing demo at each start, a second server on all addresses (port 7887, with the `spaces`
    package) or a traceback of a thread (without it), and a request at each view that the page's security policy
    refuses. Gradio does this if `SPACE_ID` is set; the Hugging Face login, which needs the variable, is not changed.
    Upstream has no setting: `start_server` and the page decide by the variable alone.
    """
    if _fits("the start without a Space's file watcher", "gradio"):
        http_server.get_space = lambda: None  # as outside of a Space
        page.space_id = None


@contextmanager
def built_at_launch() -> Iterator[None]:
    """Keep Gradio from building its web application and configuration again after each page; `launch` builds them.

    Saves 0.6 of 3.4 s of CPU until seven pages are served. Upstream has no setting: `Blocks.__exit__` builds both.
    """
    Context.id = 0  # the components have the same ids in every language
    create, get_config = App.create_app, gr.Blocks.get_config_file
    if _fits("the start that builds all pages at once", "gradio"):
        App.create_app = lambda page, **options: getattr(page, "app", None) or create(page, **options)
        gr.Blocks.get_config_file = lambda page: {}
    try:
        yield
    finally:
        App.create_app, gr.Blocks.get_config_file = create, get_config


class Components(ChainMap[int, Any]):
    """The page's components, shared by all sessions, under the one that this session updated last."""

    def __setitem__(self, key: int, component: Any) -> None:
        self.maps[0] = {key: component}  # Gradio reads it once, right after it has built it


class Session(SessionState):  # type: ignore[misc]  # Gradio has no types here
    """A session that shares the page's tables and keeps no state and no configuration."""

    def __init__(self, page: Any) -> None:
        """Share `page`, Gradio's configuration of the page; the base class would copy it."""
        self.blocks_config = SimpleNamespace(blocks=Components({}, page.blocks), fns=page.fns)

    def __setitem__(self, key: int, component: Any) -> None:
        self.blocks_config.blocks[key] = component

    def _update_config(self, *_: Any) -> None:
        """Do nothing: the configuration is for deep links."""

    _update_value_in_config = _update_config


class Sessions(StateHolder):  # type: ignore[misc]  # Gradio has no types here
    """The sessions of a page and their queued messages, which end together.

    A session ends when it has been idle for `SESSION_IDLE_S`, or earlier if more than `most` exist: then the one that
    was used longest ago ends first. A session with an event that waits or runs never ends, and one whose messages have
    not all been read stays for at least `UNREAD_S`, after which the connection of a reader that stalls is closed.
    """

    def __init__(self, page: gr.Blocks, clock: Clock | None = None, most: int = MOST_SESSIONS) -> None:
        super().__init__()
        self.blocks = page
        self._most = most
        self._clock = clock or Clock()
        self._queue = page._queue
        # Gradio would drop the messages of the 2,000th session before, even unread ones. They end here instead.
        self._queue.pending_messages_per_session.max_size = sys.maxsize
        self._used_s: OrderedDict[str, float] = OrderedDict()  # by session: time of the last use, the earliest first

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the session; make it if it does not exist."""
        session = self.session_data.get(session_id)
        if session is None:
            session = self.session_data[session_id] = Session(self.blocks.default_config)
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
            if excess <= 0 and idle_s < SESSION_IDLE_S:
                break
            if session_id not in busy and (idle_s >= UNREAD_S or not self._is_unread(session_id)):
                self._end(session_id)
                excess -= 1

    def _use(self, session_id: str, now_s: float) -> None:
        self._used_s[session_id] = now_s
        self._used_s.move_to_end(session_id)

    def _is_unread(self, session_id: str) -> bool:
        """Return True if an event's last message has not been sent; Gradio forgets the event's id afterwards."""
        return bool(self._queue.pending_event_ids_session.get(session_id))

    def _end(self, session_id: str) -> None:
        del self._used_s[session_id]
        self.session_data.pop(session_id, None)
        self._queue.pending_messages_per_session.pop(session_id, None)
        self._queue.pending_event_ids_session.pop(session_id, None)


class GuardedConnection(H11Protocol):
    """An HTTP/1.1 connection with a deadline for each request to arrive, and for the client to read on.

    A response that is being streamed and read may take any time.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        idle: IdleConnections,
        request_s: float = REQUEST_S,
        unread_s: float = UNREAD_S,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._idle, self._request_s, self._unread_s = idle, request_s, unread_s
        self._began_s = 0.0  # when the request that is arriving began
        self._received_bytes = 0
        self._request_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._start_request_timer()
        self._add_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.remove(self.transport)
        self._stop_request_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._request_timer is None and self.conn.their_state is h11.IDLE:
            self._start_request_timer()
        self._received_bytes += len(data)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._idle.remove(self.transport)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_request_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._stop_request_timer()  # the next request has not begun; until then uvicorn's own timeout runs
            self._add_idle()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(self._unread_s, self.transport.abort)  # closing waits until the response has been read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self._unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._idle.remove(self.transport)
        self._stop_request_timer()
        super().handle_websocket_upgrade(event)

    def _add_idle(self) -> None:
        self._idle.add(self.transport, self.client[0] if self.client else "")

    def _start_request_timer(self) -> None:
        self._began_s, self._received_bytes = self.loop.time(), 0
        self._request_timer = self.loop.call_later(self._request_s, self._close_if_late)

    def _close_if_late(self) -> None:
        """Close the connection if its request is late; bytes that the server itself does not read are not late."""
        left_s = self._began_s + self._request_s + self._received_bytes / SLOWEST_BYTES_S - self.loop.time()
        if self.flow.read_paused:
            left_s = max(left_s, self._request_s)
        if left_s > 0:
            self._request_timer = self.loop.call_later(left_s, self._close_if_late)
        else:
            self.transport.abort()

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None
