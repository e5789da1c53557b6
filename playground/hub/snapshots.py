"""Snapshots in the hub's cache: find one by repository and revision, and record which were checked.

Boundary: reads huggingface_hub's folders (``models--org--name/refs`` and ``snapshots``) without importing more of it
than its constants, which takes 7 ms where the functions take 300; no network.
"""

from __future__ import annotations

import re
from pathlib import Path

COMMIT = re.compile(r"[0-9a-f]{40}")


def snapshot_folder(repo: str, revision: str) -> Path | None:
    """Return the folder of `repo` at `revision`, complete or not; its name is the commit.

    None if it was never fetched at this revision. A branch or tag means the commit that was fetched last.
    """
    commit = revision if COMMIT.fullmatch(revision) else _recorded(repo_folder(repo) / "refs" / revision)
    folder = repo_folder(repo) / "snapshots" / commit
    return folder if commit and folder.is_dir() else None


def is_recorded(repo: str, commit: str) -> bool:
    """Return True if a revision was recorded at this commit."""
    return any(_recorded(path) == commit for path in (repo_folder(repo) / "refs").rglob("*"))


def record(repo: str, revision: str, commit: str) -> None:
    """Point a branch, a tag or the commit itself to a commit whose files are here and were checked.

    The library writes the ref of a branch before the first file, so that an interrupted update would hide the
    snapshot that was complete before; and it has no record of a check.
    """
    ref = repo_folder(repo) / "refs" / revision
    ref.parent.mkdir(parents=True, exist_ok=True)
    new = ref.with_name(f"{ref.name}.new")
    new.write_text(commit, "ascii")
    new.replace(ref)


def _recorded(ref: Path) -> str:
    try:
        text = ref.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if COMMIT.fullmatch(text) else ""


def repo_folder(repo: str) -> Path:
    """Return the folder of a repository in the cache, which may not exist."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser() / f"models--{repo.replace('/', '--')}"


def folder_bytes(folder: Path) -> int:
    """Return the size of the files in a folder, without those in folders below it."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
