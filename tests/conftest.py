"""What several tests share: the real program, started as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is no error
settings.load_profile("patient")

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class LiveApp:
    """A running playground."""

    url: str
    db: Path
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_app(folder: Path, *flags: str, **environ: str) -> LiveApp:
    """``python app.py`` with a database in `folder`, once it serves its page."""
    port, db, log = free_port(), folder / "playground.db", folder / "app.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", str(port), "--db", str(db), *flags],
            cwd=ROOT,
            env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"} | environ,
            stdout=out,
            stderr=out,
            # a test run in the background of a script ignores Ctrl-C, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    app = LiveApp(f"http://127.0.0.1:{port}", db, process, log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(app.url, timeout=5):
                return app
        except OSError:
            time.sleep(0.05)
    stop_app(app)
    raise RuntimeError(f"the app did not serve a page; its output:\n{log.read_text()}")


def stop_app(app: LiveApp) -> None:
    """End it as Ctrl-C would, and see that it ends."""
    app.process.terminate()
    try:
        app.process.wait(20)
    except subprocess.TimeoutExpired:
        app.process.kill()
        app.process.wait()
        raise


@pytest.fixture(scope="session")
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """One playground for all tests that only add to it."""
    app = start_app(tmp_path_factory.mktemp("app"))
    yield app
    stop_app(app)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all browser tests."""
    from playwright.sync_api import sync_playwright

    from tests.browsing import launch_browser

    with sync_playwright() as playwright:
        chromium = launch_browser(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def stub_url() -> Iterator[str]:
    """The page over made-up answers, in this process."""
    from playground.settings import Settings
    from playground.ui.pages import build_pages, launch_options
    from tests.stub_arena import StubArena

    arena = StubArena(Settings(), chars_per_s=400.0, loading_s=0.4)
    page = build_pages(arena)
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True, **launch_options(arena))
    yield page.local_url.rstrip("/")
    page.close()
