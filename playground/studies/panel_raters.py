"""Raters whom a panel sends: they enter by a link of the panel, and leave with a code.

Boundary: the store and the rules of battles; `panel_links` reads the links, `reservation` gives the battles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from playground.battles.life import Battles
from playground.errors import InvalidLink
from playground.messages import Message
from playground.records import CheckState, PanelId, PanelRater, StoredStudy, StudyRater
from playground.storage.database.statements import Reading, Writing
from playground.studies.assignment import Plan
from playground.studies.links import token_hash
from playground.studies.panel import Outcome, Panel
from playground.studies.panel_links import Arrival, Claims, id_hash, read_arrival, session_hash, token_of
from playground.studies.panel_outcomes import WORDS, items_given_back, outcome_of
from playground.studies.signed_links import SigningKeys
from playground.studies.study_file import StudyFile, file_of


@dataclass(frozen=True, slots=True)
class PanelEnd:
    """The end of a rater's work, as it is shown to them."""

    outcome: Outcome
    words: str
    code: str | None
    address: str | None  # of the panel
    done: int  # battles, without those of the check
    file: StudyFile  # how the rater was asked


class PanelRaters:
    """The panels of the studies of one store."""

    def __init__(self, battles: Battles, keys: SigningKeys | None = None) -> None:
        self._store = battles.store
        self._clock = battles.rules.clock
        self._keys = keys or SigningKeys(self._clock)

    def enter(self, study_id: str, query: Mapping[str, str]) -> str:
        """Return the token of a rater's place in a study, which is made when they first come.

        Args:
            query: the parameters of the link.

        Raises:
            InvalidLink: the link opens nothing; the message says why.
            KeysUnavailable: its signature cannot be checked now.
            StorageError: nothing can be stored.
        """
        with self._store.reading() as reading:
            study = reading.study(study_id)
        file = None if study is None else file_of(study)
        if study is None or file is None or file.panel is None:
            raise InvalidLink(Message("There is no study for a panel at this address. Open it from your panel again."))
        arrival = read_arrival(file.panel, study, query, self._claims(file.panel))
        with self._store.reading() as reading:  # so that who comes back keeps no vote waiting
            is_known = _is_known(reading, study, arrival)
        if not is_known:
            self._store.write(lambda writing: self._admit(writing, study, file, arrival))
        return token_of(study, arrival.rater)

    def known_end(self, study_id: str, token: str) -> PanelEnd | None:
        """Return the end of the holder of a link; None for one who goes on, or who came by a personal link."""
        with self._store.reading() as reading:
            place, known = _place_of(reading, study_id, token)
            if place is None or known is None or known.outcome is None:
                return None
            return _shown(reading, place, Outcome(known.outcome))

    def store_end(self, study_id: str, token: str, have: Collection[str]) -> PanelEnd | None:
        """Store and return the end of a rater for whom there is no further battle.

        Args:
            have: battles that the page has loaded and that are not judged: with some the rater goes on.
        """
        with self._store.reading() as reading:
            if _place_of(reading, study_id, token)[1] is None:
                return None
        return self._store.write(lambda writing: self._write_end(writing, study_id, token, have))

    def forget_due_ids(self) -> None:
        """Delete the panel's ids of studies that ended long enough ago."""
        now = self._clock.now()
        with self._store.reading() as reading:
            if not reading.has_due_panel_ids(now):
                return
        self._store.write(lambda writing: writing.forget_due_panel_ids(now))

    def _claims(self, panel: Panel) -> Claims:
        now_s = int(datetime.fromisoformat(self._clock.now()).timestamp())
        return lambda token: self._keys.claims(token, panel.jwks or "", panel.audience or "", now_s)

    def _admit(self, writing: Writing, study: StoredStudy, file: StudyFile, arrival: Arrival) -> None:
        if _is_known(writing, study, arrival):  # another request was quicker
            return
        at, token = self._clock.now(), token_of(study, arrival.rater)
        check = CheckState.NONE if file.check is None else CheckState.WAITING
        number = writing.insert_link(study.id, token_hash(token), check, at)
        writing.insert_panel_rater(
            PanelRater(study.id, number, id_hash(study, arrival.rater), session_hash(study, arrival.session), at),
            PanelId(study.id, number, arrival.rater, arrival.session or None),
        )

    def _write_end(self, writing: Writing, study_id: str, token: str, have: Collection[str]) -> PanelEnd | None:
        place, known = _place_of(writing, study_id, token)
        study = writing.study(study_id)
        if place is None or known is None or study is None:
            return None
        own = writing.assigned(study_id, place.number)
        if any(one.is_open and (one.battle in have or study.closed_at is None) for one in own):
            return None
        if known.outcome is not None:
            return _shown(writing, place, Outcome(known.outcome))
        file = file_of(study)
        if file.panel is None:
            return None
        plan = Plan(study, file, writing.study_items(study_id))
        best = {item.number: item.expected for item in plan.items}
        lost = self._lost(writing, plan, items_given_back(own))
        outcome = outcome_of(file, file.panel, place, own, best, lost)
        writing.end_panel_rater(study_id, place.number, outcome, self._clock.now())
        return _shown(writing, place, outcome)

    def _lost(self, reading: Reading, plan: Plan, items: Collection[int]) -> Collection[int]:
        """Return those of some items that want no more raters: others have them."""
        if not items:
            return ()
        counts = reading.item_counts(plan.study.id, self._clock.now(), sorted(items))
        return [number for number, count in counts.items() if count.taken >= plan.wanted(plan.by_number[number], count)]


def _place_of(reading: Reading, study_id: str, token: str) -> tuple[StudyRater | None, PanelRater | None]:
    """Return the holder of a link, and what is stored of them if a panel sent them."""
    place = reading.rater_of_link(study_id, token_hash(token))
    return place, None if place is None else reading.panel_rater(study_id, place.number)


def _is_known(reading: Reading, study: StoredStudy, arrival: Arrival) -> bool:
    """Return True for a rater who comes back.

    Raises:
        InvalidLink: they come in a second session, or in that of somebody else.
    """
    session = session_hash(study, arrival.session)
    known = reading.panel_rater_of_id(study.id, id_hash(study, arrival.rater))
    if known is None and (session is None or reading.panel_rater_of_session(study.id, session) is None):
        return False
    if known is None or known.session_hash != session:
        raise InvalidLink(
            Message("You have opened this study before, in another session of your panel. Go on with the link of that.")
        )
    return True


def _shown(reading: Reading, place: StudyRater, outcome: Outcome) -> PanelEnd | None:
    study = reading.study(place.study)
    file = None if study is None else file_of(study)
    if file is None or file.panel is None:
        return None
    panel = file.panel
    rater = reading.panel_id(place.study, place.number)
    done = sum(one.is_judged and one.kind != "check" for one in reading.assigned(place.study, place.number))
    code, address = panel.code_of(outcome), panel.address_of(outcome, rater)
    return PanelEnd(outcome, Message(WORDS[outcome]), code, address, done, file)
