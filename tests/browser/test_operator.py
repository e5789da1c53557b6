"""Becoming the operator in Chromium, and the form of a private instance."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.test_models import at_models, model, reaches
from tests.conftest import LiveApp, free_port, start_app, stop_app
from tests.support.browsing import DESKTOP, PHONE, Visitor, visiting
from tests.support.page_events import event_of, states
from tests.ui.http.test_operator_live import PRINTED, logged

pytestmark = pytest.mark.browser

ORCA = "pocket-orca-mini"
PASSWORD = "grüner Tee; 50 %"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """A playground that makes its own token, below a path."""
    folder = tmp_path_factory.mktemp("operator")
    flags = ("--host=0.0.0.0", f"--models={ORCA},pocket-galpaca")
    app = start_app(folder, *flags, PLAYGROUND_OPERATOR_TOKEN="", GRADIO_ROOT_PATH="/play")
    yield app
    stop_app(app)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    app = start_app(tmp_path_factory.mktemp("private"), f"--models={ORCA}", PLAYGROUND_PASSWORD=PASSWORD)
    yield app
    stop_app(app)


@pytest.fixture
def other_page() -> Iterator[str]:
    """A page that another program serves on this machine."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_printed_link_opens_the_way_to_unload_a_model_until_signing_out(browser: Browser, app: LiveApp) -> None:
    url = f"{app.url}/play"
    with visiting(browser, url) as stranger, visiting(browser, url) as visitor:
        at_models(stranger, is_operator=False)
        expect(stranger.page.locator("#models-operator")).to_contain_text("open the link that the terminal printed")
        assert stranger.page.locator("[data-do]:visible, #models-add:visible").count() == 0

        visitor.page.goto(logged(app, PRINTED)[1])
        expect(visitor.page).to_have_url(f"{url}/operator")
        expect(visitor.page.locator("#operator-session")).to_contain_text("You are the operator in this browser.")
        at_models(visitor, is_operator=False)
        card = model(visitor, ORCA)
        reaches(card, "ready")
        card.get_by_role("button", name="Unload").click()
        reaches(card, "off")
        cookies = {cookie["name"]: cookie for cookie in visitor.page.context.cookies()}
        kept = cookies["playground_operator"]
        assert (kept["path"], kept["httpOnly"], kept["sameSite"]) == ("/play", True, "Strict")

        visitor.page.get_by_role("button", name="Sign out").click()
        expect(visitor.page.locator("#models-operator")).to_contain_text("open the link that the terminal printed")
        expect(visitor.page.locator("[data-do]:visible")).to_have_count(0)
        assert "playground_operator" not in {cookie["name"] for cookie in visitor.page.context.cookies()}


def test_token_is_typed_into_a_form(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, f"{app.url}/play") as visitor:
        at_models(visitor, is_operator=False)
        visitor.page.get_by_role("link", name="enter the token").click()
        visitor.page.get_by_label("Token").fill("wrong")
        visitor.page.get_by_role("button", name="Become the operator").click()
        expect(visitor.page.get_by_role("alert")).to_contain_text("This is not the operator's token")
        visitor.page.get_by_label("Token").fill(logged(app, PRINTED)[1].partition("token=")[2])
        visitor.page.get_by_label("Token").press("Enter")
        expect(visitor.page.locator("#operator-session")).to_contain_text("You are the operator")


def test_page_of_another_port_cannot_act_as_the_operator(browser: Browser, app: LiveApp, other_page: str) -> None:
    """Ports of one host are the same site: its pages' requests carry the cookie, SameSite or not."""
    with visiting(browser, f"{app.url}/play") as visitor:
        visitor.page.goto(logged(app, PRINTED)[1])
        expect(visitor.page.locator("#operator-session")).to_contain_text("You are the operator")
        visitor.page.goto(other_page)
        forged = {
            "fn_index": event_of(app, "models-list", "click"),
            "data": [],
            "session_hash": "forged",
            "event_data": {"do": "unload", "model": "pocket-galpaca"},
        }
        headers = {
            "Content-Type": "application/json",
            "X-Forwarded-Host": other_page.removeprefix("http://").rstrip("/"),
        }
        status, reply = visitor.page.evaluate(
            "([url, headers, body]) => fetch(url, {method: 'POST', credentials: 'include', headers, body})"
            ".then(async (reply) => [reply.status, await reply.text()]).catch(() => [0, ''])",
            [f"{app.url}/play/gradio_api/run/x", headers, json.dumps(forged)],
        )
        assert (status, "from its own address only" in reply) == (403, True)
        assert states(app)["pocket-galpaca"] in ("queued", "loading", "ready")


def fits_and_is_accessible(visitor: Visitor) -> None:
    """Check a form in both schemes on a desktop and on a phone."""
    for scheme, size in product(("light", "dark"), (DESKTOP, PHONE)):
        visitor.page.set_viewport_size(size)
        visitor.page.emulate_media(color_scheme=scheme)
        assert not visitor.scrolls_sideways
        assert [v["id"] for v in Axe().run(visitor.page).response["violations"]] == [], scheme


def test_password_form_opens_the_page_that_was_asked_for(browser: Browser, private: LiveApp) -> None:
    with visiting(browser, private.url, reduced_motion="reduce") as visitor:
        visitor.page.goto(f"{private.url}/models?__theme=dark")
        expect(visitor.page.get_by_label("Password")).to_be_focused()
        fits_and_is_accessible(visitor)
        visitor.page.get_by_label("Password").fill("wrong")
        visitor.page.get_by_role("button", name="Go on").click()
        expect(visitor.page.get_by_role("alert")).to_have_text("This is not the password of this playground.")
        fits_and_is_accessible(visitor)
        visitor.page.get_by_label("Password").fill(PASSWORD)
        visitor.page.keyboard.press("Enter")
        expect(visitor.page).to_have_url(f"{private.url}/models?__theme=dark")
        expect(visitor.page.locator(".model").first).to_be_visible()
        assert visitor.hosts == {private.url.removeprefix("http://")}


def test_password_form_works_without_scripts(browser: Browser, private: LiveApp) -> None:
    with visiting(browser, private.url, java_script_enabled=False) as visitor:
        visitor.page.goto(private.url)
        visitor.page.get_by_label("Password").fill(PASSWORD)
        visitor.page.get_by_role("button", name="Go on").click()
        assert visitor.page.title() != "This playground is private"
        assert {cookie["name"] for cookie in visitor.page.context.cookies()} >= {"playground_password"}


def test_a_page_that_is_open_streams_behind_the_password(browser: Browser, private: LiveApp) -> None:
    with visiting(browser, private.url) as visitor:
        visitor.page.goto(private.url)
        visitor.page.get_by_label("Password").fill(PASSWORD)
        visitor.page.keyboard.press("Enter")
        visitor.arrived().compare(mode="open").reaches("open", timeout_s=120)
