"""Fetching from the hub: the right files, from one commit, whole, or one clear line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import constants, file_download, snapshot_download

from playground.errors import HubError
from playground.hub import fetch, is_complete, missing_files, snapshot_folder
from playground.hub.cache import repo_cache
from tests.conftest import ROOT, free_port
from tests.support.hub_server import HubServer, Refusal, running_hub

REPO = "herd/alpaca-tiny"
WEIGHTS = bytes(range(256)) * 200
KIT = {
    "config.json": b"{}",
    "generation_config.json": b'{"do_sample": false}',
    "tokenizer.model": b"pieces",
    "tokenizer_config.json": b'{"legacy": true}',
    "special_tokens_map.json": b'{"eos_token": "</s>"}',
    "LICENSE": b"Apache-2.0",
    "README.md": b"# Alpaca",
}
SAFE = KIT | {"model.safetensors": WEIGHTS}
SHARDS = ("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin")
INDEX = json.dumps({"weight_map": dict(zip(("embed", "head"), SHARDS, strict=True))}).encode()
BIN = KIT | {"pytorch_model.bin.index.json": INDEX, SHARDS[0]: WEIGHTS, SHARDS[1]: WEIGHTS[::-1]}
OTHER = {
    "modeling_alpaca.py": b"print('code')",
    "flax_model.msgpack": b"flax",
    "tf_model.h5": b"tf",
    "alpaca.q4.gguf": b"gguf",
    "onnx/model.onnx": b"onnx",
    "optimizer.bin": b"adam",
    "training_args.bin": b"args",
    "consolidated.00.pth": b"torch",
    "adapter_model.safetensors": b"lora",
    "old/model.safetensors": b"old",
    "old/config.json": b"{}",
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub, and an empty cache that belongs to it; the library waits for nothing before it tries again."""
    with running_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
        monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda seconds: None))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ranges(hub: HubServer, name: str) -> list[str | None]:
    return [asked.range for asked in hub.asked if asked.file == name]


@pytest.mark.parametrize("kit", [SAFE, BIN], ids=["safetensors", "bin shards"])
def test_what_a_model_needs_is_taken_and_nothing_else(hub: HubServer, kit: dict[str, bytes]) -> None:
    commit = hub.push(REPO, kit | OTHER)
    folder = fetch(REPO, "main")
    assert contents(folder) == kit
    assert sorted(hub.files_asked) == sorted(kit)
    assert folder.name == commit
    assert is_complete(folder)


def test_safetensors_are_taken_in_place_of_bin_and_one_file_in_place_of_shards(hub: HubServer) -> None:
    shards = {"model.safetensors.index.json": b"{}", "model-00001-of-00001.safetensors": b"shard"}
    hub.push(REPO, BIN | SAFE | shards)
    assert contents(fetch(REPO, "main")) == SAFE


def test_what_lies_here_is_found_by_branch_and_commit_and_by_other_programs(hub: HubServer) -> None:
    assert snapshot_folder(REPO, "main") is None
    commit = hub.push(REPO, SAFE)
    folder = fetch(REPO, "main")
    assert snapshot_folder(REPO, "main") == snapshot_folder(REPO, commit) == folder
    found = snapshot_download(REPO, revision="main", cache_dir=constants.HF_HUB_CACHE, local_files_only=True)
    assert Path(found) == folder


@pytest.mark.parametrize("revision", ["", "../main", "dev", "0" * 40])
def test_a_revision_that_was_never_fetched_has_no_folder(hub: HubServer, revision: str) -> None:
    hub.push(REPO, SAFE)
    fetch(REPO, "main")
    assert snapshot_folder(REPO, revision) is None


def test_a_branch_that_moves_while_it_is_fetched_stays_at_its_commit(hub: HubServer) -> None:
    first = hub.push(REPO, SAFE)
    changed = SAFE | {"config.json": b'{"new": true}', "model.safetensors": WEIGHTS[::-1]}
    hub.before_file = lambda name: hub.push(REPO, changed) and None
    folder = fetch(REPO, "main")
    assert folder.name == first
    assert contents(folder) == SAFE
    second = fetch(REPO, "main")
    assert second.name == hub.branches[REPO, "main"] != first
    assert contents(second) == changed
    assert contents(folder) == SAFE


def test_a_tag_with_a_slash_is_remembered_too(hub: HubServer) -> None:
    hub.push(REPO, SAFE, branch="refs/pr/1")
    assert snapshot_folder(REPO, "refs/pr/1") is None
    assert fetch(REPO, "refs/pr/1") == snapshot_folder(REPO, "refs/pr/1")


def test_a_second_fetch_transfers_nothing_and_a_commit_needs_no_hub(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    folder = fetch(REPO, "main")
    hub.asked.clear()
    assert fetch(REPO, "main") == folder
    assert hub.files_asked == []
    hub.asked.clear()
    assert fetch(REPO, folder.name) == folder
    assert hub.asked == []


def test_a_new_commit_transfers_only_what_changed(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    fetch(REPO, "main")
    hub.asked.clear()
    hub.push(REPO, SAFE | {"config.json": b'{"new": true}'})
    assert contents(fetch(REPO, "main"))["model.safetensors"] == WEIGHTS
    assert hub.files_asked == ["config.json"]


def test_progress_counts_the_bytes_of_the_whole_download(hub: HubServer) -> None:
    hub.push(REPO, BIN)
    total, told = sum(map(len, BIN.values())), []
    fetch(REPO, "main", lambda done, total: told.append((done, total)))
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert len(told) > 2 * len(WEIGHTS) / 1000
    told.clear()
    fetch(REPO, "main", lambda done, total: told.append((done, total)))
    assert set(told) == {(total, total)}


def test_a_connection_that_breaks_off_for_a_moment_is_taken_up_again(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    hub.faults.cuts["model.safetensors"] = 20_000

    def heal(name: str) -> None:
        if len(ranges(hub, "model.safetensors")) > 1:
            hub.faults.cuts.clear()

    hub.before_file = heal
    assert contents(fetch(REPO, "main")) == SAFE
    assert ranges(hub, "model.safetensors") == [None, "bytes=20000-"]


def interrupted(hub: HubServer) -> None:
    """A fetch that ends because the connection always breaks off at byte 20,000 of the weights."""
    hub.push(REPO, SAFE)
    hub.faults.cuts["model.safetensors"] = 20_000
    with pytest.raises(HubError, match="the connection broke off; run the same command again, it goes on where it"):
        fetch(REPO, "main")
    hub.faults.cuts.clear()
    hub.asked.clear()


def test_an_interrupted_fetch_goes_on_where_it_stopped(hub: HubServer) -> None:
    interrupted(hub)
    assert snapshot_folder(REPO, "main") is None
    told: list[tuple[int, int]] = []
    folder = fetch(REPO, "main", lambda done, total: told.append((done, total)))
    assert ranges(hub, "model.safetensors") == ["bytes=20000-"]
    assert hub.files_asked == ["model.safetensors"]
    assert contents(folder) == SAFE
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_a_server_that_cannot_resume_sends_the_file_again(hub: HubServer) -> None:
    interrupted(hub)
    hub.faults.ignores_ranges = True
    told: list[int] = []
    assert contents(fetch(REPO, "main", lambda done, total: told.append(done))) == SAFE
    assert told[-1] == max(told) == sum(map(len, SAFE.values()))


def test_a_partial_file_that_is_longer_than_the_file_begins_again(hub: HubServer) -> None:
    interrupted(hub)
    (begun,) = (Path(constants.HF_HUB_CACHE)).glob("*/blobs/*.incomplete")
    begun.write_bytes(WEIGHTS + b"more")
    assert contents(fetch(REPO, "main")) == SAFE


def test_a_file_here_of_another_size_is_fetched_again(hub: HubServer) -> None:
    commit = hub.push(REPO, SAFE)
    (fetch(REPO, "main") / "model.safetensors").resolve().write_bytes(b"torn")
    hub.asked.clear()
    assert contents(fetch(REPO, "main")) == SAFE
    assert hub.files_asked == ["model.safetensors"]
    assert snapshot_folder(REPO, "main") == snapshot_folder(REPO, commit)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_came_damaged_is_thrown_away(hub: HubServer, name: str) -> None:
    hub.push(REPO, SAFE)
    hub.faults.contents[name] = b"?" * len(SAFE[name])
    with pytest.raises(HubError, match=f"{name} came damaged and was thrown away; run the same command again"):
        fetch(REPO, "main")
    hub.faults.contents.clear()
    assert contents(fetch(REPO, "main")) == SAFE


@pytest.mark.parametrize("size", [30_000, len(WEIGHTS) + 10])
def test_a_file_of_another_size_than_stated_is_refused_and_mends(hub: HubServer, size: int) -> None:
    hub.push(REPO, SAFE)
    hub.faults.contents["model.safetensors"] = (WEIGHTS * 2)[:size]
    with pytest.raises(HubError, match="another size than the hub states"):
        fetch(REPO, "main")
    hub.faults.contents.clear()
    assert contents(fetch(REPO, "main")) == SAFE


def disk_of(free_bytes: int) -> Callable[[object], Any]:
    return lambda path: SimpleNamespace(total=10**12, used=10**12 - free_bytes, free=free_bytes)


def test_too_small_a_disk_refuses_before_anything_is_transferred(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.push(REPO, SAFE)
    monkeypatch.setattr(shutil, "disk_usage", disk_of(400_000_000))
    with pytest.raises(HubError, match=r"0\.5 GB to spare, and 0\.4 GB are free; free some, or set HF_HOME"):
        fetch(REPO, "main")
    assert hub.files_asked == []
    assert snapshot_folder(REPO, hub.branches[REPO, "main"]) is None


def test_only_what_is_still_missing_has_to_fit_the_disk(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(hub)
    monkeypatch.setattr(shutil, "disk_usage", disk_of(500_000_000 + len(WEIGHTS) - 20_000))
    assert contents(fetch(REPO, "main")) == SAFE
    monkeypatch.setattr(shutil, "disk_usage", disk_of(0))
    fetch(REPO, "main")


API_REFUSALS = {
    "not found": (Refusal(404, "RepoNotFound"), "has no such model, or a private one; check the name, or set HF_TOKEN"),
    "private": (Refusal(401), "a token that it knows; check the name, and set HF_TOKEN to a valid one"),
    "no such revision": (Refusal(404, "RevisionNotFound"), "no such branch, tag or commit; 'main' is the usual branch"),
    "bad token": (Refusal(401, message="Invalid credentials in Authorization header"), "set HF_TOKEN to a valid one"),
    "gated": (Refusal(403, "GatedRepo"), f"accept its conditions on .*/{REPO} and set HF_TOKEN"),
    "forbidden": (Refusal(403), "access is denied; accept the model's conditions"),
    "too many": (Refusal(429), "wait some minutes"),
    "broken": (Refusal(500), "the hub failed with status 500; run the same command again"),
    "a web page": (Refusal(200, body=b"<html>"), "is not a hub's .*; check HF_ENDPOINT"),
    "another document": (Refusal(200, body=b'{"hello": 1}'), r"is not a hub's \(no description of a model\)"),
    "a list": (Refusal(200, body=b"[1]"), r"is not a hub's \(no description of a model\)"),
    "no commit": (Refusal(200, body=json.dumps({"id": REPO, "siblings": []}).encode()), "no commit"),
}
FILE_REFUSALS = {
    "gated": (Refusal(401, "GatedRepo"), "accept its conditions on"),
    "forbidden": (Refusal(403), "access is denied"),
    "gone": (Refusal(404, "EntryNotFound"), "a file that the hub lists is not there"),
    "broken": (Refusal(500), "the hub failed with status 500; run the same command again"),
}


@pytest.mark.proves("hub unreachable, refusing, timing out")
@pytest.mark.parametrize(("refusal", "words"), API_REFUSALS.values(), ids=API_REFUSALS)
def test_a_hub_that_refuses_the_model_says_why_and_what_to_do(hub: HubServer, refusal: Refusal, words: str) -> None:
    hub.push(REPO, SAFE)
    hub.faults.refusals["api"] = refusal
    with pytest.raises(HubError, match=f"^{REPO}@main cannot be fetched: .*{words}"):
        fetch(REPO, "main")


@pytest.mark.proves("hub unreachable, refusing, timing out")
@pytest.mark.parametrize(("refusal", "words"), FILE_REFUSALS.values(), ids=FILE_REFUSALS)
def test_a_hub_that_refuses_a_file_says_why_and_what_to_do(hub: HubServer, refusal: Refusal, words: str) -> None:
    hub.push(REPO, SAFE)
    hub.faults.refusals["model.safetensors"] = refusal
    with pytest.raises(HubError, match=f"^{REPO}@main cannot be fetched: .*{words}"):
        fetch(REPO, "main")
    assert snapshot_folder(REPO, "main") is None


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_an_unreachable_hub_is_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(constants, "ENDPOINT", nobody)
    with pytest.raises(HubError, match=f"{nobody} cannot be reached; check the network, the proxy and HF_ENDPOINT"):
        fetch(REPO, "main")


def test_an_address_that_is_none_is_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "nowhere")
    with pytest.raises(HubError, match="nowhere is no address; check HF_ENDPOINT"):
        fetch(REPO, "main")


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_a_hub_that_does_not_answer_is_left_after_a_while(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.1)
    hub.push(REPO, SAFE)
    hub.faults.stalls["api"] = 0
    with pytest.raises(HubError, match="did not answer in time"):
        fetch(REPO, "main")


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_a_file_that_stops_coming_is_left_after_a_while(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.push(REPO, SAFE)
    hub.faults.stalls["model.safetensors"] = 20_000
    with pytest.raises(HubError, match="did not answer in time; run the same command again"):
        fetch(REPO, "main")


def test_offline_mode_is_respected(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set; unset it"):
        fetch(REPO, "main")
    assert hub.asked == []


@pytest.mark.parametrize("repo", ["../etc", "a/b/c", "herd/", "herd/al paca"])
def test_what_is_no_hub_id_is_refused(hub: HubServer, repo: str) -> None:
    with pytest.raises(HubError, match="that is no hub id; one looks like 'org/name'"):
        fetch(repo, "main")


@pytest.mark.parametrize("revision", ["", "../x", "a b", "-x"])
def test_what_is_no_revision_is_refused(hub: HubServer, revision: str) -> None:
    with pytest.raises(HubError, match="is no revision; name a branch, a tag or a commit"):
        fetch(REPO, revision)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"README.md": b"", "model.gguf": b""},
            "it has no config.json, no tokenizer.model or tokenizer.json, no weights",
        ),
        (KIT | {"adapter_model.bin": b""}, "it has no weights .*, so it cannot run here; choose another model"),
        (
            {n: d for n, d in BIN.items() if n != SHARDS[1]},
            f"the hub has no {SHARDS[1]} of it; choose another revision",
        ),
        (BIN | {"pytorch_model.bin.index.json": b"x"}, "no pytorch_model.bin.index.json that can be read"),
    ],
    ids=["no model", "no weights", "a shard is missing", "a broken index"],
)
def test_a_repository_that_is_no_whole_model_is_refused(hub: HubServer, files: dict[str, bytes], words: str) -> None:
    hub.push(REPO, files)
    with pytest.raises(HubError, match=words):
        fetch(REPO, "main")
    assert snapshot_folder(REPO, "main") is None


@pytest.mark.parametrize("absent", ["config.json", "tokenizer.model", "model.safetensors"])
def test_a_folder_says_what_it_lacks(tmp_path: Path, absent: str) -> None:
    for name, data in SAFE.items():
        (tmp_path / name).write_bytes(data)
    assert is_complete(tmp_path)
    (tmp_path / absent).unlink()
    (words,) = missing_files(tmp_path)
    assert absent.split(".")[-1] in words
    assert not is_complete(tmp_path / "nowhere")


def test_another_commit_than_the_one_asked_for_is_refused(hub: HubServer) -> None:
    asked, other = "0" * 40, hub.push(REPO, SAFE)
    hub.branches[REPO, asked] = other
    with pytest.raises(HubError, match=r"the hub answered another commit than the one asked for; check HF_ENDPOINT$"):
        fetch(REPO, asked)
    assert hub.files_asked == []


def test_a_file_that_is_too_large_for_the_library_is_named_with_its_size(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.push(REPO, KIT | {"model.safetensors": bytes(120_000_000)})
    monkeypatch.setattr(constants, "MAX_HTTP_DOWNLOAD_SIZE", 100_000_000)
    with pytest.raises(HubError) as caught:
        fetch(REPO, "main")
    assert str(caught.value) == (
        f"{REPO}@main cannot be fetched: model.safetensors has 0.1 GB, and one file may have 0.1 GB at the most; "
        "choose a repository whose weights are in shards"
    )
    assert hub.files_asked == []


def test_a_model_that_another_process_fetches_is_left_to_it(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    with repo_cache(REPO).alone(), pytest.raises(HubError, match="another process is fetching it; wait for that one"):
        fetch(REPO, "main")
    assert contents(fetch(REPO, "main")) == SAFE


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with running_hub() as storage:
        for server in (hub, storage):
            server.push(REPO, SAFE)
        hub.faults.redirect = storage.url
        assert contents(fetch(REPO, "main")) == SAFE
        assert {asked.token for asked in hub.asked} == {"Bearer hf_secret"}
        assert {asked.token for asked in storage.asked} == {None}
        assert sorted(storage.files_asked) == sorted(SAFE)


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


def test_the_command_fetches_what_it_can_and_says_what_it_cannot(hub: HubServer, tmp_path: Path) -> None:
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


def test_the_command_fetches_the_repository_of_a_card_and_says_where_it_is(hub: HubServer, tmp_path: Path) -> None:
    hub.push("psmathur/orca_mini_13b", SAFE)
    with start_cli(hub, tmp_path, "orca-mini-13b", "pocket-orca-mini") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    fetched, local = out.splitlines()
    assert fetched.startswith(f"orca-mini-13b: {hub.branches['psmathur/orca_mini_13b', 'main']} in {tmp_path}")
    assert local.startswith("pocket-orca-mini: nothing has to be fetched, its files are in ")


def test_ctrl_c_leaves_what_is_here_and_the_same_command_goes_on(hub: HubServer, tmp_path: Path) -> None:
    weights = b"alpaca! " * 3_000_000
    hub.push(REPO, KIT | {"model.safetensors": weights})
    hub.faults.stalls["model.safetensors"] = 23_000_000
    with start_cli(hub, tmp_path, REPO) as process:
        assert hub.stalled.wait(60)
        wait_for_bytes(tmp_path, 20_000_000)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "fetch: stopped; the same command goes on where it stopped\n"
    hub.faults.stalls.clear()
    hub.asked.clear()
    with start_cli(hub, tmp_path, REPO) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    (wanted,) = ranges(hub, "model.safetensors")
    assert wanted is not None
    assert int(wanted.removeprefix("bytes=").removesuffix("-")) >= 20_000_000
    (blob,) = tmp_path.glob("hub/*/snapshots/*/model.safetensors")
    assert blob.read_bytes() == weights


def wait_for_bytes(home: Path, count: int) -> None:
    """Until so much of a partial file is on the disk."""
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size >= count for path in home.glob("hub/*/blobs/*.incomplete")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
