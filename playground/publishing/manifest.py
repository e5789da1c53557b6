"""The manifest of a publication: counts, hashes of the files, what was left out, versions.

Boundary: values in, JSON values out; reads the files of one folder to hash them.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import playground
from playground.errors import InvalidValue
from playground.publishing.contents import Contents
from playground.publishing.held_back import battles_by_kind
from playground.publishing.parquet_files import count_rows, read_rows
from playground.storage.database.migrations import schema_version

MANIFEST, BOARD, CARD = "manifest.json", "board.json", "README.md"
FORMAT = 1
_PASSING = ("published_at", "squash")
"""Keys that differ between two publications of the same votes."""


@dataclass(frozen=True, slots=True)
class WrittenPublication:
    """Facts of a publication that its files do not tell."""

    rows: Mapping[str, Mapping[str, int]]  # by table and split
    contents: Contents
    board_options: Mapping[str, Any]
    repo: str


def manifest_of(folder: Path, written: WrittenPublication, now: str) -> dict[str, Any]:
    """Return the manifest of the files that a folder holds by now."""
    contents = written.contents
    return {
        "format": FORMAT,
        "repo": written.repo,
        "published_at": now,
        "last_vote": contents.last_vote,
        "counts": counts_of(folder, data_files(folder)),
        "rows": {table: dict(rows) for table, rows in written.rows.items()},
        "models": {id: asdict(model) for id, model in contents.models.items()},
        "filter": {"imported": "none"},
        "left_out": dict(contents.left_out),
        "held_back": dict(battles_by_kind(contents.held_back)),
        "board_options": dict(written.board_options),
        "withdrawn": {"battles": contents.withdrawn_marks(now), "erasures": contents.last_erasure},
        "squash": False,
        "versions": versions(),
        "files": {path: file_entry(folder, path) for path in sorted(published_files(folder))},
    }


def counts_of(folder: Path, data: Mapping[str, list[str]]) -> dict[str, Any]:
    """Count votes, battles, raters, and answers by model and by license, from the files of a publication."""
    votes = [folder / path for path in data["votes"]]
    answers: dict[str, dict[str, int]] = {"model": {}, "license": {}}
    for row in read_rows((folder / path for path in data["generations"]), tuple(answers)):
        for name, by in answers.items():
            by[row[name]] = by.get(row[name], 0) + 1
    return {
        "votes": sum(map(count_rows, votes)),
        "battles": _num_different(row["battle_id"] for row in read_rows(votes, ("battle_id",))),
        "raters": _num_different(row["rater"] for row in read_rows(votes, ("rater",))),
        "pairs": sum(count_rows(folder / path) for path in data["pairs"]),
        "answers_by_model": dict(sorted(answers["model"].items())),
        "answers_by_license": dict(sorted(answers["license"].items())),
    }


def _num_different(values: Iterable[str]) -> int:
    """Return the number of different texts, by hashes of 64 bits; a set of a million texts takes 100 MB more."""
    import numpy as np

    return len(np.unique(np.fromiter(map(hash, values), dtype=np.int64)))


def data_files(folder: Path) -> dict[str, list[str]]:
    """Return the Parquet files of a folder by table, in order."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob("data/*/*.parquet"))
    return {
        table: [path for path in found if path.split("/")[1] == table] for table in ("pairs", "votes", "generations")
    }


def published_files(folder: Path) -> Iterator[str]:
    """Yield the paths of all files but the manifest."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != MANIFEST:
            yield path.relative_to(folder).as_posix()


def versions() -> dict[str, str]:
    """Return the versions that the last digits of a board, and the bytes of a file, depend on."""
    import numpy
    import pyarrow

    return {
        "playground": playground.__version__,
        "database": str(schema_version()),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "pyarrow": pyarrow.__version__,
        "machine": platform.machine(),
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest.

    Raises:
        InvalidValue: it is missing, no manifest, or of another format.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise InvalidValue(f"{path.parent} is not a publication: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidValue(f"{path} is not a manifest of format {FORMAT}; it may come from a newer playground")
    return document


def is_publication(folder: Path) -> bool:
    """Return True if a folder holds a publication that may be replaced."""
    try:
        return bool(read_manifest(folder / MANIFEST))
    except InvalidValue:
        return False


def is_same(manifest: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return True if two manifests are of the same votes and files."""
    return {**manifest, **dict.fromkeys(_PASSING)} == {**other, **dict.fromkeys(_PASSING)}


def file_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_entry(folder: Path, path: str) -> dict[str, Any]:
    """Return the hash and size of a file, and the rows of a Parquet file."""
    entry: dict[str, Any] = {"sha256": file_hash(folder / path), "size_bytes": (folder / path).stat().st_size}
    return entry | ({"rows": count_rows(folder / path)} if path.endswith(".parquet") else {})
