"""The state of the playground for its operator: votes left out, disk, journal, versions.

Boundary: asks the arena and the file system; a row more is one more line here.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from playground.arena.arena import Arena
from playground.errors import PlaygroundError
from playground.ratings.leaderboard import Leaderboard
from playground.ui.http.health import health
from playground.ui.pages.store_line import store_details, store_words
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import operator as texts
from playground.ui.texts.language import joined

Row = tuple[str, str]
"""A label and words."""


def facts_html(arena: Arena) -> str:
    """Return the state as a list."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in _rows(arena))
    title = escape(texts.STATE)
    return f"<section aria-label='{title}'><h2>{title}</h2><dl>{rows}</dl></section>"


def _rows(arena: Arena) -> list[Row]:
    report = health(arena)
    queue = report["queue"]
    status = texts.STATUSES[report["status"]]
    if report["reasons"]:
        status = texts.STATUS_REASONS.format(status=status, reasons=joined("; ", report["reasons"]))
    status = texts.STATUS_WORDS.format(status=status, running=queue["running"], most=queue["max"])
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return [
        (texts.STATUS, status),
        (texts.VOTES, _votes(arena)),
        (texts.DISK, _disk(arena)),
        (texts.JOURNAL, _journal(report["journal"])),
        *_store(arena),
        (texts.VERSIONS, versions),
    ]


def _store(arena: Arena) -> list[Row]:
    """Return how far the store has the votes; nothing without a store."""
    try:
        state = None if arena.journal is None else arena.journal.sync
    except PlaygroundError as error:
        return [(texts.STORE, error.public)]
    return [] if state is None else [(texts.STORE, " ".join((store_words(state), *store_details(state))))]


def _votes(arena: Arena) -> str:
    try:
        return votes_words(arena.leaderboard())
    except PlaygroundError as error:
        return error.public


def votes_words(board: Leaderboard) -> str:
    """Return how many votes there are, and the shares that are left out, by reason."""
    if not board.all_votes:
        return texts.VOTES_NONE
    if not board.exclusions:
        return texts.VOTES_ALL.format(votes=board.all_votes)
    reasons = ", ".join(
        texts.VOTES_REASON.format(
            votes=left_out.votes, words=left_out.words, share=formats.share(left_out.votes / board.all_votes)
        )
        for left_out in board.exclusions
    )
    return texts.VOTES_SOME.format(votes=board.all_votes, reasons=reasons)


def _disk(arena: Arena) -> str:
    with arena.store.reading() as reading:
        size = formats.size(reading.size_bytes())
    return disk_words(arena.settings.db.absolute().parent, size)


def disk_words(folder: Path, size: str) -> str:
    """Return the free space of a folder's disk, and the size of the database."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return texts.DISK_UNKNOWN.format(size=size)
    if not usage.total:  # some network mounts report only zeros
        return texts.DISK_UNKNOWN.format(size=size)
    return texts.DISK_WORDS.format(free=formats.size(usage.free), total=formats.size(usage.total), size=size)


def _journal(journal: dict[str, Any]) -> str:
    if not journal:
        return texts.JOURNAL_NONE
    if journal.get("error"):
        return texts.JOURNAL_ERROR
    return texts.JOURNAL_LAG.format(lag=journal["lag"]) if journal["lag"] else texts.JOURNAL_OK
