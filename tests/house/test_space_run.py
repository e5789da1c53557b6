"""A built Space, started as the hub starts one and used inside the frame of the hub's page."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, FrameLocator, Page, Playwright, expect

from playground.cli import main
from playground.rater_ids import COOKIE
from tests.conftest import LiveApp, free_port, models_are_up
from tests.support.browsing import CHROMIUM, CHROMIUM_FLAGS
from tests.support.hosted_space import HostedSpace, hosted_space
from tests.support.hub_server_datasets import STORE, WRITE, running_datasets
from tests.support.nginx import blocks, here, nginx, self_signed
from tests.support.oidc_server import CLIENT_ID, CLIENT_SECRET, providing
from tests.support.paths import ROOT
from tests.support.patience import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a program as another user"),
]

AT_ROOT = blocks((ROOT / "docs" / "hosting.md").read_text())[0]
HUB_PAGE = "https://huggingface.co/spaces/ada/playground"
FRAMED = """<!doctype html><title>The hub</title>
<iframe id="space" allow="clipboard-write" style="width: 1300px; height: 900px"></iframe>
<script>
const own = "{url}";
document.getElementById("space").src = `${{own}}/${{location.search}}`;
addEventListener("message", ({{ origin, data }}) => {{
  if (origin !== own || typeof data?.queryString !== "string") return; // Gradio sends messages of its own
  history.replaceState(null, "", data.queryString ? `?${{data.queryString}}` : location.pathname);
}});
</script>"""
"""The hub's page: its query goes to the frame at each load, and the frame's messages change it."""
HERE_IS_ANYWHERE = "--disable-features=LocalNetworkAccessChecks"
"""Lets a page of the hub have a frame from this machine."""
BLOCKED = {"profile": {"block_third_party_cookies": True, "cookie_controls_mode": 1}}


@dataclass(frozen=True)
class Running:
    """A running Space and its https address."""

    space: HostedSpace
    url: str
    certificate: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    with providing(free_port()) as hub, running_datasets() as datasets:
        datasets.make()
        store = {
            "PLAYGROUND_STORE": STORE,
            "PLAYGROUND_STORE_EVERY_S": "1",
            "HF_TOKEN": WRITE,
            "HF_ENDPOINT": datasets.url,
            "HF_HUB_DISABLE_XET": "1",
        }
        login = {
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": hub.url,
        }
        host = {"SPACE_HOST": f"localhost:{port}", "FORWARDED_ALLOW_IPS": "127.0.0.1"}
        with hosted_space(**login, **host, **store, PLAYGROUND_UNDO_S="1") as space:
            certificate = self_signed(folder)
            with nginx(folder, here(AT_ROOT, port, space.url.removeprefix("http://"), certificate)):
                yield Running(space, f"https://localhost:{port}", certificate.with_suffix(".pem"))


def check(url: str) -> tuple[int, dict[str, Any]]:
    with redirect_stdout(io.StringIO()) as out:
        status = main(["space", "check", url, "--json"])
    return status, {point["name"]: point for point in json.loads(out.getvalue())["points"]}


def board(url: str) -> Any:
    return Client(url, verbose=False).predict(api_name="/leaderboard")


def is_copied(url: str, votes: int) -> bool:
    with urllib.request.urlopen(f"{url}/health", timeout=60) as reply:
        store = json.load(reply)["store"]
    return bool(store["votes"] == votes and not store["waiting"] and not store["error"])


# space check


def test_check_finds_nothing_wrong_with_a_space_that_was_built_here(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models_are_up(running.space.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
    status, points = check(running.url)
    assert {name: point["found"] for name, point in points.items() if not point["ok"]} == {}
    assert status == 0
    assert list(points) == [
        "answers", "health", "votes can be stored", "models", "votes are copied out", "versions", "code", "page",
        "cookie in the frame", "frame", "the page can send", "other sites cannot send", "operator", "API",
        "dry request",
    ]  # fmt: skip
    assert main(["space", "check", running.url]) == 0
    assert capsys.readouterr().out.endswith(f"{running.url}: all is well\n")


def test_check_names_each_fault_with_its_cure(live_app: LiveApp) -> None:
    """The same program without https, and not from a built folder."""
    models_are_up(live_app.url)
    status, points = check(live_app.url)
    assert status == 1
    assert {name for name, point in points.items() if not point["ok"]} == {"code", "cookie in the frame"}
    assert all(bool(point["cure"]) is not point["ok"] for point in points.values())
    status, points = check(f"http://127.0.0.1:{free_port()}")
    assert (status, list(points)) == (1, ["answers"])


def test_check_through_a_proxy_with_common_mistakes(live_app: LiveApp, tmp_path: Path) -> None:
    port, upstream = free_port(), live_app.url.removeprefix("http://")
    with nginx(tmp_path, f"server {{ listen {port}; location / {{ proxy_pass http://{upstream}; }} }}\n"):
        _, points = check(f"http://127.0.0.1:{port}")
    assert not points["the page can send"]["ok"]
    assert "Host" in points["the page can send"]["cure"]


# The Space as the hub runs it


def test_log_has_no_error_and_no_word_about_a_missing_demo(running: Running) -> None:
    log = running.space.log.read_text()
    assert "GRADIO_HOT_RELOAD" not in log
    assert "Traceback" not in log
    assert " ERROR " not in log


def test_program_writes_nothing_but_its_data(running: Running) -> None:
    owned = subprocess.run(
        ["find", str(running.space.folder), "-newer", str(running.space.folder / ".space-build.json"), "-type", "f"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    written = {Path(path).relative_to(running.space.folder).parts[0] for path in owned if "__pycache__" not in path}
    assert written == {"data"}


@dataclass
class HubVisitor:
    """A visitor of the hub's page in a browser that blocks third-party cookies."""

    page: Page
    space: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("#space")

    def arrived(self) -> None:
        expect(self.frame.locator("#compare, #stop").first).to_be_visible()

    def compare(self, instruction: str) -> None:
        self.frame.locator("#instruction textarea").fill(instruction)
        self.frame.locator("#compare").click()

    def reaches(self, phase: str) -> None:
        ready = ":not([data-held])" if phase == "open" else ""
        self.frame.locator(f"body[data-phase={phase}]{ready}").wait_for(state="attached")

    @property
    def query(self) -> str:
        return str(self.page.evaluate("location.search"))


@pytest.fixture(scope="module")
def framed(
    tmp_path_factory: pytest.TempPathFactory, running: Running, playwright: Playwright
) -> Iterator[BrowserContext]:
    """A profile that blocks third-party cookies, for which the hub's page is here."""
    profile = tmp_path_factory.mktemp("profile")
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(json.dumps(BLOCKED))
    context = playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=[*CHROMIUM_FLAGS, HERE_IS_ANYWHERE],
        viewport={"width": 1400, "height": 1000},
    )
    context.set_default_timeout(60_000)
    hub = FRAMED.format(url=running.url)
    context.route("https://huggingface.co/**", lambda route: route.fulfill(body=hub, content_type="text/html"))
    yield context
    context.close()


@pytest.fixture
def visitor(framed: BrowserContext, running: Running) -> Iterator[HubVisitor]:
    models_are_up(running.space.url)
    page = framed.new_page()
    visitor = HubVisitor(page, running.url)
    page.goto(HUB_PAGE)
    visitor.arrived()
    yield visitor
    page.close()


@pytest.mark.browser
def test_votes_in_the_hubs_frame_survive_a_reload_and_a_kill(visitor: HubVisitor, running: Running) -> None:
    (frame,) = [frame for frame in visitor.page.frames if frame.url.startswith(running.url)]
    kept = frame.evaluate("document.cookie = 'plain=1; SameSite=None; Secure'; document.cookie")
    assert kept == "", "third-party cookies are not blocked here, so that the test would prove nothing"
    visitor.compare("What is the capital of France?")
    visitor.reaches("open")
    battle = visitor.query
    assert battle.startswith("?battle=")
    visitor.page.reload()
    visitor.reaches("open")
    assert visitor.query == battle
    visitor.frame.locator("#vote-a").click()
    visitor.reaches("voted")
    visitor.reaches("revealed")
    visitor.frame.locator("#next-battle").click()
    visitor.reaches("compose")
    assert visitor.query == ""
    visitor.compare("What is an alpaca?")
    visitor.reaches("open")
    visitor.frame.locator("#vote-b").click()
    visitor.reaches("revealed")
    cookies = visitor.page.context.cookies()
    assert [cookie.get("partitionKey") for cookie in cookies if cookie["name"] == COOKIE] == ["https://huggingface.co"]
    assert visitor.errors == []
    before = board(running.space.url)
    assert before["num_votes"] == 2
    running.space.kill()
    running.space.start()
    assert board(running.space.url) == before
    wait_until(lambda: is_copied(running.space.url, votes=2))
    running.space.kill()
    running.space.empty_disk()
    running.space.start()
    assert board(running.space.url) == before, "every vote came back from the store"
    with closing(sqlite3.connect(running.space.folder / "data" / "playground.db")) as connection:
        query = "SELECT count(DISTINCT owner), count(*) FROM battles WHERE state IN ('voted', 'revealed')"
        assert connection.execute(query).fetchone() == (1, 2), "one rater gave both votes"


@pytest.mark.browser
def test_empty_page_offers_the_battle_that_is_not_finished(visitor: HubVisitor) -> None:
    visitor.compare("What is a glacier?")
    visitor.reaches("open")
    battle = visitor.query
    visitor.page.goto("about:blank")
    visitor.page.goto(HUB_PAGE)
    visitor.arrived()
    offer = visitor.frame.locator("#offer a")
    expect(offer).to_have_text("“What is a glacier?”")
    offer.click()
    visitor.reaches("open")
    expect(offer).to_be_hidden()
    assert visitor.query == battle
