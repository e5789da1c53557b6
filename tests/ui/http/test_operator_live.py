"""The operator over HTTP against the running app, behind a proxy, in a browser and from a program."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from playground.arena.arena import Arena
from playground.settings import Settings
from playground.ui.http.operator import COOKIE, HEADER, operator_access
from playground.ui.http.turnstile import Turnstile
from playground.ui.site import build_pages
from tests.conftest import OPERATOR_TOKEN, PATIENCE_S, LiveApp, start_app, stop_app, without_models
from tests.support.page_events import event_of, send, states

PRINTED = re.compile(r"anyone who has it becomes the operator\): (\S+)\n")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("do", ["load", "unload"])
def test_request_from_loopback_is_not_the_operator(live_app: LiveApp, do: str) -> None:
    """A plain nginx sends every request from 127.0.0.1 to 127.0.0.1, without a forwarding header."""
    reply = send(live_app, "models-list", "click", event_data={"do": do, "model": "pocket-galpaca"})
    assert "Only the operator may load and unload models" in reply
    assert states(live_app)["pocket-galpaca"] in ("queued", "loading", "ready")


@dataclass(frozen=True)
class Started:
    """An app below a path, and the link that it printed."""

    app: LiveApp
    link: str

    @property
    def token(self) -> str:
        return self.link.partition("token=")[2]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("operator")
    app = start_app(
        folder,
        "--host=0.0.0.0",
        *without_models(folder),
        forked=False,  # its command line is read
        PLAYGROUND_OPERATOR_TOKEN="",
        GRADIO_ROOT_PATH="/play",
    )
    yield Started(app, logged(app, PRINTED)[1])
    stop_app(app)


def logged(app: LiveApp, line: re.Pattern[str]) -> re.Match[str]:
    """Wait for a line of the log: the page is served a moment before it."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := line.search(app.log.read_text())) is None:
        assert time.monotonic() < deadline, app.log.read_text()
        time.sleep(0.05)
    return found


def press(client: httpx.Client, index: int, **headers: str) -> httpx.Response:
    """Send the page's request to unload a model."""
    body = {
        "fn_index": index,
        "data": [],
        "session_hash": "abc",
        "event_data": {"do": "unload", "model": "pocket-orca-mini"},
    }
    return client.post("/play/gradio_api/run/predict", json=body, headers=headers)


def test_printed_link_makes_a_browser_the_operator_below_a_path(started: Started) -> None:
    assert started.link.startswith(f"{started.app.url}/play/operator?token=")
    index = event_of(started.app, "models-list", "click")
    with httpx.Client(base_url=started.app.url, timeout=60) as browser:
        assert "Only the operator" in press(browser, index).text
        opened = browser.get(started.link)
        assert (opened.status_code, opened.headers["location"]) == (303, "/play/operator")
        assert opened.headers["referrer-policy"] == "no-referrer"
        assert "; Path=/play; " in opened.headers["set-cookie"]
        page = browser.get(opened.headers["location"])
        assert (page.status_code, started.token in page.text) == (200, False)
        assert "Only the operator" not in press(browser, index).text
        assert press(browser, index, Origin="https://evil.example").status_code == 403
        assert press(browser, index, **{"Sec-Fetch-Site": "same-site"}).status_code == 403
        browser.post("/play/operator", data={"sign_out": "1"})
        assert "Only the operator" in press(browser, index).text


def test_token_is_in_nothing_but_the_printed_line(started: Started) -> None:
    with httpx.Client(base_url=started.app.url, timeout=60) as client:
        assert client.get(started.link).status_code == 303
        assert client.get("/operator", params={"token": "wrong"}).status_code == 403
        for path in ("/", "/models", "/config", "/health", "/operator", "/gradio_api/info"):
            reply = client.get(path)
            assert (reply.status_code, started.token in reply.text) == (200, False), path
    command = Path(f"/proc/{started.app.process.pid}/cmdline")
    assert not command.exists() or started.token.encode() not in command.read_bytes()
    assert started.app.log.read_text().count(started.token) == 1


def test_token_that_is_set_is_not_printed(live_app: LiveApp) -> None:
    line = rf"open {re.escape(live_app.url)}/operator and enter the token of PLAYGROUND_OPERATOR_TOKEN"
    assert logged(live_app, re.compile(line))
    assert OPERATOR_TOKEN not in live_app.log.read_text()


def test_operator_is_exempt_from_limits(tmp_path: Path) -> None:
    app = start_app(tmp_path, *without_models(tmp_path), PLAYGROUND_VIEWS_PER_MINUTE="3")
    try:
        with httpx.Client(base_url=app.url, timeout=60) as client:
            assert 429 in [client.get("/config").status_code for _ in range(4)]
            operator = {HEADER: OPERATOR_TOKEN}
            assert {client.get("/config", headers=operator).status_code for _ in range(6)} == {200}
            assert client.get("/config", headers={HEADER: "wrong"}).status_code == 403
            assert client.get("/config", headers={"Cookie": f"{COOKIE}={OPERATOR_TOKEN}"}).status_code == 429
    finally:
        stop_app(app)


def test_locked_playground_has_no_operator(tmp_path: Path) -> None:
    app = start_app(tmp_path, *without_models(tmp_path), "--locked")
    try:
        assert httpx.get(f"{app.url}/operator", params={"token": OPERATOR_TOKEN}, timeout=60).status_code == 404
        asked: dict[str, Any] = {"do": "unload", "model": "pocket-orca-mini"}
        assert "Only the operator" in send(app, "models-list", "click", event_data=asked)
        assert "operator?" not in app.log.read_text()
        assert json.loads(httpx.get(f"{app.url}/health", timeout=60).text)["status"]
    finally:
        stop_app(app)


def test_no_login_is_attached_outside_a_space(live_app: LiveApp) -> None:
    for path in ("/login/huggingface", "/login/callback", "/logout"):
        assert httpx.get(live_app.url + path, timeout=60).status_code == 404
    environ = {"OAUTH_CLIENT_ID": "id", "OAUTH_CLIENT_SECRET": "secret"}
    page = build_pages(Arena(Settings()), Turnstile(), operator_access(Settings(), environ))
    assert not page.expects_oauth, "Gradio would attach a login with a known secret"
