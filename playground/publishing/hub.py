"""The client of datasets on the Hugging Face hub: list, download, commit, create.

Boundary: the only module of this package that calls huggingface_hub, and only its public API, which reads `HF_TOKEN`
and `HF_ENDPOINT`. Every error of the library, the network and the disk is a `DatasetError`. Blocks; retries nothing
itself (the library retries all requests except the commit).
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from playground.errors import DatasetError, InvalidValue
from playground.hub.errors import WRONG_DOCUMENT, explain, origin

CONNECT_S = 10.0
ANSWER_S = 60.0
"""The longest time without a byte: the library itself waits for ever."""
BRANCH = "main"
AGAIN = "a later try may succeed"
MISSING, CONFLICT, TOO_MANY = 404, 412, 429
FINAL = frozenset({400, 401, 402, 403, 404})
"""Statuses that stay until somebody changes a token, a name or a setting."""
STATUS_TEXTS: Mapping[int, str] = MappingProxyType(
    {
        401: "the hub does not accept the token, or there is none; set HF_TOKEN to one that may write to this dataset",
        402: "the hub wants to be paid for it; look at the account's storage and plan",
        403: "the token may not do this; set HF_TOKEN to a token that may write to this dataset",
        404: "there is no such dataset, or the token may not see it; check the name and HF_TOKEN",
        409: "another change is in progress; {again}",
        412: "another program changed the dataset at the same moment; {again}",
        413: "the hub finds it too large",
        429: "the hub wants fewer requests; {again}",
    }
)
_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a dataset as the hub lists it."""

    size_bytes: int
    git_sha1: str  # of the content; of a pointer if the file is kept outside of git
    sha256: str = ""  # of the content, if the file is kept outside of git

    def holds(self, data: bytes) -> bool:
        """Return True if the file's content is `data`."""
        if self.size_bytes != len(data):
            return False
        return sha256(data) == self.sha256 if self.sha256 else git_sha1(data) == self.git_sha1


@dataclass(frozen=True, slots=True)
class Head:
    """The newest state of a dataset."""

    commit: str
    private: bool


class Dataset:
    """A dataset repository, which need not exist yet.

    Args:
        repo: ``org/name``.
        token: None: the library's own, from `HF_TOKEN` or its login.
        endpoint: None: the library's own, from `HF_ENDPOINT`.
        again: the end of messages about failures that may pass.

    Every method raises DatasetError.
    """

    def __init__(self, repo: str, token: str | None = None, endpoint: str | None = None, again: str = AGAIN) -> None:
        from huggingface_hub import HfApi

        check_repo(repo)
        _set_up_library()
        self.repo = repo
        self.answered = 0  # calls that ended, for those who wait for one
        self._again = again
        self._api = HfApi(endpoint=endpoint, token=token)

    def create(self, *, private: bool) -> None:
        """Create the dataset; do nothing if it exists, private or not."""
        with self._errors("created"):
            self._api.create_repo(self.repo, repo_type="dataset", private=private, exist_ok=True)

    def head(self) -> Head:
        """Return the newest commit, and whether the dataset is private."""
        with self._errors("read"):
            info = self._api.dataset_info(self.repo, revision=BRANCH, timeout=ANSWER_S)
            if not info.sha:
                raise ValueError("no commit")
            return Head(info.sha, bool(info.private))

    def files(self, commit: str = BRANCH) -> Mapping[str, RemoteFile]:
        """Return the files of a commit by path."""
        from huggingface_hub.hf_api import RepoFile

        with self._errors("read"):
            tree = self._api.list_repo_tree(self.repo, repo_type="dataset", recursive=True, revision=commit)
            return {
                entry.path: RemoteFile(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else "")
                for entry in tree
                if isinstance(entry, RepoFile)
            }

    def download(self, path: str, to: Path, commit: str = BRANCH) -> None:
        """Download a file and write it to `to`, whose folder is created; its hash is the caller's to check."""
        with self._errors("read"):
            folder = to.parent / f".{to.name}.part"
            try:
                found = self._api.hf_hub_download(
                    self.repo, path, repo_type="dataset", revision=commit, local_dir=folder
                )
                Path(found).replace(to)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def commit(
        self, add: Mapping[str, Path | bytes], delete: Sequence[str], message: str, parent: str | None = None
    ) -> str:
        """Write and delete files in one commit, all or nothing; return the commit's hash.

        Files that the dataset has already with this content are left out; if none is left, there is no new commit.

        Args:
            parent: refuse (status 412) if this is not the newest commit any more; None: whatever is the newest.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with self._errors("written"):
            operations: list[Any] = [CommitOperationAdd(path, content) for path, content in add.items()]
            operations += [CommitOperationDelete(path, is_folder=False) for path in delete]
            done = self._api.create_commit(
                self.repo, operations, commit_message=message, repo_type="dataset", parent_commit=parent
            )
            return str(done.oid)

    def squash(self, message: str) -> None:
        """Replace the history of the dataset by one commit, so that what was replaced or deleted is gone."""
        with self._errors("squashed"):
            self._api.super_squash_history(self.repo, repo_type="dataset", branch=BRANCH, commit_message=message)

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Map every error to a `DatasetError` that names the dataset."""
        import httpx2

        known = (OSError, httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, *WRONG_DOCUMENT)
        try:
            yield
        except known as error:
            cause = _cause(error)
            status = _status(cause)
            text = STATUS_TEXTS.get(status, "").format(again=self._again)
            text = text or explain(f"datasets/{self.repo}", cause, again=self._again)
            raise DatasetError(
                f"the dataset {self.repo} cannot be {done}: {text}",
                status=status,
                is_final=status in FINAL or _is_offline(cause),
                retry_after_s=_retry_after_s(cause),
            ) from error
        finally:
            self.answered += 1


def check_repo(repo: str) -> None:
    """Raise InvalidValue if this is not the name of a repository."""
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise InvalidValue(f"{repo!r} is not a dataset of the hub; one looks like 'org/name'")


def git_sha1(data: bytes) -> str:
    """Return the hash by which git knows a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Limit:
    """A hook that gives a request a limit of time where the library sets none."""

    def __call__(self, request: httpx2.Request) -> None:
        given = request.extensions.get("timeout") or {}
        most = {"connect": CONNECT_S, "read": ANSWER_S, "write": ANSWER_S, "pool": ANSWER_S}
        request.extensions["timeout"] = {name: given.get(name) or most[name] for name in most}


def _set_up_library() -> None:
    """Give every request of the library in this process a limit, and draw no bars into logs; idempotent."""
    import httpx2
    from huggingface_hub import get_session, set_client_factory
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    hooks = get_session().event_hooks["request"]
    if not any(isinstance(hook, _Limit) for hook in hooks):
        hooks = [*hooks, _Limit()]
        set_client_factory(
            lambda: httpx2.Client(event_hooks={"request": hooks}, follow_redirects=True, timeout=None)
        )  # as the library's own client


def _cause(error: BaseException) -> BaseException:
    """Return the answer of the hub below errors that only say that an upload or a download failed."""
    found: BaseException | None = error
    while found is not None and _status(found) == 0:
        found = found.__cause__
    return found or origin(error)


def _status(error: BaseException) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _is_offline(error: BaseException) -> bool:
    from huggingface_hub.errors import OfflineModeIsEnabled

    return isinstance(error, OfflineModeIsEnabled)


def _retry_after_s(error: BaseException) -> float:
    text = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0
