"""A study as one TOML file: which answers are judged, by how many raters, and how they are asked.

Boundary: one file and the files that it names in, a validated record and its hash out; knows no database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from playground.documents import ID, load_toml, read_values, strict_keys
from playground.errors import InvalidStudy, InvalidValue
from playground.records import Criterion, StoredStudy
from playground.studies.panel import Panel, check_key_set, is_key_set

Words = Annotated[str, Field(min_length=1, max_length=500)]
Share = Annotated[float, Field(ge=0, le=1)]

MOST_ID_CHARS = 60
FEWEST_MODELS = 2
MOST_CRITERIA = 6
MOST_REPEATS = 0.5
"""The largest share of silent repeats: one for every second vote."""


@strict_keys
@dataclass(frozen=True, slots=True)
class Check:
    """Items whose best answer is known, judged before the first vote that counts; there are two tries."""

    items: Words  # a file


@strict_keys
@dataclass(frozen=True, slots=True)
class Attention:
    """Items whose best answer is known, mixed among the others."""

    items: Words  # a file
    every: PositiveInt = 20  # votes from one to the next, on average


@strict_keys
@dataclass(frozen=True, slots=True)
class StudyFile:
    """The keys of a study's file; paths are relative to it."""

    id: Words
    models: tuple[Words, ...]
    votes: PositiveInt  # that count; repeats, checks and attention items come on top
    instructions: Words | None = None  # a file, see `instruction_files`; None: raters write them
    live: bool = False  # each rater writes instructions, and judges the answers to these alone
    pairs: str | tuple[tuple[Words, ...], ...] = "all"
    raters_per_battle: Annotated[int, Field(ge=1, le=100)] = 1
    overlap: Share = 0.0  # of the battles that two raters judge, and a third where these disagree
    repeats: Annotated[float, Field(ge=0, le=MOST_REPEATS)] = 0.0  # of a rater's votes, again with swapped sides
    question: Words = "Which answer is better?"
    criterion: tuple[Criterion, ...] = ()
    ends: Literal["leader", "order"] | None = None  # once it is decided who leads, or every order; before all votes
    strength: bool = False  # ask whether it is much or slightly better
    seed: NonNegativeInt = 0
    check: Check | None = None
    attention: Attention | None = None
    votes_per_rater: PositiveInt | None = None  # that count; without it a rater gets more until the study has enough
    panel: Panel | None = None

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id) or len(self.id) > MOST_ID_CHARS:
            raise InvalidValue(
                f"'id' is {self.id!r}; valid: up to {MOST_ID_CHARS} of a-z, 0-9, '.', '_' and '-', from a letter or"
                " digit on"
            )
        if len(self.models) < FEWEST_MODELS or len(set(self.models)) < len(self.models):
            raise InvalidValue(f"'models' are {list(self.models)!r}; valid: two or more different models")
        if len({criterion.id for criterion in self.criterion}) < len(self.criterion):
            raise InvalidValue("two [[criterion]] have the same 'id'; give each its own")
        if len(self.criterion) > MOST_CRITERIA:
            raise InvalidValue(f"there are {len(self.criterion)} [[criterion]]; valid: up to {MOST_CRITERIA}")
        self._check_pairs()
        self._check_panel()
        self._check_live()

    def _check_live(self) -> None:
        if not self.live:
            if self.instructions is None:
                raise InvalidValue("'instructions' is missing; name a file, or let raters write them with live = true")
            return
        if self.instructions is not None:
            raise InvalidValue("'instructions' names a file, but with live = true raters write them; leave one out")
        if self.raters_per_battle > 1 or self.overlap:
            raise InvalidValue(
                "'raters_per_battle' and 'overlap' ask for several raters of a battle, but with live = true only the"
                " rater who wrote an instruction sees its answers; leave them out"
            )

    def _check_panel(self) -> None:
        if self.panel is None:
            return
        if self.votes_per_rater is None:
            raise InvalidValue("'votes_per_rater' is missing; with [panel] write how many votes each rater is paid for")
        if self.check is not None and self.panel.screened_out is None:
            raise InvalidValue("'panel.screened_out' is missing; with [check] write the code of raters who fail it")

    def _check_pairs(self) -> None:
        valid = (
            f'"all", "informative", or a list of pairs of {", ".join(self.models)}, such as [["{self.models[0]}", "…"]]'
        )
        if isinstance(self.pairs, str):
            if self.pairs not in ("all", "informative"):
                raise InvalidValue(f"'pairs' is {self.pairs!r}; valid: {valid}")
            return
        for pair in self.pairs:
            if len(set(pair)) != 2 or len(pair) != 2 or not set(pair) <= set(self.models):
                raise InvalidValue(f"'pairs' holds {list(pair)!r}; valid: {valid}")
        if not self.pairs or len({frozenset(pair) for pair in self.pairs}) < len(self.pairs):
            raise InvalidValue(f"'pairs' is empty, or names a pair twice; valid: {valid}")
        if self.ends is not None and not self._are_connected(self.pairs):
            raise InvalidValue(f"'ends' is {self.ends!r}, but 'pairs' leave models that never meet; connect all models")

    def _are_connected(self, pairs: tuple[tuple[str, ...], ...]) -> bool:
        """Return True if every model meets every other one, directly or over others."""
        met = {self.models[0]}
        for _ in self.models:
            met |= {model for pair in pairs if not met.isdisjoint(pair) for model in pair}
        return met == set(self.models)

    @property
    def is_informative(self) -> bool:
        """True if pairs are drawn by how much the ranking learns from them."""
        return self.pairs == "informative"

    @property
    def model_pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of models, each in the order of `models`."""
        if isinstance(self.pairs, str):
            return tuple(combinations(self.models, 2))
        place = {model: number for number, model in enumerate(self.models)}
        ordered = (sorted(pair, key=place.__getitem__) for pair in self.pairs)
        return tuple((first, second) for first, second in ordered)


@dataclass(frozen=True, slots=True)
class Study:
    """A study's file as it was read, with the files that it names."""

    file: StudyFile
    folder: Path
    hash: str  # sha256 over values and named files, hex; comments and the order of keys do not matter

    @property
    def instructions(self) -> Path | None:
        return None if self.file.instructions is None else self.folder / self.file.instructions

    @property
    def check_items(self) -> Path | None:
        return None if self.file.check is None else self.folder / self.file.check.items

    @property
    def attention_items(self) -> Path | None:
        return None if self.file.attention is None else self.folder / self.file.attention.items


def read_study(path: Path) -> Study:
    """Read and hash a study's file.

    Raises:
        InvalidStudy: an unknown key, a missing one, a wrong type or value, or a file that cannot be read; the message
            names file, key and the valid values.
    """
    values, _ = load_toml(path, InvalidStudy)
    file = _with_key_set(read_values(StudyFile, values, str(path), InvalidStudy), path)
    study = Study(file, path.parent, "")
    named = {
        "instructions": study.instructions,
        "check.items": study.check_items,
        "attention.items": study.attention_items,
    }
    hashes = {key: _hash_of(path, key, found) for key, found in named.items() if found is not None}
    return Study(file, path.parent, content_hash(file, hashes))


def _with_key_set(file: StudyFile, path: Path) -> StudyFile:
    """Return the file with the panel's key set in place of the name of its file: the database keeps no other file."""
    panel = file.panel
    if panel is None or panel.jwks is None or is_key_set(panel.jwks) or "://" in panel.jwks:
        return file
    named = path.parent / panel.jwks
    try:
        text = named.read_text("utf-8")
        check_key_set(text)
    except OSError as problem:
        raise InvalidStudy(f"{path}: 'panel.jwks' names {named}, which cannot be read: {problem.strerror}") from problem
    except ValueError as problem:
        raise InvalidStudy(f"{path}: 'panel.jwks' names {named}, which {problem}") from problem
    return replace(file, panel=replace(panel, jwks=text))


def content_hash(file: StudyFile, hashes: Mapping[str, str]) -> str:
    """Return the hash of a study: its values in canonical JSON, and the hashes of the named files by key."""
    content = json.dumps({"study": as_document(file), "files": hashes}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def as_document(file: StudyFile) -> dict[str, Any]:
    """Return all keys with their values, those that the file leaves out too; `live` only if it is true.

    Studies that were stored before the key keep their hash.
    """
    document = asdict(file)
    if not file.live:
        del document["live"]
    return document


def stored_study(text: str, where: str) -> StudyFile:
    """Read the document that the database keeps.

    Raises:
        InvalidStudy: it is of a newer version.
    """
    return read_values(StudyFile, json.loads(text), where, InvalidStudy)


def file_of(study: StoredStudy) -> StudyFile:
    """Return the file of a study in the database; raises as `stored_study`."""
    return stored_study(study.file, f"study {study.id}")


def _hash_of(path: Path, key: str, named: Path) -> str:
    try:
        return hashlib.sha256(named.read_bytes()).hexdigest()
    except OSError as problem:
        raise InvalidStudy(f"{path}: {key!r} names {named}, which cannot be read: {problem.strerror}") from problem
