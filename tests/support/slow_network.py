"""Hold back requests and responses between a browser and the page, by the name of the event.

Boundary: Playwright's routes and the served ``/config``; knows no event's meaning.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import APIResponse, Page, Request, Route

STREAM = "stream"
"""Name of the stream of queue messages."""


@dataclass
class HeldRequest:
    """A request that the server has not seen."""

    name: str
    route: Route
    is_here: bool = True

    def release(self) -> None:
        self.route.continue_()


@dataclass
class HeldReply:
    """A request that the server has seen, and its response, which may still be on its way here."""

    name: str
    route: Route
    reply: APIResponse | None = None
    is_released: bool = False

    @property
    def is_here(self) -> bool:
        return self.reply is not None

    def fetch(self) -> None:
        """Fetch the response; other handlers, and the test, run meanwhile."""
        self.reply = self.route.fetch()
        if self.is_released:
            self.route.fulfill(response=self.reply)

    def release(self) -> None:
        self.is_released = True
        if self.reply is not None:
            self.route.fulfill(response=self.reply)


@dataclass
class SlowNetwork:
    """Traffic between one tab and the server.

    `requests` and `replies` name the events (without the number that Gradio adds) whose requests or responses are held
    from now on; they are collected in `held`.
    """

    page: Page
    url: str
    requests: set[str] = field(default_factory=set)
    replies: set[str] = field(default_factory=set)
    held: list[HeldRequest | HeldReply] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with urllib.request.urlopen(f"{self.url}/config") as reply:
            events = json.load(reply)["dependencies"]
        self._names = {event["id"]: re.sub(r"_\d+$", "", event["api_name"] or "") for event in events}
        self.page.route("**/gradio_api/queue/data?*", self._pass)
        self.page.route("**/gradio_api/queue/join*", self._pass)
        self.page.route("**/gradio_api/run/**", self._pass)

    def name_of(self, request: Request) -> str:
        if "/queue/data" in request.url:
            return STREAM
        return self._names[request.post_data_json["fn_index"]]

    def _pass(self, route: Route) -> None:
        name = self.name_of(route.request)
        self.seen.append(name)
        if name in self.requests:
            self.held.append(HeldRequest(name, route))
        elif name in self.replies:
            held = HeldReply(name, route)
            self.held.append(held)
            held.fetch()
        else:
            route.continue_()

    def wait_until(self, happened: Callable[[], object], patience_s: float = 60.0) -> None:
        """Run the browser until `happened` returns True."""
        for _ in range(int(patience_s / 0.05)):
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"waited {patience_s:g} s; seen: {self.seen}, held: {[one.name for one in self.held]}")

    def release(self, *names: str) -> None:
        """Send what is held for these events, by default all, in order of arrival; hold no more for them."""
        chosen = set(names) or self.requests | self.replies
        self.requests -= chosen
        self.replies -= chosen
        released = [one for one in self.held if one.name in chosen]
        self.held = [one for one in self.held if one.name not in chosen]
        for one in released:
            one.release()


def delay(page: Page, latency_s: float) -> None:
    """Add latency to every request of the tab."""
    conditions = {"offline": False, "latency": latency_s * 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", conditions)
