"""The hub's cache on this machine: ``models--org--name`` with blobs by hash, snapshots by commit, refs by branch.

Boundary: the layout of huggingface_hub, so that other programs find what is fetched here, and the other way round;
no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from playground.errors import HubError

COMMIT = re.compile(r"[0-9a-f]{40}")
DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MARGIN_BYTES = 500_000_000
"""What has to stay free beside a download."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file at one commit; `digest` is its SHA-256, or the SHA-1 of its git blob for a small file."""

    name: str
    size_bytes: int
    digest: str

    def __post_init__(self) -> None:
        if not isinstance(self.size_bytes, int) or not DIGEST.fullmatch(self.digest or ""):
            raise ValueError(f"no size or no hash of {self.name}")

    def lies_at(self, path: Path) -> bool:
        """Whether `path` is a file of this size."""
        return path.is_file() and path.stat().st_size == self.size_bytes

    def is_at(self, path: Path) -> bool:
        """Whether the contents of `path` have this file's hash."""
        sha256 = len(self.digest) == 64
        digest = hashlib.sha256() if sha256 else hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: digest).hexdigest() == self.digest


@dataclass(frozen=True, slots=True)
class RepoCache:
    """What the cache holds of one repository."""

    home: Path

    def snapshot(self, commit: str) -> Path:
        """The folder of a commit's files, there or not."""
        return self.home / "snapshots" / commit

    def blob(self, file: HubFile) -> Path:
        """Where the contents of `file` lie when they are complete."""
        return self.home / "blobs" / file.digest

    def begun(self, file: HubFile) -> Path:
        """Where the contents of `file` grow."""
        return self.home / "blobs" / f"{file.digest}.incomplete"

    def left_bytes(self, file: HubFile) -> int:
        """Bytes of `file` that are still to come."""
        if file.lies_at(self.blob(file)):
            return 0
        begun = self.begun(file)
        return max(0, file.size_bytes - begun.stat().st_size) if begun.is_file() else file.size_bytes

    def make_room(self, commit: str, needed_bytes: int) -> None:
        """The folders, when `needed_bytes` more and a margin fit the disk.

        Raises:
            HubError: they do not.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(self.home).free
        if needed_bytes and needed_bytes + MARGIN_BYTES > free_bytes:
            raise HubError(
                f"{_gigabytes(needed_bytes)} more are needed in {self.home.parent}, with {_gigabytes(MARGIN_BYTES)} to "
                f"spare, and {_gigabytes(free_bytes)} are free; free some, or set HF_HOME to a folder on a larger disk"
            )
        for folder in (self.snapshot(commit), self.home / "blobs"):
            folder.mkdir(parents=True, exist_ok=True)

    def link(self, commit: str, file: HubFile) -> None:
        """The blob of `file` appears under its name in the snapshot."""
        pointer, blob = self.snapshot(commit) / file.name, self.blob(file)
        pointer.unlink(missing_ok=True)
        try:
            pointer.symlink_to(os.path.relpath(blob, pointer.parent))
        except OSError:  # a system without symbolic links: the file itself lies in the snapshot
            blob.replace(pointer)

    def commit_of(self, revision: str) -> str:
        """The commit of a branch or tag when it was last remembered; empty when it never was."""
        try:
            text = (self.home / "refs" / revision).read_text("ascii").strip()
        except (OSError, ValueError):
            return ""
        return text if COMMIT.fullmatch(text) else ""

    def remember(self, revision: str, commit: str) -> None:
        """From now on the branch or tag leads to `commit`."""
        ref = self.home / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        fresh = ref.with_name(f"{ref.name}.new")
        fresh.write_text(commit, "ascii")
        fresh.replace(ref)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two that append to the same file would spoil it.

        Raises:
            HubError: another process fetches this repository.
        """
        lock = self.home.parent / ".locks" / self.home.name / "fetch.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=0):
                yield
        except Timeout as error:
            raise HubError("another process is fetching it; wait for that one, then run the same command") from error


def repo_cache(repo: str) -> RepoCache:
    """The cache of the hub repository `repo`, there or not."""
    from huggingface_hub import constants

    return RepoCache(Path(constants.HF_HUB_CACHE).expanduser() / ("models--" + repo.replace("/", "--")))


def snapshot_folder(repo: str, revision: str) -> Path | None:
    """The folder of `repo` at `revision` in the hub's cache, complete or not; its name is the commit.

    None when it was never fetched at this revision. A branch or tag is the commit that it was when last fetched.
    """
    cache = repo_cache(repo)
    commit = revision if COMMIT.fullmatch(revision) else cache.commit_of(revision)
    folder = cache.snapshot(commit)
    return folder if commit and folder.is_dir() else None


def folder_bytes(folder: Path) -> int:
    """Bytes of all files in the top of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
