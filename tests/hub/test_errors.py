"""Every failure of a download is one line with its cause and the next step."""

from __future__ import annotations

import json

import huggingface_hub
import pytest
from huggingface_hub import constants

from playground.errors import HubError
from playground.hub import fetch, snapshot_folder
from tests.conftest import free_port
from tests.support.hub_server import REPO, SAFE, HubServer, Refusal, use_endpoint

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
    "another document": (Refusal(200, body=b'{"hello": 1}'), "is not a hub's .*; check HF_ENDPOINT"),
    "a list": (Refusal(200, body=b"[1]"), "is not a hub's .*; check HF_ENDPOINT"),
    "no commit": (Refusal(200, body=json.dumps({"id": REPO, "siblings": []}).encode()), "no commit"),
}
FILE_REFUSALS = {
    "gated": (Refusal(401, "GatedRepo"), "accept its conditions on"),
    "forbidden": (Refusal(403), "access is denied"),
    "gone": (Refusal(404, "EntryNotFound"), "a file that the hub lists is not there"),
    "broken": (Refusal(500), "the hub failed with status 500; run the same command again"),
}


REFUSALS = [pytest.param("api", *row, id=f"model {name}") for name, row in API_REFUSALS.items()]
REFUSALS += [pytest.param("model.safetensors", *row, id=f"file {name}") for name, row in FILE_REFUSALS.items()]


@pytest.mark.proves("hub unreachable, refusing, timing out")
@pytest.mark.parametrize(("refused", "refusal", "text"), REFUSALS)
def test_refusal_is_explained(hub: HubServer, refused: str, refusal: Refusal, text: str) -> None:
    hub.push(REPO, SAFE)
    hub.faults.refusals[refused] = refusal
    with pytest.raises(HubError, match=f"^{REPO}@main cannot be fetched: .*{text}"):
        fetch(REPO, "main")
    assert snapshot_folder(REPO, "main") is None


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_unreachable_hub_is_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    use_endpoint(monkeypatch, url)
    with pytest.raises(HubError, match=f"{url} cannot be reached; check the network, the proxy and HF_ENDPOINT"):
        fetch(REPO, "main")


def test_invalid_endpoint_is_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    use_endpoint(monkeypatch, "nowhere")
    with pytest.raises(HubError, match="nowhere is not an address; check HF_ENDPOINT"):
        fetch(REPO, "main")


@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_hub_that_does_not_answer_is_given_up(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.1)
    hub.push(REPO, SAFE)
    hub.faults.stalls["api"] = 0
    with pytest.raises(HubError, match="did not answer in time"):
        fetch(REPO, "main")


@pytest.mark.slow
@pytest.mark.proves("hub unreachable, refusing, timing out")
def test_file_that_stops_arriving_is_given_up(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.push(REPO, SAFE)
    hub.faults.stalls["model.safetensors"] = 20_000
    with pytest.raises(HubError, match="did not answer in time; run the same command again"):
        fetch(REPO, "main")


@pytest.mark.parametrize("error", [RuntimeError("CAS service error"), PermissionError("CAS service error")])
def test_failure_of_the_xet_library_is_explained(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    hub.push(REPO, SAFE)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(HubError, match=r"the transfer failed \(CAS service error\); run the same command again"):
        fetch(REPO, "main")


@pytest.mark.parametrize("revision", ["main", "0" * 40])
def test_offline_mode_is_respected(hub: HubServer, monkeypatch: pytest.MonkeyPatch, revision: str) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set; unset it"):
        fetch(REPO, revision)
    assert hub.asked == []
