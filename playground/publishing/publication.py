"""The publication: the public form of the votes, as a folder and as a dataset of the hub, rewritten whole each time.

Votes that can still be undone, that were imported, whose words are erased or hidden, and those that look personal are
not part of it. Networks, cookies, keys of programs and private fields of cards are in no query of this package.

Boundary: reads the store, writes a folder; `pushing` sends it to the hub.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from playground.errors import InvalidValue, StorageError
from playground.publishing.contents import Contents, board_document, options_document, survey, why_not
from playground.publishing.dataset_card import dataset_card
from playground.publishing.held_back import HeldBack, read_releases, releases_path
from playground.publishing.hub import Dataset
from playground.publishing.manifest import (
    BOARD,
    CARD,
    MANIFEST,
    WrittenPublication,
    file_entry,
    is_publication,
    manifest_of,
)
from playground.publishing.parquet_files import TableWriter, write_text
from playground.publishing.pushing import Pushed, push
from playground.publishing.tables import (
    GENERATIONS,
    PAIRS,
    VOTES,
    generation_row,
    pair_rows,
    split_of,
    vote_row,
)
from playground.publishing.work_folder import work_folder
from playground.ratings.board import LeaderboardOptions
from playground.ratings.gathered import gather
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
    with _working(to) as work:
        folder = work / "files"
        folder.mkdir()
        with _snapshot(store, work) as reading:
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
    with _working(None) as work, _snapshot(store, work) as reading:
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
    judged = gather(contents.judged_pairs(reading), options.policy)
    board = board_document(judged, contents.models, options)
    reasons = why_not(judged, options)
    shown = bytearray(1 + reading.last_generation())
    with _errors(folder):
        rows = _write_votes(folder, reading, contents, reasons, shown, progress)
        rows |= _write_generations(folder, reading, contents, shown, progress)
    write_text(folder / BOARD, _json(board))
    written = WrittenPublication(rows, contents, options_document(options), repo)
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
def _snapshot(store: Store, work: Path) -> Iterator[Reading]:
    """Open a snapshot; of a store with a single connection, a copy, so that votes wait only while it is copied."""
    with detached(store, work) as source, source.reading() as reading:
        yield reading


def _write_votes(
    folder: Path,
    reading: Reading,
    contents: Contents,
    reasons: Sequence[str],
    shown: bytearray,
    progress: Progress,
) -> dict[str, Mapping[str, int]]:
    """Write `pairs` and `votes`, both in order of time, and mark the generations that they show by their number."""
    judged, done = groupby(contents.judged(reading), key=itemgetter("vote_id")), 0
    vote_id, pairs_of_vote = next(judged, ("", ()))
    with TableWriter(folder, PAIRS) as pairs, TableWriter(folder, VOTES) as votes:
        for vote in reading.votes_with_words():
            if vote["vote_id"] != vote_id:
                continue
            vote, reason = _with_licenses(vote, contents), reasons[done]
            for row in pair_rows(vote, pairs_of_vote, reason, contents.raters):
                pairs.add(split_of((row["license_a"], row["license_b"])), row)
            votes.add(split_of([side["license"] for side in vote["sides"]]), vote_row(vote, reason, contents.raters))
            for side in vote["sides"]:
                shown[side["generation_row"]] = True
            done += 1
            progress("votes", done, contents.votes)
            vote_id, pairs_of_vote = next(judged, ("", ()))
    if done != contents.votes:
        raise StorageError(f"{contents.votes - done} of {contents.votes} judged votes have no words; run verify")
    return {PAIRS.name: pairs.rows, VOTES.name: votes.rows}


def _write_generations(
    folder: Path, reading: Reading, contents: Contents, shown: bytearray, progress: Progress
) -> dict[str, Mapping[str, int]]:
    """Write `generations`: the answers of published votes."""
    with TableWriter(folder, GENERATIONS) as generations:
        for done, stored in enumerate(reading.good_generations(), start=1):
            if shown[stored["generation_row"]]:
                license = contents.license(stored["license"], stored["model_id"])
                generations.add(split_of((license,)), generation_row(stored, license))
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
def _working(to: Path | None) -> Iterator[Path]:
    """Make a folder beside the target, or among the system's temporary files if there is none."""
    parent = Path(tempfile.gettempdir()) if to is None else to.absolute().parent
    prefix = "playground-publication-" if to is None else f".{to.absolute().name}."
    with ExitStack() as stack:
        with _errors(to):
            work = stack.enter_context(work_folder(parent, prefix))
        yield work


def _replace(folder: Path, to: Path) -> None:
    """Move a folder to its place; an earlier one goes with the work folder."""
    with _errors(to):
        if to.exists():
            to.rename(folder.with_name("replaced"))
        folder.rename(to)


@contextmanager
def _errors(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path or tempfile.gettempdir()} cannot be written: {error.strerror or error}") from error


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
