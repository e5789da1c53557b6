"""A network between a browser and the page that holds requests and replies back, by the name of the page's event.

Boundary: Playwright's routes and the served ``/config``; knows nothing of what the events do.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import APIResponse, Page, Request, Route

STREAM = "stream"
"""The name under which the stream of the queue's messages is held."""


@dataclass
class Held:
    """One request, or its reply, that waits to be let through."""

    name: str
    route: Route
    reply: APIResponse | None = None  # None: the request itself waits

    def release(self) -> None:
        if self.reply is None:
            self.route.continue_()
        else:
            self.route.fulfill(response=self.reply)


@dataclass
class SlowNetwork:
    """What passes between one tab and the server.

    `requests` and `replies` name the events (without the number that Gradio adds) whose request, or whose reply, is
    held from now on. Everything that is held waits in `held`.
    """

    page: Page
    url: str
    requests: set[str] = field(default_factory=set)
    replies: set[str] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with urllib.request.urlopen(f"{self.url}/config") as reply:
            self._dependencies = json.load(reply)["dependencies"]
        self._names = {one["id"]: re.sub(r"_\d+$", "", one["api_name"] or "") for one in self._dependencies}
        self.page.route("**/gradio_api/queue/data?*", self._pass)
        self.page.route("**/gradio_api/queue/join*", self._pass)
        self.page.route("**/gradio_api/run/**", self._pass)

    def last_of(self, name: str) -> str:
        """The last event of the chain that an event begins; itself, if nothing comes after it."""
        after = {one["trigger_after"]: one["id"] for one in self._dependencies if one["trigger_after"] is not None}
        number = next(one["id"] for one in self._dependencies if self._names[one["id"]] == name)
        while number in after:
            number = after[number]
        return self._names[number]

    def name_of(self, request: Request) -> str:
        if "/queue/data" in request.url:
            return STREAM
        return self._names[request.post_data_json["fn_index"]]

    def _pass(self, route: Route) -> None:
        name = self.name_of(route.request)
        self.seen.append(name)
        if name in self.requests:
            self.held.append(Held(name, route))
        elif name in self.replies:
            self.held.append(Held(name, route, route.fetch()))
        else:
            route.continue_()

    def wait_until(self, happened: Callable[[], object], patience_s: float = 60.0) -> None:
        """Let the browser go on until it has."""
        for _ in range(int(patience_s / 0.05)):
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"waited {patience_s:g} s; passed: {self.seen}, held: {[one.name for one in self.held]}")

    def release(self, *names: str) -> None:
        """Let through what is held under these names, or all of it, in the order in which it came; hold none again."""
        chosen = set(names) or self.requests | self.replies
        self.requests -= chosen
        self.replies -= chosen
        let_go = [one for one in self.held if one.name in chosen]
        self.held = [one for one in self.held if one.name not in chosen]
        for one in let_go:
            one.release()


def delay(page: Page, latency_s: float) -> None:
    """Make everything that the tab asks for take so much longer."""
    conditions = {"offline": False, "latency": latency_s * 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", conditions)
