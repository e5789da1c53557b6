"""A download takes the right files of one commit, whole and checked, or says what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi, constants, snapshot_download

from playground.errors import CheckpointError, HubError
from playground.hub import fetch, is_complete, listed_files, snapshot_folder
from tests.support.hub_server import BIN, KIT, REPO, SAFE, SHARDS, WEIGHTS, HubServer, contents, running_hub

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


@pytest.mark.parametrize("files", [SAFE, BIN], ids=["safetensors", "bin shards"])
def test_only_needed_files_are_downloaded(hub: HubServer, files: dict[str, bytes]) -> None:
    commit = hub.push(REPO, files | OTHER)
    folder = fetch(REPO, "main")
    assert contents(folder) == files
    assert sorted(hub.files_asked) == sorted(files)
    assert folder.name == commit
    assert is_complete(folder)


def test_needed_files_are_listed_without_a_download(hub: HubServer) -> None:
    hub.push(REPO, BIN | SAFE | OTHER)
    assert set(listed_files(REPO, "main")) == set(SAFE)
    assert hub.files_asked == []
    hub.push(REPO, OTHER)
    with pytest.raises(CheckpointError, match=f"{REPO}@main has no config.json.* choose another model"):
        listed_files(REPO, "main")


def test_safetensors_come_before_bin_and_one_file_before_shards(hub: HubServer) -> None:
    shards = {"model.safetensors.index.json": b"{}", "model-00001-of-00001.safetensors": b"shard"}
    hub.push(REPO, BIN | SAFE | shards)
    assert contents(fetch(REPO, "main")) == SAFE


def test_other_programs_find_the_snapshot(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    folder = fetch(REPO, "main")
    found = snapshot_download(REPO, revision="main", cache_dir=constants.HF_HUB_CACHE, local_files_only=True)
    assert Path(found) == folder


def test_snapshot_of_another_program_is_not_downloaded_again(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    folder = snapshot_download(REPO, cache_dir=constants.HF_HUB_CACHE)
    hub.asked.clear()
    assert fetch(REPO, "main") == Path(folder)
    assert hub.files_asked == []


def test_snapshot_of_another_program_at_a_commit_is_used_offline(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.push(REPO, SAFE)
    folder = snapshot_download(REPO, revision=commit, cache_dir=constants.HF_HUB_CACHE)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch(REPO, commit) == Path(folder)


def test_branch_that_moves_during_a_download_keeps_its_commit(hub: HubServer) -> None:
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


def test_second_fetch_downloads_nothing_and_a_commit_needs_no_hub(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    folder = fetch(REPO, "main")
    hub.asked.clear()
    assert fetch(REPO, "main") == folder
    assert hub.files_asked == []
    hub.asked.clear()
    assert fetch(REPO, folder.name) == folder
    assert hub.asked == []


def test_missing_file_of_a_fetched_commit_is_downloaded(hub: HubServer) -> None:
    commit = hub.push(REPO, SAFE)
    (fetch(REPO, commit) / "config.json").resolve().unlink()
    assert contents(fetch(REPO, commit)) == SAFE
    assert hub.files_asked.count("config.json") == 2


def test_new_commit_downloads_only_what_changed(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    fetch(REPO, "main")
    hub.asked.clear()
    hub.push(REPO, SAFE | {"config.json": b'{"new": true}'})
    assert contents(fetch(REPO, "main"))["model.safetensors"] == WEIGHTS
    assert hub.files_asked == ["config.json"]


def test_two_fetches_of_one_model_at_once_both_succeed(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch, [REPO, REPO], ["main", "main"]))
    assert [contents(folder) for folder in folders] == [SAFE, SAFE]
    assert sorted(hub.files_asked) == sorted(SAFE)


# Interruptions


def test_connection_that_breaks_off_once_is_resumed(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    hub.faults.cuts["model.safetensors"] = 20_000

    def heal(name: str) -> None:
        if len(hub.ranges("model.safetensors")) > 1:
            hub.faults.cuts.clear()

    hub.before_file = heal
    assert contents(fetch(REPO, "main")) == SAFE
    assert hub.ranges("model.safetensors") == [None, "bytes=20000-"]


def interrupt(hub: HubServer) -> None:
    """Fail to fetch the weights, whose connection always breaks off at byte 20,000."""
    hub.push(REPO, SAFE)
    hub.faults.cuts["model.safetensors"] = 20_000
    with pytest.raises(HubError, match="the connection broke off; run the same command again, files that are complete"):
        fetch(REPO, "main")
    hub.faults.cuts.clear()
    hub.asked.clear()


def test_interrupted_fetch_keeps_complete_files(hub: HubServer) -> None:
    interrupt(hub)
    assert snapshot_folder(REPO, "main") is None
    assert not list(Path(constants.HF_HUB_CACHE).glob("*/blobs/*.incomplete"))
    assert contents(fetch(REPO, "main")) == SAFE
    assert hub.files_asked == ["model.safetensors"]


def test_interrupted_update_leaves_the_branch_at_the_complete_commit(hub: HubServer) -> None:
    first = hub.push(REPO, KIT | {"model.safetensors": b"old"})
    folder = fetch(REPO, "main")
    interrupt(hub)
    assert snapshot_folder(REPO, "main") == folder
    assert folder.name == first != fetch(REPO, "main").name


# Hashes


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_damaged_download_is_deleted(hub: HubServer, name: str) -> None:
    commit = hub.push(REPO, SAFE)
    hub.faults.contents[name] = b"?" * len(SAFE[name])
    with pytest.raises(HubError, match=f"{name}: damaged, and deleted; run the same command again"):
        fetch(REPO, commit)
    hub.faults.contents.clear()
    assert contents(fetch(REPO, commit)) == SAFE


def test_damaged_file_on_this_machine_is_found_and_downloaded_again(hub: HubServer) -> None:
    hub.push(REPO, SAFE)
    (fetch(REPO, "main") / "model.safetensors").resolve().write_bytes(b"torn")
    hub.asked.clear()
    with pytest.raises(HubError, match=r"model\.safetensors: damaged, and deleted"):
        fetch(REPO, "main")
    assert contents(fetch(REPO, "main")) == SAFE
    assert hub.files_asked == ["model.safetensors"]


def raise_interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_check_that_was_interrupted_is_made_by_the_next_fetch(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = hub.push(REPO, SAFE)
    hub.faults.contents["config.json"] = b"??"
    with monkeypatch.context() as patch:
        patch.setattr(HfApi, "verify_repo_checksums", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(REPO, commit)
    with pytest.raises(HubError, match=r"config\.json: damaged"):
        fetch(REPO, commit)


@pytest.mark.parametrize("size", [30_000, len(WEIGHTS) + 10])
def test_file_of_another_size_than_stated_is_refused(hub: HubServer, size: int) -> None:
    hub.push(REPO, SAFE)
    hub.faults.contents["model.safetensors"] = (WEIGHTS * 2)[:size]
    with pytest.raises(HubError, match="another size than the hub states"):
        fetch(REPO, "main")
    hub.faults.contents.clear()
    assert contents(fetch(REPO, "main")) == SAFE


# Disk space


def disk_of(free_bytes: int) -> Callable[[object], Any]:
    return lambda path: SimpleNamespace(total=10**12, used=10**12 - free_bytes, free=free_bytes)


def test_too_small_a_disk_is_refused_before_the_download(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.push(REPO, SAFE)
    monkeypatch.setattr(shutil, "disk_usage", disk_of(400_000_000))
    with pytest.raises(HubError, match=r"0\.5 GB to spare, and 0\.4 GB are free; free some .*, or set HF_HOME"):
        fetch(REPO, "main")
    assert hub.files_asked == []
    assert snapshot_folder(REPO, hub.branches[REPO, "main"]) is None


def test_only_missing_files_have_to_fit_the_disk(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(hub)
    monkeypatch.setattr(shutil, "disk_usage", disk_of(500_000_000 + len(WEIGHTS)))
    assert contents(fetch(REPO, "main")) == SAFE
    monkeypatch.setattr(shutil, "disk_usage", disk_of(0))
    fetch(REPO, "main")


# Refusals


@pytest.mark.parametrize("repo", ["../etc", "a/b/c", "herd/", "herd/al paca"])
def test_invalid_hub_id_is_refused(hub: HubServer, repo: str) -> None:
    with pytest.raises(HubError, match="that is not a hub id; one looks like 'org/name'"):
        fetch(repo, "main")


@pytest.mark.parametrize("revision", ["", "../x", "a b", "-x"])
def test_invalid_revision_is_refused(hub: HubServer, revision: str) -> None:
    with pytest.raises(HubError, match="is not a revision; name a branch, a tag or a commit"):
        fetch(REPO, revision)
    assert hub.asked == []


INCOMPLETE = {
    "no model": (
        {"README.md": b"", "model.gguf": b""},
        "it has no config.json, no tokenizer.model or tokenizer.json, no weights",
    ),
    "no weights": (
        KIT | {"adapter_model.bin": b""},
        "it has no weights .*, so it cannot run here; choose another model",
    ),
    "missing shard": (
        {name: data for name, data in BIN.items() if name != SHARDS[1]},
        f"the hub has no {SHARDS[1]} of it; choose another revision",
    ),
    "broken index": (
        BIN | {"pytorch_model.bin.index.json": b"x"},
        "no pytorch_model.bin.index.json that can be read",
    ),
}


@pytest.mark.parametrize(("files", "text"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_incomplete_model_is_refused(hub: HubServer, files: dict[str, bytes], text: str) -> None:
    hub.push(REPO, files)
    with pytest.raises(HubError, match=text):
        fetch(REPO, "main")
    assert snapshot_folder(REPO, "main") is None


def test_token_is_not_sent_to_the_host_of_a_redirect(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with running_hub() as storage:
        for server in (hub, storage):
            server.push(REPO, SAFE)
        hub.faults.redirect = storage.url.replace("127.0.0.1", "localhost")
        assert contents(fetch(REPO, "main")) == SAFE
        assert {asked.token for asked in hub.asked} == {"Bearer hf_secret"}
        assert {asked.token for asked in storage.asked} == {None}
        assert sorted(storage.files_asked) == sorted(SAFE)
