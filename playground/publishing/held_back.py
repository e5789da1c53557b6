"""Battles that are held back because their words look personal, and those that an operator has released.

Releases are lines of a file beside the database: the id of a battle and a fingerprint of what was found in it. A battle
in which something else is found later is held back again. Operators may edit the file; a lost one holds back more.

Boundary: reads the store and one text file; writes that file only.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playground.errors import InvalidValue, StorageError, Unknown
from playground.publishing.personal import PersonalData, find_personal
from playground.storage.database.statements import Reading

NONE_RELEASED: Mapping[str, str] = MappingProxyType({})
_HEAD = "# Battles that may be published although something in them looks personal: id, fingerprint of what was found\n"
_FIELDS = ("instruction", "input", "system", "comment")


@dataclass(frozen=True, slots=True)
class HeldBack:
    """One reason to hold a battle back."""

    battle_id: str
    field: str  # instruction | input | system | comment | answer a ...
    kind: str  # see `personal.Kind`
    masked: str  # what was found, with its middle left out
    fingerprint: str  # of everything that was found in the battle


def held_back(reading: Reading, released: Mapping[str, str] = NONE_RELEASED) -> Iterator[HeldBack]:
    """Yield what looks personal in the judged battles that are not erased, hidden or released, in order of time.

    Args:
        released: see `read_releases`.
    """
    searched = _Searched(bytearray(1 + reading.last_generation()))
    for vote in reading.votes_with_words():
        found = list(searched.findings(vote))
        if not found:
            continue
        fingerprint, battle_id = _fingerprint(found), vote["battle_id"]
        if released.get(battle_id) != fingerprint:
            for field, finding in found:
                yield HeldBack(battle_id, field, finding.kind.value, finding.masked, fingerprint)


def releases_path(database: Path) -> Path:
    """Return the file of releases of a database."""
    return database.with_name(f"{database.name}.released")


def read_releases(path: Path) -> Mapping[str, str]:
    """Return the fingerprints of released battles by id; a missing file is an empty one.

    Raises:
        InvalidValue: a line that is no release.
        StorageError: the file cannot be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return NONE_RELEASED
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    released = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            match line.split():
                case [battle_id, fingerprint]:
                    released[battle_id] = fingerprint
                case _:
                    raise InvalidValue(f"{path}, line {number}: valid is the id of a battle and a fingerprint")
    return released


def release(path: Path, battle_ids: Collection[str], found: Collection[HeldBack]) -> None:
    """Add battles that are held back to the file of releases.

    Raises:
        Unknown: a battle that is not held back.
        StorageError: the file cannot be written.
    """
    fingerprints = {reason.battle_id: reason.fingerprint for reason in found}
    for battle_id in battle_ids:
        if battle_id not in fingerprints:
            raise Unknown(f"{battle_id} is not held back; publish --dry-run lists the battles that are")
    released = {**read_releases(path), **{battle_id: fingerprints[battle_id] for battle_id in battle_ids}}
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(_HEAD + "".join(f"{battle_id} {mark}\n" for battle_id, mark in sorted(released.items())))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def battles_by_kind(found: Collection[HeldBack]) -> Mapping[str, int]:
    """Count the battles that are held back by what was found; a battle may be of several kinds."""
    battles: defaultdict[str, set[str]] = defaultdict(set)
    for reason in found:
        battles[reason.kind].add(reason.battle_id)
    return {kind: len(ids) for kind, ids in sorted(battles.items())}


@dataclass(frozen=True, slots=True)
class _Searched:
    """The search of votes, which share texts: an answer in which nothing was found is searched once."""

    harmless: bytearray  # 1 for each number of an answer in which nothing was found

    def findings(self, vote: Mapping[str, Any]) -> Iterator[tuple[str, PersonalData]]:
        """Yield what looks personal in one of `Reading.votes_with_words`, with its field."""
        for field in _FIELDS:
            for finding in _find(vote[field] or ""):
                yield field, finding
        for side in vote["sides"]:
            number = side["generation_row"]
            if not self.harmless[number]:
                found = (*find_personal(side["text"]), *find_personal(side["reasoning"]))
                self.harmless[number] = not found
                for finding in found:
                    yield f"answer {side['side']}", finding


@lru_cache(maxsize=512)
def _find(text: str) -> tuple[PersonalData, ...]:
    """Return what looks personal in a short text; raters of a study share instructions."""
    return tuple(find_personal(text))


def _fingerprint(found: list[tuple[str, PersonalData]]) -> str:
    lines = sorted(f"{field}\t{finding.kind}\t{finding.match}" for field, finding in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
