"""Sending a publication to the hub: one commit, and a squashed history when something was withdrawn.

An older revision of the dataset still holds what was erased, hidden or held back since. Then the history is replaced by
one commit. The manifest of the commit says that this is due (`squash`), so that the next run makes up for a squash that
failed; a second commit says that it is done.

Boundary: a folder and a dataset in, commits out; knows no store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import InvalidValue
from playground.publishing.contents import Contents
from playground.publishing.hub import Dataset
from playground.publishing.manifest import MANIFEST, is_same, published_files, read_manifest

AGAIN = "publish again, which does no harm"
"""The end of messages about failures that may pass, for the dataset that `push` takes."""
_OWN = frozenset({"README.md", ".gitattributes"})
"""Files that the hub may have made itself."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of sending a publication."""

    repo: str
    commit: str
    changed: bool  # False: the dataset held the same votes already
    squashed: bool
    private: bool  # the dataset can be read by its owner only


def push(
    folder: Path,
    dataset: Dataset,
    contents: Contents,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Pushed:
    """Make a dataset hold exactly the files of a publication; its files that are not of a publication stay.

    Raises:
        InvalidValue: the dataset holds something else.
        DatasetError: the hub refused or failed; running it again does no harm.
    """
    progress("upload", 0, 0)
    dataset.create(private=False)
    head = dataset.head()
    there = dataset.files(head.commit)
    earlier = _earlier(dataset, head.commit, list(there), folder.with_name(f"earlier-{MANIFEST}"))
    manifest = read_manifest(folder / MANIFEST)
    squash = earlier is not None and (earlier["squash"] or _is_withdrawn(earlier, contents))
    changed = earlier is None or squash or not is_same(manifest, earlier)
    commit = head.commit
    if changed:
        add = {path: folder / path for path in published_files(folder)}
        stale = sorted({path for path in (earlier or {"files": ()})["files"] if path in there} - set(add))
        message = f"{manifest['counts']['votes']} votes as of {manifest['published_at'][:10]}"
        commit = dataset.commit({**add, MANIFEST: _bytes({**manifest, "squash": squash})}, stale, message, commit)
        if squash:
            progress("squash", 0, 0)
            dataset.squash(message)
            commit = dataset.commit({MANIFEST: _bytes(manifest)}, (), "Earlier revisions are gone")
    return Pushed(dataset.repo, commit, changed, squash, head.private)


def _earlier(dataset: Dataset, commit: str, there: list[str], path: Path) -> Mapping[str, Any] | None:
    """Return the manifest that the dataset holds, downloaded to `path`; None if the dataset is empty."""
    if MANIFEST not in there:
        others = sorted(set(there) - _OWN)
        if others:
            raise InvalidValue(
                f"the dataset {dataset.repo} holds something else ({', '.join(others[:3])}); name a new or an empty one"
            )
        return None
    dataset.download(MANIFEST, path, commit)
    return read_manifest(path)


def _is_withdrawn(earlier: Mapping[str, Any], contents: Contents) -> bool:
    """Return True if something was erased, hidden or held back that the earlier publication may hold."""
    then = earlier["withdrawn"]
    known = set(then["battles"])  # a text in earlier versions, of which no mark is an element
    new = set(contents.withdrawn_marks(earlier["published_at"])) - known
    return bool(new or then["erasures"] != contents.last_erasure)


def _bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
