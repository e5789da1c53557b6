"""Battles of a study, reserved for its raters: each step in one transaction.

A battle is reserved while it is open. It is given back, which makes it void, when its time is up or its rater opens
the link in another browser; a vote that comes later is refused, so that no item gets more votes than it should.

Boundary: the store and the rules of battles; `assignment` decides who gets what, and a page shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from secrets import randbits

from playground.battles.ballot import Viewer
from playground.battles.life import Battles
from playground.battles.state_table import Event
from playground.battles.steps import found
from playground.battles.transitions import later, moved
from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import Assigned, Battle, BattleState, Instruction, LiveItem, StudyRater
from playground.storage.database.statements import Reading, Writing
from playground.studies.assignment import Given, Plan, Situation, Written, decide, pair_to_write, settle_check
from playground.studies.battle import battle_of
from playground.studies.known_counts import KnownCounts
from playground.studies.links import token_hash
from playground.studies.live import Live, live_of, why_not_write, written_already
from playground.studies.looks import Looks
from playground.studies.nothing import WHY, Nothing
from playground.studies.plans import Plans
from playground.studies.progress import NOBODY, Progress, progress_of
from playground.studies.study_file import StudyFile

RESERVED_S = 1800.0
"""Seconds from the last sign of a rater until their open battles are given to others."""
MOST_UNUSABLE = 50
"""Items in a row whose answers are hidden or erased that are passed over in one step."""

NO_LINK = Message("This link is not valid. Ask whoever sent it for another one.")


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to a rater who asks for the next battle."""

    battle_id: str | None
    why_none: str | None  # words; None with a battle, and if what is loaded has to be judged first
    progress: Progress
    file: StudyFile | None  # how the rater is asked; None: no such study or link
    may_go_on: bool = False  # there may be battles at the next request
    live: Live | None = None  # of a study whose raters write instructions, if that is what comes next


@dataclass(frozen=True, slots=True)
class _Asks:
    """A request for the next battle."""

    study_id: str
    token: str
    viewer: Viewer
    have: frozenset[str]
    consent_version: str


class Reservations:
    """The studies of one store."""

    def __init__(self, battles: Battles) -> None:
        self._battles = battles
        self._rules = battles.rules
        self._plans = Plans()
        self._looks = Looks(battles)
        self._counts = KnownCounts()

    def next(
        self, study_id: str, token: str, viewer: Viewer, have: Collection[str] = (), consent_version: str = ""
    ) -> Turn:
        """Return the next battle of a rater, reserved for them; the same one until `have` names it or it is judged.

        Args:
            token: of the personal link.
            have: battles that the page has loaded and that are not judged.
            consent_version: of the terms that the rater agrees to by rating; empty: none.
        """
        asks = _Asks(study_id, token, viewer, frozenset(have), consent_version)
        with self._battles.store.reading() as reading:
            plan = self._plan_of_link(reading, study_id, token)
            if plan is None:
                return _no_link()
            final = self._final(reading, plan)
        self._looks.look(plan, final)
        return self._counts.write(self._battles.store, study_id, lambda writing: self._next(writing, asks))

    def file_of_link(self, study_id: str, token: str) -> StudyFile:
        """Return the file of the study whose link has a token; raise InvalidValue if none has."""
        with self._battles.store.reading() as reading:
            plan = self._plan_of_link(reading, study_id, token)
        if plan is None:
            raise InvalidValue(NO_LINK)
        return plan.file

    def write(
        self, study_id: str, token: str, viewer: Viewer, instruction: Instruction, consent_version: str = ""
    ) -> LiveItem:
        """Store an instruction of a rater of a live study, with the models that are to answer it.

        The one that the rater wrote last, sent again, is stored once.

        Raises:
            InvalidValue: it is not the rater's turn to write; the message says why.
        """

        def work(writing: Writing) -> LiveItem | InvalidValue:
            plan, at = self._plans.of_write(writing, study_id), self._rules.clock.now()
            rater = writing.rater_of_link(study_id, token_hash(token)) if plan else None
            if plan is None or rater is None:
                return InvalidValue(NO_LINK)
            rater = self._arrived(writing, rater, viewer)
            now = self._situation(writing, plan, rater, self._own(writing, rater, viewer))
            known = written_already(now, instruction)
            if known is not None:
                return known
            if refusal := why_not_write(now):
                return refusal
            if consent_version:
                writing.agree(viewer.rater, consent_version, at)
            models, chance = pair_to_write(now)
            live = LiveItem(study_id, 0, rater.number, viewer.rater, instruction, models, randbits(32), chance, at)
            return writing.insert_live_item(live)

        self.file_of_link(study_id, token)
        stored = self._counts.write(self._battles.store, study_id, work)
        if isinstance(stored, InvalidValue):  # raised inside, it would undo what was given back, and cost a count
            raise stored
        return stored

    def prepare(self) -> None:
        """Count the running studies, so that their first raters do not wait for it; raises `StorageError`."""
        with self._battles.store.reading() as reading:
            for study_id in reading.running_study_ids():
                plan = self._plans.of(reading, study_id)
                if plan is not None:
                    self._counts.prepare(reading, plan, self._rules.clock.now())

    def look(self) -> None:
        """Look at the running studies for which that is due: their last votes are final only when nobody asks for more.

        Raises:
            StorageError: nothing can be read or stored.
        """
        with self._battles.store.reading() as reading:
            running = [self._plans.of(reading, study_id) for study_id in reading.running_study_ids()]
            found = [(plan, self._final(reading, plan)) for plan in running if plan is not None and plan.is_watched]
        for plan, final in found:
            self._looks.look(plan, final)

    def _final(self, reading: Reading, plan: Plan) -> int:
        """Return the votes that are final, if looks need them; either way the study has been counted."""
        now = self._rules.clock.now()
        if plan.is_watched:
            return self._counts.final(reading, plan, now)
        self._counts.prepare(reading, plan, now)
        return 0

    def _plan_of_link(self, reading: Reading, study_id: str, token: str) -> Plan | None:
        """Return the plan of the study whose link has a token, read first so that wrong links keep no vote waiting."""
        plan = self._plans.of(reading, study_id)
        return None if plan is None or reading.rater_of_link(study_id, token_hash(token)) is None else plan

    def _next(self, writing: Writing, asks: _Asks) -> Turn:
        viewer, plan = asks.viewer, self._plans.of_write(writing, asks.study_id)
        rater = writing.rater_of_link(plan.study.id, token_hash(asks.token)) if plan else None
        if plan is None or rater is None:
            return _no_link()
        rater = self._arrived(writing, rater, viewer)
        own = self._own(writing, rater, viewer)
        for _ in range(MOST_UNUSABLE):
            now = self._situation(writing, plan, rater, own)
            waiting = [one.battle for one in now.own if one.is_open and one.battle not in asks.have]
            if waiting and plan.study.closed_at is None:
                return Turn(waiting[0], None, self._progress(writing, now), plan.file)
            rater = self._settled(writing, now)
            now = replace(now, rater=rater)
            step = decide(now)
            if isinstance(step, Nothing):
                why, progress = self._ended(writing, now, step), self._progress(writing, now)
                return Turn(None, why, progress, plan.file, live=live_of(now, step))
            made = self._made(writing, now, step, viewer)
            own = [*own, made]
            if asks.consent_version:
                writing.agree(viewer.rater, asks.consent_version, self._rules.clock.now())
            if made.is_open:
                after = self._situation(writing, plan, rater, own)
                return Turn(made.battle, None, self._progress(writing, after), plan.file)
        return Turn(None, Message(WHY[Nothing.NOT_SHOWN]), self._progress(writing, now), plan.file, may_go_on=True)

    def _arrived(self, writing: Writing, rater: StudyRater, viewer: Viewer) -> StudyRater:
        """Store that the link is open in the viewer's browser."""
        if rater.rater == viewer.rater:
            return rater
        arrived = replace(rater, rater=viewer.rater)
        writing.update_study_rater(arrived, self._rules.clock.now())
        return arrived

    def _own(self, writing: Writing, rater: StudyRater, viewer: Viewer) -> Sequence[Assigned]:
        """Return the rater's battles, after their open ones were prolonged.

        Those of any rater whose time is up are given back, and the rater's own in another browser. Those that the
        operator has hidden since do not come again.
        """
        now, own = self._rules.clock.now(), writing.assigned(rater.study, rater.number)
        opened = [one for one in own if one.is_open]
        hidden = [one.battle for one in opened if writing.shows_hidden_answers(one.battle)]
        for battle_id in hidden:
            writing.drop(battle_id, "unusable")
        writing.reserve([one.battle for one in opened if one.owner == viewer.rater], later(now, RESERVED_S))
        elsewhere = [one.battle for one in opened if one.owner != viewer.rater]
        ended = {*hidden, *elsewhere, *writing.overdue(rater.study, now)}
        for battle_id in ended:
            self._release(writing, found(writing, battle_id))
        return writing.assigned(rater.study, rater.number) if ended else own

    def _release(self, writing: Writing, battle: Battle) -> bool:
        return writing.move(battle, moved(battle, Event.TIME_UP, self._rules.clock.now()))

    def _situation(self, writing: Writing, plan: Plan, rater: StudyRater, own: Sequence[Assigned]) -> Situation:
        now = self._rules.clock.now()
        counts = self._counts.current(writing, plan, now)
        written = _written(writing, rater, now) if plan.file.live else Written()
        return Situation(plan, counts, rater, own, self._looks.pairing(plan.study.id), written)

    def _settled(self, writing: Writing, now: Situation) -> StudyRater:
        state, tries = settle_check(now)
        settled = replace(now.rater, check_state=state, tries=tries)
        if settled != now.rater:
            writing.update_study_rater(settled, self._rules.clock.now())
        return settled

    def _ended(self, writing: Writing, now: Situation, why: Nothing) -> str | None:
        """Return the words; store when a rater first had nothing left."""
        if why not in WHY:
            return None
        at = self._rules.clock.now()
        is_waiting = any(one.is_open for one in now.own) or why is Nothing.OTHERS_RATE
        if now.rater.finished_at is None and not is_waiting:
            writing.update_study_rater(replace(now.rater, finished_at=at), at)
        return Message(WHY[why])

    def _progress(self, reading: Reading, now: Situation) -> Progress:
        return progress_of(now, reading.count_links(now.plan.study.id))

    def _made(self, writing: Writing, now: Situation, given: Given, viewer: Viewer) -> Assigned:
        """Store the rater's battle; it is void at once if its answers cannot be shown any more."""
        at = self._rules.clock.now()
        battle = battle_of(writing, now, given, viewer, self._rules.new_id(), at)
        is_shown = len(battle.good_sides) == 2
        battle = moved(battle, Event.LAST_ENDED if is_shown else Event.LAST_FAILED, at)
        writing.insert_battle(battle)
        assigned = Assigned(
            battle.id,
            given.item.number,
            now.place,
            given.repeat_of,
            given.kind,
            battle.state.value,
            None,
            None,
            viewer.rater,
        )
        writing.assign(now.plan.study.id, now.rater.number, assigned, later(at, RESERVED_S))
        self._counts.expect(now.plan.study.id, assigned.item)
        if is_shown and writing.shows_hidden_answers(battle.id):
            self._release(writing, battle)
            is_shown = False
        if not is_shown:
            writing.drop(battle.id, "unusable")
            return replace(assigned, state=BattleState.VOID.value, dropped="unusable")
        return assigned


def _written(reading: Reading, rater: StudyRater, now: str) -> Written:
    waiting = reading.waiting_live_items(rater.study, rater.number, later(now, -RESERVED_S))
    last = reading.last_live_item(rater.study, rater.number)
    return Written(last, reading.count_live_items(rater.study, rater.number), waiting)


def _no_link() -> Turn:
    return Turn(None, NO_LINK, NOBODY, None)
