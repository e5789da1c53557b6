"""The page behind a real nginx, configured as in the guide and with common mistakes."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from playground.rater_ids import COOKIE
from tests.conftest import ROOT, LiveApp, free_port, models_are_up, start_app, stop_app, without_models
from tests.support.browsing import Visitor, visiting
from tests.support.nginx import blocks, here, nginx, self_signed

pytestmark = [pytest.mark.slow, pytest.mark.browser]

GUIDE = (ROOT / "docs" / "hosting.md").read_text()
AT_ROOT, AT_PATH = blocks(GUIDE)
DEFAULT = "server {{ listen {port}; location {path} {{ proxy_pass http://{upstream}{to}; {more} }} }}\n"
HOST = "proxy_set_header Host $http_host;"
MODELS = "--models=pocket-galpaca,pocket-minotaur"


@dataclass(frozen=True)
class Hosted:
    """A playground behind nginx."""

    app: LiveApp
    url: str


def upstream(app: LiveApp) -> str:
    return app.url.removeprefix("http://")


@pytest.fixture(scope="module", params=["/", "/play/"])
def hosted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A playground configured as in the guide, at the top of a host and below a path."""
    folder, port, path = tmp_path_factory.mktemp("hosted"), free_port(), request.param
    root = {} if path == "/" else {"GRADIO_ROOT_PATH": path.rstrip("/")}
    app = start_app(folder, MODELS, FORWARDED_ALLOW_IPS="127.0.0.1", **root)
    block = here(AT_ROOT if path == "/" else AT_PATH, port, upstream(app), self_signed(folder))
    try:
        models_are_up(app.url)
        with nginx(folder, block):
            yield Hosted(app, f"https://localhost:{port}{path.rstrip('/')}")
    finally:
        stop_app(app)


def note(visitor: Visitor) -> str:
    expect(visitor.page.locator("#connection")).to_be_visible()
    return visitor.page.locator("#connection").inner_text()


def test_guide_has_both_configurations() -> None:
    assert "location / {" in AT_ROOT
    assert "location /play/ {" in AT_PATH
    assert "GRADIO_ROOT_PATH=/play FORWARDED_ALLOW_IPS=127.0.0.1 python app.py" in GUIDE


def test_vote_through_the_guides_nginx(browser: Browser, hosted: Hosted) -> None:
    with visiting(browser, hosted.url) as visitor:
        answers: list[int] = []
        visitor.page.on("response", lambda reply: answers.append(reply.status))
        visitor.open().compare().reaches("open")
        visitor.press("a").reaches("voted").press("r").reaches("revealed")
        battle = visitor.battle_id
        assert battle
        assert visitor.page.url.startswith(f"{hosted.url}/?battle=")
        visitor.reload().reaches("revealed")
        visitor.page.locator("#foot a").first.click()
        visitor.page.wait_for_selector(f"#my-data-list a[href*='{battle}']")
        visitor.page.goto(f"{hosted.url}/leaderboard/")
        visitor.page.wait_for_selector("#board h1")
        assert visitor.page.url == f"{hosted.url}/leaderboard"
        cookie = next(c for c in visitor.page.context.cookies() if c["name"] == COOKIE)
        assert (cookie["path"], cookie["secure"]) == ("/play" if hosted.url.endswith("/play") else "/", True)
        assert visitor.page.locator("#connection").count() == 0
        assert visitor.hosts == {hosted.url.split("/")[2]}
        assert [status for status in answers if status >= 400] == []


def test_stream_through_the_guides_nginx_is_not_buffered(hosted: Hosted) -> None:
    untrusting = ssl.create_default_context()
    untrusting.check_hostname, untrusting.verify_mode = False, ssl.CERT_NONE
    call = f"{hosted.url}/gradio_api/call/v2/compare"
    body = json.dumps({"instruction": "Write a short poem about the sea."}).encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json", "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=60, context=untrusting) as reply:
        event = json.load(reply)["event_id"]
    began, at_s = time.monotonic(), []
    with urllib.request.urlopen(f"{call}/{event}", timeout=60, context=untrusting) as stream:
        assert stream.headers.get("content-encoding") is None
        for line in stream:
            if line.startswith(b"data:"):
                at_s.append(time.monotonic() - began)
    assert len(at_s) > 3
    assert at_s[0] < at_s[-1] / 2 or at_s[-1] < 0.5, "the first piece is not held back until the last"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    app = start_app(tmp_path_factory.mktemp("app"), MODELS)
    yield app
    stop_app(app)


def test_wrong_host_header_is_shown_with_its_cure(browser: Browser, app: LiveApp, tmp_path: Path) -> None:
    port = free_port()
    server = DEFAULT.format(port=port, path="/", upstream=upstream(app), to="", more="")
    with nginx(tmp_path, server), visiting(browser, f"http://localhost:{port}") as visitor:
        visitor.page.goto(visitor.url)
        words = note(visitor)
        assert f"you opened it at http://localhost:{port}" in words
        assert "proxy_set_header Host $http_host;" in words
        assert "X-Forwarded-Proto" in words
        visitor.complaints.clear()  # Gradio complains about requests that cannot be sent
    cured = server.replace("{ proxy_pass", f"{{ {HOST} proxy_pass")
    with nginx(tmp_path, cured), visiting(browser, f"http://localhost:{port}") as visitor:
        visitor.open().compare().reaches("open")
        assert visitor.page.locator("#connection").count() == 0


def test_refused_post_shows_the_cure(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    app = start_app(tmp_path, *without_models(tmp_path), GRADIO_ROOT_PATH=f"http://localhost:{port}")
    server = DEFAULT.format(port=port, path="/", upstream=upstream(app), to="", more="")
    try:
        with nginx(tmp_path, server), visiting(browser, f"http://localhost:{port}") as visitor:
            visitor.page.goto(visitor.url)
            assert "proxy_set_header Host $http_host;" in note(visitor)
            visitor.complaints.clear()
    finally:
        stop_app(app)


def test_unknown_root_path_is_shown_with_its_cure(browser: Browser, app: LiveApp, tmp_path: Path) -> None:
    port = free_port()
    server = DEFAULT.format(port=port, path="/play/", upstream=upstream(app), to="/", more=HOST)
    with nginx(tmp_path, server), visiting(browser, f"http://localhost:{port}/play") as visitor:
        visitor.page.goto(f"{visitor.url}/")
        assert "GRADIO_ROOT_PATH=/play" in note(visitor)
        visitor.complaints.clear()


@pytest.mark.parametrize("how", ["nobody listens", "the proxy does not reach it"])
def test_unreachable_server_is_shown_until_it_is_back(browser: Browser, app: LiveApp, tmp_path: Path, how: str) -> None:
    port = free_port()
    server = DEFAULT.format(port=port, path="/", upstream=upstream(app), to="", more=HOST)
    away = DEFAULT.format(port=port, path="/", upstream="127.0.0.1:1", to="", more=HOST)
    with visiting(browser, f"http://localhost:{port}") as visitor:
        with nginx(tmp_path, server):
            visitor.open()
        if how == "nobody listens":
            visitor.type("What is an alpaca?")
            visitor.page.locator("#compare").click()
            assert note(visitor).startswith("The server does not answer.")
        else:
            with nginx(tmp_path, away):
                visitor.type("What is an alpaca?")
                visitor.page.locator("#compare").click()
                assert note(visitor).startswith("The server does not answer.")
        with nginx(tmp_path, server):
            expect(visitor.page.locator("#connection")).to_have_count(0)
        visitor.complaints.clear()


def test_foreign_cookie_makes_no_new_rater(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url) as visitor:
        visitor.page.context.add_cookies([{"name": "prefs", "value": '{"theme":"dark"}', "url": app.url}])
        visitor.open()
        secret = {c["value"] for c in visitor.page.context.cookies() if c["name"] == COOKIE}
        visitor.compare().reaches("open").reload().reaches("open")
        assert {c["value"] for c in visitor.page.context.cookies() if c["name"] == COOKIE} == secret
