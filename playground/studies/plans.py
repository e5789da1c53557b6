"""The plans of a store's studies, remembered between requests.

Boundary: reads studies and their items, which never change; a live study gets more of them, and each may be closed.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from playground.records import StoredStudy
from playground.storage.database.statements import Reading, Writing
from playground.studies.assignment import Plan
from playground.studies.study_file import file_of


class Plans:
    """The plans by study."""

    def __init__(self) -> None:
        self._reading = Lock()
        self._known: dict[str, Plan] = {}

    def of(self, reading: Reading, study_id: str) -> Plan | None:
        """Return the plan of a study as of a snapshot, and remember it; None if there is no such study."""
        study = reading.study(study_id) if isinstance(study_id, str) else None
        if study is None:
            return None
        if study_id not in self._known:
            with self._reading:  # a rater who comes meanwhile waits, and does not read a large study once more
                if study_id not in self._known:
                    self._known[study_id] = plan_of(reading, study)
        plan = self._known[study_id] = _brought_up(self._known[study_id], reading, study)
        return plan

    def of_write(self, writing: Writing, study_id: str) -> Plan | None:
        """Return the plan of a study inside a transaction, which may fail: nothing of it is remembered."""
        study = writing.study(study_id)
        if study is None:
            return None
        known = self._known.get(study_id)
        return plan_of(writing, study) if known is None else _brought_up(known, writing, study)


def _brought_up(plan: Plan, reading: Reading, study: StoredStudy) -> Plan:
    """Return a plan as of a later snapshot: its study may be closed since, and one that is live may have more items."""
    if plan.study != study:
        plan = replace(plan, study=study)
    if plan.file.live and (more := reading.study_items(study.id, len(plan.items))):
        plan = replace(plan, items=[*plan.items, *more])
    return plan


def plan_of(reading: Reading, study: StoredStudy) -> Plan:
    """Return a stored study with its items."""
    return Plan(study, file_of(study), reading.study_items(study.id))
