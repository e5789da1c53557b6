"""The raters whom a panel sent, for the operator who pays them: outcome, code, times, and the panel's ids if asked for.

Boundary: reads a snapshot, rows out; votes and minutes are those of `status`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.records import StoredStudy
from playground.storage.database.statements import Reading
from playground.studies.panel import Outcome
from playground.studies.study_file import file_of


@dataclass(frozen=True, slots=True)
class PanelReport:
    """One rater of a panel."""

    number: int  # as in the report of their work
    outcome: str | None  # None: still at work, or gone
    code: str | None
    entered_at: str
    ended_at: str | None
    id_hash: str
    raters: tuple[str, ...]  # as exports name them: one for each browser that they voted in
    id: str | None = None  # at the panel
    session: str | None = None


def panel_reports(reading: Reading, study: StoredStudy, *, with_ids: bool) -> Sequence[PanelReport]:
    """Return the raters of a study's panel by number.

    Args:
        with_ids: also the panel's own ids, as far as they are not deleted.
    """
    panel = file_of(study).panel
    ids = {one.number: one for one in reading.panel_ids(study.id)} if with_ids else {}
    found = []
    for rater in reading.panel_raters(study.id):
        outcome = None if rater.outcome is None else Outcome(rater.outcome)
        own = ids.get(rater.number)
        found.append(
            PanelReport(
                number=rater.number,
                outcome=rater.outcome,
                code=None if panel is None or outcome is None else panel.code_of(outcome),
                entered_at=rater.entered_at,
                ended_at=rater.ended_at,
                id_hash=rater.id_hash,
                raters=tuple(dict.fromkeys(one.owner for one in reading.assigned(study.id, rater.number))),
                id=None if own is None else own.rater,
                session=None if own is None else own.session,
            )
        )
    return found
