"""From the hub into its cache: what is needed of one commit, each file that is transferred checked by its hash.

Boundary: the only file that touches the network; token and address come from the environment as huggingface_hub
reads them (`HF_TOKEN`, `HF_ENDPOINT`). Plain HTTP only, which every server of hub files speaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playground.errors import HubError
from playground.hub.cache import COMMIT, HubFile, RepoCache, folder_bytes, repo_cache, snapshot_folder
from playground.hub.kit import is_complete, lacking, missing_files, needed
from playground.hub.reasons import hub_errors

REVISION = re.compile(r"(?!.*\.\.)\w[\w./-]*", re.ASCII)

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes of the whole download."""


@dataclass(slots=True)
class Tally:
    """Bytes of a whole download, told to whoever shows them."""

    total: int
    tell: Progress
    done: int = 0

    def reach(self, done: int) -> None:
        """So many bytes are here now."""
        self.done = done
        self.tell(done, self.total)


class Meter:
    """As much of a progress bar as the library needs for one file; it moves a `Tally`."""

    def __init__(self, tally: Tally, *, initial: int = 0, **_: Any) -> None:
        self.tally = tally
        self.update(initial)

    def update(self, count: int) -> None:
        """More bytes, or fewer when a file has to begin again."""
        self.tally.reach(self.tally.done + count)

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is drawn, so nothing is cleared."""


def fetch(repo: str, revision: str, progress: Progress = lambda done, total: None) -> Path:
    """The folder of `repo` with all that the model needs, from one commit; what is transferred is checked by its hash.

    A branch or tag is resolved once, at the beginning. What is here already is not transferred again, a file that
    was interrupted goes on where it stopped, and a commit that is complete needs no network.

    Raises:
        HubError: it cannot be had, or the disk is too small; the message names repo, revision and the next step.
    """
    if not REVISION.fullmatch(revision):
        raise HubError(f"{repo}: {revision!r} is no revision; name a branch, a tag or a commit, such as 'main'")
    folder = snapshot_folder(repo, revision)
    if COMMIT.fullmatch(revision) and folder is not None and is_complete(folder):
        progress(folder_bytes(folder), folder_bytes(folder))
        return folder
    with hub_errors(repo, revision):
        commit, files = _listing(repo, revision)
        cache = repo_cache(repo)
        with cache.alone():
            _download(repo, commit, files, cache, progress)
            _check_whole(cache.snapshot(commit))
            if revision != commit:  # only now: until here the branch led to what was complete before
                cache.remember(revision, commit)
    return cache.snapshot(commit)


def _listing(repo: str, revision: str) -> tuple[str, tuple[HubFile, ...]]:
    """The commit that `revision` is now, and the files that are needed of it."""
    info = _model_info(repo, revision)
    if not COMMIT.fullmatch(info.sha or ""):
        raise ValueError("no commit")
    if COMMIT.fullmatch(revision) and info.sha != revision:
        raise HubError("the hub answered another commit than the one asked for; check HF_ENDPOINT")
    files = {file.rfilename: file for file in info.siblings or ()}
    if lacking(files):
        raise HubError(f"it has no {', no '.join(lacking(files))}, so it cannot run here; choose another model")
    return str(info.sha), tuple(_hub_file(files[name]) for name in needed(files))


def _model_info(repo: str, revision: str) -> Any:
    from huggingface_hub import HfApi, constants

    api = HfApi(endpoint=constants.ENDPOINT)
    try:
        return api.model_info(repo, revision=revision, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except (KeyError, TypeError, AttributeError) as error:  # JSON that describes no model
        raise ValueError("no description of a model") from error


def _hub_file(file: Any) -> HubFile:
    return HubFile(file.rfilename, file.size, file.lfs.sha256 if file.lfs else file.blob_id)


def _download(repo: str, commit: str, files: tuple[HubFile, ...], cache: RepoCache, progress: Progress) -> None:
    wanted = [file for file in files if not file.lies_at(cache.snapshot(commit) / file.name)]
    for file in wanted:
        _check_size(file, cache)
    cache.make_room(commit, sum(cache.left_bytes(file) for file in wanted))
    tally = Tally(sum(file.size_bytes for file in files), progress)
    tally.reach(tally.total - sum(file.size_bytes for file in wanted))
    for file in wanted:
        after = tally.done + file.size_bytes
        if not file.lies_at(cache.blob(file)):
            _complete(f"{repo}/resolve/{commit}/{quote(file.name)}", file, cache, tally)
        cache.link(commit, file)
        tally.reach(after)


def _check_size(file: HubFile, cache: RepoCache) -> None:
    """Refuse what the library refuses to begin, before anything else is transferred."""
    from huggingface_hub import constants

    most = constants.MAX_HTTP_DOWNLOAD_SIZE
    if file.size_bytes > most and not cache.begun(file).is_file() and not file.lies_at(cache.blob(file)):
        raise HubError(
            f"{file.name} has {file.size_bytes / 1e9:,.1f} GB, and one file may have {most / 1e9:,.1f} GB at the most; "
            "choose a repository whose weights are in shards"
        )


def _complete(address: str, file: HubFile, cache: RepoCache, tally: Tally) -> None:
    """Append what is still missing of `file`; it becomes a blob when its hash is right."""
    begun = cache.begun(file)
    if begun.is_file() and begun.stat().st_size > file.size_bytes:
        begun.unlink()
    _append(address, file, begun, tally)
    if not file.is_at(begun):
        begun.unlink()
        raise HubError(f"{file.name} came damaged and was thrown away; run the same command again")
    begun.replace(cache.blob(file))


def _append(address: str, file: HubFile, begun: Path, tally: Tally) -> None:
    """The library's transfer of one file, which resumes by itself when the connection breaks off for a moment."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    with begun.open("ab") as target:
        http_get(
            f"{constants.ENDPOINT}/{address}",
            target,
            resume_size=target.tell(),
            # a compressed answer could not be continued at a byte
            headers=build_hf_headers() | {"Accept-Encoding": "identity"},
            expected_size=file.size_bytes,
            displayed_filename=file.name,
            tqdm_class=partial(Meter, tally),  # type: ignore[arg-type]
        )


def _check_whole(folder: Path) -> None:
    missing = missing_files(folder)
    if missing:
        raise HubError(f"the hub has no {', no '.join(missing)} of it; choose another revision")
