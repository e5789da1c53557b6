"""Write a report to a file, which appears whole or not at all.

Boundary: a `Report` in, a file out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.files import Drafts, written
from playground.report.document import document
from playground.report.report import Report

MARK = b"<script type='application/json' id='report-tallies'>"
"""Every report has it."""


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """The file of a report, and what it holds."""

    path: str
    bytes: int
    sha256: str
    votes: int  # that count in the ranking
    battles: int  # with their words
    older: int  # battles that may be shown, left out to keep the file small
    left_out: Mapping[str, int]  # votes whose words may not be shown, by reason

    def as_document(self) -> dict[str, Any]:
        """Return the whole as JSON values."""
        return asdict(self)


def check_target(path: Path) -> None:
    """Raise InvalidValue unless a report may be written to `path`, before the database is read."""
    if path.is_dir():
        raise InvalidValue(f"{path} is a folder; name a file, such as {path / 'report.html'}")
    if not path.absolute().parent.is_dir():
        raise InvalidValue(f"there is no folder {path.absolute().parent}; create it first, or name a file elsewhere")


def read_page(path: Path) -> bytes:
    """Return the document in a file that `write_report` wrote.

    Raises:
        InvalidValue: another file.
    """
    page = path.read_bytes()
    if MARK not in page:
        raise InvalidValue(f"{path} is not a report; write one with: python -m playground report {path.stem}.html")
    return page


def write_report(report: Report, path: Path) -> WrittenReport:
    """Write a report; an existing file is replaced at the end.

    Raises:
        InvalidValue: the path is a folder, or in none.
        StorageError: the file cannot be written; an existing one is as it was.
    """
    check_target(path)
    with Drafts() as drafts:
        file = drafts.open(path)
        with written(path):
            file.write(document(report).encode())
        drafts.publish()
    return WrittenReport(
        path=str(path),
        bytes=file.bytes,
        sha256=file.sha256,
        votes=report.view.board.num_votes,
        battles=len(report.battles.newest),
        older=report.battles.num_older,
        left_out=report.battles.left_out,
    )
