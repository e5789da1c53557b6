"""The command `fetch`, as a process, against a hub on the loopback interface."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub_server import KIT, REPO, SAFE, HubServer, contents, running_hub
from tests.support.paths import ROOT


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with running_hub() as server:
        yield server


def start_cli(hub: HubServer, home: Path, *argv: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGINGFACE_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "playground", "fetch", *argv],
        cwd=ROOT,
        env=environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test run in the background of a script ignores Ctrl-C, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.slow
def test_models_that_fail_do_not_stop_the_others(hub: HubServer, tmp_path: Path) -> None:
    commit = hub.push(REPO, SAFE)
    with start_cli(hub, tmp_path, "herd/none", f"{REPO}@{commit}", "gpt-9", "pocket-galpaca", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    fetched, local = json.loads(out)
    folder = tmp_path / "hub" / "models--herd--alpaca-tiny" / "snapshots" / commit
    size = sum(map(len, SAFE.values()))
    assert fetched == {
        "model": f"{REPO}@{commit}",
        "repo": REPO,
        "revision": commit,
        "folder": str(folder),
        "bytes": size,
    }
    assert contents(folder) == SAFE
    assert local["folder"] == str(ROOT / "playground" / "pocket" / "weights" / "pocket-galpaca")
    first, second = err.splitlines()
    assert first.startswith("fetch: herd/none@main cannot be fetched: ")
    assert second.startswith("fetch: unknown model 'gpt-9'; valid: ")


@pytest.mark.slow
def test_card_is_fetched_and_its_folder_printed(hub: HubServer, tmp_path: Path) -> None:
    hub.push("psmathur/orca_mini_13b", SAFE)
    with start_cli(hub, tmp_path, "orca-mini-13b", "pocket-orca-mini") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    fetched, local = out.splitlines()
    assert fetched.startswith(f"orca-mini-13b: {hub.branches['psmathur/orca_mini_13b', 'main']} in {tmp_path}")
    assert local.startswith("pocket-orca-mini: nothing has to be fetched, its files are in ")


@pytest.mark.slow
def test_line_up_is_fetched_model_by_model(hub: HubServer, tmp_path: Path) -> None:
    hub.push("psmathur/orca_mini_13b", SAFE)
    with start_cli(hub, tmp_path, "pocket", "orca-mini-13b", "laptops", "--json") as process:
        out, err = process.communicate(timeout=60)
    pocket = ["pocket-galpaca", "pocket-mamba-gpt", "pocket-minotaur", "pocket-openalpaca", "pocket-orca-mini"]
    assert [row["model"] for row in json.loads(out)] == [*pocket, "orca-mini-13b"]
    assert process.returncode == 1
    assert err.startswith("fetch: unknown model 'laptops'; valid: ")
    assert err.rstrip().endswith(", 24gb, five, laptop, pocket")


@pytest.mark.slow
def test_ctrl_c_stops_at_once_and_keeps_complete_files(hub: HubServer, tmp_path: Path) -> None:
    weights = b"alpaca! " * 3_000_000
    hub.push(REPO, KIT | {"model.safetensors": weights})
    hub.faults.stalls["model.safetensors"] = 23_000_000
    with start_cli(hub, tmp_path, REPO) as process:
        assert hub.stalled.wait(60)
        wait_for_bytes(tmp_path, 20_000_000)
        interrupted_at = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - interrupted_at < 5
    assert (process.returncode, out) == (130, "")
    assert err == "fetch: stopped; files that are complete are kept, the same command downloads the rest\n"
    assert not list(tmp_path.glob("hub/*/blobs/*.incomplete"))
    hub.faults.stalls.clear()
    hub.asked.clear()
    with start_cli(hub, tmp_path, REPO) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert hub.files_asked == ["model.safetensors"]
    (blob,) = tmp_path.glob("hub/*/snapshots/*/model.safetensors")
    assert blob.read_bytes() == weights


def wait_for_bytes(home: Path, count: int) -> None:
    """Wait until a partial file of that size is on the disk."""
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size >= count for path in home.glob("hub/*/blobs/*.incomplete")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
