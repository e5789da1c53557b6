"""The two kinds of process, seen from outside while the program runs: who loads torch, and who outlives whom."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from gradio_client import Client

from tests.conftest import LiveApp, start_app, stop_app
from tests.processes import family, gone, maps, maps_or_nothing

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_the_web_process_never_loads_a_model_library_while_models_write(live_app: LiveApp) -> None:
    client = Client(live_app.url, verbose=False)
    job = client.submit("Write a short poem about the sea.", api_name="/compare")
    looked = 0
    for snapshot in job:
        if any(column["state"] == "writing" for column in snapshot["columns"]):
            assert "libtorch" not in maps(live_app.process.pid)
            looked += 1
    assert looked
    workers = [pid for pid in family(live_app.process.pid) if "libtorch" in maps_or_nothing(pid)]
    assert len(workers) >= 5, "the models live in processes of their own"
    own = os.getpriority(os.PRIO_PROCESS, live_app.process.pid)
    giving_way = [pid for pid in workers if os.getpriority(os.PRIO_PROCESS, pid) > own]
    assert len(giving_way) >= 5, "pages and votes come before tokens"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_app_however_it_ends(tmp_path: Path, how: signal.Signals) -> None:
    app = start_app(tmp_path, "--models", "pocket-orca-mini")
    try:
        for _snapshot in Client(app.url, verbose=False).submit(
            "What is an alpaca?", models=["pocket-orca-mini"] * 2, api_name="/compare"
        ):
            break
        children = family(app.process.pid)
        assert children
        os.kill(app.process.pid, how)
        app.process.wait(20)
        assert gone(children, 10) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)


def test_an_app_that_is_killed_while_its_models_load_leaves_nothing_behind(tmp_path: Path) -> None:
    app = start_app(tmp_path)  # the page is served before the models are there
    try:
        children: list[int] = []
        while not any("libtorch" in maps_or_nothing(pid) for pid in children):
            children = family(app.process.pid)
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait(20)
        assert gone(children, 10) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)
