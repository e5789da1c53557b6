"""The contents of a report, read from a database.

Boundary: reads the store through `arena.listing` and `publishing`; draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.arena.listing import chosen_votes, current_analyses, current_leaderboard
from playground.catalog.catalog import Catalog
from playground.publishing.contents import survey
from playground.publishing.held_back import read_releases, releases_path
from playground.publishing.publication import Progress
from playground.ratings.analyses import Analyses
from playground.ratings.blinding import Blinding, blinding
from playground.ratings.board import LeaderboardOptions
from playground.records import Instruction, VoteFilter
from playground.report.battles import ShownBattles, shown_battles
from playground.report.tallies import Tallies, tallies_of
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.journal.entries import database_id
from playground.studies.criteria import CriterionStatus, criteria_of
from playground.ui.pages.leaderboard.view import BoardView

TITLE = "Playground"
ONE_RATER = "(one)"
"""Stands for a rater's id, which is published nowhere."""


@dataclass(frozen=True, slots=True)
class AskedReport:
    """The board that a report is about, and its name."""

    filter: VoteFilter
    options: LeaderboardOptions
    now: str  # votes that are final by then
    title: str = TITLE
    study_hash: str = ""  # of the study that the filter names


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Everything that the document shows."""

    asked: AskedReport
    view: BoardView
    analyses: Analyses
    blinding: Blinding | None  # None if no rater was asked to name a model
    tallies: Tallies
    battles: ShownBattles
    criteria: Sequence[CriterionStatus] = ()  # of the study that the filter names


@dataclass(frozen=True, slots=True)
class Sources:
    """The parts of a playground that a report needs beside the votes."""

    settings: Settings
    catalog: Catalog
    line_up: Sequence[str]
    starters: Mapping[str, Sequence[Instruction]]


def read_report(store: Store, sources: Sources, asked: AskedReport, progress: Progress) -> Report:
    """Return the report on the votes of a filter.

    Raises:
        InvalidValue: a category that neither the starters nor the votes have.
        StorageError: the database cannot be read.
    """
    which = (sources.catalog, sources.line_up, sources.starters, asked.now, asked.filter, asked.options)
    progress("board", 0, 0)
    board = current_leaderboard(store, *which)
    analyses = current_analyses(store, *which).without_battles()
    with store.reading() as reading:
        chosen = chosen_votes(reading, *which)
        progress("survey", 0, 0)
        released = read_releases(releases_path(sources.settings.db))
        contents = survey(reading, database_id(reading), released, asked.now)
        battles = shown_battles(reading, contents, asked.filter, chosen.options.policy, progress)
        named = {*sources.starters, *(battle.asked.category for battle in battles.newest)}
        tallies = tallies_of(chosen, chosen.board(), named)
        guesses = reading.guesses()
        study = reading.study(asked.filter.study) if asked.filter.study else None
        criteria = criteria_of(reading, asked.filter.study) if asked.filter.study else ()
    if study is not None:
        asked = replace(asked, study_hash=study.hash)
    if rater := asked.filter.rater:  # the line on what was counted names the filter
        public = replace(asked.filter, rater=ONE_RATER)
        asked = replace(asked, filter=public)
        board = replace(board, filter=public.as_mapping(), basis=board.basis.replace(rater, ONE_RATER))
    view = BoardView(board, sources.catalog.cards, sources.line_up, has_links=False)
    return Report(asked, view, analyses, blinding(guesses) if guesses else None, tallies, battles, criteria)
