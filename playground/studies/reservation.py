"""Battles of a study, reserved for its raters: each step in one transaction.

A battle is reserved while it is open. It is given back, which makes it void, when its time is up or its rater opens
the link in another browser; a vote that comes later is refused, so that no item gets more votes than it should.

Boundary: the store and the rules of battles; `assignment` decides who gets what, and a page shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from threading import Lock

from playground.battles.ballot import Viewer
from playground.battles.life import Battles
from playground.battles.steps import found
from playground.battles.table import Event
from playground.battles.transitions import later, moved
from playground.errors import StorageError
from playground.messages import Message
from playground.records import Assigned, Battle, BattleSide, BattleState, Generation, StoredStudy, StudyRater
from playground.storage.database.statements import Reading, Writing
from playground.studies.assignment import WHY, Given, Nothing, Plan, Situation, decide, settle_check
from playground.studies.known_counts import KnownCounts
from playground.studies.links import token_hash
from playground.studies.looks import Looks
from playground.studies.progress import NOBODY, Progress, progress_of
from playground.studies.study_file import StudyFile, file_of

RESERVED_S = 1800.0
"""Seconds from the last sign of a rater until their open battles are given to others."""
MOST_UNUSABLE = 50
"""Items in a row whose answers are hidden or erased that are passed over in one step."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to a rater who asks for the next battle."""

    battle_id: str | None
    why_none: str | None  # words; None with a battle, and if what is loaded has to be judged first
    progress: Progress
    file: StudyFile | None  # how the rater is asked; None: no such study or link
    may_go_on: bool = False  # there may be battles at the next request


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
        self._planning = Lock()
        self._plans: dict[str, Plan] = {}  # of studies, which never change but for their end
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
        with self._battles.store.reading() as reading:  # so that wrong links keep no vote waiting
            plan = self._plan(reading, study_id)
            if plan is None or reading.rater_of_link(study_id, token_hash(token)) is None:
                return _no_link()
            final = self._final(reading, plan)
        self._looks.look(plan, final)
        attempts = count()

        def work(writing: Writing) -> Turn:
            if next(attempts):  # the transaction before was rolled back
                self._counts.forget(study_id)
            return self._next(writing, asks)

        with self._counts.unless_it_fails(study_id):
            return self._battles.store.write(work)

    def prepare(self) -> None:
        """Count the running studies, so that their first raters do not wait for it; raises `StorageError`."""
        with self._battles.store.reading() as reading:
            for study_id in reading.running_study_ids():
                plan = self._plan(reading, study_id)
                if plan is not None:
                    self._counts.prepare(reading, plan, self._rules.clock.now())

    def look(self) -> None:
        """Look at the running studies for which that is due: their last votes are final only when nobody asks for more.

        Raises:
            StorageError: nothing can be read or stored.
        """
        with self._battles.store.reading() as reading:
            running = [self._plan(reading, study_id) for study_id in reading.running_study_ids()]
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

    def _next(self, writing: Writing, asks: _Asks) -> Turn:
        viewer, plan = asks.viewer, self._plan(writing, asks.study_id)
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
                return Turn(None, self._ended(writing, now, step), self._progress(writing, now), plan.file)
            made = self._made(writing, now, step, viewer)
            own = [*own, made]
            if asks.consent_version:
                writing.agree(viewer.rater, asks.consent_version, self._rules.clock.now())
            if made.is_open:
                after = self._situation(writing, plan, rater, own)
                return Turn(made.battle, None, self._progress(writing, after), plan.file)
        return Turn(None, Message(WHY[Nothing.NOT_SHOWN]), self._progress(writing, now), plan.file, may_go_on=True)

    def _plan(self, reading: Reading, study_id: str) -> Plan | None:
        study = reading.study(study_id) if isinstance(study_id, str) else None
        if study is None:
            return None
        known = self._plans.get(study_id)
        if known is None:
            with self._planning:  # a rater who comes meanwhile waits, and does not read a large study once more
                known = self._plans.get(study_id)
                if known is None:
                    known = self._plans[study_id] = plan_of(reading, study)
        if known.study != study:  # closed since
            known = self._plans[study_id] = replace(known, study=study)
        return known

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
        counts = self._counts.current(writing, plan, self._rules.clock.now())
        return Situation(plan, counts, rater, own, self._looks.pairing(plan.study.id))

    def _settled(self, writing: Writing, now: Situation) -> StudyRater:
        state, tries = settle_check(now)
        settled = replace(now.rater, check_state=state, tries=tries)
        if settled != now.rater:
            writing.update_study_rater(settled, self._rules.clock.now())
        return settled

    def _ended(self, writing: Writing, now: Situation, why: Nothing) -> str | None:
        """Return the words; store when a rater first had nothing left."""
        if why is Nothing.JUDGE_FIRST:
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
        battle = self._battle(writing, now, given, viewer, at)
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

    def _battle(self, reading: Reading, now: Situation, given: Given, viewer: Viewer, at: str) -> Battle:
        item, plan = given.item, now.plan
        answers = [_generation(reading, name) for name in self._order(reading, now, given)]
        sides = tuple(
            BattleSide(side, answer.model_id, answer.seed, answer.params, answer)
            for side, answer in zip("ab", answers, strict=True)
        )
        return Battle(
            id=self._rules.new_id(),
            comparison_id=f"{plan.study.hash[:24]}{item.number:08x}",
            parent_id=None,
            owner=viewer.rater,
            source=viewer.source,
            blind=True,
            state=BattleState.GENERATING,
            instruction=answers[0].instruction,
            overrides={},
            sides=sides,
            created_at=at,
            draw_probability=_probability(plan.file, given),
            rated=True,
            study=plan.study.id,
            study_hash=plan.study.hash,
            study_kind=given.kind,
            study_rater=now.rater.number,
        )

    def _order(self, reading: Reading, now: Situation, given: Given) -> tuple[str, str]:
        """Return the answers by side: drawn, or those of the repeated battle swapped."""
        answers = (given.item.generation_a, given.item.generation_b)
        if given.repeat_of is not None:
            left = found(reading, given.repeat_of).sides[0].generation
            is_swapped = left is not None and left.id == answers[0]
        else:
            is_swapped = now.plan.random("sides", now.rater.number, now.place).random() < 0.5
        return (answers[1], answers[0]) if is_swapped else answers


def plan_of(reading: Reading, study: StoredStudy) -> Plan:
    """Return a stored study with its items."""
    return Plan(study, file_of(study), reading.study_items(study.id))


def _generation(reading: Reading, generation_id: str) -> Generation:
    found = reading.generation(generation_id)
    if found is None:
        raise StorageError(f"the answer {generation_id} of a study is not in the database")
    return found


def _probability(file: StudyFile, given: Given) -> float | None:
    """Return the chance of a battle's pair of models; None if it was not drawn."""
    return (given.probability or 1 / len(file.model_pairs)) if given.kind in ("item", "repeat") else None


def _no_link() -> Turn:
    return Turn(None, Message("This link is not valid. Ask whoever sent it for another one."), NOBODY, None)
