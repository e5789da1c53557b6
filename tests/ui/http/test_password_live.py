"""A whole private instance: the running app, every route of Gradio, and `gradio_client`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError

from playground.settings import Settings
from playground.ui.http.downloads import ROUTES
from playground.ui.site import PAGES
from tests.conftest import start_app, stop_app, without_models
from tests.support.serving import address_of, serving
from tests.support.stub_arena import StubArena

PASSWORD = "grüner Tee; 50 %"


@pytest.fixture(scope="module")
def private() -> Iterator[tuple[str, list[str]]]:
    """The address of a private page, and the paths of all its routes."""
    arena = StubArena(Settings(password=PASSWORD, views_per_minute=0), chars_per_s=400.0)
    with serving(arena) as page:
        yield address_of(page), sorted(page.app.openapi()["paths"])


@pytest.mark.slow
def test_every_route_is_behind_the_password(private: tuple[str, list[str]]) -> None:
    url, routes = private
    paths = {re.sub(r"\{[^}]*\}", "x", path) for path in routes} | {f"/{room.path}" for room in PAGES}
    paths |= set(ROUTES)
    assert len(paths) > 40, "else the routes were not found"
    with httpx.Client(base_url=url, timeout=60) as client:
        for path in sorted(paths - {"/login", "/login/"}):
            for method in ("GET", "HEAD", "POST"):
                assert client.request(method, path).status_code == 401, (method, path)


def test_password_in_the_query_is_refused(private: tuple[str, list[str]]) -> None:
    assert httpx.get(f"{private[0]}/config", params={"password": PASSWORD}, timeout=60).status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"auth": ("anybody", PASSWORD)},
        {"httpx_kwargs": {"auth": ("anybody", PASSWORD)}},
        {"headers": {"Authorization": f"Basic {base64.b64encode(f':{PASSWORD}'.encode()).decode()}"}},
    ],
    ids=["auth", "httpx_kwargs", "headers"],
)
def test_gradio_client_compares_with_the_password(private: tuple[str, list[str]], how: dict) -> None:
    client = Client(private[0], verbose=False, **how)
    snapshots = list(client.submit("What is an alpaca?", api_name="/compare"))
    assert snapshots[-1]["state"] == "open"
    client.close()


def test_gradio_client_reports_a_wrong_password(private: tuple[str, list[str]]) -> None:
    with pytest.raises(AuthenticationError, match="Invalid credentials"):
        Client(private[0], verbose=False, auth=("anybody", "wrong"))


def test_password_is_never_served(private: tuple[str, list[str]]) -> None:
    with httpx.Client(base_url=private[0], auth=("", PASSWORD), timeout=60) as client:
        for path in ("/", "/config", "/gradio_api/info", "/models"):
            reply = client.get(path)
            assert (reply.status_code, PASSWORD in reply.text) == (200, False)


@pytest.mark.slow
def test_app_starts_with_a_password_and_health_stays_open(tmp_path: Path) -> None:
    app = start_app(tmp_path, *without_models(tmp_path), PLAYGROUND_PASSWORD=PASSWORD)
    try:
        with httpx.Client(base_url=app.url, timeout=60) as client:
            assert client.get("/config").status_code == 401
            assert (client.get("/health").status_code, client.head("/health").status_code) == (200, 200)
            assert PASSWORD not in client.get("/health").text
            assert client.post("/health").status_code == 401
            assert client.get("/config", auth=("", PASSWORD)).status_code == 200
    finally:
        stop_app(app)
    assert PASSWORD not in app.log.read_text()
