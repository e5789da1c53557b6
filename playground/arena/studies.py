"""Raters judge the battles of a study, one after another.

Boundary: the arena's battles and terms in; `studies.reservation` decides and stores who gets what.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock

from playground.arena.battles import ArenaBattles
from playground.arena.live_answers import NO_MODELS, LiveAnswers
from playground.battles import Battles, Viewer
from playground.errors import InvalidValue
from playground.records import BattleView, ClosedStudy, Instruction
from playground.studies.differences import Difference, adjudicate, differences
from playground.studies.live import NOT_LIVE, Live
from playground.studies.panel_raters import PanelEnd, PanelRaters
from playground.studies.progress import Progress
from playground.studies.reservation import Reservations, Turn
from playground.studies.status import StudyStatus, found_study, status_of
from playground.studies.study_file import StudyFile


@dataclass(frozen=True, slots=True)
class StudyAssignment:
    """The next battle of a rater in a study, or the reason why there is none."""

    view: BattleView | None
    why_none: str  # words; empty with a battle, and if what is loaded has to be judged first
    progress: Progress
    file: StudyFile | None  # how the rater is asked; None: the link is not valid
    end: PanelEnd | None = None  # of a rater whom a panel sent
    live: Live | None = None  # where the rater writes instructions


class ArenaStudies:
    """The studies of the arena's database."""

    def __init__(self, battles: ArenaBattles, consent_version: str, live: LiveAnswers | None = None) -> None:
        self._battles = battles
        self._live = live
        self._consent_version = consent_version
        self._lock = Lock()
        self._opened: tuple[Battles, Reservations, PanelRaters] | None = None

    def enter(self, study: str, query: Mapping[str, str]) -> str:
        """Return the token of the rater whom a panel's link names, as a personal link has it.

        Raises:
            InvalidLink: the link opens nothing.
            KeysUnavailable: its signature cannot be checked now.
            StorageError: nothing can be stored.
        """
        return self._parts()[1].enter(study, query)

    def next(self, viewer: Viewer, have: Collection[str], study: str, key: str) -> StudyAssignment:
        """Return the battle that a rater judges next; the same until it is judged, skipped or in `have`.

        Args:
            have: ids of open battles that the page has loaded already.
            key: the token of the rater's personal link.

        Raises:
            StorageError: nothing can be stored.
        """
        reservations, panels = self._parts()
        end = panels.known_end(study, key)
        if end is not None:
            return StudyAssignment(None, end.words, Progress(end.done, end.done, None), end.file, end)
        turn = reservations.next(study, key, viewer, have, self._consent_version)
        is_over = turn.why_none is not None and not turn.may_go_on
        if is_over and (end := panels.store_end(study, key, have)) is not None:
            return StudyAssignment(None, end.words, turn.progress, turn.file, end)
        view = None if turn.battle_id is None else self._battles.stored.view(turn.battle_id, viewer)
        why_not = self._why_not(turn)
        live = None if why_not else turn.live
        return StudyAssignment(view, turn.why_none or why_not, turn.progress, turn.file, live=live)

    def write(self, viewer: Viewer, study: str, key: str, instruction: Instruction) -> None:
        """Store an instruction of a rater of a live study, and have two of its models answer it.

        Raises:
            Busy: as many comparisons run as may run at once.
            InvalidInstruction: it is too long for the study's models.
            InvalidValue: the rater may not write now; the message says why.
            StorageError: nothing can be stored.
        """
        reservations, _ = self._parts()
        file = reservations.file_of_link(study, key)
        if not file.live:
            raise InvalidValue(NOT_LIVE)
        if self._live is None:
            raise InvalidValue(NO_MODELS)
        store = partial(reservations.write, study, key, viewer, instruction, self._consent_version)
        self._live.write(file, instruction, store)

    def _why_not(self, turn: Turn) -> str:
        """Return why a rater cannot write an instruction, or waits for answers in vain; empty if there is no reason."""
        if turn.live is None or turn.file is None:
            return ""
        return NO_MODELS if self._live is None else self._live.why_not(turn.live.models or turn.file.models)

    def running(self) -> list[StudyStatus]:
        """Return the state of each study that is not closed, for the operator.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._battles.stored.store.reading() as reading:
            found = [reading.study(name) for name in reading.study_ids()]
            now = self._battles.stored.rules.clock.now()
            return [status_of(reading, study, now) for study in found if study is not None and study.closed_at is None]

    def closed(self) -> Sequence[ClosedStudy]:
        """Return the studies that are closed, the last one first; raises as `running`."""
        with self._battles.stored.store.reading() as reading:
            return reading.closed_studies()

    def differences(self, study_id: str, *, unresolved: bool) -> list[Difference]:
        """Return the battles of a study on which raters differ; raises as `running`."""
        with self._battles.stored.store.reading() as reading:
            return list(differences(reading, found_study(reading, study_id), unresolved=unresolved))

    def adjudicate(self, study_id: str, item: int, outcome: str) -> None:
        """Store the operator's judgement on such a battle.

        Raises:
            InvalidValue, Unknown: no such judgement, study or battle.
            StorageError: nothing can be stored.
        """
        at = self._battles.stored.rules.clock.now()
        self._battles.stored.store.write(
            lambda writing: adjudicate(writing, found_study(writing, study_id), item, outcome, at)
        )

    def resume(self) -> None:
        """Go on with answers to raters' instructions that a restart cut off; raises `StorageError`."""
        if self._live is not None:
            self._live.resume()

    def prepare(self) -> None:
        """Count the running studies before their first raters come; raises `StorageError`."""
        self._parts()[0].prepare()

    def look(self) -> None:
        """Look at the running studies that end by a claim, where that is due; raises `StorageError`."""
        self._parts()[0].look()

    def _parts(self) -> tuple[Reservations, PanelRaters]:
        """Return the reservations of the open store, which remember the plans of its studies, and its panels."""
        stored = self._battles.stored
        with self._lock:  # two sets of counts would give one item to two raters
            if self._opened is None or self._opened[0] is not stored:
                self._opened = (stored, Reservations(stored), PanelRaters(stored))
            return self._opened[1:]
