"""The two kinds of process, seen from outside while the program runs: who loads torch, and who outlives whom."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from gradio_client import Client

from tests.conftest import LiveApp, models_are_up, start_app, stop_app
from tests.support.processes import PATIENCE_S, family, gone, maps, maps_or_nothing

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


BY_FORCE = (signal.SIGINT, signal.SIGKILL)


def test_the_web_process_loads_no_model_library_for_models_to_write(live_app: LiveApp) -> None:
    models_are_up(live_app.url)
    client = Client(live_app.url, verbose=False)
    last = client.predict("Write a short poem about the sea.", api_name="/compare")
    assert all(column["text"] for column in last["columns"])
    assert "libtorch" not in maps(live_app.process.pid), "a library that was loaded stays"
    workers = [pid for pid in family(live_app.process.pid) if "libtorch" in maps_or_nothing(pid)]
    assert len(workers) >= 5, "the models live in processes of their own"
    own = os.getpriority(os.PRIO_PROCESS, live_app.process.pid)
    giving_way = [pid for pid in workers if os.getpriority(os.PRIO_PROCESS, pid) > own]
    assert len(giving_way) >= 5, "pages and votes come before tokens"


@pytest.mark.parametrize("how", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in BY_FORCE)])
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
        app.process.wait(PATIENCE_S)
        assert gone(children) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)


def test_an_app_that_is_killed_while_its_models_load_leaves_nothing_behind(tmp_path: Path) -> None:
    app = start_app(tmp_path)  # the page is served before the models are there
    try:
        children: list[int] = []
        while not any("libtorch" in maps_or_nothing(pid) for pid in children):
            assert app.process.poll() is None
            children = family(app.process.pid)
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait(PATIENCE_S)
        assert gone(children) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)
