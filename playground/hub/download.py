"""Download a model from the hub into its cache: the needed files of one commit, each checked by its hash.

Boundary: the only module of this package that uses the network, through huggingface_hub, which reads `HF_TOKEN` and
`HF_ENDPOINT` and draws progress bars on standard error if it is a terminal.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from playground.errors import CheckpointError, HubError
from playground.hub.errors import hub_errors
from playground.hub.model_files import PATTERNS, is_complete, lacking, missing_files, needed
from playground.hub.snapshots import COMMIT, is_recorded, record, repo_folder, snapshot_folder

REVISION = re.compile(r"(?!.*\.\.)\w[\w./-]*", re.ASCII)
MARGIN_BYTES = 500_000_000
"""Disk space that has to stay free beside a download."""


def fetch(repo: str, revision: str) -> Path:
    """Download what the model needs and return its folder.

    A branch or tag is resolved once, at the beginning. Files that are here already are checked, not transferred
    again. A commit that was fetched before needs no network.

    Raises:
        HubError: it cannot be fetched, or the disk is too small; the message names repo, revision and the next step.
    """
    if not REVISION.fullmatch(revision):
        raise HubError(f"{repo}: {revision!r} is not a revision; name a branch, a tag or a commit, such as 'main'")
    folder = snapshot_folder(repo, revision)
    is_here = bool(COMMIT.fullmatch(revision)) and folder is not None and is_complete(folder)
    if folder is not None and is_here and (is_recorded(repo, revision) or _is_offline()):
        return folder
    with hub_errors(repo, revision):
        commit = revision if COMMIT.fullmatch(revision) else _commit(repo, revision)
        folder = repo_folder(repo) / "snapshots" / commit
        _download(repo, commit)
        _verify(repo, commit, folder)
        if missing := missing_files(folder):
            raise HubError(f"the hub has no {', no '.join(missing)} of it; choose another revision")
        record(repo, revision, commit)
    return folder


def listed_files(repo: str, revision: str) -> tuple[str, ...]:
    """Return the names of the files that `fetch` would download, without downloading any.

    Raises:
        HubError: the hub cannot be asked, or refuses.
        CheckpointError: the repository lacks what a model needs.
    """
    from huggingface_hub import HfApi, constants

    with hub_errors(repo, revision):
        model = HfApi().model_info(repo, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    names = {file.rfilename for file in model.siblings or ()}
    if lacking(names):
        raise CheckpointError(
            f"{repo}@{revision} has no {', no '.join(lacking(names))}, so it cannot run here; choose another model"
        )
    return needed(names)


def _is_offline() -> bool:
    """Return True if the user forbids the network: then what is complete has to do, checked by us or not."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _commit(repo: str, revision: str) -> str:
    from huggingface_hub import HfApi, constants

    commit = HfApi().model_info(repo, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT).sha
    if not COMMIT.fullmatch(commit or ""):
        raise ValueError("no commit")
    return str(commit)


def _download(repo: str, commit: str) -> None:
    """Download the missing files, one after the other in this thread.

    `snapshot_download` without `dry_run` loads eight files at once: Ctrl-C waits until all eight are complete, and
    a connection that fails loses what is there of them.
    """
    from huggingface_hub import hf_hub_download, snapshot_download
    from tqdm import tqdm

    no_bars: Any = partial(tqdm, disable=True)
    plan = snapshot_download(repo, revision=commit, allow_patterns=list(PATTERNS), dry_run=True, tqdm_class=no_bars)
    files = {file.filename: file for file in plan}
    if lacking(files):
        raise HubError(f"it has no {', no '.join(lacking(files))}, so it cannot run here; choose another model")
    wanted = [files[name] for name in needed(files) if files[name].will_download]
    _check_disk_space(repo_folder(repo).parent, sum(file.file_size or 0 for file in wanted))
    for name in needed(files):
        hf_hub_download(repo, name, revision=commit)


def _check_disk_space(cache: Path, needed_bytes: int) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(cache).free
    if needed_bytes and needed_bytes + MARGIN_BYTES > free_bytes:
        raise HubError(
            f"{_gigabytes(needed_bytes)} more are needed in {cache}, with {_gigabytes(MARGIN_BYTES)} to "
            f"spare, and {_gigabytes(free_bytes)} are free; free some ('hf cache prune' "
            "deletes interrupted downloads and old revisions), or set HF_HOME to a folder on a larger disk"
        )


def _verify(repo: str, commit: str, folder: Path) -> None:
    """Compare the hash of every file with the hub's; delete those that differ."""
    from huggingface_hub import HfApi
    from tqdm import tqdm

    with tqdm(desc=f"{repo}: checking hashes", bar_format="{desc}", leave=False, disable=None):
        damaged = [file["path"] for file in HfApi().verify_repo_checksums(repo, revision=commit).mismatches]
    for name in damaged:
        (folder / name).resolve().unlink(missing_ok=True)  # two names may share a blob
        (folder / name).unlink(missing_ok=True)
    if damaged:
        raise HubError(f"{', '.join(damaged)}: damaged, and deleted; run the same command again")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
