"""The publication: the public form of the votes, as a folder and as a dataset of the hub, rewritten whole each time.

Votes that can still be undone, that were imported, whose words are erased or hidden, and those that look personal are
not part of it. Networks, cookies, keys of programs and private fields of cards are in no query of this package.

Boundary: reads the store, writes a folder; `pushing` sends it to the hub.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import InvalidValue, StorageError
from playground.publishing.contents import Contents, board_document, options_document, survey, why_not
from playground.publishing.dataset_card import dataset_card
from playground.publishing.held_back import HeldBack, read_releases, releases_path
from playground.publishing.hub import Dataset
from playground.publishing.manifest import BOARD, CARD, MANIFEST, Written, file_entry, is_publication, manifest_of
from playground.publishing.parquet_files import TableWriter, write_text
from playground.publishing.pushing import Pushed, push
from playground.publishing.tables import (
    GENERATIONS,
    PAIRS,
    VOTES,
    Judgement,
    generation_row,
    pair_rows,
    split_of,
    vote_row,
)
from playground.ratings.board import LeaderboardOptions
from playground.ratings.policy import default_policy
from playground.settings import Settings
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal.entries import database_id
from playground.storage.maintenance.detached import detached

Progress = Callable[[str, int, int], None]
"""Called with a step, and how much of it is done: votes or answers of how many; 0 of 0 where that is unknown."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The result of publishing."""

    manifest: Mapping[str, Any]
    held_back: tuple[HeldBack, ...]
    folder: Path | None  # None: not kept
    pushed: Pushed | None  # None: not sent to the hub


def publish(
    store: Store,
    settings: Settings,
    now: str,
    *,
    to: Path | None = None,
    dataset: Dataset | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Publication:
    """Write the publication to a folder, to the hub, to both, or nowhere; running it again does no harm.

    Args:
        now: votes that are final by then are published.
        to: a folder that is missing, empty, or an earlier publication, which is replaced.
        dataset: a public dataset of the hub.

    Raises:
        InvalidValue: a folder or dataset that holds something else.
        DatasetError: the hub refused or failed.
        StorageError: the database cannot be read or a file not written.
    """
    if to is not None:
        _check_folder(to)
    if dataset is not None and dataset.repo == settings.store:
        raise InvalidValue(f"{dataset.repo} is the private store of this playground; publish to another dataset")
    with _building(to) as folder:
        with _snapshot(store) as reading:
            contents, options = _survey(reading, settings, now, progress)
            build(folder, reading, contents, options, now, dataset.repo if dataset else "", progress)
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        pushed = None
        if dataset is not None:
            pushed = push(folder, dataset, contents, progress)
        if to is not None:
            _replace(folder, to)
    return Publication(manifest, contents.held_back, to, pushed)


def preview(
    store: Store, settings: Settings, now: str, progress: Progress = lambda step, done, total: None
) -> Contents:
    """Return what would be published, without writing anything."""
    with _snapshot(store) as reading:
        return _survey(reading, settings, now, progress)[0]


def build(
    folder: Path,
    reading: Reading,
    contents: Contents,
    options: LeaderboardOptions,
    now: str,
    repo: str = "",
    progress: Progress = lambda step, done, total: None,
) -> None:
    """Write the files of a publication to an empty folder."""
    progress("board", 0, 0)
    board = board_document(contents.pairs, contents.models, options)
    reasons = why_not(contents.pairs, options)
    with _errors(folder):
        rows = _write_votes(folder, reading, contents, reasons, progress)
        rows |= _write_generations(folder, reading, contents, progress)
    write_text(folder / BOARD, _json(board))
    written = Written(rows, contents, options_document(options), repo)
    manifest = manifest_of(folder, written, now)
    write_text(folder / CARD, dataset_card(manifest, board))
    manifest["files"][CARD] = file_entry(folder, CARD)
    write_text(folder / MANIFEST, _json(manifest))


def _survey(reading: Reading, settings: Settings, now: str, progress: Progress) -> tuple[Contents, LeaderboardOptions]:
    progress("survey", 0, 0)
    released = read_releases(releases_path(settings.db))
    options = LeaderboardOptions(policy=default_policy(settings), prior=settings.prior)
    return survey(reading, database_id(reading), released, now), options


@contextmanager
def _snapshot(store: Store) -> Iterator[Reading]:
    """Open a snapshot; of a store with a single connection, a copy, so that votes wait only while it is copied."""
    with (
        tempfile.TemporaryDirectory(prefix="publication-") as folder,
        detached(store, Path(folder)) as source,
        source.reading() as reading,
    ):
        yield reading


def _write_votes(
    folder: Path, reading: Reading, contents: Contents, reasons: Mapping[str, str], progress: Progress
) -> dict[str, Mapping[str, int]]:
    """Write `pairs` and `votes`; both the judgements and the votes of the database are in order of time."""
    total, waiting = len(contents.judgements), 0
    with TableWriter(folder, PAIRS) as pairs, TableWriter(folder, VOTES) as votes:
        for vote in reading.votes_with_words():
            judged: list[Judgement] = []
            while waiting < total and contents.judgements[waiting].pair.vote_id == vote["vote_id"]:
                judged.append(contents.judgements[waiting])
                waiting += 1
            if judged:
                vote = _with_licenses(vote, contents)
                reason = reasons.get(vote["vote_id"], "")
                for row in pair_rows(vote, judged, reason, contents.raters):
                    pairs.add(split_of((row["license_a"], row["license_b"])), row)
                licenses = [side["license"] for side in vote["sides"]]
                votes.add(split_of(licenses), vote_row(vote, reason, contents.raters))
                progress("votes", waiting, total)
    if waiting != total:
        raise StorageError(f"{total - waiting} of {total} judged pairs have no vote; run verify")
    return {PAIRS.name: pairs.rows, VOTES.name: votes.rows}


def _write_generations(
    folder: Path, reading: Reading, contents: Contents, progress: Progress
) -> dict[str, Mapping[str, int]]:
    """Write `generations`: the answers of published battles."""
    published = {judged.pair.battle_id for judged in contents.judgements}
    with TableWriter(folder, GENERATIONS) as generations:
        for done, (stored, battles) in enumerate(reading.generations_with_battles(), start=1):
            if not published.isdisjoint(battles):
                license = contents.license(stored["license"], stored["model_id"])
                generations.add(split_of((license,)), generation_row({**stored, "license": license}))
                progress("answers", done, 0)
    return {GENERATIONS.name: generations.rows}


def _with_licenses(vote: Mapping[str, Any], contents: Contents) -> Mapping[str, Any]:
    sides = [{**side, "license": contents.license(side["license"], side["model"])} for side in vote["sides"]]
    return {**vote, "sides": sides}


def _check_folder(to: Path) -> None:
    if to.exists() and not (to.is_dir() and (not any(to.iterdir()) or is_publication(to))):
        raise InvalidValue(f"{to} holds something else than a publication; name a new or an empty folder")
    if not to.absolute().parent.is_dir():
        raise StorageError(
            f"there is no folder {to.absolute().parent}; create it first, or name a folder in another one"
        )


@contextmanager
def _building(to: Path | None) -> Iterator[Path]:
    """Make a folder beside the target, which is removed at the end unless it was moved there."""
    beside = None if to is None else to.absolute().parent
    prefix = "publication-" if to is None else f".{to.absolute().name}."
    with _errors(to):
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".part", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(folder: Path, to: Path) -> None:
    """Move a folder to its place; an earlier one is removed afterwards."""
    with _errors(to):
        folder.chmod(0o755)
        old = folder.with_suffix(".old")
        if to.exists():
            to.rename(old)
        folder.rename(to)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _errors(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path or tempfile.gettempdir()} cannot be written: {error.strerror or error}") from error


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
