"""The processes of a running app, seen from outside: which of them load torch, and that none outlives the app."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client

from tests.conftest import LiveApp, models_are_up, start_app, stop_app
from tests.support.checkpoints import ROOMY, write_checkpoint
from tests.support.paths import ROOT
from tests.support.processes import PATIENCE_S, family, maps, survivors

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


def test_web_process_loads_no_model_library_and_models_are_nice(live_app: LiveApp) -> None:
    models_are_up(live_app.url)
    client = Client(live_app.url, verbose=False)
    last = client.predict("Write a short poem about the sea.", api_name="/compare")
    assert all(column["text"] for column in last["columns"])
    assert "libtorch" not in maps(live_app.process.pid), "a library that was once loaded stays mapped"
    workers = [pid for pid in family(live_app.process.pid) if "libtorch" in maps(pid)]
    assert len(workers) >= 5, "every model has a process of its own"
    own = os.getpriority(os.PRIO_PROCESS, live_app.process.pid)
    nice = [pid for pid in workers if os.getpriority(os.PRIO_PROCESS, pid) > own]
    assert len(nice) >= 5, "pages and votes come before tokens"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_app(tmp_path: Path, how: signal.Signals) -> None:
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
        assert survivors(children) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)


def test_no_process_outlives_an_app_killed_while_its_models_load(tmp_path: Path) -> None:
    app = start_app(tmp_path)  # the page is served before the models are there
    try:
        children: list[int] = []
        while not any("libtorch" in maps(pid) for pid in children):
            assert app.process.poll() is None
            children = family(app.process.pid)
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.wait(PATIENCE_S)
        assert survivors(children) == []
    finally:
        if app.process.poll() is None:
            stop_app(app)


WEB = """
import json, os, sys, time
from pathlib import Path
from playground.engines.local.engine import LocalEngine
from playground.engines.protocol import Ended, Job
from playground.records import SamplingParams
from playground.settings import Settings
from tests.support.checkpoints import card_for

database = open(sys.argv[2], "a+b")
os.set_inheritable(database.fileno(), True)
engine = LocalEngine(Settings())
cards = [card_for(Path(sys.argv[1]) / kind, kind) for kind in ("llama", "mpt")]
engine.open(cards)
seen = []
engine.start(cards[0].id, Job("r", (1,), SamplingParams(max_new_tokens=5), 0, (), 60.0), seen.append)
while not (seen and isinstance(seen[-1], Ended)) or {s.state for s in engine.status().values()} != {"ready"}:
    time.sleep(0.01)
heavy = [name for name in ("torch", "transformers", "accelerate", "gradio") if name in sys.modules]
for row in range(3):  # so that it is killed in the middle of writing
    engine.start(cards[0].id, Job(f"r{row}", (1,), SamplingParams(max_new_tokens=250), 0, (), 60.0), seen.append)
print(json.dumps({"heavy": heavy, "tokens": len(seen)}), flush=True)
time.sleep(60)
"""


def test_workers_end_with_a_killed_web_process_and_inherit_no_files_or_secrets(tmp_path: Path) -> None:
    for kind in ("llama", "mpt"):
        write_checkpoint(tmp_path / kind, kind, context=ROOMY)
    database = tmp_path / "playground.db"
    environ = os.environ | {"PYTHONPATH": str(ROOT), "HF_TOKEN": "hf_sesame", "PLAYGROUND_OWNER_TOKEN": "sesame"}
    command = [sys.executable, "-c", WEB, str(tmp_path), str(database)]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as web:
        try:
            assert web.stdout is not None
            said = web.stdout.readline().decode()
            ours = family(web.pid)
            assert len(ours) == 3
            held = {os.readlink(path) for pid in ours for path in Path(f"/proc/{pid}/fd").iterdir()}
            secrets = [pid for pid in ours if b"sesame" in Path(f"/proc/{pid}/environ").read_bytes()]
        finally:
            web.kill()
    assert '"heavy": []' in said
    assert str(database) not in held
    assert secrets == []
    assert survivors(ours) == []
