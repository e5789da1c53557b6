"""The plans of a store's studies, remembered between requests.

Boundary: reads studies and their items, which never change; a live study gets more of them, and each may be closed.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from playground.records import StoredStudy
from playground.storage.database.statements import Reading
from playground.studies.assignment import Plan
from playground.studies.study_file import file_of


class Plans:
    """The plans by study."""

    def __init__(self) -> None:
        self._reading = Lock()
        self._known: dict[str, Plan] = {}

    def of(self, reading: Reading, study_id: str) -> Plan | None:
        """Return the plan of a study as of a snapshot; None if there is no such study."""
        study = reading.study(study_id) if isinstance(study_id, str) else None
        if study is None:
            return None
        known = self._known.get(study_id)
        if known is None:
            with self._reading:  # a rater who comes meanwhile waits, and does not read a large study once more
                known = self._known.get(study_id)
                if known is None:
                    known = self._known[study_id] = plan_of(reading, study)
        if known.study != study:  # closed since
            known = replace(known, study=study)
        if known.file.live and (more := reading.study_items(study_id, len(known.items))):
            known = replace(known, items=[*known.items, *more])
        self._known[study_id] = known
        return known


def plan_of(reading: Reading, study: StoredStudy) -> Plan:
    """Return a stored study with its items."""
    return Plan(study, file_of(study), reading.study_items(study.id))
