"""The check of a publication: counts, hashes and the leaderboard recomputed from its files alone.

Boundary: reads one folder; knows no database and no hub.
"""

from __future__ import annotations

import heapq
import json
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from playground.documents import read_values
from playground.errors import InvalidValue
from playground.publishing.contents import PublishedModel, board_document, why_not
from playground.publishing.manifest import (
    BOARD,
    MANIFEST,
    counts_of,
    data_files,
    file_hash,
    published_files,
    read_manifest,
    versions,
)
from playground.publishing.parquet_files import count_rows, read_rows
from playground.publishing.tables import (
    GENERATIONS,
    PAIR_FIELDS,
    PAIRS,
    SPLITS,
    TABLES,
    VOTES,
    read_pair,
    split_of,
)
from playground.ratings.board import LeaderboardOptions
from playground.ratings.gathered import gather

SAME_DIGITS = 9
"""Significant digits that agree on every machine: the last ones depend on its libraries and its processor."""
MOST_FINDINGS = 20
"""Differences of one kind that are listed."""
_NOT_OF_THE_DATASET = (".git", ".gitattributes", ".cache", ".huggingface")
"""Files that downloading a dataset leaves beside its own."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a check."""

    differences: tuple[str, ...]
    votes: int
    exact: bool  # the last digit of the board was compared


def check_publication(folder: Path) -> Checked:
    """Recompute counts, hashes and the board of a publication, and name every difference.

    Raises:
        InvalidValue: the folder is not a publication, or the manifest is unreadable.
    """
    manifest = read_manifest(folder / MANIFEST)
    exact = manifest.get("versions") == versions()
    found: list[str] = []
    votes = 0
    try:
        for differences in _checks(folder, manifest, exact):
            found += islice(differences, MOST_FINDINGS)
        votes = sum(_rows(folder, data_files(folder))[VOTES.name].values())
    except InvalidValue as error:  # a file that cannot be read ends the check
        found.append(str(error))
    return Checked(tuple(found), votes, exact)


def _checks(folder: Path, manifest: Mapping[str, Any], exact: bool) -> Iterator[Iterator[str]]:
    """Yield the differences of one kind after the other."""
    yield _files(folder, manifest)
    data = data_files(folder)
    yield _values("manifest.json: counts", manifest.get("counts"), counts_of(folder, data))
    yield _values("manifest.json: rows", manifest.get("rows"), _rows(folder, data))
    yield _splits(folder, data)
    yield _links(folder, data)
    yield _boards(folder, manifest, data, exact)


def _files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    stated: Mapping[str, Mapping[str, Any]] = manifest.get("files", {})
    there = {path for path in published_files(folder) if not path.startswith(_NOT_OF_THE_DATASET)}
    yield from (f"{path} is missing" for path in sorted(set(stated) - there))
    yield from (f"{path} is not in the manifest" for path in sorted(there - set(stated)))
    for path in sorted(there & set(stated)):
        size = (folder / path).stat().st_size
        if size != stated[path]["size_bytes"]:
            yield f"{path} has {size} bytes; the manifest says {stated[path]['size_bytes']}"
        elif (found := file_hash(folder / path)) != stated[path]["sha256"]:
            yield f"{path} has the SHA-256 {found}; the manifest says {stated[path]['sha256']}"


def _rows(folder: Path, data: Mapping[str, list[str]]) -> dict[str, dict[str, int]]:
    """Count the rows by table and split."""
    rows = {table.name: dict.fromkeys(SPLITS, 0) for table in TABLES}
    for table, paths in data.items():
        for path in paths:
            split = _split_of_file(path)
            rows[table][split] = rows[table].get(split, 0) + count_rows(folder / path)
    return rows


def _splits(folder: Path, data: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield rows that stand in the split of other licenses."""
    licenses: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Sequence[str]]]] = {
        PAIRS.name: (("license_a", "license_b"), lambda row: (row["license_a"], row["license_b"])),
        VOTES.name: (("sides",), lambda row: [side["license"] for side in row["sides"]]),
        GENERATIONS.name: (("license",), lambda row: (row["license"],)),
    }
    for table, (columns, of_row) in licenses.items():
        for path in data[table]:
            wrong = sum(split_of(of_row(row)) != _split_of_file(path) for row in read_rows([folder / path], columns))
            if wrong:
                yield f"{path} has {wrong} rows whose licenses belong to the other split"


def _links(folder: Path, data: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield pairs without their vote, and answers that are named but not there.

    Ids stay in memory, about 180 bytes for a vote and 120 for an answer: no order of the files is relied on.
    """
    places: dict[str, int] = {}  # of votes, by which their raters and whether they have a pair take a few bytes
    raters, numbers = array("L"), dict[str, int]()
    for row in _read(folder, data, VOTES.name, "vote_id", "rater"):
        places[row["vote_id"]] = len(raters)
        raters.append(numbers.setdefault(row["rater"], len(numbers)))
    answers = {row["generation_id"] for row in _read(folder, data, GENERATIONS.name, "generation_id")}
    has_pair = bytearray(len(raters))
    for row in _read(folder, data, PAIRS.name, "vote_id", "rater", "generation_a", "generation_b"):
        place = places.get(row["vote_id"])
        if place is None:
            yield f"pairs: the vote {row['vote_id']} is not in votes"
        else:
            has_pair[place] = True
            if raters[place] != numbers.get(row["rater"]):
                yield f"pairs: the vote {row['vote_id']} is another rater's than in votes"
        yield from (
            f"pairs: the answer {row[name]} is not in generations"
            for name in ("generation_a", "generation_b")
            if row[name] not in answers
        )
    yield from (f"votes: the vote {vote} has no pair" for vote, place in places.items() if not has_pair[place])


_ORDER = ("created_at", "vote_id", "side_a", "side_b")


def _judged(folder: Path, data: Mapping[str, list[str]], *columns: str) -> Iterator[Mapping[str, Any]]:
    """Yield rows of `pairs` in order of time, as they were before they were split; each split is in this order."""
    splits = [[path for path in data[PAIRS.name] if _split_of_file(path) == split] for split in SPLITS]
    wanted = dict.fromkeys((*columns, *_ORDER))
    rows = (read_rows((folder / path for path in of_split), tuple(wanted)) for of_split in splits)
    return heapq.merge(*rows, key=itemgetter(*_ORDER))


def _boards(folder: Path, manifest: Mapping[str, Any], data: Mapping[str, list[str]], exact: bool) -> Iterator[str]:
    """Yield votes that count otherwise than stated, and differences of the board."""
    options = read_values(LeaderboardOptions, manifest.get("board_options", {}), f"{MANIFEST}: board_options")
    models = {
        id: read_values(PublishedModel, model, f"{MANIFEST}: models: {id}")
        for id, model in manifest.get("models", {}).items()
    }
    votes = gather(map(read_pair, _judged(folder, data, *PAIR_FIELDS)), options.policy)
    stated = groupby(_judged(folder, data, "counts", "why_not"), key=itemgetter("vote_id"))
    for (vote_id, rows), reason in zip(stated, why_not(votes, options), strict=True):
        yield from (
            f"pairs: the vote {vote_id} says counts {row['counts']} ({row['why_not']!r}); computed: {reason!r}"
            for row in rows
            if (row["counts"], row["why_not"]) != (not reason, reason)
        )
    yield from _values(BOARD, _board(folder), board_document(votes, models, options), exact)


def _board(folder: Path) -> Any:
    try:
        return json.loads((folder / BOARD).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue(f"{BOARD} cannot be read: {error}") from error


def _values(where: str, stated: Any, computed: Any, exact: bool = True) -> Iterator[str]:
    """Yield the places in which two JSON values differ."""
    if isinstance(stated, dict) and isinstance(computed, dict):
        for name in [*computed, *(name for name in stated if name not in computed)]:
            yield from _values(f"{where}: {name}", stated.get(name), computed.get(name), exact)
    elif isinstance(stated, list) and isinstance(computed, list) and len(stated) == len(computed):
        for number, (one, other) in enumerate(zip(stated, computed, strict=True)):
            yield from _values(f"{where}[{number}]", one, other, exact)
    elif not _is_same(stated, computed, exact):
        yield f"{where} is {_short(stated)}; computed: {_short(computed)}"


def _is_same(stated: Any, computed: Any, exact: bool) -> bool:
    if exact or not (isinstance(stated, float) and isinstance(computed, float)):
        return bool(stated == computed and isinstance(stated, bool) == isinstance(computed, bool))
    return math.isclose(stated, computed, rel_tol=10.0**-SAME_DIGITS, abs_tol=10.0**-SAME_DIGITS)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _read(folder: Path, data: Mapping[str, list[str]], table: str, *columns: str) -> Iterator[Mapping[str, Any]]:
    return read_rows((folder / path for path in data[table]), columns)


def _split_of_file(path: str) -> str:
    return path.rsplit("/", 1)[1].rsplit("-", 1)[0]
