"""The files of the store: the segments of each database's journal, and a list of them with counts and hashes.

    journal/<database id>/<boot>/<n>.jsonl     a segment, as it lies beside the database
    journal/<database id>/store.json           its `Manifest`

A name is never used twice: a database has a random id, and each start of the playground a boot of its own.

Boundary: names and documents; reads and writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1
_MANIFEST = re.compile(r"journal/(\w{1,64})/store\.json", re.ASCII)
_SEGMENT = re.compile(r"journal/(\w{1,64})/((?!\.)[\w.-]{1,64}/\d{1,16}\.jsonl)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as the manifest lists it."""

    size_bytes: int
    lines: int  # with the header
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The segments that the store has of one database, written with every commit that changes one.

    Args:
        last_event: the highest number of an event in them.
        squash: True if erased text may still be in the history of the dataset.
    """

    database_id: str
    last_event: int = 0
    squash: bool = False
    segments: Mapping[str, Listed] = field(default_factory=dict)  # by their name below the database's folder

    @property
    def lines(self) -> int:
        return sum(segment.lines for segment in self.segments.values())

    def to_bytes(self) -> bytes:
        """Return the document that `read_manifest` reads; equal manifests are equal bytes."""
        document = {"store": VERSION, **asdict(self), "segments": dict(sorted(asdict(self)["segments"].items()))}
        return (json.dumps(document, indent=1) + "\n").encode()


def read_manifest(data: bytes) -> Manifest | None:
    """Return a manifest; None if it is not one that this version knows."""
    try:
        document: dict[str, Any] = json.loads(data)
        if document.pop("store") != VERSION:
            return None
        segments = {str(name): Listed(**listed) for name, listed in document.pop("segments").items()}
        return Manifest(**document, segments=segments)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def segment_path(database_id: str, name: str) -> str:
    """Return the path of a segment in the store; `name` is ``<boot>/<n>.jsonl``."""
    return f"journal/{database_id}/{name}"


def manifest_path(database_id: str) -> str:
    return f"journal/{database_id}/store.json"


def split_path(path: str) -> tuple[str, str] | None:
    """Return database id and name of a segment by its path in the store; None for any other file."""
    found = _SEGMENT.fullmatch(path)
    return None if found is None else (found[1], found[2])


def database_of(path: str) -> str:
    """Return the id of the database that a file of the store belongs to; empty for any other file."""
    found = _SEGMENT.fullmatch(path) or _MANIFEST.fullmatch(path)
    return found[1] if found else ""
