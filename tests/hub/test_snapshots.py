"""A snapshot is found by every revision that was fetched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from playground.hub import fetch, snapshot_folder
from tests.support.hub_server import REPO, SAFE, HubServer
from tests.support.paths import ROOT


@pytest.mark.parametrize("branch", ["main", "refs/pr/1"])
def test_snapshot_is_found_by_branch_and_commit(hub: HubServer, branch: str) -> None:
    assert snapshot_folder(REPO, branch) is None
    commit = hub.push(REPO, SAFE, branch=branch)
    folder = fetch(REPO, branch)
    assert snapshot_folder(REPO, branch) == snapshot_folder(REPO, commit) == folder


@pytest.mark.parametrize("revision", ["", "../main", "dev", "0" * 40])
def test_revision_that_was_never_fetched_has_no_folder(hub: HubServer, revision: str) -> None:
    hub.push(REPO, SAFE)
    fetch(REPO, "main")
    assert snapshot_folder(REPO, revision) is None


def test_finding_a_snapshot_imports_only_constants() -> None:
    code = (
        "import sys; from playground.hub import snapshot_folder; snapshot_folder('herd/none', 'main');"
        "assert not {'huggingface_hub.hf_api', 'huggingface_hub.file_download', 'httpx2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
