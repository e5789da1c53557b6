"""Fixtures for several packages: the running app, Chromium, and a page with a stub arena."""

from __future__ import annotations

import gc
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.support.forking import SharedForks
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.starts import Forked, as_a_shell_starts_it, forks

if TYPE_CHECKING:
    from tests.support.stub_arena import StubArena, StubTime

sys.dont_write_bytecode = False  # containers set it; but to rewrite the assertions of all files takes each worker long
gc.disable()  # until all tests are collected: what imports allocate is never garbage
settings.register_profile("patient", deadline=None, max_examples=50)  # a busy machine is no error
settings.load_profile("patient")

PATIENCE_S = 60.0
OPERATOR_TOKEN = "the-operator-of-every-playground-in-these-tests"
UNLIMITED = {f"PLAYGROUND_{name}_PER_MINUTE": "0" for name in ("COMPARES", "VOTES", "VIEWS")}
"""Settings without rate limits: tests send more than any visitor."""
UNASKED = {"PLAYGROUND_GUESS_SHARE": "0"}
"""No question between vote and reveal, which would be asked by chance."""
PROGRAMS = {"live_app", "models_of_one_process"}
"""Fixtures that start programs: the whole app, and worker processes."""
OWN_PORTS = 15_000
"""The first port of tests and their number; all are below the ports that the system gives to connections."""


def pytest_configure(config: pytest.Config) -> None:
    """Let workers take files in their order: by their number of tests, the longest would be begun last."""
    config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a running program as slow."""
    for item in items:
        if not PROGRAMS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class LiveApp:
    """A running ``app.py``."""

    url: str
    db: Path
    process: subprocess.Popen[bytes] | Forked
    log: Path


def free_port() -> int:
    """Return a port that the system does not hand out, so that it stays free until a slow program listens on it."""
    while True:
        port = OWN_PORTS + secrets.randbelow(OWN_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def start_app(
    folder: Path,
    *flags: str,
    port: int | None = None,
    forked: bool = sys.platform == "linux",
    prepare: Callable[[], None] = as_a_shell_starts_it,
    **environ: str,
) -> LiveApp:
    """Start ``python app.py`` with a database in `folder`; return it when it serves its page.

    `forked` saves the import of Gradio (see `tests.support.starts`); `prepare` runs in a new process.
    """
    port, db, log = port or free_port(), folder / "playground.db", folder / "app.log"
    flags = ("--port", str(port), "--db", str(db), *flags)
    variables = (
        os.environ
        | {"GRADIO_ANALYTICS_ENABLED": "False", "PLAYGROUND_OPERATOR_TOKEN": OPERATOR_TOKEN}
        | UNLIMITED
        | UNASKED
        | environ
    )
    process: subprocess.Popen[bytes] | Forked
    with log.open("ab") as out:
        if forked:
            process = forks().start(flags, variables, out.fileno(), out.fileno())
        else:
            command = [sys.executable, str(ROOT / "app.py"), *flags]
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=out, preexec_fn=prepare)
    app = LiveApp(f"http://127.0.0.1:{port}", db, process, log)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(app.url, timeout=5):
                return app
        except OSError as error:
            if getattr(error, "code", 0) == 401:  # the page has a password
                return app
            time.sleep(0.05)
    stop_app(app)
    raise RuntimeError(f"the app did not serve a page; its output:\n{log.read_text()}")


def without_models(folder: Path) -> tuple[str, ...]:
    """Return flags for an app whose only model is on an absent server, so that no worker starts."""
    text = (ROOT / "playground" / "catalog" / "cards" / "pocket-orca-mini.toml").read_text("utf-8")
    text = text.replace('id = "pocket-orca-mini"', 'id = "far"').replace('repo = "../..', f'repo = "{ROOT}/playground')
    lines = [line for line in text.splitlines() if not line.startswith("stands_in_for")]
    place = lines.index('id = "far"') + 1
    lines[place:place] = ['engine = "remote"', 'servers = ["http://127.0.0.1:1/v1"]']
    cards = folder / "cards"
    cards.mkdir()
    (cards / "far.toml").write_text("\n".join(lines), "utf-8")
    return ("--cards", str(cards), "--models", "far")


def models_are_up(url: str) -> None:
    """Wait until every model is loaded; the page is served before that."""

    def are_ready() -> bool:
        with urllib.request.urlopen(f"{url}/health", timeout=PATIENCE_S) as reply:
            return {worker["state"] for worker in json.load(reply)["workers"]} == {"ready"}

    wait_until(are_ready)


def stop_app(app: LiveApp) -> None:
    """End the app by SIGTERM; fail if it does not end."""
    app.process.terminate()
    try:
        app.process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        app.process.kill()
        app.process.wait()
        raise


@pytest.fixture(scope="session")
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """One app for all tests that only add to it; a vote can be undone for `PATIENCE_S`."""
    app = start_app(tmp_path_factory.mktemp("app"), forked=False, PLAYGROUND_UNDO_S=str(PATIENCE_S))
    yield app
    stop_app(app)


@pytest.fixture(scope="session")
def shared_forks() -> Iterator[SharedForks]:
    forks = SharedForks()
    yield forks
    forks.close()


@pytest.fixture(scope="module")
def models_of_one_process(shared_forks: SharedForks) -> Iterator[None]:
    """Let engines fork their workers from one shared process, so that torch is imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("playground.engines.local.engine.launcher", shared_forks.launcher)
        yield


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """The one Playwright of this process, which refuses to start a second."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    """One Chromium for all browser tests but those that need a profile of their own."""
    from tests.support.browsing import launch_browser

    chromium = launch_browser(playwright)
    yield chromium
    chromium.close()


@dataclass(frozen=True)
class StubPage:
    """A page in this process over a stub arena."""

    url: str
    arena: StubArena
    sessions: MutableMapping[str, Any]  # that Gradio keeps, by tab

    @property
    def time(self) -> StubTime:
        return self.arena.time


@pytest.fixture(scope="session", autouse=True)
def asked_only_for_certain() -> Iterator[None]:
    """Ask which model wrote an answer where the share is 1, and never by chance."""
    from playground.battles import asking

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "chance", lambda: 1 - 2**-53)
        yield


@pytest.fixture(scope="session")
def stub() -> Iterator[StubPage]:
    from playground.settings import Settings
    from tests.support.serving import address_of, serving
    from tests.support.stub_arena import StubArena

    unlimited = Settings(compares_per_minute=0, votes_per_minute=0, views_per_minute=0)
    arena = StubArena(unlimited, chars_per_s=2000.0, loading_s=0.4)
    with serving(arena) as page:
        yield StubPage(address_of(page), arena, page.app.state_holder.session_data)


@pytest.fixture(scope="session")
def stub_url(stub: StubPage) -> str:
    return stub.url
